import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, id } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import type {
  GrantChainStruct,
  RestrictionsStruct,
  SubGrantStruct,
} from "../../../typechain-types/contracts/consent/ConsentRegistry";
import {
  EMERGENCY_TREATMENT,
  MEDICATIONS,
  NO_RESTRICTIONS,
  RESEARCH,
  RESULTS,
  SEXUAL_HEALTH,
  TREATMENT,
  authorize,
  chainOf,
  deployConsents,
  deployWithPatient,
  documents,
  grantDigestOf,
  grantOf,
  reasonOf,
  reasons,
  registerPatient,
  requestOf,
  restrictionsHashOf,
  rotate,
  runs,
  subGrantDigestOf,
} from "../../support/consents";
import { type Key, accountKey, contractKey, p256Key, passkey, typesOf } from "../../support/keys";
import { namespaceOf, slotUnder } from "../../support/slots";
import { DAY, kinds, register } from "../../support/system";

describe("ConsentRegistry: isPermitted, time", () => {
  it("begins with notBefore and ends with expiry, to the second", async () => {
    const context = await loadFixture(deployWithPatient);
    const { key, patient } = context;
    const notBefore = (await time.latest()) + DAY;
    const expiry = notBefore + DAY;
    const chain = chainOf(context, key, await grantOf(context, patient, { notBefore, expiry }));
    const expected: [number, string][] = [
      [notBefore - 1, "NotYetValid"],
      [notBefore, "None"],
      [expiry - 1, "None"],
      [expiry, "Expired"],
      [expiry + 1, "Expired"],
    ];
    for (const [at, reason] of expected) {
      await time.increaseTo(at);
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal(reason);
    }
  });

  it("never holds where it ends before it begins", async () => {
    const context = await loadFixture(deployWithPatient);
    const { key, patient } = context;
    const now = await time.latest();
    const chain = chainOf(context, key, await grantOf(context, patient, { notBefore: now, expiry: now }));
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("Expired");
  });
});

describe("ConsentRegistry: isPermitted, who signs", () => {
  it("takes grants of patients with keys of every kind", async () => {
    const context = await loadFixture(deployConsents);
    const keys = [
      accountKey("any"),
      await contractKey("any"),
      p256Key("any", context.p256Verifier),
      passkey("any", context.webAuthnVerifier),
    ];
    for (const key of keys) {
      const patient = await registerPatient(context, key);
      const chain = chainOf(context, key, await grantOf(context, patient));
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
      const other = chainOf(context, key, await grantOf(context, patient, { salt: id("other") }));
      expect(await reasonOf(context, { ...chain, signature: other.signature }, requestOf(context, patient))).to.equal(
        "SignatureInvalid",
      );
    }
  });

  it("takes sub-grants of an organization that is a wallet contract", async () => {
    const context = await loadFixture(deployWithPatient);
    const { organizations, admin, domain, key, patient, specialist } = context;
    const wallet = await contractKey("a hospital");
    await register(organizations.connect(admin), wallet.signer, kinds.clinic);
    const grant = await grantOf(context, patient, { grantee: wallet.signer, subGrants: 1 });
    const subGrant = { ...grant, parent: grantDigestOf(domain, grant), grantee: specialist.address, subGrants: 0 };
    const signature = wallet.sign(subGrantDigestOf(domain, subGrant));
    const request = requestOf(context, patient, { organization: specialist.address });
    const chain: GrantChainStruct = { ...chainOf(context, key, grant), subGrants: [{ subGrant, signature }] };
    expect(await reasonOf(context, chain, request)).to.equal("None");
  });

  for (const mode of [0, 1, 2, 3, 4, 5, 6])
    it(`only says no when a wallet or a verifier misbehaves (mode ${mode})`, async () => {
      const context = await loadFixture(deployWithPatient);
      const { consents, organizations, admin, domain, key, patient, specialist } = context;
      const wallet = await ethers.deployContract("Erc1271Misbehaving", [mode]);
      const at = await wallet.getAddress();
      await register(organizations.connect(admin), at, kinds.clinic);
      // As a sub-grantor.
      const grant = await grantOf(context, patient, { grantee: at, subGrants: 1 });
      const subGrant = { ...grant, parent: grantDigestOf(domain, grant), grantee: specialist.address, subGrants: 0 };
      const chain: GrantChainStruct = {
        ...chainOf(context, key, grant),
        subGrants: [{ subGrant, signature: "0x01" }],
      };
      const request = requestOf(context, patient, { organization: specialist.address });
      const limited = { gasLimit: 2_000_000 };
      const [permitted, reason] = await consents.isPermitted(chain, NO_RESTRICTIONS, request, limited);
      expect([permitted, reasons[Number(reason)]]).to.deep.equal([false, "SignatureInvalid"]);
      // As the patient's own, after it behaved once.
      for (const signer of [at, concat([at, "0x1234"])]) {
        const turned: Key = { signer: signer.toLowerCase(), hash: ethers.keccak256(signer), sign: () => "0x01" };
        const own = await withController(context, turned);
        const bad = chainOf(context, turned, await grantOf(context, own));
        expect(await reasonOf(context, bad, requestOf(context, own))).to.equal("SignatureInvalid");
      }
    });

  /** A record whose controller is written into storage, since a signer that never signs cannot be registered. */
  async function withController(context: Awaited<ReturnType<typeof deployWithPatient>>, key: Key): Promise<string> {
    const { consents, patient } = context;
    const slot = slotUnder(patient, namespaceOf("PatientRegistry", 1n));
    await ethers.provider.send("hardhat_setStorageAt", [await consents.getAddress(), slot, key.hash]);
    expect((await consents.controllerOf(patient)).controllerHash).to.equal(key.hash);
    return patient;
  }
});

describe("ConsentRegistry: isPermitted, organizations", () => {
  it("refuses a suspended one from the block of its suspension, and permits it again when it is reinstated", async () => {
    const context = await loadFixture(deployWithPatient);
    const { organizations, admin, clinic, key, patient } = context;
    const chain = chainOf(context, key, await grantOf(context, patient));
    await organizations.connect(admin).suspend(clinic);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("OrganizationNotInStanding");
    await organizations.connect(admin).reinstate(clinic);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
  });

  it("refuses a grantee that was never registered, even if the patient wants it", async () => {
    const context = await loadFixture(deployWithPatient);
    const { stranger, key, patient } = context;
    const chain = chainOf(context, key, await grantOf(context, patient, { grantee: stranger.address }));
    const request = requestOf(context, patient, { organization: stranger.address });
    expect(await reasonOf(context, chain, request)).to.equal("OrganizationNotInStanding");
  });
});

describe("ConsentRegistry: isPermitted, restrictions", () => {
  async function deployRestricted() {
    const context = await deployWithPatient();
    const { consents, domain, key, patient } = context;
    const restrictions = { ...NO_RESTRICTIONS, salt: id("salt"), categories: SEXUAL_HEALTH };
    const set = async (restrictionsHash: string): Promise<void> => {
      const { restrictionsVersion } = await consents.patientOf(patient);
      const message = { patient, restrictionsVersion, restrictionsHash };
      await consents.setRestrictions(patient, restrictionsHash, authorize(domain, key, "SetRestrictions", message));
    };
    await set(restrictionsHashOf(restrictions));
    const chain = chainOf(context, key, await grantOf(context, patient));
    return { ...context, restrictions, set, chain };
  }

  it("have to be brought, and be the present ones", async () => {
    const context = await loadFixture(deployRestricted);
    const { patient, chain, restrictions, set } = context;
    const ask = (brought: RestrictionsStruct = restrictions) =>
      reasonOf(context, chain, requestOf(context, patient), brought);
    expect(await ask()).to.equal("None");
    expect(await ask(NO_RESTRICTIONS)).to.equal("RestrictionsNotCurrent");
    const next = { ...restrictions, salt: id("next") };
    await set(restrictionsHashOf(next));
    expect(await ask()).to.equal("RestrictionsNotCurrent");
    expect(await ask(next)).to.equal("None");
  });

  it("are not asked for any more once they were taken away", async () => {
    const context = await loadFixture(deployRestricted);
    const { patient, chain, set } = context;
    await set(ethers.ZeroHash);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
  });

  it("win over a later grant", async () => {
    const context = await loadFixture(deployRestricted);
    const { key, patient, restrictions } = context;
    const grant = await grantOf(context, patient, { categories: SEXUAL_HEALTH | MEDICATIONS });
    const request = requestOf(context, patient, { categories: SEXUAL_HEALTH | MEDICATIONS });
    expect(await reasonOf(context, chainOf(context, key, grant), request, restrictions)).to.equal("CategoryRestricted");
  });
});

describe("ConsentRegistry: isPermitted, narrowing", () => {
  // Mostly everything, so that a fair part is permitted.
  const bits = fc.oneof({ weight: 3, arbitrary: fc.constant(15n) }, fc.bigInt({ min: 0n, max: 15n }));
  const link = fc.record({
    purposes: bits,
    categories: bits,
    ceiling: fc.oneof(fc.constant(5), fc.integer({ min: 0, max: 5 })),
    from: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 2 })),
    until: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 2 })),
    fewer: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -1, max: 1 })),
  });

  it("lets through exactly what every link has, and links that never widen", async () => {
    const context = await loadFixture(deployWithPatient);
    const { domain, key, patient, clinic, specialist, laboratory } = context;
    const now = await time.latest();
    const request = fc.record({
      purposes: fc.bigInt({ min: 1n, max: 15n }),
      categories: fc.bigInt({ min: 1n, max: 15n }),
      confidentiality: fc.integer({ min: 0, max: 5 }),
    });
    const grantees = [clinic, specialist, laboratory];
    let permitted = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(link, { minLength: 1, maxLength: 3 }), request, async (links, asked) => {
        const fields = links.map(({ from, until, fewer, ...rest }, index) => ({
          ...rest,
          subGrants: 3 - index + fewer,
          grantee: grantees[index]!.address,
          notBefore: now - from,
          expiry: now + 1000 + until,
        }));
        const grant = await grantOf(context, patient, fields[0]);
        const chain = chainOf(context, key, grant);
        let parent = grantDigestOf(domain, grant);
        for (const [index, each] of fields.slice(1).entries()) {
          const subGrant: SubGrantStruct = { ...each, parent, salt: id("salt") };
          const signature = await grantees[index]!.signTypedData(domain, typesOf(documents.subGrant), subGrant);
          chain.subGrants.push({ subGrant, signature });
          parent = subGrantDigestOf(domain, subGrant);
        }
        const organization = grantees[links.length - 1]!.address;
        const answer = await reasonOf(context, chain, requestOf(context, patient, { ...asked, organization }));

        const within = (part: bigint, whole: bigint): boolean => (part | whole) === whole;
        const narrows = fields.every((each, index) => {
          const before = fields[index - 1];
          return (
            !before ||
            (each.subGrants < before.subGrants &&
              within(each.purposes, before.purposes) &&
              within(each.categories, before.categories) &&
              each.ceiling <= before.ceiling &&
              each.notBefore >= before.notBefore &&
              each.expiry <= before.expiry)
          );
        });
        const covered = fields.every(
          (each) =>
            within(asked.purposes, each.purposes) &&
            within(asked.categories, each.categories) &&
            asked.confidentiality <= each.ceiling,
        );
        if (answer === "None") ++permitted;
        expect(answer === "None").to.equal(narrows && covered);
      }),
      { numRuns: runs(400) },
    );
    expect(permitted).to.be.at.least(Math.floor(runs(400) / 40));
  });
});

describe("ConsentRegistry: isBreakGlassPermitted", () => {
  const ask = async (
    { consents, clinic }: Awaited<ReturnType<typeof deployConsents>>,
    patient: string,
    restrictions = NO_RESTRICTIONS,
    organization = clinic.address,
  ): Promise<string> => {
    const [permitted, reason] = await consents.isBreakGlassPermitted(restrictions, {
      patient,
      organization,
      purposes: EMERGENCY_TREATMENT,
      categories: MEDICATIONS | RESULTS,
      confidentiality: 5,
    });
    expect(permitted).to.equal(reason === 0n);
    return reasons[Number(reason)]!;
  };

  it("permits those who give care, without any grant", async () => {
    const context = await loadFixture(deployWithPatient);
    const { organizations, admin, stranger, patient } = context;
    expect(await ask(context, patient)).to.equal("None");
    for (const [kind, reason] of [
      [kinds.pharmacy, "None"],
      [kinds.laboratory, "None"],
      [kinds.payer, "BreakGlassNotForOrganization"],
      [kinds.sponsor, "BreakGlassNotForOrganization"],
      [kinds.gateway, "BreakGlassNotForOrganization"],
      [kinds.payer | kinds.clinic, "None"],
    ] as const) {
      const account = ethers.getAddress(ethers.dataSlice(id(`organization ${kind}`), 12));
      await register(organizations.connect(admin), account, kind);
      expect(await ask(context, patient, NO_RESTRICTIONS, account)).to.equal(reason);
    }
    expect(await ask(context, patient, NO_RESTRICTIONS, stranger.address)).to.equal("BreakGlassNotForOrganization");
  });

  it("refuses a suspended organization, and a record that is unknown or ended", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, organizations, admin, clinic, key, patient } = context;
    await organizations.connect(admin).suspend(clinic);
    expect(await ask(context, patient)).to.equal("BreakGlassNotForOrganization");
    await organizations.connect(admin).reinstate(clinic);
    expect(await ask(context, id("nobody"))).to.equal("PatientUnknown");
    await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    expect(await ask(context, patient)).to.equal("PatientDeactivated");
  });

  it("refuses what is not asked well", async () => {
    const { consents, clinic, patient } = await loadFixture(deployWithPatient);
    const request = { patient, organization: clinic.address, purposes: 1, categories: 1, confidentiality: 5 };
    for (const wrong of [{ purposes: 0 }, { categories: 0 }, { confidentiality: 6 }]) {
      const [permitted, reason] = await consents.isBreakGlassPermitted(NO_RESTRICTIONS, { ...request, ...wrong });
      expect([permitted, reasons[Number(reason)]]).to.deep.equal([false, "RequestInvalid"]);
    }
  });

  it("beats restrictions only where the patient's document, the present one, allows it", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient, clinic } = context;
    const refusals = [
      [{ organizations: [clinic.address] }, "OrganizationRestricted"],
      [{ categories: RESULTS }, "CategoryRestricted"],
      [{ purposes: TREATMENT }, "PurposeRestricted"],
      [{ purposes: RESEARCH }, "None"],
    ] as const;
    let restrictionsVersion = 0;
    for (const [refused, reason] of refusals)
      for (const breakGlass of [false, true]) {
        const restrictions = { ...NO_RESTRICTIONS, organizations: [], salt: id("salt"), ...refused, breakGlass };
        const document = { ...restrictions, organizations: [...restrictions.organizations] };
        const restrictionsHash = restrictionsHashOf(document);
        const message = { patient, restrictionsVersion: restrictionsVersion++, restrictionsHash };
        await consents.setRestrictions(patient, restrictionsHash, authorize(domain, key, "SetRestrictions", message));
        expect(await ask(context, patient, document)).to.equal(breakGlass ? "None" : reason);
        const forged = { ...document, breakGlass: !breakGlass };
        expect(await ask(context, patient, forged)).to.equal("RestrictionsNotCurrent");
        expect(await ask(context, patient, NO_RESTRICTIONS)).to.equal("RestrictionsNotCurrent");
      }
  });
});

describe("ConsentRegistry: isPermitted, calldata", () => {
  it("never reverts on chains, whatever bytes signers and signatures are", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, key, patient } = context;
    const grant = await grantOf(context, patient);
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => ethers.hexlify(array));
    await fc.assert(
      fc.asyncProperty(bytes, bytes, fc.boolean(), async (signer, signature, claimed) => {
        const chain = { ...chainOf(context, key, grant), signer: claimed ? key.signer : signer, signature };
        const [permitted] = await consents.isPermitted(chain, NO_RESTRICTIONS, requestOf(context, patient));
        expect(permitted).to.equal(false);
      }),
      { numRuns: runs(100) },
    );
  });

  it("answers of the state at the moment, and so no after a rotation that nobody announced", async () => {
    const context = await loadFixture(deployWithPatient);
    const { key, patient } = context;
    const chain = chainOf(context, key, await grantOf(context, patient));
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
    await rotate(context, patient, key, accountKey("next phone"));
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("SignerReplaced");
  });
});
