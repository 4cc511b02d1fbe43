import { expect } from "chai";

import { run, type CarepactError } from "@carepact/sdk";
import {
  eventKeyOf,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type GroupResult,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { createAttester, memoryLedger } from "@carepact/sdk/oracles";

import { ledgerFolder, type LedgerFolder } from "../sdk/ledgers";
import { byLine, met, notMet, partlyMet, pending } from "../support/batches";

import { attestedOnce, attesting, funded, groupOf, oneFill, type Attesting } from "./attesterWorld";
import { byClaim, CENT, fill, fundInput, lineOf, openAs, refusal } from "./support";

/** The second payer's decision on a fill of which the first one paid `others`. */
function secondary(payee: string, prescription: string, paid: string, others: string): AdjudicatedClaim {
  const allowed = (Number(paid) + Number(others)).toFixed(2);
  return readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `S-${prescription}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber: prescription,
      fillNumber: 0,
      dateOfService: "2026-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: allowed,
      patientPayAmount: "0",
      otherPayerAmountRecognized: others,
      totalAmountPaid: paid,
    },
    { payee },
  );
}

const reasonsIn = ({ details }: CarepactError): unknown[] =>
  (details["conflicts"] as { reason: string }[]).map(({ reason }) => reason);

describe("SDK: an attester that attests each event once", () => {
  let folder: LedgerFolder;
  before(() => {
    folder = ledgerFolder();
  });
  after(() => folder.remove());

  describe("given an event in two batches", () => {
    it("refuses the second before anything is signed, and says where the first is but not what", async () => {
      const world = await attestedOnce(folder);
      const { attesters, ledger, first } = world;
      const batch = await oneFill(world);
      let signed = 0;
      const { address, provider } = attesters[0].signer;
      const runner = {
        provider,
        getAddress: () => Promise.resolve(address),
        sendTransaction: () => Promise.reject(new Error("not asked")),
        signTypedData: () => {
          signed += 1;
          return Promise.resolve(`0x${"00".repeat(65)}`);
        },
      };
      const watched = createAttester({ runner, deployment: world.deployment }, { ledger });
      const error = await refusal("EVENT_ALREADY_ATTESTED", watched.attest(batch, [met]));
      expect(signed).to.equal(0);
      const conflicts = error.details["conflicts"] as Record<string, unknown>[];
      expect(conflicts).to.have.length(1);
      expect(conflicts[0]).to.deep.include({ group: 0, line: 0, reason: "samePayer" });
      const [earlier] = conflicts[0]!["earlier"] as Record<string, unknown>[];
      expect(earlier).to.deep.include({
        batchId: first.batchId,
        payer: world.payer.address,
        escrow: first.escrow,
        chainId: 31337,
        amount: "90000000",
        decimals: 6,
        currency: "USD",
      });
      const text = JSON.stringify(error) + error.message;
      for (const said of ["1234567893", "2026-01-15", "F-11"]) expect(text).not.to.include(said);
      // The spy does sign where nothing is in the way.
      await watched.attest(batch, [notMet]);
      expect(signed).to.equal(1);
    });

    it("refuses it for another payer that was not named, and the same payer always", async () => {
      const world = await attestedOnce(folder);
      const { attester, first, second } = world;
      const theirs = await oneFill(world, second);
      expect(reasonsIn(await refusal("EVENT_ALREADY_ATTESTED", attester.attest(theirs, [met])))).to.deep.equal([
        "notCoordinated",
      ]);
      const ours = await oneFill(world);
      const coordinated = { coordinatesWith: [first.batchId] };
      expect(
        reasonsIn(await refusal("EVENT_ALREADY_ATTESTED", attester.attest(ours, [met], coordinated))),
      ).to.deep.equal(["samePayer"]);
    });

    it("attests the same batch as often as it is asked", async () => {
      const { attester, first } = await attestedOnce(folder);
      const one = await attester.attest(first, [met], { observedAt: 1_800_000_000 });
      expect(one.batchId).to.equal(first.batchId);
      expect((await attester.attest(groupOf(first), [met], { observedAt: 1_800_000_001 })).observedAt).to.equal(
        1_800_000_001,
      );
    });

    it("signs after a failure what it had noted, and no other batch", async () => {
      const world = await attesting(folder);
      const { attester, ledger, attesters } = world;
      const first = await oneFill(world);
      const failing = createAttester(attesters[0].connection, {
        ledger,
        attest: () => Promise.reject(new Error("The key store does not answer.")),
      });
      await failing.attest(first, [met]).then(
        () => expect.fail("expected it to fail"),
        (thrown: Error) => expect(thrown.message).to.equal("The key store does not answer."),
      );
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(await oneFill(world), [met]));
      expect((await attester.attest(first, [met])).batchId).to.equal(first.batchId);
    });
  });

  describe("given lines that are not paid", () => {
    it("notes neither pending nor not met, so that another batch may have the event", async () => {
      const world = await attesting(folder);
      const { attester } = world;
      const first = await oneFill(world);
      await attester.attest(first, [pending]);
      await attester.attest(first, [notMet]);
      await attester.attest(await oneFill(world), [met]);
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(first, [met]));
    });

    it("does not forget a paying attestation for a later one: the first may still settle", async () => {
      const world = await attestedOnce(folder);
      const { attester, first } = world;
      await attester.attest(first, [notMet]);
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(await oneFill(world), [met]));
    });

    it("notes of a group by line those that pay, with what they pay", async () => {
      const world = await attesting(folder);
      const { attester, ledger, pharmacy } = world;
      const batch = await funded(world, [fill(pharmacy.address, "11", "90.00"), fill(pharmacy.address, "12", "12.34")]);
      const group = groupOf(batch);
      const half = partlyMet(4_500n * CENT);
      await attester.attest(group, [byClaim(group, { "F-11": half, "F-12": notMet })]);
      const events = ["F-11", "F-12"].map((claim) => eventKeyOf(group.lines[lineOf(group, claim)]!.event));
      const noted = await Promise.all(events.map((event) => ledger.attested(event)));
      expect(noted.map((lines) => lines.map(({ amount }) => amount))).to.deep.equal([[4_500n * CENT], []]);
    });
  });

  describe("given payers who coordinate benefits", () => {
    it("attests both up to what they pay together", async () => {
      const world = await attestedOnce(folder);
      const { attester, first, second } = world;
      const theirs = await funded(world, [secondary(world.pharmacy.address, "11", "10.00", "90.00")], second);
      const signed = await attester.attest(theirs, [met], { coordinatesWith: [first.batchId] });
      expect(signed.batchId).to.equal(theirs.batchId);
    });

    it("refuses a second payer that decided as if there was no first one", async () => {
      const world = await attestedOnce(folder);
      const { attester, first, second } = world;
      const theirs = await oneFill(world, second);
      const error = await refusal(
        "EVENT_ALREADY_ATTESTED",
        attester.attest(theirs, [met], { coordinatesWith: [first.batchId] }),
      );
      expect(reasonsIn(error)).to.deep.equal(["aboveTotal"]);
    });

    it("takes batch ids and nothing else as names", async () => {
      const { attester, first } = await attestedOnce(folder);
      for (const coordinatesWith of [["batch"], [first.batchId.slice(0, 20)], first.batchId, [7]])
        await refusal("INPUT_INVALID", attester.attest(first, [met], { coordinatesWith: coordinatesWith as string[] }));
    });
  });

  describe("given a batch of several payees of whom one is open", () => {
    const open = async (): Promise<{ world: Attesting; own: OpenedGroup }> => {
      const world = await attesting(folder);
      const { file } = await run(world.payer.claims.fund(await fundInput(world)));
      return { world, own: await openAs(world.pharmacy, file) };
    };

    it("attests the open one, the others pending or not met", async () => {
      const { world, own } = await open();
      await world.attester.attest(own, [met, pending]);
      await world.attester.attest(own, [met, notMet]);
    });

    it("refuses to pay for what it cannot compare, and notes nothing", async () => {
      const { world, own } = await open();
      const others: GroupResult[] = [met, byLine(notMet, met)];
      for (const other of others) {
        const { details } = await refusal("EVENT_NOT_OPENED", world.attester.attest(own, [met, other]));
        expect(details).to.deep.equal({ batchId: own.batchId, group: 1 });
      }
      for (const { event } of own.lines) expect(await world.ledger.attested(eventKeyOf(event))).to.deep.equal([]);
    });

    it("refuses results that do not fit, and notes nothing", async () => {
      const { world, own } = await open();
      await refusal("RESULTS_MALFORMED", world.attester.attest(own, [met]));
      const whole = own.lines[0]!.amount;
      await refusal("PARTIAL_AMOUNT_INVALID", world.attester.attest(own, [byLine(partlyMet(whole), met), pending]));
      for (const { event } of own.lines) expect(await world.ledger.attested(eventKeyOf(event))).to.deep.equal([]);
    });
  });

  it("signs in whatever way it is given, with the options it was given", async () => {
    const world = await attesting(folder);
    const batch = await oneFill(world);
    const attester = createAttester(world.attesters[0].connection, {
      ledger: memoryLedger(),
      attest: (given, results, options) => Promise.resolve({ batchId: given.batchId, results, options }),
    });
    const options = { observedAt: 1_800_000_000, evidence: `0x${"11".repeat(32)}` };
    expect(await attester.attest(batch, [met], { ...options, coordinatesWith: [] })).to.deep.equal({
      batchId: batch.batchId,
      results: [met],
      options,
    });
    const [noted] = await world.ledger.attested(eventKeyOf(groupOf(batch).lines[0]!.event));
    expect(noted).to.equal(undefined);
  });

  it("lets two attesters of one ledger attest a batch each, and neither the other's event", async () => {
    const world = await attesting(folder);
    const [one, two] = world.attesters.map(({ connection }) => createAttester(connection, { ledger: world.ledger }));
    const [first, later] = [await oneFill(world), await oneFill(world)];
    const answers = await Promise.allSettled([one!.attest(first, [met]), two!.attest(later, [met])]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
  });
});
