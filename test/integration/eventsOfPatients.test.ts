import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import type { Deployment } from "@carepact/sdk";
import { createEvents, type CarepactEvent, type EventName, type ReadQuery } from "@carepact/sdk/events";

import type { AccessLog, ConsentRegistry, PatientRecovery } from "../../typechain-types";
import { HPKE_KEY, authorize, patientIdOf } from "../support/consents";
import { accountKey, type Key } from "../support/keys";
import { deploySystem, deploymentOf, kinds, register } from "../support/system";

import { refusal } from "./support";

const atOnce = { pollMs: 1, retryMs: 1 };

interface World {
  deployment: Deployment;
  consents: ConsentRegistry;
  recovery: PatientRecovery;
  log: AccessLog;
  gateways: [HardhatEthersSigner, HardhatEthersSigner];
}

async function deployWorld(): Promise<World> {
  const system = await deploySystem();
  const signers = await ethers.getSigners();
  const gateways = signers.slice(1, 3) as World["gateways"];
  for (const { address } of gateways) await register(system.registry, address, kinds.gateway);
  const { consentRegistry: consents, patientRecovery: recovery, accessLog: log } = system;
  return { deployment: await deploymentOf(system), consents, recovery, log, gateways };
}

interface Patient {
  patient: string;
  key: Key;
  next: Key;
}

/** A record with an event of every kind that names it. */
async function live({ deployment, consents, recovery }: World, name: string): Promise<Patient> {
  const key = accountKey(name);
  const next = accountKey(`${name}, next phone`);
  const patient = patientIdOf(key, id(name));
  const domain = {
    name: "Carepact ConsentRegistry",
    version: "1",
    chainId: deployment.chainId,
    verifyingContract: deployment.consentRegistry,
  };
  const sign = (action: Parameters<typeof authorize>[2], message: Record<string, unknown>, by = key) =>
    authorize(domain, by, action, { patient, ...message });

  await consents.register(id(name), HPKE_KEY, sign("Register", { hpkeKey: HPKE_KEY }));
  await consents.revokeGrant(patient, 300, sign("RevokeGrant", { number: 300 }));
  await consents.revokeDocument(patient, id("a mandate"), sign("RevokeDocument", { document: id("a mandate") }));
  const restrictions = { restrictionsVersion: 0, restrictionsHash: id("restrictions") };
  await consents.setRestrictions(patient, restrictions.restrictionsHash, sign("SetRestrictions", restrictions));
  await consents.rotateController(
    patient,
    sign("AcceptControl", { controllerVersion: 1 }, next),
    true,
    sign("RotateController", { controllerVersion: 1, newController: next.hash, endEpoch: true }),
  );
  const contacts = { from: ZeroHash, to: id("contacts"), change: 1 };
  await recovery.changeContacts(
    patient,
    contacts.from,
    contacts.to,
    authorize(
      { ...domain, name: "Carepact PatientRecovery", verifyingContract: deployment.patientRecovery },
      next,
      "ChangeContacts",
      { patient, ...contacts },
    ),
  );
  return { patient, key, next };
}

const ofRecord: EventName[] = [
  "PatientRegistered",
  "GrantRevoked",
  "RestrictionsChanged",
  "ControllerChanged",
  "EpochEnded",
  "ContactsChanging",
];

async function all({ deployment }: World, query: ReadQuery): Promise<CarepactEvent[]> {
  const events: CarepactEvent[] = [];
  const read = createEvents({ runner: ethers.provider, deployment }).read(query);
  for await (const event of read) events.push(event);
  return events;
}

describe("SDK: events of patients and gateways", () => {
  it("given a patient, reads what happened to its record, from both contracts, and nothing of others", async () => {
    const world = await loadFixture(deployWorld);
    const { patient, key, next } = await live(world, "a patient");
    await live(world, "another");
    const events = await all(world, { args: { patient } });
    expect(events.map(({ name }) => name)).to.deep.equal(ofRecord);
    expect(events.map(({ contract }) => contract)).to.deep.equal([
      ...Array<string>(5).fill("ConsentRegistry"),
      "PatientRecovery",
    ]);
    expect(events.slice(0, 4).map(({ args }) => args)).to.deep.equal([
      { patient, controllerHash: key.hash, hpkeKey: HPKE_KEY },
      { patient, number: 300n },
      { patient, restrictionsHash: id("restrictions"), version: 1n },
      { patient, controllerHash: next.hash, controllerVersion: 2n },
    ]);
  });

  it("given several patients and some names, reads those", async () => {
    const world = await loadFixture(deployWorld);
    const records = [await live(world, "a patient"), await live(world, "another"), await live(world, "a third")];
    const patients = records.slice(0, 2).map(({ patient }) => patient);
    const events = await all(world, { names: ["GrantRevoked", "ContactsChanging"], args: { patient: patients } });
    expect(events.map(({ name, args }) => [name, "patient" in args && args.patient])).to.deep.equal(
      patients.flatMap((patient) => [
        ["GrantRevoked", patient],
        ["ContactsChanging", patient],
      ]),
    );
  });

  it("given a document, reads who revoked it", async () => {
    const world = await loadFixture(deployWorld);
    const { patient } = await live(world, "a patient");
    const [stranger] = world.gateways;
    const nobody = { signer: "0x", deadline: 0, signature: "0x" };
    await world.consents.connect(stranger).revokeOwnDocument(id("a mandate"), nobody);
    const query = { names: ["DocumentRevoked"], args: { document: id("a mandate") } } as const;
    const revokers = (await all(world, query)).map(({ args }) => "revoker" in args && args.revoker);
    expect(revokers).to.deep.equal([patient, ethers.keccak256(stranger.address)]);
    expect(await all(world, { ...query, args: { ...query.args, revoker: patient } })).to.have.lengthOf(1);
  });

  it("given a gateway, reads its roots in their order, and nothing of others", async () => {
    const world = await loadFixture(deployWorld);
    const { log, gateways } = world;
    for (const sequence of [1, 2, 3])
      for (const gateway of gateways) await log.connect(gateway).append(sequence, id(`${gateway.address} ${sequence}`));
    const [{ address: gateway }] = gateways;
    const events = await all(world, { contracts: ["AccessLog"], args: { gateway } });
    const roots = events.map((event) => event.name === "AccessRootAnchored" && [event.args.sequence, event.args.root]);
    expect(roots).to.deep.equal([1, 2, 3].map((sequence) => [BigInt(sequence), id(`${gateway} ${sequence}`)]));
    const last = events.at(-1);
    const { head } = await log.logOf(gateway);
    expect(last?.args).to.deep.include({ gateway, head });
    expect(await all(world, { args: { gateway, sequence: 2n } })).to.have.lengthOf(1);
  });

  it("given a patient that is followed, tells what happens next", async () => {
    const world = await loadFixture(deployWorld);
    const key = accountKey("a patient");
    const patient = patientIdOf(key, id("a patient"));
    const { deployment } = world;
    const changes = createEvents({ runner: ethers.provider, deployment }).follow({ args: { patient } }, atOnce);
    expect((await changes.next()).value?.type).to.equal("reached");
    await live(world, "a patient");
    await live(world, "another");
    const head = await ethers.provider.getBlockNumber();
    const told: string[] = [];
    for await (const change of changes) {
      if (change.type === "added") told.push(change.event.name);
      if (change.type === "reached" && change.blockNumber >= head) break;
    }
    expect(told).to.deep.equal(ofRecord);
  });

  it("refuses to look for a patient where events name none, and for what is no id", async () => {
    const world = await loadFixture(deployWorld);
    await refusal("INPUT_INVALID", all(world, { names: ["Anchored"], args: { patient: id("x") } }));
    await refusal("INPUT_INVALID", all(world, { args: { patient: "0x12" } }));
    await refusal("INPUT_INVALID", all(world, { contracts: ["AccessLog"], args: { patient: id("x") } }));
  });
});
