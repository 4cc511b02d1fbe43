import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { Wallet, id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  contactsHashOf,
  createPatients,
  recoveryContacts,
  signerHashOf,
  type ContactSignature,
  type RecoveryContacts,
} from "@carepact/sdk/patients";
import type { Authorization, PatientSigner } from "@carepact/sdk/signers";

import { DAY } from "../support/system";

import {
  account,
  counted,
  deployPatientsWorld,
  passkey,
  patientsOf,
  registered,
  type PatientsWorld,
} from "./patientsWorld";
import { refusal, reverted } from "./support";

const DELAY = 5 * DAY;

/** A patient with three contacts that hold, two of whom are enough, and a new key. */
interface Scene extends PatientsWorld {
  key: PatientSigner;
  /** In the order in which the contract has them. */
  friends: PatientSigner[];
  newKey: PatientSigner;
  contacts: RecoveryContacts;
  patient: string;
}

async function deployScene(): Promise<Scene> {
  const world = await loadFixture(deployPatientsWorld);
  const key = await account("patient");
  const named = [await account("a friend"), await passkey(world), await account("an authority")];
  const contacts = recoveryContacts({ contacts: named.map(({ signer }) => signer), threshold: 2, delay: DELAY });
  const friends = contacts.contacts.map((contact) => named.find(({ signer }) => signer.toLowerCase() === contact)!);
  const patient = await registered(world, key);
  await run(patientsOf(world, key).recovery.changeContacts(patient, contacts));
  await time.increase(7 * DAY);
  return { ...world, key, friends, newKey: await passkey(world), contacts, patient };
}

describe("Recovery by contacts, through the SDK and the deployed system", () => {
  let scene: Scene;
  beforeEach(async () => {
    scene = await deployScene();
  });

  const recovery = (signer?: PatientSigner) => patientsOf(scene, signer).recovery;
  const controllerHash = async (): Promise<string> => (await patientsOf(scene).get(scene.patient))!.controllerHash;
  const approvals = (friends: PatientSigner[]): Promise<ContactSignature[]> => {
    const { patient, contacts, newKey } = scene;
    const request = { contacts, newController: newKey.signer };
    return Promise.all(friends.map((friend) => recovery(friend).approve(patient, request)));
  };
  /** What is handed to `start`: two of three contacts, from elsewhere, as JSON. */
  async function startInput(
    friends = scene.friends.slice(0, 2),
  ): Promise<{ contacts: RecoveryContacts; acceptance: Authorization; signatures: ContactSignature[] }> {
    const acceptance = await recovery(scene.newKey).accept(scene.patient);
    const input = { contacts: scene.contacts, acceptance, signatures: await approvals(friends) };
    return JSON.parse(JSON.stringify(input)) as typeof input;
  }
  const start = async () => run(recovery().start(scene.patient, await startInput()));
  const overrides = (friends = scene.friends): Promise<ContactSignature[]> =>
    Promise.all(friends.map((friend) => recovery(friend).approveOverride(scene.patient, scene.contacts)));

  describe("contacts", () => {
    it("count a week after they were named, the first too, and by themselves", async () => {
      const patient = await registered(scene, scene.newKey);
      const change = recovery(scene.newKey).changeContacts(patient, scene.contacts);
      const { effectiveAt } = await run(change);

      expect(effectiveAt).to.equal((await time.latest()) + 7 * DAY);
      const contactsHash = contactsHashOf(scene.contacts);
      expect(await recovery().contacts(patient)).to.deep.equal({ change: { contactsHash, effectiveAt }, changes: 1 });
      await time.increaseTo(effectiveAt);
      expect(await recovery().contacts(patient)).to.deep.equal({ current: contactsHash, changes: 1 });
    });

    it("may be named anew, taken away, and left as they are", async () => {
      const { patient, key, contacts } = scene;
      const others = recoveryContacts({ contacts: [scene.newKey.signer], threshold: 1, delay: 90 * DAY });
      await run(recovery(key).changeContacts(patient, others));
      expect(await run(recovery(key).cancelChange(patient))).to.include({ patient });
      expect(await recovery().contacts(patient)).to.deep.equal({ current: contactsHashOf(contacts), changes: 2 });

      const { effectiveAt } = await run(recovery(key).changeContacts(patient, undefined));
      expect(await recovery().contacts(patient)).to.deep.include({ change: { effectiveAt } });
      await time.increaseTo(effectiveAt);
      expect(await recovery().contacts(patient)).to.deep.equal({ changes: 3 });
    });

    it("are nobody's but the controller's to change", async () => {
      const { patient, contacts } = scene;
      const thief = counted(await account("thief"));

      await refusal("NOT_CONTROLLER", recovery(thief).changeContacts(patient, contacts).send());
      await refusal("NOT_CONTROLLER", recovery(thief).cancelChange(patient).send());
      await refusal("PATIENT_UNKNOWN", recovery(thief).changeContacts(id("nobody"), contacts).send());
      await refusal("IDENTIFIER_INVALID", recovery(thief).changeContacts("0x12", contacts).send());
      expect(thief.times()).to.equal(0);
      expect(await recovery().contacts(patient)).to.include({ changes: 1 });
    });

    it("are refused where they could not be used, as nobody would tell later", async () => {
      const { patient, contacts } = scene;
      const asked = counted(scene.key);
      const bad = { ...contacts, threshold: 4 };

      await refusal("CONTACTS_INVALID", recovery(asked).changeContacts(patient, bad).send());
      await refusal("CONTACTS_CHANGE_MISSING", recovery(asked).cancelChange(patient).send());
      expect(asked.times()).to.equal(0);
    });

    it("are changed by a message once", async () => {
      const { patient, key, contacts } = scene;
      const change = await recovery(key).changeContacts(patient, contacts).populate();
      await scene.relayer.sendTransaction(change);

      const contract = await ethers.getContractAt("PatientRecovery", scene.deployment.patientRecovery);
      await expect(scene.relayer.sendTransaction(change)).to.be.revertedWithCustomError(
        contract,
        "AuthorizationInvalid",
      );
      expect(await recovery().contacts(patient)).to.include({ changes: 2 });
    });
  });

  it("knows the limits of the contract, and its hash of contacts", async () => {
    const contract = await ethers.getContractAt("PatientRecovery", scene.deployment.patientRecovery);
    const [most, least, longest] = (
      await Promise.all([contract.MAX_CONTACTS(), contract.MIN_DELAY(), contract.MAX_DELAY()])
    ).map(Number) as [number, number, number];
    const many = Array.from({ length: most + 1 }, (_, i) => new Wallet(id(`contact ${i}`)).address);
    const passkeys = scene.friends.map(({ signer }) => signer);

    for (const [contacts, threshold, delay] of [
      [many.slice(1), most, least],
      [many.slice(0, 1), 1, longest],
      [passkeys, 3, longest],
    ] as const) {
      const chosen = recoveryContacts({ contacts, threshold, delay });
      expect(await contract.hashContacts(chosen)).to.equal(contactsHashOf(chosen));
    }
    for (const [contacts, delay] of [
      [many, least],
      [passkeys, least - 1],
      [passkeys, longest + 1],
    ] as const)
      await refusal("CONTACTS_INVALID", () => recoveryContacts({ contacts, threshold: 1, delay }));
    await start();
    const { readyAt, lapsesAt } = (await recovery().get(scene.patient))!;
    expect(lapsesAt - readyAt).to.equal(Number(await contract.EXECUTION_WINDOW()));
  });

  describe("a lost key", () => {
    it("is replaced by enough contacts after the delay, and all that it granted ends", async () => {
      const { patient, contacts, newKey } = scene;
      const { epoch } = (await patientsOf(scene).get(patient))!;

      const started = await start();
      expect(started).to.include({ patient, number: 1, readyAt: (await time.latest()) + DELAY });
      expect(await recovery().get(patient)).to.deep.equal({
        number: 1,
        phase: "waiting",
        contactsHash: contactsHashOf(contacts),
        newController: signerHashOf(newKey.signer),
        readyAt: started.readyAt,
        lapsesAt: started.readyAt + 30 * DAY,
        delay: DELAY,
      });

      const early = await reverted("RecoveryNotReady", recovery().execute(patient).send());
      expect(early).to.include({ readyAt: String(started.readyAt) });
      await time.increaseTo(started.readyAt);
      const executed = await run(recovery().execute(patient));

      expect(executed).to.include({ patient, number: 1, controllerVersion: 2 });
      expect(executed.epoch).to.be.greaterThan(epoch);
      expect(await patientsOf(scene).get(patient)).to.include({
        controllerHash: signerHashOf(newKey.signer),
        epoch: executed.epoch,
      });
      expect(await recovery().get(patient)).to.include({ phase: "executed" });
      await refusal("RECOVERY_PHASE_WRONG", recovery().execute(patient).send());
    });

    it("needs no account of anybody: each step is a transaction that anybody sends", async () => {
      const { patient, relayer, deployment } = scene;
      const provider = createPatients({ runner: ethers.provider, deployment }).recovery;

      await relayer.sendTransaction(await provider.start(patient, await startInput()).populate());
      await time.increase(DELAY);
      await relayer.sendTransaction(await provider.execute(patient).populate());

      expect(await controllerHash()).to.equal(signerHashOf(scene.newKey.signer));
    });

    it("takes signatures in any order, and one of two of the same contact", async () => {
      const input = await startInput([scene.friends[2]!, scene.friends[0]!, scene.friends[2]!]);

      expect(await run(recovery().start(scene.patient, input))).to.include({ number: 1 });
    });

    it("lapses, and may be begun again with another number", async () => {
      const { patient } = scene;
      const { readyAt } = await start();
      await time.increaseTo(readyAt + 30 * DAY);

      await reverted("RecoveryLapsed", recovery().execute(patient).send());
      expect(await start()).to.include({ number: 2 });
    });
  });

  describe("a veto", () => {
    it("stops it once, and is set aside by all contacts, with another delay", async () => {
      const { patient, key, newKey } = scene;
      await start();
      expect(await run(recovery(key).veto(patient))).to.include({ patient, number: 1 });
      expect(await recovery().get(patient)).to.include({ phase: "vetoed" });
      await refusal("RECOVERY_PHASE_WRONG", recovery().execute(patient).send());

      const signatures = await overrides();
      const overridden = await run(recovery().override(patient, { contacts: scene.contacts, signatures }));
      expect(overridden).to.include({ number: 1, readyAt: (await time.latest()) + DELAY });
      expect(await recovery().get(patient)).to.include({ phase: "overridden" });
      const again = await refusal("RECOVERY_PHASE_WRONG", recovery(key).veto(patient).send());
      expect(again.details).to.include({ phase: "overridden", number: 1 });

      await time.increaseTo(overridden.readyAt);
      await run(recovery().execute(patient));
      expect(await controllerHash()).to.equal(signerHashOf(newKey.signer));
    });

    it("is not set aside by fewer than all", async () => {
      const { patient, key, contacts, friends } = scene;
      await start();
      await run(recovery(key).veto(patient));
      const signatures = await overrides(friends.slice(0, 2));

      const error = await refusal(
        "CONTACT_SIGNATURES_TOO_FEW",
        recovery().override(patient, { contacts, signatures }).send(),
      );
      expect(error.details).to.deep.equal({ needed: 3, given: 2 });
      expect(await recovery().get(patient)).to.include({ phase: "vetoed" });
    });

    it("is the controller's, of a recovery that waits", async () => {
      const { patient, newKey, friends } = scene;
      const asked = counted(scene.key);
      const none = await refusal("RECOVERY_PHASE_WRONG", recovery(asked).veto(patient).send());
      expect(none.details).to.deep.equal({ phase: "none" });
      await start();

      for (const other of [newKey, friends[0]!]) await refusal("NOT_CONTROLLER", recovery(other).veto(patient).send());
      expect(asked.times()).to.equal(0);
    });

    it("is not there to be set aside before, nor after it lapsed, nor by others", async () => {
      const { patient, key, contacts, friends } = scene;
      const asked = counted(friends[0]!);
      await refusal("RECOVERY_PHASE_WRONG", recovery(asked).approveOverride(patient, contacts));
      await refusal("RECOVERY_PHASE_WRONG", recovery().override(patient, { contacts, signatures: [] }).send());
      const { readyAt } = await start();
      await run(recovery(key).veto(patient));
      const others = recoveryContacts({ contacts: [asked.signer], threshold: 1, delay: DELAY });
      await refusal("CONTACTS_MISMATCH", recovery(asked).approveOverride(patient, others));

      await time.increaseTo(readyAt + 30 * DAY);
      await refusal("RECOVERY_PHASE_WRONG", recovery(asked).approveOverride(patient, contacts));
      expect(asked.times()).to.equal(0);
    });
  });

  describe("refuses, and changes nothing", () => {
    afterEach(async () => {
      expect(await controllerHash()).to.equal(signerHashOf(scene.key.signer));
      expect(await recovery().get(scene.patient)).to.equal(undefined);
    });

    it("fewer contacts than it takes", async () => {
      const input = await startInput(scene.friends.slice(0, 1));

      const error = await refusal("CONTACT_SIGNATURES_TOO_FEW", recovery().start(scene.patient, input).send());
      expect(error.details).to.deep.equal({ needed: 2, given: 1 });
      const twice = { ...input, signatures: [...input.signatures, ...input.signatures] };
      await refusal("CONTACT_SIGNATURES_TOO_FEW", recovery().start(scene.patient, twice).send());
    });

    it("contacts who are not those that count", async () => {
      const { patient, friends, newKey } = scene;
      const contacts = recoveryContacts({ contacts: friends.map(({ signer }) => signer), threshold: 1, delay: DELAY });
      const asked = counted(friends[0]!);
      const request = { contacts, newController: newKey.signer };

      const error = await refusal("CONTACTS_MISMATCH", recovery(asked).approve(patient, request));
      expect(error.details).to.deep.equal({
        given: contactsHashOf(contacts),
        contactsHash: contactsHashOf(scene.contacts),
      });
      await refusal(
        "CONTACTS_MISMATCH",
        recovery()
          .start(patient, { ...(await startInput()), contacts })
          .send(),
      );
      expect(asked.times()).to.equal(0);
    });

    it("a patient who has none", async () => {
      const { contacts, friends, newKey } = scene;
      const patient = await registered(scene, newKey);
      const request = { contacts, newController: newKey.signer };

      const error = await refusal("CONTACTS_MISMATCH", recovery(friends[0]).approve(patient, request));
      expect(error.details).not.to.have.property("contactsHash");
    });

    it("somebody who is no contact", async () => {
      const stranger = counted(await account("stranger"));

      await refusal("CONTACT_UNKNOWN", approvals([stranger]));
      expect(stranger.times()).to.equal(0);
    });

    it("what was signed for another new key, by another contact, or on another chain", async () => {
      const { patient, friends, contacts } = scene;
      const input = await startInput();
      const [first, second] = input.signatures as [ContactSignature, ContactSignature];
      const request = { contacts, newController: (await account("thief")).signer };
      const elsewhere = await recovery(friends[0]).approve(patient, request);
      const swapped = [
        { ...first, signature: second.signature },
        { ...second, signature: first.signature },
      ];

      for (const signatures of [[elsewhere, second], swapped])
        await reverted(
          "AuthorizationInvalid",
          recovery()
            .start(patient, { ...input, signatures })
            .send(),
        );
      const acceptance = await recovery(await account("thief")).accept(patient);
      await reverted(
        "AuthorizationInvalid",
        recovery()
          .start(patient, { ...input, acceptance })
          .send(),
      );
    });

    it("what is no signature of a contact, and what has expired", async () => {
      const { patient } = scene;
      const input = await startInput();
      const [first, second] = input.signatures as [ContactSignature, ContactSignature];
      const bad: unknown[] = [
        undefined,
        [first, undefined],
        [first, { ...second, contact: 3 }],
        [first, { ...second, contact: -1 }],
        [first, { ...second, contact: "1" }],
        [first, { ...second, signature: "0x" }],
        [first, { ...second, signature: "0x123" }],
        [first, { ...second, deadline: "later" }],
      ];
      for (const signatures of bad)
        await refusal(
          "INPUT_INVALID",
          recovery()
            .start(patient, { ...input, signatures: signatures as [] })
            .send(),
        );
      for (const acceptance of [undefined, {}, { ...input.acceptance, signature: "0x" }])
        await refusal(
          "INPUT_INVALID",
          recovery()
            .start(patient, { ...input, acceptance: acceptance as Authorization })
            .send(),
        );
      await refusal(
        "CONTACTS_INVALID",
        recovery()
          .start(patient, { ...input, contacts: {} as RecoveryContacts })
          .send(),
      );

      await time.increase(7 * DAY + 3600);
      await refusal("AUTHORIZATION_EXPIRED", recovery().start(patient, input).send());
      const acceptance = await recovery(scene.newKey).accept(patient);
      await refusal(
        "AUTHORIZATION_EXPIRED",
        recovery()
          .start(patient, { ...input, acceptance })
          .send(),
      );
    });

    it("to sign without a key", async () => {
      const { patient, contacts, newKey } = scene;

      await refusal("RUNNER_CANNOT_SIGN", recovery().accept(patient));
      const request = { contacts, newController: newKey.signer };
      await refusal("RUNNER_CANNOT_SIGN", recovery().approve(patient, request));
    });

    it("records and keys that are none", async () => {
      const { contacts, friends, newKey, patient } = scene;
      const request = { contacts, newController: newKey.signer };

      await refusal("PATIENT_UNKNOWN", recovery(friends[0]).approve(id("nobody"), request));
      await refusal("IDENTIFIER_INVALID", recovery(friends[0]).approve(patient, { ...request, newController: "0x" }));
      await refusal("IDENTIFIER_INVALID", recovery().get("0x12"));
      await refusal("IDENTIFIER_INVALID", recovery().contacts("0x12"));
      await refusal("PATIENT_UNKNOWN", recovery().execute(id("nobody")).send());
      await refusal("RECOVERY_PHASE_WRONG", recovery().execute(patient).send());
    });
  });

  it("lets no second recovery begin while one is under way, or vetoed", async () => {
    const { patient, key } = scene;
    const input = await startInput();
    await run(recovery().start(patient, input));

    const running = await refusal("RECOVERY_PHASE_WRONG", recovery().start(patient, input).send());
    expect(running.details).to.include({ phase: "waiting", number: 1 });
    await refusal("RECOVERY_PHASE_WRONG", approvals(scene.friends));
    await run(recovery(key).veto(patient));
    await refusal("RECOVERY_PHASE_WRONG", recovery().start(patient, input).send());
  });

  it("ends with the record", async () => {
    const { patient, key } = scene;
    await run(patientsOf(scene, key).deactivate(patient));

    await refusal("PATIENT_NOT_ACTIVE", approvals(scene.friends));
    await refusal("PATIENT_NOT_ACTIVE", recovery(key).changeContacts(patient, undefined).send());
  });
});
