import { loadFixture, mine, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { TransactionRequest } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { categoryBits, categoryMask, purposeBit, purposeMask } from "@carepact/sdk/codes";
import { createConsents, NO_EXPIRY, NO_INSTRUMENT, openSignedGrant, permissionReasons } from "@carepact/sdk/consents";

import { anchorOf, authorize, documents, NO_RESTRICTIONS } from "../support/consents";
import { accountKey, contractKey, digestOf, p256Key, passkey, type Key } from "../support/keys";
import { DAY } from "../support/system";

import {
  consentsOf,
  decoded,
  deployConsentsWorld,
  granted,
  grantInput,
  reasonFor,
  registerPatient,
  requestOf,
  rotate,
  signedAnew,
  signerOf,
} from "./consentsWorld";
import { nodeWith, refusal, reverted } from "./support";

/** Answers what it was asked before out of memory. */
function remembering(answer: (request: TransactionRequest) => Promise<string>): typeof answer {
  const answers = new Map<string, Promise<string>>();
  return (request) => {
    const key = JSON.stringify([request.to, request.data]);
    const known = answers.get(key) ?? answer(request);
    answers.set(key, known);
    return known;
  };
}

describe("SDK: consents", () => {
  describe("given a patient without ether", () => {
    it("grants by one signature, and no transaction", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const block = await ethers.provider.getBlockNumber();
      const input = await grantInput(world);

      const grant = await world.consents.grant(input);

      expect(await ethers.provider.getBlockNumber()).to.equal(block);
      expect(await ethers.provider.getTransactionCount(world.key.wallet.address)).to.equal(0);
      const { chain } = openSignedGrant(grant);
      const { epoch } = await world.registry.patientOf(world.patient);
      expect(chain.grant).to.deep.include({
        patient: world.patient,
        grantee: world.clinic.address,
        purposes: purposeMask("TREAT"),
        categories: categoryMask(["Observation", "DiagnosticReport", "HIV"]),
        ceiling: 4,
        notBefore: await time.latest(),
        expiry: input.expiry,
        subGrants: 2,
        epoch: Number(epoch),
        instrument: NO_INSTRUMENT,
      });
      expect(chain.grant.number).to.be.within(0, 2 ** 32 - 1);
      const digest = digestOf(world.domain, documents.grant, { ...chain.grant });
      expect(openSignedGrant(grant).documents).to.deep.equal([digest]);
      expect(chain.signature).to.equal(world.key.sign(digest));
      expect(await reasonFor(world, grant)).to.equal("None");
    });

    it("draws number and salt anew for each grant", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const [one, two] = [await granted(world), await granted(world)];
      expect(one.grant.number).not.to.equal(two.grant.number);
      expect(one.grant.salt).not.to.equal(two.grant.salt);
    });

    it("tells the grantee which grant it was, for its log", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { documents, chain } = openSignedGrant(grant);
      expect(await world.clinic.consents.check({ ...requestOf(world), grant })).to.deep.equal({
        permitted: true,
        grant: documents[0],
        epoch: chain.grant.epoch,
      });
    });

    it("says that a FHIR Consent has to be read, too", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world, { consent: { resourceType: "Consent", id: "x" } });
      const answer = await world.clinic.consents.check({ ...requestOf(world), grant });
      expect(answer).to.deep.include({ permitted: true, instrument: grant.grant.instrument });
      expect(grant.grant.instrument).not.to.equal(NO_INSTRUMENT);
    });

    it("may be a passkey, a P-256 key or a wallet contract", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const { p256Verifier, webAuthnVerifier } = world.deployment;
      const keys: Key[] = [
        passkey("a phone", webAuthnVerifier),
        p256Key("a card", p256Verifier),
        await contractKey("a safe"),
      ];
      for (const [i, key] of keys.entries()) {
        const patient = await registerPatient(world, key, `patient ${i}`);
        const consents = consentsOf(world, key);
        const grant = await consents.grant(await grantInput(world, { patient }));
        expect(await reasonFor(world, grant, { patient })).to.equal("None");
        await run(consents.revoke(grant));
        expect(await reasonFor(world, grant, { patient })).to.equal("Revoked");
      }
    });

    it("may act itself, as the account that sends", async () => {
      const world = await loadFixture(deployConsentsWorld);
      await setBalance(world.key.wallet.address, 10n ** 18n);
      const wallet = world.key.wallet.connect(ethers.provider);
      const consents = createConsents({ runner: wallet, deployment: world.deployment });
      const grant = await consents.grant(await grantInput(world));
      expect(await reasonFor(world, grant)).to.equal("None");
      const { patient, number } = grant.grant;
      expect(await run(consents.revoke(grant))).to.deep.include({ patient, number });
      expect(await reasonFor(world, grant)).to.equal("Revoked");
    });

    it("gives what it signed to whoever relays", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const offline = createConsents(
        { runner: ethers.provider, deployment: world.deployment },
        { signer: signerOf(world.key) },
      );
      const transaction = await offline.revoke(grant).populate();
      expect(transaction).to.have.all.keys("to", "data");
      await world.relayer.sendTransaction(transaction);
      expect(await reasonFor(world, grant)).to.equal("Revoked");
    });
  });

  describe("given a grant with a beginning and an end", () => {
    it("counts from its first second to the last one before its end", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const notBefore = (await time.latest()) + DAY;
      const expiry = notBefore + DAY;
      const grant = await granted(world, { notBefore, expiry });
      const at = async (moment: number): Promise<string> => {
        await time.increaseTo(moment);
        return reasonFor(world, grant);
      };
      expect(await reasonFor(world, grant)).to.equal("NotYetValid");
      expect(await at(notBefore - 1)).to.equal("NotYetValid");
      expect(await at(notBefore)).to.equal("None");
      expect(await at(expiry - 1)).to.equal("None");
      expect(await at(expiry)).to.equal("Expired");
      expect(await at(expiry + 30 * DAY)).to.equal("Expired");
    });

    it("takes dates, and has no end where none is wanted", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const expiry = new Date(((await time.latest()) + DAY) * 1000 + 999);
      expect((await granted(world, { expiry })).grant.expiry).to.equal(Math.floor(expiry.getTime() / 1000));
      const endless = await granted(world, { expiry: NO_EXPIRY });
      await time.increase(3650 * DAY);
      expect(await reasonFor(world, endless)).to.equal("None");
    });
  });

  describe("given a revocation", () => {
    it("refuses in the very block after it, asked of the same object", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const ask = () => world.consents.check({ ...requestOf(world), grant });
      expect((await ask()).permitted).to.equal(true);

      const { patient, number } = grant.grant;
      const revoked = await run(world.consents.revoke(grant));
      expect(revoked).to.deep.include({ patient, number });

      expect(await ethers.provider.getBlockNumber()).to.equal(revoked.blockNumber);
      expect(await ask()).to.deep.include({ permitted: false, reason: "Revoked" });
    });

    it("is not hidden by what lies between and keeps answers", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { patient, number } = grant.grant;
      const node = nodeWith({ call: remembering((request) => ethers.provider.call(request)) });
      const consents = createConsents({ runner: node, deployment: world.deployment });
      const ask = async (): Promise<boolean> => (await consents.check({ ...requestOf(world), grant })).permitted;
      const kept = world.registry.connect(node);
      expect(await ask()).to.equal(true);
      expect(await kept.isGrantRevoked(patient, number)).to.equal(false);

      await run(world.consents.revoke(grant));

      expect(await kept.isGrantRevoked(patient, number)).to.equal(false);
      expect(await ask()).to.equal(false);
    });

    it("counts for what comes behind it in its own block", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { chain } = openSignedGrant(grant);
      const request = {
        ...requestOf(world),
        purposes: purposeBit("ETREAT"),
        categories: categoryBits(["Observation"]),
        confidentiality: 3,
      };
      const inPendingBlock = async (): Promise<string> => {
        const [, reason] = await world.registry.isPermitted(chain, NO_RESTRICTIONS, request, { blockTag: "pending" });
        return permissionReasons[Number(reason)]!;
      };
      const revocation = await world.consents.revoke(grant).populate();
      await ethers.provider.send("evm_setAutomine", [false]);
      try {
        expect(await inPendingBlock()).to.equal("None");
        await world.relayer.sendTransaction(revocation);
        expect(await inPendingBlock()).to.equal("Revoked");
        // The block is not there yet.
        expect(await reasonFor(world, grant)).to.equal("None");
        await mine();
        expect(await reasonFor(world, grant)).to.equal("Revoked");
      } finally {
        await ethers.provider.send("evm_setAutomine", [true]);
      }
    });

    it("is for ever, and changes nothing the second time", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      await run(world.consents.revoke(grant));
      await run(world.consents.revoke(grant));
      await time.increase(DAY);
      expect(await reasonFor(world, grant)).to.equal("Revoked");
    });

    it("needs only the number, where the file is lost", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { patient, number } = grant.grant;
      await run(world.consents.revoke({ patient, number }));
      expect(await reasonFor(world, grant)).to.equal("Revoked");
    });

    it("may name the document, and leaves another grant of that number alone", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const [one, two] = [await granted(world, { number: 5 }), await granted(world, { number: 5 })];
      const [document] = openSignedGrant(one).documents;
      const { patient } = world;
      expect(await run(world.consents.revokeDocument(patient, document))).to.deep.include({ patient, document });
      expect(await reasonFor(world, one)).to.equal("Revoked");
      expect(await reasonFor(world, two)).to.equal("None");
    });

    it("is the patient's alone", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const { patient } = world;
      const thief = consentsOf(world, accountKey("a thief"));
      for (const attempt of [
        () => run(thief.revoke(grant)),
        () => run(thief.revoke({ patient, number: grant.grant.number })),
        () => run(thief.revokeAll(patient)),
        () => run(thief.revokeDocument(patient, openSignedGrant(grant).documents[0])),
        () => run(thief.restrict(patient, undefined)),
        () => run(world.clinic.consents.revoke(grant)),
      ])
        await refusal("NOT_CONTROLLER", attempt);
      // What it signed itself it may take back: that is nothing of this patient's.
      await run(thief.revokeOwn(openSignedGrant(grant).documents[0]));
      expect(await reasonFor(world, grant)).to.equal("None");
    });

    it("goes on for a record that was deactivated", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      await world.registry.deactivatePatient(
        world.patient,
        authorize(world.domain, world.key, "DeactivatePatient", { patient: world.patient }),
      );
      expect(await reasonFor(world, grant)).to.equal("PatientDeactivated");
      await run(world.consents.revoke(grant));
      await refusal("PATIENT_NOT_ACTIVE", run(world.consents.revokeAll(world.patient)));
      await refusal("PATIENT_NOT_ACTIVE", granted(world));
    });

    it("is not carried out once its deadline passed", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      const deadline = (await time.latest()) + DAY;
      const transaction = await world.consents.revoke(grant, { deadline }).populate();
      await time.increaseTo(deadline + 1);
      await reverted("AuthorizationExpired", decoded(world.relayer.sendTransaction(transaction)));
      expect(await reasonFor(world, grant)).to.equal("None");
      await refusal("AUTHORIZATION_EXPIRED", run(world.consents.revoke(grant, { deadline })));
    });
  });

  describe("given that the patient ends everything", () => {
    it("refuses all grants at once, and counts those of the next epoch", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const [one, two] = [await granted(world), await granted(world, { number: 0 })];
      const { epoch } = one.grant;

      const ended = await run(world.consents.revokeAll(world.patient));

      expect(ended).to.deep.include({ patient: world.patient, ended: epoch });
      expect(ended.epoch).to.be.greaterThan(epoch);
      expect(await reasonFor(world, one)).to.equal("EpochEnded");
      expect(await reasonFor(world, two)).to.equal("EpochEnded");
      const next = await granted(world);
      expect(next.grant.epoch).to.equal(ended.epoch);
      expect(await reasonFor(world, next)).to.equal("None");
    });

    it("takes no epoch that runs backwards, nor one to come", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      await run(world.consents.revokeAll(world.patient));
      const epoch = Number((await world.registry.patientOf(world.patient)).epoch);
      for (const wrong of [0, grant.grant.epoch, epoch + 1, 2 ** 48 - 1])
        expect(await reasonFor(world, signedAnew(world, grant, { epoch: wrong }))).to.equal("EpochEnded");
      // The message names the epoch that it ends: the same once more ends nothing.
      const twice = await world.consents.revokeAll(world.patient).populate();
      await world.relayer.sendTransaction(twice);
      await reverted("EpochNotCurrent", decoded(world.relayer.sendTransaction(twice)));
    });
  });

  describe("given another key", () => {
    it("needs an anchor in an earlier block", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const [anchored, forgotten] = [await granted(world), await granted(world)];
      expect(await world.consents.anchoring(anchored)).to.deep.include({ state: "needed" });

      const { anchor } = await run(world.relayerConsents.anchor(anchored));
      const { chain, documents } = openSignedGrant(anchored);
      expect(anchor).to.equal(anchorOf(documents[0], chain.signature));
      expect(await world.consents.anchoring(anchored)).to.deep.equal({
        anchor,
        anchoredAt: await time.latest(),
        state: "done",
      });
      await rotate(world, world.key, accountKey("a new phone"));

      expect(await reasonFor(world, anchored)).to.equal("None");
      expect(await reasonFor(world, forgotten)).to.equal("SignerReplaced");
      expect((await world.consents.anchoring(anchored)).state).to.equal("done");
      expect((await world.consents.anchoring(forgotten)).state).to.equal("tooLate");
      await run(world.relayerConsents.anchor(forgotten));
      expect((await world.consents.anchoring(forgotten)).state).to.equal("tooLate");
      expect(await reasonFor(world, forgotten)).to.equal("SignerReplaced");
    });

    it("ends all where the epoch ended with the rotation", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const grant = await granted(world);
      await run(world.relayerConsents.anchor(grant));
      await rotate(world, world.key, accountKey("a new phone"), true);
      expect(await reasonFor(world, grant)).to.equal("EpochEnded");
      expect((await world.consents.anchoring(grant)).state).to.equal("tooLate");
    });

    it("grants by the new key only", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const next = accountKey("a new phone");
      await rotate(world, world.key, next);
      await refusal("NOT_CONTROLLER", granted(world));
      const grant = await consentsOf(world, next).grant(await grantInput(world));
      expect(await reasonFor(world, grant)).to.equal("None");
      expect((await world.consents.anchoring(grant)).state).to.equal("needed");
    });

    it("anchors nothing that a stranger signed", async () => {
      const world = await loadFixture(deployConsentsWorld);
      const forged = signedAnew(world, await granted(world), {}, accountKey("a thief"));
      await run(world.relayerConsents.anchor(forged));
      expect((await world.consents.anchoring(forged)).state).to.equal("notController");
      expect(await reasonFor(world, forged)).to.equal("SignerNotController");
    });
  });
});
