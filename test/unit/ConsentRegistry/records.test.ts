import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id, keccak256 } from "ethers";

import {
  DIRECT,
  STATUS,
  authorize,
  chainOf,
  deployWithPatient,
  epochOf,
  grantOf,
  reasonOf,
  registerPatient,
  requestOf,
  rotate,
} from "../../support/consents";
import { type Key, accountKey, contractKey, passkey } from "../../support/keys";

import { type Patient, neighbourOf } from "./actions";

const NEXT = accountKey("next phone");

describe("ConsentRegistry: rotateController", () => {
  const rotation = (context: Patient, to: Key, endEpoch: boolean, by = context.key) =>
    authorize(context.domain, by, "RotateController", {
      patient: context.patient,
      controllerVersion: 1,
      newController: to.hash,
      endEpoch,
    });
  const acceptance = ({ domain, patient }: Patient, by: Key) =>
    authorize(domain, by, "AcceptControl", { patient, controllerVersion: 1 });

  it("gives the record to the new key, and takes it from the old", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    await expect(consents.rotateController(patient, acceptance(context, NEXT), false, rotation(context, NEXT, false)))
      .to.emit(consents, "ControllerChanged")
      .withArgs(patient, NEXT.hash, 2n)
      .and.not.to.emit(consents, "EpochEnded");
    const { controllerHash, controllerVersion, epoch } = await consents.patientOf(patient);
    expect([controllerHash, controllerVersion, epoch]).to.deep.equal([NEXT.hash, 2n, 1n]);

    const byOld = authorize(domain, key, "RevokeGrant", { patient, number: 1 });
    await expect(consents.revokeGrant(patient, 1, byOld))
      .to.be.revertedWithCustomError(consents, "NotController")
      .withArgs(patient, key.hash);
    await consents.revokeGrant(patient, 1, authorize(domain, NEXT, "RevokeGrant", { patient, number: 1 }));
  });

  it("keeps when the old key's time ended, and in which epoch", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, key, patient } = context;
    expect(await consents.controllerEndOf(patient, key.hash)).to.deep.equal([0n, 0n]);
    const sent = await consents.rotateController(
      patient,
      acceptance(context, NEXT),
      true,
      rotation(context, NEXT, true),
    );
    const { timestamp } = (await sent.getBlock())!;
    expect(await consents.controllerEndOf(patient, key.hash)).to.deep.equal([BigInt(timestamp), 1n]);
    expect(await consents.controllerEndOf(patient, NEXT.hash)).to.deep.equal([0n, 0n]);
  });

  it("ends the epoch where it is asked to", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, patient } = context;
    await expect(
      consents.rotateController(patient, acceptance(context, NEXT), true, rotation(context, NEXT, true)),
    ).to.emit(consents, "EpochEnded");
    expect(await epochOf(context, patient)).to.be.greaterThan(1n);
  });

  it("moves between keys of all kinds", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, key, patient } = context;
    const path = [key, await contractKey("wallet"), passkey("phone", context.webAuthnVerifier), NEXT];
    for (let i = 1; i < path.length; ++i) await rotate(context, patient, path[i - 1]!, path[i]!);
    const { controllerHash, controllerVersion } = await consents.patientOf(patient);
    expect([controllerHash, controllerVersion]).to.deep.equal([NEXT.hash, 4n]);
  });

  it("lets the new controller accept as the caller", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, stranger, patient } = context;
    const to = { ...NEXT, hash: keccak256(stranger.address) };
    await consents.connect(stranger).rotateController(patient, DIRECT, false, rotation(context, to, false));
    expect((await consents.controllerOf(patient)).controllerHash).to.equal(to.hash);
  });

  describe("nobody gets the record without both keys", () => {
    it("not by accepting what was never offered", async () => {
      const context = await loadFixture(deployWithPatient);
      const { consents, patient, stranger } = context;
      const thief = accountKey("thief");
      await expect(
        consents
          .connect(stranger)
          .rotateController(patient, acceptance(context, thief), false, rotation(context, thief, false, thief)),
      )
        .to.be.revertedWithCustomError(consents, "NotController")
        .withArgs(patient, thief.hash);
    });

    it("not by accepting in the place of the key that was meant", async () => {
      const context = await loadFixture(deployWithPatient);
      const { consents, patient, key } = context;
      const offered = rotation(context, NEXT, false);
      await expect(consents.rotateController(patient, acceptance(context, accountKey("thief")), false, offered))
        .to.be.revertedWithCustomError(consents, "AuthorizationInvalid")
        .withArgs(key.signer);
    });

    it("not to a key that does not accept", async () => {
      const context = await loadFixture(deployWithPatient);
      const { consents, domain, patient } = context;
      const forged = { ...acceptance(context, accountKey("thief")), signer: NEXT.signer };
      await expect(consents.rotateController(patient, forged, false, rotation(context, NEXT, false)))
        .to.be.revertedWithCustomError(consents, "AuthorizationInvalid")
        .withArgs(NEXT.signer);
      const elsewhere = authorize(domain, NEXT, "AcceptControl", { patient: id("other"), controllerVersion: 1 });
      await expect(
        consents.rotateController(patient, elsewhere, false, rotation(context, NEXT, false)),
      ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
    });

    it("not with the end of the epoch taken out of the message, or put in", async () => {
      const context = await loadFixture(deployWithPatient);
      const { consents, patient } = context;
      for (const meant of [true, false])
        await expect(
          consents.rotateController(patient, acceptance(context, NEXT), !meant, rotation(context, NEXT, meant)),
        ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
    });
  });

  it("refuses the key in control, and keys that were given up", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, key, patient } = context;
    await expect(rotate(context, patient, key, key))
      .to.be.revertedWithCustomError(consents, "ControllerUsedBefore")
      .withArgs(patient, key.hash);
    await rotate(context, patient, key, NEXT);
    await expect(rotate(context, patient, NEXT, key))
      .to.be.revertedWithCustomError(consents, "ControllerUsedBefore")
      .withArgs(patient, key.hash);
  });
});

describe("ConsentRegistry: a child's record", () => {
  /** A custodian's key of this one record; a mother under a mandate; the child's own passkey, years later. */
  async function deployWithChild() {
    const context = await deployWithPatient();
    const child = passkey("grown up", context.webAuthnVerifier);
    return { ...context, custodian: context.key, mother: accountKey("mother"), child };
  }

  it("is never the parent's: a mandate lets her do nothing that a controller does", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, domain, mother, child, patient } = context;
    const refusals = [
      () => rotate(context, patient, mother, child),
      () => rotate(context, patient, mother, accountKey("mother's second phone")),
      () => consents.revokeAll(patient, 1, authorize(domain, mother, "RevokeAll", { patient, epoch: 1 })),
      () => consents.deactivatePatient(patient, authorize(domain, mother, "DeactivatePatient", { patient })),
    ];
    for (const refusal of refusals)
      await expect(refusal()).to.be.revertedWithCustomError(consents, "NotController").withArgs(patient, mother.hash);
  });

  it("goes to the young adult by the custodian and the young adult alone, and ends what was before", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, custodian, child, patient } = context;
    const before = await epochOf(context, patient);
    await rotate(context, patient, custodian, child, true);
    expect((await consents.controllerOf(patient)).controllerHash).to.equal(child.hash);
    expect(await epochOf(context, patient)).to.be.greaterThan(before);
  });

  it("cannot be taken back by the custodian afterwards", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, custodian, child, patient } = context;
    await rotate(context, patient, custodian, child, true);
    await expect(rotate(context, patient, custodian, accountKey("custodian's next key")))
      .to.be.revertedWithCustomError(consents, "NotController")
      .withArgs(patient, custodian.hash);
  });

  it("looks on chain as when somebody changes phones", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, custodian, child, patient } = context;
    const grownUp = await neighbourOf(context);
    const eventNames = new Map<string, string>();
    consents.interface.forEachEvent(({ topicHash, name }) => eventNames.set(topicHash, name));
    const logs = async (record: string, from: Key, to: Key): Promise<(string | undefined)[]> => {
      const start = await consents.runner!.provider!.getBlockNumber();
      await rotate(context, record, from, to, true);
      const found = await consents.runner!.provider!.getLogs({ fromBlock: start + 1 });
      return found.map(({ topics }) => eventNames.get(topics[0]!));
    };
    const ofChild = await logs(patient, custodian, child);
    const ofAdult = await logs(grownUp.patient, grownUp.key, passkey("new phone", context.webAuthnVerifier));
    expect(ofChild).to.deep.equal(ofAdult).and.to.deep.equal(["ControllerChanged", "EpochEnded"]);
  });
});

describe("ConsentRegistry: HPKE keys and proofing", () => {
  it("counts the versions of HPKE keys", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    for (const version of [1, 2]) {
      const hpkeKey = id(`HPKE key after ${version}`);
      const signed = authorize(domain, key, "SetPatientHpkeKey", { patient, hpkeKeyVersion: version, hpkeKey });
      await expect(consents.setPatientHpkeKey(patient, hpkeKey, signed))
        .to.emit(consents, "PatientHpkeKeyChanged")
        .withArgs(patient, hpkeKey, version + 1);
      const known = await consents.patientOf(patient);
      expect([known.hpkeKey, known.hpkeKeyVersion]).to.deep.equal([hpkeKey, BigInt(version + 1)]);
    }
  });

  it("refuses an HPKE key of zero, and the present one", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    const set = (hpkeKey: string) =>
      consents.setPatientHpkeKey(
        patient,
        hpkeKey,
        authorize(domain, key, "SetPatientHpkeKey", { patient, hpkeKeyVersion: 1, hpkeKey }),
      );
    await expect(set(ZeroHash)).to.be.revertedWithCustomError(consents, "HpkeKeyZero");
    await expect(set(id("HPKE key")))
      .to.be.revertedWithCustomError(consents, "HpkeKeyUnchanged")
      .withArgs(id("HPKE key"));
  });

  it("sets, replaces and takes away a proofing commitment; an old message brings none back", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    const signed = [id("first"), id("second"), ZeroHash, id("first")].map((proofing, proofingVersion) => ({
      proofing,
      authorization: authorize(domain, key, "SetProofing", { patient, proofingVersion, proofing }),
    }));
    for (const [index, { proofing, authorization }] of signed.entries()) {
      await expect(consents.setProofing(patient, proofing, authorization))
        .to.emit(consents, "ProofingChanged")
        .withArgs(patient, proofing, index + 1);
      const known = await consents.patientOf(patient);
      expect([known.proofing, known.proofingVersion]).to.deep.equal([proofing, BigInt(index + 1)]);
    }
    // The commitment is once more the one that the second message followed.
    await expect(
      consents.setProofing(patient, signed[1]!.proofing, signed[1]!.authorization),
    ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
  });
});

describe("ConsentRegistry: mergePatients", () => {
  const merge = (context: Patient, from: Patient, into: Patient, by: [Key, Key] = [from.key, into.key]) => {
    const message = { from: from.patient, into: into.patient };
    const [ofFrom, ofInto] = by.map((key) => authorize(context.domain, key, "MergePatients", message));
    return context.consents.mergePatients(from.patient, into.patient, ofFrom!, ofInto!);
  };
  async function deployWithTwo() {
    const context = await deployWithPatient();
    return { context, from: { ...context, ...(await neighbourOf(context)) }, into: context as Patient };
  }

  it("leads from one to the other, and ends the first", async () => {
    const { context, from, into } = await loadFixture(deployWithTwo);
    const { consents } = context;
    await expect(merge(context, from, into))
      .to.emit(consents, "PatientMerged")
      .withArgs(from.patient, into.patient);
    const merged = await consents.patientOf(from.patient);
    expect([merged.status, merged.mergedInto]).to.deep.equal([STATUS.merged, into.patient]);
    expect(await consents.resolvePatient(from.patient)).to.equal(into.patient);
    expect((await consents.patientOf(into.patient)).status).to.equal(STATUS.active);
  });

  it("permits nothing any more for the first, and deletes nothing", async () => {
    const { context, from, into } = await loadFixture(deployWithTwo);
    const { consents, domain } = context;
    const grant = await grantOf(context, from.patient);
    const ask = () => reasonOf(context, chainOf(context, from.key, grant), requestOf(context, from.patient));
    expect(await ask()).to.equal("None");
    const before = await consents.patientOf(from.patient);
    await merge(context, from, into);
    expect(await ask()).to.equal("PatientMerged");
    const { controllerHash, epoch, hpkeKey } = await consents.patientOf(from.patient);
    expect([controllerHash, epoch, hpkeKey]).to.deep.equal([before.controllerHash, before.epoch, before.hpkeKey]);
    const revocation = authorize(domain, from.key, "RevokeGrant", { patient: from.patient, number: 7 });
    await consents.revokeGrant(from.patient, 7, revocation);
    expect(await consents.isGrantRevoked(from.patient, 7)).to.equal(true);
  });

  it("takes both controllers, each for its own record", async () => {
    const { context, from, into } = await loadFixture(deployWithTwo);
    const { consents } = context;
    const thief = accountKey("thief");
    const wrong: [Key, Key][] = [
      [from.key, thief],
      [thief, into.key],
      [into.key, from.key],
      [from.key, from.key],
      [into.key, into.key],
    ];
    for (const by of wrong)
      await expect(merge(context, from, into, by)).to.be.revertedWithCustomError(consents, "NotController");
    expect(await consents.resolvePatient(from.patient)).to.equal(from.patient);
  });

  it("does not take messages for the other direction", async () => {
    const { context, from, into } = await loadFixture(deployWithTwo);
    const { consents, domain } = context;
    const message = { from: into.patient, into: from.patient };
    await expect(
      consents.mergePatients(
        from.patient,
        into.patient,
        authorize(domain, from.key, "MergePatients", message),
        authorize(domain, into.key, "MergePatients", message),
      ),
    ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
  });

  it("is refused with itself, a second time, back, and with records that are not active", async () => {
    const { context, from, into } = await loadFixture(deployWithTwo);
    const { consents } = context;
    await expect(merge(context, from, from))
      .to.be.revertedWithCustomError(consents, "MergeWithItself")
      .withArgs(from.patient);
    await expect(merge(context, from, { ...into, patient: id("nobody") }))
      .to.be.revertedWithCustomError(consents, "PatientUnknown")
      .withArgs(id("nobody"));
    await merge(context, from, into);
    for (const [a, b] of [
      [from, into],
      [into, from],
    ] as const)
      await expect(merge(context, a, b))
        .to.be.revertedWithCustomError(consents, "PatientNotActive")
        .withArgs(from.patient, STATUS.merged);
  });

  it("follows at most eight mergers, however they were put together", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, key } = context;
    const records: Patient[] = [];
    for (let i = 0; i < 10; ++i) records.push({ ...context, patient: await registerPatient(context, key, `r${i}`) });
    for (let i = 0; i < 8; ++i) await merge(context, records[i]!, records[i + 1]!);
    expect(await consents.resolvePatient(records[0]!.patient)).to.equal(records[8]!.patient);
    await expect(merge(context, records[8]!, records[9]!))
      .to.be.revertedWithCustomError(consents, "MergeTooDeep")
      .withArgs(records[8]!.patient, records[9]!.patient);
    // A short path may still end where a long one does.
    await merge(context, records[9]!, records[8]!);
    expect(await consents.resolvePatient(records[9]!.patient)).to.equal(records[8]!.patient);
  });
});

describe("ConsentRegistry: deactivatePatient", () => {
  it("is final, and permits nothing any more", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    const grant = await grantOf(context, patient);
    await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    expect((await consents.patientOf(patient)).status).to.equal(STATUS.deactivated);
    expect(await reasonOf(context, chainOf(context, key, grant), requestOf(context, patient))).to.equal(
      "PatientDeactivated",
    );
    await expect(rotate(context, patient, key, NEXT))
      .to.be.revertedWithCustomError(consents, "PatientNotActive")
      .withArgs(patient, STATUS.deactivated);
    await expect(registerPatient(context, key)).to.be.revertedWithCustomError(consents, "PatientAlreadyRegistered");
  });
});
