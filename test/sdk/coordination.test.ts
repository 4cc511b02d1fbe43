import { expect } from "chai";

import {
  coordinate,
  fundingOf,
  healthAccountAnswer,
  type AdjudicatedClaim,
  type CoordinatedAnswer,
} from "../../sdk/src/claims";
import type { ErrorCode } from "../../sdk/src/errors";

import { account, answerOf, groupOf, plan, standing, supplement, third, usual } from "./coordinationFixture";
import { refused } from "./refused";

const all: CoordinatedAnswer[] = [
  { payer: plan, adjudicated: usual.primary },
  { payer: supplement, adjudicated: usual.secondary },
  { payer: account, healthAccount: true, adjudicated: usual.account },
];

const changed = (i: number, change: Record<string, unknown>): CoordinatedAnswer[] =>
  all.map((answer, k) => (k === i ? { ...answer, ...change } : answer));

/** A claim with its first line changed, balanced or not. */
const withLine = (claim: AdjudicatedClaim, change: object): AdjudicatedClaim => ({
  ...claim,
  lines: claim.lines.map((line, i) => (i === 0 ? { ...line, ...change } : line)),
});

const at = (code: ErrorCode, answers: readonly CoordinatedAnswer[]): unknown =>
  refused(code, () => coordinate(answers)).details.path;

describe("coordination of benefits", () => {
  it("puts the answers of plan, supplement and health account together: they and the patient make up the charge", () => {
    const whole = coordinate(all);
    expect(whole.shares).to.deep.equal([
      { payer: plan, role: "primary", pays: 6_000n, fund: usual.primary },
      { payer: supplement, role: "secondary", pays: 2_000n, fund: usual.secondary },
      { payer: account, role: "healthAccount", pays: 600n, fund: usual.account },
    ]);
    expect(whole).to.include({ charge: 10_000n, patientShare: 400n, adjustments: 1_000n });
    expect(whole.lines).to.deep.equal([
      {
        event: usual.primary.lines[0]?.event,
        charge: 10_000n,
        payments: [6_000n, 2_000n, 600n],
        patientShare: 400n,
        adjustments: 1_000n,
      },
    ]);
  });

  it("names the first three payers of a claim, and the fourth as another", () => {
    const [primary, secondary] = all as [CoordinatedAnswer, CoordinatedAnswer];
    const none = (patient: string): AdjudicatedClaim =>
      answerOf([{ charge: "100", allowed: "90", patientResponsibility: patient, otherPayers: "80", planPays: "0" }]);
    const { shares } = coordinate([
      primary,
      secondary,
      { payer: third, adjudicated: none("10") },
      { payer: account, adjudicated: none("10") },
    ]);
    expect(shares.map(({ role, fund }) => [role, fund === undefined])).to.deep.equal([
      ["primary", false],
      ["secondary", false],
      ["tertiary", true],
      ["other", true],
    ]);
  });

  it("lets a secondary pay after the primary denied, and the patient's share be what the last answer says", () => {
    const alone = answerOf([{ charge: "100", allowed: "90", patientResponsibility: "15", planPays: "75" }]);
    const { shares, patientShare } = coordinate([
      { payer: plan, denied: "70" },
      { payer: supplement, adjudicated: alone },
      { payer: third, denied: "65" },
    ]);
    expect(shares).to.deep.equal([
      { payer: plan, role: "primary", pays: 0n, denied: "70" },
      { payer: supplement, role: "secondary", pays: 7_500n, fund: alone },
      { payer: third, role: "tertiary", pays: 0n, denied: "65" },
    ]);
    expect(patientShare).to.equal(1_500n);
  });

  it("lets a rejection win: a payer that promised and then rejected pays nothing, so that the next was told too much", () => {
    const answers: CoordinatedAnswer[] = [{ payer: plan, denied: "75" }, ...all.slice(1)];
    const { details } = refused("CLAIM_DOES_NOT_BALANCE", () => coordinate(answers));
    expect(details).to.deep.equal({
      path: "payers[1], line 1",
      equation: "otherPayers = sum of payments before",
      left: "60.00",
      right: "0.00",
    });
    expect(at("COORDINATION_INVALID", [{ payer: plan, denied: "75" }, ...all])).to.equal("payers[1]");
  });

  it("counts what a payer that settled before paid, and asks for nothing more of it", async () => {
    const group = await groupOf(plan, [usual.primary]);
    const settled = [standing(group, { state: "paid", paid: 60_000_000n })];
    const whole = coordinate(changed(0, { settled }));
    expect(whole.shares[0]).to.deep.equal({ payer: plan, role: "primary", pays: 6_000n });
    expect(whole.shares[1]?.fund).to.equal(usual.secondary);

    const partly = [standing(group, { state: "paid", paid: 36_000_000n })];
    const { details } = refused("CLAIM_DOES_NOT_BALANCE", () => coordinate(changed(0, { settled: partly })));
    expect(details).to.include({ equation: "otherPayers = sum of payments before", left: "60.00", right: "36.00" });

    const anew = answerOf([
      { charge: "100", allowed: "90", patientResponsibility: "14", otherPayers: "36", planPays: "40" },
    ]);
    const later = coordinate([
      { payer: plan, adjudicated: usual.primary, settled: partly },
      { payer: supplement, adjudicated: anew },
    ]);
    expect(later.lines[0]).to.deep.include({ payments: [3_600n, 4_000n], patientShare: 1_400n, adjustments: 1_000n });
    // What the last payer promised and did not pay is nobody's.
    const alone = coordinate([{ payer: plan, adjudicated: usual.primary, settled: partly }]);
    expect(alone).to.include({ patientShare: 3_000n, adjustments: 3_400n });
  });

  it("refuses what is not settled, or not of this payer and claim", async () => {
    const group = await groupOf(plan, [usual.primary]);
    refused("COORDINATION_UNSETTLED", () => coordinate(changed(0, { settled: [standing(group)] })));
    const paid = standing(group, { state: "paid", paid: 60_000_000n });
    expect(at("COORDINATION_INVALID", changed(0, { settled: [] }))).to.equal("payers[0].settled");
    expect(at("COORDINATION_INVALID", changed(0, { settled: [paid, paid] }))).to.equal("payers[0].settled[1]");
    expect(at("COORDINATION_INVALID", changed(1, { settled: [paid] }))).to.equal("payers[1].settled[0]");
    const [other] = (await groupOf(plan, [answerOf([usualLine], "L-2", "ACC-2")])).lines;
    expect(at("COORDINATION_INVALID", changed(0, { settled: [{ ...paid, line: other }] }))).to.equal(
      "payers[0].settled[0]",
    );
    // Fractions of a cent are no money of the claim's currency.
    refused("AMOUNT_TOO_PRECISE", () => coordinate(changed(0, { settled: [{ ...paid, paid: 1n }] })));
  });

  const usualLine = { charge: "100", allowed: "90", patientResponsibility: "30", planPays: "60" };

  it("names the sum that fails", () => {
    const cases: [string, string, CoordinatedAnswer[]][] = [
      [
        "payers[1], line 1",
        "charge of every payer = charge",
        changed(1, {
          adjudicated: answerOf([
            { charge: "101", allowed: "90", patientResponsibility: "10", otherPayers: "60", planPays: "20" },
          ]),
        }),
      ],
      [
        "payers[1], line 1",
        "otherPayers = sum of payments before",
        changed(1, {
          adjudicated: answerOf([
            { charge: "100", allowed: "90", patientResponsibility: "10", otherPayers: "59.99", planPays: "20.01" },
          ]),
        }),
      ],
      [
        "payers[2], line 1",
        "patientShare = share before - account's payment",
        changed(2, {
          adjudicated: answerOf([
            { charge: "100", allowed: "92", patientResponsibility: "6", otherPayers: "80", planPays: "6" },
          ]),
        }),
      ],
      [
        "lines[0]",
        "planPays + patientShare + otherPayers = allowed",
        changed(0, { adjudicated: withLine(usual.primary, { allowed: 8_999n }) }),
      ],
    ];
    for (const [path, equation, answers] of cases)
      expect(refused("CLAIM_DOES_NOT_BALANCE", () => coordinate(answers)).details).to.include({ path, equation });
  });

  it("refuses answers that are not to one claim, or not in order", () => {
    const cases: [string, CoordinatedAnswer[]][] = [
      ["payers", []],
      ["payers", [{ payer: plan, denied: "70" }]],
      ["payers[1]", changed(1, { payer: plan.toLowerCase() })],
      ["payers[0]", changed(0, { healthAccount: true })],
      ["payers[1].adjudicated.payee", changed(1, { adjudicated: { ...usual.secondary, payee: third } })],
      ["payers[1].adjudicated.lines", changed(1, { adjudicated: answerOf([{ ...usualLine }], "L-1", "ACC-2") })],
      ["payers[1].adjudicated.lines", changed(1, { adjudicated: answerOf([usualLine, { ...usualLine }]) })],
    ];
    for (const [path, answers] of cases) expect(at("COORDINATION_INVALID", answers)).to.equal(path);
    refused("CURRENCY_MISMATCH", () =>
      coordinate(changed(1, { adjudicated: { ...usual.secondary, currency: { code: "CAD", decimals: 2 } } })),
    );
    refused("IDENTIFIER_INVALID", () => coordinate(changed(1, { payer: "somebody" })));
  });

  it("makes one batch for each payer of several claims, and refuses an event twice", () => {
    const others = ["L-2", "L-3"].map((id) => {
      const claim = (answer: Parameters<typeof answerOf>[0]): AdjudicatedClaim => answerOf(answer, id, id);
      return coordinate([
        { payer: supplement, adjudicated: claim([usualLine]) },
        {
          payer: plan,
          adjudicated: claim([
            { charge: "100", allowed: "90", patientResponsibility: "0", otherPayers: "60", planPays: "30" },
          ]),
        },
      ]);
    });
    const funding = fundingOf([coordinate(all), ...others]);
    expect(funding.map(({ payer, adjudicated }) => [payer, adjudicated.map(({ claimId }) => claimId)])).to.deep.equal([
      [plan, ["L-1", "L-2", "L-3"]],
      [supplement, ["L-2", "L-3", "L-1"]],
      [account, ["L-1"]],
    ]);
    refused("COORDINATION_INVALID", () => fundingOf([coordinate(all), coordinate(all)]));
  });
});

describe("a patient's health account", () => {
  it("pays the patient's share, or as much of it as it is told to, and decides nothing else", () => {
    const rest = healthAccountAnswer(usual.secondary, 600n);
    expect(rest).to.deep.include({ planPays: 600n, charge: 10_000n });
    expect(rest.lines[0]).to.deep.include({
      planPays: 600n,
      patientShare: 400n,
      otherPayers: 8_000n,
      allowed: 9_000n,
      adjustments: [
        { group: "CO", reason: "45", amount: 1_000n },
        { group: "PR", reason: "3", amount: 400n },
        { group: "OA", reason: "23", amount: 6_000n },
        { group: "OA", reason: "23", amount: 2_000n },
      ],
    });
    expect(coordinate([...all.slice(0, 2), { payer: account, healthAccount: true, adjudicated: rest }])).to.include({
      patientShare: 400n,
    });
    expect(healthAccountAnswer(usual.secondary).lines[0]).to.include({ planPays: 1_000n, patientShare: 0n });
    expect(healthAccountAnswer(usual.secondary, 5_000n).planPays).to.equal(1_000n);
    refused("AMOUNT_NEGATIVE", () => healthAccountAnswer(usual.secondary, -1n));
  });
});
