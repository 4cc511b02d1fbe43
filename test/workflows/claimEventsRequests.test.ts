import { expect } from "chai";

import type { BuiltClaimBatch, ClaimBatchPart, DispenseIdentity } from "../../sdk/src/claims";
import { prepare, readSettings, type ClaimEventsRequest } from "../../workflows/claim-events/core";
import { laboratory, payer, pharmacy } from "../sdk/claimBatchFixture";
import { refused } from "../sdk/refused";

import { batchOf, dispenseOf, fillOf, npi, requestOf, salt, settingsOf, testOf, workflowRulebook } from "./world";

const baseUrl = "https://pharmacy.example/fhir";

describe("claim events request", () => {
  const line = { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" };
  const settings = readSettings(settingsOf(baseUrl));
  let built: BuiltClaimBatch;
  let request: ClaimEventsRequest;

  before(async () => {
    built = await batchOf([
      fillOf(dispenseOf("meddisp0307")),
      fillOf(dispenseOf("meddisp0304")),
      testOf("38269-7", "2008-06-17"),
    ]);
    request = requestOf(built, pharmacy, { "A-meddisp0307": line });
  });

  const refusedAt = (path: string, changes: object, withSettings: object = settings): void => {
    const error = refused("INPUT_INVALID", () => prepare({ ...request, ...changes }, withSettings as typeof settings));
    expect(error.details).to.deep.include({ path });
  };
  const lineWith = (changes: object): object => ({ lines: [{ ...request.lines[0], ...changes }] });

  it("says what is to be read, at the server that the settings name", () => {
    const tokenSecret = "PHARMACY";
    const { reads, groups } = prepare(request, readSettings(settingsOf(baseUrl, {}, { tokenSecret })));
    expect(reads).to.deep.equal([{ line: request.lines[0]?.line, url: `${baseUrl}/${line.resource}`, tokenSecret }]);
    expect(groups).to.have.length(1);
    expect(groups[0]).to.include({ batchId: built.batchId, payee: pharmacy });
  });

  it("is refused with a part that the batch does not commit to", () => {
    const part = request.parts[0] as ClaimBatchPart;
    const [first, second] = part.lines as [ClaimBatchPart["lines"][0], ClaimBatchPart["lines"][0]];
    const changed: ClaimBatchPart[] = [
      { ...part, lines: [{ ...first, event: { ...(first.event as DispenseIdentity), fillNumber: 1 } }, second] },
      { ...part, lines: [{ ...first, detail: { ...first.detail, quantity: { value: "1" } } }, second] },
      { ...part, lines: [second, first] },
      { ...part, claims: [...part.claims].reverse() },
      { ...part, linesSalt: salt },
      { ...part, payee: laboratory },
    ];
    for (const other of changed) refused("FILE_TAMPERED", () => prepare({ ...request, parts: [other] }, settings));
    const amounts = part.amounts.map((amount) => `${amount}0`);
    refused("GROUPS_DO_NOT_SUM", () => prepare({ ...request, parts: [{ ...part, amounts }] }, settings));
    refused("FILE_NOT_FOR_PAYEE", () => prepare({ ...request, parts: [{ ...part, payee: payer }] }, settings));
    refused("FILE_TAMPERED", () => prepare({ ...request, file: { ...request.file, chainId: 1 } }, settings));
    refused("FILE_MALFORMED", () => prepare({ ...request, file: undefined }, settings));
  });

  it("is refused for another chain or escrow than the workflow reports to", () => {
    refusedAt("request.file", {}, { ...settings, chainId: 1 });
    refusedAt("request.file", {}, { ...settings, escrow: payer });
  });

  it("is refused for a batch whose rulebook takes no workflow's word, or no such event", async () => {
    const requestUnder = async (rulebook: typeof workflowRulebook): Promise<object> =>
      requestOf(await batchOf([fillOf(dispenseOf("meddisp0307"))], { rulebook }), pharmacy, { "A-meddisp0307": line });
    const none = { id: `0x${"00".repeat(32)}`, owner: payer, name: `0x${"00".repeat(10)}` };
    refusedAt("request.file.rulebook", await requestUnder({ ...workflowRulebook, workflow: none }));
    refusedAt("request.lines[0].resource", await requestUnder({ ...workflowRulebook, eventKinds: 2 }));
  });

  it("is refused for a line that is none, or that says nothing about where it is reported", () => {
    for (const index of [request.parts[0]?.firstLine === 0 ? 2 : 0, -1, "0", undefined])
      refusedAt("request.lines[0].line", lineWith({ line: index }));
    for (const resource of [
      "DiagnosticReport/102",
      "MedicationDispense",
      "MedicationDispense/",
      "MedicationDispense/1/_history/1",
      "MedicationDispense/../Patient/1",
      "MedicationDispense/1?_format=xml",
      "https://elsewhere.example/fhir/MedicationDispense/1",
      "",
      undefined,
    ])
      refusedAt("request.lines[0].resource", lineWith({ resource }));
    for (const subject of [undefined, "pat1", 1, ""]) refusedAt("request.lines[0].subject", lineWith({ subject }));
    refusedAt("request.lines[0]", lineWith({ url: baseUrl }));
    refusedAt("request.lines[0]", { lines: [0] });
  });

  it("is refused for a provider that no server speaks for, or whose numbers nobody could tell", () => {
    const server = (changes: object): object => readSettings(settingsOf(baseUrl, {}, changes));
    refusedAt("request.lines[0].line", {}, server({ npis: ["1679576722"] }));
    refusedAt("request.lines[0].line", {}, server({ prescriptionSystem: undefined }));
    const tests = requestOf(built, laboratory, {
      "L-1": { resource: "DiagnosticReport/102", subject: "Patient/pat2" },
    });
    refusedAt("request.lines[0].line", tests, server({ accessionSystem: undefined }));
    refusedAt("request.lines[0].line", tests, server({ procedureSystems: [] }));
  });

  it("is refused when one resource is to pay two lines, or a line comes twice", () => {
    const both = requestOf(built, pharmacy, { "A-meddisp0307": line, "A-meddisp0304": line });
    refusedAt("request.lines", both);
    const other = { ...request.lines[0], resource: "MedicationDispense/meddisp0304" };
    refusedAt("request.lines", { lines: [request.lines[0], other] });
  });

  it("is refused without a part, or with one twice", () => {
    for (const parts of [undefined, [], request.parts[0]]) refusedAt("request.parts", { parts });
    refusedAt("request.parts", { parts: [request.parts[0], request.parts[0]] });
  });

  it("is refused when it is none: form, salt, number of lines, time, or something more", () => {
    for (const value of [
      undefined,
      null,
      [],
      "request",
      { ...request, version: 2 },
      { ...request, carepact: "claim-batch" },
    ])
      refused("INPUT_INVALID", () => prepare(value, settings));
    for (const wrong of [undefined, "0x", salt.slice(0, -2), 5]) refusedAt("request.salt", { salt: wrong });
    for (const lines of [undefined, [], Array<object>(7).fill(request.lines[0] as object)])
      refusedAt("request.lines", { lines });
    for (const validUntil of [0, -1, 1.5, 2 ** 40, "1"]) refusedAt("request.validUntil", { validUntil });
    refusedAt("request", { baseUrl });
  });
});

describe("claim events settings", () => {
  it("are filled in", () => {
    expect(readSettings(settingsOf(baseUrl))).to.deep.include({
      handOverRequired: true,
      readsEach: 2,
      mostLines: 6,
      maxBytes: 250_000,
      timeoutMs: 10_000,
      roundTo: 60,
    });
    const [server] = readSettings(settingsOf(baseUrl)).servers;
    expect(server).to.deep.include({ baseUrl, fhirVersion: "R4", npis: [npi], providers: [] });
  });

  it("are refused where they would not do what they say", () => {
    const cases: [path: string, changes: object][] = [
      ["settings.chainId", { chainId: "1" }],
      ["settings.escrow", { escrow: "0x00" }],
      ["settings.handOverRequired", { handOverRequired: "no" }],
      ["settings.readsEach", { readsEach: 3 }],
      ["settings.mostLines", { mostLines: 0 }],
      ["settings.timeoutMs", { timeoutMs: 0.5 }],
      ["settings.servers", { servers: {} }],
      ["settings.servers[0]", { servers: ["https://pharmacy.example"] }],
    ];
    for (const [path, changes] of cases)
      expect(refused("INPUT_INVALID", () => readSettings(settingsOf(baseUrl, changes))).details).to.deep.equal({
        path,
      });
    refused("INPUT_INVALID", () => readSettings(undefined));
  });

  it("take https alone, but for this machine, and no address that a reference could be bent with", () => {
    const read = (url: unknown): unknown => readSettings(settingsOf(baseUrl, {}, { baseUrl: url }));
    for (const url of [
      "https://a.example",
      "https://a.example:8443/fhir/r4",
      "http://127.0.0.1:8080/fhir",
      "http://localhost",
    ])
      read(url);
    for (const url of [
      "http://a.example/fhir",
      "http://127.0.0.1.a.example/fhir",
      "http://localhost@a.example/fhir",
      "https://user@a.example/fhir",
      "https://a.example/fhir/",
      "https://a.example/fhir?x=",
      "https://a.example/fhir#",
      "https://",
      "ftp://a.example",
      undefined,
    ])
      expect(refused("INPUT_INVALID", () => read(url)).details).to.deep.equal({ path: "settings.servers[0].baseUrl" });
  });

  it("are refused when two servers speak for one provider", () => {
    const server = (settingsOf(baseUrl) as { servers: object[] }).servers[0] as object;
    const servers = [server, { ...server, baseUrl: "https://other.example/fhir", clias: [] }];
    const error = refused("INPUT_INVALID", () => readSettings(settingsOf(baseUrl, { servers })));
    expect(error.details).to.deep.equal({ path: "settings.servers" });
  });

  it("are refused for a server whose parts are of another kind", () => {
    for (const [name, value] of [
      ["fhirVersion", "R3"],
      ["npis", npi],
      ["npis[0]", 5],
      ["clias", {}],
      ["prescriptionSystem", ""],
      ["fillExtension", 1],
      ["tokenSecret", {}],
    ] as const) {
      const [field = ""] = name.split("[");
      const changes = { [field]: name.includes("[") ? [value] : value };
      const error = refused("INPUT_INVALID", () => readSettings(settingsOf(baseUrl, {}, changes)));
      expect(error.details, name).to.deep.equal({ path: `settings.servers[0].${name}` });
    }
  });
});
