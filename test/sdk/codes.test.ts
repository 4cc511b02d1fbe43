import { expect } from "chai";
import { id } from "ethers";
import fc from "fast-check";

import { place, purposes, resourceTypes, sensitivities, type Code, type PlacedCode } from "../../scripts/codeTables";
import {
  anyPurpose,
  anyResourceType,
  anySensitivity,
  categoriesOf,
  categoryBits,
  categoryMask,
  confidentialityAt,
  confidentialityCodes,
  confidentialityDisplay,
  confidentialityRank,
  displayOf,
  purposeBit,
  purposeCodes,
  purposeMask,
  purposesOf,
  resourceTypeCodes,
  sensitivityCodes,
  type CategoryCode,
} from "../../sdk/src/codes";
import { purposes as purposeTable } from "../../sdk/src/codes/tables/purposes";
import { resourceTypes as resourceTypeTable } from "../../sdk/src/codes/tables/resourceTypes";
import { sensitivities as sensitivityTable } from "../../sdk/src/codes/tables/sensitivities";
import { SEED } from "../support/arbitraries";

import { hl7, hl7Codes } from "./hl7";
import { refused } from "./refused";

interface Concept {
  code: string;
  concept?: Concept[];
}

/** A concept of one of HL7's code systems with all below it, found without the script that writes the tables. */
const subtree = (codeSystem: string, root: string): string[] => {
  const all = ({ code, concept }: Concept): string[] => [code, ...(concept ?? []).flatMap(all)];
  const find = (concepts: Concept[]): Concept | undefined =>
    concepts.flatMap((entry) => (entry.code === root ? [entry] : (find(entry.concept ?? []) ?? []))).at(0);
  const concept = find(hl7<{ concept: Concept[] }>(`CodeSystem-${codeSystem}`).concept);
  return concept === undefined ? [] : all(concept).sort();
};

const tables: [string, readonly PlacedCode[], () => Code[], [number, number]][] = [
  ["purposes", purposeTable, purposes, [0, 255]],
  ["resource types", resourceTypeTable, resourceTypes, [0, 191]],
  ["sensitivity labels", sensitivityTable, sensitivities, [192, 255]],
];

describe("codes", () => {
  it("hold all that HL7's package has: every purpose, resource type and sensitivity label", () => {
    expect([...purposeCodes()].sort()).to.deep.equal(subtree("v3-ActReason", "PurposeOfUse"));
    expect([...sensitivityCodes()].sort()).to.deep.equal(subtree("v3-ActCode", "_InformationSensitivityPolicy"));
    expect([...resourceTypeCodes()].sort()).to.deep.equal(hl7Codes("resource-types"));
  });

  it("put the degrees of confidentiality in HL7's order", () => {
    expect(confidentialityCodes()).to.deep.equal(["U", "L", "M", "N", "R", "V"]);
    expect(confidentialityCodes().map(confidentialityRank)).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(confidentialityAt(4)).to.equal("R");
    expect(confidentialityDisplay("V")).to.equal("very restricted");
  });

  for (const [name, table, fresh, [first, last]] of tables) {
    describe(`bits of ${name}`, () => {
      it("are one each, in their range, in the order of the table", () => {
        const bits = table.map(({ bit }) => bit);
        expect(new Set(bits).size).to.equal(bits.length);
        expect(bits).to.deep.equal(bits.toSorted((a, b) => a - b));
        expect([bits[0], (bits.at(-1) ?? last + 1) <= last]).to.deep.equal([first, true]);
      });

      it("never move, whatever HL7 adds, takes out or reorders", () => {
        const range = { first, last: last + 200 };
        const changes = fc.record({
          kept: fc.shuffledSubarray([...fresh()]),
          added: fc.uniqueArray(fc.stringMatching(/^new[a-z]{4}$/), { maxLength: 8 }),
        });
        fc.assert(
          fc.property(changes, fc.integer(), ({ kept, added }, at) => {
            const codes = kept.toSpliced(
              Math.abs(at) % (kept.length + 1),
              0,
              ...added.map((code) => ({ code, display: code })),
            );
            const placed = place(codes, table, range);
            const bitOf = new Map(placed.map(({ code, bit }) => [code, bit]));
            for (const { code, bit } of table) expect(bitOf.get(code), code).to.equal(bit);
            for (const code of added) expect(bitOf.get(code)).to.be.above(table.at(-1)?.bit ?? 0);
            expect(new Set(bitOf.values()).size).to.equal(placed.length);
            const keptCodes = kept.map(({ code }) => code);
            for (const { code, withdrawn } of placed)
              expect(withdrawn === true).to.equal(!keptCodes.includes(code) && !added.includes(code));
          }),
          { numRuns: 50, seed: SEED },
        );
      });
    });
  }

  it("are still those that the first grants were signed with", () => {
    const digests = [purposeTable, resourceTypeTable, sensitivityTable].map((table, i) => {
      const first = (table as readonly PlacedCode[]).slice(0, [60, 148, 45][i]);
      return id(first.map(({ code, bit }) => `${code}=${bit}`).join());
    });
    expect(digests).to.deep.equal([
      "0x028cdfb16fe4417bec43ecf308a951cc67ca660eeac9111dfa3a45501d63471c",
      "0xdd5d7630887ceceec58b130376cc41d0d497d1b7e5d95d4b762828be7e64ce15",
      "0x726447e7a5478c464e4d02756a453bb2da3785d512a1161064eb797d11a92086",
    ]);
  });

  it("refuse to place more codes than there are bits, or a table in which a bit is used twice", () => {
    const codes = ["a", "b", "c"].map((code) => ({ code, display: code }));
    expect(() => place(codes, [], { first: 0, last: 1 })).to.throw("No bit is left");
    expect(() => place(codes, [{ code: "a", display: "a", bit: 7 }], { first: 0, last: 5 })).to.throw("No bit is left");
    const twice = ["a", "b"].map((code) => ({ code, display: code, bit: 0 }));
    expect(() => place(codes, twice, { first: 0, last: 9 })).to.throw("twice");
  });

  it("include in a purpose all those below it, and nothing beside it", () => {
    const treatment = purposeMask("TREAT");
    for (const code of purposeCodes()) {
      const inside = subtree("v3-ActReason", "TREAT").includes(code);
      expect((treatment & purposeBit(code)) !== 0n, code).to.equal(inside);
    }
    expect(purposeMask("BTG")).to.equal(purposeBit("BTG"));
    expect(purposeMask("PurposeOfUse")).to.equal(anyPurpose);
    expect(anyPurpose).to.equal((1n << 256n) - 1n);
  });

  it("keep resource types and labels apart, and both roots open for codes to come", () => {
    expect(anyResourceType | anySensitivity).to.equal((1n << 256n) - 1n);
    expect(anyResourceType & anySensitivity).to.equal(0n);
    expect(categoryMask(["Resource", "_InformationSensitivityPolicy"])).to.equal((1n << 256n) - 1n);
    expect(categoryMask(["SUD"])).to.equal(categoryBits(["SUD", "ETHUD", "OPIOIDUD"]));
    expect(categoryMask(["DomainResource"]) & categoryBits(["Bundle"])).to.equal(0n);
    expect(categoryMask(["DomainResource"]) & categoryBits(["Observation"])).not.to.equal(0n);
  });

  it("find the fewest codes of a bit set, which make it up again", () => {
    expect(purposesOf(purposeMask("TREAT") | purposeMask("BTG"))).to.deep.equal(["TREAT"]);
    expect(purposesOf(0n)).to.deep.equal([]);
    expect(categoriesOf(categoryMask(["HIV", "Observation"]))).to.deep.equal(["Observation", "HIV"]);
    const some = fc.uniqueArray(fc.constantFrom<CategoryCode>(...resourceTypeCodes(), ...sensitivityCodes()));
    fc.assert(
      fc.property(some, (codes) => {
        const names = categoriesOf(categoryMask(codes));
        expect(categoryMask(names)).to.equal(categoryMask(codes));
        for (const name of names)
          expect(categoryMask(names.filter((other) => other !== name))).not.to.equal(categoryMask(codes));
      }),
      { numRuns: 200, seed: SEED },
    );
  });

  it("have HL7's names for people", () => {
    expect(displayOf("ETREAT")).to.equal("Emergency Treatment");
    expect(displayOf("Observation")).to.equal("Observation");
    expect(displayOf("HIV")).to.equal("HIV/AIDS information sensitivity");
  });

  it("refuse what is no code, and bit sets that no codes make up", () => {
    for (const code of ["treat", "", "constructor", "__proto__", "HIV", 7, null, undefined, {}]) {
      const error = refused("CODE_UNKNOWN", () => purposeMask(code as never));
      expect(error.details.list).to.equal("PurposeOfUse");
      refused("CODE_UNKNOWN", () => purposeBit(code as never));
    }
    for (const code of ["TREAT", "toString", null, undefined]) {
      refused("CODE_UNKNOWN", () => categoryMask([code as never]));
      refused("CODE_UNKNOWN", () => categoryBits([code as never]));
      refused("CODE_UNKNOWN", () => confidentialityRank(code as never));
      if (code !== "TREAT") refused("CODE_UNKNOWN", () => displayOf(code as never));
    }
    refused("CODE_UNKNOWN", () => purposesOf(purposeBit("TREAT")));
    refused("CODE_UNKNOWN", () => purposesOf(1n << 200n));
    refused("CODE_UNKNOWN", () => categoriesOf(1n << 256n));
    refused("CODE_UNKNOWN", () => categoriesOf(-1n));
    for (const rank of [-1, 6, 1.5, NaN]) refused("CODE_UNKNOWN", () => confidentialityAt(rank));
  });
});
