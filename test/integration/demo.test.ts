import { takeSnapshot, type SnapshotRestorer } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import hre from "hardhat";

import { runDemo, type DemoOutput, type DemoResult } from "../../examples/demo";
import type { BooksReport } from "../../examples/demo/books";
import { screenOn } from "../../examples/demo/print";
import { judgeChangedBooks, newTampering } from "../../examples/demo/tamper";
import { hl7Names } from "../sdk/hl7";

/** Keeps what the demo says. */
function listener(): { output: DemoOutput; told: () => string; results: string[] } {
  const lines: string[] = [];
  const results: string[] = [];
  return {
    output: { tell: (line) => lines.push(line), result: (line) => results.push(line) },
    told: () => lines.join("\n"),
    results,
  };
}

describe("The demo", function () {
  // It lets weeks pass; other tests go on where they were.
  let snapshot: SnapshotRestorer;
  beforeEach(async () => {
    snapshot = await takeSnapshot();
  });
  afterEach(() => snapshot.restore());

  context("run as it is, with --json", function () {
    it("pays 760151 and 860150, settles all 31 dispenses, rules on a dispute, remits, shows oracles, balances, and keeps a patient's consent", async function () {
      const { output, told, results } = listener();

      expect(await runDemo(hre, { json: true, tamper: false }, output), told()).to.equal(true);

      expect(results).to.have.length(1);
      const { gas, ...result } = JSON.parse(results[0] ?? "") as DemoResult;
      expect(result).to.deep.equal({
        ok: true,
        pharmacy: { claim: "760151", paid: "90.00" },
        laboratory: { claim: "860150", paid: "75.00" },
        dispenses: {
          total: 31,
          met: 8,
          partlyMet: 3,
          notMet: 4,
          pending: 16,
          paid: "563.25",
          reclaimed: "2263.25",
        },
        // As billed less what was not done; what the audit found; what each of two payers owes.
        lifecycle: { disputed: "200.00", recouped: "3.50", cob: ["150.00", "40.00"], remittanceBalanced: true },
        oracle: { workflow: true, passkey: true, duplicateCaught: true, equivocationProved: true },
        balanced: true,
        consent: { granted: true, read: true, revoked: true, refusedAfter: true, majority: true },
      });
      expect(Object.keys(gas ?? {})).to.have.members([
        "pool",
        "pharmacy",
        "laboratory",
        "dispenses",
        "lifecycle",
        "oracles",
        "consent",
      ]);
      for (const byVerb of Object.values(gas ?? {}))
        for (const [verb, used] of Object.entries(byVerb)) expect(used, verb).to.be.a("number").above(0);

      const dispenses = hl7Names("MedicationDispense");
      expect(dispenses).to.have.length(31);
      for (const name of dispenses) {
        const row = new RegExp(`^│ ${name.replace("MedicationDispense-meddisp", "")} `, "gm");
        expect(told().match(row), name).to.have.length(1);
      }
      expect(told()).to.include("the books balance").and.to.include("stands in for a laboratory claim");
      // The payer's 835, whose segments name claims and amounts, and what the payout was made of.
      for (const segment of ["BPR*I*426.5*C", "CLP*660151*1*214*200*", "CLP*660152*1*235.4*150*50*", "CAS*CO*45*35.4~"])
        expect(told()).to.include(segment);
      expect(told())
        .to.match(/│ Supplement │ +235\.40 │ +40\.00 │ +0\.00 │ +40\.00 │/)
        .and.to.match(/│ arbiter's award +│ 0x\w{8}… +│ 0x\w{8}… +│ +200\.00 │/)
        .and.to.match(/│ release of what was retained │ .*│ +4\.50 │/);
      expect(told())
        .to.match(/│ read DiagnosticReport │ TREAT .* allowed /)
        .and.to.include("refused: Revoked");
    });
  });

  context("run without --json", function () {
    it("tells people the same and prints no JSON", async function () {
      const { output, told, results } = listener();

      expect(await runDemo(hre, { json: false, tamper: false }, output), told()).to.equal(true);

      expect(results).to.deep.equal([]);
      expect(told()).to.include("All of it went as it should.");
    });
  });

  context("run with --tamper", function () {
    it("catches the changed amount, result and event, each for its own reason, and is not ok", async function () {
      const { output, told, results } = listener();

      expect(await runDemo(hre, { json: true, tamper: true }, output), told()).to.equal(false);

      const { ok, balanced, reasons = [], pharmacy } = JSON.parse(results[0] ?? "") as DemoResult;
      expect({ ok, balanced, paid: pharmacy?.paid }).to.deep.equal({ ok: false, balanced: false, paid: "90.00" });
      expect(reasons).to.have.length(3);
      expect(reasons[0]).to.match(/^FILE_TAMPERED: The amount of a line/);
      expect(reasons[1]).to.match(/^ATTESTATION_WRONG_BATCH, NotAttester: An attested result was changed/);
      expect(reasons[2]).to.match(/CREDIT_DIFFERS.*: One event in the book-keeping input was changed/);
    });
  });

  context("when a change is not caught", function () {
    it("says so as a reason of its own, and loudly", function () {
      const lines: string[] = [];
      const tampering = newTampering(
        true,
        screenOn((line) => lines.push(line)),
      );

      judgeChangedBooks(tampering, { balanced: true, inequalities: [] } as unknown as BooksReport);

      expect(tampering.reasons).to.have.length(1);
      expect(tampering.reasons[0]).to.match(/^NOT CAUGHT: /);
      expect(lines.join("\n")).to.include("!!!! TAMPERED, AND NOT CAUGHT");
    });
  });

  context("when something fails on the way", function () {
    it("is not ok, and says what failed", async function () {
      const { output, results } = listener();
      const broken = Object.create(hre, { network: { value: { name: "nowhere" } } }) as typeof hre;

      expect(await runDemo(broken, { json: true, tamper: false }, output)).to.equal(false);

      const { ok, reasons } = JSON.parse(results[0] ?? "") as DemoResult;
      expect(ok).to.equal(false);
      expect(reasons).to.have.length(1);
    });
  });
});
