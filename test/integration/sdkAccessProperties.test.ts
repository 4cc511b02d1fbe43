import { expect } from "chai";
import fc from "fast-check";

import { isCarepactError } from "@carepact/sdk";
import { audit, entriesOf, openHistory, readHistory, type AccessHistory, type AuditResult } from "@carepact/sdk/access";
import { canonicalJson } from "@carepact/sdk/encryption";

import { SEED } from "../support/arbitraries";
import { runs } from "../support/consents";

import { cheated } from "./accessTampering";
import {
  attemptOf,
  audited,
  deployAccessWorld,
  emergencyOf,
  gatewayOver,
  historyOf,
  logged,
  worldOf,
  type AccessWorld,
} from "./accessWorld";

/** Seven entries in two trails under three roots, all anchored. */
async function manyEntries(): Promise<AccessWorld & { history: AccessHistory }> {
  const base = await deployAccessWorld();
  const world = { ...base, gateway: gatewayOver(base, { ownCategories: () => ["PSY"] as const }) };
  const [read, hidden] = [attemptOf(world), attemptOf(world, { sensitivities: ["PSY"] })];
  const refused = attemptOf(world, { who: world.stranger.address });
  await logged(world, [read, hidden], [refused, emergencyOf(world), hidden], [read, read]);
  return { ...world, history: await historyOf(world) };
}

type Path = readonly (string | number)[];

/** Paths of all values in a document but itself. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, entry]) =>
    pathsOf(entry, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? below : [path, ...below];
}

type Container = Record<string | number, unknown>;

const at = (document: unknown, path: Path): unknown =>
  path.reduce<unknown>((node, key) => (node as Container)[key], document);

/** One way to change a document at one place. */
type Mutation = (document: unknown, path: Path, other: Path, value: unknown) => void;

const mutations: Record<string, Mutation> = {
  delete: (document, path) => {
    const parent = at(document, path.slice(0, -1));
    if (Array.isArray(parent)) parent.splice(Number(path.at(-1)), 1);
    else delete (parent as Container)[path.at(-1)!];
  },
  duplicate: (document, path) => {
    const parent = at(document, path.slice(0, -1));
    const index = Number(path.at(-1));
    if (Array.isArray(parent)) parent.splice(index, 0, structuredClone(parent[index]));
  },
  swap: (document, path, other) => {
    const isInside = (a: Path, b: Path): boolean => a.every((key, i) => b[i] === key);
    if (isInside(path, other) || isInside(other, path)) return;
    const [a, b] = [at(document, path.slice(0, -1)) as Container, at(document, other.slice(0, -1)) as Container];
    const [i, j] = [path.at(-1)!, other.at(-1)!];
    [a[i], b[j]] = [b[j], a[i]];
  },
  set: (document, path, _other, value) => {
    (at(document, path.slice(0, -1)) as Container)[path.at(-1)!] = value;
  },
  nudge: (document, path) => {
    const parent = at(document, path.slice(0, -1)) as Container;
    const key = path.at(-1)!;
    const value = parent[key];
    if (typeof value === "number") parent[key] = value + 1;
    else if (typeof value === "string" && value.startsWith("0x"))
      parent[key] = `${value.slice(0, -1)}${value.endsWith("0") ? "1" : "0"}`;
    else if (typeof value === "boolean") parent[key] = !value;
    else if (typeof value === "string") parent[key] = `${value}x`;
  },
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, 0, 1, -1, 2 ** 48, "", "0x", [], {}, true, "R", "PSY", "patient", "allowed"),
  fc.jsonValue(),
);

/** A changed history as its gateway signs it; undefined for what is none any more. */
async function signedAnew(world: AccessWorld, changed: unknown): Promise<AccessHistory | undefined> {
  try {
    return await cheated(world, readHistory(changed), () => undefined);
  } catch {
    return undefined;
  }
}

describe("SDK: properties of an audit", () => {
  const changesOf = (history: AccessHistory): fc.Arbitrary<[string, Path, Path, unknown]> => {
    const path = fc.constantFrom(...pathsOf(history));
    return fc.tuple(fc.constantFrom(...Object.keys(mutations)), path, path, odd);
  };
  const apply = (history: unknown, [name, path, other, value]: [string, Path, Path, unknown]): void =>
    mutations[name]?.(history, path, other, value);
  const shownIn = ({ entries }: Pick<AuditResult, "entries">): string => canonicalJson(entries);

  it("finds any change of a file, or shows the same", async () => {
    const { history, ...world } = await worldOf(manyEntries);
    const original = canonicalJson(entriesOf(history));
    expect((await audited(world, history)).findings).to.deep.equal([]);
    let found = 0;
    await fc.assert(
      fc.asyncProperty(changesOf(history), async (change) => {
        const changed = structuredClone(history);
        apply(changed, change);
        let result: AuditResult;
        try {
          result = await audited(world, changed);
        } catch (thrown) {
          expect(isCarepactError(thrown), String(thrown)).to.equal(true);
          return;
        }
        if (result.findings.length === 0) expect(shownIn(result)).to.equal(original);
        else found += 1;
      }),
      { numRuns: runs(250), seed: SEED },
    );
    expect(found).to.be.above(runs(30));
  });

  it("finds any change that the gateway itself signs, once all is anchored, or shows the same", async () => {
    const { history, ...world } = await worldOf(manyEntries);
    const original = canonicalJson(entriesOf(history));
    // That there is nothing at all contradicts only receipts and earlier histories: other tests have it.
    let found = 0;
    await fc.assert(
      fc.asyncProperty(changesOf(history), async (change) => {
        const changed = structuredClone(history);
        apply(changed, change);
        const signed = await signedAnew(world, changed);
        fc.pre(signed !== undefined && Object.keys(signed.trails).length > 0);
        let result: AuditResult;
        try {
          result = await audited(world, signed);
        } catch (thrown) {
          expect(isCarepactError(thrown), String(thrown)).to.equal(true);
          return;
        }
        if (result.findings.length === 0) expect(shownIn(result)).to.equal(original);
        else found += 1;
      }),
      { numRuns: runs(250), seed: SEED },
    );
    expect(found).to.be.above(runs(30));
  });

  it("throws nothing but a CarepactError for whatever it is given", async () => {
    const { history, ...world } = await worldOf(manyEntries);
    const place = fc.constantFrom(...pathsOf(history));
    const document = fc.oneof(
      fc.anything(),
      fc.jsonValue(),
      fc.array(fc.tuple(place, fc.oneof(odd, fc.anything())), { minLength: 1, maxLength: 4 }).map((changes) => {
        const changed = structuredClone(history);
        for (const [path, value] of changes)
          try {
            (at(changed, path.slice(0, -1)) as Container)[path.at(-1)!] = value;
          } catch {
            // Another change took its place away.
          }
        return changed;
      }),
    );
    const quiet = async (attempt: Promise<unknown>): Promise<void> => {
      try {
        await attempt;
      } catch (thrown) {
        expect(isCarepactError(thrown), String(thrown)).to.equal(true);
      }
    };
    await fc.assert(
      fc.asyncProperty(document, document, async (one, other) => {
        const options = { patient: world.patient };
        await quiet(audit(world.reader, one, options));
        await quiet(audit(world.reader, history, { ...options, receipts: [other], earlier: [one] }));
        await quiet(openHistory(one, world.keys.privateKey));
      }),
      { numRuns: runs(200), seed: SEED },
    );
  });
});
