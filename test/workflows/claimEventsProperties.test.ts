import { expect } from "chai";
import fc from "fast-check";

import {
  conclude,
  prepare,
  readSettings,
  type Answer,
  type Conclusion,
  type Prepared,
} from "../../workflows/claim-events/core";
import { pharmacy, valueAt } from "../sdk/claimBatchFixture";
import { pathsOf, withElements } from "../sdk/hl7";

import type { Resource } from "./fhirServer";
import { batchOf, dispenseOf, fillOf, observedAt, requestOf, settingsOf } from "./world";

describe("claim events properties", () => {
  const dispense = dispenseOf("meddisp0304");
  let prepared: Prepared;

  before(async () => {
    const built = await batchOf([fillOf(dispense)]);
    const line = { resource: "MedicationDispense/meddisp0304", subject: "Patient/pat1" };
    const request = requestOf(built, pharmacy, { "A-meddisp0304": line });
    prepared = prepare(request, readSettings(settingsOf("https://pharmacy.example/fhir")));
  });

  const answer = (resource: unknown, text = JSON.stringify(resource)): Answer => ({
    status: 200,
    contentType: "application/fhir+json",
    body: text,
  });
  const concluding = (...answers: Answer[]): Conclusion =>
    conclude(
      prepared,
      answers.map((entry) => [entry]),
      observedAt,
    );
  const isMet = (conclusion: Conclusion): boolean =>
    conclusion.outcome === "report" &&
    conclusion.lines.some(({ result }) => result === "met" || result === "partlyMet");

  it("pays the resource as it is", () => {
    expect(isMet(concluding(answer(dispense), answer(dispense)))).to.equal(true);
  });

  it("never pays when anything that the line is told by was changed or left out", () => {
    const guarded = [
      "resourceType",
      "id",
      "status",
      "subject",
      "subject.reference",
      "identifier",
      "identifier[0]",
      "identifier[0].system",
      "identifier[0].value",
      "extension",
      "extension[0]",
      "extension[0].url",
      "extension[0].valueQuantity",
      "extension[0].valueQuantity.value",
      "whenPrepared",
      "whenHandedOver",
    ];
    const plausible = fc.constantFrom("", "Patient/pat2", "completed ", "305", 1, "2015-06-24", "2016-07-01", [], {}, [
      {},
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(...guarded),
        fc.option(fc.oneof(plausible, fc.jsonValue()), { nil: undefined }),
        (path, value) => {
          fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(dispense, path)));
          const changed = answer(withElements(dispense, { [path]: value }));
          expect(isMet(concluding(changed, changed)), `${path} = ${JSON.stringify(value)}`).to.equal(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("never reports when two reads differ in anything but metadata and narrative", () => {
    const paths = pathsOf(dispense).filter((path) => !/^(meta|text)\b/.test(path));
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.option(fc.jsonValue(), { nil: undefined }),
        fc.boolean(),
        (path, value, first) => {
          fc.pre(JSON.stringify(value) !== JSON.stringify(valueAt(dispense, path)));
          const [one, other] = [answer(dispense), answer(withElements(dispense, { [path]: value }))];
          const conclusion = first ? concluding(other, one) : concluding(one, other);
          expect(conclusion.outcome, path).to.equal("retry");
        },
      ),
      { numRuns: 500 },
    );
  });

  it("answers any answer with a conclusion, and pays for none", () => {
    const answers: fc.Arbitrary<Answer> = fc.oneof(
      fc.record({
        status: fc.oneof(fc.constant(200), fc.integer({ min: 100, max: 599 })),
        contentType: fc.oneof(fc.constant("application/fhir+json"), fc.string()),
        etag: fc.oneof(fc.constant('W/"1"'), fc.string()),
        body: fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ ...dispense, ...value, id: "" })),
        ),
      }),
      fc.constantFrom<Answer>({ failed: "unreachable" }, { failed: "timed-out" }, { failed: "too-large" }),
    );
    fc.assert(
      fc.property(answers, (any) => {
        expect(["nothing", "retry", "refused"]).to.include(concluding(any, any).outcome);
      }),
      { numRuns: 500 },
    );
  });

  it("gives ten nodes the same text, however the server writes and dates the same version for each", () => {
    const order = fc.infiniteStream(fc.nat());
    const reordered = (value: unknown, draw: () => number): unknown => {
      if (Array.isArray(value)) return value.map((entry) => reordered(entry, draw));
      if (typeof value !== "object" || value === null) return value;
      const entries = Object.entries(value).map(([name, entry]) => [draw(), [name, reordered(entry, draw)]] as const);
      return Object.fromEntries(entries.sort(([a], [b]) => a - b).map(([, entry]) => entry));
    };
    fc.assert(
      fc.property(order, fc.integer({ min: 0, max: 59 }), (stream, second) => {
        const draw = (): number => stream.next().value as number;
        const texts = Array.from({ length: 10 }, (_, node) => {
          const read = (): Answer => {
            const meta = { versionId: "3", lastUpdated: `2030-01-01T00:00:0${node}Z` };
            const told: Partial<Resource> = {
              ...dispense,
              meta,
              text: { status: "generated", div: `<div>${draw()}</div>` },
            };
            return answer(told, JSON.stringify(reordered(told, draw), null, node % 3));
          };
          const from = observedAt + ((second + node) % 60);
          return JSON.stringify(conclude(prepared, [[read()], [read()]], from));
        });
        expect(new Set(texts).size).to.equal(1);
        expect(texts[0]).to.include('"outcome":"report"');
      }),
      { numRuns: 30 },
    );
  });
});
