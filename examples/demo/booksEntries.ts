import { inequalityNames, type Books, type InequalityName, type TokenBook } from "./booksTypes";

/** Notes what does not hold. */
export function note(books: Books, name: InequalityName, about: string, expected: unknown, found: unknown): void {
  books.inequalities.push({
    name,
    message: inequalityNames[name],
    about,
    expected: String(expected),
    found: String(found),
  });
}

const NOTHING_YET: Omit<TokenBook, "token"> = {
  deposited: 0n,
  withdrawn: 0n,
  funded: 0n,
  paid: 0n,
  freed: 0n,
  reversed: 0n,
  reclaimed: 0n,
  refundedFromCredit: 0n,
  refundedInTokens: 0n,
  paidOut: 0n,
  recouped: 0n,
  bonds: 0n,
};

/** The entry of a key, which is created where there is none. */
export function entryOf<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

/** The sums of a token. */
export const tokenBook = (books: Books, token: string): TokenBook =>
  entryOf(books.tokens, token, () => ({ token, ...NOTHING_YET }));

/** Key of an account's entry. */
export const accountKey = (token: string, account: string): string => `${account} in ${token}`;

/** Moves money of an account. */
export function move(books: Books, token: string, account: string, side: "free" | "credit", by: bigint): void {
  const key = accountKey(token, account);
  const entry = entryOf(books.accounts, key, () => ({ token, account, free: 0n, credit: 0n }));
  entry[side] += by;
  if (entry[side] < 0n) note(books, "BELOW_ZERO", `${side} of ${key}`, "zero or more", entry[side]);
}
