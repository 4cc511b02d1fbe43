import fc from "fast-check";

import type { GroupResult, LineResult } from "@carepact/sdk/claims";

/** What random tests start from: the same on every machine, another by CAREPACT_TEST_SEED. */
export const SEED = Number(process.env.CAREPACT_TEST_SEED ?? 20_260_101);

/** Amounts of every order of magnitude that a line can have. */
const lineAmount = fc.oneof(
  fc.bigInt({ min: 1n, max: 3n }),
  fc.bigInt({ min: 1n, max: 1_000_000n }),
  fc.bigInt({ min: 1n, max: (1n << 82n) - 1n }),
);

/** Line amounts by group. */
export const shape = fc.array(fc.array(lineAmount, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });

/** A final result of a line of this amount. */
export function finalResult(amount: bigint): fc.Arbitrary<LineResult> {
  const whole: fc.Arbitrary<LineResult>[] = [fc.constant({ result: "met" }), fc.constant({ result: "notMet" })];
  // Nothing lies between zero and one base unit.
  if (amount === 1n) return fc.oneof(...whole);
  const part = fc.bigInt({ min: 1n, max: amount - 1n });
  return fc.oneof(
    ...whole,
    part.map((paid): LineResult => ({ result: "partlyMet", amount: paid })),
  );
}

/** Any results that fit groups of these line amounts. */
export function resultsFor(groups: readonly bigint[][]): fc.Arbitrary<GroupResult[]> {
  const groupResult = (amounts: readonly bigint[]): fc.Arbitrary<GroupResult> =>
    fc.oneof(
      fc.constantFrom<GroupResult>({ result: "pending" }, { result: "met" }, { result: "notMet" }),
      fc
        .tuple(
          ...amounts.map((amount) => fc.oneof(fc.constant<LineResult>({ result: "pending" }), finalResult(amount))),
        )
        .map((lines): GroupResult => ({ result: "byLine", lines })),
    );
  return fc.tuple(...groups.map(groupResult));
}

/** A subset of 0..count-1, ascending. */
export function subset(count: number, minLength = 0): fc.Arbitrary<number[]> {
  return fc.subarray(
    Array.from({ length: count }, (_, i) => i),
    { minLength },
  );
}
