import { expect } from "chai";

import type { BuiltClaimBatch } from "../../sdk/src/claims";
import { readSettings, type Conclusion, type RetryReason } from "../../workflows/claim-events/core";
import { runClaimEvents } from "../../workflows/claim-events/node";
import { pharmacy } from "../sdk/claimBatchFixture";
import { withElements } from "../sdk/hl7";

import { answering, FhirServer, outcome, type Resource } from "./fhirServer";
import { batchOf, dispenseOf, fillExtension, fillOf, npi, observedAt, requestOf, settingsOf, systems } from "./world";

const reference = "MedicationDispense/meddisp0307";

describe("claim events workflow, faced with a server that", () => {
  const server = new FhirServer();
  const dispense = dispenseOf("meddisp0307");
  let built: BuiltClaimBatch;

  before(async () => {
    await server.start();
    built = await batchOf([fillOf(dispense)]);
  });
  beforeEach(() => server.taken());
  after(() => server.stop());

  const ask = (settings: object = {}, ofServer: object = {}, tokens = {}): Promise<Conclusion> =>
    runClaimEvents(
      requestOf(built, pharmacy, { "A-meddisp0307": { resource: reference, subject: "Patient/pat1" } }),
      readSettings(settingsOf(server.base, settings, ofServer)),
      { now: observedAt, tokens },
    );

  const retried = (conclusion: Conclusion, reason: RetryReason): void => {
    expect(conclusion).to.deep.equal({ outcome: "retry", batchId: built.batchId, lines: [{ line: 0, reason }] });
  };

  describe("has no such resource", () => {
    it("waits for it", async () => {
      const cases = [
        [404, "not-found"],
        [410, "deleted"],
      ] as const;
      for (const [status, reason] of cases) {
        server.on(reference, answering(status, outcome("not-found")));
        const lines = [{ line: 0, result: "pending", reason }];
        expect(await ask()).to.deep.equal({ outcome: "nothing", batchId: built.batchId, lines });
      }
    });

    it("does not take a page that answers everything for a resource", async () => {
      server.on(reference, answering(200, "<html>Not here</html>", { "content-type": "text/html" }));
      retried(await ask(), "content-type");
    });
  });

  describe("gives no usable answer", () => {
    const json = "application/fhir+json";
    const cases: [what: string, status: number, body: unknown, headers: Record<string, string>, RetryReason][] = [
      ["500", 500, outcome("exception"), {}, "server-error"],
      ["503 with the resource", 503, dispense, {}, "server-error"],
      ["429", 429, outcome("throttled"), {}, "rate-limited"],
      ["401", 401, outcome("login"), {}, "access-refused"],
      ["403", 403, outcome("forbidden"), {}, "access-refused"],
      ["418", 418, dispense, {}, "unexpected-status"],
      ["201 with the resource", 201, dispense, {}, "unexpected-status"],
      ["206 with the resource", 206, dispense, {}, "unexpected-status"],
      ["XML", 200, "<MedicationDispense/>", { "content-type": "application/fhir+xml" }, "content-type"],
      ["no content type", 200, dispense, { "content-type": "" }, "content-type"],
      ["text that starts like the right type", 200, dispense, { "content-type": "application/jsonp" }, "content-type"],
      ["JSON that was cut off", 200, JSON.stringify(dispense).slice(0, -10), {}, "malformed"],
      ["nothing", 200, "", {}, "malformed"],
      ["a list", 200, [dispense], {}, "malformed"],
      ["null", 200, "null", {}, "malformed"],
      ["bytes that are no UTF-8", 200, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), {}, "malformed"],
      [
        "half of a surrogate pair",
        200,
        JSON.stringify({ ...dispense, note: 1 }).replace(":1", ':"\\ud800"'),
        {},
        "malformed",
      ],
      ["JSON nested beyond measure", 200, `${"[".repeat(5000)}${"]".repeat(5000)}`, {}, "malformed"],
      ["an OperationOutcome that says 200", 200, outcome("exception"), {}, "operation-outcome"],
      ["a status that does not exist", 200, { ...dispense, status: "dispensed" }, {}, "event-unreadable"],
      ["no status", 200, withElements(dispense, { status: undefined }), {}, "event-unreadable"],
      ["rules that nobody knows", 200, { ...dispense, implicitRules: "https://rules.example" }, {}, "event-unreadable"],
      [
        "a modifier that nobody knows",
        200,
        { ...dispense, modifierExtension: [{ url: "urn:not" }] },
        {},
        "event-unreadable",
      ],
      ["a quantity that is no number", 200, { ...dispense, quantity: { value: "ninety" } }, {}, "event-unreadable"],
    ];
    for (const [what, status, body, headers, reason] of cases)
      it(`${what}: ${reason}`, async () => {
        server.on(reference, answering(status, body, { "content-type": json, ...headers }));
        retried(await ask(), reason);
      });

    it("a body above the limit: too-large, without reading on", async () => {
      server.on(reference, answering(200, { ...dispense, note: [{ text: "x".repeat(1_000_000) }] }));
      retried(await ask({ maxBytes: 100_000 }), "too-large");
      server.serve(dispense);
      expect((await ask({ maxBytes: 100_000 })).outcome).to.equal("report");
    });

    it("nothing at all in time: timed-out", async () => {
      server.on(reference, () => undefined);
      retried(await ask({ timeoutMs: 50 }), "timed-out");
      server.on(reference, (_, response) => {
        response.writeHead(200, { "content-type": json });
        response.write("{");
      });
      retried(await ask({ timeoutMs: 50 }), "timed-out");
    });

    it("a broken line: unreachable", async () => {
      server.on(reference, (request) => request.socket.destroy());
      retried(await ask(), "unreachable");
      retried(await ask({}, { baseUrl: "http://127.0.0.1:1/fhir" }), "unreachable");
    });

    it("a redirect: redirected, without following it", async () => {
      const elsewhere = "MedicationDispense/elsewhere";
      server.on(elsewhere, answering(200, dispense));
      for (const status of [301, 302, 303, 307, 308]) {
        const location = `${server.base}/${elsewhere}`;
        server.on(reference, answering(status, "", { location }));
        server.taken();
        retried(await ask({ readsEach: 1 }), "redirected");
        expect(server.taken()).to.equal(1);
      }
    });
  });

  describe("changes its mind between two reads", () => {
    it("tells another version", async () => {
      server.serve(dispense, { ...dispense, note: [{ text: "corrected" }] });
      retried(await ask(), "changed-between-reads");
      server.serve({ ...dispense, status: "in-progress" }, dispense);
      retried(await ask(), "changed-between-reads");
      expect(server.taken()).to.equal(4);
    });

    it("tells the same under another version", async () => {
      server.serve(dispense, dispense);
      retried(await ask(), "changed-between-reads");
    });

    it("tells something else under the same version, or without one", async () => {
      for (const meta of [{ versionId: "1" }, undefined]) {
        let reads = 0;
        server.on(reference, (request, response) => {
          answering(200, { ...dispense, meta, daysSupply: { value: ++reads } })(request, response);
        });
        retried(await ask(), "changed-between-reads");
      }
    });

    it("has the resource only once", async () => {
      let reads = 0;
      server.on(reference, (request, response) => {
        (reads++ === 0 ? answering(200, dispense) : answering(410, outcome("deleted")))(request, response);
      });
      retried(await ask(), "changed-between-reads");
    });

    it("says one version in the resource and another in the ETag", async () => {
      const headers = { "content-type": "application/fhir+json", etag: 'W/"2"' };
      server.on(reference, answering(200, { ...dispense, meta: { versionId: "1" } }, headers));
      retried(await ask(), "version-contradicts");
    });

    it("only touched its metadata: that is no change", async () => {
      server.serve(dispense);
      expect((await ask()).outcome).to.equal("report");
    });
  });

  describe("tells something about something else", () => {
    const refusedFor = async (resource: unknown, ...mismatches: string[]): Promise<void> => {
      server.on(reference, answering(200, resource));
      const lines = [{ line: 0, mismatches }];
      expect(await ask()).to.deep.equal({ outcome: "refused", batchId: built.batchId, lines });
    };
    const organization = (value: string): object => ({
      contained: [
        ...((dispense["contained"] as object[] | undefined) ?? []),
        { resourceType: "Organization", id: "org", identifier: [{ system: "http://hl7.org/fhir/sid/us-npi", value }] },
      ],
      performer: [{ actor: { reference: "#org" } }],
    });
    const changed = (changes: Record<string, unknown>): Resource => withElements(dispense, changes);

    it("another resource than the one asked for", async () => {
      await refusedFor({ ...dispense, id: "meddisp0308" }, "id");
      await refusedFor(changed({ id: undefined }), "id");
      await refusedFor({ ...dispense, resourceType: "MedicationRequest" }, "type");
      await refusedFor({ resourceType: "Bundle", type: "searchset", entry: [{ resource: dispense }] }, "type");
      await refusedFor({ resourceType: "Parameters", contained: [dispense] }, "type");
      await refusedFor({}, "type");
    });

    it("another patient", async () => {
      for (const subject of [
        { reference: "Patient/pat2" },
        { reference: "Patient/pat1/_history" },
        { reference: "Group/pat1" },
        { reference: "https://elsewhere.example/fhir/Patient/pat1" },
        { reference: "#pat1" },
        { display: "Patient/pat1" },
        undefined,
      ])
        await refusedFor(changed({ subject }), "patient");
    });

    it("the same patient, spelt as the server's own", async () => {
      for (const spelling of [`${server.base}/Patient/pat1`, "Patient/pat1/_history/3"]) {
        server.on(reference, answering(200, changed({ "subject.reference": spelling })));
        expect((await ask()).outcome).to.equal("report");
      }
    });

    it("another prescription, fill, day or package", async () => {
      const rx = { system: systems.prescriptionSystem, value: "307" };
      await refusedFor(changed({ "identifier[0].value": "308" }), "prescription");
      await refusedFor(changed({ "identifier[0].system": "https://other.example" }), "prescription");
      await refusedFor(changed({ identifier: [rx, { ...rx, value: "308" }] }), "prescription");
      await refusedFor(changed({ identifier: undefined }), "prescription");
      await refusedFor(changed({ "extension[0].valueQuantity.value": 1 }), "fill");
      await refusedFor(changed({ "extension[0].url": "urn:other" }), "fill");
      await refusedFor(
        changed({ extension: [0, 1].map((value) => ({ url: fillExtension, valueInteger: value })) }),
        "fill",
      );
      await refusedFor(changed({ extension: undefined }), "fill");
      await refusedFor(changed({ whenPrepared: "2015-01-16T10:20:00Z" }), "date");
      await refusedFor(changed({ whenPrepared: "2015-01" }), "date");
      const ndc = { coding: [{ system: "http://hl7.org/fhir/sid/ndc", code: "0069-2587-10" }] };
      await refusedFor(changed({ medicationCodeableConcept: ndc, medicationReference: undefined }), "product");
    });

    it("all of it at once", async () => {
      const other = changed({
        "identifier[0].value": "308",
        subject: undefined,
        extension: undefined,
        whenPrepared: "2014",
      });
      await refusedFor(other, "patient", "prescription", "fill", "date");
    });

    it("the prescription number where the prescription has it", async () => {
      const identifier = { system: systems.prescriptionSystem, value: "307" };
      const prescription = { resourceType: "MedicationRequest", id: "rx", identifier: [identifier] };
      for (const changes of [
        { authorizingPrescription: [{ reference: "MedicationRequest/1", identifier }] },
        { authorizingPrescription: [{ reference: "#rx" }], contained: [prescription] },
      ]) {
        server.on(
          reference,
          answering(200, changed({ identifier: undefined, medicationReference: undefined, ...changes })),
        );
        expect((await ask()).outcome, JSON.stringify(changes)).to.equal("report");
      }
    });

    it("another pharmacy, or none where the server speaks for several", async () => {
      await refusedFor(changed({ ...organization("1679576722") }), "provider");
      server.on(reference, answering(200, changed({ ...organization(npi) })));
      expect((await ask({}, { npis: [npi, "1679576722"] })).outcome).to.equal("report");
      server.serve(dispense);
      expect((await ask({}, { npis: [npi, "1679576722"] })).outcome).to.equal("refused");
    });
  });

  it("asks for a token: gets it, and nobody else does", async () => {
    server.serve(dispense);
    expect((await ask({}, { tokenSecret: "PHARMACY" }, { PHARMACY: "t0ken", OTHER: "other" })).outcome).to.equal(
      "report",
    );
    expect(server.authorizations.splice(0)).to.deep.equal(["Bearer t0ken", "Bearer t0ken"]);
    await ask({}, {}, { PHARMACY: "t0ken" });
    expect(server.authorizations.splice(0)).to.deep.equal([undefined, undefined]);
  });
});
