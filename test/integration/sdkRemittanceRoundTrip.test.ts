import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import {
  adjudicatedClaimsOf,
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type ForwardedBalance,
  type OpenedRecord,
  type RefundOrder,
  type RemittanceAdvice,
} from "@carepact/sdk/claims";
import { readExplanationOfBenefit, readPaymentReconciliation } from "@carepact/sdk/fhir";
import { parse835, type Adjustment835, type Transaction835 } from "@carepact/sdk/x12";

import { met } from "../support/batches";
import { ownFiles, publicFiles } from "../sdk/x12Files";

import { attestations, CENT, deployWorld, fill, fundedBatch, POOL, type World } from "./support";

/** An 835's refunds and the like are of payments that were made before it. */
const EARLIER = "500.00";

async function deployRich(): Promise<World> {
  const world = await deployWorld();
  const more = 30n * POOL;
  await world.token.mint(world.payer.address, more);
  await run(world.payer.pools.depositWithPermit({ token: world.tokenAddress, amount: more }));
  return world;
}

/** Funds claims, and settles all of them. */
async function paid(world: World, claims: AdjudicatedClaim[]): Promise<OpenedRecord> {
  const { record } = await fundedBatch(world, claims);
  const opened = openClaimBatchRecord(record);
  await run(world.stranger.claims.settle(opened, await attestations(world, opened, [met])));
  return opened;
}

/** Does on the chain what an 835 tells, and asks for the remittance of it. */
async function retold(world: World, advice: Transaction835): Promise<RemittanceAdvice> {
  const { payer, pharmacy, tokenAddress: token } = world;
  const { claims, statements, reversals, providerPayments, adjustments } = adjudicatedClaimsOf(advice, {
    payee: pharmacy.address,
  });
  const base = await paid(world, [fill(pharmacy.address, "1", EARLIER)]);
  const reversed: OpenedRecord[] = [];
  for (const claim of reversals) reversed.push(await paid(world, [claim]));

  const from = (await time.latest()) + 1;
  const funded = [...claims, ...providerPayments.map(({ claim }) => claim)];
  const now = funded.length === 0 ? [] : [await paid(world, funded)];
  const refund = (batch: OpenedRecord, amount: bigint, source: "credit" | "tokens") =>
    run(pharmacy.claims.refund(batch, { amount: amount * CENT, from: source }));

  const carried = adjustments.some(({ reason, amount }) => reason === "FB" && amount < 0n);
  const refundOrders: RefundOrder[] = [];
  for (const [i, batch] of reversed.entries()) {
    const { planPays } = reversals[i]!;
    if (!carried) await refund(batch, planPays, "credit");
    else {
      const order = { upTo: planPays * CENT, deadline: (await time.latest()) + 100_000 };
      refundOrders.push(await pharmacy.claims.signRefundOrder(batch, order));
    }
  }
  // Offset by what was brought as tokens, a recoupment lowers no payment.
  const brought = adjustments.filter(({ reason }) => reason === "72").map(({ amount }) => -amount);
  const forwarded: ForwardedBalance[] = [];
  // What is returned of a batch goes to the balance carried over first.
  const isCarried = ({ reason }: { reason: string }): number => (reason === "FB" ? 0 : 1);
  const taken = adjustments.filter(({ amount }) => amount > 0n).sort((a, b) => isCarried(a) - isCarried(b));
  for (const { reason, reference, amount } of taken) {
    if (reason === "FB") forwarded.push({ batchId: base.batchId, amount, reference: reference! });
    const asTokens = reason === "WO" && brought.includes(amount);
    if (asTokens) {
      await world.token.mint(pharmacy.address, amount * CENT);
      await run(pharmacy.pools.approve({ token, amount: amount * CENT }));
    }
    await refund(base, amount, asTokens ? "tokens" : "credit");
  }

  await time.increase(10);
  const to = await time.latest();
  const { id, name } = advice.payee;
  return payer.claims.remittance(
    {
      payer: payer.address,
      payee: pharmacy.address,
      from,
      to,
      batches: [base, ...reversed, ...now],
      parties: { payer: { name: advice.payer.name!, taxId: "123456789" }, payee: { name: name!, npi: id! } },
      statements,
      reversals: reversed.map(({ batchId }, i) => ({ batchId, claimId: reversals[i]!.claimId })),
      providerPayments: providerPayments.map(({ claim: { claimId }, reason, reference }) => ({
        batchId: now[0]!.batchId,
        claimId,
        lineNumber: 1,
        reason,
        ...(reference === undefined ? {} : { reference }),
      })),
      refundOrders,
      forwarded,
    },
    { finality: "latest" },
  );
}

const reasons = (adjustments: readonly Adjustment835[]): string[] =>
  adjustments.map(({ group, reason, amount, quantity }) => `${group} ${reason} ${amount} ${quantity ?? ""}`).sort();

/** CLP, CAS and SVC, whatever their order. */
const claimsIn = ({ sections }: Transaction835): unknown[] =>
  sections
    .flatMap(({ claims }) => claims)
    .map(({ claimId, status, charge, paid: amount, patientResponsibility, adjustments, services }) => ({
      claim: [claimId, status, charge, amount, patientResponsibility],
      reasons: reasons(adjustments),
      services: services.map((service) => [
        service.procedure,
        service.charge,
        service.paid,
        reasons(service.adjustments),
      ]),
    }))
    .sort((a, b) => (String(a.claim) < String(b.claim) ? -1 : 1));

const providerAdjustmentsIn = ({ providerAdjustments }: Transaction835): string[] =>
  providerAdjustments.map(({ provider, reason, amount }) => `${provider} ${reason} ${amount}`).sort();

/** The files whose provider adjustments are what chain events can come to: a return without what it offsets is none. */
const files = [...ownFiles("835"), ...publicFiles("835")].filter(([name]) => name !== "provider-adjustments.835");

describe("SDK: remittance advices, done on a chain and remitted again", () => {
  for (const [name, text] of files)
    it(`tells ${name} with the same claims, adjustments and payment`, async () => {
      for await (const advice of parse835(text)) {
        const world = await loadFixture(deployRich);
        const { transaction: again, eob, reconciliation } = await retold(world, advice);
        expect(claimsIn(again)).to.deep.equal(claimsIn(advice));
        expect(providerAdjustmentsIn(again)).to.deep.equal(providerAdjustmentsIn(advice));
        expect(again.payment.amount).to.equal(advice.payment.amount);

        // FHIR tells the same: what was paid by claim, nothing by a reversal, and the payment.
        const amounts = eob.map((one) => readExplanationOfBenefit(one)).map(({ paid: amount = 0n }) => amount);
        const told = again.sections
          .flatMap(({ claims }) => claims)
          .map(({ paid: amount }) => (amount < 0n ? 0n : amount));
        expect(amounts).to.deep.equal(told);
        expect(readPaymentReconciliation(reconciliation).paymentAmount).to.equal(advice.payment.amount);
      }
    });
});
