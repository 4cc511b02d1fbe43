import { expect } from "chai";
import fc from "fast-check";

import { isCarepactError } from "../../sdk/src/errors";
import {
  eventReasons,
  eventResult,
  eventRules,
  lineResultOf,
  type DispenseTerms,
  type EventResource,
  type FhirVersion,
} from "../../sdk/src/fhir";
import { SEED } from "../support/arbitraries";

import { done, types } from "./fhirEventResources";

describe("whatever an event says", () => {
  const paying = ["completed", "final", "amended", "corrected", "appended"];
  const amounts = fc.bigInt(1n, (1n << 86n) - 1n);
  const line = amounts.chain((amount) =>
    fc.record({ amount: fc.constant(amount), paid: fc.option(fc.bigInt(0n, amount), { nil: undefined }) }),
  );
  const quantity = fc.integer({ min: 1, max: 100_000 }).map((cents) => cents / 100);
  const terms = fc
    .record({ line, billed: fc.option(quantity, { nil: undefined }), handOverRequired: fc.boolean() })
    .map(({ line: { amount, paid }, billed, handOverRequired }): DispenseTerms => ({
      amount,
      handOverRequired,
      ...(paid === undefined ? {} : { paid }),
      ...(billed === undefined ? {} : { billed: { value: billed } }),
    }));
  const event = fc.constantFrom<FhirVersion>("R4", "R5").chain((version) =>
    fc.constantFrom(...types).chain((type) =>
      fc
        .record({
          status: fc.constantFrom(...Object.keys(eventRules[version][type].statuses)),
          quantity: fc.option(
            quantity.map((value) => ({ value })),
            { nil: undefined },
          ),
          whenHandedOver: fc.option(fc.constant("2026-01-15"), { nil: undefined }),
          primarySource: fc.option(fc.boolean(), { nil: undefined }),
          isSubpotent: fc.option(fc.boolean(), { nil: undefined }),
          reportedBoolean: fc.option(fc.boolean(), { nil: undefined }),
          intent: fc.constantFrom("order", "filler-order", "plan"),
        })
        .map((change) => ({ version, resource: { ...done[type], ...change } as EventResource })),
    ),
  );

  it("never pays more than the line, and nothing unless it is met or partly met by a status that pays", () => {
    fc.assert(
      fc.property(event, terms, ({ version, resource }, given) => {
        const result = eventResult(resource, given, { fhirVersion: version });
        expect(eventReasons).to.have.property(result.reason);
        expect("amount" in result).to.equal(["met", "partlyMet"].includes(result.result));
        if (!("amount" in result)) return;
        expect(paying).to.include(resource.status);
        expect(result.amount > 0n && result.amount <= given.amount).to.equal(true);
        expect(result.result === "met").to.equal(result.amount === given.amount);
        // What is attested is what was said: nothing that would pay another amount.
        expect(lineResultOf(result)).to.deep.include({ result: result.result });
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("is a correction whenever it differs from what was paid, and whenever it is void after payment", () => {
    fc.assert(
      fc.property(event, terms, ({ version, resource }, given) => {
        const { paid } = given;
        const result = eventResult(resource, given, { fhirVersion: version });
        if (paid === undefined) {
          expect(result.result).not.to.equal("correction");
          return;
        }
        if (result.result === "correction") {
          expect(result.paid).to.equal(paid);
          expect(result.due === undefined || result.due <= given.amount).to.equal(true);
        } else if (result.result !== "pending") expect("amount" in result ? result.amount : 0n).to.equal(paid);
        if (paid > 0n && resource.status === "entered-in-error")
          expect(result).to.deep.equal({ result: "correction", paid, due: 0n, reason: "changed-after-settlement" });
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("is answered with a documented reason or a CarepactError, whatever it is", () => {
    const garbage = fc.record({
      resourceType: fc.constantFrom(...types),
      status: fc.oneof(fc.constantFrom("completed", "final", "stopped"), fc.anything()),
      whenHandedOver: fc.oneof(fc.constant("2026-01-15"), fc.anything()),
      quantity: fc.oneof(fc.record({ value: fc.double(), code: fc.anything() }), fc.anything()),
      type: fc.anything(),
      code: fc.anything(),
      primarySource: fc.anything(),
      reportedBoolean: fc.anything(),
    });
    fc.assert(
      fc.property(fc.oneof(garbage, fc.anything()), (value) => {
        try {
          const result = eventResult(value as EventResource, { amount: 1000n, billed: { value: 3 } });
          expect(eventReasons).to.have.property(result.reason);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});
