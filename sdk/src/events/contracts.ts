import { AbiCoder, ParamType, toUtf8String, Utf8ErrorFuncs, type EventFragment, type Interface } from "ethers";

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

import type { ContractName, EventName } from "./types";

/** One event that a contract can emit. */
export interface EventKind {
  contract: ContractName;
  name: EventName;
  fragment: EventFragment;
  topicHash: string;
}

const interfaces: Readonly<Record<ContractName, readonly Interface[]>> = {
  ClaimEscrow: [escrowInterface, escrowExtensionInterface],
  Rulebooks: [rulebooksInterface],
  Mandates: [mandatesInterface],
  OrganizationRegistry: [registryInterface],
  ConsentRegistry: [consentRegistryInterface],
  PatientRecovery: [patientRecoveryInterface],
  AccessLog: [accessLogInterface],
  AccessManager: [accessManagerInterface],
};

export const contractNames = /* @__PURE__ */ Object.keys(interfaces) as ContractName[];

/** Where a deployment has its contracts, in lower case. */
export const addressesOf = (deployment: Deployment): Record<ContractName, string> => ({
  ClaimEscrow: deployment.claimEscrow.toLowerCase(),
  Rulebooks: deployment.rulebooks.toLowerCase(),
  Mandates: deployment.mandates.toLowerCase(),
  OrganizationRegistry: deployment.organizationRegistry.toLowerCase(),
  ConsentRegistry: deployment.consentRegistry.toLowerCase(),
  PatientRecovery: deployment.patientRecovery.toLowerCase(),
  AccessLog: deployment.accessLog.toLowerCase(),
  AccessManager: deployment.accessManager.toLowerCase(),
});

/** The events of a contract. */
export function eventKindsOf(contract: ContractName): EventKind[] {
  const kinds = new Map<string, EventKind>();
  for (const abi of interfaces[contract])
    abi.forEachEvent((fragment) => {
      const { name, topicHash } = fragment;
      kinds.set(topicHash, { contract, name: name as EventName, fragment, topicHash });
    });
  return [...kinds.values()];
}

/** Arguments of an event by name, as plain values. */
export function decodeArgs(
  { fragment }: EventKind,
  { topics, data }: { topics: readonly string[]; data: string },
): Record<string, unknown> {
  const coder = AbiCoder.defaultAbiCoder();
  const stored = fragment.inputs.filter(({ indexed }) => indexed !== true).map(textAsBytes);
  const values = coder.decode(stored, data);
  let topic = 1;
  let place = 0;
  return Object.fromEntries(
    fragment.inputs.map((input): [string, unknown] => {
      if (input.indexed === true) return [input.name, coder.decode([input.type], topics[topic++] ?? "0x")[0]];
      return [input.name, plain(input, values[place++])];
    }),
  );
}

/**
 * Contracts take any bytes as text, and anybody may send them text: what is not UTF-8 must not keep others from reading
 * on, as it would if ethers decoded it.
 */
const textAsBytes = (input: ParamType): ParamType =>
  ParamType.from(input.format("full").replaceAll(/\bstring\b/g, "bytes"));

function plain(type: ParamType, value: unknown): unknown {
  const { baseType, arrayChildren, components } = type;
  if (arrayChildren) return Array.from(value as Iterable<unknown>, (entry) => plain(arrayChildren, entry));
  if (components)
    return Object.fromEntries(components.map((part, i) => [part.name, plain(part, (value as unknown[])[i])]));
  return baseType === "string" ? toUtf8String(value as string, Utf8ErrorFuncs.replace) : value;
}
