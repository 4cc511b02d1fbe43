import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import { DIRECT, STATUS, authorize, deployWithPatient, rotate } from "../../support/consents";
import { type Key, accountKey } from "../../support/keys";
import { DAY } from "../../support/system";
import type { Patient } from "../ConsentRegistry/actions";

import {
  CONTACTS_DELAY,
  DELAY,
  RECOVERED,
  change,
  circleOf,
  deployWithContacts,
  hashOf,
  signaturesOf,
  acceptanceOf,
  start,
} from "./fixture";

const NEXT = circleOf([accountKey("new contact")], 1);
const current = async ({ recovery, patient }: Patient): Promise<unknown[]> => [...(await recovery.contactsOf(patient))];

describe("PatientRecovery: changeContacts", () => {
  it("publishes the domain that is signed for (EIP-5267)", async () => {
    const { recovery, recoveryDomain } = await loadFixture(deployWithPatient);
    const { name, version, chainId, verifyingContract } = await recovery.eip712Domain();
    expect({ name, version, chainId, verifyingContract }).to.deep.equal(recoveryDomain);
  });

  it("holds after its delay, the first contacts too, without anybody doing anything", async () => {
    const context = await loadFixture(deployWithPatient);
    const { recovery, patient } = context;
    expect(await current(context)).to.deep.equal([ZeroHash, ZeroHash, 0n, 0n]);
    const sent = change(context, ZeroHash, NEXT.hash, 1);
    await sent;
    const effectiveAt = BigInt(await time.latest()) + BigInt(CONTACTS_DELAY);
    await expect(sent).to.emit(recovery, "ContactsChanging").withArgs(patient, ZeroHash, NEXT.hash, effectiveAt);
    expect(await current(context)).to.deep.equal([ZeroHash, NEXT.hash, effectiveAt, 1n]);
    await time.increaseTo(effectiveAt - 1n);
    expect(await current(context)).to.deep.equal([ZeroHash, NEXT.hash, effectiveAt, 1n]);
    await time.increaseTo(effectiveAt);
    expect(await current(context)).to.deep.equal([NEXT.hash, ZeroHash, 0n, 1n]);
  });

  it("is done by the controller itself, too", async () => {
    const context = await loadFixture(deployWithPatient);
    const owner = (await ethers.getSigners())[8]!;
    const consents = context.consents.connect(owner);
    const patient = await consents.register.staticCall(id("own"), id("key"), DIRECT);
    await consents.register(id("own"), id("key"), DIRECT);
    await context.recovery.connect(owner).changeContacts(patient, ZeroHash, NEXT.hash, DIRECT);
    expect((await context.recovery.contactsOf(patient)).next).to.equal(NEXT.hash);
  });

  it("leaves the contacts that hold in power until then", async () => {
    const context = await loadFixture(deployWithContacts);
    await change(context, context.circle.hash, NEXT.hash, 2);
    await expect(start(context)).to.emit(context.recovery, "RecoveryStarted");
  });

  it("takes them all away by zero", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    await change(context, circle.hash, ZeroHash, 2);
    await time.increase(CONTACTS_DELAY);
    expect(await current(context)).to.deep.equal([ZeroHash, ZeroHash, 0n, 2n]);
    await expect(start(context))
      .to.be.revertedWithCustomError(recovery, "ContactsMismatch")
      .withArgs(patient, ZeroHash);
  });

  it("replaces a change that is under way, whose delay begins anew", async () => {
    const context = await loadFixture(deployWithContacts);
    await change(context, context.circle.hash, id("first thought"), 2);
    await time.increase(6 * DAY);
    await change(context, context.circle.hash, NEXT.hash, 3);
    await time.increase(6 * DAY);
    const [holding, next, , changes] = await current(context);
    expect([holding, next, changes]).to.deep.equal([context.circle.hash, NEXT.hash, 3n]);
  });

  describe("given a rotation", () => {
    const phone = accountKey("next phone");

    it("comes to nothing if the key that made it was replaced before it held", async () => {
      const context = await loadFixture(deployWithContacts);
      const { recovery, patient, key, circle } = context;
      const thiefs = circleOf([accountKey("thief's contact")], 1);
      await change(context, circle.hash, thiefs.hash, 2);
      await rotate(context, patient, key, phone);
      expect(await current(context)).to.deep.equal([circle.hash, ZeroHash, 0n, 2n]);
      await time.increase(CONTACTS_DELAY);
      expect(await current(context)).to.deep.equal([circle.hash, ZeroHash, 0n, 2n]);
      const stolen = { ...context, circle: thiefs };
      await expect(
        recovery.startRecovery(patient, thiefs.contacts, acceptanceOf(stolen), signaturesOf(stolen, [0])),
      ).to.be.revertedWithCustomError(recovery, "ContactsMismatch");
      await expect(
        recovery.cancelContactsChange(
          patient,
          authorize(context.recoveryDomain, phone, "CancelContactsChange", { patient, change: 2 }),
        ),
      ).to.be.revertedWithCustomError(recovery, "ContactsChangeMissing");
    });

    it("can be made again by the new key", async () => {
      const context = await loadFixture(deployWithContacts);
      await change(context, context.circle.hash, id("thief's"), 2);
      await rotate(context, context.patient, context.key, phone);
      await change(context, context.circle.hash, NEXT.hash, 3, phone);
      await time.increase(CONTACTS_DELAY);
      expect(await current(context)).to.deep.equal([NEXT.hash, ZeroHash, 0n, 3n]);
    });

    it("holds if the key was replaced only after it held", async () => {
      const context = await loadFixture(deployWithContacts);
      await change(context, context.circle.hash, NEXT.hash, 2);
      await time.increase(CONTACTS_DELAY);
      await rotate(context, context.patient, context.key, phone);
      expect(await current(context)).to.deep.equal([NEXT.hash, ZeroHash, 0n, 2n]);
    });

    it("is made by a key that once was replaced, and was recovered, too", async () => {
      const context = await loadFixture(deployWithContacts);
      const { recovery, patient, key, circle } = context;
      await rotate(context, patient, key, phone);
      await recovery.startRecovery(
        patient,
        circle.contacts,
        acceptanceOf(context, 1, key),
        signaturesOf(context, [0, 2], { to: key }),
      );
      await time.increase(DELAY);
      await recovery.executeRecovery(patient);
      await change(context, circle.hash, NEXT.hash, 2);
      await time.increase(CONTACTS_DELAY);
      expect(await current(context)).to.deep.equal([NEXT.hash, ZeroHash, 0n, 2n]);
      await change(context, NEXT.hash, circle.hash, 3);
      await rotate(context, patient, key, RECOVERED);
      expect(await current(context)).to.deep.equal([NEXT.hash, ZeroHash, 0n, 3n]);
    });
  });

  it("is refused when it names other contacts than those that hold, and changes nothing", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    for (const from of [ZeroHash, NEXT.hash])
      await expect(change(context, from, NEXT.hash, 2))
        .to.be.revertedWithCustomError(recovery, "ContactsNotCurrent")
        .withArgs(patient, circle.hash);
    expect(await current(context)).to.deep.equal([circle.hash, ZeroHash, 0n, 1n]);
  });

  it("is good once: the same message does not bring earlier contacts back", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, circle } = context;
    await change(context, circle.hash, NEXT.hash, 2);
    await expect(change(context, circle.hash, NEXT.hash, 2)).to.be.revertedWithCustomError(
      recovery,
      "AuthorizationInvalid",
    );
    await time.increase(CONTACTS_DELAY);
    await change(context, NEXT.hash, circle.hash, 3);
    await time.increase(CONTACTS_DELAY);
    await expect(change(context, circle.hash, NEXT.hash, 2)).to.be.revertedWithCustomError(
      recovery,
      "AuthorizationInvalid",
    );
  });

  it("is refused to everybody else: contacts, organizations, admins, strangers", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, recoveryDomain, patient, circle, clinic, admin, stranger } = context;
    const before = await current(context);
    for (const by of circle.keys)
      await expect(change(context, circle.hash, NEXT.hash, 2, by))
        .to.be.revertedWithCustomError(recovery, "NotController")
        .withArgs(patient, by.hash);
    for (const caller of [clinic, admin, stranger]) {
      const own = recovery.connect(caller);
      await expect(own.changeContacts(patient, circle.hash, NEXT.hash, DIRECT)).to.be.revertedWithCustomError(
        recovery,
        "NotController",
      );
      await expect(own.cancelContactsChange(patient, DIRECT)).to.be.revertedWithCustomError(recovery, "NotController");
      await expect(own.vetoRecovery(patient, DIRECT)).to.be.revertedWithCustomError(recovery, "NotController");
    }
    const message = { patient, from: circle.hash, to: NEXT.hash, change: 2 };
    for (const domain of [
      { ...recoveryDomain, chainId: 1 },
      { ...recoveryDomain, verifyingContract: await context.consents.getAddress() },
      context.domain,
    ])
      await expect(
        recovery.changeContacts(
          patient,
          circle.hash,
          NEXT.hash,
          authorize(domain, context.key, "ChangeContacts", message),
        ),
      ).to.be.revertedWithCustomError(recovery, "AuthorizationInvalid");
    expect(await current(context)).to.deep.equal(before);
  });

  it("is refused for a record that nobody registered, or that ended", async () => {
    const context = await loadFixture(deployWithPatient);
    const { recovery, consents, domain, key, patient } = context;
    await expect(change({ ...context, patient: id("nobody") }, ZeroHash, NEXT.hash, 1))
      .to.be.revertedWithCustomError(recovery, "PatientUnknown")
      .withArgs(id("nobody"));
    await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    await expect(change(context, ZeroHash, NEXT.hash, 1))
      .to.be.revertedWithCustomError(recovery, "PatientNotActive")
      .withArgs(patient, STATUS.deactivated);
  });
});

describe("PatientRecovery: cancelContactsChange", () => {
  const cancel = ({ recovery, recoveryDomain, key, patient }: Patient, number: number) =>
    recovery.cancelContactsChange(
      patient,
      authorize(recoveryDomain, key, "CancelContactsChange", { patient, change: number }),
    );

  it("stops a change, so that the contacts who hold stay", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    await change(context, circle.hash, NEXT.hash, 2);
    await expect(cancel(context, 2)).to.emit(recovery, "ContactsChangeCancelled").withArgs(patient, NEXT.hash);
    await time.increase(CONTACTS_DELAY);
    expect(await current(context)).to.deep.equal([circle.hash, ZeroHash, 0n, 2n]);
  });

  it("is refused when no change is under way, or it holds already", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    await expect(cancel(context, 1)).to.be.revertedWithCustomError(recovery, "ContactsChangeMissing").withArgs(patient);
    await change(context, circle.hash, NEXT.hash, 2);
    await time.increase(CONTACTS_DELAY);
    await expect(cancel(context, 2)).to.be.revertedWithCustomError(recovery, "ContactsChangeMissing");
    expect((await current(context))[0]).to.equal(NEXT.hash);
  });

  it("stops with a message the change it names, and no other", async () => {
    const context = await loadFixture(deployWithContacts);
    await change(context, context.circle.hash, NEXT.hash, 2);
    await cancel(context, 2);
    await change(context, context.circle.hash, NEXT.hash, 3);
    await expect(cancel(context, 2)).to.be.revertedWithCustomError(context.recovery, "AuthorizationInvalid");
  });
});

describe("PatientRecovery: hashContacts", () => {
  const people = (count: number): Key[] => Array.from({ length: count }, (_, i) => accountKey(`contact ${i}`));

  it("commits to contacts as they are, up to sixteen", async () => {
    const { recovery } = await loadFixture(deployWithPatient);
    for (const count of [1, 2, 16]) {
      const { contacts, hash } = circleOf(people(count), count);
      expect(await recovery.hashContacts(contacts)).to.equal(hash);
    }
    expect(await recovery.MAX_CONTACTS()).to.equal(16n);
  });

  it("refuses what could not be used", async () => {
    const { recovery } = await loadFixture(deployWithPatient);
    const { contacts } = circleOf(people(3), 2);
    const [a, b, c] = contacts.contacts as [string, string, string];
    const refused: [Partial<typeof contacts>, string, unknown[]][] = [
      [{ contacts: [] }, "ContactCountInvalid", [0n]],
      [circleOf(people(17), 2).contacts, "ContactCountInvalid", [17n]],
      [{ threshold: 0 }, "RecoveryThresholdInvalid", [0n, 3n]],
      [{ threshold: 4 }, "RecoveryThresholdInvalid", [4n, 3n]],
      [{ delay: 3 * DAY - 1 }, "RecoveryDelayInvalid", [BigInt(3 * DAY - 1)]],
      [{ delay: 90 * DAY + 1 }, "RecoveryDelayInvalid", [BigInt(90 * DAY + 1)]],
      [{ contacts: [b, a, c] }, "ContactsNotAscending", [1n]],
      [{ contacts: [a, b, b] }, "ContactsNotAscending", [2n]],
      [{ contacts: [a, b, c.slice(0, -2)] }, "ContactInvalid", [2n]],
    ];
    for (const [change, error, args] of refused)
      await expect(recovery.hashContacts({ ...contacts, ...change }))
        .to.be.revertedWithCustomError(recovery, error)
        .withArgs(...args);
    for (const delay of [3 * DAY, 90 * DAY]) {
      const edge = { ...contacts, delay };
      expect(await recovery.hashContacts(edge)).to.equal(hashOf(edge));
    }
  });
});
