import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { hexlify, randomBytes, ZeroAddress, ZeroHash, type ContractRunner } from "ethers";
import { ethers, ignition } from "hardhat";

import type { Deployment } from "@carepact/sdk";
import Carepact from "../../deploy/Carepact";
import type {
  AccessLog,
  AccessManager,
  ClaimEscrow,
  ClaimEscrowExtension,
  ConsentRegistry,
  Mandates,
  OrganizationRegistry,
  PatientRecovery,
  Rulebooks,
  TestStablecoin,
} from "../../typechain-types";
import type { RulebookStruct } from "../../typechain-types/contracts/rulebooks/Rulebooks";

export const DAY = 24 * 60 * 60;
/** Grace of the rulebooks below: the least allowed. */
export const GRACE = 3 * DAY;

/** Kinds of organization, as bits (see IOrganizationRegistry). */
export const kinds = { payer: 1, pharmacy: 2, laboratory: 4, clinic: 8, sponsor: 16, gateway: 32 } as const;

export interface System {
  admin: HardhatEthersSigner;
  governance: HardhatEthersSigner;
  accessManager: AccessManager;
  registry: OrganizationRegistry;
  rulebooks: Rulebooks;
  mandates: Mandates;
  escrow: ClaimEscrow;
  consentRegistry: ConsentRegistry;
  patientRecovery: PatientRecovery;
  accessLog: AccessLog;
  p256Verifier: string;
  webAuthnVerifier: string;
  webAuthnOriginVerifier: string;
  /** The escrow's extension, at the escrow's address. */
  receiver: ClaimEscrowExtension;
}

/**
 * Deploys the whole system the way `deploy/` does; the first account has every role, the last one governs.
 * @param forwarder Whose reports of workflows are taken; nobody's unless given.
 */
export async function deploySystem(forwarder = ZeroAddress): Promise<System> {
  const signers = await ethers.getSigners();
  const [admin, governance] = [signers[0]!, signers[signers.length - 1]!];
  const deployed = await ignition.deploy(Carepact, {
    parameters: { Carepact: { governance: governance.address, forwarder } },
  });
  const at = <C>(name: string, contract: { getAddress(): Promise<string> }): Promise<C> =>
    contract.getAddress().then((address) => ethers.getContractAt(name, address) as Promise<unknown> as Promise<C>);
  return {
    admin,
    governance,
    accessManager: await at<AccessManager>("AccessManager", deployed.accessManager),
    registry: await at<OrganizationRegistry>("OrganizationRegistry", deployed.organizationRegistry),
    rulebooks: await at<Rulebooks>("Rulebooks", deployed.rulebooks),
    mandates: await at<Mandates>("Mandates", deployed.mandates),
    escrow: await at<ClaimEscrow>("ClaimEscrow", deployed.claimEscrow),
    consentRegistry: await at<ConsentRegistry>("ConsentRegistry", deployed.consentRegistry),
    patientRecovery: await at<PatientRecovery>("PatientRecovery", deployed.patientRecovery),
    accessLog: await at<AccessLog>("AccessLog", deployed.accessLog),
    p256Verifier: await deployed.p256Verifier.getAddress(),
    webAuthnVerifier: await deployed.webAuthnVerifier.getAddress(),
    webAuthnOriginVerifier: await deployed.webAuthnOriginVerifier.getAddress(),
    receiver: await at<ClaimEscrowExtension>("ClaimEscrowExtension", deployed.claimEscrow),
  };
}

/** Where a system stands, for the SDK. */
export async function deploymentOf(system: System): Promise<Deployment> {
  const { chainId } = await ethers.provider.getNetwork();
  return {
    chainId: Number(chainId),
    accessManager: await system.accessManager.getAddress(),
    organizationRegistry: await system.registry.getAddress(),
    rulebooks: await system.rulebooks.getAddress(),
    mandates: await system.mandates.getAddress(),
    claimEscrow: await system.escrow.getAddress(),
    consentRegistry: await system.consentRegistry.getAddress(),
    patientRecovery: await system.patientRecovery.getAddress(),
    accessLog: await system.accessLog.getAddress(),
    p256Verifier: system.p256Verifier,
    webAuthnVerifier: system.webAuthnVerifier,
    webAuthnOriginVerifier: system.webAuthnOriginVerifier,
    startBlock: 0,
  };
}

export async function deployToken(decimals = 6): Promise<TestStablecoin> {
  return ethers.deployContract("TestStablecoin", ["Test Dollar", "TUSD", decimals]);
}

/** Registers an account in good standing, as the credentialing role does. */
export async function register(registry: OrganizationRegistry, account: string, kind: number): Promise<void> {
  await registry.register(account, {
    kinds: kind,
    npi: 0,
    ncpdpId: 0,
    clia: "0x00000000000000000000",
    hpkeKey: hexlify(randomBytes(32)),
    name: "An organization",
    endpoint: "",
  });
}

/** A rulebook of `threshold` of `attesters`; what is not given is not used. */
export function rulebookOf(
  attesters: readonly string[],
  threshold: number,
  changes: Partial<RulebookStruct> = {},
): RulebookStruct {
  const sorted = attesters.map((attester) => attester.toLowerCase()).sort();
  return {
    attesterGroups: [{ threshold, above: 0, attesters: sorted }],
    workflow: { id: ZeroHash, owner: ZeroAddress, name: "0x00000000000000000000" },
    eventKinds: 1,
    grace: GRACE,
    challengePeriod: 0,
    arbiter: ZeroAddress,
    arbiterDeadline: 0,
    arbiterDefault: 0,
    bond: 0,
    retentionBps: 0,
    lookBack: 0,
    suspender: ZeroAddress,
    documentHash: ZeroHash,
    ...changes,
  };
}

/** Publishes a rulebook and returns its id. */
export async function publish(
  rulebooks: Rulebooks,
  rulebook: RulebookStruct,
  runner?: ContractRunner,
): Promise<string> {
  const contract = runner ? rulebooks.connect(runner) : rulebooks;
  const id = await contract.publish.staticCall(rulebook);
  await contract.publish(rulebook);
  return id;
}
