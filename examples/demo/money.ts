import { grouped } from "./print";
import type { Money, Party, World } from "./world";

/** Everybody's money at one moment, by name. */
export type Stock = ReadonlyMap<string, Money>;

/** Everybody whose money the tables show. */
export const partiesOf = (world: World): Party[] => [world.payer, ...Object.values(world.pharmacies), world.laboratory];

/** Reads the money of some, or of everybody. */
export async function takeStock(world: World, parties = partiesOf(world)): Promise<Stock> {
  const stock = new Map<string, Money>();
  for (const party of parties) stock.set(party.name, await world.moneyOf(party));
  return stock;
}

/** By how much a wallet grew. */
export const arrived = (before: Stock, after: Stock, name: string): bigint =>
  (after.get(name)?.wallet ?? 0n) - (before.get(name)?.wallet ?? 0n);

/** Everybody's money at two moments, side by side. */
export function showStock({ screen, show }: World, before: Stock, after: Stock): void {
  screen.table(
    ["money of", "before: wallet", "free", "credit", "after: wallet", "free", "credit"],
    [...after].map(([name, now]) => {
      const then = before.get(name) ?? { wallet: 0n, free: 0n, credit: 0n };
      return [name, ...[then, now].flatMap(({ wallet, free, credit }) => [show(wallet), show(free), show(credit)])];
    }),
    { right: [1, 2, 3, 4, 5, 6] },
  );
}

/**
 * A scene's transactions with their gas, and that of one line.
 * @param lines How many lines each transaction is about, by verb; what it does not name is about none in particular.
 */
export function showGas({ screen, gas }: World, scene: string, lines: Readonly<Record<string, number>>): void {
  screen.table(
    ["transaction", "gas", "lines", "gas per line"],
    Object.entries(gas[scene] ?? {}).map(([verb, used]) => {
      const count = lines[verb];
      return [verb, grouped(used), ...(count === undefined ? ["", ""] : [String(count), grouped(used / count)])];
    }),
    { right: [1, 2, 3] },
  );
}
