import { readFileSync, writeFileSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { accounts, command, type Json } from "./support";
import { attested, balances, fundedWorld } from "./world";

const { payer, pharmacy: pharmacist, laboratory: laboratorian, stranger } = accounts;
const DAY = 24 * 60 * 60;

describe("Tasks: a batch's life", () => {
  describe("batch:check", () => {
    it("tells a payee its lines when the money is locked", async () => {
      const { does, batch, pharmacy, rulebook, token, address } = await loadFixture(fundedWorld);
      const options = {
        file: batch,
        payee: address(pharmacist),
        rulebooks: rulebook,
        tokens: token,
        finality: "latest",
      };
      const checked = await does("", "batch:check", { ...options, minimum: "3d" }, pharmacy);
      expect(checked).to.include({ payee: address(pharmacist), total: "102.34" });
      const lines = checked.lines as Json[];
      expect(lines.map(({ line }) => line)).to.deep.equal([0, 1]);
      expect(lines.map(({ claimId, amount }) => [claimId, amount])).to.have.deep.members([
        ["F-11", "90.00"],
        ["F-12", "12.34"],
      ]);
    });

    it("ends with 4 and the reason when the batch is no guarantee, and with 2 when it was asked wrongly", async () => {
      const world = await loadFixture(fundedWorld);
      const { fails, batch, pharmacy, rulebook, token, address, file } = world;
      const options = {
        file: batch,
        payee: address(pharmacist),
        rulebooks: rulebook,
        tokens: token,
        finality: "latest",
      };
      const reason = async (change: Record<string, string>, env = pharmacy): Promise<string> =>
        ((await fails(4, undefined, "batch:check", { ...options, ...change }, env)).json.reason as Json).code as string;
      expect(await reason({ rulebooks: `0x${"11".repeat(32)}` })).to.equal("RULEBOOK_NOT_ACCEPTED");
      expect(await reason({ tokens: address("0") })).to.equal("TOKEN_NOT_ACCEPTED");
      expect(await reason({ minimum: "20d" })).to.equal("TOO_LATE");
      expect(await reason({}, world.laboratory)).to.equal("SEALED_UNREADABLE");
      const text = readFileSync(batch, "utf8").replace('"total": "162340000"', '"total": "162340001"');
      expect(await reason({ file: file("tampered.json", text) })).to.equal("FILE_TAMPERED");

      const noKey = await fails(2, undefined, "batch:check", options);
      expect(noKey.stderr).to.include("A sealing key is needed");
      const whose = { file: batch, rulebooks: rulebook, tokens: token };
      expect((await fails(2, undefined, "batch:check", whose, pharmacy)).stderr).to.include("say which by --payee");
      const record = await fails(2, undefined, "batch:check", { ...options, file: world.record }, pharmacy);
      expect(record.stderr).to.include("this is a payer's record");
    });
  });

  describe("batch:attest and batch:settle", () => {
    it("pay what two attesters sign, say so when asked again, and pay out", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, batch, token, address } = world;
      const attestations = await attested(world, batch, { all: "met" });
      const settled = await does(stranger, "batch:settle", { file: batch, attestations });
      expect(settled).to.include({ paid: "162.34", freed: "0.00", changed: true });
      expect(settled.transaction).to.have.all.keys("hash", "block", "gas");
      const again = await command("batch:settle", {
        ...world.at,
        as: stranger,
        json: false,
        file: batch,
        attestations,
      });
      expect(again.code).to.equal(0);
      expect(again.stdout).to.include("Nothing is open in this batch");
      expect(await does("", "batch:status", { file: batch })).to.include({ state: "paid in full", open: "0.00" });

      expect(await balances(world, pharmacist)).to.deep.equal({ free: "0.00", credit: "102.34" });
      const refund = await does(pharmacist, "batch:refund", { file: batch, amount: "12.34" });
      expect(refund).to.include({ amount: "12.34 TUSD", from: "credit" });
      const half = { file: batch, to: address("8"), amount: "40.00" };
      expect(await does(pharmacist, "batch:payout", half)).to.include({ to: address("8"), amount: "40.00 TUSD" });
      const rest = await does(stranger, "batch:payout", { token, payee: address(pharmacist) });
      expect(rest).to.include({ amount: "50.00 TUSD", to: address(pharmacist) });
      expect(await does(stranger, "batch:payout", { token, payee: address(pharmacist) })).to.include({
        changed: false,
      });
      expect(await balances(world, payer)).to.deep.equal({ free: "850.00", credit: "0.00" });
    });

    it("share moment and evidence only with what an attester of this batch signed", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, file, path } = world;
      const [one, two] = accounts.attesters;
      const genuine = path("genuine.json");
      await does(one, "batch:attest", { file: batch, all: "met", out: genuine });
      const signed = JSON.parse(readFileSync(genuine, "utf8")) as Json;
      const unknown = path("unknown.json");
      await does(stranger, "batch:attest", { file: batch, all: "met", out: unknown });
      const foreign = file("foreign.json", {
        ...signed,
        batchId: `0x${"11".repeat(32)}`,
        signer: "nobody",
        signature: "0x",
      });
      const changed = file("changed.json", { ...signed, evidence: `0x${"22".repeat(32)}` });
      for (const [other, code] of [
        [foreign, "ATTESTATION_WRONG_BATCH"],
        [changed, "ATTESTATION_WRONG_BATCH"],
        [file("late.json", { ...signed, validUntil: 2 }), "ATTESTATION_WRONG_BATCH"],
        [unknown, "ATTESTATION_SIGNER_UNKNOWN"],
      ] as const) {
        const { json } = await fails(1, two, "batch:attest", { file: batch, all: "met", with: other });
        expect(json.error, other).to.include({ code });
      }
      const shouted = file("shouted.json", {
        ...signed,
        results: `0x${(signed.results as string).slice(2).toUpperCase()}`,
      });
      const options = { ...world.at, as: two, file: batch, all: "met", with: shouted };
      const agreed = await command("batch:attest", options);
      expect(agreed.json.attestation).to.deep.include({ observedAt: signed.observedAt, evidence: signed.evidence });
      expect(agreed.stderr).not.to.include("Warning");
    });

    it("settle by line with the record, by results of a file, partly met ones too", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, record, file, address } = world;
      const resultsOf = (...lines: Json[]) => ({ [address(pharmacist)]: { result: "byLine", lines } });
      const partly = { claimId: "F-12", lineNumber: 1, result: "partlyMet" };
      const results = resultsOf({ ...partly, amount: "10.00" }, { claimId: "F-11", result: "notMet" });
      const attestations = await attested(world, record, { results: file("results.json", results) });
      const blind = await does(stranger, "batch:settle", { file: batch, attestations });
      expect(blind).to.include({ changed: false, paid: "0.00" });
      expect(await does(payer, "batch:settle", { file: record, attestations })).to.include({
        paid: "10.00",
        freed: "92.34",
      });
      expect(await does("", "batch:status", { file: batch })).to.include({ state: "open", open: "60.00" });

      const options = { file: record, results: file("much.json", resultsOf({ ...partly, amount: "12.34" })) };
      expect((await fails(2, accounts.attesters[0], "batch:attest", options)).json.error).to.include({
        code: "PARTIAL_AMOUNT_INVALID",
      });

      const met = { claimId: "F-11", result: "met" };
      for (const [from, lines, says] of [
        [record, [{ ...met, claimId: "F-99" }], /0 lines fit its claimId/],
        [record, [met, met], /was named before/],
        [record, [met, "met"], /name each line of the group, or none/],
        [record, [{ line: 2, result: "met" }], /line is a number from 0 to 1/],
        [batch, [met], /claims can be named where lines are open/],
      ] as const) {
        const call = { file: from, results: file("wrong.json", resultsOf(...(lines as readonly Json[]))) };
        expect((await fails(2, accounts.attesters[0], "batch:attest", call)).stderr).to.match(says);
      }
    });

    it("settle by line from results that name lines by number, or none and give all", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, record, batch, file, address, pharmacy } = world;
      const asPharmacy = {
        file: batch,
        payee: address(pharmacist),
        rulebooks: "any",
        tokens: "any",
        finality: "latest",
      };
      const { lines } = await does("", "batch:check", asPharmacy, pharmacy);
      const { line, amount } = (lines as Json[]).find(({ claimId }) => claimId === "F-12")!;
      expect(amount).to.equal("12.34");
      const one = { [address(pharmacist)]: { result: "byLine", lines: [{ line, result: "met" }] } };
      const first = await attested(world, batch, { results: file("one.json", one) });
      expect(await does(payer, "batch:settle", { file: record, attestations: first })).to.include({ paid: "12.34" });
      const all = { [address(pharmacist)]: { result: "byLine", lines: ["notMet", "notMet"] } };
      const second = await attested(world, batch, { results: file("all.json", all) });
      const settled = await does(payer, "batch:settle", { file: record, attestations: second });
      expect(settled).to.include({ paid: "0.00", freed: "90.00" });
    });

    it("judge FHIR resources by the lines they are about, which have to be open", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, record, file, pharmacy, address } = world;
      const dispense = (claimId: string, status: string, value: number): Json => ({
        claimId,
        resource: {
          resourceType: "MedicationDispense",
          status,
          medicationCodeableConcept: { text: "made up" },
          quantity: { value },
          whenHandedOver: "2026-01-15",
        },
      });
      // 12.34 x 10 / 30, rounded down to a base unit.
      const events = [dispense("F-11", "completed", 30), dispense("F-12", "completed", 10)];
      const seen = { events: file("events.ndjson", events.map((event) => JSON.stringify(event)).join("\n")) };
      const own = { ...seen, payee: address(pharmacist) };
      const attestations = await attested(world, batch, own, pharmacy);
      const options = { file: batch, payee: address(pharmacist), attestations };
      const settled = await does(stranger, "batch:settle", options, pharmacy);
      expect(settled).to.include({ paid: "94.113333", freed: "8.226667" });
      expect(await does("", "batch:status", { file: record })).to.include({ state: "open", open: "60.00" });

      const refused = async (name: string, event: unknown, from = record): Promise<string> => {
        const call = { file: from, events: file(`${name}.json`, event) };
        return (await fails(2, accounts.attesters[0], "batch:attest", call)).stderr;
      };
      expect(await refused("unopened", events[0], batch)).to.include("--events needs the lines of the batch");
      expect(await refused("unknown", dispense("F-99", "completed", 1))).to.include("entry 1: 0 lines fit its claimId");
      expect(await refused("status", dispense("F-11", "finished", 1))).to.include("--events, entry 1");
      expect(await refused("kind", { claimId: "F-11", resource: {} })).to.include("resourceType");
    });

    it("refuse too few attesters, strangers, and what is no attestation", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, file, path } = world;
      await does(accounts.attesters[0], "batch:attest", { file: batch, all: "met", out: path("alone.json") });
      const alone = await fails(1, stranger, "batch:settle", { file: batch, attestations: path("alone.json") });
      expect(alone.json.error).to.include({ code: "ATTESTATION_TOO_FEW" });
      await does(stranger, "batch:attest", { file: batch, all: "met", out: path("stranger.json") });
      const attestations = `${path("alone.json")},${path("stranger.json")}`;
      expect((await fails(1, payer, "batch:settle", { file: batch, attestations })).json.error).to.include({
        code: "ATTESTATION_SIGNER_UNKNOWN",
      });
      const odd = await fails(2, payer, "batch:settle", { file: batch, attestations: file("odd.json", {}) });
      expect(odd.stderr).to.include("holds something that is no attestation");
      for (const [options, says] of [
        [{}, /Give --all, --results or --events/],
        [{ all: "maybe" }, /--all is one of met, notMet/],
        [{ results: file("short.json", ["met"]) }, /the batch has 2 groups, the file 1 results/],
        [{ results: file("other.json", { [world.address("9")]: "met" }) }, /has no group of/],
        [{ all: "met", with: path("alone.json"), evidence: `0x${"11".repeat(32)}` }, /--with says moment and evidence/],
      ] as const) {
        const call = { file: batch, ...options } as Record<string, string>;
        expect((await fails(2, accounts.attesters[0], "batch:attest", call)).stderr).to.match(says);
      }
    });

    it("leave closed what the key in the environment does not open, and ask for no key they do not need", async () => {
      const { at, does, fails, batch, path, file, address, laboratory } = await loadFixture(fundedWorld);
      const document = JSON.parse(readFileSync(batch, "utf8")) as { sealed: { payee: string }[] };
      const sealed = document.sealed.filter(({ payee }) => payee === address(pharmacist));
      const own = file("own.json", { ...document, sealed });
      const options = { ...at, as: accounts.attesters[0], file: own, all: "met" };
      const signed = await command("batch:attest", { ...options, out: path("own.attestation.json") }, laboratory);
      expect(signed.code).to.equal(0);
      expect(signed.stderr).to.include("its part of the file stays closed");
      const asked = { file: own, all: "met", payee: address(pharmacist) };
      const refused = await fails(2, accounts.attesters[0], "batch:attest", asked, laboratory);
      expect(refused.json.error).to.include({ code: "SEALED_UNREADABLE" });
      await does("", "batch:status", { file: own }, { CAREPACT_SEALING_KEYSTORE: path("none.json") });
    });

    it("warn an attester who says something else than the one it signs with", async () => {
      const { does, at, batch, path } = await loadFixture(fundedWorld);
      await does(accounts.attesters[0], "batch:attest", { file: batch, all: "met", out: path("met.json") });
      const options = { ...at, as: accounts.attesters[1], file: batch, all: "notMet", with: path("met.json") };
      const { code, stderr, stdout } = await command("batch:attest", { ...options, json: false });
      expect(code).to.equal(0);
      expect(stderr).to.include("the two do not count together");
      expect(JSON.parse(stdout)).to.include.keys("signature", "observedAt", "evidence");
    });
  });

  describe("batch:reverse, batch:reclaim and batch:refund", () => {
    it("count a line that is named twice once", async () => {
      const { at, batch, pharmacy } = await loadFixture(fundedWorld);
      const options = { ...at, as: pharmacist, json: false, file: batch };
      const byNumber = await command("batch:reverse", { ...options, lines: "1,1" }, pharmacy);
      expect(byNumber.stdout).to.match(/Gave up 1 lines: (12\.34|90\.00) TUSD go back/);
      const rest = byNumber.stdout.includes("12.34") ? "F-11" : "F-12";
      const byClaim = await command("batch:reverse", { ...options, claims: `${rest},${rest}` }, pharmacy);
      expect(byClaim.stdout).to.include(`Gave up 1 lines: ${rest === "F-11" ? "90.00" : "12.34"} TUSD go back`);
    });

    it("give money back to the payer, each in its own way", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, record, pharmacy } = world;
      const reversed = await does(pharmacist, "batch:reverse", { file: batch, claims: "F-12" }, pharmacy);
      expect(reversed).to.include({ amount: "12.34" });
      const again = await fails(1, pharmacist, "batch:reverse", { file: batch, claims: "F-12" }, pharmacy);
      expect(again.json.error).to.include({ name: "LineNotOpen" });
      expect((await fails(2, pharmacist, "batch:reverse", { file: batch, lines: "7" }, pharmacy)).stderr).to.include(
        "Name lines of the group",
      );
      for (const [named, says] of [
        [{ claims: "F-11,F-99" }, "the group has no line of F-99"],
        [{ claims: "F-11", lines: "1" }, "Give --claims or --lines"],
        [{}, "Give --claims or --lines"],
      ] as const) {
        const wrong = await fails(2, pharmacist, "batch:reverse", { file: batch, ...named }, pharmacy);
        expect(wrong.stderr).to.include(says);
      }

      const early = await fails(1, stranger, "batch:reclaim", { file: record });
      expect(early.json.error).to.include({ name: "ReclaimTooEarly" });
      await time.increase(18 * DAY);
      expect(await does(stranger, "batch:reclaim", { file: record })).to.include({ amount: "150.00", changed: true });
      expect(await does(stranger, "batch:reclaim", { file: record })).to.include({ changed: false });
      expect(await balances(world, payer)).to.deep.equal({ free: "1000.00", credit: "0.00" });
      const refund = await fails(1, pharmacist, "batch:refund", { file: batch, amount: "1.00" });
      expect(refund.json.error).to.include({ name: "RefundTooLarge" });
    });
  });

  describe("batch:watch", () => {
    it("tells what happened, a JSON object a line, and ends when the batch is closed", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, at, batch, address } = world;
      await does(stranger, "batch:settle", { file: batch, attestations: await attested(world, batch, { all: "met" }) });
      const { code, stdout } = await command("batch:watch", { ...at, file: batch });
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Json);
      expect(code).to.equal(0);
      expect(lines.map(({ change, name }) => (name as string) ?? change)).to.deep.equal([
        "ClaimBatchFunded",
        "GroupSettled",
        "GroupSettled",
        "ClaimBatchSettled",
        "status",
        undefined,
      ]);
      const ofPharmacy = lines.find(({ args }) => (args as Json)?.payee === address(pharmacist));
      expect(ofPharmacy?.args).to.include({ paid: "102.34", freed: "0.00" });
      expect(lines.at(-1)).to.include({ ok: true, until: "closed", reached: true, open: "0.00" });
      const told = await command("batch:watch", { ...at, file: batch, json: false, until: "settled" });
      expect(told.stdout)
        .to.match(/^block \d+: funded$/m)
        .and.to.match(/3 of 3 lines closed, 0.00 TUSD open/);
    });
  });

  describe("a batch whose documents are of no use", () => {
    it("is refused by every verb, with what is wrong", async () => {
      const { fails, file, path } = await loadFixture(fundedWorld);
      writeFileSync(path("text.json"), "not JSON");
      for (const [name, options] of [
        ["batch:status", {}],
        ["batch:settle", { attestations: path("alone.json") }],
        ["batch:reclaim", {}],
        ["batch:refund", { amount: "1.00" }],
        ["batch:watch", {}],
        ["batch:attest", { all: "met" }],
      ] as const) {
        const as = ["batch:status", "batch:watch"].includes(name) ? undefined : laboratorian;
        await fails(2, as, name, { ...options, file: path("none.json") });
        await fails(2, as, name, { ...options, file: path("text.json") });
        await fails(2, as, name, { ...options, file: file("other.json", { carepact: "a letter" }) });
        expect((await fails(2, as, name, { ...options })).stderr).to.match(/--file is needed|cannot be read/);
      }
    });
  });
});
