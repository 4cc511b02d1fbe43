import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import {
  fileForPayee,
  openClaimBatchRecord,
  parseClaimBatchFile,
  parseClaimBatchRecord,
  type Attestation,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";

import { ClaimEscrow__factory } from "../../typechain-types";
import { byLine, met, notMet, partlyMet, pending } from "../support/batches";

import {
  attestations,
  byClaim,
  CENT,
  deployWorld,
  fill,
  fundedBatch,
  fundInput,
  lineOf,
  moneyOf,
  openAs,
  sdkFor,
} from "./support";

const DOLLAR = 100n * CENT;

describe("SDK: a claim batch from funding to payout", () => {
  describe("given a payer's pharmacy and laboratory claims, funded", () => {
    it("tells what it funded, and takes it from the pool", async () => {
      const world = await loadFixture(deployWorld);
      const action = world.payer.claims.fund(await fundInput(world));
      const sent = await action.send();
      const { batchId, file, record, unfunded, txHash, blockNumber, gasUsed } = await sent.wait();
      expect(txHash).to.equal(sent.txHash);
      expect(blockNumber).to.be.a("number");
      expect(gasUsed).to.be.a("bigint");
      expect([file.batchId, record.batchId, unfunded]).to.deep.equal([batchId, batchId, []]);
      expect(await moneyOf(world)).to.deep.equal({ pool: -17_734n, credits: [0n, 0n], wallets: [0n, 0n] });
      const { attestBy, ...status } = await world.stranger.claims.status(file);
      expect(attestBy).to.equal(file.terms.eventBy + 3 * 24 * 60 * 60);
      expect(status).to.deep.equal({
        batchId,
        funded: true,
        paidInFull: false,
        open: 17_734n * CENT,
        presented: 0n,
        frozen: 0n,
        retained: 0n,
        closedLines: [false, false, false, false],
      });
    });

    it("leaves out and names lines for which the payer pays nothing", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy } = world;
      const { unfunded, file } = await fundedBatch(world, [
        fill(pharmacy.address, "11", "90.00"),
        fill(pharmacy.address, "12", "0"),
      ]);
      expect(unfunded).to.deep.equal([{ claimId: "F-12", lineNumber: 1 }]);
      expect(file.groups).to.deep.equal([{ payee: pharmacy.address, lineCount: 1, subtotal: "90000000" }]);
    });

    it("gives files and records that go through JSON unchanged", async () => {
      const world = await loadFixture(deployWorld);
      const { file, record } = await fundedBatch(world);
      expect(parseClaimBatchFile(JSON.stringify(file))).to.deep.equal(file);
      expect(parseClaimBatchRecord(JSON.stringify(record))).to.deep.equal(record);
    });

    it("lets each payee see its money before it gives care", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      for (const [payee, amounts] of [
        [world.pharmacy, [90n * DOLLAR, 1_234n * CENT]],
        [world.laboratory, [60n * DOLLAR, 15n * DOLLAR]],
      ] as const) {
        const { privateKey } = payee.keys;
        const checked = await payee.claims.check(fileForPayee(file, payee.address), {
          payee: payee.address,
          privateKey,
          acceptedRulebooks: [world.rulebook],
          acceptedTokens: [world.tokenAddress],
        });
        if (!checked.ok) expect.fail(checked.reason.message);
        expect(checked.lines.map(({ amount }) => amount)).to.have.members(amounts);
        expect(checked.batch.payee).to.equal(payee.address);
      }
    });

    it("pays what attesters agree on, whoever sends it, and pays out", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, laboratory, stranger, tokenAddress: token } = world;
      const { file, batchId } = await fundedBatch(world);
      const signed = await attestations(world, file, [met, notMet]);
      // Attestations travel as JSON.
      const received = JSON.parse(JSON.stringify(signed)) as Attestation[];

      const action = stranger.claims.settle(file, received);
      expect(await action.simulate()).to.deep.equal({ paid: 10_234n * CENT, freed: 75n * DOLLAR });
      expect(await run(action)).to.deep.include({
        batchId,
        paid: 10_234n * CENT,
        freed: 75n * DOLLAR,
        groups: [
          { payee: pharmacy.address, paid: 10_234n * CENT, freed: 0n },
          { payee: laboratory.address, paid: 0n, freed: 75n * DOLLAR },
        ],
        unopened: [],
      });
      expect(await moneyOf(world)).to.deep.equal({ pool: -10_234n, credits: [10_234n, 0n], wallets: [0n, 0n] });
      expect(await stranger.claims.status(file)).to.include({ open: 0n, paidInFull: false });

      const payout = stranger.pools.payout({ token, payee: pharmacy.address });
      expect(await payout.simulate()).to.deep.equal({ token, amount: 10_234n * CENT });
      expect(await run(payout)).to.include({ token, amount: 10_234n * CENT });
      expect(await moneyOf(world)).to.deep.equal({ pool: -10_234n, credits: [0n, 0n], wallets: [10_234n, 0n] });
    });

    it("settles once: whoever comes later settles what is left, if only nothing", async () => {
      const world = await loadFixture(deployWorld);
      const { file, batchId } = await fundedBatch(world);
      const signed = await attestations(world, file, [met, met]);
      await run(world.stranger.claims.settle(file, signed));
      expect(await world.stranger.claims.status(file)).to.include({ open: 0n, paidInFull: true });
      const again = await run(world.pharmacy.claims.settle(file, signed));
      expect(again).to.deep.include({ batchId, paid: 0n, freed: 0n, groups: [], unopened: [] });
      expect(await moneyOf(world)).to.deep.equal({ pool: -17_734n, credits: [10_234n, 7_500n], wallets: [0n, 0n] });
    });

    it("settles by line from the payer's record, round by round, each line once", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, pharmacy, laboratory } = world;
      const { record } = await fundedBatch(world);
      const opened = openClaimBatchRecord(record);
      const [fills, tests] = opened.opened as [OpenedGroup, OpenedGroup];
      const results = [byClaim(fills, { "F-11": met }), byClaim(tests, { "L-21/2": partlyMet(5n * DOLLAR) })];
      const first = await attestations(world, opened, results);
      const one = await run(payer.claims.settle(opened, first));
      expect(one.groups).to.deep.equal([
        { payee: pharmacy.address, paid: 90n * DOLLAR, freed: 0n },
        { payee: laboratory.address, paid: 5n * DOLLAR, freed: 10n * DOLLAR },
      ]);
      const closed = [lineOf(fills, "F-11"), tests.firstLine + lineOf(tests, "L-21", 2)];
      expect((await payer.claims.status(opened)).closedLines).to.deep.equal(
        [0, 1, 2, 3].map((i) => closed.includes(i)),
      );

      const second = await attestations(world, opened, [met, met]);
      const two = await run(payer.claims.settle(opened, second));
      expect(two.groups).to.deep.equal([
        { payee: pharmacy.address, paid: 1_234n * CENT, freed: 0n },
        { payee: laboratory.address, paid: 60n * DOLLAR, freed: 0n },
      ]);
      expect(await moneyOf(world)).to.deep.equal({ pool: -16_734n, credits: [10_234n, 6_500n], wallets: [0n, 0n] });
    });

    it("opens no lines for groups that need none, so that they cost nothing", async () => {
      const world = await loadFixture(deployWorld);
      const { record } = await fundedBatch(world);
      const opened = openClaimBatchRecord(record);
      const whole = await attestations(world, opened, [met, pending]);
      const selector = async (signed: Attestation[]): Promise<string> =>
        (await world.payer.claims.settle(opened, signed).populate()).data!.slice(0, 10);
      const functionOf = (name: "settle" | "settleByLine"): string =>
        ClaimEscrow__factory.createInterface().getFunction(name).selector;
      expect(await selector(whole)).to.equal(functionOf("settle"));
      const byLines = await attestations(world, opened, [byLine(met, pending), pending]);
      expect(await selector(byLines)).to.equal(functionOf("settleByLine"));
      await run(world.payer.claims.settle(opened, byLines));
      // Its final line is closed: there is nothing that would have to be opened.
      expect(await selector(byLines)).to.equal(functionOf("settle"));
      expect(await selector(whole)).to.equal(functionOf("settleByLine"));
    });
  });

  describe("given nothing but a payee's file, its key and attestations, with the payer gone", () => {
    it("settles and pays out as a whole", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, stranger, deployment, tokenAddress: token } = world;
      const { file } = await fundedBatch(world);
      const text = JSON.stringify(fileForPayee(file, pharmacy.address));
      const letter = JSON.stringify(await attestations(world, file, [met, pending]));

      const own = sdkFor(stranger.signer, deployment);
      const opened = await openAs(pharmacy, parseClaimBatchFile(text));
      const settled = await run(own.claims.settle(opened, JSON.parse(letter) as Attestation[]));
      expect(settled.groups).to.deep.equal([{ payee: pharmacy.address, paid: 10_234n * CENT, freed: 0n }]);
      await run(own.pools.payout({ token, payee: pharmacy.address }));
      expect((await moneyOf(world)).wallets).to.deep.equal([10_234n, 0n]);
    });

    it("settles by line, while the other payee's group stays open until that one comes with its own file", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, laboratory, stranger, deployment, tokenAddress: token } = world;
      const { file, record } = await fundedBatch(world);
      const texts = [pharmacy, laboratory].map(({ address }) => JSON.stringify(fileForPayee(file, address))) as [
        string,
        string,
      ];
      const [fills, tests] = openClaimBatchRecord(record).opened as [OpenedGroup, OpenedGroup];
      const results = [
        byClaim(fills, { "F-11": partlyMet(40n * DOLLAR), "F-12": met }),
        byClaim(tests, { "L-21/1": met, "L-21/2": notMet }),
      ];
      const letter = JSON.stringify(await attestations(world, file, results));

      const own = sdkFor(stranger.signer, deployment);
      const first = await run(
        own.claims.settle(await openAs(pharmacy, parseClaimBatchFile(texts[0])), JSON.parse(letter) as Attestation[]),
      );
      expect(first.groups).to.deep.equal([{ payee: pharmacy.address, paid: 5_234n * CENT, freed: 50n * DOLLAR }]);
      expect(first.unopened).to.deep.equal([1]);
      expect((await own.claims.status(file)).closedLines).to.deep.equal([true, true, false, false]);
      expect((await run(own.pools.payout({ token, payee: pharmacy.address }))).amount).to.equal(5_234n * CENT);

      const second = await run(
        own.claims.settle(await openAs(laboratory, parseClaimBatchFile(texts[1])), JSON.parse(letter) as Attestation[]),
      );
      expect(second.groups).to.deep.equal([{ payee: laboratory.address, paid: 60n * DOLLAR, freed: 15n * DOLLAR }]);
      expect(second.unopened).to.deep.equal([]);
      await run(own.pools.payout({ token, payee: laboratory.address }));
      expect(await moneyOf(world)).to.deep.equal({ pool: -11_234n, credits: [0n, 0n], wallets: [5_234n, 6_000n] });
      expect(await own.claims.status(file)).to.include({ open: 0n });
    });

    it("comes once more from the payer's record, for a pharmacy that lost its key", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, pharmacy } = world;
      const { record } = await fundedBatch(world);
      const keys = await generateSealingKeys();
      await run(pharmacy.organizations.setHpkeKey(keys.publicKey));

      const file = await payer.claims.reseal(record);

      const check = await pharmacy.claims.check(file, {
        payee: pharmacy.address,
        privateKey: keys.privateKey,
        acceptedRulebooks: "any",
        acceptedTokens: "any",
        finality: "latest",
      });
      expect(check.ok).to.equal(true);
    });

    it("says which groups it cannot settle when only the public part is at hand", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const signed = await attestations(world, file, [byLine(met, notMet), met]);
      const { unopened, groups } = await run(world.stranger.claims.settle(file, signed));
      expect(unopened).to.deep.equal([0]);
      expect(groups).to.deep.equal([{ payee: world.laboratory.address, paid: 75n * DOLLAR, freed: 0n }]);
    });
  });
});
