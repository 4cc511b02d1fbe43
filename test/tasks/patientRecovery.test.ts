import { readFileSync, statSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { command, type Json } from "./support";
import { asked, granted, people, registeredWorld, type RegisteredWorld } from "./patientWorld";

const { relayer, patient: signer, phone, contacts, clinic } = people;
const DAY = 24 * 60 * 60;

/** A patient with three contacts, two of whom can recover the record. */
async function contactsWorld(): Promise<RegisteredWorld & { document: string }> {
  const world = await registeredWorld();
  const { does, patient, address, path } = world;
  const document = path("contacts.json");
  const list = contacts.map(address).join(",");
  const options = { patient, step: "set", contacts: list, threshold: "2", delay: "3d", out: document, signer };
  await does(relayer, "patient:contacts", options);
  await time.increase(8 * DAY);
  return { ...world, document };
}

describe("Tasks: recovery, and the rest of a patient's record", () => {
  it("set contacts, show, replace, cancel and clear them", async () => {
    const { does, fails, patient, address, path, at } = await loadFixture(registeredWorld);
    const out = path("these.json");
    const list = contacts.map(address).join(",");
    const set = { patient, step: "set", contacts: list, threshold: "2", delay: "7d", out, signer };
    const { contactsHash, effectiveAt } = await does(relayer, "patient:contacts", set);
    expect(Date.parse(effectiveAt as string) / 1000).to.equal((await time.latest()) + 7 * DAY);
    expect(statSync(out).mode & 0o077).to.equal(0);
    expect(JSON.parse(readFileSync(out, "utf8"))).to.include({ carepact: "recovery-contacts", threshold: 2 });
    const again = { patient, step: "set", file: out, signer };
    expect(await does(relayer, "patient:contacts", again)).to.include({ changed: false });
    expect((await does("", "patient:contacts", { patient })).contacts).to.deep.include({ changes: 1 });

    await does(relayer, "patient:contacts", { patient, step: "cancel", signer });
    expect((await fails(2, relayer, "patient:contacts", { patient, step: "cancel", signer })).json.error).to.include({
      code: "CONTACTS_CHANGE_MISSING",
    });
    expect(await does(relayer, "patient:contacts", again)).to.include({ changed: true, contactsHash });
    await time.increase(8 * DAY);
    expect((await does("", "patient:show", { patient })).contacts).to.include({ current: contactsHash });
    expect((await command("patient:show", { ...at, patient, json: false })).stdout).to.include("Recovery contacts: 0x");
    expect(await does(relayer, "patient:contacts", { patient, step: "clear", signer })).to.include({ changed: true });
    expect(await does(relayer, "patient:contacts", { patient, step: "clear", signer })).to.include({ changed: false });
  });

  it("recover a record, each step where its key is", async () => {
    const world = await loadFixture(contactsWorld);
    const { does, fails, patient, document, path } = world;
    const grant = await granted(world);
    const acceptance = path("acceptance.recovery.json");
    await does(phone, "patient:recover", { patient, step: "accept", out: acceptance });
    const files: string[] = [];
    for (const contact of contacts.slice(0, 2)) {
      const out = path(`start.${contact}.json`);
      await does(contact, "patient:recover", { patient, step: "approve", contacts: document, acceptance, out });
      files.push(out);
    }
    const start = { patient, step: "start", contacts: document, acceptance };
    const few = await fails(2, relayer, "patient:recover", { ...start, signatures: files[0]! });
    expect(few.json.error).to.include({ code: "CONTACT_SIGNATURES_TOO_FEW" });
    const begun = await does(relayer, "patient:recover", { ...start, signatures: files.join() });
    expect(begun).to.include({ number: 1, phase: "waiting" });

    const early = await fails(5, relayer, "patient:recover", { patient, step: "execute" });
    expect(early.json.error).to.include({ name: "RecoveryNotReady" });
    expect((await does("", "patient:recover", { patient, step: "show" })).recovery).to.include({ phase: "waiting" });
    await time.increase(3 * DAY);
    const executed = await does(relayer, "patient:recover", { patient, step: "execute" });
    expect(executed).to.include({ phase: "executed", controllerVersion: 2 });
    expect((await fails(4, undefined, "consent:check", asked(world, grant.file))).json.reason).to.equal("EpochEnded");
    await does(relayer, "patient:key", { patient, hpkeKey: `0x${"ab".repeat(32)}`, signer: phone });
  });

  it("let the present key veto, and all contacts together set that aside", async () => {
    const { does, fails, patient, document, path, at } = await loadFixture(contactsWorld);
    const acceptance = path("other.acceptance.json");
    await does(phone, "patient:recover", { patient, step: "accept", out: acceptance });
    const signed = async (step: string, more: Record<string, string> = {}): Promise<string> => {
      const files = contacts.map((contact) => path(`${step}.${contact}.json`));
      for (const [i, out] of files.entries())
        await does(contacts[i]!, "patient:recover", { patient, step, contacts: document, out, ...more });
      return files.join();
    };
    const signatures = await signed("approve", { acceptance });
    await does(relayer, "patient:recover", { patient, step: "start", contacts: document, acceptance, signatures });
    expect((await fails(2, relayer, "patient:recover", { patient, step: "veto" })).json.error).to.include({
      code: "NOT_CONTROLLER",
    });
    expect(await does(relayer, "patient:recover", { patient, step: "veto", signer })).to.include({ phase: "vetoed" });
    const twice = await fails(1, relayer, "patient:recover", { patient, step: "veto", signer });
    expect(twice.json.error).to.include({ code: "RECOVERY_PHASE_WRONG" });

    const against = await signed("approve-override");
    const override = { patient, step: "override", contacts: document, signatures: against };
    expect((await fails(2, relayer, "patient:recover", { ...override, signatures })).stderr).to.include(
      "is no contact's signature against a veto",
    );
    expect(await does(relayer, "patient:recover", override)).to.include({ phase: "overridden" });
    await time.increase(3 * DAY);
    expect((await command("patient:recover", { ...at, patient, step: "show", json: false })).stdout).to.include(
      "Recovery 1 is overridden",
    );
    expect(await does(relayer, "patient:recover", { patient, step: "execute" })).to.include({ phase: "executed" });
  });

  it("commit to a proofing document, and check the one that is shown", async () => {
    const { does, fails, patient, path, address, file } = await loadFixture(registeredWorld);
    const out = path("proofing.json");
    const proofed = await does(clinic, "patient:proofing", {
      patient,
      step: "sign",
      level: "IAL2",
      until: "104w",
      out,
    });
    expect(proofed).to.include({ by: address(clinic), level: "IAL2" });
    const check = { patient, step: "check", file: out };
    expect((await fails(4, undefined, "patient:proofing", check)).json).to.include({ reason: "notCommitted" });
    const set = { patient, step: "set", file: out, signer };
    expect(await does(relayer, "patient:proofing", set)).to.include({ changed: true, proofing: proofed.proofing });
    expect(await does(relayer, "patient:proofing", set)).to.include({ changed: false });
    expect(await does("", "patient:proofing", { ...check, level: "IAL2" })).to.include({ level: "IAL2" });
    expect((await fails(4, undefined, "patient:proofing", { ...check, level: "IAL3" })).json).to.include({
      reason: "levelTooLow",
    });
    const changed = { ...(JSON.parse(readFileSync(out, "utf8")) as Json), level: "IAL3" };
    const other = { ...check, file: file("changed.json", changed) };
    expect((await fails(4, undefined, "patient:proofing", other)).json).to.include({ reason: "notCommitted" });
    expect(await does(relayer, "patient:proofing", { patient, step: "clear", signer })).to.include({ changed: true });
    expect((await does("", "patient:show", { patient })).record).not.to.have.property("proofing");
  });

  it("merge a duplicate into the record that stays, once both agree", async () => {
    const { does, fails, patient: into, keys, path, at } = await loadFixture(registeredWorld);
    const { patient } = await does(relayer, "patient:register", { hpkeKey: keys.publicKey, signer: phone });
    const from = patient as string;
    const fromAgreement = path("agreement.json");
    const merger = { from, into, fromAgreement, signer };
    await does(phone, "patient:merge", { step: "agree", from, into, out: fromAgreement });
    expect((await fails(2, relayer, "patient:merge", merger)).stderr).to.include("say --final");
    expect((await fails(2, relayer, "patient:merge", { from, into, signer, final: true })).json.error).to.include({
      code: "NOT_CONTROLLER",
    });
    expect(await does(relayer, "patient:merge", { ...merger, final: true })).to.include({ from, into });
    const shown = await does("", "patient:show", { patient: from });
    expect(shown).to.include({ resolved: into });
    expect((await command("patient:show", { ...at, patient: from, json: false })).stdout).to.match(/^merged into +0x/m);
    expect((await fails(1, relayer, "patient:merge", { ...merger, final: true })).json.error).to.include({
      code: "PATIENT_NOT_ACTIVE",
    });
  });

  it("refuse wrong calls with the exit code for it", async () => {
    const { fails, patient, file, path, does, address, keys } = await loadFixture(contactsWorld);
    const nobody = `0x${"11".repeat(32)}`;
    const acceptance = path("rotation.json");
    await does(phone, "patient:rotate", { step: "accept", patient, out: acceptance });
    const signed = JSON.parse(readFileSync(acceptance, "utf8")) as Json;
    const rotation = { patient, grants: "end", signer };
    const set = { patient, step: "set", contacts: address(phone), threshold: "1", delay: "3d", signer };
    for (const [code, as, name, options, says] of [
      [2, relayer, "patient:register", { signer }, /--hpke-key is needed/],
      [2, relayer, "patient:register", { hpkeKey: "0x12", signer }, /--hpke-key is not 32 bytes/],
      [2, relayer, "patient:register", { hpkeKey: `0x${"00".repeat(32)}`, signer }, /not zero/],
      [2, relayer, "patient:register", { hpkeKey: keys.publicKey, signer: "99" }, /--signer: the node has no such/],
      [2, relayer, "patient:register", { hpkeKey: keys.publicKey, signerKeystore: "no.json" }, /--signer-keystore: no/],
      [2, undefined, "patient:show", {}, /--patient is needed/],
      [2, undefined, "patient:show", { patient: nobody }, /No patient is registered as/],
      [2, relayer, "patient:rotate", { ...rotation, grants: undefined }, /--grants is needed/],
      [2, relayer, "patient:rotate", rotation, /Give --acceptance, --to-keystore or --to/],
      [2, relayer, "patient:rotate", { ...rotation, to: "6", acceptance }, /one of them/],
      [2, relayer, "patient:rotate", { ...rotation, to: people.patient }, /does not come back/],
      [2, relayer, "patient:rotate", { ...rotation, step: "give" }, /--step is one of accept, rotate/],
      [2, phone, "patient:rotate", { patient, step: "accept", out: acceptance }, /exists already/],
      [2, phone, "patient:rotate", { patient, step: "accept" }, /--out is needed/],
      [
        2,
        relayer,
        "patient:rotate",
        { ...rotation, acceptance: file("elsewhere.json", { ...signed, chainId: 1 }) },
        /for another chain, 1/,
      ],
      [
        2,
        relayer,
        "patient:rotate",
        { ...rotation, acceptance: file("nobody.json", { ...signed, patient: nobody }) },
        /about another patient/,
      ],
      [
        2,
        relayer,
        "patient:rotate",
        { ...rotation, acceptance: file("unsigned.json", { ...signed, signed: {} }) },
        /not what a key signed/,
      ],
      [
        1,
        relayer,
        "patient:rotate",
        {
          ...rotation,
          acceptance: file("forged.json", {
            ...signed,
            signed: { ...(signed.signed as Json), signature: `0x${"11".repeat(65)}` },
          }),
        },
        /./,
      ],
      [2, relayer, "patient:rotate", { ...rotation, acceptance: file("junk.json", []) }, /no acceptance of a record/],
      [2, relayer, "patient:key", { patient: nobody, hpkeKey: keys.publicKey, signer }, /No patient is registered/],
      [2, relayer, "patient:deactivate", { patient, signer }, /say --final/],
      [2, relayer, "patient:deactivate", { patient, final: true }, /does not control the record/],
      [2, signer, "patient:mandate", { patient }, /--representative is needed/],
      [2, signer, "patient:mandate", { patient, representative: "0x12", purposes: "TREAT" }, /not an address/],
      [
        2,
        signer,
        "patient:mandate",
        { patient, representative: address(phone), purposes: "TREAT" },
        /--until is needed/,
      ],
      [
        2,
        signer,
        "patient:mandate",
        { patient, representative: address(phone), purposes: "TREAT", birthDate: "2015-01-01" },
        /give --rules, too/,
      ],
      [2, relayer, "patient:contacts", { ...set, delay: "1h", out: path("a") }, /3 to 90 days/],
      [2, relayer, "patient:contacts", { ...set, threshold: "2", out: path("a") }, /threshold lies between/],
      [2, relayer, "patient:contacts", set, /--out is needed/],
      [2, relayer, "patient:contacts", { ...set, file: acceptance }, /--file says all of the contacts/],
      [2, relayer, "patient:contacts", { patient, step: "set", file: acceptance, signer }, /no document of recovery/],
      [2, relayer, "patient:recover", { patient }, /--step is needed/],
      [2, relayer, "patient:recover", { patient, step: "wait" }, /--step is one of show, accept/],
      [2, relayer, "patient:recover", { patient, step: "start" }, /--contacts is needed/],
      [1, relayer, "patient:recover", { patient, step: "execute" }, /No recovery is under way/],
      [2, relayer, "patient:proofing", { patient, step: "set", file: acceptance, signer }, /level is IAL1/],
      [2, clinic, "patient:proofing", { patient, step: "sign", level: "IAL4", until: "1w" }, /one of IAL1/],
      [2, relayer, "patient:merge", { from: patient, into: patient, final: true, signer }, /into itself/],
    ] as [number, string | undefined, string, Record<string, string>, RegExp][]) {
      const failed = await fails(code, as, name, options);
      expect(failed.stderr, name).to.match(says);
      expect(failed.stderr).not.to.include("    at ");
    }
  });
});
