import { expect } from "chai";
import fc from "fast-check";

import { replay } from "../../sdk/src/claims/remittance/replay";
import type { LineResult, OpenedGroup, RefundOrder } from "../../sdk/src/claims";

import { fill, tests } from "./claimBatchFixture";
import { refused } from "./refused";
import { CENT, Chain, clp, DOLLAR, groupOf, plb, remitted } from "./remittanceFixture";

const met = { result: "met" } as const;
const notMet = { result: "notMet" } as const;

describe("Remittance of what a chain's events say", () => {
  let group: OpenedGroup;
  let chain: Chain;
  before(async () => {
    group = await groupOf([fill("1", "90.00"), fill("2", "12.34"), fill("3", "20.00")]);
  });
  beforeEach(() => {
    chain = new Chain(group);
  });
  const total = 12_234n * CENT;

  describe("amounts paid", () => {
    it("follow the events: another amount in them is another amount in the remittance", () => {
      const remittanceOf = (part: bigint): string[] => {
        const events = new Chain(group);
        const lines: LineResult[] = [met, { result: "partlyMet", amount: part }, notMet];
        const paid = 90n * DOLLAR + part;
        events.settled({ result: "byLine", lines }, paid, total - paid);
        return clp(remitted([[group, events]]));
      };
      expect(remittanceOf(5n * DOLLAR)).to.deep.equal(["A-1 1 9000 9000", "A-2 1 1234 500", "A-3 4 2000 0"]);
      expect(remittanceOf(6n * DOLLAR)[1]).to.equal("A-2 1 1234 600");
    });

    for (const [what, change] of [
      ["settled", { paid: total - 1n, freed: 0n }],
      ["freed", { paid: total, freed: 1n }],
    ] as const)
      it(`are refused when one that was ${what} is not what lines come to`, () => {
        chain.settled(met, change.paid, change.freed);
        const error = refused("REMITTANCE_MISMATCH", () => remitted([[group, chain]]));
        expect(error.details).to.include({ batchId: group.batchId, payee: group.payee, txHash: error.txHash! });
        expect(error.details).to.have.all.keys("batchId", "payee", "txHash", "what", "lines", "reported");
      });

    it("are refused when lines were reversed, presented or ruled on for other amounts", () => {
      const cases: [string, Record<string, unknown>][] = [
        ["LinesReversed", { amount: 1n, lines: [0n] }],
        ["LinesPresented", { firstLine: 0n, lines: [1n], outcomes: [5n] }],
        ["DisputeResolved", { line: 0n, award: 1n, returned: 1n, bond: 0n, bondTo: group.payee, byArbiter: true }],
      ];
      for (const [name, args] of cases) {
        const one = new Chain(group);
        one.emit(name, args);
        refused(name === "LinesPresented" ? "RESULTS_MALFORMED" : "REMITTANCE_MISMATCH", () =>
          replay(group, one.events),
        );
      }
    });

    it("are refused when a line is closed twice", () => {
      chain.emit("LinesReversed", { amount: 90n * DOLLAR, lines: [0n] });
      chain.emit("LinesReversed", { amount: 90n * DOLLAR, lines: [0n] });
      refused("REMITTANCE_MISMATCH", () => remitted([[group, chain]]));
    });

    it("are refused where they are no whole cents", () => {
      const lines: LineResult[] = [{ result: "partlyMet", amount: 1n }, met, met];
      chain.settled({ result: "byLine", lines }, 3_234n * CENT + 1n, 90n * DOLLAR - 1n);
      expect(refused("AMOUNT_TOO_PRECISE", () => remitted([[group, chain]])).details.path).to.equal(
        "claim A-1, line 1",
      );
    });

    it("count each line once, whatever was reversed, settled and reclaimed", () => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom("met", "notMet", "reversed", "later"), { minLength: 3, maxLength: 3 }),
          (fates) => {
            const amounts = group.groupLines.amounts;
            const sum = (fate: string): bigint =>
              amounts.reduce((all, amount, i) => (fates[i] === fate ? all + amount : all), 0n);
            const events = new Chain(group);
            const gone = fates.flatMap((fate, i) => (fate === "reversed" ? [BigInt(i)] : []));
            if (gone.length > 0) events.emit("LinesReversed", { amount: sum("reversed"), lines: gone });
            const lines = fates.map((fate): LineResult =>
              fate === "met" ? met : fate === "notMet" ? notMet : { result: "pending" },
            );
            // Results of lines that were reversed before are skipped.
            const said = lines.map((line, i) => (fates[i] === "reversed" ? met : line));
            if (sum("met") + sum("notMet") > 0n)
              events.settled({ result: "byLine", lines: said }, sum("met"), sum("notMet"));
            events.emit("ClaimBatchReclaimed", { amount: sum("later") });
            const { payment, claims } = remitted([[group, events]]);
            expect(payment).to.equal(sum("met") / CENT);
            expect(claims).to.have.length(fates.filter((fate) => fate === "met" || fate === "notMet").length);
          },
        ),
      );
    });
  });

  describe("a presentation", () => {
    it("goes by its lowest line, which changes when that is disputed", () => {
      const bits = (...lines: number[]): bigint[] => [lines.reduce((word, line) => word | (1n << BigInt(line)), 0n)];
      chain.emit("ResultsPresented", { firstLine: 0n, attestation: "0x", results: "0x01" });
      chain.emit("LineDisputed", {
        by: group.payee,
        line: 0n,
        firstLine: 0n,
        amount: 0n,
        attestedAmount: 0n,
        bond: 0n,
      });
      expect(replay(group, chain.events).states).to.deep.equal(["frozen", "presented", "presented"]);
      chain.emit("GroupSettled", { paid: 3_234n * CENT, freed: 0n });
      chain.emit("PresentationSettled", { firstLine: 1n });
      expect(clp(remitted([[group, chain]]))).to.deep.equal(["A-2 1 1234 1234", "A-3 1 2000 2000"]);

      const again = new Chain(group);
      again.emit("ResultsPresented", { firstLine: 1n, attestation: "0x", results: "0x01" });
      again.emit("LinesPresented", { firstLine: 1n, lines: bits(1, 2), outcomes: [(3_234n * CENT) << 96n] });
      expect(replay(group, again.events).states).to.deep.equal(["open", "presented", "presented"]);
    });
  });

  describe("what was returned", () => {
    beforeEach(() => chain.settled(met, total, 0n));
    const refund = (amount: bigint, fromCredit: boolean): number => chain.emit("Refunded", { amount, fromCredit });
    const order = (upTo: bigint): RefundOrder => ({
      carepact: "refund-order",
      version: 1,
      chainId: group.chainId,
      escrow: group.escrow,
      batchId: group.batchId,
      payee: group.payee,
      upTo: upTo.toString(),
      deadline: 2_000_000_000,
      signature: "0x",
    });
    const reversals = [{ batchId: "", claimId: "A-3" }];
    before(() => (reversals[0]!.batchId = group.batchId));

    it("out of the credit lowers the payment, as a recoupment or by the claim's own reversal", () => {
      refund(20n * DOLLAR, true);
      const plain = remitted([[group, chain]]);
      expect([plb(plain), plain.payment]).to.deep.equal([["WO 2000"], 10_234n]);
      const reversed = remitted([[group, chain]], { reversals });
      expect([plb(reversed), reversed.payment]).to.deep.equal([[], 10_234n]);
      expect(clp(reversed)[0]).to.equal("A-3 22 -2000 -2000");
    });

    it("in tokens leaves the payment as it is", () => {
      refund(20n * DOLLAR, false);
      const plain = remitted([[group, chain]]);
      expect([plb(plain), plain.payment]).to.deep.equal([["WO 2000", "72 -2000"], 12_234n]);
      const reversed = remitted([[group, chain]], { reversals });
      expect([plb(reversed), reversed.payment]).to.deep.equal([["WO -2000", "WO 2000", "72 -2000"], 12_234n]);
    });

    it("and was paid in a period before is an authorised return: no payment is below zero", () => {
      const first = refund(30n * DOLLAR, true);
      const later = remitted([[group, chain]], {}, first);
      expect([plb(later), later.payment, later.repaid]).to.deep.equal([["WO 3000", "72 -3000"], 0n, 3_000n]);
    });

    it("in part, the rest by order, moves forward to the next remittance", () => {
      const first = refund(5n * DOLLAR, true);
      const refundOrders = [order(20n * DOLLAR)];
      const now = remitted([[group, chain]], { reversals, refundOrders }, first);
      // 5.00 was returned of what was paid before; 15.00 is to come.
      expect([plb(now), now.payment]).to.deep.equal([["FB -1500", "72 -500"], 0n]);
      expect(now.forwarded).to.deep.equal([{ batchId: group.batchId, amount: 1_500n, reference: now.reference }]);

      const next = refund(10n * DOLLAR, true);
      const later = remitted([[group, chain]], { forwarded: now.forwarded }, next);
      expect(plb(later)).to.deep.equal(["FB 1500", "FB -500", "72 -1000"]);
      expect(later.forwarded.map(({ amount }) => amount)).to.deep.equal([500n]);
    });

    it("has to be there for a reversal, or promised", () => {
      const asked = refused("REMITTANCE_UNBACKED", () => remitted([[group, chain]], { reversals }));
      expect(asked.details).to.deep.equal({ batchId: group.batchId, missing: "20.00", ordered: "0.00" });
      const refundOrders = [order(19n * DOLLAR)];
      refused("REMITTANCE_UNBACKED", () => remitted([[group, chain]], { reversals, refundOrders }));
      const unknown = [{ batchId: group.batchId, claimId: "A-9" }];
      refused("INPUT_INVALID", () => remitted([[group, chain]], { reversals: unknown }));
    });

    it("may leave a corrected claim, which pays no more than before", () => {
      refund(5n * DOLLAR, true);
      const corrected = (paid: string) => [{ ...reversals[0]!, corrected: fill("3", paid) }];
      const now = remitted([[group, chain]], { reversals: corrected("15.00") });
      expect(clp(now).slice(0, 2)).to.deep.equal(["A-3 22 -2000 -2000", "A-3 1 1500 1500"]);
      expect([plb(now), now.payment]).to.deep.equal([[], 11_734n]);
      refused("INPUT_INVALID", () => remitted([[group, chain]], { reversals: corrected("20.01") }));
    });
  });

  describe("what the caller says beside", () => {
    beforeEach(() => chain.settled(met, total, 0n));

    it("makes a line a payment of its own, which an event has to have made", () => {
      const payment = { batchId: group.batchId, claimId: "A-2", lineNumber: 1, reason: "L6" };
      const now = remitted([[group, chain]], { providerPayments: [payment] });
      expect([plb(now), now.payment, now.claims.length]).to.deep.equal([["L6 -1234"], 12_234n, 2]);
      refused("INPUT_INVALID", () => remitted([[group, chain]], { providerPayments: [{ ...payment, lineNumber: 2 }] }));
    });

    it("states claims that are paid nothing, and no others", () => {
      const denied = { ...fill("9", "0"), charge: 1_000n };
      const [line] = denied.lines;
      const adjustments = [{ group: "CO" as const, reason: "50", amount: 1_000n }];
      const stated = { ...denied, lines: [{ ...line!, charge: 1_000n, adjustments }] };
      expect(clp(remitted([[group, chain]], { statements: [stated] })).at(-1)).to.equal("A-9 4 1000 0");
      refused("INPUT_INVALID", () => remitted([[group, chain]], { statements: [fill("9", "1.00")] }));
      refused("INPUT_INVALID", () => remitted([[group, chain]], { statements: [tests()] }));
      const euros = { ...stated, currency: { code: "EUR", decimals: 2 } };
      refused("CURRENCY_MISMATCH", () => remitted([[group, chain]], { statements: [euros] }));
    });

    it("ranks claims", () => {
      expect(remitted([[group, chain]], { rankOf: () => "3" }).claims.map(({ status }) => status)).to.deep.equal([
        "3",
        "3",
        "3",
      ]);
    });

    it("names batches that are there", () => {
      const forwarded = [{ batchId: `0x${"11".repeat(32)}`, amount: 1n, reference: "X" }];
      refused("INPUT_INVALID", () => remitted([[group, chain]], { forwarded }));
    });
  });

  it("has a reference of 30 digits that names period and parties, and nothing else", () => {
    const { reference } = remitted([[group, chain]]);
    expect(reference).to.match(/^[0-9A-F]{30}$/);
    expect(remitted([]).reference).to.equal(reference);
  });
});
