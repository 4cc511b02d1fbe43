import { expect } from "chai";
import { id } from "ethers";
import type { AuditEvent, Consent } from "fhir/r4";

import { confidentialityCodes, purposeCodes, resourceTypeCodes, sensitivityCodes } from "../../sdk/src/codes";
import type { Scope } from "../../sdk/src/consents/scope";
import type { ConsentTerms } from "../../sdk/src/consents/terms";
import { isCarepactError } from "../../sdk/src/errors";
import { readAuditEvent } from "../../sdk/src/fhir/auditEvent";
import { readConsent } from "../../sdk/src/fhir/consent";
import { hl7, hl7Names } from "../sdk/hl7";
import { accountOf } from "../support/consentArbitraries";

import { codeIn, readPage, rowsOf } from "./page";

const page = readPage("docs/consent-fhir.md");

const about = (scope: Scope): string => Object.keys(scope).join(" + ") || "everything";

/** Terms in a line, as the page has them. */
function lineOf({ onlyByGrant, permits, denials, breakGlass }: ConsentTerms): string {
  return [
    onlyByGrant ? "opt-out" : "opt-in",
    ...permits.map((scope) => `permits ${about(scope)}`),
    ...denials.map(({ scope, except }) =>
      [`denies ${about(scope)}`, ...except.map((entry) => `except ${about(entry)}`)].join(" "),
    ),
    ...breakGlass.map((scope) => `break-glass ${about(scope)}`),
  ].join("; ");
}

/** What a reader gives, or the element that it refuses. */
function resultOf(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!isCarepactError(error)) throw error;
    return `refused: ${typeof error.details.path === "string" ? error.details.path : ""}`;
  }
}

describe("docs/consent-fhir.md", () => {
  it("counts the codes", () => {
    const rows = rowsOf(page, "list", "codes", "bits", "root, which includes codes to come");
    const lists = [purposeCodes(), resourceTypeCodes(), sensitivityCodes(), confidentialityCodes()];
    expect(rows.map(([, count]) => Number(count))).to.deep.equal(lists.map(({ length }) => length));
    expect(rows.map(([, , , root]) => codeIn(root))).to.deep.equal([...lists.slice(0, 3).map(([root]) => root), ""]);
  });

  it("says of each of HL7's Consent examples what becomes of it", () => {
    const rows = rowsOf(page, "Consent example", "`untypedRoot`", "becomes", "why");
    const names = hl7Names("Consent").filter((name) => name.startsWith("Consent-"));
    expect(rows.map(([name]) => `Consent-consent-example-${codeIn(name)}`)).to.have.members(names);
    for (const [name, root, becomes] of rows) {
      const untypedRoot = codeIn(root) as "permits" | "denies" | "";
      const consent = hl7<Consent>(`Consent-consent-example-${codeIn(name)}`);
      const result = resultOf(() =>
        lineOf(readConsent(consent, { accountOf, ...(untypedRoot === "" ? {} : { untypedRoot }) })),
      );
      expect(codeIn(becomes), name).to.equal(result);
    }
  });

  it("says of each of HL7's AuditEvent examples what becomes of it", () => {
    const rows = rowsOf(page, "AuditEvent example", "becomes", "why");
    expect(rows.map(([name]) => codeIn(name))).to.have.members(hl7Names("AuditEvent"));
    for (const [name, becomes] of rows) {
      const event = hl7<AuditEvent>(codeIn(name));
      const options = { accountOf, patientOf: id, patient: id("somebody"), number: 0 };
      const result = resultOf(() => {
        const { action, resourceTypes, purposes, outcome } = readAuditEvent(event, options);
        const why = purposes.length === 0 ? "" : ` for ${purposes.join(", ")}`;
        return `${action} ${resourceTypes.join(", ")}${why}: ${outcome.result}`;
      });
      expect(codeIn(becomes), name).to.equal(result);
    }
  });
});
