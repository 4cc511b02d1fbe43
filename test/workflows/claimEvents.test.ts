import { expect } from "chai";

import {
  adjudicate,
  attestationDigestOf,
  decodeResults,
  resultShapeOf,
  verifyClaimBatchFile,
  type AdjudicatedClaim,
  type GroupResult,
} from "../../sdk/src/claims";
import { readClaim } from "../../sdk/src/fhir";
import { decodeReport } from "../../sdk/src/oracles";
import { readSettings, type Conclusion } from "../../workflows/claim-events/core";
import { runClaimEvents } from "../../workflows/claim-events/node";
import { escrow, laboratory, pharmacy } from "../sdk/claimBatchFixture";
import { hl7, withElements } from "../sdk/hl7";

import { FhirServer, type Resource } from "./fhirServer";
import {
  batchOf,
  clia,
  dispenseOf,
  fillOf,
  observedAt,
  reportOf,
  requestOf,
  settingsOf,
  systems,
  testOf,
} from "./world";

describe("claim events workflow", () => {
  const server = new FhirServer();
  before(() => server.start());
  after(() => server.stop());

  /** What one line comes to whose resource the server holds. */
  async function ask(claim: AdjudicatedClaim, resource: Resource, subject?: string): Promise<Conclusion> {
    server.serve(resource);
    const built = await batchOf([claim]);
    const line = { resource: `${resource.resourceType}/${resource.id}`, ...(subject === undefined ? {} : { subject }) };
    const request = requestOf(built, claim.payee, { [claim.claimId]: line });
    const providers = { providers: ["Organization/1"] };
    return runClaimEvents(request, readSettings(settingsOf(server.base, {}, providers)), { now: observedAt });
  }

  const askFill = (dispense: Resource, changes = {}): Promise<Conclusion> =>
    ask(fillOf(dispense, changes), dispense, "Patient/pat1");

  /** The one line's finding, whether there is something to report or not. */
  const findingOf = (conclusion: Conclusion): object => {
    if (conclusion.outcome !== "report" && conclusion.outcome !== "nothing")
      throw new Error(JSON.stringify(conclusion));
    const finding = Object.entries(conclusion.lines[0] ?? {}).filter(([name]) => name !== "line");
    return { outcome: conclusion.outcome, ...Object.fromEntries(finding) };
  };

  describe("HL7's dispenses", () => {
    const cases: [name: string, changes: Record<string, unknown>, finding: object][] = [
      ["meddisp0307", {}, { outcome: "report", result: "met", reason: "done" }],
      ["meddisp0304", {}, { outcome: "report", result: "met", reason: "done" }],
      ["meddisp0301", {}, { outcome: "nothing", result: "pending", reason: "status-not-final" }],
      ["meddisp0312", {}, { outcome: "nothing", result: "pending", reason: "status-not-final" }],
      ["meddisp0317", {}, { outcome: "report", result: "notMet", reason: "status-ended" }],
      ["meddisp0305", {}, { outcome: "report", result: "notMet", reason: "status-in-error" }],
      ["meddisp0307", { status: "declined" }, { outcome: "report", result: "notMet", reason: "status-ended" }],
      ["meddisp0307", { status: "cancelled" }, { outcome: "report", result: "notMet", reason: "status-ended" }],
      [
        "meddisp0307",
        { whenHandedOver: undefined },
        { outcome: "nothing", result: "pending", reason: "not-handed-over" },
      ],
    ];
    for (const [name, changes, finding] of cases)
      it(`${name} ${JSON.stringify(changes)}: ${JSON.stringify(finding)}`, async () => {
        expect(findingOf(await askFill(dispenseOf(name, changes)))).to.deep.equal(finding);
      });

    it("pays a part fill in proportion", async () => {
      const dispense = dispenseOf("meddisp0307");
      const conclusion = await askFill(dispense, { quantityDispensed: "120" });
      expect(findingOf(conclusion)).to.deep.equal({
        outcome: "report",
        result: "partlyMet",
        amount: "67500000",
        reason: "done-in-part",
      });
    });

    it("waits where the times do not fit: handed over before it was prepared, or at no time", async () => {
      const before = dispenseOf("meddisp0307", { whenHandedOver: "2015-01-15T10:19:59Z" });
      expect(findingOf(await askFill(before))).to.include({ result: "pending", reason: "time-contradicts" });
      const never = reportOf("102", { effectiveDateTime: "2008-06-17T25" });
      const conclusion = await ask(testOf("38269-7", "2008-06-17"), never, "Patient/pat2");
      expect(findingOf(conclusion)).to.include({ result: "pending", reason: "time-missing" });
    });

    it("waits for a fill that lies ahead of the observation, and for one past the batch's last moment", async () => {
      const early = dispenseOf("meddisp0307", { whenHandedOver: "2016-06-01T12:00:01Z" });
      expect(findingOf(await askFill(early))).to.include({ result: "pending", reason: "not-yet" });

      server.serve(early);
      const built = await batchOf([fillOf(early)], { eventBy: new Date("2016-06-01T12:00:00Z") });
      const request = requestOf(built, pharmacy, {
        "A-meddisp0307": { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" },
      });
      const settings = readSettings(settingsOf(server.base));
      const late = await runClaimEvents(request, settings, { now: observedAt + 3600 });
      expect(findingOf(late)).to.include({ result: "pending", reason: "after-event-by" });
    });
  });

  describe("HL7's reports", () => {
    const ofStatus: [status: string, finding: object][] = [
      ["registered", { outcome: "nothing", result: "pending", reason: "status-not-final" }],
      ["partial", { outcome: "nothing", result: "pending", reason: "status-not-final" }],
      ["preliminary", { outcome: "nothing", result: "pending", reason: "status-not-final" }],
      ["final", { outcome: "report", result: "met", reason: "done" }],
      ["amended", { outcome: "report", result: "met", reason: "done" }],
      ["corrected", { outcome: "report", result: "met", reason: "done" }],
      ["appended", { outcome: "report", result: "met", reason: "done" }],
      ["cancelled", { outcome: "report", result: "notMet", reason: "status-ended" }],
      ["entered-in-error", { outcome: "report", result: "notMet", reason: "status-in-error" }],
    ];
    for (const [status, finding] of ofStatus)
      it(`a DXA scan whose report is ${status}`, async () => {
        const conclusion = await ask(testOf("38269-7", "2008-06-17"), reportOf("102", { status }), "Patient/pat2");
        expect(findingOf(conclusion)).to.deep.equal(finding);
      });

    it("takes the accession number of a contained specimen, and the laboratory that is named", async () => {
      const contained = [
        { resourceType: "Specimen", id: "s", accessionIdentifier: { system: systems.accessionSystem, value: "ACC-1" } },
        {
          resourceType: "Organization",
          id: "o",
          identifier: [{ system: "urn:oid:2.16.840.1.113883.4.7", value: clia }],
        },
      ];
      const report = reportOf("102", {
        identifier: undefined,
        contained,
        specimen: [{ reference: "#s" }],
        performer: [{ reference: "#o" }],
      });
      const conclusion = await ask(testOf("38269-7", "2008-06-17"), report, "Patient/pat2");
      expect(findingOf(conclusion)).to.include({ result: "met" });
    });
  });

  describe("items of FHIR claims", () => {
    const claim = hl7<Parameters<typeof readClaim>[0]>("Claim-860150");
    const claimed = (code: object, patient: string, servicedDate: string): AdjudicatedClaim => {
      const changed = withElements(claim, {
        "item[0].productOrService": { coding: [code] },
        "item[0].servicedDate": servicedDate,
        "patient.reference": patient,
      });
      return adjudicate(readClaim(changed), { payee: pharmacy, lines: [{ sequence: 1, allowed: "75.00" }] });
    };

    it("pays HL7's appendectomy once it is completed", async () => {
      const procedure = hl7<Resource>("Procedure-example");
      const item = claimed({ system: "http://snomed.info/sct", code: "80146002" }, "Patient/example", "2013-04-05");
      expect(findingOf(await ask(item, procedure))).to.deep.equal({ outcome: "report", result: "met", reason: "done" });
      const running = withElements(procedure, { status: "in-progress" });
      expect(findingOf(await ask(item, running))).to.include({ outcome: "nothing", result: "pending" });
    });

    it("waits with HL7's subpotent dose of vaccine", async () => {
      const code = { system: "urn:oid:1.2.36.1.2001.1005.17", code: "FLUVAX" };
      const item = claimed(code, "Patient/example", "2013-01-10");
      const immunization = hl7<Resource>("Immunization-example");
      expect(findingOf(await ask(item, immunization))).to.include({ result: "pending", reason: "dose-subpotent" });
      const potent = withElements(immunization, { isSubpotent: false });
      expect(findingOf(await ask(item, potent))).to.include({ outcome: "report", result: "met" });
    });

    it("refuses the procedure of another patient, of another code, of another day", async () => {
      const procedure = hl7<Resource>("Procedure-example");
      const code = { system: "http://snomed.info/sct", code: "80146002" };
      const cases: [AdjudicatedClaim, string][] = [
        [claimed(code, "Patient/1", "2013-04-05"), "patient"],
        [claimed({ ...code, code: "80146003" }, "Patient/example", "2013-04-05"), "code"],
        [claimed({ ...code, system: "http://loinc.org" }, "Patient/example", "2013-04-05"), "code"],
        [claimed(code, "Patient/example", "2013-04-06"), "date"],
      ];
      for (const [item, mismatch] of cases) {
        const conclusion = await ask(item, procedure);
        expect(conclusion).to.deep.include({ outcome: "refused", lines: [{ line: 0, mismatches: [mismatch] }] });
      }
    });

    it("knows the patient by an identifier, wherever the reference leads", async () => {
      const code = { system: "http://snomed.info/sct", code: "80146002" };
      const identifier = { system: "urn:oid:1.2.3", value: "12345" };
      const item = claimed(code, "Patient/1", "2013-04-05");
      const known = { ...item, resource: withElements(item.resource, { "patient.identifier": identifier }) };
      const about = (subject: object): Resource => withElements(hl7<Resource>("Procedure-example"), { subject });

      expect((await ask(known, about({ reference: "Patient/other", identifier }))).outcome).to.equal("report");
      const wrong = about({ reference: "Patient/1", identifier: { ...identifier, value: "54321" } });
      expect((await ask(known, wrong)).outcome).to.equal("refused");
    });
  });

  describe("the report", () => {
    it("is over the statement that anyone can settle with, and leaves all other lines pending", async () => {
      const [done, part, ready] = ["meddisp0307", "meddisp0324", "meddisp0301"].map((name) => dispenseOf(name)) as [
        Resource,
        Resource,
        Resource,
      ];
      server.serve(done);
      server.serve(part);
      server.serve(ready);
      const claims = [
        fillOf(done),
        fillOf(part, { quantityDispensed: "120" }),
        fillOf(ready),
        testOf("38269-7", "2008-06-17"),
      ];
      const built = await batchOf(claims);
      const of = (id: string): { resource: string; subject: string } => ({
        resource: `MedicationDispense/${id}`,
        subject: "Patient/pat1",
      });
      const request = requestOf(built, pharmacy, {
        "A-meddisp0307": of("meddisp0307"),
        "A-meddisp0324": of("meddisp0324"),
        "A-meddisp0301": of("meddisp0301"),
      });
      const conclusion = await runClaimEvents(request, readSettings(settingsOf(server.base)), { now: observedAt + 59 });
      if (conclusion.outcome !== "report") throw new Error(JSON.stringify(conclusion));

      const { statement, digest, payload } = conclusion;
      expect(digest).to.equal(attestationDigestOf(statement, { chainId: 31337, escrow }));
      const { batchId } = built;
      expect(decodeReport(payload)).to.deep.equal({ rulebook: built.terms.rulebook, batchId, digest, observedAt });
      expect(statement).to.include({ batchId, observedAt });
      expect(statement.validUntil).to.equal(built.terms.eventBy + 259_200 + 60 * 86_400);

      const results = decodeResults(statement.results, resultShapeOf(verifyClaimBatchFile(built.file)));
      const own = built.groups.findIndex(({ payee }) => payee === pharmacy);
      const group = results[own] as Extract<GroupResult, { result: "byLine" }>;
      const byLine = request.lines.map(({ line }) => group.lines[line - (request.parts[0]?.firstLine ?? 0)]);
      expect(byLine).to.deep.equal([
        { result: "met" },
        { result: "partlyMet", amount: 22_500_000n },
        { result: "pending" },
      ]);
      const others = built.groups.findIndex(({ payee }) => payee === laboratory);
      expect(results[others]).to.deep.equal({ result: "pending" });
    });

    it("covers several payees of a batch, whose next report would replace this one", async () => {
      const [dispense, report] = [dispenseOf("meddisp0307"), reportOf("102")];
      server.serve(dispense);
      server.serve(report);
      const built = await batchOf([fillOf(dispense), testOf("38269-7", "2008-06-17")]);
      const request = requestOf(built, [pharmacy, laboratory], {
        "A-meddisp0307": { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" },
        "L-1": { resource: "DiagnosticReport/102", subject: "Patient/pat2" },
      });
      const conclusion = await runClaimEvents(request, readSettings(settingsOf(server.base)), { now: observedAt });
      if (conclusion.outcome !== "report") throw new Error(JSON.stringify(conclusion));
      const shape = resultShapeOf(verifyClaimBatchFile(built.file));
      expect(decodeResults(conclusion.statement.results, shape)).to.deep.equal([{ result: "met" }, { result: "met" }]);
      expect(new Set(conclusion.lines.map(({ line }) => line))).to.deep.equal(new Set([0, 1]));
    });

    it("says the same within a minute, and something else after it, under another salt, or of another version", async () => {
      const dispense = dispenseOf("meddisp0307");
      const built = await batchOf([fillOf(dispense)]);
      const line = { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" };
      const request = requestOf(built, pharmacy, { "A-meddisp0307": line });
      const settings = readSettings(settingsOf(server.base));
      const run = async (changes: object, now: number, ...versions: Resource[]): Promise<string> => {
        server.serve(...versions);
        return JSON.stringify(await runClaimEvents({ ...request, ...changes }, settings, { now }));
      };
      const first = await run({}, observedAt, dispense);
      const noted = withElements(dispense, { note: [{ text: "left with a neighbour" }] });
      const retold = withElements(dispense, { text: { status: "generated", div: "<div>other words</div>" } });
      expect(await run({}, observedAt + 59, dispense)).to.equal(first);
      expect(await run({}, observedAt, retold)).to.equal(first);
      expect(await run({}, observedAt + 60, dispense)).not.to.equal(first);
      expect(await run({ salt: `0x${"5b".repeat(32)}` }, observedAt, dispense)).not.to.equal(first);
      expect(await run({}, observedAt, noted)).not.to.equal(first);
      expect(await run({ validUntil: 1_500_000_000 }, observedAt, dispense)).to.include("1500000000");
    });
  });
});
