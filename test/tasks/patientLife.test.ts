import { readFileSync, statSync } from "node:fs";

import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { command, type Json } from "./support";
import { asked, careWorld, granted, people, registeredWorld } from "./patientWorld";

const { relayer, patient: signer, phone, clinic } = people;

describe("Tasks: a patient's life", () => {
  it("goes by commands alone: register, grant, be asked for, revoke, be refused", async () => {
    const world = await loadFixture(careWorld);
    const { does, fails, keys, address, path } = world;
    const spent = await ethers.provider.getTransactionCount(address(signer));

    const registered = await does(relayer, "patient:register", { hpkeKey: keys.publicKey, signer });
    const patient = registered.patient as string;
    const { record } = await does("", "patient:show", { patient });
    expect(record).to.include({ patient, status: "active", controllerVersion: 1, hpkeKey: keys.publicKey });

    const known = { ...world, patient };
    const out = path("grant.json");
    const sealed = path("grant.sealed.json");
    const terms = { patient, grantee: address(clinic), purposes: "TREAT", categories: "Observation", until: "52w" };
    const { grant } = await does(signer, "consent:grant", { ...terms, out, sealed });
    expect(statSync(out).mode & 0o077, "the patient's alone").to.equal(0);
    expect(readFileSync(sealed, "utf8")).not.to.include(patient.slice(2));

    const env = { CAREPACT_SEALING_KEY: world.clinicKeys.privateKey };
    const answer = await does("", "consent:check", asked(known, sealed), env);
    expect(answer).to.include({ permitted: true, grant: (grant as Json).document });

    const revoked = await does(relayer, "consent:revoke", { file: out, signer });
    expect(revoked).to.include({ patient, number: (grant as Json).number });
    const refused = await fails(4, undefined, "consent:check", asked(known, out));
    expect(refused.json).to.include({ permitted: false, reason: "Revoked" });

    expect(await does(relayer, "patient:deactivate", { patient, final: true, signer })).to.include({ changed: true });
    expect(await does(relayer, "patient:deactivate", { patient, final: true, signer })).to.include({ changed: false });
    expect((await does("", "patient:show", { patient })).record).to.include({ status: "deactivated" });
    expect(await ethers.provider.getTransactionCount(address(signer)), "the patient sent nothing").to.equal(spent);
  });

  it("registers once for a salt, hides the custodian in another, and tells what it needs", async () => {
    const { does, keys, address, path, file, fails } = await loadFixture(careWorld);
    const options = { hpkeKey: keys.publicKey, salt: `0x${"11".repeat(32)}`, signer };
    const { patient } = await does(relayer, "patient:register", options);
    expect(await does(relayer, "patient:register", options)).to.include({ changed: false, patient });

    const out = path("custody.json");
    const custody = { hpkeKey: keys.publicKey, custodian: address(clinic), out };
    expect(await does(clinic, "patient:register", custody)).to.include({ changed: true, custodian: address(clinic) });
    expect(JSON.parse(readFileSync(out, "utf8"))).to.include({ carepact: "custody", custodian: address(clinic) });
    expect(statSync(out).mode & 0o077).to.equal(0);
    expect((await fails(2, clinic, "patient:register", custody)).stderr).to.include("exists already");
    expect((await fails(2, clinic, "patient:register", { hpkeKey: keys.publicKey, out })).stderr).to.include(
      "say --custodian",
    );
    expect(
      (await fails(2, clinic, "patient:register", { ...options, custodian: address(clinic), out: file("x", {}) }))
        .stderr,
    ).to.include("leave --salt out");
  });

  it("shows a record in lines for people", async () => {
    const { at, patient } = await loadFixture(registeredWorld);
    const { stdout } = await command("patient:show", { ...at, patient, json: false });
    expect(stdout)
      .to.match(/^status +active$/m)
      .and.to.include("There are no recovery contacts.");
  });

  it("gives the record to another key, here or elsewhere, and ends grants if told to", async () => {
    const world = await loadFixture(registeredWorld);
    const { does, fails, patient, path, address } = world;
    const kept = await granted(world);
    const lost = await granted(world);
    expect(await does(relayer, "consent:anchor", { file: kept.file })).to.include({ changed: true });
    expect(await does(relayer, "consent:anchor", { file: kept.file })).to.include({ changed: false });

    const out = path("acceptance.json");
    expect(await does(phone, "patient:rotate", { step: "accept", patient, out })).to.include({
      signer: address(phone).toLowerCase(),
    });
    const rotation = { patient, acceptance: out, grants: "keep", signer };
    expect(await does(relayer, "patient:rotate", rotation)).to.include({ controllerVersion: 2, ended: false });
    await does("", "consent:check", asked(world, kept.file));
    expect((await fails(4, undefined, "consent:check", asked(world, lost.file))).json.reason).to.equal(
      "SignerReplaced",
    );
    expect((await fails(1, relayer, "consent:anchor", { file: lost.file })).stderr).to.include("too late");
    expect((await fails(2, relayer, "patient:rotate", rotation)).json.error).to.include({ code: "NOT_CONTROLLER" });

    const again = { patient, to: people.parent, grants: "end", signer: phone };
    expect(await does(relayer, "patient:rotate", again)).to.include({ controllerVersion: 3, ended: true });
    expect((await fails(4, undefined, "consent:check", asked(world, kept.file))).json.reason).to.equal("EpochEnded");
  });

  it("changes the key that files are sealed to, once", async () => {
    const { does, patient } = await loadFixture(registeredWorld);
    const options = { patient, hpkeKey: `0x${"ab".repeat(32)}`, signer };
    expect(await does(relayer, "patient:key", options)).to.include({ changed: true, version: 2 });
    expect(await does(relayer, "patient:key", options)).to.include({ changed: false, version: 2 });
  });

  it("lets a key in a keystore act that another account pays for", async () => {
    const { does, keys, path, file, at } = await loadFixture(careWorld);
    const env = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("password", "correct horse battery\n") };
    const keystore = path("patient.json");
    expect((await command("keys:new", { signing: keystore }, env)).code).to.equal(0);
    const options = { hpkeKey: keys.publicKey, signerKeystore: keystore };
    const { patient } = await does(relayer, "patient:register", options, env);
    const revocation = { ...at, patient: patient as string, signerKeystore: keystore };
    expect(await does(relayer, "consent:revoke-all", revocation, env)).to.include({ patient });
  });

  it("lets P-256 keys in keystores act: of a patient, and of a representative", async () => {
    const world = await loadFixture(registeredWorld);
    const { does, fails, keys, path, file, address } = world;
    const env = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("p256.password", "correct horse battery\n") };
    const [mine, theirs] = [path("patient.p256.json"), path("parent.p256.json")];
    const origin = "https://records.example";
    for (const wrong of ["", "records.example", "http://records.example", `${origin}/`])
      expect((await command("keys:new", { p256: mine, origin: wrong }, env)).code, wrong).to.equal(2);
    const made = await command("keys:new", { p256: mine, origin }, env);
    expect(made.code, made.stderr).to.equal(0);
    expect((await command("keys:new", { p256: theirs, origin }, env)).code).to.equal(0);
    expect(statSync(mine).mode & 0o077).to.equal(0);
    const shown = await command("keys:show", { keystores: mine, json: false });
    expect(shown.stdout).to.include(`P-256 key ${made.json.p256Key as string}`);

    const signerKeystore = mine;
    const { patient } = (await does(relayer, "patient:register", { hpkeKey: keys.publicKey, signerKeystore }, env)) as {
      patient: string;
    };
    const { signer: representative } = await does("", "patient:signer", { signerKeystore: theirs }, env);
    const mandate = path("p256.mandate.json");
    const terms = { patient, purposes: "TREAT", categories: "Observation" };
    await does(
      "",
      "patient:mandate",
      { ...terms, representative: representative as string, until: "9w", out: mandate, signerKeystore },
      env,
    );
    const out = path("p256.grant.json");
    const grant = { ...terms, grantee: address(clinic), until: "4w", mandate, out, signerKeystore: theirs };
    await does("", "consent:grant", grant, env);
    await does("", "consent:check", asked({ ...world, patient }, out));
    await does(relayer, "consent:revoke", { file: mandate, signerKeystore }, env);
    await fails(4, undefined, "consent:check", asked({ ...world, patient }, out));

    const changed = { ...(JSON.parse(readFileSync(mine, "utf8")) as Json), publicKey: `0x${"11".repeat(64)}` };
    const options = { patient, signerKeystore: file("changed.p256.json", changed) };
    expect((await fails(2, relayer, "consent:revoke-all", options, env)).stderr).to.include("the file was changed");
    const wrong = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("wrong.password", "another password\n") };
    expect((await fails(2, relayer, "consent:revoke-all", { patient, signerKeystore }, wrong)).stderr).to.include(
      "does not open",
    );
    const sending = { patient, keystore: mine, signer: people.patient };
    expect((await fails(2, undefined, "consent:revoke-all", sending, env)).stderr).to.include("--keystore");
  });
});
