import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import hre from "hardhat";

import { errorCodes } from "@carepact/sdk";
import { accessRefusals } from "@carepact/sdk/access";
import { checkReasons } from "@carepact/sdk/claims";

import gas from "../../bench/gas.json";

import { codeIn, readPage, ROOT, rowsOf } from "./page";

const guides = [...readdirSync(join(ROOT, "docs", "guides")).map((file) => `docs/guides/${file}`), "docs/oracles.md"];

const contracts = [
  "AccessLog",
  "AccessManager",
  "ClaimEscrow",
  "ClaimEscrowExtension",
  "ConsentRegistry",
  "Mandates",
  "OrganizationRegistry",
  "PatientRecovery",
  "Rulebooks",
  "IAccessManaged",
];

/** Names of environment variables. */
const VARIABLE = /^(CAREPACT|ETHERSCAN)_/;

/** Names that are FHIR's, Chainlink's, ethers' and the SDK's own. */
const names = [
  "AuditEvent",
  "CarepactError",
  "Claim",
  "Consent",
  "DiagnosticReport",
  "KeystoneForwarder",
  "MedicationDispense",
  "VoidSigner",
];

/** Errors and events of the contracts, and the contracts themselves. */
async function namesOfContracts(): Promise<Set<string>> {
  const abis = await Promise.all(
    contracts.map(async (name) => (await hre.artifacts.readArtifact(name)).abi as { type: string; name?: string }[]),
  );
  const named = abis.flat().filter(({ type }) => type === "error" || type === "event");
  return new Set([...contracts, ...named.flatMap(({ name }) => name ?? [])]);
}

const quoted = (page: string, pattern: RegExp): string[] => [
  ...new Set([...readPage(page).matchAll(pattern)].map(([, name = ""]) => name)),
];

describe("names in the guides", () => {
  for (const page of guides) {
    it(`${page}: every code is one of the SDK's`, () => {
      const known = new Set([...Object.keys(errorCodes), ...Object.keys(checkReasons)]);
      const codes = quoted(page, /`([A-Z]+(?:_[A-Z]+)+)`/g).filter((code) => !VARIABLE.test(code));

      expect(codes.filter((code) => !known.has(code))).to.deep.equal([]);
    });

    it(`${page}: every error, event, reason and contract is one of the contracts'`, async () => {
      const known = new Set<string>([...(await namesOfContracts()), ...accessRefusals]);
      const said = quoted(page, /`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`/g).filter((name) => !names.includes(name));

      expect(said.filter((name) => !known.has(name))).to.deep.equal([]);
    });

    it(`${page}: gas is what the benchmark measured, to a few percent`, () => {
      for (const [what = "", about = "", row] of rowsOf(readPage(page), "you send", "gas, about", "row")) {
        const measured = (gas as Record<string, number>)[codeIn(row)] ?? 0;
        expect(Number(about.replaceAll(",", "")), what).to.be.closeTo(measured, measured * 0.03);
      }
    });
  }
});
