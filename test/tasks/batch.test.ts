import { readFileSync, statSync, writeFileSync } from "node:fs";

import { loadFixture, mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { Claim } from "fhir/r4";
import { network } from "hardhat";

import { hl7 } from "../sdk/hl7";

import { accounts, command, fill, npis, type Json } from "./support";
import { attested, fundedWorld, peopledWorld, terms, type World } from "./world";

const { payer, pharmacy: pharmacist, laboratory: laboratorian, stranger } = accounts;
const DAY = 24 * 60 * 60;

const balances = async (
  { does, token, address }: World,
  account: string,
): Promise<{ free: string; credit: string }> => {
  const { free, credit } = await does("", "pool:balances", { token, account: address(account) });
  return { free: free as string, credit: credit as string };
};

describe("Tasks: a batch's life", () => {
  describe("batch:fund", () => {
    it("funds fills by the directory's NPIs, and writes the file for payees and the record for the payer alone", async () => {
      const world = await loadFixture(fundedWorld);
      const { batch, record, batchId, does } = world;
      const status = await does("", "batch:status", { file: batch });
      expect(status).to.include({ batchId, state: "open", total: "162.34", open: "162.34" });
      expect((status.groups as Json[]).map(({ lines, closed }) => [lines, closed])).to.have.deep.members([
        [2, 0],
        [1, 0],
      ]);
      expect(await does("", "batch:status", { file: record })).to.include({ batchId, state: "open" });
      expect(JSON.parse(readFileSync(batch, "utf8"))).to.include({ carepact: "claim-batch", batchId });
      expect(JSON.parse(readFileSync(record, "utf8"))).to.include({ carepact: "claim-batch-record", batchId });
      expect(statSync(record).mode & 0o777).to.equal(0o600);
      expect(await balances(world, payer)).to.deep.equal({ free: "837.66", credit: "0.00" });
    });

    it("funds a FHIR Claim with its decision, apart or together, and says which claim is wrong", async () => {
      const world = await loadFixture(peopledWorld);
      const { does, fails, file, address } = world;
      const claim = hl7<Claim>("Claim-760151");
      const decision = { payee: address(pharmacist), lines: [{ sequence: 1, allowed: "90.00" }] };
      const apart = { claims: file("claim.json", claim), decisions: file("decision.json", decision) };
      expect(await does(payer, "batch:fund", { ...apart, ...terms(world, "apart") })).to.include({ total: "90.00" });
      const { payee: _payee, ...unnamed } = decision;
      const together = [{ claim, decision: unnamed }, fill("41", "1.00", npis.pharmacy)];
      const options = { claims: file("together.json", together), payee: address(pharmacist) };
      const funded = await does(payer, "batch:fund", { ...options, ...terms(world, "together") });
      expect(funded.groups).to.deep.equal([{ payee: address(pharmacist), lines: 2, subtotal: "91.00" }]);

      const wrong = async (name: string, claims: unknown): Promise<Json> => {
        const path = file(`${name}.json`, claims);
        const { json } = await fails(2, payer, "batch:fund", { claims: path, ...terms(world, name) });
        return json.error as Json;
      };
      const undecided = await wrong("undecided", [fill("51", "1.00", npis.pharmacy), claim]);
      expect(undecided.message).to.match(/^Claim 2 of 2: There is no decision on claim 760151/);
      expect(await wrong("unknown", fill("52", "1.00", "1234567893"))).to.include({ code: "PAYEE_UNKNOWN" });
      expect(await wrong("odd", { kind: "dental" })).to.include({ code: "INPUT_INVALID" });
      const unbalanced = { ...fill("53", "1.00", npis.pharmacy), totalAmountPaid: "2.00" };
      expect(await wrong("unbalanced", unbalanced)).to.include({ code: "CLAIM_DOES_NOT_BALANCE" });
    });

    it("writes over nothing, and leaves nothing behind when it is refused", async () => {
      const world = await loadFixture(fundedWorld);
      const { fails, does, file, path, batch } = world;
      const claims = file("more.json", fill("61", "5.00", npis.pharmacy));
      const before = readFileSync(batch, "utf8");
      const again = await fails(2, payer, "batch:fund", { claims, ...terms(world, "batch") });
      expect(again.stderr).to.include("batch.batch.json exists already; --force writes over it");
      expect(readFileSync(batch, "utf8")).to.equal(before);

      const large = file("large.json", fill("62", "5000.00", npis.pharmacy));
      const refused = await fails(1, payer, "batch:fund", { claims: large, ...terms(world, "large") });
      expect(refused.json.error).to.include({ code: "CONTRACT_REVERTED", name: "FreeBalanceTooSmall" });
      expect(refused.stderr).to.match(/^Error: The pool does not cover the batch: deposit more, or fund less/m);
      for (const name of [
        "large.batch.json",
        "large.batch.json.unsent",
        "large.record.json",
        "large.record.json.unsent",
      ])
        expect(() => statSync(path(name)), name).to.throw("ENOENT");
      const { batchId } = await does(payer, "batch:fund", { claims, ...terms(world, "own") });
      await does(payer, "batch:fund", { claims, ...terms(world, "own"), force: true });
      expect(readFileSync(path("own.batch.json"), "utf8")).not.to.include(batchId);
    });

    it("keeps both documents when it loses the node between sending and the end, and says how to go on", async () => {
      const world = await loadFixture(peopledWorld);
      const { does, fails, path, file } = world;
      const claims = file("lost.json", fill("63", "5.00", npis.pharmacy));
      await network.provider.send("evm_setAutomine", [false]);
      const options = { claims, ...terms(world, "lost"), timeout: "1s" };
      const lost = await fails(3, payer, "batch:fund", options).finally(() =>
        network.provider.send("evm_setAutomine", [true]),
      );
      expect(lost.json.error).to.include({ code: "TIMED_OUT" });
      expect(lost.stderr).to.include("Whether the batch was funded is not known. Look: npx hardhat batch:status");
      expect(statSync(path("lost.record.json.unsent")).mode & 0o777).to.equal(0o600);
      expect((await fails(2, payer, "batch:fund", options)).stderr).to.include(
        "lost.record.json.unsent exists already",
      );
      await mine();
      const unsent = path("lost.batch.json.unsent");
      expect(await does("", "batch:status", { file: unsent })).to.include({ state: "open", total: "5.00" });
    });

    it("says what is missing or no value", async () => {
      const world = await loadFixture(peopledWorld);
      const claims = world.file("one.json", fill("71", "5.00", npis.pharmacy));
      const options = { claims, ...terms(world, "one") };
      for (const [change, says] of [
        [{ claims: undefined }, /--claims is needed/],
        [{ claims: world.path("none.json") }, /--claims: .*none.json cannot be read: there is none/],
        [{ claims: world.file("bad.json", "{") }, /this is not JSON/],
        [{ eventBy: "soon" }, /--event-by is no moment/],
        [{ eventBy: "2026-02-31" }, /--event-by is no moment/],
        [{ rulebook: "0x11" }, /--rulebook is not 32 bytes/],
        [{ token: "0x11" }, /--token is not an address/],
        [{ out: world.path("no/where.json") }, /is no folder/],
        [{ record: undefined }, /--record is needed/],
      ] as const) {
        const { stderr } = await world.fails(2, payer, "batch:fund", { ...options, ...change } as Record<
          string,
          string
        >);
        expect(stderr).to.match(says);
      }
    });
  });

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
      expect((checked.lines as Json[]).map(({ line, claimId, amount }) => [line, claimId, amount])).to.deep.equal([
        [0, "F-11", "90.00"],
        [1, "F-12", "12.34"],
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
      const { payee: _payee, ...whose } = options;
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

    it("settle by line with the record, by results of a file, partly met ones too", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, record, file, address } = world;
      const lines = ["notMet", { result: "partlyMet", amount: "10.00" }];
      const results = { [address(pharmacist)]: { result: "byLine", lines } };
      const attestations = await attested(world, record, { results: file("results.json", results) });
      const blind = await does(stranger, "batch:settle", { file: batch, attestations });
      expect(blind).to.include({ changed: false, paid: "0.00" });
      expect(await does(payer, "batch:settle", { file: record, attestations })).to.include({
        paid: "10.00",
        freed: "92.34",
      });
      expect(await does("", "batch:status", { file: batch })).to.include({ state: "open", open: "60.00" });

      const tooMuch = {
        ...results,
        [address(pharmacist)]: { result: "byLine", lines: [lines[0], { ...(lines[1] as object), amount: "12.34" }] },
      };
      const options = { file: record, results: file("much.json", tooMuch) };
      expect((await fails(2, accounts.attesters[0], "batch:attest", options)).json.error).to.include({
        code: "PARTIAL_AMOUNT_INVALID",
      });
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
        [{}, /Give --all or --results/],
        [{ all: "maybe" }, /--all is one of met, notMet/],
        [{ results: file("short.json", ["met"]) }, /the batch has 2 groups, the file 1 results/],
        [{ results: file("other.json", { [world.address("9")]: "met" }) }, /has no group of/],
        [{ all: "met", with: path("alone.json"), evidence: `0x${"11".repeat(32)}` }, /--with says moment and evidence/],
      ] as const) {
        const call = { file: batch, ...options } as Record<string, string>;
        expect((await fails(2, accounts.attesters[0], "batch:attest", call)).stderr).to.match(says);
      }
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
    it("give money back to the payer, each in its own way", async () => {
      const world = await loadFixture(fundedWorld);
      const { does, fails, batch, record, pharmacy } = world;
      const reversed = await does(pharmacist, "batch:reverse", { file: batch, lines: "1" }, pharmacy);
      expect(reversed).to.include({ amount: "12.34" });
      const again = await fails(1, pharmacist, "batch:reverse", { file: batch, lines: "1" }, pharmacy);
      expect(again.json.error).to.include({ name: "LineNotOpen" });
      expect((await fails(2, pharmacist, "batch:reverse", { file: batch, lines: "7" }, pharmacy)).stderr).to.include(
        "Name lines of the group",
      );

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
