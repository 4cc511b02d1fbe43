import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";

import variant from "@jitl/quickjs-wasmfile-release-sync";
import { expect } from "chai";
import { newQuickJSWASMModuleFromVariant, type QuickJSContext } from "quickjs-emscripten-core";

import { conclude, prepare, readSettings, type Answer } from "../../workflows/claim-events/core";
import { laboratory, pharmacy } from "../sdk/claimBatchFixture";

import { bundle, type Bundle } from "./bundle";
import { batchOf, dispenseOf, fillOf, observedAt, reportOf, requestOf, settingsOf, testOf } from "./world";

/** The core as a function from text to text, errors included. */
const entry = `
  import "./workflows/claim-events/shim";
  import { conclude, prepare, readSettings } from "./workflows/claim-events/core";
  globalThis.answer = (input) => {
    const { request, settings, passes, now } = JSON.parse(input);
    try {
      return JSON.stringify(conclude(prepare(request, readSettings(settings)), passes, now));
    } catch (thrown) {
      return JSON.stringify(thrown);
    }
  };
`;

interface Input {
  request: unknown;
  settings: object;
  passes: Answer[][];
  now: number;
}

describe("claim events bundle", () => {
  let bundled: Bundle;
  let context: QuickJSContext;

  before(async () => {
    bundled = await bundle(entry, "iife");
    context = (await newQuickJSWASMModuleFromVariant(variant)).newContext();
    context.unwrapResult(context.evalCode(bundled.text)).dispose();
  });
  after(() => context.dispose());

  const inNode = ({ request, settings, passes, now }: Input): string => {
    try {
      return JSON.stringify(conclude(prepare(request, readSettings(settings)), passes, now));
    } catch (thrown) {
      return JSON.stringify(thrown);
    }
  };

  const inQuickJs = (input: Input): string => {
    const text = context.newString(JSON.stringify(input));
    const answer = context.getProp(context.global, "answer");
    const result = context.unwrapResult(context.callFunction(answer, context.undefined, text));
    const said = context.getString(result);
    [text, answer, result].forEach((handle) => handle.dispose());
    return said;
  };

  const answerOf = (resource: unknown): Answer => ({
    status: 200,
    contentType: "application/fhir+json",
    etag: 'W/"1"',
    body: JSON.stringify(resource),
  });

  it("imports nothing, Node's modules least of all, and nothing of Chainlink's", () => {
    expect(bundled.imports).to.deep.equal([]);
    const asked = [...bundled.text.matchAll(/(?:\brequire\(|\bfrom |\bimport\()\s*"([^"]+)"/g)].map(
      ([, name = ""]) => name,
    );
    expect(asked.filter((name) => name.startsWith("node:") || builtinModules.includes(name))).to.deep.equal([]);
    expect(bundled.inputs.filter((path) => path.includes("@chainlink"))).to.deep.equal([]);
  });

  it("is no part of what is published, which depends on nothing of Chainlink's", () => {
    const read = (path: string): Record<string, object> =>
      JSON.parse(readFileSync(join(__dirname, "..", "..", path), "utf8")) as Record<string, object>;
    const { dependencies, peerDependencies } = read("sdk/package.json");
    const names = Object.keys({ ...dependencies, ...peerDependencies });
    expect(names.filter((name) => name.startsWith("@chainlink"))).to.deep.equal([]);
    expect(read("package.json")["workspaces"]).to.deep.equal(["sdk"]);
  });

  it("says in QuickJS, without any global of a browser, what it says in Node", async () => {
    const names = ["meddisp0301", "meddisp0304", "meddisp0305", "meddisp0307", "meddisp0313", "meddisp0324"];
    const dispenses = names.map((name) => dispenseOf(name));
    const built = await batchOf([
      ...dispenses.map((dispense) =>
        fillOf(dispense, dispense.id === "meddisp0324" ? { quantityDispensed: "90.5" } : {}),
      ),
      testOf("38269-7", "2008-06-17"),
    ]);
    const lines = Object.fromEntries(
      names.map((name) => [`A-${name}`, { resource: `MedicationDispense/${name}`, subject: "Patient/pat1" }]),
    );
    const asked = { settings: settingsOf("https://pharmacy.example/fhir"), now: observedAt };
    const request = requestOf(built, pharmacy, lines);
    const answers = dispenses.map(answerOf);
    const report = requestOf(built, laboratory, {
      "L-1": { resource: "DiagnosticReport/102", subject: "Patient/pat2" },
    });
    const inputs: Input[] = [
      { ...asked, request, passes: [answers, answers] },
      { ...asked, request, passes: [answers, [...answers].reverse()] },
      { ...asked, request, passes: [answers.map(() => ({ failed: "unreachable" }))] },
      { ...asked, request, passes: [answers.map(() => ({ ...answers[0], body: "{" }) as Answer)] },
      { ...asked, request: report, passes: [[answerOf(reportOf("102", { conclusion: "näher 𝔘\u2028" }))]] },
      { ...asked, request: report, passes: [[answerOf(reportOf("102", { subject: { reference: "Patient/1" } }))]] },
      { ...asked, request: { ...request, salt: "0x" }, passes: [] },
      { ...asked, request: { ...request, parts: report.parts }, passes: [] },
      { ...asked, request: { ...request, parts: [{ ...request.parts[0], payee: 1 }] }, passes: [] },
    ];
    const said = inputs.map(inNode);
    const outcomes = said.map((text) => {
      const { outcome, code } = JSON.parse(text) as { outcome?: string; code?: string };
      return outcome ?? code;
    });
    expect(outcomes).to.deep.equal([
      "report",
      "retry",
      "retry",
      "retry",
      "report",
      "refused",
      "INPUT_INVALID",
      "INPUT_INVALID",
      "FILE_MALFORMED",
    ]);
    expect(inputs.map(inQuickJs)).to.deep.equal(said);
  });
});
