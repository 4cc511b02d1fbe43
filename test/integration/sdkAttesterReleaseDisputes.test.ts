import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import { createAttester } from "@carepact/sdk/oracles";

import { ledgerFolder, type LedgerFolder } from "../sdk/ledgers";
import { met, pending } from "../support/batches";

import { attestations, lineOf } from "./support";
import { challengedWorld, CHALLENGE_PERIOD, DOLLAR, retainedWorld, type StrictWorld } from "./strictWorld";

describe("SDK: an attester that forgets what was not paid, where results are presented", () => {
  let folder: LedgerFolder;
  before(() => {
    folder = ledgerFolder();
  });
  after(() => folder.remove());

  const at = { confirmations: 0 };
  const attesterOf = ({ attesters }: StrictWorld) => createAttester(attesters[0].connection, { ledger: folder.open() });

  it("keeps what is presented or in dispute, and forgets a line of which nothing was awarded", async () => {
    const world = await loadFixture(challengedWorld);
    const { payer, arbiter, stranger, file, own } = world;
    const attester = attesterOf(world);
    await attester.attest(own, [met, pending]);
    await run(stranger.claims.present(own, await attestations(world, own, [met, pending])));
    const [kept, lost] = ["F-11", "F-12"].map((claim) => ({ group: 0, line: lineOf(own, claim) }));
    const waiting = (await attester.release(own, at)).kept;
    expect(waiting).to.have.deep.members([kept, lost].map((place) => ({ ...place, why: "open" })));

    await run(payer.claims.dispute(world.record, lost!));
    expect((await attester.release(own, at)).released).to.equal(0);
    await run(arbiter.claims.resolve(file, lost!, 0n));
    await time.increase(CHALLENGE_PERIOD + 1);
    await run(stranger.claims.settlePresented(file, kept!.line));
    expect(await attester.release(own, at)).to.deep.equal({ released: 1, kept: [{ ...kept, why: "paid" }] });
  });

  it("keeps what a payee may still be paid of what is retained, and forgets it when nothing is left", async () => {
    const world = await loadFixture(retainedWorld);
    const { arbiter, pharmacy, stranger, file, own } = world;
    const attester = attesterOf(world);
    await attester.attest(own, [met, pending]);
    await run(stranger.claims.settle(own, await attestations(world, own, [met, pending])));
    const tenth = 10_234n * (DOLLAR / 1_000n);
    await run(pharmacy.claims.refund(file, { amount: 9n * tenth, from: "credit" }));
    expect((await attester.release(own, at)).kept.map(({ why }) => why)).to.deep.equal(["paid", "paid"]);
    await run(arbiter.claims.recoup(file, { retention: 0, payee: pharmacy.address, amount: tenth }));
    expect(await attester.release(own, at)).to.deep.equal({ released: 2, kept: [] });
  });
});
