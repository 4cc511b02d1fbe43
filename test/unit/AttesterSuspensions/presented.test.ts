import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { type ContractTransactionResponse, ZeroAddress } from "ethers";

import { type TestBatch, met } from "../../support/batches";
import { fundedBatch } from "../../support/claims";
import type { Key } from "../../support/keys";
import { DAY, publish } from "../../support/system";
import {
  deploySuspensions,
  kindsOfKey,
  listedStatement,
  packedStatement,
  rulebookFor,
  settleListed,
  settlePacked,
  strike,
  type Statement,
  type Suspensions,
} from "./fixture";

const CHALLENGE = 5 * DAY;

/** The whole system, and rulebooks under which attestations have to be presented. */
interface Presented extends Suspensions {
  /** 2 of `accounts`. */
  challenged: string;
  /** 2 of `accounts`, with a retention and no challenge period. */
  retaining: string;
  /** One of `keys`. */
  keyed: string;
}

async function deployPresented(): Promise<Presented> {
  const context = await deploySuspensions();
  const { rulebooks, accounts, keys, stranger } = context;
  const arbitrated = { arbiter: stranger.address, arbiterDeadline: 7 * DAY };
  const challenged = { ...arbitrated, challengePeriod: CHALLENGE };
  const retaining = { ...arbitrated, retentionBps: 1_000, lookBack: 90 * DAY };
  return {
    ...context,
    challenged: await publish(rulebooks, rulebookFor(accounts, 2, challenged)),
    retaining: await publish(rulebooks, rulebookFor(accounts, 2, retaining)),
    keyed: await publish(rulebooks, rulebookFor(Object.values(keys), 1, challenged)),
  };
}

describe("AttesterSuspensions: what a proof does where attestations have to be presented", () => {
  const given = () => loadFixture(deployPresented);
  const batchUnder = (context: Presented, rulebook: string) => fundedBatch(context, [[100n]], { rulebook });
  const openOf = async ({ escrow }: Presented, batchId: string) => (await escrow.claimBatchStatusOf(batchId)).open;

  const present = (
    { receiver }: Presented,
    batch: TestBatch,
    statement: Statement,
  ): Promise<ContractTransactionResponse> => receiver.present(batch.terms, batch.words, statement);

  for (const struck of [0, 1, 2])
    it(`counts the signatures of account ${struck} no longer, in batches funded before it as well`, async () => {
      const context = await given();
      const { accounts, challenged, receiver } = context;
      const before = await batchUnder(context, challenged);
      await strike(context, accounts[struck]!, challenged);
      const others = accounts.filter((_, i) => i !== struck);
      for (const batch of [before, await batchUnder(context, challenged)]) {
        for (const other of others) {
          const statement = await listedStatement(batch, [met], [accounts[struck]!, other]);
          await expect(present(context, batch, statement)).to.be.revertedWithCustomError(receiver, "NotAttester");
        }
        await present(context, batch, await listedStatement(batch, [met], others));
        expect(await openOf(context, batch.id)).to.equal(0n);
      }
    });

  it("does the same for packed signatures, in which others keep their places", async () => {
    const context = await given();
    const { accounts, challenged, receiver } = context;
    await strike(context, accounts[1], challenged);
    const batch = await batchUnder(context, challenged);
    const [first, second, third] = accounts.map((key, attester) => ({ key, attester }));
    const struck = await packedStatement(batch, [met], [first!, second!]);
    await expect(present(context, batch, struck)).to.be.revertedWithCustomError(receiver, "SignatureInvalid");
    await present(context, batch, await packedStatement(batch, [met], [first!, third!]));
    expect(await openOf(context, batch.id)).to.equal(0n);
  });

  for (const kind of kindsOfKey)
    it(`counts the signatures of a key no longer: ${kind}`, async () => {
      const context = await given();
      const { keys, keyed, receiver, rulebooks } = context;
      const order = [...(await rulebooks.rulebookOf(keyed)).attesterGroups[0]!.attesters];
      const signed = (key: Key) => [{ key, attester: order.indexOf(key.signer) }];
      const batch = await batchUnder(context, keyed);
      await strike(context, keys[kind], keyed);
      const struck = await packedStatement(batch, [met], signed(keys[kind]));
      await expect(present(context, batch, struck)).to.be.revertedWithCustomError(receiver, "SignatureInvalid");
      const other = keys[kind === "account" ? "p256" : "account"];
      await present(context, batch, await packedStatement(batch, [met], signed(other)));
      expect(await openOf(context, batch.id)).to.equal(0n);
    });

  it("leaves the rulebook what it was published as", async () => {
    const context = await given();
    const { accounts, challenged, rulebooks } = context;
    const before = await rulebooks.rulebookOf(challenged);
    const { sent } = await strike(context, accounts[0], challenged);
    await expect(sent)
      .to.emit(rulebooks, "AttesterSuspended")
      .withArgs(challenged, accounts[0].signer, (blob: string) => blob !== ZeroAddress);
    expect(await rulebooks.rulebookOf(challenged)).to.deep.equal(before);
    expect(await rulebooks.rulebookStatusOf(challenged)).to.deep.equal([true, false]);
  });

  it("lets nothing settle at once that had to be presented", async () => {
    const context = await given();
    const { accounts, challenged, retaining, escrow } = context;
    for (const rulebook of [challenged, retaining]) {
      const batch = await batchUnder(context, rulebook);
      if (rulebook === challenged) await strike(context, accounts[0], challenged);
      else await context.rulebooks.suspendAttester(retaining, accounts[0].signer);
      const others = accounts.slice(1);
      const packed = others.map((key, i) => ({ key, attester: i + 1 }));
      await expect(settleListed(context, batch, [met], others)).to.be.reverted;
      await expect(settleListed(context, batch, [met], [])).to.be.reverted;
      await expect(settlePacked(context, batch, [met], packed)).to.be.revertedWithCustomError(
        escrow,
        "SignatureCountWrong",
      );
      expect(await openOf(context, batch.id)).to.equal(100n);
    }
  });

  it("does not take back what was presented before", async () => {
    const context = await given();
    const { accounts, challenged, receiver, escrow, payees, token } = context;
    const batch = await batchUnder(context, challenged);
    const statement = await listedStatement(batch, [met], accounts.slice(0, 2));
    await present(context, batch, statement);
    await strike(context, accounts[0], challenged);
    await time.increase(CHALLENGE + 1);
    const presentation = { firstLine: 0, results: statement.results, lines: [], outcomes: [] };
    await receiver.settlePresented(batch.terms, batch.words, presentation);
    expect((await escrow.balancesOf(payees[0]!, token)).credit).to.equal(100n);
  });

  it("reaches other rulebooks that name the attester when somebody says so, and no others", async () => {
    const context = await given();
    const { accounts, listed, retaining, keyed, receiver, rulebooks, stranger } = context;
    await strike(context, accounts[0], listed);
    const batch = await batchUnder(context, retaining);
    await rulebooks.connect(stranger).suspendAttester(retaining, accounts[0].signer);
    const struck = await listedStatement(batch, [met], accounts.slice(0, 2));
    await expect(present(context, batch, struck)).to.be.revertedWithCustomError(receiver, "NotAttester");
    await present(context, batch, await listedStatement(batch, [met], accounts.slice(1)));
    expect(await openOf(context, batch.id)).to.equal(0n);
    await expect(rulebooks.suspendAttester(keyed, accounts[0].signer))
      .to.be.revertedWithCustomError(rulebooks, "AttesterNotNamed")
      .withArgs(keyed, accounts[0].signer);
    await expect(rulebooks.suspendAttester(retaining, accounts[1].signer)).to.be.revertedWithCustomError(
      rulebooks,
      "AttesterHonest",
    );
  });

  it("leaves out at publishing whom a proof struck before", async () => {
    const context = await given();
    const { accounts, listed, receiver, rulebooks, stranger } = context;
    await strike(context, accounts[2], listed);
    const changes = { arbiter: stranger.address, arbiterDeadline: DAY, challengePeriod: 1, eventKinds: 4 };
    const batch = await batchUnder(context, await publish(rulebooks, rulebookFor(accounts, 2, changes)));
    const struck = await listedStatement(batch, [met], accounts.slice(1));
    await expect(present(context, batch, struck)).to.be.revertedWithCustomError(receiver, "NotAttester");
    await present(context, batch, await listedStatement(batch, [met], accounts.slice(0, 2)));
  });
});
