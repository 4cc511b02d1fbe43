import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run, usDollar } from "@carepact/sdk";
import {
  completionOf,
  coordinate,
  fundingOf,
  healthAccountAnswer,
  openClaimBatchRecord,
  paidBefore,
  readPharmacyClaim,
  rebill,
  resultsOfEvents,
  reversalPlan,
  reversalStep,
  standingOf,
  type AdjudicatedClaim,
  type ClaimBatchEvent,
  type CoordinatedAnswer,
  type EventOutcome,
  type FundedBatch,
  type LineStanding,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createAttester, memoryLedger } from "@carepact/sdk/oracles";

import { attestations, CENT, deployWorld, fundInput, openAs, POOL, refusal, type Party, type World } from "./support";

const DOLLAR = 100n * CENT;

/** The usual world with two more payers: a supplement, and the patient's own health account. */
interface Payers extends World {
  supplement: Party;
  account: Party;
}

async function deployPayers(): Promise<Payers> {
  const world = await deployWorld();
  const { admin, stranger: supplement, operator: account, token, tokenAddress } = world;
  for (const payer of [supplement, account]) {
    const { publicKey: hpkeKey } = await generateSealingKeys();
    await run(admin.organizations.register(payer.address, { name: "payer", kinds: ["payer"], hpkeKey }));
    await token.mint(payer.address, POOL);
    await run(payer.pools.depositWithPermit({ token: tokenAddress, amount: POOL }));
  }
  return { ...world, supplement, account };
}

/** A fill of 90.00 as one payer answered it; made up but for the form. Amounts in dollars. */
const answerOf = ({ pharmacy }: World, paid: string, patientPayAmount: string, others = "0"): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: "F-11",
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber: "11",
      fillNumber: 0,
      dateOfService: "2026-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: "90.00",
      patientPayAmount,
      otherPayerAmountRecognized: others,
      totalAmountPaid: paid,
    },
    { payee: pharmacy.address },
  );

/** Plan 60.00, supplement 20.00, and of the ten left to the patient six by the account. */
function answersOf(world: Payers): CoordinatedAnswer[] {
  const secondary = answerOf(world, "20.00", "10.00", "60.00");
  return [
    { payer: world.payer.address, adjudicated: answerOf(world, "60.00", "30.00") },
    { payer: world.supplement.address, adjudicated: secondary },
    { payer: world.account.address, healthAccount: true, adjudicated: healthAccountAnswer(secondary, 600n) },
  ];
}

const fundBy = async (world: World, party: Party, claims: AdjudicatedClaim[]): Promise<FundedBatch> =>
  run(party.claims.fund(await fundInput(world, claims)));

/** Each payer's batch of what all of them answered, in their order. */
async function fundAll(world: Payers): Promise<FundedBatch[]> {
  const parties = [world.payer, world.supplement, world.account];
  const batches: FundedBatch[] = [];
  for (const { payer, adjudicated } of fundingOf([coordinate(answersOf(world))])) {
    const party = parties.find(({ address }) => address === payer);
    if (party === undefined) throw new Error(`nobody is ${payer}`);
    batches.push(await fundBy(world, party, adjudicated));
  }
  return batches;
}

/** How the pharmacy's one line of a batch stands, read from the chain. */
async function lineOf(world: World, { file }: FundedBatch): Promise<LineStanding> {
  const events: ClaimBatchEvent[] = [];
  for await (const event of world.pharmacy.claims.history(file)) events.push(event);
  const [line] = standingOf(await openAs(world.pharmacy, file), events).lines;
  return line as LineStanding;
}

const linesOf = (world: World, batches: readonly FundedBatch[]): Promise<LineStanding[]> =>
  Promise.all(batches.map((batch) => lineOf(world, batch)));

/** Settles batches together, all by the same outcome of the event. */
async function settleAll(
  world: World,
  batches: readonly FundedBatch[],
  what: { result: "met" } | { result: "partlyMet"; share: { dispensed: bigint; billed: bigint } },
) {
  const inputs = await Promise.all(
    batches.map(async ({ record }) => {
      const batch = openClaimBatchRecord(record);
      const [{ event }] = (batch.opened[0] as OpenedGroup).lines as [OpenedGroup["lines"][number]];
      const outcome: EventOutcome = { event, ...what };
      return { batch, attestations: await attestations(world, batch, resultsOfEvents(batch, [outcome])) };
    }),
  );
  return run(world.pharmacy.claims.settleMany(inputs));
}

const creditOf = async ({ pharmacy, tokenAddress: token }: World): Promise<bigint> =>
  (await pharmacy.pools.balances({ account: pharmacy.address, token })).credit;

describe("SDK: several payers of one event", () => {
  describe("given a plan, a supplement and the patient's health account, each with its own batch", () => {
    it("pays all of them in one call, and the chain's own account of it makes up the charge", async () => {
      const world = await loadFixture(deployPayers);
      const batches = await fundAll(world);
      const { settled, settlements } = await settleAll(world, batches, { result: "met" });
      expect(settled).to.deep.equal([true, true, true]);
      expect(settlements.map((one) => "paid" in one && one.paid)).to.deep.equal([
        60n * DOLLAR,
        20n * DOLLAR,
        6n * DOLLAR,
      ]);
      expect(await creditOf(world)).to.equal(86n * DOLLAR);

      const lines = await linesOf(world, batches);
      const whole = coordinate(
        answersOf(world).map((answer, i) => ({ ...answer, settled: [lines[i] as LineStanding] })),
      );
      expect(whole.lines[0]).to.deep.include({ payments: [6_000n, 2_000n, 600n], patientShare: 400n, adjustments: 0n });
      expect(fundingOf([whole])).to.deep.equal([]);
    });

    it("is attested by who attests each event once, told which batches belong together", async () => {
      const world = await loadFixture(deployPayers);
      const batches = (await fundAll(world)).map(({ record }) => openClaimBatchRecord(record));
      const attester = createAttester(world.attesters[0].connection, { ledger: memoryLedger() });
      const [first, ...others] = batches as [OpenedRecord, ...OpenedRecord[]];
      await attester.attest(first, [{ result: "met" }]);
      for (const [i, batch] of others.entries()) {
        await refusal("EVENT_ALREADY_ATTESTED", attester.attest(batch, [{ result: "met" }]));
        const coordinatesWith = batches.slice(0, i + 1).map(({ batchId }) => batchId);
        await attester.attest(batch, [{ result: "met" }], { coordinatesWith });
      }
    });

    it("pays each payer's part of a part of the event, and bills what is left anew to each", async () => {
      const world = await loadFixture(deployPayers);
      const batches = await fundAll(world);
      await settleAll(world, batches, { result: "partlyMet", share: { dispensed: 3n, billed: 5n } });
      expect(await creditOf(world)).to.equal(5_160n * CENT);

      const lines = await linesOf(world, batches);
      const rest = answersOf(world).map((answer, i): CoordinatedAnswer => {
        if (!("adjudicated" in answer)) throw new Error("every payer answered");
        const paid = (lines[i] as LineStanding).paid / CENT;
        const fills = [{ quantity: { value: "18" }, paid }];
        const adjudicated = completionOf(answer.adjudicated, 1, fills, {
          claimId: "F-12",
          dateOfService: "2026-01-20",
        });
        return { ...answer, adjudicated };
      });
      const whole = coordinate(rest);
      expect(whole.shares.map(({ pays }) => pays)).to.deep.equal([2_400n, 800n, 240n]);
      expect(whole).to.include({ charge: 3_600n, patientShare: 160n });
      const completions: FundedBatch[] = [];
      for (const [i, { adjudicated }] of fundingOf([whole]).entries())
        completions.push(await fundBy(world, [world.payer, world.supplement, world.account][i] as Party, adjudicated));
      await settleAll(world, completions, { result: "met" });
      expect(await creditOf(world)).to.equal(86n * DOLLAR);
    });
  });

  describe("given payers that come one after the other", () => {
    it("tells the next one what the one before paid, by the chain", async () => {
      const world = await loadFixture(deployPayers);
      const { payer, supplement, account } = world;
      const primary = answerOf(world, "60.00", "30.00");
      const first = await fundBy(world, payer, [primary]);
      const open = await lineOf(world, first);
      await refusal("COORDINATION_UNSETTLED", () => paidBefore([open], usDollar));

      await settleAll(world, [first], { result: "partlyMet", share: { dispensed: 4n, billed: 5n } });
      const paidFirst = await lineOf(world, first);
      const [before] = paidBefore([paidFirst], usDollar);
      expect(before).to.include({ amount: 4_800n, otherPayers: "48.00" });

      // Decided on what was paid, and not on what was promised.
      const secondary = answerOf(world, "32.00", "10.00", before?.otherPayers);
      const promised = [
        { payer: payer.address, adjudicated: primary, settled: [paidFirst] },
        { payer: supplement.address, adjudicated: answerOf(world, "20.00", "10.00", "60.00") },
      ];
      await refusal("CLAIM_DOES_NOT_BALANCE", () => coordinate(promised));
      const answers: CoordinatedAnswer[] = [
        { payer: payer.address, adjudicated: primary, settled: [paidFirst] },
        { payer: supplement.address, adjudicated: secondary },
      ];
      expect(fundingOf([coordinate(answers)]).map(({ payer: funds }) => funds)).to.deep.equal([supplement.address]);
      const second = await fundBy(world, supplement, [secondary]);
      await settleAll(world, [second], { result: "met" });

      const [one, two] = (await linesOf(world, [first, second])) as [LineStanding, LineStanding];
      const third = healthAccountAnswer(secondary);
      const last = coordinate([
        { payer: payer.address, adjudicated: primary, settled: [one] },
        { payer: supplement.address, adjudicated: secondary, settled: [two] },
        { payer: account.address, healthAccount: true, adjudicated: third },
      ]);
      expect(last.shares.map(({ pays }) => pays)).to.deep.equal([4_800n, 3_200n, 1_000n]);
      expect(last).to.include({ charge: 9_000n, patientShare: 0n, adjustments: 0n });
      await settleAll(world, [await fundBy(world, account, [third])], { result: "met" });
      expect(await creditOf(world)).to.equal(90n * DOLLAR);
    });
  });

  describe("given an event that is taken back", () => {
    it("goes from the last payer to the first, by the verb that each needs, and may then be billed anew", async () => {
      const world = await loadFixture(deployPayers);
      const { payer, pharmacy } = world;
      const batches = await fundAll(world);
      const [first, second, third] = batches as [FundedBatch, FundedBatch, FundedBatch];
      await settleAll(world, [first, second], { result: "met" });
      const planNow = async () => reversalPlan(await linesOf(world, batches));

      const plan = await planNow();
      expect(plan.steps.map(({ payer: of, verb, amount }) => [of, verb, amount])).to.deep.equal([
        [world.account.address, "reverse", 6n * DOLLAR],
        [world.supplement.address, "refund", 20n * DOLLAR],
        [payer.address, "refund", 60n * DOLLAR],
      ]);
      const early = await refusal("REVERSAL_OUT_OF_ORDER", () => reversalStep(plan, payer.address));
      expect(early.details).to.include({ first: world.account.address, verb: "reverse" });

      await run(pharmacy.claims.reverse(await openAs(pharmacy, third.file), [plan.next?.line ?? -1]));
      await refusal("REVERSAL_OUT_OF_ORDER", async () => reversalStep(await planNow(), payer.address));
      for (const batch of [second, first]) {
        const next = (await planNow()).next;
        expect(next?.batchId).to.equal(batch.batchId);
        await run(pharmacy.claims.refund(batch.file, { amount: next?.amount ?? 0n, from: "credit" }));
      }
      expect((await planNow()).next).to.equal(undefined);
      expect(await creditOf(world)).to.equal(0n);

      const replaced = await lineOf(world, first);
      const anew = rebill({ ...answerOf(world, "55.00", "35.00"), claimId: "F-13" }, [{ lineNumber: 1, replaced }]);
      const { file } = await fundBy(world, payer, [anew]);
      const [line] = (await openAs(pharmacy, file)).lines;
      expect(line?.detail).to.deep.include({ claimId: "F-13", replaces: { claimId: "F-11", lineNumber: 1 } });
      await refusal("REPLACED_LINE_HOLDS_MONEY", async () =>
        rebill(anew, [{ lineNumber: 1, replaced: await lineOf(world, { file } as FundedBatch) }]),
      );
    });
  });
});
