import { readFileSync } from "node:fs";

import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { Deployment } from "@carepact/sdk";

import { p256Key } from "../support/keys";
import { workflowOf } from "../support/keystone";

import { accounts, command, type Json } from "./support";
import { fundedWorld, peopledWorld, type FundedWorld } from "./world";

const { payer, pharmacy: pharmacist, stranger } = accounts;
const [one, two] = accounts.attesters;
const common = { eventKinds: ["dispense"], grace: "3d" };

const deploymentIn = ({ at }: { at: { deployment: string } }): Deployment =>
  JSON.parse(readFileSync(at.deployment, "utf8")) as Deployment;

describe("Tasks: rulebooks of conditions", () => {
  it("are published from roles, accounts, keys, amounts and a workflow, and shown in words", async () => {
    const { at, does, file, path, token, address } = await loadFixture(peopledWorld);
    const { p256Verifier } = deploymentIn({ at });
    const key = p256Key("laboratory", p256Verifier).signer;
    const { id, owner, name } = workflowOf("dispenses");
    const document = {
      ...common,
      conditions: [
        { attesters: ["payee"] },
        { attesters: [address(one), { p256Key: `0x${key.slice(42)}` }, address(two)], threshold: 2 },
        { attesters: ["patient"], above: "1000.00" },
      ],
      workflow: { id, owner, name: "dispenses" },
    };
    const call = { file: file("rules.conditions.json", document), token };
    const published = await does(payer, "rulebook:publish", call);
    expect(published).to.include({ changed: true });
    expect(await does(payer, "rulebook:publish", call)).to.include({ id: published.id, changed: false });

    const shown = { id: published.id as string, token };
    const { rulebook, conditions } = await does("", "rulebook:show", { ...shown, out: path("rules.whole.json") });
    expect(rulebook).to.have.property("workflow").that.deep.includes({ id, name });
    const [own, networks, patient] = conditions as Json[];
    expect(own).to.deep.include({ threshold: 1, above: "0.00", attesters: [{ index: 0, role: "payee" }] });
    const signers = [address(one).toLowerCase(), address(two).toLowerCase(), key].sort();
    expect((networks!.attesters as Json[]).map(({ index, signer, kind, standing }) => [index, signer, kind, standing]))
      .to //
      .deep.equal(signers.map((signer, i) => [i + 1, signer, signer === key ? "P-256 key" : "account", "counts"]));
    expect(patient).to.deep.include({ above: "1000.00", attesters: [{ index: 4, role: "patient" }] });

    const words = await command("rulebook:show", { ...at, ...shown, json: false });
    for (const says of [
      "All of these have to hold:",
      "the payee of each group that settles attests [0]",
      "2 of 3 attest:",
      `${key} (P-256 key)`,
      "Where a settled group has more than 1000.00 TUSD: the patient of each line that is paid, or a representative, attests [4]",
      `Or, in place of all that: the workflow ${id}`,
    ])
      expect(words.stdout).to.include(says);
    const raw = await command("rulebook:show", { ...at, id: published.id as string, json: false });
    expect(raw.stdout).to.include("more than 1000000000 base units");

    // What it wrote is the same rulebook, in base units.
    expect(await does(payer, "rulebook:publish", { file: path("rules.whole.json") })).to.include({ id: published.id });
    const bytes = { ...document, workflow: { ...document.workflow, name } };
    const again = { file: file("rules.bytes.json", bytes), token };
    expect(await does(payer, "rulebook:publish", again)).to.include({ id: published.id, changed: false });
    const alone = { ...common, conditions: [], workflow: document.workflow };
    const { id: only } = await does(payer, "rulebook:publish", { file: file("rules.alone.json", alone) });
    const words2 = await command("rulebook:show", { ...at, id: only as string, json: false });
    expect(words2.stdout).to.match(/Only the workflow .* reports; nobody signs/);
  });

  it("are refused with what is wrong, before anything is sent", async () => {
    const { fails, file, token, address } = await loadFixture(peopledWorld);
    const attesters = [address(one)];
    const { id, owner } = workflowOf("dispenses");
    for (const [rules, says, options] of [
      [{ conditions: [{ attesters, above: "1.00" }] }, /say which by --token/, {}],
      [{ conditions: [{ attesters, above: "1.0000001" }] }, /has more than the 6/, { token }],
      [{ conditions: [{ attesters, above: "1.00" }] }, /add one for all amounts/, { token }],
      [{ conditions: [{ attesters: ["patient"] }] }, /nobody but the patient/, {}],
      [{ conditions: [{ attesters: ["payee", address(one)] }] }, /role beside others/, {}],
      [{ conditions: [{ attesters: ["0x11"] }] }, /neither an account, nor a key, nor a role/, {}],
      [{ conditions: [{ attesters: [{ p256Key: "0x11" }] }] }, /attesters\[0\] is no account or key in hex/, {}],
      [{ conditions: [{ attesters, threshold: 2 }] }, /is not 1 to 1/, {}],
      [{ conditions: [{ attesters, threshold: "1" }] }, /threshold is a whole number/, {}],
      [{ conditions: [{ attesters, who: "me" }] }, /a condition has no who/, {}],
      [{ conditions: [{}] }, /attesters is a list/, {}],
      [{ conditions: [7] }, /conditions\[0\]: this is no object/, {}],
      [{ conditions: {} }, /conditions is a list/, {}],
      [{ conditions: [{ attesters }], attesters, threshold: 1 }, /stand in conditions/, {}],
      [{ conditions: [] }, /nobody but the patient/, {}],
      [{ workflow: { id, owner } }, /name is that of the workflow/, {}],
      [{ workflow: { id: "0x11", owner, name: "w" } }, /workflow.id is not 32 bytes/, {}],
      [{ workflow: { id, owner: "me", name: "w" } }, /workflow.owner is not an address/, {}],
      [{ attesters: ["payee"], threshold: 1 }, /keys and roles stand in conditions/, {}],
    ] as [Json, RegExp, Record<string, string>][]) {
      const call = { file: file("rules.wrong.json", { ...common, ...rules }), ...options };
      expect((await fails(2, payer, "rulebook:publish", call)).stderr).to.match(says);
    }
  });
});

describe("Tasks: attesters who equivocate", () => {
  /** Files of what one attester says at one moment: paid, and not. */
  async function contradicting({ does, batch, path }: FundedWorld): Promise<[string, string]> {
    const files: [string, string] = [path("rules.met.json"), path("rules.notMet.json")];
    const at = { file: batch, observedAt: "2026-01-16T12:00:00Z", force: true };
    await does(one, "batch:attest", { ...at, all: "met", out: files[0] });
    await does(one, "batch:attest", { ...at, all: "notMet", out: files[1] });
    return files;
  }

  it("are suspended by anyone who has both attestations, in each rulebook that names them", async () => {
    const world = await loadFixture(fundedWorld);
    const { at, does, fails, file, batch, batchId, rulebook, address } = world;
    const attester = address(one).toLowerCase();
    const other = { ...common, attesters: [address(one), address(two)], threshold: 1 };
    const { id } = (await does(payer, "rulebook:publish", { file: file("rules.other.json", other) })) as { id: string };
    const honest = await fails(1, stranger, "rulebook:suspend-attester", { id, attester });
    expect(honest.json.error).to.include({ name: "AttesterHonest" });

    const attestations = (await contradicting(world)).join();
    const proof = { file: batch, attestations };
    const proved = await does(stranger, "rulebook:prove-equivocation", proof);
    expect(proved).to.deep.include({ changed: true, id: rulebook, batchId, attester, group: 0, line: 0 });
    expect(await does(stranger, "rulebook:prove-equivocation", proof)).to.include({ changed: false, attester });

    const standingIn = async (where: string): Promise<unknown> => {
      const { conditions } = await does("", "rulebook:show", { id: where });
      const { attesters } = (conditions as Json[])[0] as { attesters: Json[] };
      return attesters.find(({ signer }) => signer === attester)?.standing;
    };
    expect(await standingIn(rulebook)).to.equal("suspended");
    expect(await standingIn(id)).to.equal("equivocated");
    const words = await command("rulebook:show", { ...at, id, json: false });
    expect(words.stdout).to.include("still counts here: see rulebook:suspend-attester");
    expect(await does(stranger, "rulebook:suspend-attester", { id, attester: address(one) })).to.include({
      changed: true,
    });
    expect(await does(stranger, "rulebook:suspend-attester", { id, attester })).to.include({ changed: false });
    expect(await standingIn(id)).to.equal("suspended");
    // Whoever equivocated is left out of what is published from then on.
    const next = { ...other, grace: "4d" };
    const { id: later } = await does(payer, "rulebook:publish", { file: file("rules.later.json", next) });
    expect(await standingIn(later as string)).to.equal("suspended");
  });

  it("are not, by what proves nothing", async () => {
    const world = await loadFixture(fundedWorld);
    const { does, fails, batch, path, address, rulebook } = world;
    const [met, notMet] = await contradicting(world);
    const [theirs, later] = [path("rules.theirs.json"), path("rules.afterwards.json")];
    await does(two, "batch:attest", { file: batch, all: "notMet", with: met, out: theirs });
    await does(one, "batch:attest", { file: batch, all: "notMet", out: later });
    for (const [files, reason] of [
      [[met, theirs], "attesters"],
      [[met, later], "observedAt"],
      [[met, met], "results"],
      [[met, theirs, later], "results"],
      [[notMet], "results"],
    ] as const) {
      const call = { file: batch, attestations: files.join() };
      const { json } = await fails(2, stranger, "rulebook:prove-equivocation", call);
      expect(json.error)
        .to.include({ code: "EQUIVOCATION_NOT_SHOWN" })
        .and.to.deep.nested.include({ "details.reason": reason });
    }
    expect((await fails(2, stranger, "rulebook:prove-equivocation", { file: batch })).stderr).to.include(
      "--attestations is needed",
    );
    const unnamed = { id: rulebook, attester: address(pharmacist) };
    await fails(1, stranger, "rulebook:suspend-attester", unnamed);
    for (const [options, says] of [
      [{ id: `0x${"11".repeat(32)}`, attester: address(one) }, /No rulebook .* was published here/],
      [{ id: rulebook, attester: "0x11" }, /--attester is no account or key/],
      [{ id: rulebook }, /--attester is needed/],
    ] as [Record<string, string>, RegExp][])
      expect((await fails(2, stranger, "rulebook:suspend-attester", options)).stderr).to.match(says);
  });
});
