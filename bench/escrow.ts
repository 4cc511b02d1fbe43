import { parseUnits } from "ethers";

import type { GroupResult, LineResult } from "@carepact/sdk/claims";

import { GRACE } from "../test/support/system";

import { EVENT_BY, buildBatch, settlementOf, type BenchBatch } from "./batches";
import type { Attesters, Chain } from "./chain";
import type { Gas } from "./compare";

const LINES = 500;
/** Of a batch's 500 lines, those that the sparse row settles first. */
const SPARSE_LINES = 50;

const tokens = (amount: string): bigint => parseUnits(amount, 6);
const allMet = (batch: BenchBatch): GroupResult[] => batch.groups.map(() => ({ result: "met" }));
const perLine = (gas: number, lines = LINES): number => Number((gas / lines).toFixed(2));

/** So many of all payees, from the lowest address to the highest. */
const some = (chain: Chain, count: number): string[] =>
  chain.payees.filter((_, index) => index % (chain.payees.length / count) === 0);

/** Measures the escrow's rows. */
export async function measureEscrow(chain: Chain): Promise<Gas> {
  // First, since it gives every payee the credit that all other rows take for granted.
  const newcomers = await fundAndSettle(chain, "first credits", chain.payees, LINES, chain.threeOfFive);
  const [payee] = some(chain, 1) as [string];
  const one = await fundAndSettle(chain, "one line, one signature", [payee], 1, chain.one);
  const threeOfFive = await fundAndSettle(chain, "one line, 3 of 5", [payee], 1, chain.threeOfFive);
  const payees10 = await fundAndSettle(chain, "10 payees", some(chain, 10), LINES, chain.threeOfFive);
  const payees50 = await fundAndSettle(chain, "50 payees", some(chain, 50), LINES, chain.threeOfFive);
  const payees500 = await fundAndSettle(chain, "500 payees", chain.payees, LINES, chain.threeOfFive);
  return {
    "fund.1": one.fund,
    "settle.1.sig1": one.settle,
    "settle.1.sig3of5": threeOfFive.settle,
    "fund.500.payees50.perLine": perLine(payees50.fund),
    "settle.500.payees10.perLine": perLine(payees10.settle),
    "settle.500.payees50.perLine": perLine(payees50.settle),
    "settle.500.payees500.perLine": perLine(payees500.settle),
    "settle.500.sparse.perLine": perLine(await settleSparse(chain), SPARSE_LINES),
    "reverse.1of500": await reverseOne(chain),
    "refund.1": await refund(chain, threeOfFive.batch, true),
    "payout.1": await payout(chain, payee),
    "deposit.1": await deposit(chain),
    "refund.1.tokens": await refund(chain, one.batch, false),
    "settle.500.payees500.firstTime.perLine": perLine(newcomers.settle),
  };
}

/** Measures the escrow's row that comes last, since it moves the clock beyond what other batches wait for. */
export async function measureReclaim(chain: Chain): Promise<Gas> {
  return { "reclaim.1": await reclaim(chain, some(chain, 1)[0]!) };
}

async function fund(chain: Chain, batch: BenchBatch): Promise<number> {
  return chain.gasOf(() => chain.escrow.connect(chain.payer).fund(batch.terms, batch.words));
}

async function fundAndSettle(
  chain: Chain,
  name: string,
  payees: string[],
  lines: number,
  attesters: Attesters,
): Promise<{ batch: BenchBatch; fund: number; settle: number }> {
  const batch = await buildBatch(chain, name, payees, lines, attesters);
  const funded = await fund(chain, batch);
  const { attestation } = await settlementOf(batch, allMet(batch));
  const settled = await chain.gasOf(() =>
    chain.escrow.connect(chain.relayer).settle(batch.terms, batch.words, attestation),
  );
  await requireOpen(chain, batch, 0n);
  return { batch, fund: funded, settle: settled };
}

/** The first settlement of a batch whose other lines are still pending: every tenth line of each payee. */
async function settleSparse(chain: Chain): Promise<number> {
  const batch = await buildBatch(chain, "sparse", some(chain, 10), LINES, chain.threeOfFive);
  await fund(chain, batch);
  const step = LINES / SPARSE_LINES;
  const results = batch.groups.map(({ lineCount }): GroupResult => {
    const lines = Array.from({ length: lineCount }, (_, line): LineResult => ({
      result: line % step === 0 ? "met" : "pending",
    }));
    return { result: "byLine", lines };
  });
  const { attestation, opened } = await settlementOf(batch, results);
  const gas = await chain.gasOf(() =>
    chain.escrow.connect(chain.relayer).settleByLine(batch.terms, batch.words, attestation, opened),
  );
  const settled = batch.amounts.flat().filter((_, line) => line % step === 0);
  await requireOpen(chain, batch, batch.terms.total - settled.reduce((sum, amount) => sum + amount, 0n));
  return gas;
}

/** A settlement that finds nothing to settle does not revert: without this, a mistake here would look like a saving. */
async function requireOpen(chain: Chain, batch: BenchBatch, expected: bigint): Promise<void> {
  const { open } = await chain.escrow.claimBatchStatusOf(await chain.escrow.batchIdOf(batch.terms));
  if (open !== expected) throw new Error(`A batch should have ${expected} base units open, but has ${open}.`);
}

async function reverseOne(chain: Chain): Promise<number> {
  const batch = await buildBatch(chain, "reverse", some(chain, 10), LINES, chain.threeOfFive);
  await fund(chain, batch);
  const [group, line] = [4, 24];
  const { groups, proof } = batch.open([group]);
  const payee = await chain.signerOf(batch.groups[group]!.payee);
  return chain.gasOf(() =>
    chain.escrow.connect(payee).reverse(batch.terms, batch.words, group, [line], groups[0]!, proof),
  );
}

/** The payee pays back a part, and keeps credit and tokens. */
async function refund(chain: Chain, batch: BenchBatch, fromCredit: boolean): Promise<number> {
  const payee = await chain.signerOf(batch.groups[0]!.payee);
  if (!fromCredit) await chain.gasOf(() => chain.token.connect(payee).approve(chain.escrow, tokens("1000.00")));
  return chain.gasOf(() =>
    chain.escrow.connect(payee).refund(batch.terms, batch.words, [], tokens("29.99"), fromCredit),
  );
}

/** Brought by somebody else, to a payee that holds tokens. */
async function payout(chain: Chain, payee: string): Promise<number> {
  await chain.gasOf(() => chain.token.mint(payee, tokens("45.01")));
  return chain.gasOf(() => chain.escrow.connect(chain.relayer).payout(chain.token, payee));
}

async function deposit(chain: Chain): Promise<number> {
  const { payer, token } = chain;
  return chain.gasOf(() => chain.escrow.connect(payer).deposit(payer.address, token, tokens("12345.67")));
}

async function reclaim(chain: Chain, payee: string): Promise<number> {
  const batch = await buildBatch(chain, "reclaim", [payee], 1, chain.one);
  await fund(chain, batch);
  chain.jumpTo(EVENT_BY + GRACE);
  return chain.gasOf(() => chain.escrow.connect(chain.relayer).reclaim(batch.terms));
}
