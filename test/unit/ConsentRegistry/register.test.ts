import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, ZeroHash, id, toBeHex } from "ethers";
import { ethers } from "hardhat";

import type { ConsentRegistry, PatientRecovery } from "../../../typechain-types";
import {
  DIRECT,
  HPKE_KEY,
  STATUS,
  authorize,
  deployConsents,
  deployImplementation,
  deployWithPatient,
  fieldsOf,
  patientIdOf,
  registerPatient,
} from "../../support/consents";
import { accountKey } from "../../support/keys";
import { namespaceOf, slotUnder } from "../../support/slots";

describe("ConsentRegistry: register", () => {
  it("makes an active record in its first epoch, with its first controller and its first HPKE key", async () => {
    const context = await loadFixture(deployConsents);
    const { consents, domain } = context;
    const key = accountKey("patient");
    const patient = patientIdOf(key, id("salt"));
    const registration = authorize(domain, key, "Register", { patient, hpkeKey: HPKE_KEY });
    expect(await consents.register.staticCall(id("salt"), HPKE_KEY, registration)).to.equal(patient);
    await expect(consents.register(id("salt"), HPKE_KEY, registration))
      .to.emit(consents, "PatientRegistered")
      .withArgs(patient, key.hash, HPKE_KEY);
    expect(fieldsOf(await consents.patientOf(patient))).to.deep.equal({
      status: STATUS.active,
      controllerHash: key.hash,
      controllerVersion: 1n,
      epoch: 1n,
      hpkeKey: HPKE_KEY,
      hpkeKeyVersion: 1n,
      proofing: ZeroHash,
      proofingVersion: 0n,
      restrictionsVersion: 0n,
      since: BigInt(await time.latest()),
      mergedInto: ZeroHash,
    });
    expect(await consents.controllerOf(patient)).to.deep.equal([key.hash, STATUS.active]);
    expect(await consents.resolvePatient(patient)).to.equal(patient);
  });

  it("knows nothing of an id that was not registered", async () => {
    const { consents } = await loadFixture(deployConsents);
    const known = await consents.patientOf(id("nobody"));
    expect(known.every((value) => BigInt(value as string) === 0n)).to.equal(true);
    expect(await consents.controllerOf(id("nobody"))).to.deep.equal([ZeroHash, STATUS.unknown]);
    expect(await consents.resolvePatient(id("nobody"))).to.equal(id("nobody"));
  });

  it("gives one key as many records as it has salts", async () => {
    const context = await loadFixture(deployWithPatient);
    const second = await registerPatient(context, context.key, "another record");
    expect(second).not.to.equal(context.patient);
    expect(await context.consents.controllerOf(second)).to.deep.equal([context.key.hash, STATUS.active]);
  });

  it("refuses an HPKE key of zero", async () => {
    const { consents } = await loadFixture(deployConsents);
    await expect(consents.register(id("salt"), ZeroHash, DIRECT)).to.be.revertedWithCustomError(
      consents,
      "HpkeKeyZero",
    );
  });

  it("is refused a second time, with the same message or another", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    for (const hpkeKey of [HPKE_KEY, id("another HPKE key")])
      await expect(
        consents.register(id("a patient"), hpkeKey, authorize(domain, key, "Register", { patient, hpkeKey })),
      )
        .to.be.revertedWithCustomError(consents, "PatientAlreadyRegistered")
        .withArgs(patient);
    expect((await consents.patientOf(patient)).hpkeKey).to.equal(HPKE_KEY);
  });

  describe("given somebody who sees a registration before it is mined", () => {
    async function deployWithSeen() {
      const context = await deployConsents();
      const key = accountKey("patient");
      const salt = id("salt");
      const patient = patientIdOf(key, salt);
      return {
        ...context,
        key,
        salt,
        patient,
        seen: authorize(context.domain, key, "Register", { patient, hpkeKey: HPKE_KEY }),
      };
    }

    it("cannot take the id with another key", async () => {
      const { consents, stranger, salt, patient } = await loadFixture(deployWithSeen);
      await consents.connect(stranger).register(salt, HPKE_KEY, DIRECT);
      expect((await consents.patientOf(patient)).status).to.equal(STATUS.unknown);
    });

    it("cannot take it with the patient's key and an HPKE key of its own", async () => {
      const { consents, stranger, salt, seen } = await loadFixture(deployWithSeen);
      await expect(
        consents.connect(stranger).register(salt, id("thief's HPKE key"), seen),
      ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
    });

    it("cannot use the message for another salt", async () => {
      const { consents, seen } = await loadFixture(deployWithSeen);
      await expect(consents.register(id("another salt"), HPKE_KEY, seen)).to.be.revertedWithCustomError(
        consents,
        "AuthorizationInvalid",
      );
    });

    it("registers the very same patient by copying it", async () => {
      const { consents, stranger, key, salt, patient, seen } = await loadFixture(deployWithSeen);
      await consents.connect(stranger).register(salt, HPKE_KEY, seen);
      expect(await consents.controllerOf(patient)).to.deep.equal([key.hash, STATUS.active]);
      expect((await consents.patientOf(patient)).hpkeKey).to.equal(HPKE_KEY);
    });
  });

  describe("messages", () => {
    it("of another chain, another contract, or a past deadline register nobody", async () => {
      const { consents, domain, recovery } = await loadFixture(deployConsents);
      const key = accountKey("patient");
      const patient = patientIdOf(key, id("salt"));
      const message = { patient, hpkeKey: HPKE_KEY };
      for (const foreign of [
        { ...domain, chainId: 1 },
        { ...domain, verifyingContract: await recovery.getAddress() },
      ])
        await expect(
          consents.register(id("salt"), HPKE_KEY, authorize(foreign, key, "Register", message)),
        ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
      const past = await time.latest();
      await expect(consents.register(id("salt"), HPKE_KEY, authorize(domain, key, "Register", message, past)))
        .to.be.revertedWithCustomError(consents, "AuthorizationExpired")
        .withArgs(past);
    });
  });
});

describe("ConsentRegistry: set up", () => {
  it("cannot be initialized again, nor the implementation at all", async () => {
    for (const [contract, implementation] of [
      [
        (await loadFixture(deployConsents)).consents,
        (await deployImplementation("ConsentRegistry")) as ConsentRegistry,
      ],
      [
        (await loadFixture(deployConsents)).recovery,
        (await deployImplementation("PatientRecovery")) as PatientRecovery,
      ],
    ] as const)
      for (const each of [contract, implementation])
        await expect(each.initialize(ZeroAddress, ZeroAddress)).to.be.revertedWithCustomError(
          each,
          "InvalidInitialization",
        );
  });

  it("keeps its state where ERC-7201 puts it", async () => {
    const { consents, recovery, organizations } = await loadFixture(deployConsents);
    const expected: [string, typeof consents | typeof recovery, { getAddress(): Promise<string> }][] = [
      ["PatientRegistry", consents, recovery],
      ["ConsentRegistry", consents, organizations],
      ["PatientRecovery", recovery, consents],
    ];
    for (const [name, contract, held] of expected)
      expect(await wordAt(contract, namespaceOf(name))).to.equal(BigInt(await held.getAddress()));
  });

  it("keeps revocations in a namespace of their own", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    await consents.revokeGrant(patient, 258, authorize(domain, key, "RevokeGrant", { patient, number: 258 }));
    const ofPatient = slotUnder(patient, namespaceOf("Grants"));
    expect(await wordAt(consents, slotUnder(toBeHex(1, 32), ofPatient))).to.equal(1n << 2n);
  });

  it("names the recovery contract once, for good, and only by the admin", async () => {
    const { consents, recovery, admin, stranger, organizations } = await loadFixture(deployConsents);
    expect(await consents.recovery()).to.equal(await recovery.getAddress());
    await expect(consents.connect(stranger).setRecovery(organizations))
      .to.be.revertedWithCustomError(consents, "AccessManagedUnauthorized")
      .withArgs(stranger.address);
    await expect(consents.connect(admin).setRecovery(organizations))
      .to.be.revertedWithCustomError(consents, "RecoveryAlreadySet")
      .withArgs(await recovery.getAddress());
  });

  it("takes only a contract for it", async () => {
    const { manager, organizations, admin, stranger } = await loadFixture(deployConsents);
    const implementation = await deployImplementation("ConsentRegistry");
    const initialize = implementation.interface.encodeFunctionData("initialize", [
      await manager.getAddress(),
      await organizations.getAddress(),
    ]);
    const proxy = await ethers.deployContract("ERC1967Proxy", [await implementation.getAddress(), initialize]);
    const fresh = (await ethers.getContractAt("ConsentRegistry", await proxy.getAddress())).connect(admin);
    expect(await fresh.recovery()).to.equal(ZeroAddress);
    await expect(fresh.setRecovery(stranger))
      .to.be.revertedWithCustomError(fresh, "RecoveryWithoutCode")
      .withArgs(stranger.address);
    await expect(fresh.setRecovery(organizations))
      .to.emit(fresh, "RecoverySet")
      .withArgs(await organizations.getAddress());
  });

  it("lets only the recovery contract recover", async () => {
    const { consents, patient, key, stranger, admin } = await loadFixture(deployWithPatient);
    for (const caller of [stranger, admin])
      await expect(consents.connect(caller).recover(patient, id("thief")))
        .to.be.revertedWithCustomError(consents, "NotRecovery")
        .withArgs(caller.address);
    expect((await consents.controllerOf(patient)).controllerHash).to.equal(key.hash);
  });

  it("lets only the access manager's admin upgrade", async () => {
    const { consents, recovery, stranger, admin } = await loadFixture(deployConsents);
    for (const [name, contract] of [
      ["ConsentRegistry", consents],
      ["PatientRecovery", recovery],
    ] as const) {
      const next = await deployImplementation(name);
      await expect(contract.connect(stranger).upgradeToAndCall(next, "0x"))
        .to.be.revertedWithCustomError(contract, "AccessManagedUnauthorized")
        .withArgs(stranger.address);
      await expect(contract.connect(admin).upgradeToAndCall(next, "0x")).to.emit(contract, "Upgraded");
    }
  });
});

const wordAt = async (contract: { getAddress(): Promise<string> }, slot: string): Promise<bigint> =>
  BigInt(await ethers.provider.getStorage(await contract.getAddress(), slot));
