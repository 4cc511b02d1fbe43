import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers, upgrades } from "hardhat";

import type { ConsentRegistry } from "../../../typechain-types";
import type {
  RepresentativeMandateStruct,
  SignedMandateStruct,
} from "../../../typechain-types/contracts/consent/ConsentRegistry";
import {
  DIRECT,
  MEDICATIONS,
  TREATMENT,
  anchorOf,
  authorize,
  chainOf,
  epochOf,
  grantDigestOf,
  grantOf,
  mandateDigestOf,
  reasonOf,
  reasons,
  requestOf,
} from "../../support/consents";
import { accountKey } from "../../support/keys";
import {
  CONTACTS_DELAY,
  DELAY,
  RECOVERED,
  acceptanceOf,
  change,
  circleOf,
  controllerOf,
  deployWithContacts,
  signaturesOf,
  start,
} from "../PatientRecovery/fixture";

/**
 * What works on the contracts that MedRec published, tried here: a guardian is toggled by whoever calls; the removal of one
 * who is none removes another; a provider destroys the contract that records its access. Of the last, the half that is the access
 * log's is in test/unit/AccessLog/attacks.test.ts.
 */
async function deployWithAll() {
  const context = await deployWithContacts();
  const { consents, domain, key, patient } = context;
  const grant = await grantOf(context, patient, { expiry: (await time.latest()) + 1000 * 24 * 60 * 60 });
  const chain = chainOf(context, key, grant);
  const anchor = anchorOf(grantDigestOf(domain, grant), chain.signature as string);
  await consents.anchor(anchor);
  await consents.revokeGrant(patient, 1, authorize(domain, key, "RevokeGrant", { patient, number: 1 }));
  return { ...context, chain, anchor };
}

/** The same, and the patient's mother has a mandate. */
async function deployWithMandate() {
  const context = await deployWithAll();
  const { domain, key, patient } = context;
  const mother = accountKey("mother");
  const mandate: RepresentativeMandateStruct = {
    patient,
    representative: mother.hash,
    custodian: ethers.ZeroAddress,
    purposes: TREATMENT,
    categories: MEDICATIONS,
    notBefore: await time.latest(),
    end: (await time.latest()) + 365 * 24 * 60 * 60,
    epoch: await epochOf(context, patient),
    salt: id("salt of a mandate"),
  };
  const document = mandateDigestOf(domain, mandate);
  return { ...context, mother, document, mandate: { mandate, signer: key.signer, signature: key.sign(document) } };
}

/** Name of the reason for which the mandate is not good; `None` where it is. */
async function representedIn({
  consents,
  mandate,
}: {
  consents: ConsentRegistry;
  mandate: SignedMandateStruct;
}): Promise<string> {
  const [, reason] = await consents.isRepresented(mandate, TREATMENT, MEDICATIONS);
  return reasons[Number(reason)]!;
}

describe("Attacks that work on MedRec", () => {
  describe("anyone toggles a guardian (Agent.enableCustodian asks nobody who calls)", () => {
    it("fails: nobody but the controller changes contacts, and those that hold still recover", async () => {
      const context = await loadFixture(deployWithAll);
      const { recovery, patient, circle, stranger, clinic, admin, relayer } = context;
      const before = await recovery.contactsOf(patient);
      for (const caller of [stranger, clinic, admin, relayer])
        for (const [from, to] of [
          [circle.hash, ZeroHash],
          [circle.hash, id("attacker's contacts")],
          [ZeroHash, id("attacker's contacts")],
        ] as const) {
          const own = recovery.connect(caller);
          await expect(own.changeContacts(patient, from, to, DIRECT))
            .to.be.revertedWithCustomError(recovery, "NotController")
            .withArgs(patient, ethers.keccak256(caller.address));
        }
      // Nor does a contact, who is one of those concerned, by a message of its own.
      for (const contact of circle.keys)
        await expect(change(context, circle.hash, ZeroHash, 2, contact))
          .to.be.revertedWithCustomError(recovery, "NotController")
          .withArgs(patient, contact.hash);
      expect(await recovery.contactsOf(patient)).to.deep.equal(before);
      await time.increase(CONTACTS_DELAY);
      await recoverBy(context);
    });
  });

  describe("anyone toggles a guardian who acts for the patient (Agent.enableCustodian once more)", () => {
    it("fails: nobody but controller and representative ends a mandate, in whoever's name it is tried", async () => {
      const context = await loadFixture(deployWithMandate);
      const { consents, patient, document, stranger, clinic, admin, relayer } = context;
      for (const caller of [stranger, clinic, admin, relayer]) {
        const own = consents.connect(caller);
        await expect(own.revokeDocument(patient, document, DIRECT))
          .to.be.revertedWithCustomError(consents, "NotController")
          .withArgs(patient, ethers.keccak256(caller.address));
        // In the caller's own name it says nothing of the mandate.
        await own.revokeOwnDocument(document, DIRECT);
      }
      expect(await representedIn(context)).to.equal("None");
    });

    it("fails: nobody brings back a mandate that the controller ended, the representative neither", async () => {
      const context = await loadFixture(deployWithMandate);
      const { consents, domain, key, patient, document, mandate, mother, stranger } = context;
      await consents.revokeDocument(patient, document, authorize(domain, key, "RevokeDocument", { patient, document }));
      await consents.connect(stranger).anchor(anchorOf(document, mandate.signature));
      await consents.anchor(anchorOf(document, mother.sign(document)));
      expect(await representedIn(context)).to.equal("MandateEnded");
      const signedByMother = { ...mandate, signer: mother.signer, signature: mother.sign(document) };
      expect(await representedIn({ ...context, mandate: signedByMother })).to.equal("MandateEnded");
    });

    it("fails: who ends a mandate that was never given ends no other", async () => {
      const context = await loadFixture(deployWithMandate);
      const { consents, domain, key, patient } = context;
      const unknown = id("a mandate that was never given");
      await consents.revokeDocument(
        patient,
        unknown,
        authorize(domain, key, "RevokeDocument", { patient, document: unknown }),
      );
      expect(await representedIn(context)).to.equal("None");
    });
  });

  describe("who removes an unknown guardian loses another (Agent.removeCustodian takes the last of the list)", () => {
    it("fails: a removal from a circle that is not the patient's changes nothing", async () => {
      const context = await loadFixture(deployWithAll);
      const { recovery, patient, circle } = context;
      // The client believes that a stranger is a contact, and takes it out.
      const believed = circleOf([...circle.keys, accountKey("never a contact")], 2);
      await expect(change(context, believed.hash, circleOf(circle.keys.slice(1), 2).hash, 2))
        .to.be.revertedWithCustomError(recovery, "ContactsNotCurrent")
        .withArgs(patient, circle.hash);
      expect(await recovery.contactsOf(patient)).to.deep.equal([circle.hash, ZeroHash, 0n, 1n]);
      await time.increase(CONTACTS_DELAY);
      // All four are still there: any two of them recover.
      for (const pair of [
        [0, 1],
        [2, 3],
      ]) {
        const { recovery: fresh } = context;
        await fresh.startRecovery.estimateGas(
          patient,
          circle.contacts,
          acceptanceOf(context),
          signaturesOf(context, pair),
        );
      }
      await recoverBy(context);
    });

    it("takes out exactly the one that is meant, where it is a contact", async () => {
      const context = await loadFixture(deployWithAll);
      const { recovery, circle } = context;
      const [, ...rest] = circle.keys;
      const without = circleOf(rest, 2);
      await change(context, circle.hash, without.hash, 2);
      await time.increase(CONTACTS_DELAY);
      await expect(start(context)).to.be.revertedWithCustomError(recovery, "ContactsMismatch");
      await recoverBy({ ...context, circle: without }, [0, 2]);
    });
  });

  describe("a provider destroys the record of access (Relationship.terminate)", () => {
    it("fails: whatever it calls, revocations, anchors, restrictions and patients stay", async () => {
      const context = await loadFixture(deployWithAll);
      const { consents, recovery, patient, anchor, chain, clinic } = context;
      const kept = async (): Promise<string> =>
        [
          await consents.patientOf(patient),
          await consents.restrictionsOf(patient),
          await consents.isGrantRevoked(patient, 1),
          await consents.anchoredAt(anchor),
          await recovery.contactsOf(patient),
          await recovery.recoveryOf(patient),
        ]
          .map(String)
          .join("\n");
      const before = await kept();
      for (const attempt of attemptsOf(context, clinic)) await attempt().catch(() => undefined);
      expect(await kept()).to.equal(before);
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
    });

    it("fails: nothing in the contracts can be destroyed, nor handed to a delegate", async () => {
      // Refuses SELFDESTRUCT, and DELEGATECALL beyond the upgrade that the access manager guards.
      for (const name of ["ConsentRegistry", "PatientRecovery"])
        await upgrades.validateImplementation(await ethers.getContractFactory(name), { kind: "uups" });
    });

    it("fails: what the patient revoked, the provider cannot bring back by signing, anchoring or revoking", async () => {
      const context = await loadFixture(deployWithAll);
      const { consents, domain, key, patient, chain, clinic } = context;
      await consents.revokeGrant(patient, 7, authorize(domain, key, "RevokeGrant", { patient, number: 7 }));
      const own = consents.connect(clinic);
      await own.anchor(anchorOf(grantDigestOf(domain, chain.grant), chain.signature as string));
      await own.revokeOwnDocument(grantDigestOf(domain, chain.grant), DIRECT);
      await expect(own.revokeGrant(patient, 7, DIRECT)).to.be.revertedWithCustomError(consents, "NotController");
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("Revoked");
    });
  });
});

type Context = Awaited<ReturnType<typeof deployWithAll>>;

/** Two contacts recover the record, as they could before the attack. */
async function recoverBy(context: Awaited<ReturnType<typeof deployWithContacts>>, who = [0, 2]): Promise<void> {
  await start(context, 1, who);
  await time.increase(DELAY);
  await context.recovery.executeRecovery(context.patient);
  expect(await controllerOf(context)).to.equal(RECOVERED.hash);
}

/** All that can be called, by the provider, in the provider's interest. */
function attemptsOf(context: Context, provider: HardhatEthersSigner): (() => Promise<unknown>)[] {
  const { patient, anchor, circle } = context;
  const consents = context.consents.connect(provider);
  const recovery = context.recovery.connect(provider);
  return [
    () => consents.rotateController(patient, DIRECT, true, DIRECT),
    () => consents.setPatientHpkeKey(patient, id("provider's key"), DIRECT),
    () => consents.setProofing(patient, id("provider's"), DIRECT),
    () => consents.mergePatients(patient, id("provider's"), DIRECT, DIRECT),
    () => consents.deactivatePatient(patient, DIRECT),
    () => consents.recover(patient, ethers.keccak256(provider.address)),
    () => consents.setRecovery(provider),
    () => consents.revokeGrant(patient, 1, DIRECT),
    () => consents.revokeAll(patient, 1, DIRECT),
    () => consents.revokeDocument(patient, anchor, DIRECT),
    () => consents.revokeOwnDocument(anchor, DIRECT),
    () => consents.setRestrictions(patient, ZeroHash, DIRECT),
    () => consents.anchor(anchor),
    () => consents.upgradeToAndCall(provider, "0x"),
    () => consents.initialize(provider, provider),
    () => recovery.changeContacts(patient, circle.hash, ZeroHash, DIRECT),
    () => recovery.cancelContactsChange(patient, DIRECT),
    () => recovery.startRecovery(patient, circle.contacts, DIRECT, signaturesOf(context, [0])),
    () => recovery.vetoRecovery(patient, DIRECT),
    () => recovery.overrideVeto(patient, circle.contacts, signaturesOf(context, [0])),
    () => recovery.executeRecovery(patient),
    () => recovery.upgradeToAndCall(provider, "0x"),
    () => recovery.initialize(provider, provider),
  ];
}
