import { AbiCoder, keccak256, type Provider } from "ethers";

import { askNow } from "../chain/ask";
import type { Deployment } from "../chain/deployment";
import { consentRegistryInterface } from "../chain/interfaces";
import { CarepactError } from "../errors";
import { requireBytes } from "../signers/types";

/** Standing of a record. `deactivated` and `merged` are final. */
export type PatientStatus = "active" | "deactivated" | "merged";

/** What the chain knows of a patient: nothing about the person. */
export interface PatientRecord {
  /** Id, 32 bytes. */
  patient: string;
  status: PatientStatus;
  /** keccak256 of the ERC-7913 signer that acts for the record. */
  controllerHash: string;
  /** How many controllers there were; the first is 1. */
  controllerVersion: number;
  /** Number that a grant has to name to count. */
  epoch: number;
  /** X25519 public key to which files for the patient are sealed. */
  hpkeKey: string;
  /** How many of these there were; the first is 1. */
  hpkeKeyVersion: number;
  /** Commitment to a proofing document, see `proofingOf`. */
  proofing?: string;
  proofingVersion: number;
  restrictionsVersion: number;
  /** When the record was registered, unix seconds. */
  since: number;
  /** Record into which this one was merged. */
  mergedInto?: string;
}

const WORD = 32;
const LONGEST_SIGNER = 1024;
const ACCOUNT_BYTES = 20;
const STATUSES = ["unknown", "active", "deactivated", "merged"] as const;

/** @internal */
export const ZERO = `0x${"00".repeat(WORD)}`;

/** @internal 32 bytes in hex. @throws IDENTIFIER_INVALID */
export const requireWord = (value: unknown, name: string): string => requireBytes(value, name, WORD);

/** @internal ERC-7913 signer in hex. @throws IDENTIFIER_INVALID */
export const requireSigner = (value: unknown, name: string): string =>
  requireBytes(value, name, ACCOUNT_BYTES, LONGEST_SIGNER);

/** How contracts name a signer: keccak256 of its bytes. @throws IDENTIFIER_INVALID */
export const signerHashOf = (signer: string): string => keccak256(requireSigner(signer, "signer"));

/**
 * Id of the record that a signer registers with a salt: keccak256(abi.encode(keccak256(signer), salt)).
 * @throws IDENTIFIER_INVALID
 */
export const patientIdOf = (signer: string, salt: string): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [signerHashOf(signer), requireWord(salt, "salt")]),
  );

/**
 * Salt of a record that an organization holds for a minor: the id commits to it, and nobody sees it. Whoever is told the
 * organization, the secret and the first signer computes {@link patientIdOf} and compares.
 * @param secret 32 random bytes of this record's own
 * @throws IDENTIFIER_INVALID
 */
export const custodianSaltOf = (organization: string, secret: string): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["address", "bytes32"],
      [requireBytes(organization, "organization", ACCOUNT_BYTES), requireWord(secret, "secret")],
    ),
  );

/** @internal A record as the chain has it now; undefined if there is none. */
export async function recordOf(
  provider: Provider,
  deployment: Deployment,
  patient: string,
): Promise<PatientRecord | undefined> {
  const contract = { to: deployment.consentRegistry, abi: consentRegistryInterface };
  const [known] = (await askNow(provider, contract, "patientOf", [patient])) as [Known];
  const status = STATUSES[Number(known.status)] ?? "unknown";
  if (status === "unknown") return undefined;
  const { controllerHash, hpkeKey, proofing, mergedInto } = known;
  return {
    patient,
    status,
    controllerHash,
    controllerVersion: Number(known.controllerVersion),
    epoch: Number(known.epoch),
    hpkeKey,
    hpkeKeyVersion: Number(known.hpkeKeyVersion),
    ...(proofing === ZERO ? {} : { proofing }),
    proofingVersion: Number(known.proofingVersion),
    restrictionsVersion: Number(known.restrictionsVersion),
    since: Number(known.since),
    ...(mergedInto === ZERO ? {} : { mergedInto }),
  };
}

type Known = Record<"controllerHash" | "hpkeKey" | "proofing" | "mergedInto", string> &
  Record<
    "status" | "controllerVersion" | "epoch" | "hpkeKeyVersion" | "proofingVersion" | "restrictionsVersion" | "since",
    bigint
  >;

/** @internal A record for which something can still be done. @throws PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE */
export async function activeRecordOf(
  provider: Provider,
  deployment: Deployment,
  patient: string,
): Promise<PatientRecord> {
  const record = await recordOf(provider, deployment, requireWord(patient, "patient"));
  if (record === undefined)
    throw new CarepactError("PATIENT_UNKNOWN", "No patient of this id is registered here: is it the right chain?", {
      patient,
    });
  const { status, mergedInto } = record;
  if (status === "active") return record;
  const message =
    mergedInto === undefined
      ? "The record was deactivated, for good."
      : "The record was merged into another: use that one.";
  throw new CarepactError("PATIENT_NOT_ACTIVE", message, { patient, status, ...(mergedInto && { mergedInto }) });
}

/** @internal Refuses somebody who does not control the record. @throws NOT_CONTROLLER */
export function requireController({ patient, controllerHash }: PatientRecord, signer: string): void {
  const signerHash = signerHashOf(signer);
  if (signerHash === controllerHash) return;
  const message = "The key that would sign does not control the record: it may have been replaced.";
  throw new CarepactError("NOT_CONTROLLER", message, { patient, controllerHash, signerHash });
}
