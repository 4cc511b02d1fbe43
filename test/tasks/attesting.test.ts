import { readFileSync, statSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { accounts, command, fill, npis, type Json } from "./support";
import {
  fundedUnder,
  fundedWorld,
  peopledWorld,
  terms,
  type FundedWorld,
  type Peopled,
  type RuledBatch,
} from "./world";

const { payer, pharmacy: pharmacist, stranger } = accounts;
const [network] = accounts.attesters;
const PATIENT = "8";
const DAY = 24 * 60 * 60;

interface Keyed extends Peopled {
  ruled: RuledBatch;
  /** Keystore of the laboratory's P-256 key, and what opens it. */
  keystore: string;
  env: NodeJS.ProcessEnv;
}

/** A fill of 90.00 that takes the pharmacy, a P-256 key or a network, and, above 50.00, the patient. */
async function keyedWorld(): Promise<Keyed> {
  const world = await peopledWorld();
  const { file, path, address } = world;
  const env = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("keyed.password", "correct horse battery\n") };
  const keystore = path("laboratory.p256.json");
  const { json, code, stderr } = await command("keys:new", { p256: keystore }, env);
  expect(code, stderr).to.equal(0);
  const rules = {
    conditions: [
      { attesters: ["payee"] },
      { attesters: [address(network), { p256Key: json.p256Key }], threshold: 1 },
      { attesters: ["patient"], above: "50.00" },
    ],
  };
  const keys = { patientKeys: file("attesting.patients.json", { "F-11": [address(PATIENT)] }) };
  const ruled = await fundedUnder(world, "keyed", rules, [fill("11", "90.00", npis.pharmacy)], keys);
  return { ...world, ruled, keystore, env };
}

const dispensed = (status: string, claimId = "F-11"): Json => ({
  claimId,
  resource: {
    resourceType: "MedicationDispense",
    status,
    medicationCodeableConcept: { text: "made up" },
    quantity: { value: 30 },
    whenHandedOver: "2026-01-15",
  },
});

describe("Tasks: attesting by conditions", () => {
  it("tells a payee in words, and programs, what it takes", async () => {
    const { at, does, ruled, pharmacy, rulebook } = await loadFixture(keyedWorld);
    const options = { file: ruled.batch, rulebooks: ruled.rulebook, tokens: "any", finality: "latest" };
    const checked = await does("", "batch:check", options, pharmacy);
    expect(checked.needs).to.deep.equal({ payee: true, patientLines: [0], workflow: "none" });
    expect((checked.conditions as Json[]).map(({ threshold, above }) => [threshold, above])).to.deep.equal([
      [1, "0.00"],
      [1, "0.00"],
      [1, "50.00"],
    ]);
    const { stdout } = await command("batch:check", { ...at, ...options, json: false }, pharmacy);
    for (const says of [
      "It is paid when:",
      "1 of 2 attest:",
      "(P-256 key)",
      "Where a settled group has more than 50.00 TUSD: the patient",
      "You attest, too",
      "Have the patient say yes when the care is given: line 0",
    ])
      expect(stdout).to.include(says);
    expect(rulebook).not.to.equal(ruled.rulebook);
  });

  it("settles by one statement that a P-256 key, the payee and the patient sign, each at its own place", async () => {
    const { does, fails, ruled, pharmacy, keystore, env, file, path, address } = await loadFixture(keyedWorld);
    const { batch } = ruled;
    const statement = path("attesting.statement.json");
    const events = file("attesting.events.json", dispensed("completed"));
    await does("", "batch:statement", { file: batch, events, out: statement }, pharmacy);
    const said = JSON.parse(readFileSync(statement, "utf8")) as Json;
    const [key, payee, patient] = [
      path("attesting.key.json"),
      path("attesting.payee.json"),
      path("attesting.patient.json"),
    ];
    const byKey = { file: batch, statement, signerKeystore: keystore, out: key };
    const { attestation } = await does("", "batch:attest", byKey, env);
    expect(attestation).to.deep.include(said);
    // r and s alone, as a key in hardware signs.
    expect((attestation as Json).signature).to.match(/^0x[0-9a-f]{128}$/);
    // Held against what the pharmacy saw itself.
    await does(pharmacist, "batch:attest", { file: batch, statement, events, out: payee }, pharmacy);

    const settling = (...files: string[]): Record<string, string> => ({ file: batch, attestations: files.join() });
    const lacking = await fails(1, stranger, "batch:settle", settling(key, payee));
    expect(lacking.json.error).to.include({ code: "ATTESTATION_TOO_FEW" });
    const { details } = lacking.json.error as { details: Json };
    expect(details.missing).to.deep.equal([{ condition: 2, required: 1, given: 0, lines: [0] }]);

    const yes = await does(PATIENT, "batch:attest", { file: batch, statement, out: patient }, pharmacy);
    expect((yes.attestation as Json).patient).to.have.length(1);
    expect(await does(stranger, "batch:settle", settling(key, payee, patient))).to.include({ paid: "90.00" });
    expect(await does(stranger, "batch:settle", settling(key, payee, patient))).to.include({ changed: false });
    expect((yes.attestation as Json).signer).to.equal(address(PATIENT));
  });

  it("shares the moment of an attestation of any kind, which has to be genuine", async () => {
    const { does, fails, ruled, keystore, env, file, path } = await loadFixture(keyedWorld);
    const { batch } = ruled;
    const key = path("attesting.first.json");
    await does("", "batch:attest", { file: batch, all: "met", signerKeystore: keystore, out: key }, env);
    const signed = JSON.parse(readFileSync(key, "utf8")) as Json;
    const { attestation } = await does(network, "batch:attest", { file: batch, all: "met", with: key });
    const { observedAt, evidence, results } = signed;
    expect(attestation).to.deep.include({ observedAt, evidence, results });
    const forged = file("attesting.forged.json", { ...signed, evidence: `0x${"22".repeat(32)}` });
    const refused = await fails(2, network, "batch:attest", { file: batch, all: "met", with: forged });
    expect(refused.json.error).to.include({ code: "SIGNATURE_INVALID" });
  });

  it("signs no statement of another batch, that has expired, or says something else than what was seen", async () => {
    const { does, fails, ruled, pharmacy, file, path, at } = await loadFixture(keyedWorld);
    const { batch } = ruled;
    const out = path("attesting.said.json");
    await does("", "batch:statement", { file: batch, all: "met", out });
    const said = JSON.parse(readFileSync(out, "utf8")) as { observedAt: number };
    const signs = (code: number, change: Json, more: Json = {}): ReturnType<typeof fails> => {
      const statement = file("attesting.changed.json", { ...said, ...change });
      return fails(code, network, "batch:attest", { file: batch, statement, ...(more as object) }, pharmacy);
    };
    const other = await signs(1, { batchId: `0x${"11".repeat(32)}` });
    expect(other.json.error).to.include({ code: "ATTESTATION_WRONG_BATCH" });
    expect((await signs(1, { validUntil: said.observedAt - 1 })).json.error).to.include({
      code: "ATTESTATION_EXPIRED",
    });
    expect((await signs(2, { results: "0x00ff" })).json.error).to.include({ code: "RESULTS_MALFORMED" });
    expect((await signs(2, {}, { all: "notMet" })).stderr).to.include("says something else than the results given");
    const events = file("attesting.waiting.json", dispensed("in-progress"));
    expect((await signs(2, {}, { events })).stderr).to.include("nothing was signed");
    expect((await signs(2, {}, { with: out })).stderr).to.include("leave one out");
    expect((await signs(2, {}, { observedAt: "2026-01-15" })).stderr).to.include(
      "--statement says moment and evidence",
    );
    for (const evidence of [7, "0x11"]) expect((await signs(2, { evidence })).stderr).to.include("is no statement");
    const ahead = file("attesting.ahead.json", { ...said, observedAt: said.observedAt + DAY });
    const call = { ...at, file: batch, statement: ahead };
    const early = await command("batch:attest", { ...call, as: network }, {});
    expect(early.code).to.equal(0);
    expect(early.stderr).to.include("is still to come");
    const nobody = await command("batch:attest", { ...at, file: batch, statement: out, as: stranger }, {});
    expect(nobody.stderr).to.include("Warning: by what is known here, the rulebook does not count");
  });

  it("tells a keystore for attesters from one for who acts for a record", async () => {
    const { fails, env, keystore, path } = await loadFixture(keyedWorld);
    const acting = await fails(2, undefined, "patient:signer", { signerKeystore: keystore }, env);
    expect(acting.stderr).to.include("was made without --origin");
    const idle = await command("keys:new", { signing: path("idle.json"), origin: "https://records.example" }, env);
    expect(idle.stderr).to.include("--origin goes with --p256");
  });

  it("signs as a passkey does with a P-256 key that has an origin, where the rulebook names it so", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, file, path } = world;
    const env = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("attesting.password", "correct horse battery\n") };
    const signerKeystore = path("attesting.passkey.json");
    await command("keys:new", { p256: signerKeystore, origin: "https://records.example" }, env);
    const { signer } = await does("", "patient:signer", { signerKeystore }, env);
    const rules = { conditions: [{ attesters: [signer] }] };
    const claims = [fill("41", "10.00", npis.pharmacy)];
    const { batch, rulebook } = await fundedUnder(world, "passkey", rules, claims);
    const { conditions } = await does("", "rulebook:show", { id: rulebook });
    expect((conditions as { attesters: Json[] }[])[0]!.attesters[0]).to.include({ signer, kind: "passkey" });
    const out = path("attesting.passkey.attestation.json");
    await does("", "batch:attest", { file: batch, all: "met", signerKeystore, out }, env);
    expect(await does(stranger, "batch:settle", { file: batch, attestations: out })).to.include({ paid: "10.00" });
  });

  it("signs in the name of a wallet contract, which is asked when it settles", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, fails, path, address } = world;
    const wallet = await (await ethers.deployContract("Erc1271Wallet", [address(network)])).getAddress();
    const rules = { conditions: [{ attesters: [wallet] }] };
    const { batch } = await fundedUnder(world, "wallet", rules, [fill("51", "10.00", npis.pharmacy)]);
    const [own, foreign] = [path("attesting.wallet.json"), path("attesting.foreign.json")];
    await does(network, "batch:attest", { file: batch, all: "met", wallet, out: own });
    await does(stranger, "batch:attest", { file: batch, all: "met", wallet, out: foreign });
    await fails(1, stranger, "batch:settle", { file: batch, attestations: foreign });
    expect(await does(stranger, "batch:settle", { file: batch, attestations: own })).to.include({ paid: "10.00" });
    const wrong = await fails(2, network, "batch:attest", { file: batch, all: "met", wallet: "0x11" });
    expect(wrong.stderr).to.include("--wallet is not an address");
  });

  it("funds no claim without the patient's key where the rulebook asks for it, or with one that is none", async () => {
    const world = await loadFixture(keyedWorld);
    const { fails, does, file, ruled, address } = world;
    const funding = (keys: unknown, claim: Json = fill("31", "90.00", npis.pharmacy)): Record<string, string> => ({
      ...terms(world, "none"),
      rulebook: ruled.rulebook,
      claims: file("attesting.none.json", claim),
      ...(keys === undefined ? {} : { patientKeys: file("attesting.keys.json", keys) }),
    });
    for (const [keys, expected] of [
      [undefined, "PATIENT_SIGNER_MISSING"],
      [{ "F-31": ["0x11"] }, "IDENTIFIER_INVALID"],
      [{ "F-32": [address(PATIENT)] }, "INPUT_INVALID"],
      [{ "F-31": address(PATIENT) }, "INPUT_INVALID"],
      [[], "INPUT_INVALID"],
    ] as const)
      expect((await fails(2, payer, "batch:fund", funding(keys))).json.error, expected).to.include({ code: expected });
    // The claim may carry them itself.
    const claim = { ...fill("31", "90.00", npis.pharmacy), patientKeys: [address(PATIENT).toLowerCase()] };
    expect(await does(payer, "batch:fund", funding(undefined, claim))).to.include({ total: "90.00" });
  });
});

describe("Tasks: events of every kind", () => {
  it("are read as R4, or R5 where that is said", async () => {
    const { does, fails, record, file } = await loadFixture(fundedWorld);
    const seen = (...resources: Json[]): Record<string, string> => ({
      file: record,
      events: file(
        "seen.json",
        resources.map((resource, i) => ({ claimId: ["F-11", "F-12", "F-21"][i], resource })),
      ),
    });
    const resultsOf = async (options: Record<string, string>): Promise<unknown[]> => {
      const { says } = await does("", "batch:statement", options);
      return (says as { result: string; lines?: Json[] }[]).flatMap(
        ({ result, lines }) => lines?.map((line) => line.result) ?? result,
      );
    };
    const vaccine = { resourceType: "Immunization", status: "not-done", vaccineCode: { text: "made up" } };
    const procedure = { resourceType: "Procedure", status: "not-done", subject: { reference: "Patient/1" } };
    const task = { resourceType: "Task", status: "rejected", intent: "order" };
    expect(await resultsOf(seen(vaccine, procedure, task))).to.have.members(["notMet", "notMet"]);
    const report = { resourceType: "DiagnosticReport", status: "modified", code: { text: "made up" } };
    const refused = await fails(2, undefined, "batch:statement", seen(report));
    expect(refused.json.error).to.include({ code: "EVENT_INVALID" });
    expect(await resultsOf({ ...seen(report), fhirVersion: "R5" })).to.include("pending");
    for (const [options, says] of [
      [{ ...seen(task), fhirVersion: "R3" }, /--fhir-version is one of R4, R5/],
      [{ file: record, all: "met", fhirVersion: "R5" }, /--fhir-version goes with --events/],
      [seen({ resourceType: "Observation" }), /entry 1/],
    ] as [Record<string, string>, RegExp][])
      expect((await fails(2, undefined, "batch:statement", options)).stderr).to.match(says);
  });
});

describe("Tasks: an attester's ledger", () => {
  interface Attesting extends FundedWorld {
    /** Another batch that pays for the first fill of the first. */
    duplicate: RuledBatch;
  }

  async function attestingWorld(): Promise<Attesting> {
    const world = await fundedWorld();
    const { address } = world;
    const rules = { attesters: [address(network)], threshold: 1 };
    const duplicate = await fundedUnder(world, "duplicate", rules, [fill("11", "90.00", npis.pharmacy)]);
    return { ...world, duplicate };
  }

  /** A new ledger, and where its secret is: a chain that is set back would leave it as it is. */
  async function ledgerOf(
    { does, path }: Attesting,
    name: string,
  ): Promise<{ ledger: string; env: NodeJS.ProcessEnv }> {
    const [ledger, secret] = [path(`${name}.ledger`), path(`${name}.secret`)];
    expect(await does("", "oracle:new-ledger", { ledger, secret })).to.include({ ledger });
    expect(statSync(secret).mode & 0o777).to.equal(0o600);
    return { ledger, env: { CAREPACT_LEDGER_SECRET_FILE: secret } };
  }

  it("refuses an event in a second batch, across commands, until the first can pay no more", async () => {
    const world = await loadFixture(attestingWorld);
    const { does, fails, record, batchId, duplicate } = world;
    const { ledger, env } = await ledgerOf(world, "first");
    const attest = { file: record, all: "met", ledger };
    const again = { file: duplicate.record, all: "met", ledger };
    await does(network, "batch:attest", attest, env);
    await does(network, "batch:attest", attest, env);
    const refused = await fails(4, network, "batch:attest", again, env);
    expect(refused.json.error).to.include({ code: "EVENT_ALREADY_ATTESTED" });
    expect(refused.json).not.to.have.property("attestation");
    expect(refused.stderr).to.match(new RegExp(`attested at .* of claim batch ${batchId}`));

    const shown = await does("", "oracle:ledger", { ledger, file: duplicate.record }, env);
    expect(shown).to.include({ events: 1, attested: 1, elsewhere: 1 });
    const kept = await does("", "oracle:release", { ledger, file: record, confirmations: "0" }, env);
    expect(kept).to.include({ released: 0 });
    expect((kept.kept as Json[]).map(({ why }) => why)).to.deep.equal(["open", "open", "open"]);

    await time.increase(18 * DAY);
    await does(stranger, "batch:reclaim", { file: record });
    expect(await does("", "oracle:release", { ledger, file: record, confirmations: "0" }, env)).to.include({
      released: 3,
    });
    expect(await does("", "oracle:release", { ledger, file: record, confirmations: "0" }, env)).to.include({
      released: 0,
    });
    await does(network, "batch:attest", again, env);
  });

  it("is asked with its secret, and for lines that are open", async () => {
    const world = await loadFixture(attestingWorld);
    const { fails, does, record, batch, path, file } = world;
    const { ledger, env } = await ledgerOf(world, "second");
    const attest = { file: record, all: "met", ledger };
    const wrong = { CAREPACT_LEDGER_SECRET: `0x${"5e".repeat(32)}` };
    const { CAREPACT_LEDGER_SECRET_FILE: secretFile = "" } = env;
    for (const [options, with_, says] of [
      [attest, {}, /The secret of .* is needed: set CAREPACT_LEDGER_SECRET_FILE/],
      [attest, wrong, /was made with another secret/],
      [attest, { ...wrong, ...env }, /name two secrets/],
      [attest, { CAREPACT_LEDGER_SECRET: "short" }, /a ledger's secret is 32 bytes/],
      [{ ...attest, ledger: path("none.ledger") }, env, /is not there/],
      [{ ...attest, ledger: file("attesting.letter", "Dear ledger") }, env, /is another file than a ledger/],
      [{ ...attest, file: batch }, env, /--ledger needs the lines of the batch/],
      [{ file: record, all: "met", coordinatesWith: `0x${"11".repeat(32)}` }, env, /--coordinates-with goes with/],
      [{ ...attest, coordinatesWith: "0x11" }, env, /--coordinates-with is not 32 bytes/],
    ] as [Record<string, string>, NodeJS.ProcessEnv, RegExp][])
      expect((await fails(2, network, "batch:attest", options, with_)).stderr).to.match(says);
    const secret = readFileSync(secretFile, "utf8").trim();
    const shown = await does(network, "batch:attest", attest, { CAREPACT_LEDGER_SECRET: secret });
    expect(JSON.stringify(shown)).not.to.include(secret);
    const taken = await command("oracle:new-ledger", { ledger, secret: path("another.secret") });
    expect(taken.code).to.equal(2);
    expect(taken.stderr).to.include("exists already; give another name");
    const closed = await command("oracle:ledger", { ledger, file: batch }, env);
    expect(closed.stderr).to.include("the lines have to be open");
  });
});
