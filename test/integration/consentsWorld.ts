import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id, TypedDataEncoder, type TypedDataDomain } from "ethers";
import { ethers } from "hardhat";

import { decodeError, run, type Connection, type Deployment } from "@carepact/sdk";
import {
  createConsents,
  type Consents,
  type GrantedRequest,
  type GrantInput,
  type PermissionReason,
  type PermissionRequest,
  type SignedGrant,
} from "@carepact/sdk/consents";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createOrganizations, type OrganizationKind } from "@carepact/sdk/organizations";
import type { PatientSigner } from "@carepact/sdk/signers";

import type { ConsentRegistry } from "../../typechain-types";
import { HPKE_KEY, authorize, documents, patientIdOf } from "../support/consents";
import { accountKey, digestOf, type Key } from "../support/keys";
import { DAY, deploySystem, deploymentOf } from "../support/system";

/** An organization with the SDK in its hands. */
export interface Organization {
  address: string;
  signer: HardhatEthersSigner;
  connection: Connection;
  consents: Consents;
  keys: SealingKeyPair;
}

/** The deployed system with four organizations in good standing, and a patient who has no ether. */
export interface ConsentsWorld {
  deployment: Deployment;
  /** The contract itself, connected to the relayer. */
  registry: ConsentRegistry;
  domain: TypedDataDomain;
  admin: HardhatEthersSigner;
  /** Nobody in particular, who sends what others sign. */
  relayer: HardhatEthersSigner;
  clinic: Organization;
  specialist: Organization;
  laboratory: Organization;
  pharmacy: Organization;
  key: ReturnType<typeof accountKey>;
  patient: string;
  /** The SDK as the patient uses it: the key signs, the relayer sends. */
  consents: Consents;
  /** The SDK as the relayer uses it for itself. */
  relayerConsents: Consents;
}

/** A key as the SDK takes it. */
export const signerOf = (key: Key): PatientSigner => ({
  signer: key.signer,
  sign: ({ domain, types, message }) => Promise.resolve(key.sign(TypedDataEncoder.hash(domain, types, message))),
});

/** The SDK in the hands of whoever holds `key`; the relayer sends. */
export const consentsOf = (world: Pick<ConsentsWorld, "deployment" | "relayer">, key: Key): Consents =>
  createConsents({ runner: world.relayer, deployment: world.deployment }, { signer: signerOf(key) });

/** Registers a patient, relayed. */
export async function registerPatient(
  { registry, domain }: Pick<ConsentsWorld, "registry" | "domain">,
  key: Key,
  name = "a patient",
): Promise<string> {
  const salt = id(name);
  const patient = patientIdOf(key, salt);
  await registry.register(salt, HPKE_KEY, authorize(domain, key, "Register", { patient, hpkeKey: HPKE_KEY }));
  return patient;
}

/** Gives the record from one key to another, relayed. */
export async function rotate(
  { registry, domain, patient }: Pick<ConsentsWorld, "registry" | "domain" | "patient">,
  from: Key,
  to: Key,
  endEpoch = false,
): Promise<void> {
  const { controllerVersion } = await registry.patientOf(patient);
  await registry.rotateController(
    patient,
    authorize(domain, to, "AcceptControl", { patient, controllerVersion }),
    endEpoch,
    authorize(domain, from, "RotateController", { patient, controllerVersion, newController: to.hash, endEpoch }),
  );
}

/** For loadFixture. */
export async function deployConsentsWorld(): Promise<ConsentsWorld> {
  const system = await deploySystem();
  const deployment = await deploymentOf(system);
  const [admin, relayer, ...others] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    ...HardhatEthersSigner[],
  ];
  const office = createOrganizations({ runner: admin, deployment });
  const enrol = async (signer: HardhatEthersSigner, kind: OrganizationKind): Promise<Organization> => {
    const keys = await generateSealingKeys();
    await run(office.register(signer.address, { name: kind, kinds: [kind], hpkeKey: keys.publicKey }));
    const connection = { runner: signer, deployment };
    return { address: signer.address, signer, connection, consents: createConsents(connection), keys };
  };
  const registry = system.consentRegistry.connect(relayer);
  const domain = {
    name: "Carepact ConsentRegistry",
    version: "1",
    chainId: deployment.chainId,
    verifyingContract: deployment.consentRegistry,
  };
  const key = accountKey("patient");
  const base = { deployment, registry, domain, admin, relayer, key };
  return {
    ...base,
    clinic: await enrol(others[0]!, "clinic"),
    specialist: await enrol(others[1]!, "clinic"),
    laboratory: await enrol(others[2]!, "laboratory"),
    pharmacy: await enrol(others[3]!, "pharmacy"),
    patient: await registerPatient(base, key),
    consents: consentsOf(base, key),
    relayerConsents: createConsents({ runner: relayer, deployment }),
  };
}

/** To the clinic, for a week: laboratory results, to treat, up to restricted; may be passed on twice. */
export async function grantInput(world: ConsentsWorld, changes: Partial<GrantInput> = {}): Promise<GrantInput> {
  return {
    patient: world.patient,
    grantee: world.clinic.address,
    purposes: ["TREAT"],
    categories: ["Observation", "DiagnosticReport", "HIV"],
    ceiling: "R",
    expiry: (await time.latest()) + 7 * DAY,
    subGrants: 2,
    ...changes,
  };
}

/** A grant of {@link grantInput}, that the patient signed. */
export const granted = async (world: ConsentsWorld, changes?: Partial<GrantInput>): Promise<SignedGrant> =>
  world.consents.grant(await grantInput(world, changes));

/** The clinic asks for an observation, to treat in an emergency. */
export const requestOf = (world: ConsentsWorld, changes: Partial<PermissionRequest> = {}): PermissionRequest => ({
  patient: world.patient,
  organization: world.clinic.address,
  purposes: ["ETREAT"],
  categories: ["Observation"],
  confidentiality: "N",
  ...changes,
});

/** Why a request is refused, as the clinic's gateway is told; `None` if it is permitted. */
export async function reasonFor(
  world: ConsentsWorld,
  grant: SignedGrant,
  changes: Partial<GrantedRequest> = {},
): Promise<PermissionReason> {
  const answer = await world.clinic.consents.check({ ...requestOf(world), grant, ...changes });
  if (answer.permitted) return "None";
  expect(answer.advice).to.match(/\.$/);
  return answer.reason;
}

/** The same grant with changes, signed by whatever key: what nobody would be asked to sign. */
export function signedAnew(
  { domain, key: patientKey }: Pick<ConsentsWorld, "domain" | "key">,
  grant: SignedGrant,
  changes: Partial<SignedGrant["grant"]>,
  key: Key = patientKey,
): SignedGrant {
  const changed = { ...grant.grant, ...changes };
  const signature = key.sign(digestOf(domain, documents.grant, changed));
  return { ...grant, grant: changed, signer: key.signer, signature };
}

/** What a node or contract says of a bare transaction, as the SDK tells it. */
export async function decoded<Value>(sending: Promise<Value>): Promise<Value> {
  try {
    return await sending;
  } catch (thrown) {
    throw decodeError(thrown);
  }
}
