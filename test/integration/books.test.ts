import { expect } from "chai";
import { Interface, id, zeroPadValue } from "ethers";

import {
  compareBooks,
  keepBooks,
  readLogs,
  type BooksOptions,
  type BooksReport,
  type ChainReadings,
  type InequalityName,
  type RawLog,
} from "../../examples/demo/books";

const address = (digit: string): string => `0x${digit.repeat(40)}`;
const [token, payer, payeeA, payeeB, escrow] = ["1", "2", "3", "4", "5"].map(address) as [
  string,
  string,
  string,
  string,
  string,
];
const [partlyPaid, paidInFull, stillOpen, contested, unknown] = ["one", "two", "three", "four", "five"].map(id) as [
  string,
  string,
  string,
  string,
  string,
];

const events = new Interface([
  "event Deposited(address indexed token, address indexed payer, address indexed from, uint256 amount)",
  "event Withdrawn(address indexed token, address indexed payer, address indexed to, uint256 amount)",
  "event PaidOut(address indexed token, address indexed payee, address indexed to, uint256 amount)",
  "event ClaimBatchFunded(bytes32 indexed batchId, address indexed payer, bytes32 indexed rulebook, address token, uint256 total)",
  "event GroupSettled(bytes32 indexed batchId, address indexed payee, uint256 paid, uint256 freed)",
  "event ClaimBatchSettled(bytes32 indexed batchId, bytes32 indexed attestation, bytes results)",
  "event LinesReversed(bytes32 indexed batchId, address indexed payee, uint256 amount, uint256[] lines)",
  "event ClaimBatchReclaimed(bytes32 indexed batchId, uint256 amount)",
  "event Refunded(bytes32 indexed batchId, address indexed payee, uint256 amount, bool fromCredit)",
  "event ResultsPresented(bytes32 indexed batchId, bytes32 indexed attestation, uint256 indexed firstLine, bytes results)",
  "event PresentationSettled(bytes32 indexed batchId, uint256 indexed firstLine)",
  "event LineDisputed(bytes32 indexed batchId, address indexed by, uint256 indexed line, uint256 firstLine, uint256 amount, uint256 attestedAmount, uint256 bond)",
  "event DisputeResolved(bytes32 indexed batchId, address indexed payee, uint256 indexed line, uint256 award, uint256 returned, bool byArbiter, address bondTo, uint256 bond)",
  "event PaymentsRetained(bytes32 indexed batchId, uint256 indexed firstLine, uint256[] amounts)",
  "event Recouped(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount)",
  "event RetentionReleased(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount)",
]);
const notPresented = 2n ** 256n - 1n;
const word = (left: bigint, amount: bigint): bigint => (left << 96n) | amount;

type Told = [name: string, ...values: unknown[]];

/** Everything that can happen to money, once. */
const story: Told[] = [
  ["Deposited", token, payer, payer, 1000n],
  ["ClaimBatchFunded", partlyPaid, payer, id("rulebook"), token, 300n],
  ["ClaimBatchFunded", paidInFull, payer, id("rulebook"), token, 200n],
  ["ClaimBatchFunded", stillOpen, payer, id("rulebook"), token, 70n],
  ["LinesReversed", partlyPaid, payeeA, 20n, [3n]],
  ["GroupSettled", partlyPaid, payeeA, 100n, 30n],
  ["GroupSettled", partlyPaid, payeeB, 50n, 0n],
  ["ClaimBatchSettled", partlyPaid, id("attestation"), "0x0f"],
  ["GroupSettled", paidInFull, payeeA, 200n, 0n],
  ["ClaimBatchSettled", paidInFull, id("another"), "0x01"],
  ["Refunded", partlyPaid, payeeA, 10n, true],
  ["Refunded", paidInFull, payeeA, 40n, false],
  ["PaidOut", token, payeeB, payeeB, 50n],
  ["Withdrawn", token, payer, payer, 100n],
  ["ClaimBatchReclaimed", partlyPaid, 100n],
  ["ClaimBatchFunded", contested, payer, id("strict rulebook"), token, 400n],
  ["ResultsPresented", contested, id("third"), 0n, "0x05"],
  ["LineDisputed", contested, payer, 1n, 0n, 60n, 60n, 10n],
  ["LineDisputed", contested, payeeA, 3n, notPresented, 40n, 0n, 10n],
  ["GroupSettled", contested, payeeA, 81n, 50n],
  ["GroupSettled", contested, payeeB, 90n, 0n],
  ["PaymentsRetained", contested, 0n, [word(BigInt(payeeA), 9n), word(BigInt(payeeB), 10n)]],
  ["PresentationSettled", contested, 0n],
  ["DisputeResolved", contested, payeeA, 1n, 20n, 40n, true, payer, 10n],
  ["DisputeResolved", contested, payeeA, 3n, 40n, 0n, false, payeeA, 10n],
  ["Recouped", contested, payeeB, 0n, 4n],
  ["RetentionReleased", contested, payeeA, 0n, 9n],
  ["RetentionReleased", contested, payeeB, 0n, 6n],
  ["Refunded", contested, payeeA, 150n, false],
];

/** Values of events that name a line, or say what the sums do not need. */
const notSummed: Record<string, number[]> = {
  ResultsPresented: [2],
  PresentationSettled: [1],
  PaymentsRetained: [1],
  LineDisputed: [2, 3, 5],
  DisputeResolved: [2],
  Recouped: [2],
  RetentionReleased: [2],
};

/** What the chain says after the story, worked out by hand. */
const chain = (): ChainReadings => ({
  held: new Map([[token, 1040n]]),
  balances: new Map([
    [`${payer} in ${token}`, { free: 374n, credit: 0n }],
    [`${payeeA} in ${token}`, { free: 0n, credit: 440n }],
    [`${payeeB} in ${token}`, { free: 0n, credit: 96n }],
  ]),
  statuses: new Map([
    [partlyPaid, { funded: true, paidInFull: false, open: 0n }],
    [paidInFull, { funded: true, paidInFull: true, open: 0n }],
    [stillOpen, { funded: true, paidInFull: false, open: 70n }],
    [contested, { funded: true, paidInFull: false, open: 60n }],
  ]),
});

/** Logs of a story: two events a block. */
const logsOf = (told: readonly Told[]): RawLog[] =>
  told.map(([name, ...values], i) => ({
    ...events.encodeEventLog(name, values),
    blockNumber: `0x${Math.floor(i / 2 + 1).toString(16)}`,
    transactionHash: zeroPadValue(`0x${(i + 1).toString(16).padStart(2, "0")}`, 32),
    logIndex: `0x${(i % 2).toString(16)}`,
  }));

const check = (logs: readonly RawLog[], readings = chain(), options: BooksOptions = {}): BooksReport =>
  compareBooks(keepBooks(logs), readings, options);

const names = ({ inequalities }: BooksReport): InequalityName[] => inequalities.map(({ name }) => name);

/** The story with one event told otherwise. */
const withEvent = (index: number, change: (told: Told) => Told): RawLog[] =>
  logsOf(story.map((told, i) => (i === index ? change(told) : told)));

/** The story, and then some. */
const followedBy = (...more: Told[]): RawLog[] => logsOf([...story, ...more]);

const indexOf = (name: string): number => story.findIndex(([told]) => told === name);

describe("Books", function () {
  context("given all events, unchanged", function () {
    it("balance, whatever order the events come in", function () {
      for (const logs of [logsOf(story), logsOf(story).reverse()]) {
        const report = check(logs);
        expect(report.inequalities).to.deep.equal([]);
        expect(report.balanced).to.equal(true);
        expect(report.events).to.equal(story.length);
      }
    });

    it("sum up every kind of movement by token", function () {
      expect(check(logsOf(story)).tokens.get(token)).to.deep.equal({
        token,
        deposited: 1000n,
        withdrawn: 100n,
        funded: 970n,
        paid: 596n,
        freed: 120n,
        recouped: 4n,
        reversed: 20n,
        reclaimed: 100n,
        refundedFromCredit: 10n,
        refundedInTokens: 190n,
        paidOut: 50n,
        bonds: 0n,
      });
    });

    it("know what is unsettled in every batch", function () {
      const { batches } = check(logsOf(story));
      expect([...batches.values()].map(({ batchId, unsettled }) => [batchId, unsettled])).to.deep.equal([
        [partlyPaid, 0n],
        [paidInFull, 0n],
        [stillOpen, 70n],
        [contested, 60n],
      ]);
    });

    it("know at every moment what is unsettled, in dispute, retained and locked as bond", function () {
      const from = story.findIndex(([, batch]) => batch === contested);
      const parts = story.slice(from).map((_, i) => {
        const books = keepBooks(logsOf(story.slice(0, from + i + 1)));
        const batch = books.batches.get(contested);
        return [batch?.unsettled, batch?.frozen, batch?.retained, books.tokens.get(token)?.bonds].map(Number);
      });
      expect(parts).to.deep.equal([
        [400, 0, 0, 0],
        [400, 0, 0, 0],
        [340, 60, 0, 10],
        [300, 100, 0, 20],
        [169, 100, 0, 20],
        [79, 100, 0, 20],
        [60, 100, 19, 20],
        [60, 100, 19, 20],
        [60, 40, 19, 10],
        [60, 0, 19, 0],
        [60, 0, 15, 0],
        [60, 0, 6, 0],
        [60, 0, 0, 0],
        [60, 0, 0, 0],
      ]);
    });

    it("report inequalities that JSON can carry", function () {
      const report = check(logsOf(story), { ...chain(), held: new Map([[token, 1n]]) });
      expect(JSON.parse(JSON.stringify(report.inequalities))).to.deep.equal([
        {
          name: "TOKENS_MISSING",
          message: "The escrow holds fewer tokens than it owes.",
          about: `token ${token}`,
          expected: "1040",
          found: "1",
        },
      ]);
    });
  });

  context("given one event too few", function () {
    story.forEach(([name], missing) => {
      it(`do not balance without event ${missing}, ${name}`, function () {
        const report = check(logsOf(story).filter((_, i) => i !== missing));
        expect(report.balanced).to.equal(false);
        expect(report.inequalities).not.to.deep.equal([]);
      });
    });
  });

  context("given one amount that was altered", function () {
    story.forEach(([name, ...values], index) => {
      values.forEach((value, position) => {
        if (typeof value !== "bigint" || notSummed[name]?.includes(position)) return;
        for (const by of [1n, -1n]) {
          if (value + by < 0n) continue;
          it(`do not balance with ${value + by} for ${value} in event ${index}, ${name}`, function () {
            const changed = withEvent(
              index,
              (told) => told.map((v, i) => (i === position + 1 ? value + by : v)) as Told,
            );
            expect(check(changed).balanced).to.equal(false);
          });
        }
      });
    });

    it("name the credit and the batch that a changed payment puts out of balance", function () {
      const changed = withEvent(indexOf("GroupSettled"), ([name, batch, payee]) => [name, batch, payee, 99n, 30n]);
      expect(names(check(changed))).to.deep.equal(["RECLAIM_LEFT_OPEN", "CREDIT_DIFFERS", "OPEN_DIFFERS"]);
    });
  });

  context("given an event twice", function () {
    it("notice the same event of the same place, and book it once", function () {
      const logs = logsOf(story);
      logs.forEach((log) => {
        const report = check([...logs, { ...log }]);
        expect(names(report)).to.deep.equal(["EVENT_TWICE"]);
        expect(report.events).to.equal(story.length);
      });
    });

    it("do not balance with a copy that pretends to be of another place", function () {
      story.forEach((told, index) => {
        // Moves nothing by itself.
        if (told[0] === "ResultsPresented") return;
        expect(check(followedBy(told)).balanced, `event ${index}, ${told[0]}`).to.equal(false);
      });
    });

    it("name a batch that was funded twice", function () {
      expect(names(check(followedBy(story[indexOf("ClaimBatchFunded")] as Told)))).to.include("BATCH_FUNDED_TWICE");
    });
  });

  context("given an event of the wrong batch", function () {
    it("name both batches, when the other one exists", function () {
      const wrong = withEvent(indexOf("GroupSettled"), ([name, , ...values]) => [name, stillOpen, ...values]);
      const report = check(wrong);
      expect(names(report)).to.include.members(["BELOW_ZERO", "OPEN_DIFFERS"]);
      const about = report.inequalities.filter(({ name }) => name === "OPEN_DIFFERS").map((entry) => entry.about);
      expect(about).to.deep.equal([`batch ${partlyPaid}`, `batch ${stillOpen}`]);
    });

    it("name the event, when the batch was never funded", function () {
      for (const [index, [name]] of story.entries()) {
        if (["Deposited", "Withdrawn", "PaidOut", "ClaimBatchFunded"].includes(name)) continue;
        const wrong = withEvent(index, ([told, , ...values]) => [told, unknown, ...values]);
        expect(names(check(wrong)), name).to.include("EVENT_OF_UNKNOWN_BATCH");
      }
    });

    it("notice a presentation that settles without having been presented, or without its groups", function () {
      const settled = ["PresentationSettled", stillOpen, 0n] as Told;
      expect(names(check(followedBy(settled)))).to.include("SETTLEMENT_INCOMPLETE");
      const again = ["PresentationSettled", contested, 0n] as Told;
      expect(names(check(followedBy(again)))).to.include("SETTLEMENT_INCOMPLETE");
    });

    it("notice a batch's settlement without its groups", function () {
      const wrong = withEvent(indexOf("ClaimBatchSettled"), ([name, , ...values]) => [name, stillOpen, ...values]);
      expect(names(check(wrong))).to.include("SETTLEMENT_INCOMPLETE");
    });
  });

  context("given events that cannot be", function () {
    it("notice a refund above what was paid", function () {
      const wrong = withEvent(indexOf("Refunded"), ([name, batch]) => [name, batch, payeeB, 51n, true]);
      expect(names(check(wrong))).to.include("REFUND_ABOVE_PAID");
    });

    it("notice an account that gives more than it has", function () {
      const wrong = withEvent(indexOf("Withdrawn"), ([name, of, who, to]) => [name, of, who, to, 5000n]);
      expect(names(check(wrong))).to.include("BELOW_ZERO");
    });

    it("notice data that does not decode", function () {
      const logs = logsOf(story).map((log, i) => (i === 0 ? { ...log, data: "0x12" } : log));
      expect(names(check(logs))).to.include("EVENT_UNREADABLE");
    });
  });

  context("when the chain says otherwise", function () {
    it("name a free balance, a credit, an open amount and a status", function () {
      const readings = chain();
      readings.balances.set(`${payer} in ${token}`, { free: 375n, credit: 0n });
      readings.balances.set(`${payeeA} in ${token}`, { free: 0n, credit: 439n });
      readings.statuses.set(stillOpen, { funded: true, paidInFull: false, open: 71n });
      readings.statuses.set(paidInFull, { funded: true, paidInFull: false, open: 0n });
      expect(names(check(logsOf(story), readings))).to.deep.equal([
        "FREE_DIFFERS",
        "CREDIT_DIFFERS",
        "STATUS_DIFFERS",
        "OPEN_DIFFERS",
      ]);
    });

    it("name what the chain does not know at all", function () {
      const nothing = { held: new Map(), balances: new Map(), statuses: new Map() };
      const report = check(logsOf(story), nothing);
      expect(names(report)).to.include.members(["FREE_DIFFERS", "CREDIT_DIFFERS", "STATUS_DIFFERS", "TOKENS_MISSING"]);
    });

    it("take tokens sent by hand for unexplained, unless told that they may be there", function () {
      const readings = { ...chain(), held: new Map([[token, 1041n]]) };
      expect(names(check(logsOf(story), readings))).to.deep.equal(["TOKENS_UNEXPLAINED"]);
      expect(check(logsOf(story), readings, { allowSurplus: true }).balanced).to.equal(true);
    });
  });

  context("reading from a node", function () {
    it("ask for the escrow's sixteen kinds of event, page by page", async function () {
      const asked: { fromBlock: string; toBlock: string; address: string; topics: string[][] }[] = [];
      const node = {
        request: ({ method, params = [] }: { method: string; params?: unknown[] }) => {
          expect(method).to.equal("eth_getLogs");
          asked.push(params[0] as (typeof asked)[number]);
          return Promise.resolve(logsOf(story.slice(0, 1)));
        },
      };

      expect(await readLogs(node, escrow, 5, 20_004)).to.have.length(2);

      expect(asked.map(({ fromBlock, toBlock }) => [Number(fromBlock), Number(toBlock)])).to.deep.equal([
        [5, 10_004],
        [10_005, 20_004],
      ]);
      expect(asked[0]?.address).to.equal(escrow);
      expect(asked[0]?.topics[0]).to.have.members([...new Set(logsOf(story).map(({ topics }) => topics[0]))]);
    });
  });
});
