import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { run, type Connection, type Deployment } from "@carepact/sdk";
import {
  audit,
  createGateway,
  openHistory,
  type AccessAnswer,
  type AccessHistory,
  type AccessStore,
  type Attempt,
  type AuditOptions,
  type AuditResult,
  type FindingKind,
  type Gateway,
  type GatewayOptions,
} from "@carepact/sdk/access";
import type { Consents, SignedGrant } from "@carepact/sdk/consents";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createOrganizations, type OrganizationKind } from "@carepact/sdk/organizations";

import type { ConsentRegistry } from "../../typechain-types";
import { authorize, patientIdOf } from "../support/consents";
import { accountKey } from "../support/keys";
import { DAY, deploySystem, deploymentOf } from "../support/system";

import { storeOf, type Rows } from "./accessStores";
import { consentsOf } from "./consentsWorld";

/** The deployed system with a gateway, three clinics, and a patient whose key opens what is sealed to it. */
export interface AccessWorld {
  deployment: Deployment;
  registry: ConsentRegistry;
  relayer: HardhatEthersSigner;
  /** May suspend and register. */
  office: ReturnType<typeof createOrganizations>;
  gateway: Gateway;
  gatewaySigner: HardhatEthersSigner;
  connection: Connection;
  /** Its rows, for who tampers with them. */
  rows: Rows;
  store: AccessStore;
  /** Another gateway, in nobody's service. */
  otherGateway: HardhatEthersSigner;
  clinic: HardhatEthersSigner;
  hospital: HardhatEthersSigner;
  stranger: HardhatEthersSigner;
  patient: string;
  keys: SealingKeyPair;
  consents: Consents;
  /** The patient's grant to the clinic: observations and medications, to treat. */
  grant: SignedGrant;
  /** Whoever reads the chain. */
  reader: Connection;
}

/** For loadFixture. */
export async function deployAccessWorld(): Promise<AccessWorld> {
  const system = await deploySystem();
  const deployment = await deploymentOf(system);
  const [admin, relayer, gatewaySigner, clinic, hospital, stranger, otherGateway] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const office = createOrganizations({ runner: admin, deployment });
  const enrol = async (account: string, kind: OrganizationKind): Promise<void> => {
    const { publicKey } = await generateSealingKeys();
    await run(office.register(account, { name: kind, kinds: [kind], hpkeKey: publicKey }));
  };
  await enrol(gatewaySigner.address, "gateway");
  await enrol(otherGateway.address, "gateway");
  await enrol(clinic.address, "clinic");
  await enrol(hospital.address, "clinic");

  const registry = system.consentRegistry.connect(relayer);
  const domain = {
    name: "Carepact ConsentRegistry",
    version: "1",
    chainId: deployment.chainId,
    verifyingContract: deployment.consentRegistry,
  };
  const key = accountKey("patient");
  const keys = await generateSealingKeys();
  const salt = id("a patient");
  const patient = patientIdOf(key, salt);
  const message = { patient, hpkeKey: keys.publicKey };
  await registry.register(salt, keys.publicKey, authorize(domain, key, "Register", message));
  const consents = consentsOf({ deployment, relayer }, key);
  const grant = await consents.grant({
    patient,
    grantee: clinic.address,
    purposes: ["TREAT"],
    categories: ["Observation", "MedicationRequest", "PSY"],
    ceiling: "R",
    expiry: (await time.latest()) + 30 * DAY,
    subGrants: 0,
  });
  const connection = { runner: gatewaySigner, deployment };
  const rows: Rows = new Map();
  const store = storeOf(rows);
  return {
    deployment,
    registry,
    relayer,
    office,
    gateway: createGateway(connection, { store }),
    gatewaySigner,
    connection,
    rows,
    store,
    otherGateway,
    clinic,
    hospital,
    stranger,
    patient,
    keys,
    consents,
    grant,
    reader: { runner: ethers.provider, deployment },
  };
}

/** The world of a fixture with a store of its own: a fixture takes back what was done on chain, and nothing else. */
export async function worldOf<World extends AccessWorld>(fixture: () => Promise<World>): Promise<World> {
  const world = await loadFixture(fixture);
  const rows: Rows = new Map(world.rows);
  const store = storeOf(rows);
  return { ...world, rows, store, gateway: createGateway(world.connection, { store }) };
}

/** The clinic reads an observation under its grant. */
export function attemptOf(world: AccessWorld, changes: Partial<Attempt> = {}): Attempt {
  return {
    patient: world.patient,
    who: world.clinic.address,
    action: "read",
    resourceTypes: ["Observation"],
    confidentiality: "N",
    purposes: ["TREAT"],
    basis: { kind: "grant", grant: world.grant },
    ...changes,
  };
}

/** The hospital opens the record in an emergency. */
export const emergencyOf = (world: AccessWorld, changes: Partial<Attempt> = {}): Attempt =>
  attemptOf(world, {
    who: world.hospital.address,
    purposes: ["ETREAT"],
    basis: { kind: "breakGlass", justification: "Found unconscious; medication unknown." },
    ...changes,
  });

/** Another gateway object over the same store: as after a restart, or in a second process. */
export const gatewayOver = (world: AccessWorld, options: Partial<GatewayOptions> = {}): Gateway =>
  createGateway(world.connection, { store: world.store, ...options });

/** Attempts one after the other, anchored at the end of each list. */
export async function logged(world: AccessWorld, ...rounds: Attempt[][]): Promise<AccessAnswer[]> {
  const answers: AccessAnswer[] = [];
  for (const round of rounds) {
    for (const attempt of round) answers.push(await world.gateway.attempt(attempt));
    await run(world.gateway.anchor());
  }
  return answers;
}

/** The patient's history, opened. */
export async function historyOf(world: AccessWorld, gateway: Gateway = world.gateway): Promise<AccessHistory> {
  return openHistory(await gateway.history(world.patient, { view: "patient" }), world.keys.privateKey);
}

/** Audits a history as the patient, or whoever `options` says. */
export const audited = (
  world: AccessWorld,
  history: unknown,
  options: Partial<AuditOptions> = {},
): Promise<AuditResult> => audit(world.reader, history, { patient: world.patient, ...options });

/** Kinds of what an audit finds, each once. */
export const kindsOf = ({ findings }: AuditResult): FindingKind[] => [...new Set(findings.map(({ kind }) => kind))];

/** Expects an audit to find this, among others. */
export async function finds(
  kind: FindingKind,
  world: AccessWorld,
  history: unknown,
  options: Partial<AuditOptions> = {},
): Promise<void> {
  const result = await audited(world, history, options);
  expect(kindsOf(result), JSON.stringify(result.findings, undefined, 1)).to.include(kind);
}
