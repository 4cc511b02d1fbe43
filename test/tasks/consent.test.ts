import { existsSync, readFileSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { accounts, command, type Json } from "./support";
import { asked, granted, people, registeredWorld, usual, type RegisteredWorld } from "./patientWorld";

const { relayer, patient: signer, clinic, specialist, laboratory, parent } = people;
const { officer, stranger } = accounts;

describe("Tasks: consent", () => {
  let world: RegisteredWorld;
  beforeEach(async () => {
    world = await loadFixture(registeredWorld);
  });

  const refusedAs = async (options: Record<string, string>): Promise<unknown> =>
    (await world.fails(4, undefined, "consent:check", options)).json.reason;

  it("grant exactly what is said, and say it in words", async () => {
    const { at, does, address } = world;
    const from = "2040-01-01";
    const changes = {
      categories: "Observation,PSY",
      ceiling: "R",
      from,
      until: "2040-12-31",
      number: "7",
      subGrants: "1",
    };
    const { file, json } = await granted(world, changes);
    const says = {
      grantee: address(clinic),
      number: 7,
      purposes: ["TREAT"],
      categories: ["Observation", "PSY"],
      ceiling: "R",
      from: "2040-01-01T00:00:00Z",
      until: "2041-01-01T00:00:00Z",
      subGrants: 1,
    };
    expect(json.grant).to.deep.include(says);
    const shown = await command("consent:show", { file });
    expect(shown.json).to.deep.include({ ok: true, kind: "grant", grant: json.grant });
    const { stdout } = await command("consent:show", { file, json: false });
    for (const words of [
      `${address(clinic)} may see something of the record of patient ${world.patient}:`,
      "TREAT (treatment)",
      "PSY (psychiatry disorder information sensitivity)",
      "R (restricted)",
      "2041-01-01T00:00:00Z",
      "once",
    ])
      expect(stdout).to.include(words);
    expect(await refusedAs(asked(world, file))).to.equal("NotYetValid");

    const endless = await granted(world, { until: "never" });
    expect((await command("consent:show", { file: endless.file, json: false })).stdout).to.match(/^until +never$/m);
    expect(await does("", "consent:check", { ...at, ...asked(world, endless.file) })).to.include({ permitted: true });
  });

  it("say why a request is refused, in the words of the registry, and ends with 4", async () => {
    const { at, address } = world;
    const { file } = await granted(world);
    for (const [change, reason] of [
      [{ organization: address(specialist) }, "RequesterNotGrantee"],
      [{ purposes: "HMARKT" }, "PurposeNotGranted"],
      [{ categories: "Observation,PSY" }, "CategoryNotGranted"],
      [{ confidentiality: "R" }, "CeilingExceeded"],
      [{ patient: `0x${"11".repeat(32)}` }, "PatientUnknown"],
    ] as [Record<string, string>, string][])
      expect(await refusedAs({ ...asked(world, file), ...change }), reason).to.equal(reason);
    const told = await command("consent:check", { ...at, ...asked(world, file), purposes: "HMARKT", json: false });
    expect(told.stdout).to.match(/^NOT PERMITTED: .* \(PurposeNotGranted\)$/m);
    await time.increase(53 * 7 * 24 * 60 * 60);
    expect(await refusedAs(asked(world, file))).to.equal("Expired");
  });

  it("revoke by number, all at once, or by document, and each for good", async () => {
    const { does, fails, patient } = world;
    const [one, two] = [await granted(world), await granted(world)];
    await does(relayer, "consent:revoke", { patient, number: String(one.number), signer });
    expect(await refusedAs(asked(world, one.file))).to.equal("Revoked");
    expect((await fails(2, relayer, "consent:revoke", { file: two.file })).json.error).to.include({
      code: "NOT_CONTROLLER",
    });

    const document = (two.json.grant as Json).document as string;
    expect(await does(relayer, "consent:revoke", { patient, document, signer })).to.include({ document });
    expect(await refusedAs(asked(world, two.file))).to.equal("Revoked");

    const three = await granted(world);
    const { epoch, ended } = await does(relayer, "consent:revoke-all", { patient, signer });
    expect(epoch).to.not.equal(ended);
    expect(await refusedAs(asked(world, three.file))).to.equal("EpochEnded");
    await does("", "consent:check", asked(world, (await granted(world)).file));
  });

  it("pass on less to another, as the grantee, and take it back", async () => {
    const { does, fails, address, path } = world;
    const { file } = await granted(world, { categories: "Observation,MedicationRequest", subGrants: "1" });
    const out = path("sub.json");
    const options = { file, grantee: address(laboratory), categories: "Observation", out };
    const { grant } = await does(clinic, "consent:pass-on", { ...options, until: "4w" });
    const [passed] = (grant as Json).passedOn as Json[];
    expect(passed).to.deep.include({ grantee: address(laboratory), categories: ["Observation"], purposes: ["TREAT"] });
    const request = { ...asked(world, out), organization: address(laboratory) };
    await does("", "consent:check", request);

    const wider = { ...options, categories: "Resource", out: path("wider.json") };
    expect((await fails(1, clinic, "consent:pass-on", wider)).json.error).to.deep.include({
      code: "GRANT_WOULD_BE_REFUSED",
    });
    expect((await fails(1, stranger, "consent:pass-on", { ...wider, categories: "Observation" })).code).to.equal(1);
    const words = await command("consent:show", { file: out, json: false });
    expect(words.stdout).to.include(`Passed on to ${address(laboratory)}:`);

    expect(await does(clinic, "consent:revoke", { file: out })).to.include({ document: passed?.document });
    expect(await refusedAs(request)).to.equal("Revoked");
    await does("", "consent:check", { ...asked(world, file), categories: "MedicationRequest" });
  });

  it("restrict whatever is granted, for who brings the restrictions, until they are taken away", async () => {
    const { does, fails, patient, path, address } = world;
    const { file } = await granted(world, { categories: "Observation,MedicationRequest,PSY", ceiling: "R" });
    const out = path("restrictions.json");
    const refusal = { patient, categories: "PSY", organizations: address(specialist), out, breakGlass: true, signer };
    expect(await does(relayer, "consent:restrict", refusal)).to.deep.include({ changed: true, version: 1 });
    expect(await refusedAs(asked(world, file))).to.equal("RestrictionsNotCurrent");
    const brought = { ...asked(world, file), restrictions: out };
    await does("", "consent:check", brought);
    expect(await refusedAs({ ...brought, categories: "Observation,PSY" })).to.equal("CategoryRestricted");

    const words = await command("consent:show", { file: out, json: false });
    expect(words.stdout)
      .to.match(/^of these +.*PSY \(/m)
      .and.to.match(/^in an emergency +may be overridden$/m);
    expect(await does(relayer, "consent:restrict", { patient, file: out, signer })).to.include({ changed: false });
    expect((await fails(2, relayer, "consent:restrict", refusal)).stderr).to.include("exists already");
    expect(await does(relayer, "consent:restrict", { patient, none: true, signer })).to.include({ changed: true });
    expect(await does(relayer, "consent:restrict", { patient, none: true, signer })).to.include({ changed: false });
    await does("", "consent:check", asked(world, file));
  });

  it("seal a grant, and restrictions for who holds one", async () => {
    const { does, fails, patient, path, address, clinicKeys } = world;
    const env = { CAREPACT_SEALING_KEY: clinicKeys.privateKey };
    const { file } = await granted(world, { categories: "Observation,MedicationRequest" });
    const restrictions = path("to-be-sealed.json");
    await does(relayer, "consent:restrict", { patient, categories: "MedicationRequest", out: restrictions, signer });
    const sealed = { grant: path("sealed.grant.json"), restrictions: path("sealed.restrictions.json") };
    const organization = address(clinic);
    expect(await does("", "consent:seal", { file, out: sealed.grant })).to.include({ organization });
    await does("", "consent:seal", { file: restrictions, organization, out: sealed.restrictions });
    for (const path of Object.values(sealed)) expect(readFileSync(path, "utf8")).not.to.include(patient.slice(2));

    const request = { ...asked(world, sealed.grant), restrictions: sealed.restrictions };
    await does("", "consent:check", request, env);
    expect((await fails(2, undefined, "consent:check", request)).stderr).to.include("A sealing key is needed");
    const shown = await command("consent:show", { file: sealed.restrictions }, env);
    expect(shown.json).to.deep.include({ kind: "restrictions", patient });
    const out = path("never.json");
    for (const [code, options, says] of [
      [2, { file: restrictions, out }, /--organization is needed/],
      [2, { file, organization, out }, /leave --organization out/],
      [2, { file: path("gone"), out }, /there is none/],
      [2, { file, out: sealed.grant }, /exists already/],
      [1, { file: restrictions, organization: address(stranger), out }, /is not registered/],
    ] as [number, Record<string, string>, RegExp][])
      expect((await fails(code, undefined, "consent:seal", options)).stderr).to.match(says);
  });

  it("leave no document behind of what was surely not sent", async () => {
    const { fails, patient, path } = world;
    const poor = { CAREPACT_PRIVATE_KEY: `0x${"42".repeat(32)}` };
    const out = path("unsent.json");
    const failed = await fails(1, undefined, "consent:restrict", { patient, categories: "PSY", out, signer }, poor);
    expect(failed.json.error).to.include({ code: "GAS_FUNDS_MISSING" });
    expect(existsSync(out)).to.equal(false);
  });

  it("open a record in an emergency to who treats, and to nobody else", async () => {
    const { does, fails, patient, address } = world;
    const emergency = {
      patient,
      organization: address(clinic),
      purposes: "ETREAT",
      categories: "Observation,PSY",
      confidentiality: "V",
      breakGlass: true,
    };
    expect(await does("", "consent:check", emergency)).to.include({ permitted: true, by: "breakGlass" });
    const other = await fails(4, undefined, "consent:check", { ...emergency, organization: address(stranger) });
    expect(other.json).to.include({ reason: "BreakGlassNotForOrganization" });
    expect((await fails(2, undefined, "consent:check", { ...emergency, file: "grant.json" })).code).to.equal(2);
  });

  it("let a representative grant by a mandate, no more than it allows, and end it", async () => {
    const { does, fails, patient, address, path } = world;
    const mandate = path("mandate.json");
    const representative = address(parent);
    const input = { patient, representative, purposes: "TREAT", categories: "Observation", until: "26w" };
    const made = await does(signer, "patient:mandate", { ...input, out: mandate });
    expect(made.mandate).to.deep.include({ patient, purposes: ["TREAT"], categories: ["Observation"] });
    const words = await command("consent:show", { file: mandate, json: false });
    expect(words.stdout).to.include("A personal representative may grant and see for patient");

    const own = { file: mandate, purposes: "TREAT", categories: "Observation" };
    expect(await does("", "consent:check", own)).to.include({ permitted: true, by: "mandate" });
    expect(await refusedAs({ ...own, categories: "MedicationRequest" })).to.equal("MandateTooNarrow");

    const terms = { ...usual(world), until: "12w", mandate };
    const out = path("by-parent.json");
    const { grant } = await does(parent, "consent:grant", { ...terms, out });
    expect((grant as Json).mandate).to.deep.equal(made.mandate);
    await does("", "consent:check", asked(world, out));
    const wide = { ...terms, categories: "MedicationRequest", out: path("wide.json") };
    expect((await fails(1, parent, "consent:grant", wide)).json.error).to.include({ code: "GRANT_WOULD_BE_REFUSED" });
    expect((await fails(1, stranger, "consent:grant", { ...terms, out: path("x.json") })).stderr).to.include(
      "MandateMismatch",
    );

    await does(relayer, "consent:revoke", { file: mandate, signer });
    expect(await refusedAs(asked(world, out))).to.equal("MandateEnded");
    const other = path("other.json");
    await does(signer, "patient:mandate", { ...input, out: other });
    expect(await does(parent, "consent:revoke", { file: other }), "the representative gives it up").to.include.keys(
      "document",
    );
    expect(await refusedAs({ ...own, file: other })).to.equal("MandateEnded");
  });

  it("keep to the rules about minors, which come from a file", async () => {
    const { does, fails, patient, address, path, file } = world;
    const rules = file("rules.json", {
      jurisdiction: "XX",
      majorityAge: 18,
      timeZone: "UTC",
      ownConsent: [{ age: 12, categories: ["SEX"] }],
    });
    const now = await time.latest();
    const year = new Date(now * 1000).getUTCFullYear();
    const minor = {
      patient,
      representative: address(parent),
      purposes: "TREAT",
      custodian: address(clinic),
      rules,
      birthDate: `${year - 15}-01-01`,
      out: path("minor.mandate.json"),
    };
    const { mandate } = await does(signer, "patient:mandate", minor);
    expect((mandate as Json).until).to.equal(`${year + 3}-01-01T00:00:00Z`);
    expect((mandate as Json).custodian).to.equal(address(clinic));
    expect((mandate as Json).categories).not.to.include("SEX");
    for (const [change, code] of [
      [{ categories: "Observation,SEX" }, "MANDATE_TOO_WIDE"],
      [{ until: "520w" }, "MANDATE_TOO_WIDE"],
      [{ birthDate: `${year - 19}-01-01` }, "PATIENT_OF_AGE"],
      [{ rules: file("bad.json", { majorityAge: 18 }) }, "MINOR_RULES_INVALID"],
      [{ birthDate: "2012-13-01" }, "INPUT_INVALID"],
    ] as [Record<string, string>, string][]) {
      const failed = await fails(2, signer, "patient:mandate", { ...minor, out: path("never.json"), ...change });
      expect(failed.json.error).to.include({ code });
    }
  });

  it("grant what a FHIR Consent permits, and write what it denies", async () => {
    const { does, fails, patient, address, path, file } = world;
    const coding = (system: string, code: string): Json => ({ coding: [{ system, code }] });
    const v3 = (name: string): string => `http://terminology.hl7.org/CodeSystem/v3-${name}`;
    const actor = (name: string): Json => ({
      role: coding(v3("ParticipationType"), "IRCP"),
      reference: { reference: name },
    });
    const treat = [{ system: v3("ActReason"), code: "TREAT" }];
    const consent = file("consent.fhir.json", {
      resourceType: "Consent",
      status: "active",
      scope: coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
      category: [coding("http://loinc.org", "59284-0")],
      patient: { reference: "Patient/p" },
      policyRule: coding(v3("ActCode"), "OPTOUT"),
      provision: {
        provision: [
          { type: "permit", actor: [actor("Organization/clinic")], purpose: treat },
          { type: "permit", actor: [actor("Organization/lab")], purpose: treat },
          { type: "deny", actor: [actor("Organization/other")] },
        ],
      },
    });
    const actors = file("actors.json", {
      "Organization/clinic": address(clinic),
      "Organization/lab": address(laboratory),
      "Organization/other": address(specialist),
    });
    const options = { patient, consent, actors, out: path("fhir.json"), restrictions: path("fhir.restrictions.json") };
    const { grants, files } = await does(signer, "consent:grant", options);
    expect((grants as Json[]).map(({ grantee }) => grantee)).to.have.members([address(clinic), address(laboratory)]);
    expect((files as Json[]).map(({ out }) => out)).to.deep.equal([path("fhir.1.json"), path("fhir.2.json")]);
    const mine = (files as Json[]).find(({ grantee }) => grantee === address(clinic))?.out as string;
    const answer = await does("", "consent:check", asked(world, mine));
    expect(answer).to.include({ permitted: true }).and.to.have.property("instrument");
    expect(JSON.parse(readFileSync(options.restrictions, "utf8"))).to.include({ carepact: "restrictions", patient });
    await does(relayer, "consent:restrict", { patient, file: options.restrictions, signer });
    await does("", "consent:check", { ...asked(world, mine), restrictions: options.restrictions });

    for (const [change, says] of [
      [{ restrictions: undefined }, /denies something: say by --restrictions/],
      [{ actors: file("none.json", {}) }, /Organization/],
      [{ actors: undefined }, /--actors is needed/],
      [{ purposes: "TREAT" }, /leave --purposes out/],
      [{ out: path("fhir.json") }, /fhir\.1\.json exists already/],
    ] as [Record<string, string>, RegExp][]) {
      const other = { ...options, out: path("again.json"), restrictions: path("again.restrictions.json"), ...change };
      expect((await fails(2, signer, "consent:grant", other)).stderr).to.match(says);
    }
  });

  it("refuse what is none of these, with the exit code for it", async () => {
    const { does, fails, path, file, patient, address } = world;
    const { file: grant } = await granted(world);
    const terms = { ...usual(world), out: path("never.json") };
    const junk = file("junk.json", { carepact: "something" });
    const changed = JSON.parse(readFileSync(grant, "utf8")) as { grant: Json };
    changed.grant.number = 1;
    for (const [code, as, name, options, says] of [
      [2, signer, "consent:grant", { ...terms, patient: "0x12" }, /--patient is not 32 bytes/],
      [2, signer, "consent:grant", { ...terms, grantee: undefined }, /--grantee is needed/],
      [2, signer, "consent:grant", { ...terms, purposes: "CARE" }, /"CARE" is no code of PurposeOfUse/],
      [2, signer, "consent:grant", { ...terms, categories: "PSY" }, /no resource type/],
      [2, signer, "consent:grant", { ...terms, ceiling: "X" }, /U, L, M, N, R or V/],
      [2, signer, "consent:grant", { ...terms, until: "soon" }, /--until is no moment/],
      [2, signer, "consent:grant", { ...terms, until: undefined }, /--until is needed/],
      [2, signer, "consent:grant", { ...terms, number: "4294967296" }, /below 2\^32/],
      [2, signer, "consent:grant", { ...terms, out: grant }, /exists already/],
      [2, signer, "consent:grant", { ...terms, sealed: terms.out }, /names of their own/],
      [2, signer, "consent:grant", { ...terms, actors: junk }, /belong to --consent/],
      [2, signer, "consent:grant", { ...terms, mandate: grant }, /no mandate/],
      [2, signer, "consent:grant", { ...terms, patient: `0x${"11".repeat(32)}` }, /No patient of this id/],
      [2, stranger, "consent:grant", terms, /does not control the record/],
      [2, signer, "consent:grant", { ...terms, signer }, /--as and --signer name two keys/],
      [2, undefined, "consent:grant", { ...terms, keystore: "x", signer }, /--keystore and --signer name two keys/],
      [2, undefined, "consent:grant", { ...terms, signer, signerKeystore: "x" }, /name two keys/],
      [1, signer, "consent:grant", { ...terms, grantee: address(stranger) }, /OrganizationNotInStanding/],
      [1, signer, "consent:grant", { ...terms, until: "2020-01-01" }, /Expired/],
      [2, undefined, "consent:check", asked(world, junk), /This is no grant/],
      [2, undefined, "consent:check", asked(world, file("text", "text")), /this is not JSON/],
      [2, undefined, "consent:check", asked(world, path("gone")), /cannot be read: there is none/],
      [2, undefined, "consent:check", { ...asked(world, grant), confidentiality: undefined }, /--confidentiality is/],
      [2, undefined, "consent:check", { ...asked(world, grant), restrictions: grant }, /no restrictions/],
      [4, undefined, "consent:check", asked(world, file("changed.json", changed)), undefined],
      [2, relayer, "consent:revoke", { signer }, /Give --file, --patient and --number, or --document/],
      [2, relayer, "consent:revoke", { file: grant, patient, signer }, /leave --patient out/],
      [2, relayer, "consent:revoke", { number: "1", signer }, /--patient is needed/],
      [2, relayer, "consent:revoke-all", { patient, signer: "99" }, /--signer: the node has no such account/],
      [2, relayer, "consent:restrict", { patient, signer }, /Say what is refused/],
      [2, relayer, "consent:restrict", { patient, categories: "PSY", signer }, /--out is needed/],
      [2, relayer, "consent:anchor", { file: junk }, /This is no grant/],
      [2, undefined, "consent:revoke-all", { patient }, /Nothing says which account signs/],
    ] as [number, string | undefined, string, Record<string, string>, RegExp | undefined][]) {
      const failed = await fails(code, as, name, options);
      if (says !== undefined) expect(failed.stderr, name).to.match(says);
      expect(failed.stderr).not.to.include("    at ");
    }
    await does(officer, "org:suspend", { account: address(clinic) });
    expect(await refusedAs(asked(world, grant))).to.equal("OrganizationNotInStanding");
  });
});
