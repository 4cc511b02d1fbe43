import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { categoryMask } from "@carepact/sdk/codes";
import {
  createConsents,
  makeRestrictions,
  openSignedGrant,
  restrictionsFileOf,
  type GrantInput,
  type PermissionRequest,
  type Restrictions,
  type RestrictionsInput,
} from "@carepact/sdk/consents";
import { createOrganizations } from "@carepact/sdk/organizations";

import { authorize, documents, restrictionsHashOf } from "../support/consents";
import { accountKey, digestOf, p256Key, passkey, type Key } from "../support/keys";
import { DAY } from "../support/system";
import { withElements } from "../sdk/hl7";

import {
  consentsOf,
  deployConsentsWorld,
  granted,
  grantInput,
  reasonFor,
  registerPatient,
  requestOf,
  signedAnew,
  signerOf,
  type ConsentsWorld,
} from "./consentsWorld";
import { nodeWith, refusal } from "./support";

const where = ({ deployment, patient }: ConsentsWorld) => ({
  chainId: deployment.chainId,
  registry: deployment.consentRegistry,
  patient,
});

describe("SDK: what consents are refused for", () => {
  describe("given a request", () => {
    it("is told the first reason, with advice", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const answer = await world.clinic.consents.check({ ...requestOf(world), grant, purposes: ["HMARKT"] });
      expect(answer).to.deep.equal({
        permitted: false,
        reason: "PurposeNotGranted",
        advice: "The grant does not cover this purpose: ask the patient for one that does.",
      });
      const asks: [Partial<PermissionRequest>, string][] = [
        [{ purposes: [] }, "RequestInvalid"],
        [{ categories: [] }, "RequestInvalid"],
        [{ patient: id("nobody") }, "PatientUnknown"],
        [{ organization: world.specialist.address }, "RequesterNotGrantee"],
        [{ purposes: ["TREAT", "HPAYMT"] }, "PurposeNotGranted"],
        [{ categories: ["Observation", "Patient"] }, "CategoryNotGranted"],
        [{ categories: ["Observation", "PSY"] }, "CategoryNotGranted"],
        [{ confidentiality: "V" }, "CeilingExceeded"],
        [{ categories: ["Observation", "HIV"], confidentiality: "R" }, "None"],
      ];
      for (const [changes, reason] of asks)
        expect(await reasonFor(world, grant, changes), JSON.stringify(changes)).to.equal(reason);
    });

    it("asks of the patient whose record is opened, whatever the grant says", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const patient = await registerPatient(world, accountKey("somebody else"), "somebody else");
      expect(await reasonFor(world, grant, { patient })).to.equal("PatientMismatch");
    });

    it("has to be made of codes and ids", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const ask = (changes: object) => () => world.clinic.consents.check({ ...requestOf(world), grant, ...changes });
      await refusal("CODE_UNKNOWN", ask({ purposes: ["treat"] }));
      await refusal("CODE_UNKNOWN", ask({ categories: ["toString"] }));
      await refusal("CODE_UNKNOWN", ask({ confidentiality: "X" }));
      await refusal("IDENTIFIER_INVALID", ask({ patient: "0x12" }));
      await refusal("IDENTIFIER_INVALID", ask({ organization: "clinic.eth" }));
      for (const restrictions of [{ salt: "0x" }, null, 5]) await refusal("INPUT_INVALID", ask({ restrictions }));
      for (const name of ["purposes", "categories"])
        for (const value of [undefined, null, "TREAT", 5]) await refusal("INPUT_INVALID", ask({ [name]: value }));
      await refusal("FILE_WRONG_DOCUMENT", ask({ restrictions: { carepact: "grant" } }));
    });

    it("is refused after a merger, for the record that is no more", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { registry, domain, key, patient: from } = world;
      const other = accountKey("the same person");
      const into = await registerPatient(world, other, "the same person");
      await registry.mergePatients(
        from,
        into,
        authorize(domain, key, "MergePatients", { from, into }),
        authorize(domain, other, "MergePatients", { from, into }),
      );
      expect(await reasonFor(world, grant)).to.equal("PatientMerged");
      const error = await refusal("PATIENT_NOT_ACTIVE", granted(world));
      expect(error.details).to.deep.include({ mergedInto: into });
    });
  });

  describe("given a grant that is not what it seems", () => {
    it("is refused on another chain, and for another registry", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { chainId, consentRegistry: registry } = world.deployment;
      for (const ref of [
        { chainId: 1, registry },
        { chainId, registry: world.clinic.address },
      ]) {
        const domain = { ...world.domain, chainId: ref.chainId, verifyingContract: ref.registry };
        const signature = world.key.sign(digestOf(domain, documents.grant, grant.grant));
        const file = { ...grant, ...ref, signature };
        expect(await reasonFor(world, file)).to.equal("SignatureInvalid");
        // And where the file says otherwise than it was signed.
        expect(await reasonFor(world, { ...grant, signature })).to.equal("SignatureInvalid");
        const { consents, clinic } = world;
        await refusal("GRANT_WRONG_REGISTRY", run(consents.revoke(file)));
        await refusal("GRANT_WRONG_REGISTRY", run(consents.anchor(file)));
        await refusal("GRANT_WRONG_REGISTRY", consents.anchoring(file));
        await refusal("GRANT_WRONG_REGISTRY", consents.seal(file));
        await refusal("GRANT_WRONG_REGISTRY", clinic.consents.passOn(file, { grantee: world.specialist.address }));
      }
    });

    it("is refused signed by any other key", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { p256Verifier, webAuthnVerifier } = world.deployment;
      for (const thief of [
        accountKey("a thief"),
        p256Key("a thief", p256Verifier),
        passkey("a thief", webAuthnVerifier),
      ]) {
        expect(await reasonFor(world, signedAnew(world, grant, {}, thief))).to.equal("SignerNotController");
        const signature = signedAnew(world, grant, {}, thief).signature;
        expect(await reasonFor(world, { ...grant, signature })).to.equal("SignatureInvalid");
      }
      // A "verifier" that is the identity precompile answers everything with what it is asked.
      const trick = { ...grant, signer: `0x${"00".repeat(19)}04${"11".repeat(64)}` };
      expect(await reasonFor(world, trick)).to.equal("SignerNotController");
    });

    it("is refused changed in any field", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const word = (value: bigint): string => `0x${value.toString(16).padStart(64, "0")}`;
      const changes: Record<string, unknown>[] = [
        { number: 1 },
        { expiry: grant.grant.expiry + DAY },
        { notBefore: 0 },
        { categories: word(categoryMask(["Resource"])) },
        { ceiling: 5 },
        { subGrants: 3 },
        { salt: id("x") },
        { instrument: id("x") },
      ];
      for (const change of changes) {
        const file = { ...grant, grant: { ...grant.grant, ...change } };
        expect(await reasonFor(world, file), JSON.stringify(change)).to.equal("SignatureInvalid");
      }
      for (const signature of ["0x", "0x00", grant.signature.slice(0, -2), `${grant.signature}00`])
        expect(await reasonFor(world, { ...grant, signature })).to.equal("SignatureInvalid");
    });

    it("is refused malformed", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const ask = (file: unknown) => () => world.clinic.consents.check({ ...requestOf(world), grant: file as never });
      await refusal("FILE_MALFORMED", ask(undefined));
      await refusal("FILE_MALFORMED", ask(withElements(grant, { signature: 5 })));
      await refusal("FILE_MALFORMED", ask(withElements(grant, { "grant.expiry": -1 })));
      await refusal("FILE_WRONG_DOCUMENT", ask(withElements(grant, { carepact: "claim-batch" })));
      await refusal("FILE_VERSION_UNSUPPORTED", ask(withElements(grant, { version: 2 })));
      await refusal("FILE_TAMPERED", ask({ ...grant, consent: { resourceType: "Consent" } }));
    });
  });

  describe("given restrictions", () => {
    const restricted = async (world: ConsentsWorld, input: RestrictionsInput): Promise<Restrictions> => {
      const restrictions = makeRestrictions(input);
      const { restrictionsHash, version } = await run(world.consents.restrict(world.patient, restrictions));
      expect(restrictionsHash).to.equal(restrictionsHashOf(restrictions));
      expect(await world.consents.restrictionsHash(world.patient)).to.deep.equal({ hash: restrictionsHash, version });
      return restrictions;
    };

    it("refuses who does not bring the current ones", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const none = makeRestrictions({});
      expect(await reasonFor(world, grant, { restrictions: none })).to.equal("None");
      expect(await world.consents.restrictionsHash(world.patient)).to.deep.equal({ hash: undefined, version: 0 });

      const first = await restricted(world, { categories: ["Patient"] });
      expect(await reasonFor(world, grant)).to.equal("RestrictionsNotCurrent");
      expect(await reasonFor(world, grant, { restrictions: none })).to.equal("RestrictionsNotCurrent");
      expect(await reasonFor(world, grant, { restrictions: first })).to.equal("None");

      const second = await restricted(world, { categories: ["Patient", "Consent"] });
      expect(await reasonFor(world, grant, { restrictions: first })).to.equal("RestrictionsNotCurrent");
      const file = restrictionsFileOf(second, where(world));
      expect(await reasonFor(world, grant, { restrictions: file })).to.equal("None");
      const changed = withElements(file, { "restrictions.breakGlass": true });
      expect(await reasonFor(world, grant, { restrictions: changed })).to.equal("RestrictionsNotCurrent");

      const { version } = await run(world.consents.restrict(world.patient, undefined));
      expect(version).to.equal(3);
      expect(await reasonFor(world, grant)).to.equal("None");
    });

    it("refuses organizations, categories and purposes, whatever is granted", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const passed = await world.clinic.consents.passOn(grant, { grantee: world.specialist.address });
      const organization = world.specialist.address;
      const cases: [RestrictionsInput, string, string][] = [
        [{ organizations: [world.laboratory.address] }, "None", "None"],
        [{ organizations: [world.clinic.address] }, "OrganizationRestricted", "OrganizationRestricted"],
        [{ organizations: [organization] }, "None", "OrganizationRestricted"],
        [{ categories: ["Observation"] }, "CategoryRestricted", "CategoryRestricted"],
        [{ purposes: ["ETREAT"] }, "PurposeRestricted", "PurposeRestricted"],
      ];
      for (const [input, ofClinic, ofSpecialist] of cases) {
        const restrictions = await restricted(world, input);
        expect(await reasonFor(world, grant, { restrictions })).to.equal(ofClinic);
        expect(await reasonFor(world, passed, { restrictions, organization })).to.equal(ofSpecialist);
      }
    });

    it("are looked at before something is passed on", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const grantee = world.specialist.address;
      const restrictions = await restricted(world, { organizations: [grantee] });
      const { details } = await refusal(
        "GRANT_WOULD_BE_REFUSED",
        world.clinic.consents.passOn(grant, { grantee, restrictions }),
      );
      expect(details["reason"]).to.equal("OrganizationRestricted");
      const stale = makeRestrictions({});
      const error = await refusal(
        "GRANT_WOULD_BE_REFUSED",
        world.clinic.consents.passOn(grant, { grantee: world.laboratory.address, restrictions: stale }),
      );
      expect(error.details["reason"]).to.equal("RestrictionsNotCurrent");
      // Who has no restrictions at hand cannot be told.
      await world.clinic.consents.passOn(grant, { grantee });
    });

    it("may be overridden in an emergency, if they say so, by who gives care", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const { clinic } = world;
      const ask = async (changes: Partial<PermissionRequest> = {}): Promise<string> => {
        const request = requestOf(world, { purposes: ["BTG"], ...changes });
        const answer = await clinic.consents.checkBreakGlass(request);
        return answer.permitted ? "None" : answer.reason;
      };
      expect(await ask()).to.equal("None");
      expect(await ask({ organization: world.relayer.address })).to.equal("BreakGlassNotForOrganization");
      expect(await ask({ patient: id("nobody") })).to.equal("PatientUnknown");

      const never = await restricted(world, { organizations: [clinic.address] });
      expect(await ask({ restrictions: never })).to.equal("OrganizationRestricted");
      expect(await ask()).to.equal("RestrictionsNotCurrent");
      const unless = await restricted(world, { organizations: [clinic.address], breakGlass: true });
      expect(await ask({ restrictions: unless })).to.equal("None");
      expect(await ask({ restrictions: never })).to.equal("RestrictionsNotCurrent");

      await run(createOrganizations({ runner: world.admin, deployment: world.deployment }).suspend(clinic.address));
      expect(await ask({ restrictions: unless })).to.equal("BreakGlassNotForOrganization");
    });

    it("are the patient's own", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const other = restrictionsFileOf(makeRestrictions({}), { ...where(world), patient: id("another") });
      await refusal("INPUT_INVALID", run(world.consents.restrict(world.patient, other)));
      await refusal("INPUT_INVALID", run(world.consents.restrict(world.patient, { salt: "0x" } as never)));
      await refusal("PATIENT_UNKNOWN", run(world.consents.restrict(id("nobody"), undefined)));
      // A message for one version sets nothing a second time.
      const message = await world.consents.restrict(world.patient, makeRestrictions({})).populate();
      await world.relayer.sendTransaction(message);
      expect((await world.consents.restrictionsHash(world.patient)).version).to.equal(1);
      await expect(world.relayer.sendTransaction(message)).to.be.revertedWithCustomError(
        world.registry,
        "AuthorizationInvalid",
      );
      expect((await world.consents.restrictionsHash(world.patient)).version).to.equal(1);
    });
  });

  describe("given something that is not worth a signature", () => {
    /** A key that counts how often it is asked. */
    const counting = (key: Key) => {
      const signer = signerOf(key);
      const asked = { times: 0 };
      const sign: typeof signer.sign = (message) => {
        asked.times++;
        return signer.sign(message);
      };
      return { asked, signer: { ...signer, sign } };
    };

    it("asks for none", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const { asked, signer } = counting(world.key);
      const consents = createConsents({ runner: world.relayer, deployment: world.deployment }, { signer });
      const now = await time.latest();
      const revoked = await granted(world, { number: 9 });
      await run(world.consents.revoke(revoked));
      const attempt = async (changes: Partial<GrantInput>) => consents.grant(await grantInput(world, changes));

      const refusals: [Partial<GrantInput>, string][] = [
        [{ expiry: now }, "Expired"],
        [{ expiry: now - DAY }, "Expired"],
        [{ number: 9 }, "Revoked"],
        [{ grantee: world.relayer.address }, "OrganizationNotInStanding"],
      ];
      for (const [changes, reason] of refusals) {
        const { details } = await refusal("GRANT_WOULD_BE_REFUSED", attempt(changes));
        expect(details["reason"]).to.equal(reason);
      }
      await refusal("PATIENT_UNKNOWN", attempt({ patient: id("nobody") }));
      await refusal("IDENTIFIER_INVALID", attempt({ patient: "0x12" }));
      await refusal("IDENTIFIER_INVALID", attempt({ grantee: "clinic.eth" }));
      await refusal("CODE_UNKNOWN", attempt({ purposes: ["treat" as never] }));
      await refusal("CODE_UNKNOWN", attempt({ categories: ["Everything" as never] }));
      await refusal("CODE_UNKNOWN", attempt({ ceiling: "X" as never }));
      await refusal("GRANT_MALFORMED", attempt({ purposes: [] }));
      await refusal("GRANT_MALFORMED", attempt({ categories: ["HIV"] }));
      await refusal("GRANT_MALFORMED", attempt({ subGrants: 256 }));
      await refusal("GRANT_MALFORMED", attempt({ notBefore: now + 30 * DAY, expiry: now + DAY }));
      await refusal("GRANT_MALFORMED", attempt({ expiry: 2 ** 41 }));
      await refusal("INPUT_INVALID", attempt({ expiry: new Date("tomorrow") }));
      await refusal("INPUT_INVALID", attempt({ expiry: 1.5 }));
      await refusal("INPUT_INVALID", attempt({ number: 2 ** 32 }));
      await refusal("INPUT_INVALID", attempt({ number: -1 }));
      await refusal("INPUT_INVALID", attempt({ purposes: "TREAT" as never }));
      await refusal("INPUT_INVALID", attempt({ categories: undefined }));
      await refusal("MANDATE_MALFORMED", attempt({ mandate: {} as never }));
      await refusal("INPUT_INVALID", run(consents.restrict(world.patient, null as never)));
      await refusal("INPUT_INVALID", run(consents.revoke(undefined as never)));
      await refusal("INPUT_INVALID", attempt({ consent: { since: new Date() } }));
      await refusal("NOT_CONTROLLER", consentsOf(world, accountKey("a thief")).grant(await grantInput(world)));
      await refusal("PATIENT_UNKNOWN", run(consents.revokeAll(id("nobody"))));
      await refusal("PATIENT_UNKNOWN", run(consents.revoke({ patient: id("nobody"), number: 1 })));
      await refusal("INPUT_INVALID", run(consents.revoke({ patient: world.patient, number: 2 ** 32 })));
      await refusal("IDENTIFIER_INVALID", run(consents.revokeOwn("0x12")));
      await refusal("IDENTIFIER_INVALID", run(consents.revokeDocument(world.patient, "document")));
      expect(asked.times).to.equal(0);
      await attempt({});
      expect(asked.times).to.equal(1);
    });

    it("says so where nobody can sign", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const consents = createConsents({ runner: ethers.provider, deployment: world.deployment });
      await refusal("RUNNER_CANNOT_SIGN", consents.grant(await grantInput(world)));
      await refusal("RUNNER_CANNOT_SIGN", run(consents.revoke(await granted(world))));
    });

    it("says so on another chain, without a contract, and out of time", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const ask = (deployment: ConsentsWorld["deployment"]) => () =>
        createConsents({ runner: world.relayer, deployment }).check({ ...requestOf(world), grant });
      await refusal("CHAIN_MISMATCH", ask({ ...world.deployment, chainId: 1 }));
      await refusal("CONTRACT_MISSING", ask({ ...world.deployment, consentRegistry: world.clinic.address }));
      const signal = AbortSignal.abort();
      await refusal("ABORTED", world.consents.check({ ...requestOf(world), grant }, { signal }));
      await refusal("ABORTED", world.consents.grant(await grantInput(world), { signal }));
    });

    it("takes no answer of a node that does not fit together", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const answering = (permitted: boolean, reason: number) => {
        const returned = ethers.AbiCoder.defaultAbiCoder().encode(["bool", "uint8"], [permitted, reason]);
        const runner = nodeWith({ call: () => Promise.resolve(returned) });
        return createConsents({ runner, deployment: world.deployment }).check({ ...requestOf(world), grant });
      };
      await refusal("NODE_INCONSISTENT", answering(true, 25));
      await refusal("NODE_INCONSISTENT", answering(false, 0));
      await refusal("NODE_INCONSISTENT", answering(true, 99));
      expect((await answering(true, 0)).permitted).to.equal(true);
    });

    it("draws another number where that one was revoked", async () => {
      const world = await loadFixture(deployConsentsWorld);
      await run(world.consents.revoke({ patient: world.patient, number: 0 }));
      let drawn = 0;
      const random = (length: number): Uint8Array => {
        const bytes = new Uint8Array(length);
        if (length === 4) bytes[3] = drawn++;
        return bytes;
      };
      expect((await granted(world, { random })).grant.number).to.equal(1);
      expect(openSignedGrant(await granted(world, { random })).chain.grant.salt).to.equal(ZeroHash);
    });
  });
});
