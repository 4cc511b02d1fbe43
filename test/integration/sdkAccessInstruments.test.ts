import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";
import type { Consent } from "fhir/r4";

import { CarepactError, run } from "@carepact/sdk";
import {
  accessRefusals,
  consentPermission,
  entriesOf,
  gatewayReasons,
  type AccessAnswer,
  type AskedRecord,
  type Attempt,
  type Gateway,
  type InstrumentQuestion,
  type PermissionOptions,
} from "@carepact/sdk/access";
import {
  createConsents,
  makeRestrictions,
  openRestrictions,
  type RestrictionsFile,
  type SignedGrant,
} from "@carepact/sdk/consents";
import {
  consentInstruments,
  grantConsent,
  readAuditEvent,
  writeAuditEvent,
  type GrantConsentOptions,
  type ReadConsentOptions,
} from "@carepact/sdk/fhir";

import { hl7, withElements } from "../sdk/hl7";
import { DAY } from "../support/system";

import {
  attemptOf,
  audited,
  deployAccessWorld,
  emergencyOf,
  gatewayOver,
  historyOf,
  worldOf,
  type AccessWorld,
} from "./accessWorld";
import { refusal } from "./support";

const example = (name: string): Consent => hl7<Consent>(`Consent-consent-example-${name}`);

/** Whom HL7's examples name. */
const accountsOf =
  ({ clinic, hospital, stranger, otherGateway }: AccessWorld) =>
  (reference: string): string | undefined =>
    new Map([
      ["Organization/f001", hospital.address],
      ["Patient/example", clinic.address],
      ["Practitioner/f204", otherGateway.address],
      ["Organization/f002", stranger.address],
    ]).get(reference);

type Root = Required<ReadConsentOptions>["untypedRoot"];

const reading = (world: AccessWorld, untypedRoot: Root): ReadConsentOptions => ({
  accountOf: accountsOf(world),
  untypedRoot,
});

/** A gateway over the world's log that decides as the options say. */
const deciding = (world: AccessWorld, options: PermissionOptions): Gateway =>
  gatewayOver(world, { permission: consentPermission(world.connection, options) });

const readingGateway = (world: AccessWorld, untypedRoot: Root): Gateway =>
  deciding(world, { instruments: consentInstruments(reading(world, untypedRoot)) });

const grantExample = (world: AccessWorld, consent: Consent, changes: Partial<GrantConsentOptions> = {}) =>
  grantConsent(world.consents, consent, {
    patient: world.patient,
    ...reading(world, "permits"),
    ...changes,
  });

/** A grant of observations to the clinic, that the patient signed for by itself, with this Consent behind it. */
const grantWith = async (world: AccessWorld, consent: unknown): Promise<SignedGrant> =>
  world.consents.grant({
    patient: world.patient,
    grantee: world.clinic.address,
    purposes: ["TREAT"],
    categories: ["Observation", "MedicationRequest"],
    expiry: (await time.latest()) + DAY,
    consent,
  });

const on = (world: AccessWorld, grant: SignedGrant, changes: Partial<Attempt> = {}): Attempt =>
  attemptOf(world, { basis: { kind: "grant", grant }, ...changes });

const reasonOf = (answer: AccessAnswer): string => (answer.allowed ? "allowed" : answer.reason);

const observation = (known: Partial<AskedRecord> = {}): { records: AskedRecord[] } => ({
  records: [{ resourceType: "Observation", ...known }],
});
const record = (reference: string, referredToBy: string[] = []): Partial<AskedRecord> => ({
  record: { reference, refersTo: [], referredToBy, authoredBy: [] },
});

/** Puts what an example denies on chain, and gives the document. */
async function restricted(world: AccessWorld, name: string): Promise<RestrictionsFile> {
  const { restrictions } = await grantExample(world, example(name), { untypedRoot: "denies" });
  await run(world.consents.restrict(world.patient, restrictions));
  return restrictions!;
}

describe("SDK: what a gateway decides besides the registry", () => {
  describe("given a grant that comes from a FHIR Consent", () => {
    it("refuses it where nobody decides by the Consent, and notes why", async () => {
      const world = await worldOf(deployAccessWorld);
      const { grants } = await grantExample(world, example("grantor"));
      const answer = await world.gateway.attempt(on(world, grants[0]!, observation()));
      expect(answer).to.deep.include({ allowed: false, reason: "InstrumentNotRead" });
      expect(answer.allowed || answer.advice).to.match(/\.$/);
      const [entry] = entriesOf(await historyOf(world));
      expect(entry?.outcome).to.deep.equal({ result: "refused", reason: "InstrumentNotRead" });
    });

    it("lets out what it permits, and nothing that it denies or that is not known", async () => {
      const world = await worldOf(deployAccessWorld);
      const { grants } = await grantExample(world, example("grantor"));
      const gateway = readingGateway(world, "permits");
      const [mine, elsewhere] = [world.hospital.address, world.stranger.address];
      const cases: [Partial<Attempt>, string][] = [
        [observation({ custodian: mine }), "allowed"],
        [observation({ custodian: mine.toLowerCase() }), "allowed"],
        [observation({ custodian: elsewhere }), "ConsentDenies"],
        [observation(), "ConsentDenies"],
        [{}, "ConsentDenies"],
        [{ records: [] }, "ConsentDenies"],
        [
          { records: [...observation({ custodian: mine }).records, ...observation({ custodian: elsewhere }).records] },
          "ConsentDenies",
        ],
        // A type of which nothing is said.
        [{ ...observation({ custodian: mine }), resourceTypes: ["Observation", "Condition"] }, "ConsentDenies"],
        [{ ...observation({ custodian: mine }), resourceTypes: ["Resource"] }, "allowed"],
        [{ ...observation({ custodian: mine }), action: "update" }, "ActionNotGranted"],
      ];
      for (const [changes, expected] of cases)
        expect(reasonOf(await gateway.attempt(on(world, grants[0]!, changes))), JSON.stringify(changes)).to.equal(
          expected,
        );
      await run(gateway.anchor());
      const { entries, findings } = await audited(world, await historyOf(world, gateway));
      const outcomes = entries.map(({ outcome }) => (outcome.result === "refused" ? outcome.reason : outcome.result));
      expect([outcomes, findings]).to.deep.equal([cases.map(([, expected]) => expected), []]);
      // What the registry refuses stays its own.
      await run(world.consents.revoke(grants[0]!));
      expect(reasonOf(await gateway.attempt(on(world, grants[0]!, observation({ custodian: mine }))))).to.equal(
        "Revoked",
      );
    });

    it("keeps to HL7's examples of what is withheld, each signed for beside a grant", async () => {
      const world = await worldOf(deployAccessWorld);
      const gateway = readingGateway(world, "denies");
      const now = new Date((await time.latest()) * 1000);
      const [yesterday, tomorrow] = [-DAY, DAY].map((seconds) =>
        new Date(now.getTime() + seconds * 1000).toISOString().slice(0, 10),
      );
      const present = { "provision.period.start": yesterday, "provision.period.end": tomorrow };
      const clinicNow = { "provision.actor[0].reference.reference": "Patient/example" };
      const cases: [string, Consent, Partial<AskedRecord>, string][] = [
        ["notThis", example("notThis"), record("Observation/1"), "allowed"],
        ["notThis itself", example("notThis"), record("Task/example3"), "ConsentDenies"],
        ["notThis, its results", example("notThis"), record("Observation/1", ["Task/example3"]), "ConsentDenies"],
        ["notThis, unknown", example("notThis"), {}, "ConsentDenies"],
        ["notThem, another", example("notThem"), {}, "allowed"],
        ["notThem", withElements(example("notThem"), clinicNow), {}, "ConsentDenies"],
        ["notTime, over", example("notTime"), {}, "allowed"],
        ["notTime", withElements(example("notTime"), present), {}, "ConsentDenies"],
        ["notAuthor", example("notAuthor"), { custodian: world.clinic.address }, "allowed"],
        ["notAuthor, unknown", example("notAuthor"), {}, "ConsentDenies"],
        ["Out: nothing but by a permit", example("Out"), { custodian: world.clinic.address }, "ConsentDenies"],
        ["signature: cannot be read", example("signature"), {}, "InstrumentNotRead"],
        ["pkb: cannot be read", example("pkb"), {}, "InstrumentNotRead"],
      ];
      for (const [name, consent, known, expected] of cases) {
        const grant = await grantWith(world, consent);
        expect(reasonOf(await gateway.attempt(on(world, grant, observation(known)))), name).to.equal(expected);
      }
    });

    it("reads each Consent as its reader says, and none that names who is not known, or is not there", async () => {
      const world = await worldOf(deployAccessWorld);
      const { grants } = await grantExample(world, example("grantor"));
      const grant = grants[0]!;
      const asked = on(world, grant, observation({ custodian: world.hospital.address }));
      const questions: InstrumentQuestion[] = [];
      const reader = deciding(world, {
        instruments: consentInstruments((question) => {
          questions.push(question);
          return Promise.resolve(reading(world, "permits"));
        }),
      });
      expect(reasonOf(await reader.attempt(asked))).to.equal("allowed");
      expect(questions.map(({ consent, attempt }) => [consent, attempt])).to.deep.equal([[grant.consent, asked]]);

      const untyped = deciding(world, { instruments: consentInstruments({ accountOf: accountsOf(world) }) });
      const strangers = deciding(world, {
        instruments: consentInstruments({ accountOf: () => undefined, untypedRoot: "permits" }),
      });
      for (const gateway of [untyped, strangers, readingGateway(world, "denies")])
        expect((await gateway.attempt(asked)).allowed).to.equal(false);
      const stripped = { ...grant };
      delete stripped.consent;
      const without = on(world, stripped, observation({ custodian: world.hospital.address }));
      expect(reasonOf(await reader.attempt(without))).to.equal("InstrumentMissing");
      expect(questions).to.have.length(1);
    });

    it("takes nothing but a plain yes for one, and gives nothing out where deciding fails", async () => {
      const world = await worldOf(deployAccessWorld);
      const asked = on(world, await grantWith(world, example("notThem")));
      for (const odd of [true, "open", "unread", undefined, {}])
        expect(reasonOf(await deciding(world, { instruments: () => odd as never }).attempt(asked))).to.equal(
          "InstrumentNotRead",
        );
      const failing = deciding(world, {
        instruments: consentInstruments(() => Promise.reject(new CarepactError("NODE_UNREACHABLE", "No answer."))),
      });
      await refusal("NODE_UNREACHABLE", failing.attempt(asked));
      expect(entriesOf(await historyOf(world)).at(-1)?.outcome).to.deep.equal({
        result: "failed",
        severity: "serious",
      });
      // Who needs no deciding is not asked.
      expect(reasonOf(await failing.attempt(attemptOf(world)))).to.equal("allowed");
    });

    it("holds for whom it was passed on to, too", async () => {
      const world = await worldOf(deployAccessWorld);
      const { grants } = await grantExample(world, example("grantor"), { subGrants: 1 });
      const clinics = createConsents({ runner: world.clinic, deployment: world.deployment });
      const passed = await clinics.passOn(grants[0]!, { grantee: world.hospital.address });
      const gateway = readingGateway(world, "permits");
      const asking = (known: Partial<AskedRecord>): Promise<AccessAnswer> =>
        gateway.attempt(on(world, passed, { who: world.hospital.address, ...observation(known) }));
      expect(reasonOf(await asking({ custodian: world.hospital.address }))).to.equal("allowed");
      expect(reasonOf(await asking({ custodian: world.stranger.address }))).to.equal("ConsentDenies");
    });
  });

  describe("given restrictions with denials that the registry cannot see", () => {
    it("keeps to them under any grant", async () => {
      const world = await worldOf(deployAccessWorld);
      const restrictions = await restricted(world, "notThis");
      const cases: [Partial<AskedRecord>, string][] = [
        [record("Observation/1"), "allowed"],
        [record("Observation/1", ["Task/example3"]), "ConsentDenies"],
        [{}, "ConsentDenies"],
      ];
      for (const [known, expected] of cases)
        expect(
          reasonOf(await world.gateway.attempt(attemptOf(world, { restrictions, ...observation(known) }))),
        ).to.equal(expected);
      // What opens only by a grant is opened by one.
      const out = await restricted(world, "Out");
      const elsewhere = { restrictions: out, ...observation({ custodian: world.clinic.address }) };
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, elsewhere)))).to.equal("allowed");
      const there = { restrictions: out, ...observation({ custodian: world.hospital.address }) };
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, there)))).to.equal("ConsentDenies");
    });

    it("keeps to them until they are taken away, and to none that are not on chain", async () => {
      const world = await worldOf(deployAccessWorld);
      const restrictions = await restricted(world, "notThis");
      await run(world.consents.restrict(world.patient, undefined));
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, { restrictions })))).to.equal("allowed");
      const plain = makeRestrictions({ purposes: ["HMARKT"] });
      await run(world.consents.restrict(world.patient, plain));
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, { restrictions })))).to.equal(
        "RestrictionsNotCurrent",
      );
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, { restrictions: plain })))).to.equal("allowed");
    });

    it("takes no restrictions whose denials were left out, nor their bare fields", async () => {
      const world = await worldOf(deployAccessWorld);
      const restrictions = await restricted(world, "notThis");
      const stripped = { ...restrictions };
      delete stripped.denials;
      const bare = openRestrictions(restrictions).restrictions;
      for (const less of [stripped, bare])
        for (const make of [attemptOf, emergencyOf]) {
          const asked = make(world, { restrictions: less, ...observation(record("Observation/1")) });
          expect(reasonOf(await world.gateway.attempt(asked))).to.equal("DenialsMissing");
        }
      const forged = { ...restrictions, restrictions: { ...restrictions.restrictions, salt: ZeroHash } };
      delete forged.denials;
      expect(reasonOf(await world.gateway.attempt(attemptOf(world, { restrictions: forged })))).to.equal(
        "RestrictionsNotCurrent",
      );
    });

    it("opens in an emergency what the Consent opens in one, and no more", async () => {
      const world = await worldOf(deployAccessWorld);
      const { restrictions } = await grantExample(world, example("Emergency"));
      await run(world.consents.restrict(world.patient, restrictions));
      const cases: [Partial<AskedRecord>, string][] = [
        [{ custodian: world.hospital.address }, "allowed"],
        [{ custodian: world.stranger.address }, "ConsentDenies"],
        [{}, "ConsentDenies"],
      ];
      for (const [known, expected] of cases)
        expect(
          reasonOf(await world.gateway.attempt(emergencyOf(world, { restrictions, ...observation(known) }))),
        ).to.equal(expected);
      expect(await world.gateway.unreviewed()).to.have.length(1);
    });

    it("withholds in an emergency, too, what the Consent withholds", async () => {
      const world = await worldOf(deployAccessWorld);
      const restrictions = await restricted(world, "notThis");
      const asking = (known: Partial<AskedRecord>): Promise<AccessAnswer> =>
        world.gateway.attempt(emergencyOf(world, { restrictions, ...observation(known) }));
      expect(reasonOf(await asking(record("Observation/1")))).to.equal("allowed");
      expect(reasonOf(await asking(record("Task/example3")))).to.equal("ConsentDenies");
      expect(reasonOf(await asking({}))).to.equal("ConsentDenies");
    });
  });

  it("does not let who asks for any resource have one that is restricted", async () => {
    const world = await worldOf(deployAccessWorld);
    const grant = await world.consents.grant({
      patient: world.patient,
      grantee: world.clinic.address,
      purposes: ["TREAT"],
      categories: ["Resource"],
      expiry: (await time.latest()) + DAY,
    });
    const any = { resourceTypes: ["Resource"] } satisfies Partial<Attempt>;
    expect(reasonOf(await world.gateway.attempt(on(world, grant, any)))).to.equal("allowed");
    const restrictions = makeRestrictions({ categories: ["Observation"] });
    await run(world.consents.restrict(world.patient, restrictions));
    for (const resourceTypes of [["Observation"], ["Resource"], ["DomainResource"]] as const)
      for (const attempt of [on(world, grant), emergencyOf(world)]) {
        const answer = await world.gateway.attempt({ ...attempt, resourceTypes: [...resourceTypes], restrictions });
        expect(reasonOf(answer), resourceTypes[0]).to.equal("CategoryRestricted");
      }
    const patient = { resourceTypes: ["Patient"], restrictions } satisfies Partial<Attempt>;
    expect(reasonOf(await world.gateway.attempt(on(world, grant, patient)))).to.equal("allowed");
  });

  it("does not let who asks for any purpose have one that is restricted", async () => {
    const world = await worldOf(deployAccessWorld);
    const grant = await world.consents.grant({
      patient: world.patient,
      grantee: world.clinic.address,
      purposes: ["PurposeOfUse"],
      categories: ["Observation"],
      expiry: (await time.latest()) + DAY,
    });
    const any = { purposes: ["PurposeOfUse"] } satisfies Partial<Attempt>;
    expect(reasonOf(await world.gateway.attempt(on(world, grant, any)))).to.equal("allowed");
    const restrictions = makeRestrictions({ purposes: ["HMARKT"] });
    await run(world.consents.restrict(world.patient, restrictions));
    for (const purposes of [["HMARKT"], ["PurposeOfUse"]] as const) {
      const answer = await world.gateway.attempt(on(world, grant, { purposes: [...purposes], restrictions }));
      expect(reasonOf(answer), purposes[0]).to.equal("PurposeRestricted");
    }
    expect(reasonOf(await world.gateway.attempt(on(world, grant, { restrictions })))).to.equal("allowed");
  });

  it("refuses what is said of records and does not fit the attempt, before anything is asked or noted", async () => {
    const world = await worldOf(deployAccessWorld);
    const cases: [Partial<AskedRecord>, string, "INPUT_INVALID" | "IDENTIFIER_INVALID" | "CODE_UNKNOWN"][] = [
      [{ resourceType: "Condition" }, "resourceType", "INPUT_INVALID"],
      [{ resourceType: "Prescription" as never }, "", "CODE_UNKNOWN"],
      [{ sensitivities: ["HIV"] }, "sensitivities", "INPUT_INVALID"],
      [{ confidentiality: "R" }, "confidentiality", "INPUT_INVALID"],
      [{ custodian: "Organization/f001" }, "custodian", "IDENTIFIER_INVALID"],
      [{ author: "somebody" }, "author", "IDENTIFIER_INVALID"],
      [{ codes: "urn:x|a" as never }, "codes", "INPUT_INVALID"],
      [{ recordAt: NaN }, "recordAt", "INPUT_INVALID"],
      [{ record: { reference: "Task/1" } as never }, "record", "INPUT_INVALID"],
    ];
    for (const [known, field, code] of cases) {
      const { details } = await refusal(code, world.gateway.attempt(attemptOf(world, observation(known))));
      if (field !== "") expect(details["path"]).to.equal(`records[0].${field}`);
    }
    await refusal("INPUT_INVALID", world.gateway.attempt(attemptOf(world, { records: {} as never })));
    expect([...world.rows.keys()]).to.deep.equal([]);
  });

  it("gives reasons that AuditEvents keep", async () => {
    const world = await worldOf(deployAccessWorld);
    await world.gateway.attempt(attemptOf(world));
    const [entry] = entriesOf(await historyOf(world));
    expect(accessRefusals).to.include.members([...gatewayReasons]);
    for (const reason of gatewayReasons) {
      const refused = { ...entry!, outcome: { result: "refused" as const, reason } };
      const event = writeAuditEvent(refused);
      expect(event.outcomeDesc).to.equal(`urn:carepact:reason:${reason}`);
      expect(readAuditEvent(event)).to.deep.equal(refused);
    }
  });
});
