import { AbiCoder, Interface, ZeroAddress, isHexString, keccak256, type Fragment } from "ethers";

import type { Deployment } from "../chain/deployment";
import {
  accessLogInterface,
  accessManagerInterface,
  consentRegistryInterface,
  escrowExtensionInterface,
  escrowInterface,
  mandatesInterface,
  patientRecoveryInterface,
  registryInterface,
  rulebooksInterface,
} from "../chain/interfaces";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";

import { roleIdOf, type RoleRef } from "./names";

/** A call of a contract of the deployment. What an action's `populate()` gives is one. */
export interface TargetCall {
  /** Address of the contract. */
  to: string;
  /** Selector and encoded arguments, hex. */
  data: string;
}

/** Which role for whom. */
export interface Membership {
  role: RoleRef;
  account: string;
}

/** The same, with how long the member waits before each of its calls: seconds, below 2^32. */
export interface Grant extends Membership {
  delay: number;
}

/** A call in words. */
export interface DescribedCall {
  /** Name of the contract; absent when the address is none of the deployment's. */
  contract?: string;
  /** Name of the function; absent when the contract's interface has none of this selector. */
  function?: string;
  /** Arguments by name. */
  args?: Record<string, unknown>;
}

const functionsOf = ({ fragments }: Interface): Fragment[] => fragments.filter(({ type }) => type !== "constructor");

/** The escrow with what its extension adds at the same address; what both have counts once. */
const wholeEscrowInterface = (): Interface =>
  new Interface([
    ...new Map(
      [...functionsOf(escrowInterface), ...functionsOf(escrowExtensionInterface)].map((one) => [one.format(), one]),
    ).values(),
  ]);

const contractsOf = (deployment: Deployment): [name: string, address: string, abi: Interface][] => [
  ["AccessManager", deployment.accessManager, accessManagerInterface],
  ["OrganizationRegistry", deployment.organizationRegistry, registryInterface],
  ["Rulebooks", deployment.rulebooks, rulebooksInterface],
  ["Mandates", deployment.mandates, mandatesInterface],
  ["ClaimEscrow", deployment.claimEscrow, wholeEscrowInterface()],
  ["ConsentRegistry", deployment.consentRegistry, consentRegistryInterface],
  ["PatientRecovery", deployment.patientRecovery, patientRecoveryInterface],
  ["AccessLog", deployment.accessLog, accessLogInterface],
];

/** Name and interface of a contract of the deployment. @internal */
export function contractAt(deployment: Deployment, address: string): { name: string; abi: Interface } | undefined {
  const found = contractsOf(deployment).find(([, known]) => known.toLowerCase() === address.toLowerCase());
  return found && { name: found[0], abi: found[2] };
}

/** The call that gives a role. @throws INPUT_INVALID, IDENTIFIER_INVALID */
export function grantCall({ accessManager }: Deployment, { role, account, delay }: Grant): TargetCall {
  if (!Number.isInteger(delay) || delay < 0 || delay >= 2 ** 32)
    throw new CarepactError("INPUT_INVALID", "A delay is a whole number of seconds below 2^32.", {
      path: "delay",
      delay,
    });
  const args: [bigint, string, number] = [roleIdOf(role), requireAddress(account, "account"), delay];
  return { to: accessManager, data: accessManagerInterface.encodeFunctionData("grantRole", args) };
}

/** The call that takes a role. @throws INPUT_INVALID, IDENTIFIER_INVALID */
export function revokeCall({ accessManager }: Deployment, { role, account }: Membership): TargetCall {
  const args: [bigint, string] = [roleIdOf(role), requireAddress(account, "account")];
  return { to: accessManager, data: accessManagerInterface.encodeFunctionData("revokeRole", args) };
}

/**
 * The call by which the upgrader names the Keystone forwarder whose reports of workflows are taken; undefined: nobody's. Whoever is
 * named reports what it likes under every rulebook that names a workflow. @throws IDENTIFIER_INVALID
 */
export function forwarderCall({ claimEscrow }: Deployment, forwarder: string | undefined): TargetCall {
  const args: [string] = [forwarder === undefined ? ZeroAddress : requireAddress(forwarder, "forwarder")];
  return { to: claimEscrow, data: escrowExtensionInterface.encodeFunctionData("setForwarder", args) };
}

/** A call in words, as far as the deployment's interfaces know it. */
export function describeCall(deployment: Deployment, { to, data }: TargetCall): DescribedCall {
  const contract = contractAt(deployment, to);
  if (contract === undefined) return {};
  try {
    const parsed = contract.abi.parseTransaction({ data });
    if (parsed === null) return { contract: contract.name };
    return {
      contract: contract.name,
      function: parsed.name,
      args: Object.fromEntries(parsed.fragment.inputs.map(({ name }, i) => [name, parsed.args[i] as unknown])),
    };
  } catch {
    // The selector of a function, but not its arguments: it will fail when it is executed, and is shown until then.
    return { contract: contract.name };
  }
}

/** Id of a scheduled call: keccak256(abi.encode(caller, target, data)), as the AccessManager makes it. */
export function operationIdOf(caller: string, { to, data }: TargetCall): string {
  const encoded = AbiCoder.defaultAbiCoder().encode(["address", "address", "bytes"], [caller, to, data]);
  return keccak256(encoded);
}

const SELECTOR_BYTES = 4;

/** @internal @throws INPUT_INVALID, IDENTIFIER_INVALID */
export function requireCall({ to, data }: TargetCall): TargetCall {
  if (!isHexString(data) || data.length % 2 !== 0 || data.length < 2 + 2 * SELECTOR_BYTES)
    throw new CarepactError("INPUT_INVALID", "The data of a call is hex: a selector of 4 bytes, then arguments.", {
      path: "data",
    });
  return { to: requireAddress(to, "to"), data: data.toLowerCase() };
}
