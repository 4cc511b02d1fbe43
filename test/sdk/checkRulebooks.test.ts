import { expect } from "chai";

import { openClaimBatchRecord, type OpenedGroup } from "../../sdk/src/claims";
import { needsOf, payerDecides, unreachableCondition } from "../../sdk/src/claims/attesters/judge";
import { rulebook, type ConditionInput, type RulebookInput } from "../../sdk/src/rulebooks";

import { laboratory, makeClaimBatch, payer } from "./claimBatchFixture";

const [one, two, three] = ["1", "2", "3"].map((digit) => `0x${digit.repeat(40)}`) as [string, string, string];
const workflow = { id: `0x${"11".repeat(32)}`, owner: one, name: `0x${"33".repeat(10)}` };
const nobody: ReadonlySet<string> = new Set();

describe("what a payee makes of a rulebook", () => {
  let opened: OpenedGroup;
  let subtotal: bigint;
  before(async () => {
    const { built } = await makeClaimBatch();
    opened = openClaimBatchRecord(built.record).opened[0]!;
    subtotal = opened.groups[opened.group]!.subtotal;
  });

  const under = (conditions: ConditionInput[], named?: RulebookInput["workflow"]): OpenedGroup => ({
    ...opened,
    rulebook: rulebook({ eventKinds: 3, grace: 259_200, conditions, ...(named && { workflow: named }) }),
  });
  const attested: ConditionInput = { attesters: [one] };

  describe("who has to sign beside named attesters", () => {
    it("is nobody under accounts alone", () => {
      expect(needsOf(under([attested]))).to.deep.equal({ payee: false, patientLines: [], workflow: "none" });
    });

    it("are the payee and the patients, where a condition counts for the payee's own group", () => {
      const roles = (above: bigint) => [attested, { attesters: ["payee"], above }, { attesters: ["patient"], above }];
      const lines = opened.lines.map(({ index }) => index);
      expect(needsOf(under(roles(subtotal - 1n)))).to.deep.include({ payee: true, patientLines: lines });
      expect(needsOf(under(roles(subtotal - 1n)), [1])).to.deep.include({ patientLines: [1] });
      expect(needsOf(under(roles(subtotal)))).to.deep.include({ payee: false, patientLines: [] });
    });

    it("may be a workflow instead", () => {
      expect(needsOf(under([attested], workflow)).workflow).to.equal("possible");
      expect(needsOf(under([], workflow)).workflow).to.equal("alone");
    });
  });

  describe("that the payer decides alone", () => {
    const decides: [what: string, expected: boolean, conditions: ConditionInput[], named?: typeof workflow][] = [
      ["the payer suffices", true, [{ threshold: 1, attesters: [payer, one] }]],
      ["nothing goes without the payer", true, [{ threshold: 2, attesters: [payer, one] }]],
      ["others suffice, and the payer does not", false, [{ threshold: 2, attesters: [payer, one, two] }]],
      [
        "the payer suffices for one condition of two",
        false,
        [{ attesters: [one] }, { threshold: 1, attesters: [payer, two] }],
      ],
      ["one condition of two needs the payer", true, [{ attesters: [one] }, { attesters: [payer] }]],
      ["the payee signs beside the payer, who is needed", true, [{ attesters: ["payee"] }, { attesters: [payer] }]],
      [
        "the payee signs beside the payer or another",
        false,
        [{ attesters: ["payee"] }, { threshold: 1, attesters: [payer, one] }],
      ],
      [
        "the patient signs beside the payer or another",
        true,
        [{ attesters: ["patient"] }, { threshold: 1, attesters: [payer, one] }],
      ],
      ["the payee alone signs", false, [{ attesters: ["payee"] }]],
      ["the workflow is the payer's", true, [attested], { ...workflow, owner: payer }],
      ["the workflow is another's", false, [], workflow],
      ["others block the payer, whom a workflow can do without", false, [{ attesters: [payer, one] }], workflow],
    ];
    it("is so where the payer rules on what was attested, or recoups it", () => {
      const ruled = (terms: Partial<RulebookInput>): OpenedGroup => ({
        ...opened,
        rulebook: rulebook({ eventKinds: 3, grace: 259_200, conditions: [attested], ...terms }),
      });
      const byPayer = { account: payer, deadline: 86_400 };
      const retention = { bps: 1, lookBack: 1 };
      expect(payerDecides(ruled({ arbiter: byPayer, challengePeriod: 1 }), nobody)).to.equal(true);
      expect(payerDecides(ruled({ arbiter: byPayer, retention }), nobody)).to.equal(true);
      expect(payerDecides(ruled({ arbiter: byPayer }), nobody)).to.equal(false);
      expect(payerDecides(ruled({ arbiter: { ...byPayer, account: one }, retention }), nobody)).to.equal(false);
    });
    for (const [what, expected, conditions, named] of decides)
      it(`is ${expected ? "so" : "not so"} where ${what}`, () => {
        expect(payerDecides(under(conditions, named), nobody)).to.equal(expected);
      });

    it("depends on who is left", () => {
      const batch = under([{ threshold: 2, attesters: [payer, one, two] }]);
      expect(payerDecides(batch, new Set([one]))).to.equal(true);
    });

    it("depends on conditions for amounts as large as the payee's own only", () => {
      const conditions = (above: bigint) => [{ attesters: [one] }, { attesters: [payer], above }];
      expect(payerDecides(under(conditions(subtotal - 1n)), nobody)).to.equal(true);
      expect(payerDecides(under(conditions(subtotal)), nobody)).to.equal(false);
    });

    it("is not so where the payer is the payee, who would have to sign for it to lose", () => {
      const batch = under([{ attesters: ["payee"] }, { threshold: 1, attesters: [laboratory, one] }]);
      expect(payerDecides({ ...batch, terms: { ...batch.terms, payer: two } }, nobody)).to.equal(false);
      expect(payerDecides({ ...batch, terms: { ...batch.terms, payer: laboratory } }, nobody)).to.equal(true);
    });
  });

  it("finds the condition for which too few attesters are left, unless a workflow does without", () => {
    const conditions = [attested, { threshold: 2, attesters: [one, two, three] }];
    expect(unreachableCondition(under(conditions), nobody)).to.equal(undefined);
    expect(unreachableCondition(under(conditions), new Set([two]))).to.equal(undefined);
    expect(unreachableCondition(under(conditions), new Set([two, three]))).to.equal(1);
    expect(unreachableCondition(under(conditions), new Set([one]))).to.equal(0);
    expect(unreachableCondition(under(conditions, workflow), new Set([one]))).to.equal(undefined);
    expect(unreachableCondition(under([attested, { attesters: [two], above: subtotal }]), new Set([two]))).to.equal(
      undefined,
    );
  });
});
