import { readFileSync } from "node:fs";

import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { accounts, command, npis, type Json } from "./support";
import { deployedWorld, peopledWorld } from "./world";

const { officer, payer, pharmacy, stranger } = accounts;
const KEY = `0x${"ab".repeat(32)}`;

describe("Tasks: organizations, rulebooks and pools", () => {
  describe("org:*", () => {
    it("register an organization once, from options or a file, and show it by account or NPI", async () => {
      const { does, fails, file, address } = await loadFixture(deployedWorld);
      const account = address(pharmacy);
      const entry = {
        name: "Elm Pharmacy",
        kinds: ["pharmacy", "clinic"],
        hpkeKey: KEY,
        npi: npis.pharmacy,
        ncpdpId: "0123456",
        endpoint: "https://fhir.example.org",
      };
      const options = { account, file: file("entry.json", entry) };
      expect(await does(officer, "org:register", options)).to.include({ registered: true, changed: true });
      expect(await does(officer, "org:register", options)).to.include({ registered: true, changed: false });
      const other = { account, name: "Oak Pharmacy", kinds: "pharmacy", hpkeKey: KEY };
      const differs = await fails(2, officer, "org:register", other);
      expect(differs.stderr).to.include("with another name, kinds: org:update changes an entry");

      const { entry: shown } = await does("", "org:show", { npi: npis.pharmacy });
      expect(shown).to.deep.equal({ ...entry, account, status: "active", hpkeKeyVersion: 1 });
      expect((await does("", "org:show", { account })).entry).to.deep.equal(shown);
      expect((await fails(2, undefined, "org:show", { npi: npis.laboratory })).stderr).to.include("No organization");
      expect((await fails(2, undefined, "org:show", { npi: "1" })).json.error).to.include({
        code: "IDENTIFIER_INVALID",
      });
    });

    it("show others' words in lines of this command's own, and as they are in JSON", async () => {
      const { at, does, address } = await loadFixture(deployedWorld);
      const account = address(pharmacy);
      const name = "Elm\u001b[2J\nstatus     active\u202e\u009b1A";
      await does(officer, "org:register", { account, name, kinds: "pharmacy", hpkeKey: KEY });
      await does(officer, "org:suspend", { account });
      const shown = await command("org:show", { ...at, account, json: false });
      expect(shown.stdout.match(/^status/gm)).to.have.length(1);
      expect(shown.stdout).to.include("Elm\\u001b[2J\\u000astatus     active\\u202e\\u009b1A\n");
      expect(shown.stdout).not.to.match(/[^\P{Cc}\n]|\u202e/u);
      const json = await command("org:show", { ...at, account });
      expect(json.stdout).not.to.match(/[^\P{Cc}\n]|\u202e/u);
      expect((json.json.entry as Json).name).to.equal(name);
    });

    it("update only what is given, suspend and reinstate, and say when nothing changes", async () => {
      const { does, fails, address } = await loadFixture(peopledWorld);
      const account = address(pharmacy);
      const shown = async (): Promise<Json> => (await does("", "org:show", { account })).entry as Json;
      const before = await shown();
      const change = { account, name: "Elm Street Pharmacy" };
      expect((await does(officer, "org:update", change)).fields).to.deep.equal(["name"]);
      expect(await does(officer, "org:update", change)).to.include({ changed: false });
      expect(await shown()).to.deep.equal({ ...before, name: "Elm Street Pharmacy" });
      expect((await fails(2, officer, "org:update", { account, hpkeKey: KEY })).stderr).to.include("org:key");
      expect((await fails(2, officer, "org:update", { ...change, account: address("8") })).stderr).to.include(
        "org:register",
      );

      for (const [verb, status] of [
        ["org:suspend", "suspended"],
        ["org:reinstate", "active"],
      ] as const) {
        expect(await does(officer, verb, { account })).to.include({ changed: true, status });
        expect(await does(officer, verb, { account })).to.include({ changed: false, status });
        expect(await shown()).to.include({ status });
      }
      const refused = await fails(1, stranger, "org:suspend", { account });
      expect(refused.json.error).to.include({ code: "CONTRACT_REVERTED", name: "AccessManagedUnauthorized" });
      expect(refused.stderr).not.to.include("    at ");
    });

    it("let an organization change its own key and endpoint", async () => {
      const { does, fails, address } = await loadFixture(peopledWorld);
      expect(await does(pharmacy, "org:key", { hpkeKey: KEY })).to.include({ changed: true, version: 2 });
      expect(await does(pharmacy, "org:key", { hpkeKey: KEY })).to.include({ changed: false, version: 2 });
      const endpoint = "https://fhir.example.org";
      expect(await does(pharmacy, "org:endpoint", { endpoint })).to.include({ changed: true });
      expect(await does(pharmacy, "org:endpoint", { endpoint })).to.include({ changed: false });
      const { entry } = await does("", "org:show", { account: address(pharmacy) });
      expect(entry).to.include({ hpkeKey: KEY, hpkeKeyVersion: 2, endpoint });
      expect(await does(pharmacy, "org:endpoint", { endpoint: "" })).to.include({ changed: true });
      expect((await fails(2, pharmacy, "org:endpoint", { endpoint: "http://x" })).stderr).to.include("an https URL");
      expect((await fails(2, stranger, "org:key", { hpkeKey: KEY })).stderr).to.include("is not registered");
    });

    it("refuse what is no entry", async () => {
      const { fails, file, address } = await loadFixture(deployedWorld);
      const account = address(pharmacy);
      const options = { account, name: "Elm", kinds: "pharmacy", hpkeKey: KEY };
      for (const [change, says] of [
        [{ account: "0x11" }, /--account is not an address/],
        [{ kinds: "dentist" }, /--kinds is one of payer/],
        [{ hpkeKey: "0x11" }, /--hpke-key is not 32 bytes/],
        [{ npi: "1234567890" }, /NPI/],
        [{ name: undefined }, /An entry needs name/],
        [{ file: file("x.json", {}) }, /--file says all of an entry/],
      ] as [Record<string, string>, RegExp][])
        expect((await fails(2, officer, "org:register", { ...options, ...change })).stderr).to.match(says);
    });
  });

  describe("rulebook:*", () => {
    it("publish once, show, write as a file that gives the same id, suspend and resume", async () => {
      const { does, fails, path, rulebook: id } = await loadFixture(peopledWorld);
      const out = path("whole.json");
      expect(await does("", "rulebook:show", { id, out })).to.include({ id, suspended: false });
      expect(JSON.parse(readFileSync(out, "utf8"))).to.include({ grace: 3 * 24 * 60 * 60, eventKinds: 3, bond: "0" });
      expect(await does(payer, "rulebook:publish", { file: out })).to.include({ id, changed: false });
      expect((await fails(2, undefined, "rulebook:show", { id, out })).stderr).to.include("exists already");

      for (const [verb, suspended] of [
        ["rulebook:suspend", true],
        ["rulebook:resume", false],
      ] as const) {
        expect((await fails(1, payer, verb, { id })).json.error).to.include({ name: "NotSuspender" });
        expect(await does(stranger, verb, { id })).to.include({ suspended, changed: true });
        expect(await does(stranger, verb, { id })).to.include({ suspended, changed: false });
      }
    });

    it("tell people what a rulebook says", async () => {
      const { at, rulebook: id } = await loadFixture(peopledWorld);
      const { stdout } = await command("rulebook:show", { ...at, id, json: false });
      expect(stdout)
        .to.match(/^events +dispense, diagnosticReport$/m)
        .and.to.match(/^grace +3d$/m);
      expect(stdout).to.include("2 of 3 attest:").and.to.include("It is in force.");
    });

    it("refuse what is no rulebook", async () => {
      const { fails, file, address } = await loadFixture(deployedWorld);
      const short = { attesters: [address("5")], threshold: 1, eventKinds: ["dispense"], grace: "3d" };
      for (const [name, change, says] of [
        ["kinds", { eventKinds: ["surgery"] }, /eventKinds is one of dispense/],
        ["grace", { grace: 3 }, /grace is not a duration/],
        ["attesters", { attesters: ["0x11"] }, /attesters is a list of accounts/],
        ["threshold", { threshold: "1" }, /threshold is a whole number/],
        ["bond", { bond: "1" }, /bond is in the units o/],
        ["fee", { fee: "1" }, /a short rulebook has no fee/],
        ["groups", { attesterGroups: [{}] }, /rulebook/],
      ] as const) {
        const path = file(`${name}.json`, { ...short, ...change });
        expect((await fails(2, payer, "rulebook:publish", { file: path })).stderr).to.match(says);
      }
      const early = { file: file("early.json", { ...short, grace: "1h" }) };
      expect((await fails(1, payer, "rulebook:publish", early)).json.error).to.include({ name: "GraceOutOfRange" });
      const unknown = { id: `0x${"11".repeat(32)}` };
      expect((await fails(1, undefined, "rulebook:show", unknown)).json.error).to.include({ name: "RulebookUnknown" });
      expect((await fails(2, payer, "rulebook:suspend", unknown)).stderr).to.include("was published here");
    });
  });

  describe("pool:*", () => {
    it("approve, deposit and withdraw exact amounts in the token's own units", async () => {
      const { does, fails, token, address } = await loadFixture(deployedWorld);
      const early = await fails(1, payer, "pool:deposit", { token, amount: "90.00" });
      expect(early.stderr).to.match(/^Error: .*approve it first/m);
      expect(await does(payer, "pool:approve", { token, amount: "100.000001" })).to.include({
        amount: "100.000001 TUSD",
      });
      await does(payer, "pool:deposit", { token, amount: "90.00" });
      await does(payer, "pool:deposit", { token, amount: "10.000001", payer: address(stranger) });
      await does(payer, "pool:withdraw", { token, amount: "0.01", to: address(stranger) });
      const { free, credit } = await does("", "pool:balances", { token, account: address(payer) });
      expect({ free, credit }).to.deep.equal({ free: "89.99", credit: "0.00" });
      const others = await does("", "pool:balances", { token, account: address(stranger) });
      expect(others).to.include({ free: "10.000001" });
    });

    it("refuse amounts that are none, and more than there is", async () => {
      const { fails, token, address } = await loadFixture(peopledWorld);
      for (const amount of ["", "90,00", "1e3", "-1", "0.00", "0.0000001", "90.00 TUSD"])
        await fails(2, payer, "pool:withdraw", { token, amount });
      const large = await fails(1, payer, "pool:withdraw", { token, amount: "1000.01" });
      expect(large.json.error).to.include({ name: "FreeBalanceTooSmall" });
      const noToken = await fails(2, payer, "pool:withdraw", { token: address(stranger), amount: "1.00" });
      expect(noToken.json.error).to.include({ code: "TOKEN_UNREADABLE" });
    });
  });
});
