import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import type { BatchLine, Presented } from "@carepact/sdk/claims";

import { met, notMet, pending } from "../support/batches";
import { GRACE } from "../support/system";

import { attestations, byClaim, CENT, fundedBatch, lineOf, moneyOf, openAs, refusal, reverted } from "./support";
import {
  arbitratedWorld,
  ARBITER_DEADLINE,
  BOND,
  CHALLENGE_PERIOD,
  challengedWorld,
  DOLLAR,
  strictWorld,
  type StrictWorld,
} from "./strictWorld";

interface PresentedWorld extends StrictWorld {
  presented: Presented;
}

/** All lines presented as met. */
async function presentedWorld(): Promise<PresentedWorld> {
  const world = await loadFixture(strictWorld);
  const signed = await attestations(world, world.file, [met, met]);
  const { txHash, blockNumber, gasUsed, ...presented } = await run(world.stranger.claims.present(world.file, signed));
  expect([txHash, blockNumber, gasUsed]).not.to.include(undefined);
  return { ...world, presented };
}

/** The same, without a bond or a retention. */
async function challenged(): Promise<PresentedWorld> {
  const world = await loadFixture(challengedWorld);
  const signed = await attestations(world, world.file, [met, met]);
  return { ...world, presented: await run(world.stranger.claims.present(world.file, signed)) };
}

const fillOf = ({ own }: StrictWorld, claimId: string): BatchLine => ({ group: 0, line: lineOf(own, claimId) });
const expectAmounts = async (
  { stranger, file }: StrictWorld,
  amounts: { open?: bigint; presented?: bigint; frozen?: bigint; retained?: bigint },
): Promise<void> => {
  const none = { open: 0n, presented: 0n, frozen: 0n, retained: 0n };
  expect(await stranger.claims.status(file)).to.include({ ...none, ...amounts });
};

describe("SDK: results that can be disputed", () => {
  describe("presenting", () => {
    it("settles after the challenge period, but for what is retained", async () => {
      const world = await loadFixture(presentedWorld);
      const { stranger, file, presented } = world;
      const now = await time.latest();
      expect(presented).to.deep.include({ batchId: file.batchId, paid: 17_734n * CENT, freed: 0n, unopened: [] });
      expect(presented.challengeUntil).to.equal(now + CHALLENGE_PERIOD);
      await expectAmounts(world, { presented: 17_734n * CENT });
      const [only, ...others] = await stranger.claims.presentations(file);
      expect(others).to.deep.equal([]);
      expect(only).to.deep.include({ ...presented.presentation, paid: 17_734n * CENT, freed: 0n });
      expect(only?.challengeUntil).to.equal(presented.challengeUntil);
      expect(only?.held).to.have.length(4);

      const early = await reverted("ChallengePeriodOpen", stranger.claims.settlePresented(file, 0).simulate());
      expect(early).to.deep.equal({ until: String(presented.challengeUntil) });
      await time.increaseTo(now + CHALLENGE_PERIOD + 1);
      const action = stranger.claims.settlePresented(file, presented.presentation!);
      const expected = { paid: 159_606n * (CENT / 10n), freed: 0n, retained: 17_734n * (CENT / 10n) };
      expect(await action.simulate()).to.deep.equal(expected);
      const settled = await run(action);
      expect(settled).to.deep.include({ batchId: file.batchId, ...expected, unopened: [] });
      expect(settled.groups.map(({ retained }) => retained)).to.deep.equal([
        (102_340n * (CENT / 10n)) / 10n,
        750n * CENT,
      ]);
      await expectAmounts(world, { retained: expected.retained });
      expect(await stranger.claims.presentations(file)).to.deep.equal([]);
    });

    it("takes what is final and leaves the rest, and names groups that have to be opened", async () => {
      const world = await loadFixture(strictWorld);
      const { stranger, file, record, own } = world;
      const line = lineOf(own, "F-12");
      const said = byClaim(own, { "F-12": { result: "partlyMet", amount: 10n * DOLLAR } });
      const signed = await attestations(world, own, [said, notMet]);
      const closed = await run(stranger.claims.present(file, signed));
      expect(closed).to.deep.include({ unopened: [0], paid: 0n, freed: 75n * DOLLAR });
      expect(closed.presentation?.firstLine).to.equal(2);
      const { presentation, ...rest } = await run(stranger.claims.present(record, signed));
      expect(rest).to.deep.include({ unopened: [], paid: 10n * DOLLAR, freed: 234n * CENT });
      expect(presentation?.firstLine).to.equal(line);
      await expectAmounts(world, { open: 90n * DOLLAR, presented: 8_734n * CENT });
      const held = (await stranger.claims.presentations(file)).map((one) => one.held);
      expect(held).to.deep.equal([[0, 1].map((index) => ({ group: 1, line: index })), [{ group: 0, line }]]);
      const again = await run(stranger.claims.present(record, signed));
      expect(again).to.deep.include({ paid: 0n, freed: 0n });
      expect([again.presentation, again.challengeUntil]).to.deep.equal([undefined, undefined]);
    });

    it("is asked for where it is needed, and refused where it is not", async () => {
      const { stranger, file, attesters, own } = await loadFixture(strictWorld);
      expect(own.rulebook.challengePeriod).to.equal(CHALLENGE_PERIOD);
      const needed = await refusal("PRESENTATION_NEEDED", stranger.claims.settle(file, []).simulate());
      expect(needed.message).to.include("present them");
      await refusal("PRESENTATION_NEEDED", stranger.claims.settleMany([{ batch: file, attestations: [] }]).simulate());
      const world = await loadFixture(arbitratedWorld);
      const signed = await attestations({ ...world, attesters }, world.file, [met, met]);
      await refusal("PRESENTATION_NOT_NEEDED", world.stranger.claims.present(world.file, signed).simulate());
      expect(await run(world.stranger.claims.settle(world.file, signed))).to.include({ paid: 17_734n * CENT });
    });

    it("is not settled by a line that nothing holds", async () => {
      const world = await loadFixture(presentedWorld);
      const { details } = await refusal(
        "PRESENTATION_UNKNOWN",
        world.stranger.claims.settlePresented(world.file, 4).simulate(),
      );
      expect(details).to.deep.include({ line: 4, presented: [0] });
    });
  });

  describe("disputing what was presented", () => {
    it("freezes a line of the payer's choice, and settles the others", async () => {
      const world = await loadFixture(presentedWorld);
      const { payer, stranger, file, record } = world;
      const place = fillOf(world, "F-11");
      const disputed = await run(payer.claims.dispute(record, place));
      const { blockNumber } = disputed;
      const at = (await payer.signer.provider.getBlock(blockNumber))!.timestamp;
      const amounts = { amount: 90n * DOLLAR, attestedAmount: 90n * DOLLAR, bond: BOND };
      const resolveBy = at + ARBITER_DEADLINE;
      expect(disputed).to.deep.include({ batchId: file.batchId, ...place, ...amounts, resolveBy });
      await expectAmounts(world, { presented: 8_734n * CENT, frozen: 90n * DOLLAR });
      expect(await stranger.claims.disputes(file)).to.deep.equal([
        { ...place, payee: world.pharmacy.address, by: "payer", attested: true, ...amounts, resolveBy },
      ]);
      // It goes by its lowest line, which may have changed.
      const [left] = await stranger.claims.presentations(file);
      expect(left?.held).to.have.length(3);
      expect(left?.lines).to.have.length(1);
      await reverted(
        "PresentationMismatch",
        payer.claims.dispute(record, fillOf(world, "F-12"), world.presented.presentation).simulate(),
      );

      await time.increase(CHALLENGE_PERIOD);
      const late = await reverted(
        "ChallengePeriodOver",
        payer.claims.dispute(record, fillOf(world, "F-12")).simulate(),
      );
      expect(late).to.have.all.keys("until");
      const settled = await run(stranger.claims.settlePresented(file, left!.firstLine));
      expect(settled.paid + settled.retained!).to.equal(8_734n * CENT);
      await expectAmounts(world, { frozen: 90n * DOLLAR, retained: (8_734n * CENT) / 10n });
    });

    it("is the payee's right, too, for its own lines, with a bond from what it has", async () => {
      const world = await loadFixture(presentedWorld);
      const { pharmacy, laboratory, stranger, file, own, record } = world;
      const place = fillOf(world, "F-12");
      await run(pharmacy.claims.dispute(own, place));
      expect((await stranger.claims.disputes(file))[0]).to.include({ by: "payee", amount: 1_234n * CENT });
      const token = world.tokenAddress;
      expect(await pharmacy.pools.balances({ account: pharmacy.address, token })).to.deep.equal({
        free: BOND,
        credit: 0n,
      });
      const theirs = await openAs(laboratory, file);
      const uncovered = await reverted(
        "BondNotCovered",
        laboratory.claims.dispute(theirs, { group: 1, line: 0 }).simulate(),
      );
      expect(uncovered).to.deep.include({ available: "0", bond: String(BOND) });
      await reverted("NotParty", laboratory.claims.dispute(record, fillOf(world, "F-11")).simulate());
      await reverted("NotParty", stranger.claims.dispute(record, fillOf(world, "F-11")).simulate());
    });

    it("disputes all lines, one after the other, until nothing is presented", async () => {
      const world = await loadFixture(challenged);
      const { payer, stranger, file, record } = world;
      for (const group of [0, 1]) for (const line of [0, 1]) await run(payer.claims.dispute(record, { group, line }));
      expect(await stranger.claims.presentations(file)).to.deep.equal([]);
      expect(await stranger.claims.disputes(file)).to.have.length(4);
      await expectAmounts(world, { frozen: 17_734n * CENT });
    });

    it("refuses lines of which nothing is presented, that do not exist, or whose amount is not known", async () => {
      const world = await loadFixture(presentedWorld);
      const { payer, file, own, record } = world;
      const place = fillOf(world, "F-11");
      await refusal("GROUPS_INVALID", payer.claims.dispute(file, place).simulate());
      await refusal("GROUPS_INVALID", payer.claims.dispute(own, { group: 1, line: 0 }).simulate());
      for (const wrong of [
        { group: 2, line: 0 },
        { group: 0, line: 2 },
        { group: 0, line: -1 },
        { group: 0.5, line: 0 },
      ])
        await refusal("INPUT_INVALID", payer.claims.dispute(record, wrong).simulate());
      await run(payer.claims.dispute(record, place));
      const { details } = await refusal("LINE_NOT_PRESENTED", payer.claims.dispute(record, place).simulate());
      expect(details).to.deep.include(place);
      const open = await loadFixture(strictWorld);
      await refusal("LINE_NOT_PRESENTED", open.payer.claims.dispute(open.record, place).simulate());
    });
  });

  describe("deciding a dispute", () => {
    it("is the arbiter's: award to the payee, the rest to the payer, the bond to who won", async () => {
      const world = await loadFixture(presentedWorld);
      const { payer, arbiter, stranger, pharmacy, file, record } = world;
      const place = fillOf(world, "F-11");
      await run(payer.claims.dispute(record, place));
      const nobody = await reverted("NotArbiter", payer.claims.resolve(file, place, 0n).simulate());
      expect(nobody).to.deep.equal({ arbiter: arbiter.address, caller: payer.address });
      await reverted("AwardTooLarge", arbiter.claims.resolve(file, place, 90n * DOLLAR + 1n).simulate());
      await reverted("ArbiterHasTime", stranger.claims.resolveByDefault(file, place).simulate());

      const before = await moneyOf(world);
      const resolved = await run(arbiter.claims.resolve(file, place, 30n * DOLLAR));
      expect(resolved).to.deep.include({
        batchId: file.batchId,
        ...place,
        payee: pharmacy.address,
        award: 30n * DOLLAR,
        returned: 60n * DOLLAR,
        byArbiter: true,
        bondTo: payer.address,
        bond: BOND,
      });
      const after = await moneyOf(world);
      expect(after.pool - before.pool).to.equal((60n * DOLLAR + BOND) / CENT);
      expect(after.credits).to.deep.equal([3_000n, 0n]);
      expect(await stranger.claims.disputes(file)).to.deep.equal([]);
      await reverted("LineNotDisputed", arbiter.claims.resolve(file, place, 0n).simulate());
      await refusal("LINE_NOT_PRESENTED", payer.claims.dispute(record, place).simulate());
    });

    it("is the attested result's, when the arbiter stays silent", async () => {
      const world = await loadFixture(presentedWorld);
      const { payer, arbiter, stranger, pharmacy, file, record } = world;
      const place = fillOf(world, "F-12");
      await run(payer.claims.dispute(record, place));
      await time.increase(ARBITER_DEADLINE + 1);
      await reverted("ArbiterTooLate", arbiter.claims.resolve(file, place, 0n).simulate());
      const action = stranger.claims.resolveByDefault(file, place);
      expect(await action.simulate()).to.deep.equal({ award: 1_234n * CENT });
      const resolved = await run(action);
      expect(resolved).to.include({ award: 1_234n * CENT, returned: 0n, byArbiter: false, bondTo: pharmacy.address });
      const { credits } = await moneyOf(world);
      expect(credits[0]).to.equal(1_234n + BOND / CENT);
    });
  });

  describe("disputing what nobody attested", () => {
    const afterEvent = async (world: StrictWorld): Promise<void> => time.increaseTo(world.file.terms.eventBy + 1);

    it("is the payee's between the care and the last attestation, and the rulebook's default decides", async () => {
      const world = await loadFixture(arbitratedWorld);
      const { pharmacy, payer, stranger, file, own, record } = world;
      const place = fillOf(world, "F-11");
      await reverted("DisputeOutsideTime", pharmacy.claims.disputeMissing(own, place).simulate());
      await afterEvent(world);
      await reverted("NotPayee", payer.claims.disputeMissing(record, place).simulate());
      const { amount, attestedAmount, bond } = await run(pharmacy.claims.disputeMissing(own, place));
      expect({ amount, attestedAmount, bond }).to.deep.equal({ amount: 90n * DOLLAR, attestedAmount: 0n, bond: BOND });
      await expectAmounts(world, { open: 8_734n * CENT, frozen: 90n * DOLLAR });
      expect((await stranger.claims.disputes(file))[0]).to.include({ ...place, by: "payee", attested: false });
      await reverted("LineNotOpen", pharmacy.claims.disputeMissing(own, place).simulate());

      await time.increase(ARBITER_DEADLINE + 1);
      expect(await run(stranger.claims.resolveByDefault(file, place))).to.include({
        award: 90n * DOLLAR,
        byArbiter: false,
      });
      await run(stranger.claims.reclaim(file));
      await expectAmounts(world, {});
      const { credits } = await moneyOf(world);
      expect(credits[0]).to.equal(9_000n + BOND / CENT);
    });

    it("goes by a result that is brought in time", async () => {
      const world = await loadFixture(arbitratedWorld);
      const { pharmacy, stranger, file, own } = world;
      const place = fillOf(world, "F-11");
      await afterEvent(world);
      await run(pharmacy.claims.disputeMissing(own, place));
      const nothing = await attestations(world, file, [pending, met]);
      await reverted("ResultPending", stranger.claims.presentDisputed(file, place, nothing).simulate());
      const said = byClaim(own, { "F-11": { result: "partlyMet", amount: 40n * DOLLAR } });
      const signed = await attestations(world, own, [said, pending]);
      const brought = await run(stranger.claims.presentDisputed(file, place, signed));
      expect(brought).to.include({ ...place, attestedAmount: 40n * DOLLAR });
      expect((await stranger.claims.disputes(file))[0]).to.include({ attested: true, attestedAmount: 40n * DOLLAR });
      await reverted("DisputeAlreadyAttested", stranger.claims.presentDisputed(file, place, signed).simulate());
      await refusal("ATTESTATION_TOO_FEW", stranger.claims.presentDisputed(file, place, signed.slice(1)).simulate());
      await time.increase(ARBITER_DEADLINE + 1);
      const { award, returned } = await run(stranger.claims.resolveByDefault(file, place));
      expect([award, returned]).to.deep.equal([40n * DOLLAR, 50n * DOLLAR]);
    });

    it("is too late once attestations are, and needs an arbiter", async () => {
      const world = await loadFixture(arbitratedWorld);
      const { pharmacy, own, file } = world;
      const { file: plain } = await fundedBatch({ ...world, rulebook: world.plain });
      const theirs = await openAs(pharmacy, plain);
      await reverted("ArbiterMissing", pharmacy.claims.disputeMissing(theirs, { group: 0, line: 0 }).simulate());
      await time.increaseTo(file.terms.eventBy + GRACE + 1);
      await reverted("DisputeOutsideTime", pharmacy.claims.disputeMissing(own, fillOf(world, "F-11")).simulate());
    });
  });

  it("watches until nothing is presented, in dispute or retained any more", async () => {
    const world = await loadFixture(challenged);
    const { payer, arbiter, stranger, file, record } = world;
    const place = fillOf(world, "F-11");
    const steps = [
      () => run(payer.claims.dispute(record, place)),
      async () => {
        await time.increase(CHALLENGE_PERIOD);
        return run(stranger.claims.settlePresented(file, (await stranger.claims.presentations(file))[0]!));
      },
      () => run(arbiter.claims.resolve(file, place, 0n)),
    ];
    const seen: string[][] = [];
    for await (const { status, changes } of stranger.claims.watch(file, { pollMs: 1, closedConfirmations: 0 })) {
      seen.push(changes.map(({ event }) => event.name));
      if (status.open === 0n) expect(status).to.have.property("presented");
      await steps.shift()?.();
    }
    expect(steps).to.deep.equal([]);
    expect(seen).to.deep.equal([
      ["ClaimBatchFunded", "ResultsPresented"],
      ["LineDisputed"],
      ["GroupSettled", "GroupSettled", "PresentationSettled"],
      ["DisputeResolved"],
    ]);
  });
});
