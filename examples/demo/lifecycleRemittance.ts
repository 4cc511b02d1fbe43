import { formatAmount, isCarepactError, rescaleAmount } from "@carepact/sdk";
import type { OpenedGroup, RemittanceAdvice } from "@carepact/sdk/claims";
import {
  balance835,
  parse835,
  usualDelimiters,
  type Balance835,
  type ProviderAdjustment835,
  type Transaction835,
} from "@carepact/sdk/x12";

import type { Stage } from "./lifecycleStage";
import { ensure, type Party, type World } from "./world";

/** What was paid since a moment, and what of it arrived. */
export interface Paid {
  /** Unix seconds. */
  since: number;
  batches: OpenedGroup[];
  /** What the payee was paid out, in base units of the token. */
  arrived: bigint;
}

/** Segments that are shown of an 835: who pays whom, how much, for which claims. Envelopes and counts are left out. */
const SHOWN = ["BPR", "TRN", "N1", "LX", "CLP", "CAS", "PLB"];

/** What an entry of a PLB says, of what comes up here. */
const meaningOf = ({ reason, amount }: ProviderAdjustment835): string =>
  reason === "WO"
    ? "recouped by the arbiter"
    : amount > 0n
      ? "withheld until the look-back is over"
      : "withheld no more: recouped, or released";

/**
 * Each payer's remittance of the period, made of the chain's events and the words of the payee's own files.
 * @returns Whether each, read back from its X12 text, balances, and their sum is what the payee was paid out.
 */
export async function remit(world: World, stage: Stage, paid: Paid): Promise<boolean> {
  const { screen, payer, token } = world;
  const { supplement } = stage;
  await world.advanceTo((await world.now()) + 60);
  const to = await world.now();
  const byPayer = await remittanceFrom(stage, paid, { from: payer, to, taxId: "000000001" });
  const bySupplement = await remittanceFrom(stage, paid, { from: supplement, to, taxId: "000000002" });
  showText(world, byPayer);

  const sums = [await readBack(byPayer), await readBack(bySupplement)];
  const { currency } = byPayer.remittance;
  const shown = (amount: bigint | undefined): string =>
    amount === undefined ? "does not balance" : formatAmount(amount, currency);
  screen.table(
    ["835 of", "charged", "paid (CLP04)", "withheld (PLB)", "payment (BPR02)"],
    [payer, supplement].map(({ name }, i) => {
      const balance = sums[i];
      return [name, ...[balance?.charged, balance?.paid, balance?.withheld, balance?.payment].map(shown)];
    }),
    { right: [1, 2, 3, 4] },
  );
  const total = sums.reduce((sum, balance) => sum + (balance?.payment ?? 0n), 0n);
  const eachBalances = sums.every((balance) => balance !== undefined);
  const isPayout = rescaleAmount(total, currency, token, "total") === paid.arrived;
  screen.say(
    `Read back from their text, ${eachBalances ? "both balance" : "they do NOT both balance"}: claim by claim CLP03 - CAS = CLP04, and in all CLP04 - PLB = BPR02. ` +
      `Together they come to ${shown(total)}, which is ${isPayout ? "" : "NOT "}what the optician was paid out: ${world.show(paid.arrived)}.`,
  );
  return eachBalances && isPayout;
}

function remittanceFrom(
  { optician }: Stage,
  { since, batches }: Paid,
  { from, to, taxId }: { from: Party; to: number; taxId: string },
): Promise<RemittanceAdvice> {
  return optician.claims.remittance(
    {
      payer: from.account,
      payee: optician.account,
      from: since,
      to,
      batches,
      // Names and NPI come from the directory. Tax numbers are made up, and none that is issued.
      parties: { payer: { taxId }, payee: {} },
    },
    // A chain for trying things out finalizes nothing.
    { finality: "latest" },
  );
}

/** What an 835 says of money. */
const moneyOf = ({ sections, payment }: Transaction835): string =>
  [...sections.flatMap(({ claims }) => claims.flatMap(({ claimId, paid }) => [claimId, paid])), payment.amount].join();

/** The sums of an 835 as its text has them; undefined where they do not balance, or are not those of the remittance. */
async function readBack({ x12, transaction }: RemittanceAdvice): Promise<Balance835 | undefined> {
  const read: Transaction835[] = [];
  for await (const each of parse835(x12, { balance: false })) read.push(each);
  const [only, ...others] = read;
  ensure(only !== undefined && others.length === 0, "the text is one transaction");
  if (moneyOf(only) !== moneyOf(transaction)) return undefined;
  try {
    return balance835(only);
  } catch (thrown) {
    if (isCarepactError(thrown, "X12_DOES_NOT_BALANCE")) return undefined;
    throw thrown;
  }
}

function showText({ screen }: World, { x12, transaction, remittance }: RemittanceAdvice): void {
  const { element, segment } = usualDelimiters;
  const segments = x12.split(segment).map((text) => text.trim());
  screen.say("The payer's remittance as an X12 835, its envelope and counts left out:");
  for (const text of segments.filter((each) => SHOWN.includes(each.split(element)[0] ?? "")))
    screen.say(`${inLines(text, element)}${segment}`);
  screen.table(
    ["provider adjustment (PLB)", "amount", "what for"],
    transaction.providerAdjustments.map((entry) => [
      entry.reason,
      formatAmount(entry.amount, remittance.currency),
      meaningOf(entry),
    ]),
    { right: [1] },
  );
}

const LONGEST = 116;
const INDENT = "    ";

/** A segment, broken before an element where it is too long. */
function inLines(text: string, element: string): string {
  let length = 0;
  return text.split(element).reduce((sum, part, i) => {
    const fits = i === 0 || length + 1 + part.length <= LONGEST;
    length = (fits ? length : INDENT.length) + 1 + part.length;
    return i === 0 ? part : `${sum}${fits ? "" : `\n${INDENT}`}${element}${part}`;
  }, "");
}
