import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { Network, ZeroHash, id, type Provider } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { createPatients, patientIdOf, signerHashOf, type PatientRecord } from "@carepact/sdk/patients";
import type { Authorization, PatientSigner } from "@carepact/sdk/signers";

import {
  account,
  counted,
  deployPatientsWorld,
  keysOfEachKind,
  passkey,
  patientsOf,
  registered,
  type PatientsWorld,
} from "./patientsWorld";
import { nodeWith, refusal, reverted } from "./support";

const NEW_HPKE_KEY = id("another sealing key");

/** The same node, which says that it is on another chain. */
const elsewhere = (chainId: bigint): Provider => nodeWith({ getNetwork: () => Promise.resolve(Network.from(chainId)) });

describe("Patients, through the SDK and the deployed system", () => {
  let world: PatientsWorld;
  let key: Awaited<ReturnType<typeof account>>;
  beforeEach(async () => {
    world = await loadFixture(deployPatientsWorld);
    key = await account("patient");
  });

  const recordOf = async (patient: string): Promise<PatientRecord> => (await patientsOf(world).get(patient))!;
  /** Expects that nothing of a record changes. */
  async function unchanged(patient: string, attempt: () => Promise<unknown>): Promise<void> {
    const before = await recordOf(patient);
    await attempt();
    expect(await recordOf(patient)).to.deep.equal(before);
  }

  for (const [name, keyOf] of Object.entries(keysOfEachKind))
    it(`lets ${name} without ether register, do all that a controller does, and end the record`, async () => {
      const signer = await keyOf(world);
      const patients = patientsOf(world, signer);
      const salt = id("salt");

      const { patient, ...rest } = await run(patients.register({ hpkeKey: world.hpkeKey, salt }));
      expect(patient).to.equal(patientIdOf(signer.signer, salt));
      expect(rest.salt).to.equal(salt);
      const { epoch, since, ...record } = await recordOf(patient);
      expect(record).to.deep.equal({
        patient,
        status: "active",
        controllerHash: signerHashOf(signer.signer),
        controllerVersion: 1,
        hpkeKey: world.hpkeKey,
        hpkeKeyVersion: 1,
        proofingVersion: 0,
        restrictionsVersion: 0,
      });
      expect([Number.isSafeInteger(epoch), since]).to.deep.equal([true, await time.latest()]);

      expect(await run(patients.setHpkeKey(patient, NEW_HPKE_KEY))).to.include({ patient, hpkeKeyVersion: 2 });
      expect(await run(patients.setProofing(patient, id("proofing")))).to.include({ patient, proofingVersion: 1 });
      expect(await recordOf(patient)).to.include({ hpkeKey: NEW_HPKE_KEY, proofing: id("proofing") });
      expect(await run(patients.setProofing(patient, undefined))).to.include({ proofingVersion: 2 });
      expect(await recordOf(patient)).not.to.have.property("proofing");

      expect(await run(patients.deactivate(patient))).to.include({ patient });
      expect(await recordOf(patient)).to.include({ status: "deactivated" });
    });

  it("lets an account act itself, which pays for it", async () => {
    const patients = patientsOf(world);
    const { patient } = await run(patients.register({ hpkeKey: world.hpkeKey }));
    expect(await recordOf(patient)).to.include({ controllerHash: signerHashOf(world.relayer.address) });

    await run(patients.setHpkeKey(patient, NEW_HPKE_KEY));
    const next = await passkey(world);
    expect(await run(patients.rotate(patient, { to: next, endEpoch: false }))).to.include({ controllerVersion: 2 });
    await refusal("NOT_CONTROLLER", patients.deactivate(patient).send());
  });

  it("needs no account and no ether of who signs: a provider is enough, anybody sends", async () => {
    const signer = await passkey(world);
    const patients = createPatients({ runner: ethers.provider, deployment: world.deployment }, { signer });
    const action = patients.register({ hpkeKey: world.hpkeKey });

    const preview = await action.simulate();
    expect(await action.estimateGas()).to.be.greaterThan(100_000n);
    const transaction = await action.populate();
    expect(Object.keys(transaction)).to.have.members(["to", "data"]);
    await refusal("RUNNER_CANNOT_SIGN", action.send());

    await world.relayer.sendTransaction(JSON.parse(JSON.stringify(transaction)) as typeof transaction);
    expect(await recordOf(preview.patient)).to.include({ controllerHash: signerHashOf(signer.signer) });
    expect(preview.patient).to.equal(patientIdOf(signer.signer, preview.salt));
  });

  it("asks a key once for an action, whatever is called first", async () => {
    const asked = counted(key);
    const action = patientsOf(world, asked).register({ hpkeKey: world.hpkeKey });

    await action.simulate();
    await action.estimateGas();
    await (await action.send()).wait();

    expect(asked.times()).to.equal(1);
  });

  it("asks again where the key refused, for the same record", async () => {
    let refusals = 1;
    const sign: PatientSigner["sign"] = (message) =>
      refusals-- > 0 ? Promise.reject(Object.assign(new Error("no"), { code: 4001 })) : key.sign(message);
    const salts: unknown[] = [];
    const action = patientsOf(world, { signer: key.signer, sign }).register({ hpkeKey: world.hpkeKey });

    await refusal("USER_REJECTED", action.simulate());
    salts.push((await action.simulate()).salt, (await run(action)).salt);
    expect(salts[0]).to.equal(salts[1]);
  });

  it("waits for a key no longer than it is told to", async () => {
    const patient = await registered(world, key);
    const silent: PatientSigner = { signer: key.signer, sign: () => new Promise(() => undefined) };

    await refusal("TIMED_OUT", patientsOf(world, silent).deactivate(patient).send({ timeoutMs: 20 }));
    const other = { ...silent, signer: (await passkey(world)).signer };
    await refusal("TIMED_OUT", patientsOf(world, other).acceptControl(patient, { timeoutMs: 20 }));
    await refusal("ABORTED", patientsOf(world, other).acceptControl(patient, { signal: AbortSignal.abort() }));
  });

  it("knows nothing of an id that was not registered", async () => {
    expect(await patientsOf(world).get(id("nobody"))).to.equal(undefined);
    expect(await patientsOf(world).resolve(id("nobody"))).to.equal(id("nobody"));
    await refusal("IDENTIFIER_INVALID", patientsOf(world).get("0x12"));
    await refusal("IDENTIFIER_INVALID", patientsOf(world).resolve("0x12"));
  });

  describe("rotation", () => {
    it("gives the record to a key that accepts; grants and mandates may end with it", async () => {
      const patient = await registered(world, key);
      const { epoch } = await recordOf(patient);
      const phone = await passkey(world);

      const first = await run(patientsOf(world, key).rotate(patient, { to: phone, endEpoch: false }));
      expect(first).to.include({ patient, controllerVersion: 2, epoch });
      const next = await account("next");
      const second = await run(patientsOf(world, phone).rotate(patient, { to: next, endEpoch: true }));

      expect(second.epoch).to.be.greaterThan(epoch);
      expect(await recordOf(patient)).to.include({
        controllerHash: signerHashOf(next.signer),
        controllerVersion: 3,
        epoch: second.epoch,
      });
    });

    it("takes what the new key signed elsewhere, as JSON", async () => {
      const patient = await registered(world, key);
      const elsewhere = await passkey(world);
      const accepted = JSON.stringify(await patientsOf(world, elsewhere).acceptControl(patient));
      expect((JSON.parse(accepted) as Authorization).deadline).to.be.greaterThan((await time.latest()) + 6 * 86_400);

      const to = JSON.parse(accepted) as Authorization;
      await run(patientsOf(world, key).rotate(patient, { to, endEpoch: true }));

      expect(await recordOf(patient)).to.include({ controllerHash: signerHashOf(elsewhere.signer) });
    });

    it("refuses what the new key accepted for a former state, another record, or another chain", async () => {
      const patient = await registered(world, key);
      const [next, phone] = [await passkey(world), await passkey(world)];
      const stale = await patientsOf(world, next).acceptControl(patient);
      await run(patientsOf(world, key).rotate(patient, { to: phone, endEpoch: false }));
      const foreign = { runner: elsewhere(31338n), deployment: { ...world.deployment, chainId: 31338 } };
      const accepted = await createPatients(foreign, { signer: next }).acceptControl(patient);

      await unchanged(patient, async () => {
        for (const to of [stale, accepted])
          await reverted(
            "AuthorizationInvalid",
            patientsOf(world, phone).rotate(patient, { to, endEpoch: false }).send(),
          );
      });
    });

    it("refuses a key that controls the record, or did, before anybody signs", async () => {
      const patient = await registered(world, key);
      const phone = await passkey(world);
      await run(patientsOf(world, key).rotate(patient, { to: phone, endEpoch: false }));
      const asked = counted(phone);

      for (const to of [phone, key])
        await refusal("CONTROLLER_USED_BEFORE", patientsOf(world, to).acceptControl(patient));
      const to = { signer: key.signer, deadline: (await time.latest()) + 3600, signature: "0x1234" };
      await refusal("CONTROLLER_USED_BEFORE", patientsOf(world, asked).rotate(patient, { to, endEpoch: true }).send());
      expect(asked.times()).to.equal(0);
    });

    it("refuses what is no acceptance, has expired, or does not say whether to end the epoch", async () => {
      const patient = await registered(world, key);
      const asked = counted(key);
      const patients = patientsOf(world, asked);
      const accepted = await patientsOf(world, await passkey(world)).acceptControl(patient, {
        deadline: (await time.latest()) + 60,
      });

      for (const to of [undefined, {}, { ...accepted, signature: "0x" }, { ...accepted, signature: "0x123" }, "0x12"])
        await refusal("INPUT_INVALID", patients.rotate(patient, { to: to as Authorization, endEpoch: false }).send());
      await refusal(
        "INPUT_INVALID",
        patients.rotate(patient, { to: accepted, endEpoch: undefined as unknown as boolean }).send(),
      );
      await refusal(
        "IDENTIFIER_INVALID",
        patients.rotate(patient, { to: { ...accepted, signer: "0x12" }, endEpoch: false }).send(),
      );
      await time.increase(61);
      await refusal("AUTHORIZATION_EXPIRED", patients.rotate(patient, { to: accepted, endEpoch: false }).send());
      expect(asked.times()).to.equal(0);
    });
  });

  describe("mergers", () => {
    it("take both sides, here or elsewhere, and are followed to their end", async () => {
      const other = await passkey(world);
      const [from, into] = [await registered(world, key), await registered(world, other)];
      const ofInto = await patientsOf(world, other).agreeToMerge({ from, into });

      expect(await run(patientsOf(world, key).merge({ from, into, ofInto }))).to.include({ from, into });
      expect(await recordOf(from)).to.include({ status: "merged", mergedInto: into });
      expect(await patientsOf(world).resolve(from)).to.equal(into);

      const last = await registered(world, other);
      await run(patientsOf(world, other).merge({ from: into, into: last }));
      expect(await patientsOf(world).resolve(from)).to.equal(last);
    });

    it("may be brought by a third party, with both signatures or both keys", async () => {
      const other = await passkey(world);
      const pair = { from: await registered(world, key), into: await registered(world, other) };
      const ofFrom = await patientsOf(world, key).agreeToMerge(pair);
      const provider = createPatients({ runner: ethers.provider, deployment: world.deployment });

      const transaction = await provider.merge({ ...pair, ofFrom, ofInto: other }).populate();
      await world.relayer.sendTransaction(transaction);

      expect(await recordOf(pair.from)).to.include({ status: "merged" });
    });

    it("are refused without the other side, before anybody signs", async () => {
      const other = await passkey(world);
      const pair = { from: await registered(world, key), into: await registered(world, other) };
      const asked = counted(key);

      await refusal("NOT_CONTROLLER", patientsOf(world, asked).merge(pair).send());
      await refusal(
        "NOT_CONTROLLER",
        patientsOf(world, asked)
          .merge({ ...pair, ofInto: key })
          .send(),
      );
      await refusal("NOT_CONTROLLER", patientsOf(world, await account("stranger")).agreeToMerge(pair));
      await refusal("INPUT_INVALID", patientsOf(world, asked).merge({ from: pair.from, into: pair.from }).send());
      await refusal(
        "PATIENT_UNKNOWN",
        patientsOf(world, asked)
          .merge({ ...pair, into: id("nobody") })
          .send(),
      );
      expect(asked.times()).to.equal(0);
    });

    it("are refused with what was signed for the other direction", async () => {
      const other = await passkey(world);
      const [from, into] = [await registered(world, key), await registered(world, other)];
      const ofInto = await patientsOf(world, other).agreeToMerge({ from: into, into: from });

      await unchanged(from, () =>
        reverted("AuthorizationInvalid", patientsOf(world, key).merge({ from, into, ofInto }).send()),
      );
    });
  });

  describe("before anybody signs, it refuses", () => {
    it("records that are not there, and ids that are none", async () => {
      const asked = counted(key);
      const patients = patientsOf(world, asked);

      await refusal("PATIENT_UNKNOWN", patients.setHpkeKey(id("nobody"), NEW_HPKE_KEY).send());
      await refusal("PATIENT_UNKNOWN", patients.acceptControl(id("nobody")));
      for (const bad of ["", "0x", "0x12", `${id("a")}00`, undefined, 5])
        await refusal("IDENTIFIER_INVALID", patients.deactivate(bad as string).send());
      expect(asked.times()).to.equal(0);
    });

    it("who does not control the record", async () => {
      const patient = await registered(world, key);
      const stranger = counted(await passkey(world));
      const patients = patientsOf(world, stranger);

      const error = await refusal("NOT_CONTROLLER", patients.setHpkeKey(patient, NEW_HPKE_KEY).send());
      expect(error.details).to.include({ controllerHash: signerHashOf(key.signer) });
      await refusal("NOT_CONTROLLER", patients.setProofing(patient, undefined).send());
      await refusal("NOT_CONTROLLER", patients.deactivate(patient).send());
      await refusal("NOT_CONTROLLER", patients.rotate(patient, { to: await passkey(world), endEpoch: true }).send());
      expect(stranger.times()).to.equal(0);
    });

    it("records that were ended or merged, and says where to", async () => {
      const other = await passkey(world);
      const [from, into] = [await registered(world, key), await registered(world, other)];
      await run(patientsOf(world, key).merge({ from, into, ofInto: other }));
      const gone = await registered(world, key);
      await run(patientsOf(world, key).deactivate(gone));
      const asked = counted(key);

      const merged = await refusal("PATIENT_NOT_ACTIVE", patientsOf(world, asked).deactivate(from).send());
      expect(merged.details).to.deep.equal({ patient: from, status: "merged", mergedInto: into });
      const ended = await refusal("PATIENT_NOT_ACTIVE", patientsOf(world, asked).deactivate(gone).send());
      expect(ended.details).to.deep.equal({ patient: gone, status: "deactivated" });
      expect(asked.times()).to.equal(0);
    });

    it("a second registration of one id", async () => {
      const salt = id("salt");
      const patient = await registered(world, key, salt);
      const asked = counted(key);
      const again = patientsOf(world, asked).register({ hpkeKey: NEW_HPKE_KEY, salt });

      const error = await refusal("PATIENT_ALREADY_REGISTERED", again.send());
      expect(error.details).to.deep.equal({ patient, salt });
      expect(asked.times()).to.equal(0);
    });

    it("sealing keys that are none, or the present one", async () => {
      const asked = counted(key);
      const patients = patientsOf(world, asked);
      const patient = await registered(world, key);

      for (const bad of ["", "0x12", ZeroHash, `${NEW_HPKE_KEY}00`, undefined]) {
        await refusal("KEY_INVALID", patients.register({ hpkeKey: bad as string }).send());
        await refusal("KEY_INVALID", patients.setHpkeKey(patient, bad as string).send());
      }
      await refusal("KEY_INVALID", patients.setHpkeKey(patient, world.hpkeKey).send());
      await refusal("IDENTIFIER_INVALID", patients.setProofing(patient, "0x12").send());
      await refusal("IDENTIFIER_INVALID", patients.register({ hpkeKey: world.hpkeKey, salt: "0x12" }).send());
      expect(asked.times()).to.equal(0);
    });

    it("deadlines that have passed, or are none", async () => {
      const asked = counted(key);
      const patients = patientsOf(world, asked);
      const patient = await registered(world, key);
      const past = (await time.latest()) - 1;

      await refusal("AUTHORIZATION_EXPIRED", patients.deactivate(patient, { deadline: past }).send());
      await refusal("AUTHORIZATION_EXPIRED", patients.deactivate(patient, { deadline: new Date(past * 1000) }).send());
      for (const deadline of [-1, 0.5, 2 ** 48, NaN, new Date(NaN)])
        await refusal("INPUT_INVALID", patients.deactivate(patient, { deadline }).send());
      expect(asked.times()).to.equal(0);
    });

    it("to sign without a key", async () => {
      const patient = await registered(world, key);

      await refusal("RUNNER_CANNOT_SIGN", patientsOf(world).acceptControl(patient));
      await refusal("RUNNER_CANNOT_SIGN", patientsOf(world).agreeToMerge({ from: patient, into: id("nobody") }));
      const provider = createPatients({ runner: ethers.provider, deployment: world.deployment });
      await refusal("RUNNER_CANNOT_SIGN", provider.deactivate(patient).send());
    });

    it("another chain than the deployment's", async () => {
      const asked = counted(key);
      const runner = elsewhere(5n);
      const patients = createPatients({ runner, deployment: world.deployment }, { signer: asked });

      const patient = await registered(world, await passkey(world));

      await refusal("CHAIN_MISMATCH", patients.register({ hpkeKey: world.hpkeKey }).populate());
      await refusal("CHAIN_MISMATCH", patients.acceptControl(patient));
      await refusal("CHAIN_MISMATCH", patients.recovery.accept(patient));
      expect(asked.times()).to.equal(0);
    });
  });

  describe("what was signed", () => {
    it("is good until its deadline", async () => {
      const patient = await registered(world, key);
      const deadline = (await time.latest()) + 60;
      const transaction = await patientsOf(world, key).setHpkeKey(patient, NEW_HPKE_KEY, { deadline }).populate();

      await time.increaseTo(deadline);
      await expect(world.relayer.sendTransaction(transaction)).to.be.revertedWithCustomError(
        world.registry,
        "AuthorizationExpired",
      );
      expect(await recordOf(patient)).to.include({ hpkeKeyVersion: 1 });
    });

    it("is good for an hour unless told otherwise", async () => {
      const patient = await registered(world, key);
      const transaction = await patientsOf(world, key).setHpkeKey(patient, NEW_HPKE_KEY).populate();

      await time.increase(3500);
      await world.relayer.sendTransaction(transaction);

      expect(await recordOf(patient)).to.include({ hpkeKeyVersion: 2 });
    });

    it("works once: a replay is refused, and changes nothing", async () => {
      const patient = await registered(world, key);
      const patients = patientsOf(world, key);
      const transactions = [
        await patients.setHpkeKey(patient, NEW_HPKE_KEY).populate(),
        await patients.setProofing(patient, id("proofing")).populate(),
        await patients.rotate(patient, { to: await passkey(world), endEpoch: false }).populate(),
      ];
      // Signed at once, carried out in any order: each names what it acts on.
      for (const transaction of [...transactions].reverse().slice(1)) await world.relayer.sendTransaction(transaction);
      await world.relayer.sendTransaction(transactions[2]!);

      await unchanged(patient, async () => {
        for (const transaction of transactions)
          await expect(world.relayer.sendTransaction(transaction)).to.be.revertedWithCustomError(
            world.registry,
            "AuthorizationInvalid",
          );
      });
    });

    it("is refused if the key that signed is another than it says", async () => {
      const patient = await registered(world, key);
      const thief = await account("thief");
      const forging: PatientSigner = { signer: key.signer, sign: (message) => thief.sign(message) };

      await unchanged(patient, () =>
        reverted("AuthorizationInvalid", patientsOf(world, forging).setHpkeKey(patient, NEW_HPKE_KEY).send()),
      );
    });

    it("is not sent if the key refuses", async () => {
      const patient = await registered(world, key);
      const refusing: PatientSigner = {
        signer: key.signer,
        sign: () => Promise.reject(Object.assign(new Error("no"), { code: 4001 })),
      };

      await unchanged(patient, () => refusal("USER_REJECTED", patientsOf(world, refusing).deactivate(patient).send()));
    });
  });
});
