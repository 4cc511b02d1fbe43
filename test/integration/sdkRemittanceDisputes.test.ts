import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import { openClaimBatchRecord, type OpenedGroup, type RemittanceAdvice } from "@carepact/sdk/claims";
import { readPaymentReconciliation } from "@carepact/sdk/fhir";
import { createPayouts, type CreditPart } from "@carepact/sdk/payouts";
import { eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";
import { balance835 } from "@carepact/sdk/x12";

import { met, notMet } from "../support/batches";
import { DAY, GRACE } from "../support/system";

import { attestations, byClaim, CENT, deployWorld, fill, fundInput, lineOf, refusal, type World } from "./support";

const DOLLAR = 100n * CENT;
const BOND = 5n * DOLLAR;

/** A rulebook with a day to dispute, a bond, and a tenth of each payment retained for thirty days. */
async function deployAudited() {
  const world = await deployWorld();
  const { admin, operator: arbiter, attesters, payer, pharmacy } = world;
  const { id: rulebook } = await run(
    admin.rulebooks.publish(
      simpleRulebook({
        attesters: attesters.map(({ address }) => address),
        threshold: 2,
        eventKinds: eventKinds.dispense,
        grace: GRACE,
        challengePeriod: DAY,
        arbiter: { account: arbiter.address, deadline: 10 * DAY },
        bond: BOND,
        retention: { bps: 1_000, lookBack: 30 * DAY },
      }),
    ),
  );
  // Credit that was there before the period: bonds of the payee are locked in it.
  const before = await fundInput(world, [fill(pharmacy.address, "1", "40.00")]);
  const plain = openClaimBatchRecord((await run(payer.claims.fund(before))).record);
  await run(payer.claims.settle(plain, await attestations(world, plain, [met])));

  const from = (await time.latest()) + 1;
  const claims = ["11", "12", "13", "14"].map((number, i) =>
    fill(pharmacy.address, number, ["90.00", "12.34", "20.00", "30.00"][i]!),
  );
  const { record } = await run(payer.claims.fund({ ...(await fundInput(world, claims)), rulebook }));
  const batch = openClaimBatchRecord(record);
  const [group] = batch.opened as [OpenedGroup];
  const results = [byClaim(group, { "F-11": met, "F-12": met, "F-13": met, "F-14": notMet })];
  await run(payer.claims.present(batch, await attestations(world, batch, results)));

  const line = (claimId: string) => ({ group: 0, line: lineOf(group, claimId) });
  await run(payer.claims.dispute(batch, line("F-13")));
  await run(pharmacy.claims.dispute(batch, line("F-14")));
  // The payer loses its bond to the payee, and the payee its own to the payer.
  await run(arbiter.claims.resolve(batch, line("F-13"), 20n * DOLLAR));
  await run(arbiter.claims.resolve(batch, line("F-14"), 0n));
  await time.increase(DAY + 1);
  const [presentation] = await payer.claims.presentations(batch);
  await run(payer.claims.settlePresented(batch, presentation!));
  return { world, arbiter, plain, batch, from };
}

type Audited = Awaited<ReturnType<typeof deployAudited>>;

async function remittanceFrom({ world, plain, batch }: Audited, from: number): Promise<RemittanceAdvice> {
  await time.increase(10);
  return world.payer.claims.remittance(
    {
      payer: world.payer.address,
      payee: world.pharmacy.address,
      from,
      to: await time.latest(),
      batches: [plain, batch],
      parties: {
        payer: { name: "Example Health Plan", taxId: "123456789" },
        payee: { name: "Example Pharmacy", npi: "1234567893" },
      },
    },
    { finality: "latest" },
  );
}

const short = ({ remittance }: RemittanceAdvice): unknown[] => [
  remittance.claims.map(({ claimId, status, paid }) => `${claimId} ${status} ${paid}`).sort(),
  remittance.providerAdjustments.map(({ reason, amount }) => `${reason} ${amount}`).sort(),
  remittance.payment,
  remittance.remainder,
];

/** The look-back over, a part of what was retained recouped before. */
async function closed(audited: Audited): Promise<number> {
  const { world, arbiter, batch } = audited;
  await time.increase(60);
  const from = await time.latest();
  const [retention] = await arbiter.claims.retentions(batch);
  const { pharmacy } = world;
  await run(arbiter.claims.recoup(batch, { retention: retention!, payee: pharmacy.address, amount: 4n * DOLLAR }));
  await time.increase(31 * DAY);
  const [left] = await arbiter.claims.retentions(batch);
  await run(pharmacy.claims.release(batch, left!));
  return from;
}

const made = (parts: CreditPart[]): string[] => parts.map(({ kind, amount }) => `${kind} ${amount}`);

const credited = async ({ pharmacy, tokenAddress: token }: World): Promise<bigint> =>
  (await pharmacy.pools.balances({ account: pharmacy.address, token })).credit;

describe("SDK: remittance of disputes and retained payments", () => {
  it("tells awards and lost bonds, and withholds what is retained", async () => {
    const audited = await loadFixture(deployAudited);
    const advice = await remittanceFrom(audited, audited.from);
    // A tenth of 102.34 is 10.234: what the cent lacks is remitted when it is released.
    expect(short(advice)).to.deep.equal([
      ["F-11 1 9000", "F-12 1 1234", "F-13 1 2000", "F-14 4 0"],
      ["CS -500", "E3 1024"],
      11_710n,
      6_000n,
    ]);
    expect(balance835(advice.transaction)).to.deep.include({ paid: 12_234n, withheld: 524n, payment: 11_710n });
    expect(readPaymentReconciliation(advice.reconciliation).paymentAmount).to.equal(11_710n);
  });

  it("tells what was recouped of it, and gives back the rest when it is released", async () => {
    const audited = await loadFixture(deployAudited);
    const advice = await remittanceFrom(audited, await closed(audited));
    expect(short(advice)).to.deep.equal([[], ["E3 -400", "E3 -624", "WO 400"], 624n, -6_000n]);
  });

  it("explains payouts first in, first out, less refunds and bonds out of the credit", async () => {
    const audited = await loadFixture(deployAudited);
    const { world, plain } = audited;
    const { pharmacy, tokenAddress: token, stranger } = world;
    await run(pharmacy.claims.refund(plain, { amount: 10n * DOLLAR, from: "credit" }));
    const part = await run(pharmacy.pools.payoutTo({ token, amount: 30n * DOLLAR, to: stranger.address }));
    await closed(audited);
    const rest = await run(pharmacy.pools.payout({ token }));

    const payouts = createPayouts(stranger.connection);
    const [first] = await payouts.explain(part.txHash);
    // Of the 40.00 of the batch before, 5.00 went into the bond and 10.00 back.
    expect(made(first!.parts)).to.deep.equal([`settled ${25n * DOLLAR}`, `awarded ${5n * DOLLAR}`]);
    expect(first).to.deep.include({ token, payee: pharmacy.address, to: stranger.address, amount: 30n * DOLLAR });
    expect(first!.parts[0]).to.include({ batchId: plain.batchId, credited: 40n * DOLLAR });
    const left = [`awarded ${15n * DOLLAR}`, `bond ${BOND}`, "settled 92106000"];
    expect(made(first!.left)).to.deep.equal(left);

    const [second] = await payouts.explain(rest.txHash);
    expect(made(second!.parts)).to.deep.equal([...left, "released 6234000"]);
    expect(second!.left).to.deep.equal([]);
    expect(second!.amount).to.equal(rest.amount);
    expect(await credited(world)).to.equal(0n);
  });

  it("explains no transaction that paid nothing out", async () => {
    const { world } = await loadFixture(deployAudited);
    const payouts = createPayouts(world.stranger.connection);
    const approved = await run(world.pharmacy.pools.approve({ token: world.tokenAddress, amount: 1n }));
    await refusal("INPUT_INVALID", payouts.explain(approved.txHash));
    await refusal("INPUT_INVALID", payouts.explain(`0x${"00".repeat(32)}`));
  });
});
