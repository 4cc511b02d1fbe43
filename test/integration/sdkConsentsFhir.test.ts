import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { Consent } from "fhir/r4";

import { isCarepactError, run } from "@carepact/sdk";
import { decide, openRestrictions, openSignedGrant, sameTerms } from "@carepact/sdk/consents";
import { consentOf, grantConsent, readConsent, type GrantConsentOptions } from "@carepact/sdk/fhir";

import { hl7, hl7Names, withElements } from "../sdk/hl7";
import { accountKey } from "../support/keys";
import { DAY } from "../support/system";

import { consentsOf, deployConsentsWorld, granted, reasonFor, requestOf, type ConsentsWorld } from "./consentsWorld";
import { refusal } from "./support";

const example = (name: string): Consent => hl7<Consent>(`Consent-consent-example-${name}`);

/** Whom HL7's examples name, as organizations of this world. */
const namesOf = ({ clinic, specialist, laboratory, pharmacy }: ConsentsWorld): [string, string][] => [
  ["Organization/f001", clinic.address],
  ["Organization/f002", specialist.address],
  ["Practitioner/f204", laboratory.address],
  ["Patient/example", pharmacy.address],
];
const optionsOf = (world: ConsentsWorld, changes: Partial<GrantConsentOptions> = {}): GrantConsentOptions => ({
  patient: world.patient,
  accountOf: (reference) => new Map(namesOf(world)).get(reference),
  ...changes,
});
const referenceOf =
  (world: ConsentsWorld) =>
  (account: string): string | undefined =>
    namesOf(world).find(([, address]) => address === account)?.[0];

/** A FHIR date and time of some days from now. */
const inDays = async (days: number): Promise<string> =>
  new Date(((await time.latest()) + days * DAY) * 1000).toISOString().replace(/\.\d+Z/, "Z");

describe("SDK: FHIR Consents", () => {
  it("are granted in one call: a signature for each permit, and no transaction", async () => {
    const world = await loadFixture(deployConsentsWorld);
    // HL7's "basic", which ended in 2016.
    const source = withElements(example("basic"), { "provision.period.end": await inDays(7) });

    const { grants, restrictions, terms } = await grantConsent(
      world.consents,
      source,
      optionsOf(world, { untypedRoot: "permits" }),
    );

    expect(grants).to.have.lengthOf(1);
    expect(restrictions).to.equal(undefined);
    const [grant] = grants;
    expect(await reasonFor(world, grant!, { categories: ["Patient", "HIV"], confidentiality: "V" })).to.equal("None");
    expect(consentOf(grant!, { referenceOf: referenceOf(world) })).to.deep.equal(source);
    const again = readConsent(consentOf(grant!, { referenceOf: referenceOf(world) }), {
      ...optionsOf(world),
      untypedRoot: "permits",
    });
    expect(sameTerms(again, terms)).to.equal(true);
    await time.increase(8 * DAY);
    expect(await reasonFor(world, grant!)).to.equal("Expired");
  });

  it("come with the document, for what a grant has no field for", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const options = optionsOf(world, { untypedRoot: "permits" });
    const { grants } = await grantConsent(world.consents, example("grantor"), options);
    const [grant] = grants;
    const organization = world.pharmacy.address;
    const answer = await world.clinic.consents.check({ ...requestOf(world), organization, grant: grant! });
    expect(answer).to.deep.include({ permitted: true, instrument: grant!.grant.instrument });

    // The registry says yes; the document, only for records that the clinic holds.
    const terms = readConsent(openSignedGrant(grant!).consent as unknown as Consent, options);
    const request = {
      recipient: organization,
      purpose: "ETREAT",
      at: await time.latest(),
      action: "access",
      resourceType: "Observation",
      confidentiality: "N",
    } as const;
    expect(decide(terms, { ...request, sensitivities: [], custodian: world.clinic.address })).to.equal("permitted");
    expect(decide(terms, { ...request, sensitivities: [], custodian: world.specialist.address })).to.equal("denied");
  });

  it("deny by restrictions, once these are on chain", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const earlier = await granted(world);
    const { grants, restrictions, leftToGateways } = await grantConsent(
      world.consents,
      example("notOrg"),
      optionsOf(world),
    );
    expect(grants).to.deep.equal([]);
    expect(leftToGateways).to.deep.equal([]);
    expect(await reasonFor(world, earlier, { restrictions })).to.equal("None");

    await run(world.consents.restrict(world.patient, restrictions));

    expect(await reasonFor(world, earlier)).to.equal("RestrictionsNotCurrent");
    expect(await reasonFor(world, earlier, { restrictions })).to.equal("OrganizationRestricted");
  });

  it("leave to gateways what the registry cannot see, and carry it", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const { grants, restrictions, leftToGateways } = await grantConsent(
      world.consents,
      example("Out"),
      optionsOf(world, { untypedRoot: "denies" }),
    );
    expect(grants).to.deep.equal([]);
    expect(leftToGateways).to.have.lengthOf(1);
    await run(world.consents.restrict(world.patient, restrictions));
    const grant = await granted(world);
    expect(await reasonFor(world, grant, { restrictions })).to.equal("None");
    const { denials } = openRestrictions(restrictions!);
    const request = {
      recipient: world.clinic.address,
      purpose: "ETREAT",
      at: await time.latest(),
      action: "access",
      resourceType: "Observation",
      confidentiality: "N",
      sensitivities: [],
      custodian: world.clinic.address,
    } as const;
    expect(decide(denials!, { ...request, sensitivities: [] })).to.equal("denied");
  });

  it("say what an emergency opens", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const options = optionsOf(world, { untypedRoot: "permits" });
    const { grants, breakGlass, restrictions } = await grantConsent(world.consents, example("Emergency"), options);
    expect(grants).to.deep.equal([]);
    expect(breakGlass).to.deep.equal([{ custodians: [world.clinic.address], purposes: ["ETREAT"] }]);
    await run(world.consents.restrict(world.patient, restrictions));
    const request = { ...requestOf(world), restrictions };
    expect(await world.clinic.consents.checkBreakGlass(request)).to.deep.equal({ permitted: true });
  });

  it("are all granted, or refused for what cannot be expressed, or for their age", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const outcomes: Record<string, string> = {};
    for (const name of hl7Names("Consent").filter((entry) => entry.startsWith("Consent-"))) {
      const short = name.replace("Consent-consent-example-", "");
      const untypedRoot = ["Out", "notAuthor", "notThem", "notThis", "notTime"].includes(short) ? "denies" : "permits";
      try {
        const { grants, restrictions } = await grantConsent(
          world.consents,
          example(short),
          optionsOf(world, { untypedRoot }),
        );
        outcomes[short] = [grants.length > 0 && "grants", restrictions && "restrictions"].filter(Boolean).join(" + ");
      } catch (error) {
        if (!isCarepactError(error)) throw error;
        const { path, reason } = error.details;
        outcomes[short] = (path ?? reason) as string;
      }
    }
    expect(outcomes).to.deep.equal({
      Emergency: "restrictions",
      Out: "restrictions",
      basic: "Expired",
      grantor: "grants",
      notAuthor: "restrictions",
      notOrg: "restrictions",
      notThem: "restrictions",
      notThis: "restrictions",
      notTime: "restrictions",
      pkb: "Consent.provision.provision[0].type",
      signature: "Consent.provision.provision[0].class[0].system",
      smartonfhir: "Expired",
    });
  });

  it("come back from a grant that was given without one", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world, { subGrants: 0 });
    const about = {
      patient: { reference: "Patient/example" },
      category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IDSCL" }] }],
    };
    const consent = consentOf(grant, { referenceOf: referenceOf(world), about });

    const { grants } = await grantConsent(world.consents, consent, optionsOf(world));

    const { purposes, categories, ceiling, notBefore, expiry, grantee } = grant.grant;
    expect(grants.map((again) => again.grant)).to.have.lengthOf(1);
    expect(grants[0]!.grant).to.deep.include({ purposes, categories, ceiling, notBefore, expiry, grantee });
    const passable = await granted(world);
    const { details } = await refusal("CONSENT_NOT_EXPRESSIBLE", () =>
      consentOf(passable, { referenceOf: referenceOf(world), about }),
    );
    expect(details["path"]).to.equal("$.subGrants");
  });

  it("give several organizations grants with numbers in a row, each to be revoked alone", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const source = withElements(example("grantor"), {
      "provision.actor[0].role.coding[0].code": "PRCP",
      "provision.action": undefined,
    });
    const { grants } = await grantConsent(world.consents, source, optionsOf(world, { untypedRoot: "permits" }));
    const [one, two] = [...grants].sort((a, b) => a.grant.number - b.grant.number);
    expect(two!.grant.number - one!.grant.number).to.equal(1);
    expect(new Set(grants.map(({ grant }) => grant.grantee))).to.deep.equal(
      new Set([world.clinic.address, world.pharmacy.address]),
    );
    await run(world.consents.revoke(one!));
    expect(await reasonFor(world, one!, { organization: one!.grant.grantee })).to.equal("Revoked");
    expect(await reasonFor(world, two!, { organization: two!.grant.grantee })).to.equal("None");
  });

  it("are not signed by somebody else than the patient", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const thief = consentsOf(world, accountKey("a thief"));
    await refusal(
      "NOT_CONTROLLER",
      grantConsent(thief, example("grantor"), optionsOf(world, { untypedRoot: "permits" })),
    );
    const unknown = { ...optionsOf(world, { untypedRoot: "permits" }), accountOf: () => undefined };
    await refusal("CONSENT_ACTOR_UNKNOWN", grantConsent(world.consents, example("grantor"), unknown));
  });
});
