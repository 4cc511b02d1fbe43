import { existsSync, readFileSync, statSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { run, type Deployment } from "@carepact/sdk";
import {
  createGateway,
  memoryStore,
  type AccessHistory,
  type AccessReceipt,
  type Attempt,
  type Gateway,
} from "@carepact/sdk/access";
import { parseSignedGrant } from "@carepact/sdk/consents";
import { readAuditEvent } from "@carepact/sdk/fhir";

import { command, type Json } from "./support";
import { granted, people, registeredWorld, type RegisteredWorld } from "./patientWorld";

const { clinic, specialist, gateway: gatewayAccount } = people;
const DAY = 24 * 60 * 60;

/** A gateway that noted what the clinic read, what it refused, and an emergency, all anchored. */
interface LoggedWorld extends RegisteredWorld {
  gateway: Gateway;
  /** Environment with the patient's sealing key. */
  env: NodeJS.ProcessEnv;
  /** The patient's history, sealed. */
  history: string;
  receipts: AccessReceipt[];
  attempt: (changes?: Partial<Attempt>) => Promise<AccessReceipt>;
  save: (name: string) => Promise<string>;
}

async function loggedWorld(world: RegisteredWorld): Promise<LoggedWorld> {
  const { patient, address, at, file, keys } = world;
  const deployment = JSON.parse(readFileSync(at.deployment, "utf8")) as Deployment;
  const runner = await ethers.getSigner(address(gatewayAccount));
  const gateway = createGateway({ runner, deployment }, { store: memoryStore() });
  const grant = parseSignedGrant(readFileSync((await granted(world)).file, "utf8"));
  const attempt = async (changes: Partial<Attempt> = {}): Promise<AccessReceipt> => {
    const { receipt } = await gateway.attempt({
      patient,
      who: address(clinic),
      action: "read",
      resourceTypes: ["Observation"],
      confidentiality: "N",
      purposes: ["TREAT"],
      basis: { kind: "grant", grant },
      ...changes,
    });
    return receipt;
  };
  const receipts = [await attempt(), await attempt({ who: address(specialist) })];
  await run(gateway.anchor());
  const basis = { kind: "breakGlass", justification: "Found unconscious." } as const;
  receipts.push(await attempt({ who: address(specialist), purposes: ["ETREAT"], basis }));
  await run(gateway.anchor());
  const save = async (name: string): Promise<string> => file(name, await gateway.history(patient, { view: "patient" }));
  const env = { CAREPACT_SEALING_KEY: keys.privateKey };
  return { ...world, gateway, env, history: await save("history.json"), receipts, attempt, save };
}

describe("Tasks: access logs", () => {
  let world: LoggedWorld;
  beforeEach(async () => {
    // A fixture takes back what was done on chain, and not what a gateway noted.
    world = await loggedWorld(await loadFixture(registeredWorld));
  });

  /** The opened history with a change, as a file. */
  async function tampered(name: string, change: (history: AccessHistory) => void): Promise<string> {
    const { does, env, history, patient, path, file } = world;
    const out = path(`${name}.opened.json`);
    await does("", "access:audit", { history, patient, out }, env);
    const opened = JSON.parse(readFileSync(out, "utf8")) as AccessHistory;
    change(opened);
    return file(`${name}.json`, opened);
  }

  it("shows what a gateway noted, for people and as FHIR AuditEvents", async () => {
    const { does, env, history, address } = world;
    const { entries } = await does("", "access:show", { history, deployment: undefined as never }, env);
    expect((entries as Json[]).map(({ trail, number }) => [trail, number])).to.deep.equal([
      ["shared", 0],
      ["shared", 1],
      ["shared", 2],
    ]);
    const lines = await command("access:show", { history, json: false }, env);
    expect(lines.stdout)
      .to.include(address(clinic))
      .and.to.include("refused: RequesterNotGrantee")
      .and.to.include("emergency: Found unconscious.")
      .and.to.include("access:audit holds it against the chain");

    const fhir = await command("access:show", { history, json: false, fhir: true }, env);
    const events = fhir.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Parameters<typeof readAuditEvent>[0]);
    expect(events.map((event) => readAuditEvent(event).number)).to.deep.equal([0, 1, 2]);
    expect((await command("access:show", { history, fhir: true }, env)).json.events).to.deep.equal(events);
  });

  it("audits a history against chain, receipts and an earlier one, and keeps it for the next", async () => {
    const { at, does, env, history, patient, path, file, receipts, gateway, attempt, save } = world;
    const out = path("opened.json");
    const notices = file(
      "notices.json",
      (await gateway.notices()).map(({ sealed }) => sealed),
    );
    const known = `${file("receipts.json", receipts)},${notices}`;
    const options = { history, patient, receipts: known, out };
    expect(await does("", "access:audit", options, env)).to.deep.include({
      findings: [],
      entries: 3,
      pending: 0,
    });
    expect(statSync(out).mode & 0o077).to.equal(0);

    const later = file("later.receipt.json", await attempt());
    await run(gateway.anchor());
    const next = await save("next.json");
    const again = { history: next, patient, earlier: out, receipts: later };
    expect(await does("", "access:audit", again, env)).to.deep.include({ findings: [], entries: 4 });
    const told = await command("access:audit", { ...at, ...again, json: false }, env);
    expect(told.stdout).to.include("Proved up to root 3").and.to.include("OK: the history contradicts nothing.");
  });

  it("ends with 4 when something was hidden, changed, or is late", async () => {
    const { fails, at, history, patient, env } = world;
    const kinds = async (options: Record<string, string>): Promise<unknown[]> => {
      const { json } = await fails(4, undefined, "access:audit", { patient, ...options }, env);
      return (json.findings as Json[]).map(({ kind }) => kind);
    };
    const hidden = await tampered("hidden", ({ trails }) => trails.shared?.entries.splice(1, 1));
    expect(await kinds({ history: hidden })).to.include("gap");
    const told = await command("access:audit", { ...at, patient, history: hidden, json: false }, env);
    expect(told.stdout)
      .to.match(/^NOT OK:$/m)
      .and.to.match(/^trail shared, number 1: A number is missing .*\(gap\)$/m);
    const altered = await tampered("altered", ({ trails }) => {
      trails.shared!.entries[1]!.statement.outcome = { result: "allowed" };
    });
    expect(await kinds({ history: altered })).to.include("altered");

    await time.increase(4 * DAY);
    expect(await kinds({ history })).to.include.members(["outdated", "unreviewed"]);
    expect(await kinds({ history, maxAge: "any" })).to.deep.equal(["unreviewed"]);
    await world.does("", "access:audit", { patient, history, maxAge: "any", reviewWithin: "1w" }, env);
  });

  it("proves one entry to whom it may concern, and checks that on chain", async () => {
    const { does, fails, env, history, path, file } = world;
    const out = path("proof.json");
    expect(
      await does("", "access:prove", { history, number: "1", out, deployment: undefined as never }, env),
    ).to.include({
      number: 1,
      sequence: 1,
    });
    const { entry, root } = await does("", "access:verify", { file: out });
    expect(entry).to.deep.include({ number: 1, outcome: { result: "refused", reason: "RequesterNotGrantee" } });
    expect(root).to.include({ sequence: 1 });

    const proof = JSON.parse(readFileSync(out, "utf8")) as Json & { statement: Json };
    const other = { ...proof, statement: { ...proof.statement, outcome: { result: "allowed" } } };
    for (const changed of [other, { ...proof, sequence: 2 }, { ...proof, chainId: 1 }, {}]) {
      const refused = await fails(4, undefined, "access:verify", { file: file("changed.json", changed) });
      expect(refused.json.reason).to.include({ code: "ACCESS_PROOF_INVALID" });
    }
  });

  it("shows a gateway's roots", async () => {
    const { at, does, address } = world;
    const gateway = address(gatewayAccount);
    const { roots } = await does("", "access:roots", { gateway });
    expect((roots as Json[]).map(({ sequence }) => sequence)).to.deep.equal([1, 2]);
    const lines = await command("access:roots", { ...at, gateway, json: false });
    expect(lines.stdout).to.include((roots as Json[])[1]!.root);
    expect(await does("", "access:roots", { gateway: address(clinic) })).to.deep.include({ roots: [] });
  });

  it("checks a receipt as who holds a content key", async () => {
    const { does, fails, file, patient, address, attempt } = world;
    const receipt = file("receipt.json", await attempt());
    const options = { file: receipt, patient, who: address(clinic), resourceTypes: "Observation" };
    const { statement } = await does("", "access:receipt", options);
    expect(statement).to.include({ patient, who: address(clinic) });
    for (const change of [
      { who: address(specialist) },
      { resourceTypes: "MedicationRequest" },
      { sensitivities: "PSY" },
      { patient: `0x${"11".repeat(32)}` },
    ] as Record<string, string>[]) {
      const refused = await fails(4, undefined, "access:receipt", { ...options, ...change });
      expect(refused.json.reason).to.include({ code: "ACCESS_RECEIPT_INVALID" });
    }
    await time.increase(DAY);
    await fails(4, undefined, "access:receipt", options);
    await does("", "access:receipt", { ...options, maxAge: "2d" });
  });

  it("refuse wrong calls with the exit code for it", async () => {
    const { fails, history, patient, env, path, file, keys, clinicKeys } = world;
    const junk = file("junk.json", { carepact: "something" });
    const other = { CAREPACT_SEALING_KEY: clinicKeys.privateKey };
    const offline = { deployment: undefined as never };
    for (const [code, name, options, says, environment] of [
      [2, "access:audit", { patient }, /--history is needed/, env],
      [2, "access:audit", { history }, /--patient is needed/, env],
      [2, "access:audit", { history, patient }, /A sealing key is needed/, {}],
      [2, "access:audit", { history, patient }, /does not open/, other],
      [2, "access:audit", { history, patient, view: "doctor" }, /--view is one of/, env],
      [2, "access:audit", { history, patient, view: "representative" }, /made for somebody else/, env],
      [2, "access:audit", { history, patient: `0x${"11".repeat(32)}` }, /about another patient/, env],
      [2, "access:audit", { history, patient, maxDelay: "1" }, /--max-delay is not a duration/, env],
      [2, "access:audit", { history, patient, receipts: junk }, /./, env],
      [2, "access:audit", { history, patient, out: junk }, /exists already/, env],
      [2, "access:audit", { history: junk, patient }, /./, env],
      [2, "access:show", { history: junk, ...offline }, /./, env],
      [2, "access:show", { history: file("text", "text"), ...offline }, /not JSON/, env],
      [2, "access:prove", { history, number: "9", out: path("p"), ...offline }, /proves no such entry/, env],
      [2, "access:prove", { history, number: "1", trail: "all", out: path("p"), ...offline }, /--trail is one of/, env],
      [2, "access:prove", { history, number: "1", ...offline }, /--out is needed/, env],
      [2, "access:verify", {}, /--file is needed/, {}],
      [2, "access:roots", { gateway: "0x12" }, /--gateway is not an address/, {}],
      [2, "access:receipt", { file: junk, patient, who: "0x12" }, /--who is not an address/, {}],
    ] as [number, string, Record<string, string>, RegExp, NodeJS.ProcessEnv][]) {
      const failed = await fails(code, undefined, name, options, environment);
      expect(failed.stderr, name).to.match(says);
      for (const text of [failed.stdout, failed.stderr]) expect(text).not.to.include(keys.privateKey.slice(2, 20));
      expect(failed.stderr).not.to.include("    at ");
    }
    expect(existsSync(path("p"))).to.equal(false);
  });
});
