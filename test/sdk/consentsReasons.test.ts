import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { getAddress, id } from "ethers";
import fc from "fast-check";

import {
  NO_MANDATE,
  narrowingReason,
  openSignedGrant,
  permissionReasons,
  reasonAdvice,
  signedGrantOf,
  type Grant,
  type OpenedGrant,
  type PermissionReason,
  type SubGrant,
} from "../../sdk/src/consents";
import { NO_INSTRUMENT, subGrantDigestOf } from "../../sdk/src/consents/types";
import { SEED } from "../support/arbitraries";

describe("reasons of a refusal", () => {
  it("are those of the contract, in its order", () => {
    const source = readFileSync(join(__dirname, "../../contracts/interfaces/ConsentTypes.sol"), "utf8");
    const [, body = ""] = /enum Reason \{([^}]*)\}/.exec(source) ?? [];
    const names = body.replaceAll(/\/\/\/.*/g, "").match(/\w+/g);
    expect(permissionReasons).to.deep.equal(names);
  });

  it("each come with advice of its own, in a sentence or two", () => {
    const refusals = permissionReasons.filter((reason) => reason !== "None");
    expect(Object.keys(reasonAdvice)).to.have.members(refusals);
    expect(new Set(Object.values(reasonAdvice)).size).to.equal(refusals.length);
    for (const [reason, advice] of Object.entries(reasonAdvice)) expect(advice, reason).to.match(/^[A-Z].{20,180}\.$/);
  });
});

const account = (name: string): string => getAddress(`0x${id(name).slice(-40)}`);
const ref = { chainId: 31337, registry: account("registry") };
const ORGANIZATIONS = ["a", "b", "c", "d", "e"].map(account);

const grant: Grant = {
  patient: id("patient"),
  number: 7,
  grantee: ORGANIZATIONS[0]!,
  purposes: 0b1111n,
  categories: 0b1111n,
  ceiling: 4,
  notBefore: 100,
  expiry: 200,
  subGrants: 3,
  epoch: 3,
  salt: id("salt"),
  instrument: NO_INSTRUMENT,
};

/** A grant that was passed on to the next organizations, without being narrowed. */
function passedOn(times: number): OpenedGrant {
  const chain = { grant, signer: account("patient"), signature: "0x12", mandate: NO_MANDATE };
  const subGrants: { subGrant: SubGrant; signature: string }[] = [];
  let opened = openSignedGrant(signedGrantOf({ ...chain, subGrants }, ref));
  for (let i = 1; i <= times; i++) {
    subGrants.push({ subGrant: subGrantUnder(opened, { grantee: ORGANIZATIONS[i]! }), signature: "0x12" });
    opened = openSignedGrant(signedGrantOf({ ...chain, subGrants }, ref));
  }
  return opened;
}

const subGrantUnder = ({ last, documents }: OpenedGrant, changes: Partial<SubGrant> = {}): SubGrant => ({
  parent: documents.at(-1)!,
  grantee: ORGANIZATIONS[4]!,
  purposes: last.purposes,
  categories: last.categories,
  ceiling: last.ceiling,
  notBefore: last.notBefore,
  expiry: last.expiry,
  subGrants: Math.max(0, last.subGrants - 1),
  salt: id("salt of a sub-grant"),
  ...changes,
});

describe("narrowing of a sub-grant", () => {
  const cases: [string, number, Partial<SubGrant>, PermissionReason | undefined][] = [
    ["the same", 0, {}, undefined],
    [
      "less of everything",
      0,
      { purposes: 1n, categories: 8n, ceiling: 0, notBefore: 150, expiry: 160, subGrants: 0 },
      undefined,
    ],
    ["a third time", 2, {}, undefined],
    ["a fourth time", 3, {}, "ChainTooLong"],
    ["as often as before", 0, { subGrants: 3 }, "SubGrantNotAllowed"],
    ["under another grant", 0, { parent: id("another") }, "SubGrantMismatch"],
    ["to who has it", 1, { grantee: ORGANIZATIONS[1]! }, "ChainCyclic"],
    ["to who had it first", 2, { grantee: ORGANIZATIONS[0]! }, "ChainCyclic"],
    ["for more purposes", 0, { purposes: 0b11111n }, "SubGrantWider"],
    ["for more categories", 0, { categories: 0b10000n }, "SubGrantWider"],
    ["up to more", 0, { ceiling: 5 }, "SubGrantWider"],
    ["earlier", 0, { notBefore: 99 }, "SubGrantWider"],
    ["longer", 0, { expiry: 201 }, "SubGrantWider"],
  ];
  for (const [what, times, changes, reason] of cases)
    it(`says ${reason ?? "nothing"} to ${what}`, () => {
      const opened = passedOn(times);
      expect(narrowingReason(opened, subGrantUnder(opened, changes))).to.equal(reason);
    });

  it("says nothing only to what takes no more than it has, bit by bit", () => {
    const opened = passedOn(1);
    const anySubGrant = fc.record({
      purposes: fc.bigInt({ min: 1n, max: 31n }),
      categories: fc.bigInt({ min: 1n, max: 31n }),
      ceiling: fc.integer({ min: 0, max: 5 }),
      notBefore: fc.integer({ min: 98, max: 102 }),
      expiry: fc.integer({ min: 198, max: 202 }),
    });
    fc.assert(
      fc.property(anySubGrant, (changes) => {
        const { last } = opened;
        const narrower =
          (changes.purposes | last.purposes) === last.purposes &&
          (changes.categories | last.categories) === last.categories &&
          changes.ceiling <= last.ceiling &&
          changes.notBefore >= last.notBefore &&
          changes.expiry <= last.expiry;
        const reason = narrowingReason(opened, subGrantUnder(opened, changes));
        expect(reason).to.equal(narrower ? undefined : "SubGrantWider");
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it("names each link by its EIP-712 digest", () => {
    const { documents, chain } = passedOn(2);
    expect(documents.slice(1)).to.deep.equal(chain.subGrants.map(({ subGrant }) => subGrantDigestOf(subGrant, ref)));
    expect(chain.subGrants[1]!.subGrant.parent).to.equal(documents[1]);
  });
});
