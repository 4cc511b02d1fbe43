import { AbiCoder, hexlify, isHexString, keccak256, sha256, solidityPacked, toUtf8Bytes } from "ethers";

import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import type { Workflow } from "../rulebooks/rulebook";

/** What a Chainlink workflow reports to the escrow about a batch: which statement its nodes agree on, and when they looked. */
export interface WorkflowReport {
  /** Rulebook id. */
  rulebook: string;
  batchId: string;
  /** EIP-712 digest of the attestation's statement, see `attestationDigestOf`. */
  digest: string;
  /** Unix seconds. */
  observedAt: number;
}

const REPORT_TYPES = ["bytes32", "bytes32", "bytes32", "uint40"];
const REPORT_BYTES = 128;
const LAST_TIME = 2 ** 40 - 1;
const NAME_CHARACTERS = 10;

const invalid = (path: string, problem: string): CarepactError =>
  new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });

function requireBytes(value: unknown, length: number, path: string): string {
  if (!isHexString(value, length)) throw invalid(path, `is not ${length} bytes in hex`);
  return value.toLowerCase();
}

/**
 * The payload of a workflow's report, as `onReport` reads it: abi.encode(rulebook, batchId, digest, uint40 observedAt).
 * @returns Hex, 128 bytes.
 * @throws INPUT_INVALID
 */
export function encodeReport(report: WorkflowReport): string {
  const { observedAt } = report;
  if (!Number.isInteger(observedAt) || observedAt < 0 || observedAt > LAST_TIME)
    throw invalid("report.observedAt", "is not a time in unix seconds below 2^40");
  const words = (["rulebook", "batchId", "digest"] as const).map((name) =>
    requireBytes(report[name], 32, `report.${name}`),
  );
  return AbiCoder.defaultAbiCoder().encode(REPORT_TYPES, [...words, observedAt]);
}

/** Reads a report's payload, see {@link encodeReport}. @throws INPUT_INVALID */
export function decodeReport(payload: string): WorkflowReport {
  const bytes = requireBytes(payload, REPORT_BYTES, "report");
  const [rulebook, batchId, digest, observedAt] = [0, 1, 2, 3].map(
    (word) => `0x${bytes.slice(2 + word * 64, 2 + (word + 1) * 64)}`,
  ) as [string, string, string, string];
  if (BigInt(observedAt) > BigInt(LAST_TIME)) throw invalid("report.observedAt", "is above 2^40");
  return { rulebook, batchId, digest, observedAt: Number(observedAt) };
}

/**
 * A workflow's name as the Keystone forwarder hands it on (bytes10), which is what a rulebook holds: the first ten hex
 * digits of the SHA-256 of the name, as ASCII.
 * @throws INPUT_INVALID for an empty name
 */
export function workflowNameOf(name: string): string {
  if (typeof name !== "string" || name === "") throw invalid("name", "is missing");
  const digits = sha256(toUtf8Bytes(name)).slice(2, 2 + NAME_CHARACTERS);
  return hexlify(toUtf8Bytes(digits));
}

/**
 * Under which key the escrow keeps what a workflow reported: keccak256(id ‖ name ‖ owner), the first 62 bytes of the
 * metadata that the forwarder hands on.
 * @throws INPUT_INVALID, IDENTIFIER_INVALID
 */
export function workflowKeyOf({ id, name, owner }: Workflow): string {
  return keccak256(
    solidityPacked(
      ["bytes32", "bytes10", "address"],
      [
        requireBytes(id, 32, "workflow.id"),
        requireBytes(name, NAME_CHARACTERS, "workflow.name"),
        requireAddress(owner, "workflow.owner"),
      ],
    ),
  );
}
