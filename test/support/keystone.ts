import {
  AbiCoder,
  type Signer,
  SigningKey,
  ZeroHash,
  computeAddress,
  concat,
  id,
  keccak256,
  sha256,
  toBeHex,
  toUtf8Bytes,
} from "ethers";
import { ethers } from "hardhat";

import type { KeystoneForwarder } from "../../typechain-types";

/** A workflow as a rulebook names it, and as the forwarder's metadata do. */
export interface WorkflowName {
  id: string;
  owner: string;
  name: string;
}

/** A workflow of this name; id and owner follow from it, too. */
export const workflowOf = (name: string): WorkflowName => ({
  id: id(`workflow ${name}`),
  owner: `0x${id(`owner of ${name}`).slice(-40)}`,
  // The first 10 digits of the name's hash, as text: so the forwarder passes it on.
  name: ethers.hexlify(toUtf8Bytes(sha256(toUtf8Bytes(name)).slice(2, 12))),
});

/** The nodes of a decentralized oracle network, as the forwarder knows them. */
export interface Don {
  id: number;
  configVersion: number;
  /** How many nodes may be faulty: one more has to sign. */
  f: number;
  keys: SigningKey[];
}

/** Nodes whose keys follow from the network's id, so that every run has the same. */
export const donOf = (donId: number, nodes: number, f: number): Don => ({
  id: donId,
  configVersion: 1,
  f,
  keys: Array.from({ length: nodes }, (_, node) => new SigningKey(id(`node ${node} of network ${donId}`))),
});

/** Chainlink's forwarder as it comes, which knows these networks. */
export async function deployForwarder(owner: Signer, ...dons: Don[]): Promise<KeystoneForwarder> {
  const forwarder = await ethers.deployContract("KeystoneForwarder", owner);
  for (const don of dons) await forwarder.setConfig(don.id, don.configVersion, don.f, don.keys.map(computeAddress));
  return forwarder;
}

/** What `KeystoneForwarder.report` takes, beside the receiver. */
export interface SignedReport {
  rawReport: string;
  reportContext: string;
  signatures: string[];
}

/** What one execution of a workflow reports. */
export interface Execution {
  /** Tells executions apart: the forwarder delivers each once. */
  executionId: string;
  workflow: WorkflowName;
  /** ABI-encoded, what the receiver gets. */
  report: string;
  /** Unix seconds. */
  timestamp?: number;
  /** Of the nodes, those that sign; as many as have to unless given. */
  signers?: SigningKey[];
}

/** A report as the nodes of a network sign it (KeystoneForwarder: metadata of 109 bytes, then the report). */
export function signReport(don: Don, execution: Execution): SignedReport {
  const { workflow, report, timestamp = 0 } = execution;
  const rawReport = concat([
    "0x01",
    id(execution.executionId),
    toBeHex(timestamp, 4),
    toBeHex(don.id, 4),
    toBeHex(don.configVersion, 4),
    workflow.id,
    workflow.name,
    workflow.owner,
    "0x0001",
    report,
  ]);
  const reportContext = concat([ZeroHash, ZeroHash, ZeroHash]);
  const digest = keccak256(concat([keccak256(rawReport), reportContext]));
  const signatures = (execution.signers ?? don.keys.slice(0, don.f + 1)).map((key) => {
    const { r, s, yParity } = key.sign(digest);
    return concat([r, s, toBeHex(yParity, 1)]);
  });
  return { rawReport, reportContext, signatures };
}

/** The report of an attestation (`Report` of IWorkflowReceiver.sol). */
export const encodeReportOf = (report: {
  rulebook: string;
  batchId: string;
  digest: string;
  observedAt: number | bigint;
}): string =>
  AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "bytes32", "uint40"],
    [report.rulebook, report.batchId, report.digest, report.observedAt],
  );
