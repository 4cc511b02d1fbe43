import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataLength, dataSlice, getBytes, hexlify } from "ethers";
import fc from "fast-check";

import { encodeResults, type GroupResult, type LineResult } from "@carepact/sdk/claims";

import { resultsFor, SEED, shape } from "../../support/arbitraries";
import type { TestBatch } from "../../support/batches";
import { fundedBatch } from "../../support/claims";
import type { Key } from "../../support/keys";
import { deploySuspensions, statementOf, type Place, type Statement, type Suspensions } from "./fixture";

/** What a group's result says of one of its lines. */
const lineOf = (result: GroupResult, line: number): LineResult =>
  result.result === "byLine" ? result.lines[line]! : result;

/** Whether two results of a line are both final, and not the same. */
function contradict(first: LineResult, second: LineResult): boolean {
  if (first.result === "pending" || second.result === "pending") return false;
  if (first.result === "partlyMet" && second.result === "partlyMet") return first.amount !== second.amount;
  return first.result !== second.result;
}

/** Another way to say the same of a group: by line in place of whole. */
const spelledOut = (result: GroupResult, lineCount: number): GroupResult =>
  result.result === "byLine" ? result : { result: "byLine", lines: Array.from({ length: lineCount }, () => result) };

/** What the contract makes of two statements, without a transaction: nothing, or the name of the error. */
async function verdictOf(
  { rulebooks }: Suspensions,
  key: Key,
  batch: TestBatch,
  [group, line]: Place,
  first: Statement,
  second: Statement,
): Promise<string | undefined> {
  try {
    await rulebooks.proveEquivocation.staticCall(key.signer, batch.terms, batch.words, group, line, first, second);
    return undefined;
  } catch (error) {
    return errorOf(error);
  }
}

/** Name of the error that a call was refused with. */
function errorOf(error: unknown): string {
  const [, name] = /custom error '(\w+)\(/.exec(String((error as Error).message)) ?? [];
  if (name === undefined) throw error as Error;
  return name;
}

describe(`AttesterSuspensions: random results beside a plain model (seed ${SEED})`, () => {
  const runs = (numRuns: number) => ({ seed: SEED, numRuns });
  const pairs = shape.chain((groups) =>
    fc.record({
      groups: fc.constant(groups),
      first: resultsFor(groups),
      second: resultsFor(groups),
      swapped: fc.boolean(),
      /** Groups of which the second says what the first says, in its words or spelled out. */
      same: fc.array(fc.constantFrom("no", "no", "same", "spelledOut"), {
        minLength: groups.length,
        maxLength: groups.length,
      }),
    }),
  );

  it("finds a contradiction exactly where the model does, in every line", async () => {
    const found = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(pairs, async ({ groups, first, second, same, swapped }) => {
        const context = await loadFixture(deploySuspensions);
        const [key] = context.accounts;
        const batch = await fundedBatch(context, groups, { rulebook: context.listed });
        const other = second.map((result, group) => {
          if (same[group] === "no") return result;
          return same[group] === "same" ? first[group]! : spelledOut(first[group]!, groups[group]!.length);
        });
        const statements = [first, other].map((results) => statementOf(key, batch, results));
        const pair = (swapped ? statements.reverse() : statements) as [Statement, Statement];
        for (const [group, amounts] of groups.entries())
          for (const line of amounts.keys()) {
            const expected = contradict(lineOf(first[group]!, line), lineOf(other[group]!, line));
            const verdict = await verdictOf(context, key, batch, [group, line], ...pair);
            expect(verdict).to.equal(expected ? undefined : "ResultsAgree");
            found.add(verdict);
          }
      }),
      runs(40),
    );
    expect([...found]).to.have.members([undefined, "ResultsAgree"]);
  });

  type Damage = { how: "append" | "cut" | "flip" | "none"; at: number; byte: number };
  const damage: fc.Arbitrary<Damage> = fc.record({
    how: fc.constantFrom("append", "cut", "flip", "flip", "flip", "none"),
    at: fc.nat({ max: 1_000 }),
    byte: fc.integer({ min: 1, max: 255 }),
  });

  /** The results as somebody else than this library might write them. */
  function damaged(results: string, { how, at, byte }: Damage): string {
    if (how === "append") return concat([results, hexlify(Uint8Array.of(byte))]);
    if (how === "cut") return dataSlice(results, 0, at % dataLength(results));
    if (how === "none") return results;
    const bytes = getBytes(results);
    const place = at % Math.min(bytes.length, 6);
    bytes[place] = bytes[place]! ^ byte;
    return hexlify(bytes);
  }

  it("takes results for malformed exactly where a settlement does, so that no lie that pays is out of reach", async () => {
    const seen = new Set<string | undefined>();
    const cases = shape.chain((groups) =>
      fc.record({ groups: fc.constant(groups), results: resultsFor(groups), damage }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, results, damage: how }) => {
        const context = await loadFixture(deploySuspensions);
        const [key, other] = context.accounts;
        const batch = await fundedBatch(context, groups, { rulebook: context.listed });
        const bytes = damaged(
          encodeResults(
            results,
            groups.map(({ length: lineCount }) => ({ lineCount })),
          ),
          how,
        );
        const statement = statementOf(key, batch, bytes);
        const settled = await settles(context, batch, statement, [key, other]);
        seen.add(settled);
        for (const [group, amounts] of groups.entries())
          for (const line of amounts.keys()) {
            const verdict = await verdictOf(context, key, batch, [group, line], statement, statement);
            if (settled === undefined) expect(verdict).to.equal("ResultsAgree");
            else if (settled === "ResultsMalformed") expect(verdict).to.equal(settled);
            // A settlement stops at the first amount that cannot be, whatever follows; a proof reads one line.
            else expect(settled).to.equal("PartialAmountInvalid");
          }
      }),
      runs(80),
    );
    expect([...seen]).to.include.members([undefined, "ResultsMalformed"]);
  });

  /** What a settlement of all lines makes of a statement that two attesters sign. */
  async function settles(
    { escrow }: Suspensions,
    batch: TestBatch,
    statement: Statement,
    signers: readonly Key[],
  ): Promise<string | undefined> {
    const digest = await escrow.attestationDigestOf(batch.id, statement);
    const signatures = concat(signers.map((key) => key.sign(digest)));
    const opened = batch.open(batch.groups.map((_, group) => group));
    try {
      await escrow.settleByLine.staticCall(batch.terms, batch.words, { ...statement, signatures }, opened);
      return undefined;
    } catch (error) {
      return errorOf(error);
    }
  }
});
