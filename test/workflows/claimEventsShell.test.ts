import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { expect } from "chai";

import type { BuiltClaimBatch } from "../../sdk/src/claims";
import { decodeReport } from "../../sdk/src/oracles";
import { readSettings, type Conclusion } from "../../workflows/claim-events/core";
import { runClaimEvents } from "../../workflows/claim-events/node";
import { escrow, payer, pharmacy } from "../sdk/claimBatchFixture";

import { bundle } from "./bundle";
import { FhirServer, type Resource } from "./fhirServer";
import { batchOf, dispenseOf, fillOf, observedAt, requestOf, settingsOf } from "./world";

interface SentRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

interface Ran {
  said?: string;
  error?: string;
  requests: SentRequest[];
  reports: { receiver: string; payload: string; gasLimit: string }[];
  logs: string[];
}

interface Around {
  config: Record<string, unknown>;
  secrets: Record<string, string>;
  now: number;
  serve: (request: SentRequest) => { status: number; headers: Record<string, string>; body: string } | undefined;
  delivers: boolean;
}

/** `main.harness.ts`, which is bundled: Chainlink's SDK cannot be loaded by Node as it is. */
interface Harness {
  runOnRequest(around: Around, request: unknown): Promise<Ran>;
  runOnSchedule(around: Around): Promise<Ran>;
  triggersOf(config: Record<string, unknown>): string[];
}

const requestsUrl = "https://payer.example/carepact/requests/next";
const publishUrl = "https://payer.example/carepact/statements";
const shell = join(__dirname, "..", "..", "workflows", "claim-events", "main.ts");

/** Loads a bundle in this process; Chainlink's test runtime hands what it runs to Bun, which is not here. */
function load<Module>(text: string): Module {
  const module = { exports: {} };
  const nodeRequire = createRequire(__filename);
  const required = (name: string): unknown =>
    name === "bun:test" ? { test: (_: string, run: () => unknown) => run() } : nodeRequire(name);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a bundle of this repository's own files
  const run = new Function("module", "exports", "require", text) as (m: object, e: object, r: object) => void;
  run(module, module.exports, required);
  return module.exports as Module;
}

describe("claim events shell", () => {
  const server = new FhirServer();
  const dispense = dispenseOf("meddisp0307");
  let harness: Harness;
  let built: BuiltClaimBatch;
  let request: object;
  let config: Record<string, unknown>;

  before(async () => {
    await server.start();
    const entry = `export * from "./workflows/claim-events/main.harness";`;
    const outside = ["bun:test", "node:async_hooks", "node:buffer", "node:url"];
    harness = load<Harness>((await bundle(entry, "cjs", outside)).text);
    built = await batchOf([fillOf(dispense)]);
    const line = { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" };
    request = requestOf(built, pharmacy, { "A-meddisp0307": line });
    config = {
      schedule: "0 */10 * * * *",
      requestsUrl,
      requestsTokenSecret: "PAYER",
      authorizedKeys: [payer],
      publishUrl,
      publishTokenSecret: "PAYER",
      chainSelectorName: "ethereum-testnet-sepolia",
      isTestnet: true,
      gasLimit: "250000",
      settings: settingsOf(server.base, {}, { tokenSecret: "PHARMACY" }),
    };
  });
  after(() => server.stop());

  /** The runtime asks and waits, so that what the FHIR server says is fetched ahead. */
  async function around(changes: Partial<Around> = {}, published = 201, next?: object): Promise<Around> {
    const response = await fetch(`${server.base}/MedicationDispense/meddisp0307`);
    const fhir = {
      status: response.status,
      headers: Object.fromEntries(response.headers.entries()),
      body: await response.text(),
    };
    const serve: Around["serve"] = ({ url }) =>
      url === publishUrl
        ? { status: published, headers: {}, body: "" }
        : url === requestsUrl
          ? {
              status: next === undefined ? 204 : 200,
              headers: {},
              body: next === undefined ? "" : JSON.stringify(next),
            }
          : fhir;
    return {
      config,
      secrets: { PHARMACY: "rx-token", PAYER: "payer-token" },
      now: observedAt,
      serve,
      delivers: true,
      ...changes,
    };
  }

  it("reads, publishes the statement, and reports its digest to the escrow", async () => {
    server.serve(dispense);
    const { said = "", error, requests, reports, logs } = await harness.runOnRequest(await around(), request);
    expect(error ?? "").to.equal("");

    const conclusion = JSON.parse(said) as Extract<Conclusion, { outcome: "report" }>;
    const url = `${server.base}/MedicationDispense/meddisp0307`;
    expect(requests.map((sent) => [sent.method, sent.url, sent.headers["authorization"]])).to.deep.equal([
      ["GET", url, "Bearer rx-token"],
      ["GET", url, "Bearer rx-token"],
      ["POST", publishUrl, "Bearer payer-token"],
    ]);
    expect(requests[2]?.body).to.equal(said);
    expect(reports).to.deep.equal([
      { receiver: escrow.toLowerCase(), payload: conclusion.payload, gasLimit: "250000" },
    ]);
    expect(decodeReport(conclusion.payload)).to.deep.include({
      batchId: built.batchId,
      digest: conclusion.digest,
      observedAt,
    });
    expect(logs.join(" ")).not.to.match(/pat1|rx-token|payer-token/);

    server.serve(dispense);
    const byNode = await runClaimEvents(request, readSettings(config["settings"]), { now: observedAt });
    expect(conclusion).to.deep.equal(byNode);
  });

  it("takes the next request that waits on its schedule, and does nothing when none does", async () => {
    server.serve(dispense);
    const idle = await harness.runOnSchedule(await around());
    expect(idle).to.deep.include({ said: '{"outcome":"idle"}', reports: [] });
    expect(idle.requests).to.have.length(1);
    expect(idle.requests[0]?.headers["authorization"]).to.equal("Bearer payer-token");

    const busy = await harness.runOnSchedule(await around({}, 201, request));
    expect(busy.reports).to.have.length(1);
  });

  it("reports nothing while nothing is final, a server fails, or a resource is another's", async () => {
    const cases: [Resource | undefined, string][] = [
      [dispenseOf("meddisp0307", { status: "in-progress" }), "nothing"],
      [dispenseOf("meddisp0307", { "subject.reference": "Patient/pat2" }), "refused"],
      [undefined, "retry"],
    ];
    for (const [resource, outcome] of cases) {
      if (resource !== undefined) server.serve(resource);
      const changes: Partial<Around> = resource === undefined ? { serve: () => undefined } : {};
      const { said = "{}", requests, reports } = await harness.runOnRequest(await around(changes), request);
      expect(JSON.parse(said)).to.deep.include({ outcome });
      expect(reports).to.deep.equal([]);
      expect(requests.some(({ method }) => method === "POST")).to.equal(false);
    }
  });

  it("fails without a report where the request is wrong, or the statement is not taken", async () => {
    server.serve(dispense);
    const wrong = await harness.runOnRequest(await around(), { ...request, salt: "0x" });
    expect(wrong.error).to.match(/request\.salt/);
    expect(wrong.reports).to.deep.equal([]);
    const untaken = await harness.runOnRequest(await around({}, 500), request);
    expect(untaken.error).to.match(/was not taken: status 500/);
    expect(untaken.reports).to.deep.equal([]);
    const unknown = await harness.runOnRequest(await around({ secrets: {} }), request);
    expect(unknown.error).to.match(/secret/);
    expect(unknown.requests).to.deep.equal([]);
  });

  it("fails where the chain does not take the report, and where Chainlink does not know the chain", async () => {
    server.serve(dispense);
    const reverted = await harness.runOnRequest(await around({ delivers: false }), request);
    expect(reverted.error).to.match(/was not delivered: out of gas/);
    const elsewhere = { ...config, chainSelectorName: "nowhere" };
    const unknown = await harness.runOnRequest(await around({ config: elsewhere }), request);
    expect(unknown.error).to.match(/knows no chain nowhere/);
    expect(unknown.reports).to.deep.equal([]);
  });

  it("starts by schedule and by request", () => {
    expect(harness.triggersOf(config)).to.deep.equal(["cron-trigger@1.0.0", "http-trigger@1.0.0-alpha"]);
  });

  for (const target of ["staging", "production"])
    it(`comes with a configuration for ${target} that it reads`, async () => {
      const text = readFileSync(join(dirname(shell), `config.${target}.json`), "utf8");
      const given = JSON.parse(text) as Record<string, unknown>;
      expect(harness.triggersOf(given)).to.have.length(2);
      const secrets = { PHARMACY_FHIR_TOKEN: "a", PAYER_TOKEN: "b" };
      const { said, error } = await harness.runOnSchedule(await around({ config: given, secrets }));
      expect(error ?? said).to.equal('{"outcome":"idle"}');
    });

  it("passes the checks of Chainlink's compiler: types, and nothing that its engine lacks", async () => {
    const checks = ["typecheck-workflow", "validate-workflow-runtime-compat", "validate-workflow-determinism"];
    const entry = checks
      .map((name) => `export * from "./node_modules/@chainlink/cre-sdk/scripts/src/${name}";`)
      .join("\n");
    const outside = ["typescript", "node:fs", "node:path"];
    const compiler = load<{
      assertWorkflowTypecheck(file: string): void;
      assertWorkflowRuntimeCompatibility(file: string): void;
      checkWorkflowDeterminism(file: string): unknown[];
    }>((await bundle(entry, "cjs", outside)).text);
    compiler.assertWorkflowRuntimeCompatibility(shell);
    expect(compiler.checkWorkflowDeterminism(shell)).to.deep.equal([]);
    compiler.assertWorkflowTypecheck(shell);
  }).timeout(120_000);
});
