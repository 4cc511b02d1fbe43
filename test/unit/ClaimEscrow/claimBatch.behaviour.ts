import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { GroupResult, LineResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle, type TestBatch } from "../../support/batches";
import {
  attested,
  deployClaims,
  fundedBatch,
  moneyOf,
  owedBy,
  paymentsOf,
  type Claims,
  type Money,
} from "../../support/claims";
import { deployToken, GRACE } from "../../support/system";

/** What every claim batch does, whatever its shape and token: its money is always somewhere, and only once. */
export function behavesLikeAClaimBatch(lines: bigint[][], decimals: number): void {
  const unit = 10n ** BigInt(decimals);
  const amounts = lines.map((group) => group.map((amount) => amount * unit));
  const total = amounts.flat().reduce((sum, amount) => sum + amount, 0n);
  const subtotals = amounts.map((group) => group.reduce((sum, amount) => sum + amount, 0n));
  const none = subtotals.map(() => 0n);
  const everyGroup = amounts.map((_, group) => group);

  let claims: Claims;
  let batch: TestBatch;

  beforeEach(async () => {
    const deployed = await loadFixture(deployClaims);
    claims = { ...deployed, token: await deployToken(decimals) };
    batch = await fundedBatch(claims, amounts);
  });

  /** Invariants 1 and 2 of the protocol; refunds and payouts move money on that was paid. */
  async function expectMoney(expected: Money): Promise<void> {
    const money = await moneyOf(claims, batch);
    expect(money).to.deep.equal(expected);
    expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
  }
  const round = async (results: GroupResult[], open?: number[]) =>
    settle(claims.escrow, await attested(claims, batch, results, open && { open }));
  const eachLine = (result: (amount: bigint, line: number) => LineResult) =>
    amounts.map((group) => byLine(...group.map(result)));
  const halfOf = (amount: bigint) => amount / 2n;
  const halves = amounts.map((group) => group.reduce((sum, amount) => sum + halfOf(amount), 0n));
  const halved = halves.reduce((sum, half) => sum + half, 0n);

  it("holds its total open once it is funded", async () => {
    await expectMoney({ open: total, free: 0n, credits: none });
  });

  it("pays everything when all is met", async () => {
    await round(amounts.map(() => met));
    await expectMoney({ open: 0n, free: 0n, credits: subtotals });
  });

  it("pays the same when every line is met by itself", async () => {
    await round(eachLine(() => met));
    await expectMoney({ open: 0n, free: 0n, credits: subtotals });
  });

  it("frees everything when nothing is met", async () => {
    await round(amounts.map(() => notMet));
    await expectMoney({ open: 0n, free: total, credits: none });
  });

  it("frees the same when no line is met", async () => {
    await round(eachLine(() => notMet));
    await expectMoney({ open: 0n, free: total, credits: none });
  });

  it("splits every line that is partly met", async () => {
    await round(eachLine((amount) => partlyMet(halfOf(amount))));
    await expectMoney({ open: 0n, free: total - halved, credits: halves });
  });

  it("changes nothing while everything is pending", async () => {
    await round(amounts.map(() => pending));
    await round(eachLine(() => pending));
    await expectMoney({ open: total, free: 0n, credits: none });
  });

  it("settles first lines, then the rest, and nothing twice", async () => {
    const firsts = amounts.map((group) => group[0]!);
    const first = firsts.reduce((sum, amount) => sum + amount, 0n);
    await round(eachLine((_, line) => (line === 0 ? met : pending)));
    await expectMoney({ open: total - first, free: 0n, credits: firsts });
    await round(
      amounts.map(() => notMet),
      everyGroup,
    );
    await expectMoney({ open: 0n, free: total - first, credits: firsts });
    await round(
      amounts.map(() => met),
      everyGroup,
    );
    await expectMoney({ open: 0n, free: total - first, credits: firsts });
  });

  it("settles group after group", async () => {
    const credits = [...none];
    let open = total;
    for (const group of everyGroup) {
      await round(amounts.map((_, i) => (i === group ? met : pending)));
      credits[group] = subtotals[group]!;
      open -= subtotals[group]!;
      await expectMoney({ open, free: 0n, credits });
    }
  });

  it("returns what payees reverse, one after the other", async () => {
    let free = 0n;
    for (const group of everyGroup) {
      const { opened, proof } = batch.openOne(group);
      const asPayee = claims.escrow.connect(claims.payees[group]);
      const rest = amounts[group]!.slice(1).map((_, i) => i + 1);
      await asPayee.reverse(batch.terms, batch.words, group, [0], opened, proof);
      free += amounts[group]![0]!;
      await expectMoney({ open: total - free, free, credits: none });
      if (rest.length > 0) await asPayee.reverse(batch.terms, batch.words, group, rest, opened, proof);
      free += subtotals[group]! - amounts[group]![0]!;
      await expectMoney({ open: total - free, free, credits: none });
    }
  });

  it("returns what is open after attestBy", async () => {
    const [settled, ...others] = subtotals;
    const left = others.reduce((sum, subtotal) => sum + subtotal, 0n);
    await round(amounts.map((_, group) => (group === 0 ? met : pending)));
    await time.increaseTo(batch.terms.eventBy + GRACE + 1);
    await claims.escrow.reclaim(batch.terms);
    await expectMoney({ open: 0n, free: left, credits: [settled!, ...others.map(() => 0n)] });
  });

  it("takes back in refunds at most what it paid", async () => {
    await round(eachLine((amount) => partlyMet(halfOf(amount))));
    const credits = [...halves];
    let free = total - halved;
    const payments = await paymentsOf(claims, batch);
    for (const group of everyGroup) {
      const asPayee = claims.escrow.connect(claims.payees[group]);
      await expect(
        asPayee.refund(batch.terms, batch.words, payments, halves[group]! + 1n, true),
      ).to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge");
      await asPayee.refund(batch.terms, batch.words, payments, halves[group]!, true);
      credits[group] = 0n;
      free += halves[group]!;
      await expectMoney({ open: 0n, free, credits });
    }
  });

  it("leaves the escrow empty once everybody took what is theirs", async () => {
    await round(eachLine((amount) => partlyMet(halfOf(amount))));
    for (const group of everyGroup) await claims.escrow.payout(claims.token, claims.payees[group]!);
    await claims.escrow.connect(claims.payer).withdraw(claims.token, total - halved, claims.payer);
    expect(await claims.token.balanceOf(claims.escrow)).to.equal(0n);
    expect(await claims.token.balanceOf(claims.payer)).to.equal(total - halved);
    for (const group of everyGroup)
      expect(await claims.token.balanceOf(claims.payees[group]!)).to.equal(halves[group]!);
  });
}
