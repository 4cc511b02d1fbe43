import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { anyPurpose, categoryMask, purposeMask } from "@carepact/sdk/codes";
import {
  createConsents,
  makeRestrictions,
  mandateDigestOf,
  NO_CUSTODIAN,
  openSealedGrant,
  openSealedRestrictions,
  openSignedGrant,
  restrictionsFileOf,
  signedGrantOf,
  type OpenedGrant,
  type PassOnInput,
  type RepresentativeMandate,
  type SignedGrant,
  type SignedMandate,
  type SubGrant,
} from "@carepact/sdk/consents";
import { createOrganizations } from "@carepact/sdk/organizations";

import { anchorOf, documents } from "../support/consents";
import { accountKey, contractKey, digestOf, passkey, type Key } from "../support/keys";
import { DAY } from "../support/system";

import {
  consentsOf,
  deployConsentsWorld,
  granted,
  grantInput,
  reasonFor,
  requestOf,
  rotate,
  signedAnew,
  signerOf,
  type ConsentsWorld,
  type Organization,
} from "./consentsWorld";
import { refusal } from "./support";

/** Expects that nothing is signed, for the reason that the registry would give. */
async function wouldBeRefused(reason: string, attempt: Promise<unknown>): Promise<void> {
  const { details, message } = await refusal("GRANT_WOULD_BE_REFUSED", attempt);
  expect(details["reason"], message).to.equal(reason);
}

/** A sub-grant under the last link, whatever it says: what nobody would be asked to sign. */
async function passedOnAnyhow(
  world: ConsentsWorld,
  file: SignedGrant,
  by: Organization,
  changes: Partial<SubGrant>,
): Promise<SignedGrant> {
  const { chain, documents: digests, last }: OpenedGrant = openSignedGrant(file);
  const { purposes, categories, ceiling, notBefore, expiry } = last;
  const subGrant: SubGrant = {
    parent: digests.at(-1)!,
    grantee: world.specialist.address,
    purposes,
    categories,
    ceiling,
    notBefore,
    expiry,
    subGrants: Math.max(0, last.subGrants - 1),
    salt: id("salt"),
    ...changes,
  };
  const types = {
    SubGrant: [
      { name: "parent", type: "bytes32" },
      { name: "grantee", type: "address" },
      { name: "purposes", type: "uint256" },
      { name: "categories", type: "uint256" },
      { name: "ceiling", type: "uint8" },
      { name: "notBefore", type: "uint40" },
      { name: "expiry", type: "uint40" },
      { name: "subGrants", type: "uint8" },
      { name: "salt", type: "bytes32" },
    ],
  };
  const signature = await by.signer.signTypedData(world.domain, types, subGrant);
  const ref = { chainId: file.chainId, registry: file.registry };
  return signedGrantOf({ ...chain, subGrants: [...chain.subGrants, { subGrant, signature }] }, ref);
}

const suspend = (world: ConsentsWorld, { address }: Organization): Promise<unknown> =>
  run(createOrganizations({ runner: world.admin, deployment: world.deployment }).suspend(address));

describe("SDK: grants that are passed on", () => {
  const toSpecialist = (world: ConsentsWorld, changes: Partial<PassOnInput> = {}): PassOnInput => ({
    grantee: world.specialist.address,
    ...changes,
  });

  it("count for who received them, with one signature of the grantee and no transaction", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const block = await ethers.provider.getBlockNumber();

    const passed = await world.clinic.consents.passOn(grant, toSpecialist(world));

    expect(await ethers.provider.getBlockNumber()).to.equal(block);
    const organization = world.specialist.address;
    const answer = await world.specialist.consents.check({ ...requestOf(world), organization, grant: passed });
    expect(answer).to.deep.include({ permitted: true, grant: openSignedGrant(grant).documents[0] });
    expect(await reasonFor(world, passed)).to.equal("RequesterNotGrantee");
    expect(await reasonFor(world, grant)).to.equal("None");
  });

  it("only narrow", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const passed = await world.clinic.consents.passOn(
      grant,
      toSpecialist(world, {
        purposes: ["ETREAT"],
        categories: ["Observation"],
        ceiling: "N",
        expiry: (await time.latest()) + DAY,
      }),
    );
    const organization = world.specialist.address;
    const ask = (changes: object) => reasonFor(world, passed, { organization, ...changes });
    expect(await ask({})).to.equal("None");
    expect(await ask({ purposes: ["TREAT"] })).to.equal("PurposeNotGranted");
    expect(await ask({ categories: ["Observation", "HIV"] })).to.equal("CategoryNotGranted");
    expect(await ask({ confidentiality: "R" })).to.equal("CeilingExceeded");
    await time.increase(DAY);
    expect(await ask({})).to.equal("Expired");
    expect(await reasonFor(world, grant)).to.equal("None");
  });

  it("are not signed where they would be refused", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const { clinic, specialist, laboratory } = world;
    const passOn = (changes: Partial<PassOnInput>) => clinic.consents.passOn(grant, toSpecialist(world, changes));
    await wouldBeRefused("SubGrantNotAllowed", passOn({ subGrants: 2 }));
    await wouldBeRefused("ChainCyclic", passOn({ grantee: clinic.address }));
    await wouldBeRefused("SubGrantWider", passOn({ purposes: ["PurposeOfUse"] }));
    await wouldBeRefused("SubGrantWider", passOn({ categories: ["Resource"] }));
    await wouldBeRefused("SubGrantWider", passOn({ ceiling: "V" }));
    await wouldBeRefused("SubGrantWider", passOn({ expiry: grant.grant.expiry + 1 }));
    await wouldBeRefused("SubGrantWider", passOn({ notBefore: grant.grant.notBefore - 1 }));
    await wouldBeRefused("OrganizationNotInStanding", passOn({ grantee: world.relayer.address }));
    // By somebody else than the grantee.
    await wouldBeRefused("SignatureInvalid", specialist.consents.passOn(grant, { grantee: laboratory.address }));

    const second = await clinic.consents.passOn(grant, toSpecialist(world));
    await wouldBeRefused("SubGrantNotAllowed", specialist.consents.passOn(second, { grantee: laboratory.address }));
    const last = await granted(world, { subGrants: 0 });
    await wouldBeRefused("SubGrantNotAllowed", clinic.consents.passOn(last, toSpecialist(world)));

    await run(world.consents.revoke(grant));
    await wouldBeRefused("Revoked", passOn({}));
  });

  it("are refused by the registry, too, whoever signed them all the same", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const { clinic, specialist, laboratory, pharmacy } = world;
    const grant = await granted(world, { subGrants: 9 });
    const organization = specialist.address;
    const reason = async (changes: Partial<SubGrant>, by = clinic): Promise<string> =>
      reasonFor(world, await passedOnAnyhow(world, grant, by, changes), { organization });
    expect(await reason({})).to.equal("None");
    expect(await reason({ subGrants: 9 })).to.equal("SubGrantNotAllowed");
    expect(await reason({ parent: id("another grant") })).to.equal("SubGrantMismatch");
    expect(await reason({ purposes: anyPurpose })).to.equal("SubGrantWider");
    expect(await reason({ expiry: grant.grant.expiry + 1 })).to.equal("SubGrantWider");
    expect(await reason({ notBefore: (await time.latest()) + DAY })).to.equal("NotYetValid");
    expect(await reason({}, laboratory)).to.equal("SignatureInvalid");

    // A cycle: clinic, specialist, clinic.
    const once = await passedOnAnyhow(world, grant, clinic, {});
    const cyclic = await passedOnAnyhow(world, once, specialist, { grantee: clinic.address });
    expect(await reasonFor(world, cyclic)).to.equal("ChainCyclic");

    // Over-long: one more than three.
    const twice = await passedOnAnyhow(world, once, specialist, { grantee: laboratory.address });
    const thrice = await passedOnAnyhow(world, twice, laboratory, { grantee: pharmacy.address });
    expect(await reasonFor(world, thrice, { organization: pharmacy.address })).to.equal("None");
    const tooLong = await passedOnAnyhow(world, thrice, pharmacy, { grantee: world.relayer.address });
    expect(await reasonFor(world, tooLong, { organization: world.relayer.address })).to.equal("ChainTooLong");
    await wouldBeRefused("ChainTooLong", pharmacy.consents.passOn(thrice, { grantee: world.relayer.address }));
  });

  it("end with what they are under, and with each link", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const { clinic, specialist } = world;
    const organization = specialist.address;
    const passed = async (): Promise<[SignedGrant, SignedGrant]> => {
      const grant = await granted(world);
      return [grant, await clinic.consents.passOn(grant, toSpecialist(world))];
    };
    // The patient takes the grant back.
    let [grant, under] = await passed();
    await run(world.consents.revoke(under));
    expect(await reasonFor(world, under, { organization })).to.equal("Revoked");
    expect(await reasonFor(world, grant)).to.equal("Revoked");

    // The patient takes back what was passed on, and no more.
    [grant, under] = await passed();
    await run(world.consents.revokeDocument(world.patient, openSignedGrant(under).documents[1]!));
    expect(await reasonFor(world, under, { organization })).to.equal("Revoked");
    expect(await reasonFor(world, grant)).to.equal("None");

    // The grantee takes back what it passed on.
    [grant, under] = await passed();
    const revoked = await run(clinic.consents.revoke(under));
    expect(revoked.document).to.equal(openSignedGrant(under).documents[1]);
    expect(await reasonFor(world, under, { organization })).to.equal("Revoked");
    expect(await reasonFor(world, grant)).to.equal("None");

    // Who received it signed nothing of it.
    [, under] = await passed();
    await refusal("NOT_CONTROLLER", run(specialist.consents.revoke(under)));
  });

  it("need every organization on the way to be in good standing", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const passed = await world.clinic.consents.passOn(grant, toSpecialist(world));
    const organization = world.specialist.address;
    const office = createOrganizations({ runner: world.admin, deployment: world.deployment });
    for (const suspended of [world.clinic, world.specialist]) {
      await suspend(world, suspended);
      expect(await reasonFor(world, passed, { organization })).to.equal("OrganizationNotInStanding");
      await run(office.reinstate(suspended.address));
      expect(await reasonFor(world, passed, { organization })).to.equal("None");
    }
    await suspend(world, world.clinic);
    expect(await reasonFor(world, grant)).to.equal("OrganizationNotInStanding");
    await wouldBeRefused("OrganizationNotInStanding", granted(world));
    await wouldBeRefused("OrganizationNotInStanding", world.clinic.consents.passOn(grant, toSpecialist(world)));
  });

  it("may be passed on by an organization whose account is a contract", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const safe = await contractKey("a hospital");
    const office = createOrganizations({ runner: world.admin, deployment: world.deployment });
    await run(
      office.register(safe.signer, { name: "hospital", kinds: ["clinic"], hpkeKey: world.clinic.keys.publicKey }),
    );
    const grant = await granted(world, { grantee: safe.signer });
    const passed = await consentsOf(world, safe).passOn(grant, toSpecialist(world));
    expect(await reasonFor(world, passed, { organization: world.specialist.address })).to.equal("None");
  });

  it("are sealed to the key that the directory has for their grantee", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const sealed = await world.consents.seal(grant);
    expect(await openSealedGrant(sealed, world.clinic.keys.privateKey)).to.deep.equal(grant);
    const passed = await world.clinic.consents.passOn(grant, toSpecialist(world));
    const next = await world.clinic.consents.seal(passed);
    expect(next.organization).to.equal(world.specialist.address);
    expect(await openSealedGrant(next, world.specialist.keys.privateKey)).to.deep.equal(passed);
    await refusal("SEALED_UNREADABLE", openSealedGrant(next, world.clinic.keys.privateKey));
    const { chainId, consentRegistry: registry } = world.deployment;
    const file = restrictionsFileOf(makeRestrictions({}), { chainId, registry, patient: world.patient });
    const restrictions = await world.consents.sealRestrictions(file, world.specialist.address);
    expect(await openSealedRestrictions(restrictions, world.specialist.keys.privateKey)).to.deep.equal(file);
    await refusal("IDENTIFIER_INVALID", world.consents.sealRestrictions(file, "clinic.eth"));
    await refusal("ORGANIZATION_NOT_IN_STANDING", world.consents.sealRestrictions(file, world.relayer.address));
    const stranger = signedAnew(world, grant, { grantee: world.relayer.address });
    await refusal("ORGANIZATION_NOT_IN_STANDING", world.consents.seal(stranger));
  });
});

describe("SDK: grants of a personal representative", () => {
  const WHOLE = {
    purposes: purposeMask("TREAT"),
    // What a minor may consent to alone is left out.
    categories: categoryMask(["Observation", "DiagnosticReport"]),
  };

  async function mandateOf(
    world: ConsentsWorld,
    representative: Key,
    changes: Partial<RepresentativeMandate> = {},
    controller: Key = world.key,
  ): Promise<SignedMandate> {
    const now = await time.latest();
    const mandate: RepresentativeMandate = {
      patient: world.patient,
      representative: representative.hash,
      custodian: world.laboratory.address,
      ...WHOLE,
      notBefore: now,
      end: now + 30 * DAY,
      epoch: Number((await world.registry.patientOf(world.patient)).epoch),
      salt: id("salt of a mandate"),
      ...changes,
    };
    const signature = controller.sign(digestOf(world.domain, documents.mandate, { ...mandate }));
    return { mandate, signer: controller.signer, signature };
  }

  const parent = (world: ConsentsWorld): Key => passkey("a parent", world.deployment.webAuthnVerifier);
  const inScope = async (world: ConsentsWorld, mandate: SignedMandate) =>
    grantInput(world, { categories: ["Observation"], mandate });

  it("count while the mandate does", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const mandate = await mandateOf(world, parent(world));
    const consents = consentsOf(world, parent(world));
    const grant = await consents.grant({
      ...(await inScope(world, mandate)),
      expiry: (await time.latest()) + 60 * DAY,
    });
    expect(grant.mandate?.signature).to.equal(mandate.signature);
    expect(mandateDigestOf(mandate.mandate, { chainId: grant.chainId, registry: grant.registry })).to.equal(
      digestOf(world.domain, documents.mandate, { ...mandate.mandate }),
    );
    expect(await reasonFor(world, grant)).to.equal("None");

    await time.increaseTo(mandate.mandate.end - 1);
    expect(await reasonFor(world, grant)).to.equal("None");
    await time.increaseTo(mandate.mandate.end);
    expect(await reasonFor(world, grant)).to.equal("MandateExpired");
  });

  it("are checked for who wants to see, too", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const mandate = await mandateOf(world, parent(world));
    const ask = (changes: object) =>
      world.clinic.consents.checkRepresentation({
        mandate,
        purposes: ["TREAT"],
        categories: ["Observation"],
        ...changes,
      });
    expect(await ask({})).to.deep.equal({ permitted: true });
    expect(await ask({ categories: ["Observation", "HIV"] })).to.deep.include({ reason: "MandateTooNarrow" });
    expect(await ask({ purposes: ["HMARKT"] })).to.deep.include({ reason: "MandateTooNarrow" });
    expect(await ask({ purposes: [] })).to.deep.include({ permitted: false, reason: "RequestInvalid" });
    await suspend(world, world.laboratory);
    expect(await ask({})).to.deep.include({ permitted: false, reason: "CustodianNotInStanding" });
    const other = { ...mandate, mandate: { ...mandate.mandate, end: mandate.mandate.end + 1 } };
    expect(await ask({ mandate: other })).to.deep.include({ permitted: false, reason: "MandateNotSigned" });
    await refusal("MANDATE_MALFORMED", ask({ mandate: { ...mandate, mandate: { ...mandate.mandate, salt: "0x" } } }));
  });

  it("are not signed where they would be refused", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const key = parent(world);
    const consents = consentsOf(world, key);
    const now = await time.latest();
    const grant = async (changes: Partial<RepresentativeMandate>, controller?: Key) =>
      consents.grant(await inScope(world, await mandateOf(world, key, changes, controller)));
    await wouldBeRefused("MandateMismatch", grant({ patient: id("another") }));
    await wouldBeRefused("MandateMismatch", grant({ representative: accountKey("another").hash }));
    await wouldBeRefused("MandateEnded", grant({ epoch: 2 }));
    await wouldBeRefused("MandateNotYetValid", grant({ notBefore: now + DAY }));
    await wouldBeRefused("MandateExpired", grant({ notBefore: now - 2, end: now - 1 }));
    await wouldBeRefused("MandateNotSigned", grant({}, accountKey("a thief")));
    await wouldBeRefused("CustodianNotInStanding", grant({ custodian: world.relayer.address }));
    await wouldBeRefused("MandateTooNarrow", grant({ categories: categoryMask(["Patient"]) }));
    // Later than the mandate goes.
    const mandate = await mandateOf(world, key);
    await wouldBeRefused(
      "MandateExpired",
      consents.grant({
        ...(await inScope(world, mandate)),
        notBefore: mandate.mandate.end,
        expiry: mandate.mandate.end + DAY,
      }),
    );
    // Under a mandate that begins later, for then.
    const later = await mandateOf(world, key, { notBefore: now + DAY, custodian: NO_CUSTODIAN });
    const then = await consents.grant({ ...(await inScope(world, later)), notBefore: now + DAY });
    expect(await reasonFor(world, then)).to.equal("MandateNotYetValid");
    await time.increase(DAY);
    expect(await reasonFor(world, then)).to.equal("None");
    await refusal("NOT_CONTROLLER", consents.grant(await grantInput(world)));
  });

  it("are taken back by who signed them, by the patient, and with the mandate", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const key = parent(world);
    const consents = consentsOf(world, key);
    const mandate = await mandateOf(world, key);
    const grant = async (): Promise<SignedGrant> => consents.grant(await inScope(world, mandate));
    const ref = { chainId: world.deployment.chainId, registry: world.deployment.consentRegistry };

    const [one, two, three] = [await grant(), await grant(), await grant()];
    const revoked = await run(consents.revoke(one));
    expect(revoked.document).to.equal(openSignedGrant(one).documents[0]);
    expect(await reasonFor(world, one)).to.equal("Revoked");
    await run(world.consents.revoke(two));
    expect(await reasonFor(world, two)).to.equal("Revoked");

    expect(await reasonFor(world, three)).to.equal("None");
    await run(consents.revokeOwn(mandateDigestOf(mandate.mandate, ref)));
    expect(await reasonFor(world, three)).to.equal("MandateEnded");

    const another = await mandateOf(world, key, { salt: id("another") });
    const four = await consents.grant(await inScope(world, another));
    await run(world.consents.revokeDocument(world.patient, mandateDigestOf(another.mandate, ref)));
    expect(await reasonFor(world, four)).to.equal("MandateEnded");
  });

  it("end when the young adult takes over, without the parent; or go on, if the mandate was anchored", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const mandate = await mandateOf(world, parent(world));
    const grant = await consentsOf(world, parent(world)).grant(await inScope(world, mandate));
    // What is anchored is what the controller signed: the mandate.
    expect(await world.consents.anchoring(grant)).to.deep.equal({
      anchor: anchorOf(digestOf(world.domain, documents.mandate, { ...mandate.mandate }), mandate.signature),
      state: "needed",
    });
    await run(world.relayerConsents.anchor(grant));
    await rotate(world, world.key, accountKey("a new key of the custodian"));
    expect(await reasonFor(world, grant)).to.equal("None");
    expect((await world.consents.anchoring(grant)).state).to.equal("done");

    await rotate(world, accountKey("a new key of the custodian"), accountKey("a young adult"), true);
    expect(await reasonFor(world, grant)).to.equal("MandateEnded");
    expect((await world.consents.anchoring(grant)).state).to.equal("tooLate");
  });

  it("come with a signer, or the account that sends", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const key = accountKey("a guardian");
    const wallet = key.wallet.connect(ethers.provider);
    const mandate = await mandateOf(world, key, { custodian: NO_CUSTODIAN });
    for (const consents of [
      createConsents({ runner: wallet, deployment: world.deployment }),
      createConsents({ runner: world.relayer, deployment: world.deployment }, { signer: signerOf(key) }),
    ])
      expect(await reasonFor(world, await consents.grant(await inScope(world, mandate)))).to.equal("None");
  });
});
