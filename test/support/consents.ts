import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import {
  AbiCoder,
  type BaseContract,
  type Result,
  type TypedDataDomain,
  ZeroAddress,
  ZeroHash,
  concat,
  id,
  keccak256,
} from "ethers";
import { ethers } from "hardhat";

import { permissionReasons, type PermissionReason } from "@carepact/sdk/consents";

import type {
  AccessLog,
  AccessManager,
  ConsentRegistry,
  OrganizationRegistry,
  PatientRecovery,
} from "../../typechain-types";
import type {
  AuthorizationStruct,
  GrantChainStruct,
  GrantStruct,
  RepresentativeMandateStruct,
  RequestStruct,
  RestrictionsStruct,
  SignedMandateStruct,
  SubGrantStruct,
} from "../../typechain-types/contracts/consent/ConsentRegistry";
import { type Key, accountKey, digestOf } from "./keys";
import { DAY, kinds, register } from "./system";

/** EIP-712 types of all that patients sign, written down a second time. */
export const actions = {
  Register: "Register(bytes32 patient,bytes32 hpkeKey,uint48 deadline)",
  RotateController:
    "RotateController(bytes32 patient,uint32 controllerVersion,bytes32 newController,bool endEpoch,uint48 deadline)",
  AcceptControl: "AcceptControl(bytes32 patient,uint32 controllerVersion,uint48 deadline)",
  SetPatientHpkeKey: "SetPatientHpkeKey(bytes32 patient,uint32 hpkeKeyVersion,bytes32 hpkeKey,uint48 deadline)",
  SetProofing: "SetProofing(bytes32 patient,uint32 proofingVersion,bytes32 proofing,uint48 deadline)",
  MergePatients: "MergePatients(bytes32 from,bytes32 into,uint48 deadline)",
  DeactivatePatient: "DeactivatePatient(bytes32 patient,uint48 deadline)",
  RevokeGrant: "RevokeGrant(bytes32 patient,uint32 number,uint48 deadline)",
  RevokeAll: "RevokeAll(bytes32 patient,uint48 epoch,uint48 deadline)",
  RevokeDocument: "RevokeDocument(bytes32 patient,bytes32 document,uint48 deadline)",
  RevokeOwnDocument: "RevokeOwnDocument(bytes32 document,uint48 deadline)",
  SetRestrictions:
    "SetRestrictions(bytes32 patient,uint32 restrictionsVersion,bytes32 restrictionsHash,uint48 deadline)",
  ChangeContacts: "ChangeContacts(bytes32 patient,bytes32 from,bytes32 to,uint32 change,uint48 deadline)",
  CancelContactsChange: "CancelContactsChange(bytes32 patient,uint32 change,uint48 deadline)",
  StartRecovery:
    "StartRecovery(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)",
  AcceptRecovery: "AcceptRecovery(bytes32 patient,uint32 number,uint48 deadline)",
  VetoRecovery: "VetoRecovery(bytes32 patient,uint32 number,uint48 deadline)",
  OverrideVeto:
    "OverrideVeto(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)",
} as const;
export type Action = keyof typeof actions;

export const documents = {
  grant:
    "Grant(bytes32 patient,uint32 number,address grantee,uint256 purposes,uint256 categories,uint8 ceiling,uint40 notBefore,uint40 expiry,uint8 subGrants,uint48 epoch,bytes32 salt,bytes32 instrument)",
  subGrant:
    "SubGrant(bytes32 parent,address grantee,uint256 purposes,uint256 categories,uint8 ceiling,uint40 notBefore,uint40 expiry,uint8 subGrants,bytes32 salt)",
  mandate:
    "RepresentativeMandate(bytes32 patient,bytes32 representative,address custodian,uint256 purposes,uint256 categories,uint40 notBefore,uint40 end,uint48 epoch,bytes32 salt)",
} as const;

export { permissionReasons as reasons, type PermissionReason as ReasonName };

/** Status of a patient, as the contract numbers it. */
export const STATUS = { unknown: 0n, active: 1n, deactivated: 2n, merged: 3n };

/** The caller acts itself. */
export const DIRECT: AuthorizationStruct = { signer: "0x", deadline: 0, signature: "0x" };
export const HPKE_KEY = id("HPKE key");
const DEADLINE = 2n ** 40n;

export interface Consents {
  admin: HardhatEthersSigner;
  relayer: HardhatEthersSigner;
  stranger: HardhatEthersSigner;
  /** Clinics in good standing. */
  clinic: HardhatEthersSigner;
  specialist: HardhatEthersSigner;
  laboratory: HardhatEthersSigner;
  gateway: HardhatEthersSigner;
  manager: AccessManager;
  organizations: OrganizationRegistry;
  /** Connected to the relayer, who is nobody in particular. */
  consents: ConsentRegistry;
  recovery: PatientRecovery;
  /** Connected to the gateway. */
  accessLog: AccessLog;
  p256Verifier: string;
  webAuthnVerifier: string;
  /** Domain of consents, of recovery, and of receipts. */
  domain: TypedDataDomain;
  recoveryDomain: TypedDataDomain;
  accessLogDomain: TypedDataDomain;
}

/** The contracts of patients behind their proxies, linked as a deployment links them, and four organizations. */
export async function deployConsents(): Promise<Consents> {
  const [admin, relayer, stranger, clinic, specialist, laboratory, gateway] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const manager = await ethers.deployContract("AccessManager", [admin.address]);
  const proxied = async (name: string, args: unknown[]): Promise<string> => {
    const implementation = await deployImplementation(name);
    const initialize = implementation.interface.encodeFunctionData("initialize", args);
    const proxy = await ethers.deployContract("ERC1967Proxy", [await implementation.getAddress(), initialize]);
    return proxy.getAddress();
  };
  const authority = await manager.getAddress();
  const organizationsAt = await proxied("OrganizationRegistry", [authority]);
  const consentsAt = await proxied("ConsentRegistry", [authority, organizationsAt]);
  const recoveryAt = await proxied("PatientRecovery", [authority, consentsAt]);
  const accessLogAt = await proxied("AccessLog", [authority, organizationsAt]);
  const organizations = await ethers.getContractAt("OrganizationRegistry", organizationsAt);
  const consents = await ethers.getContractAt("ConsentRegistry", consentsAt);
  await consents.setRecovery(recoveryAt);
  await register(organizations, clinic.address, kinds.clinic);
  await register(organizations, specialist.address, kinds.clinic);
  await register(organizations, laboratory.address, kinds.laboratory);
  await register(organizations, gateway.address, kinds.gateway);
  const p256 = await ethers.deployContract("ERC7913P256Verifier");
  const webAuthn = await ethers.deployContract("ERC7913WebAuthnVerifier");
  const chainId = (await ethers.provider.getNetwork()).chainId;
  return {
    admin,
    relayer,
    stranger,
    clinic,
    specialist,
    laboratory,
    gateway,
    manager,
    organizations,
    consents: consents.connect(relayer),
    recovery: (await ethers.getContractAt("PatientRecovery", recoveryAt)).connect(relayer),
    accessLog: (await ethers.getContractAt("AccessLog", accessLogAt)).connect(gateway),
    p256Verifier: await p256.getAddress(),
    webAuthnVerifier: await webAuthn.getAddress(),
    domain: { name: "Carepact ConsentRegistry", version: "1", chainId, verifyingContract: consentsAt },
    recoveryDomain: { name: "Carepact PatientRecovery", version: "1", chainId, verifyingContract: recoveryAt },
    accessLogDomain: { name: "Carepact AccessLog", version: "1", chainId, verifyingContract: accessLogAt },
  };
}

/** Deploys an implementation. Hardhat's own limit of gas is too little for code that is instrumented for coverage. */
export async function deployImplementation(name: string): Promise<BaseContract> {
  const factory = await ethers.getContractFactory(name);
  const gasLimit = await ethers.provider.estimateGas(await factory.getDeployTransaction());
  return factory.deploy({ gasLimit });
}

/** How often a property is tried; instrumented for coverage, one try takes a hundred times as long. */
export const runs = (count: number): number => (process.env.SOLIDITY_COVERAGE ? Math.ceil(count / 40) : count);

/** What `key` signs for an action; by default with a deadline far away. */
export function authorize(
  domain: TypedDataDomain,
  key: Key,
  action: Action,
  message: Record<string, unknown>,
  deadline: bigint | number = DEADLINE,
): AuthorizationStruct {
  const signature = key.sign(digestOf(domain, actions[action], { ...message, deadline }));
  return { signer: key.signer, deadline, signature };
}

export const patientIdOf = (key: Key, salt: string): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [key.hash, salt]));

/** Registers a patient, relayed. */
export async function registerPatient({ consents, domain }: Consents, key: Key, name = "a patient"): Promise<string> {
  const salt = id(name);
  const patient = patientIdOf(key, salt);
  await consents.register(salt, HPKE_KEY, authorize(domain, key, "Register", { patient, hpkeKey: HPKE_KEY }));
  return patient;
}

/** Gives the record from one key to another, relayed. */
export async function rotate(
  { consents, domain }: Consents,
  patient: string,
  from: Key,
  to: Key,
  endEpoch = false,
): Promise<void> {
  const { controllerVersion } = await consents.patientOf(patient);
  await consents.rotateController(
    patient,
    authorize(domain, to, "AcceptControl", { patient, controllerVersion }),
    endEpoch,
    authorize(domain, from, "RotateController", { patient, controllerVersion, newController: to.hash, endEpoch }),
  );
}

/** A struct that a call returned, by the names of its fields. */
export const fieldsOf = (struct: unknown): Record<string, unknown> => (struct as Result).toObject();

export const epochOf = async ({ consents }: Consents, patient: string): Promise<bigint> =>
  (await consents.patientOf(patient)).epoch;

// Bits without meaning here: the tables of the SDK say which is which.
export const TREATMENT = 0b0111n;
export const EMERGENCY_TREATMENT = 0b0010n;
export const RESEARCH = 0b1000n;
export const MEDICATIONS = 0b001n;
export const RESULTS = 0b010n;
export const SEXUAL_HEALTH = 0b100n;
export const NORMAL = 3;
export const RESTRICTED = 4;

/** A grant to the clinic: treatment, medications and results, up to normal, from now on for a week. */
export async function grantOf(
  context: Consents,
  patient: string,
  changes: Partial<GrantStruct> = {},
): Promise<GrantStruct> {
  const now = await time.latest();
  return {
    patient,
    number: 7,
    grantee: context.clinic.address,
    purposes: TREATMENT,
    categories: MEDICATIONS | RESULTS,
    ceiling: NORMAL,
    notBefore: now,
    expiry: now + 7 * DAY,
    subGrants: 0,
    epoch: await epochOf(context, patient),
    salt: id("salt of a grant"),
    instrument: id("FHIR Consent"),
    ...changes,
  };
}

export const grantDigestOf = (domain: TypedDataDomain, grant: GrantStruct): string =>
  digestOf(domain, documents.grant, grant);
export const subGrantDigestOf = (domain: TypedDataDomain, subGrant: SubGrantStruct): string =>
  digestOf(domain, documents.subGrant, subGrant);
export const mandateDigestOf = (domain: TypedDataDomain, mandate: RepresentativeMandateStruct): string =>
  digestOf(domain, documents.mandate, mandate);

/** What takes the place of a mandate in a chain whose grant the patient signed. */
export const NO_MANDATE: SignedMandateStruct = {
  mandate: {
    patient: ZeroHash,
    representative: ZeroHash,
    custodian: ZeroAddress,
    purposes: 0,
    categories: 0,
    notBefore: 0,
    end: 0,
    epoch: 0,
    salt: ZeroHash,
  },
  signer: "0x",
  signature: "0x",
};
export const NO_RESTRICTIONS: RestrictionsStruct = {
  salt: ZeroHash,
  organizations: [],
  purposes: 0,
  categories: 0,
  breakGlass: false,
};

/** A grant that `key` signed, as it is brought. */
export function chainOf({ domain }: Consents, key: Key, grant: GrantStruct): GrantChainStruct {
  const signature = key.sign(grantDigestOf(domain, grant));
  return { grant, signer: key.signer, signature, mandate: NO_MANDATE, subGrants: [] };
}

/** The clinic asks for a medication, to treat, at normal sensitivity. */
export const requestOf = (
  { clinic }: Consents,
  patient: string,
  changes: Partial<RequestStruct> = {},
): RequestStruct => ({
  patient,
  organization: clinic.address,
  purposes: EMERGENCY_TREATMENT,
  categories: MEDICATIONS,
  confidentiality: NORMAL,
  ...changes,
});

/** Name of the reason that the contract answers; `None` where it permits. */
export async function reasonOf(
  { consents }: Consents,
  chain: GrantChainStruct,
  request: RequestStruct,
  restrictions: RestrictionsStruct = NO_RESTRICTIONS,
): Promise<PermissionReason> {
  const [permitted, reason] = await consents.isPermitted(chain, restrictions, request);
  const name = permissionReasons[Number(reason)]!;
  if (permitted !== (name === "None")) throw new Error(`permitted is ${permitted} with the reason ${name}`);
  return name;
}

export const restrictionsHashOf = (restrictions: RestrictionsStruct): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["tuple(bytes32 salt,address[] organizations,uint256 purposes,uint256 categories,bool breakGlass)"],
      [restrictions],
    ),
  );

/** Hash under which a signed document is anchored. */
export const anchorOf = (digest: string, signature: string): string =>
  keccak256(concat([digest, keccak256(signature)]));

/** The patient of most tests: an account without ether, registered by a relayer. */
export async function deployWithPatient(): Promise<Consents & { key: ReturnType<typeof accountKey>; patient: string }> {
  const context = await deployConsents();
  const key = accountKey("patient");
  return { ...context, key, patient: await registerPatient(context, key) };
}
