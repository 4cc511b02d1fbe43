import { expect } from "chai";
import fc from "fast-check";

import { memoryLedger, type AttestationLedger } from "@carepact/sdk/oracles";

import { SEED } from "../support/arbitraries";
import { runs } from "../support/consents";

import { modelLedger, stepsOn, type Step } from "./ledgerModel";
import { attestedOf, batchNamed, ledgerFolder, lineOf, placeOf, type LedgerFolder, type Terms } from "./ledgers";

let folder: LedgerFolder;
before(() => {
  folder = ledgerFolder();
});
after(() => folder.remove());

const ledgers: Record<string, () => AttestationLedger> = {
  "in a database file": () => folder.open(),
  "in memory": memoryLedger,
};

/** Asks a ledger for these lines, and gives why it refused them; nothing if it did not. */
async function reasonsOf(ledger: AttestationLedger, lines: Terms[], coordinatesWith: string[] = []): Promise<string[]> {
  const conflicts = await ledger.claim(lines.map(lineOf), coordinatesWith.map(batchNamed));
  return conflicts.map(({ reason }) => reason);
}

async function claimed(ledger: AttestationLedger, lines: Terms[], coordinatesWith: string[] = []): Promise<void> {
  expect(await reasonsOf(ledger, lines, coordinatesWith)).to.deep.equal([]);
}

for (const [where, make] of Object.entries(ledgers))
  describe(`A ledger of attested events, ${where}`, () => {
    let ledger: AttestationLedger;
    beforeEach(() => {
      ledger = make();
    });

    describe("given an event that was attested", () => {
      beforeEach(() => claimed(ledger, [{}]));

      it("takes the same line of the same batch again: who crashed before signing signs then", async () => {
        await claimed(ledger, [{}]);
        await claimed(ledger, [{ at: 1_900_000_000 }]);
        expect(await ledger.attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
      });

      it("refuses it to the same payer, in whatever batch, line or spelling, and whatever is named", async () => {
        const again: Terms[] = [{ batch: "later" }, { line: 1 }, { group: 1 }, { amount: 1n, batch: "less" }];
        for (const line of again) {
          expect(await reasonsOf(ledger, [line])).to.deep.equal(["samePayer"]);
          expect(await reasonsOf(ledger, [line], ["one"])).to.deep.equal(["samePayer"]);
        }
        const spelt = { ...lineOf({ batch: "later" }), payer: lineOf().payer.toUpperCase().replace("0X", "0x") };
        expect((await ledger.claim([spelt])).map(({ reason }) => reason)).to.deep.equal(["samePayer"]);
      });

      it("says which line and where it was attested before", async () => {
        expect(await ledger.claim([lineOf({ batch: "later", group: 3, line: 7, at: 1_900_000_000 })])).to.deep.equal([
          { group: 3, line: 7, reason: "samePayer", earlier: [attestedOf()] },
        ]);
      });

      it("refuses it to another payer whose batch was not named", async () => {
        expect(await reasonsOf(ledger, [{ payer: "two" }])).to.deep.equal(["notCoordinated"]);
        expect(await reasonsOf(ledger, [{ payer: "two", others: 9_000n }], ["three"])).to.deep.equal([
          "notCoordinated",
        ]);
      });

      it("takes other events of the same payer, and of others", async () => {
        await claimed(ledger, [{ event: "2" }, { event: "3", line: 1 }]);
        await claimed(ledger, [{ event: "4", payer: "two" }]);
      });

      it("records nothing of a batch of which one line is a duplicate", async () => {
        expect(
          await reasonsOf(ledger, [
            { event: "2", batch: "later" },
            { batch: "later", line: 1 },
          ]),
        ).to.deep.equal(["samePayer"]);
        expect(await ledger.attested(lineOf({ event: "2" }).eventKey)).to.deep.equal([]);
      });

      it("takes it in another batch once it was released", async () => {
        expect(
          await ledger.release([placeOf({ batch: "later" }), placeOf({ line: 1 }), placeOf({ event: "2" })]),
        ).to.equal(0);
        expect(await reasonsOf(ledger, [{ batch: "later" }])).to.deep.equal(["samePayer"]);
        expect(await ledger.release([placeOf(), placeOf()])).to.equal(1);
        expect(await ledger.attested(lineOf().eventKey)).to.deep.equal([]);
        await claimed(ledger, [{ batch: "later" }]);
        expect(await reasonsOf(ledger, [{}])).to.deep.equal(["samePayer"]);
      });

      it("keeps the most that was attested for the line", async () => {
        await claimed(ledger, [{ amount: 3_000n }]);
        expect(await ledger.attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
        await claimed(ledger, [{ amount: 5_000n, plan: 4_000n, others: 1_000n }]);
        expect((await ledger.attested(lineOf().eventKey)).map(({ amount }) => amount)).to.deep.equal([5_000n]);
      });
    });

    it("refuses one event in two lines of one batch", async () => {
      expect(await reasonsOf(ledger, [{}, { line: 1 }, { group: 1, event: "2" }])).to.deep.equal(["samePayer"]);
      expect(await ledger.attested(lineOf().eventKey)).to.deep.equal([]);
    });

    it("takes nothing at all", async () => {
      await claimed(ledger, []);
      expect(await ledger.release([])).to.equal(0);
    });

    describe("asked when results may be said to be observed", () => {
      const batch = batchNamed("observed");

      it("takes the time that it is told, of results that are the first of their batch", async () => {
        expect(await ledger.observe(batch, "0x01", 1_000)).to.equal(1_000);
        expect(await ledger.observe(batchNamed("another"), "0x02", 1_000)).to.equal(1_000);
      });

      it("takes the same results again, in whatever spelling, but never for an earlier time than they were said last", async () => {
        await ledger.observe(batch, "0xab", 1_000);
        expect(await ledger.observe(batch.toUpperCase().replace("0X", "0x"), "0xAB", 1_000)).to.equal(1_000);
        expect(await ledger.observe(batch, "0xab", 1_005)).to.equal(1_005);
        expect(await ledger.observe(batch, "0xab", 900)).to.equal(1_005);
      });

      it("lets no two different results have one time, whatever order they come in", () =>
        fc.assert(
          fc.asyncProperty(
            fc.array(fc.tuple(fc.constantFrom("0x01", "0x02", "0x00"), fc.integer({ min: 1, max: 6 })), {
              maxLength: 12,
            }),
            async (asked) => {
              const fresh = make();
              const said = new Map<number, string>();
              for (const [results, wanted] of asked) {
                const at = await fresh.observe(batch, results, wanted);
                expect(at).to.be.at.least(wanted);
                expect(said.get(at) ?? results).to.equal(results);
                said.set(at, results);
              }
            },
          ),
          { seed: SEED, numRuns: runs(30) },
        ));
    });

    describe("given payers who coordinate benefits", () => {
      // Allowed are 55.00, of which the first payer pays 40.00 and the second one what is left.
      const second: Terms = { payer: "two", amount: 1_500n, others: 4_000n };
      beforeEach(() => claimed(ledger, [{}]));

      it("takes the second up to what both pay together", async () => {
        await claimed(ledger, [second], ["one"]);
        expect(await ledger.attested(lineOf().eventKey)).to.have.deep.members([attestedOf(), attestedOf(second)]);
      });

      it("takes them in the other order, too", async () => {
        const other = make();
        await claimed(other, [second]);
        await claimed(other, [{}], ["two"]);
      });

      it("takes a third that knows of both", async () => {
        await claimed(ledger, [second], ["one"]);
        const third: Terms = { payer: "three", amount: 500n, others: 5_500n };
        expect(await reasonsOf(ledger, [third], ["one"])).to.deep.equal(["notCoordinated"]);
        await claimed(ledger, [third], ["one", "two"]);
      });

      it("refuses a cent more, and leaves the ledger as it is", async () => {
        expect(await reasonsOf(ledger, [{ ...second, amount: 1_501n, plan: 1_500n }], ["one"])).to.deep.equal([
          "aboveTotal",
        ]);
        expect(await ledger.attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
      });

      it("refuses two payers who each decided as if there was no other", async () => {
        expect(await reasonsOf(ledger, [{ payer: "two", amount: 1n }], ["one"])).to.deep.equal(["aboveTotal"]);
      });

      it("refuses the second batch of a payer that coordinates", async () => {
        await claimed(ledger, [second], ["one"]);
        const more: Terms = { ...second, batch: "more", amount: 1n, others: 9_000n };
        expect(await reasonsOf(ledger, [more], ["one", "two"])).to.deep.equal(["samePayer"]);
      });

      it("takes a line again without naming anybody, when others came after it", async () => {
        await claimed(ledger, [second], ["one"]);
        await claimed(ledger, [{}]);
        expect(await reasonsOf(ledger, [{ amount: 4_001n }])).to.deep.equal(["notCoordinated"]);
        expect(await reasonsOf(ledger, [{ amount: 4_001n }], ["two"])).to.deep.equal(["aboveTotal"]);
      });

      it("compares amounts of tokens with different decimals", async () => {
        const fine = { payer: "two", decimals: 18, others: 40n * 10n ** 18n, plan: 15n * 10n ** 18n };
        const most = 15n * 10n ** 18n;
        expect(await reasonsOf(ledger, [{ ...fine, amount: most + 1n }], ["one"])).to.deep.equal(["aboveTotal"]);
        await claimed(ledger, [{ ...fine, amount: most }], ["one"]);
      });

      it("refuses what it cannot add: another currency", async () => {
        expect(await reasonsOf(ledger, [{ ...second, currency: "EUR" }], ["one"])).to.deep.equal(["otherCurrency"]);
      });

      it("takes batch ids in whatever spelling", async () => {
        const named = batchNamed("one").toUpperCase().replace("0X", "0x");
        expect(await ledger.claim([lineOf(second)], [named])).to.deep.equal([]);
      });
    });

    it("does what a plain list of all lines would do, and never pays an event twice", async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (given) => {
          const [under, model] = [make(), modelLedger()];
          expect(await stepsOn(under, given)).to.deep.equal(await stepsOn(model, given));
        }),
        { seed: SEED, numRuns: runs(60) },
      );
    });
  });

const few = (most: number) => fc.integer({ min: 0, max: most });

const line: fc.Arbitrary<Terms> = fc
  .record({ event: few(2), payer: few(2), batch: few(1), line: few(1), amount: few(6), plan: few(6), others: few(8) })
  .map(({ event, payer, batch, line, amount, plan, others }) => ({
    event: String(event),
    payer: String(payer),
    batch: `${payer}/${batch}`,
    line,
    amount: BigInt(amount + 1),
    plan: BigInt(plan + 1),
    others: BigInt(others),
  }));

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        claim: fc.array(line, { minLength: 1, maxLength: 3 }),
        coordinatesWith: fc.subarray(["0/0", "0/1", "1/0", "1/1", "2/0", "2/1"]),
      }),
    },
    { weight: 1, arbitrary: fc.record({ release: fc.array(line, { minLength: 1, maxLength: 3 }) }) },
  ),
  { minLength: 1, maxLength: 25 },
);
