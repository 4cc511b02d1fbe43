import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { run, type CarepactError } from "@carepact/sdk";
import {
  eventKeyOf,
  openClaimBatchRecord,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type Attestation,
  type FundedBatch,
  type GroupResult,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createAttester, memoryLedger, type AttestationLedger, type Attester } from "@carepact/sdk/oracles";

import { ledgerFolder, type LedgerFolder } from "../sdk/ledgers";
import { byLine, met, notMet, partlyMet, pending } from "../support/batches";
import { GRACE } from "../support/system";

import {
  attestations,
  byClaim,
  CENT,
  deployWorld,
  fill,
  fundInput,
  lineOf,
  nodeWith,
  openAs,
  POOL,
  refusal,
  type Party,
  type World,
} from "./support";

/** The world, with a second payer. */
interface Worlds extends World {
  second: Party;
}

async function deployTwoPayers(): Promise<Worlds> {
  const world = await loadFixture(deployWorld);
  const { admin, stranger: second, token, tokenAddress } = world;
  const { publicKey: hpkeKey } = await generateSealingKeys();
  await run(admin.organizations.register(second.address, { name: "second", kinds: ["payer"], hpkeKey }));
  await token.mint(second.address, POOL);
  await run(second.pools.depositWithPermit({ token: tokenAddress, amount: POOL }));
  return { ...world, second };
}

interface Attesting extends Worlds {
  ledger: AttestationLedger;
  attester: Attester<Attestation>;
}

/** Funds these claims, by the first payer unless told otherwise, and opens all of the batch. */
async function funded(world: World, claims: AdjudicatedClaim[], payer = world.payer): Promise<OpenedRecord> {
  const batch: FundedBatch = await run(payer.claims.fund(await fundInput(world, claims)));
  return openClaimBatchRecord(batch.record);
}

const groupOf = ({ opened }: OpenedRecord): OpenedGroup => opened[0]!;

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

  /** An attester with a new ledger in a real database. */
  async function attesting(): Promise<Attesting> {
    const world = await loadFixture(deployTwoPayers);
    const ledger = folder.open();
    return { ...world, ledger, attester: createAttester(world.attesters[0].connection, { ledger }) };
  }
  /** A batch of one fill, of 90.00, that was attested. */
  async function attestedOnce(): Promise<Attesting & { first: OpenedRecord }> {
    const world = await attesting();
    const first = await funded(world, [fill(world.pharmacy.address, "11", "90.00")]);
    await world.attester.attest(first, [met]);
    return { ...world, first };
  }
  const again = (world: World, payer?: Party): Promise<OpenedRecord> =>
    funded(world, [fill(world.pharmacy.address, "11", "90.00")], payer);

  describe("given an event in two batches", () => {
    it("refuses the second before anything is signed, and says where the first is but not what", async () => {
      const world = await attestedOnce();
      const { attesters, ledger, first } = world;
      const batch = await again(world);
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
      const world = await attestedOnce();
      const { attester, first, second } = world;
      const theirs = await again(world, second);
      expect(reasonsIn(await refusal("EVENT_ALREADY_ATTESTED", attester.attest(theirs, [met])))).to.deep.equal([
        "notCoordinated",
      ]);
      const ours = await again(world);
      const coordinated = { coordinatesWith: [first.batchId] };
      expect(
        reasonsIn(await refusal("EVENT_ALREADY_ATTESTED", attester.attest(ours, [met], coordinated))),
      ).to.deep.equal(["samePayer"]);
    });

    it("attests the same batch as often as it is asked", async () => {
      const { attester, first } = await attestedOnce();
      const one = await attester.attest(first, [met], { observedAt: 1_800_000_000 });
      expect(one.batchId).to.equal(first.batchId);
      expect((await attester.attest(groupOf(first), [met], { observedAt: 1_800_000_001 })).observedAt).to.equal(
        1_800_000_001,
      );
    });

    it("signs after a failure what it had noted, and no other batch", async () => {
      const world = await attesting();
      const { attester, ledger, attesters } = world;
      const first = await again(world);
      const failing = createAttester(attesters[0].connection, {
        ledger,
        attest: () => Promise.reject(new Error("The key store does not answer.")),
      });
      await failing.attest(first, [met]).then(
        () => expect.fail("expected it to fail"),
        (thrown: Error) => expect(thrown.message).to.equal("The key store does not answer."),
      );
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(await again(world), [met]));
      expect((await attester.attest(first, [met])).batchId).to.equal(first.batchId);
    });
  });

  describe("given lines that are not paid", () => {
    it("notes neither pending nor not met, so that another batch may have the event", async () => {
      const world = await attesting();
      const { attester } = world;
      const first = await again(world);
      await attester.attest(first, [pending]);
      await attester.attest(first, [notMet]);
      await attester.attest(await again(world), [met]);
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(first, [met]));
    });

    it("does not forget a paying attestation for a later one: the first may still settle", async () => {
      const world = await attestedOnce();
      const { attester, first } = world;
      await attester.attest(first, [notMet]);
      await refusal("EVENT_ALREADY_ATTESTED", attester.attest(await again(world), [met]));
    });

    it("notes of a group by line those that pay, with what they pay", async () => {
      const world = await attesting();
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
      const world = await attestedOnce();
      const { attester, first, second } = world;
      const theirs = await funded(world, [secondary(world.pharmacy.address, "11", "10.00", "90.00")], second);
      const signed = await attester.attest(theirs, [met], { coordinatesWith: [first.batchId] });
      expect(signed.batchId).to.equal(theirs.batchId);
    });

    it("refuses a second payer that decided as if there was no first one", async () => {
      const world = await attestedOnce();
      const { attester, first, second } = world;
      const theirs = await again(world, second);
      const error = await refusal(
        "EVENT_ALREADY_ATTESTED",
        attester.attest(theirs, [met], { coordinatesWith: [first.batchId] }),
      );
      expect(reasonsIn(error)).to.deep.equal(["aboveTotal"]);
    });

    it("takes batch ids and nothing else as names", async () => {
      const { attester, first } = await attestedOnce();
      for (const coordinatesWith of [["batch"], [first.batchId.slice(0, 20)], first.batchId, [7]])
        await refusal("INPUT_INVALID", attester.attest(first, [met], { coordinatesWith: coordinatesWith as string[] }));
    });
  });

  describe("given a batch of several payees of whom one is open", () => {
    const open = async (): Promise<{ world: Attesting; own: OpenedGroup }> => {
      const world = await attesting();
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

  describe("releasing", () => {
    const settledBy = (world: World, batch: OpenedRecord, results: GroupResult[]) =>
      attestations(world, batch, results).then((signed) => run(world.payer.claims.settle(batch, signed)));
    const at = { confirmations: 0 };

    it("keeps what can still be paid", async () => {
      const { attester, first } = await attestedOnce();
      const open = { released: 0, kept: [{ group: 0, line: 0, why: "open" }] };
      expect(await attester.release(first, at)).to.deep.equal(open);
      await time.increaseTo(first.terms.eventBy + GRACE + 1);
      expect(await attester.release(first, at)).to.deep.equal(open);
    });

    it("forgets what was reclaimed, once enough blocks stand on it", async () => {
      const world = await attestedOnce();
      const { attester, first } = world;
      await time.increaseTo(first.terms.eventBy + GRACE + 1);
      await run(world.payer.claims.reclaim(first));
      expect((await attester.release(first)).released).to.equal(0);
      await mine(12);
      expect(await attester.release(first)).to.deep.equal({ released: 1, kept: [] });
      expect(await attester.release(first)).to.deep.equal({ released: 0, kept: [] });
      await attester.attest(await again(world), [met]);
    });

    it("keeps what was paid", async () => {
      const world = await attestedOnce();
      const { attester, first } = world;
      await settledBy(world, first, [met]);
      expect(await attester.release(first, at)).to.deep.equal({
        released: 0,
        kept: [{ group: 0, line: 0, why: "paid" }],
      });
    });

    it("keeps what was paid in part, and forgets what others attested as not met", async () => {
      const world = await attesting();
      const { attester, pharmacy } = world;
      const batch = await funded(world, [fill(pharmacy.address, "11", "90.00"), fill(pharmacy.address, "12", "12.34")]);
      const group = groupOf(batch);
      await attester.attest(batch, [met]);
      const some = byClaim(group, { "F-11": partlyMet(CENT), "F-12": notMet });
      await settledBy(world, batch, [some]);
      const paid = lineOf(group, "F-11");
      expect(await attester.release(batch, at)).to.deep.equal({
        released: 1,
        kept: [{ group: 0, line: paid, why: "paid" }],
      });
    });

    it("forgets what the payee reversed, though a later settlement names it", async () => {
      const world = await attesting();
      const { attester, pharmacy } = world;
      const batch = await funded(world, [fill(pharmacy.address, "11", "90.00"), fill(pharmacy.address, "12", "12.34")]);
      const group = groupOf(batch);
      await attester.attest(batch, [met]);
      await run(pharmacy.claims.reverse(group, [lineOf(group, "F-12")]));
      const open = { group: 0, line: lineOf(group, "F-11") };
      expect(await attester.release(batch, at)).to.deep.equal({ released: 1, kept: [{ ...open, why: "open" }] });
      await settledBy(world, batch, [met]);
      expect(await attester.release(batch, at)).to.deep.equal({ released: 0, kept: [{ ...open, why: "paid" }] });
    });

    it("forgets what was refunded in full, and keeps what was in part", async () => {
      const world = await attestedOnce();
      const { attester, first, pharmacy } = world;
      await settledBy(world, first, [met]);
      await run(pharmacy.claims.refund(first, { amount: 8_999n * CENT, from: "credit" }));
      expect((await attester.release(first, at)).kept).to.deep.equal([{ group: 0, line: 0, why: "paid" }]);
      await run(pharmacy.claims.refund(first, { amount: CENT, from: "credit" }));
      expect(await attester.release(first, at)).to.deep.equal({ released: 1, kept: [] });
    });

    it("forgets a batch that was never funded, when nobody can fund it any more", async () => {
      const world = await attesting();
      const { attester, pharmacy, payer } = world;
      const input = await fundInput(world, [fill(pharmacy.address, "11", "90.00")]);
      const { record } = await payer.claims.fund(input).simulate();
      const batch = openClaimBatchRecord(record);
      await attester.attest(batch, [met]);
      await time.increaseTo(batch.terms.eventBy);
      expect((await attester.release(batch, at)).kept).to.deep.equal([{ group: 0, line: 0, why: "open" }]);
      await mine(1);
      expect(await attester.release(batch, at)).to.deep.equal({ released: 1, kept: [] });
    });

    it("asks the escrow of the batch, and no other", async () => {
      const { attesters, deployment, first, ledger } = await attestedOnce();
      const { runner } = attesters[0].connection;
      for (const other of [
        { ...deployment, claimEscrow: deployment.mandates },
        { ...deployment, chainId: 1 },
      ]) {
        const { details } = await refusal(
          "INPUT_INVALID",
          createAttester({ runner, deployment: other }, { ledger }).release(first, at),
        );
        expect(details["path"]).to.equal("batch");
      }
    });

    it("does not take the word of a node that has lost its old logs", async () => {
      const world = await attestedOnce();
      const { attester, first, ledger } = world;
      await settledBy(world, first, [met]);
      const runner = nodeWith({
        getLogs: () => Promise.resolve([]),
        // ethers' own, by which the SDK asks where it is there.
        send: (method: string, params: unknown[]) =>
          method === "eth_getLogs" ? Promise.resolve([]) : ethers.provider.send(method, params),
      } as Parameters<typeof nodeWith>[0]);
      const forgetful = createAttester({ runner, deployment: world.deployment }, { ledger });
      await refusal("NODE_INCONSISTENT", forgetful.release(first, at));
      expect((await attester.release(first, at)).kept).to.have.length(1);
    });

    it("keeps everything on a chain that is younger than the confirmations", async () => {
      const { attester, first } = await attestedOnce();
      expect(await attester.release(first, { confirmations: 1_000_000 })).to.deep.equal({
        released: 0,
        kept: [{ group: 0, line: 0, why: "open" }],
      });
    });
  });

  it("signs in whatever way it is given, with the options it was given", async () => {
    const world = await attesting();
    const batch = await again(world);
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
    const world = await attesting();
    const [one, two] = world.attesters.map(({ connection }) => createAttester(connection, { ledger: world.ledger }));
    const [first, later] = [await again(world), await again(world)];
    const answers = await Promise.allSettled([one!.attest(first, [met]), two!.attest(later, [met])]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal(["fulfilled", "rejected"]);
  });
});
