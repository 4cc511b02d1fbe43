import { AbiCoder, Interface, getAddress, keccak256, recoverAddress, toUtf8Bytes, type Provider } from "ethers";

import { askNow } from "../chain/ask";
import { decodeError } from "../chain/decodeError";
import { chainTimeOf, type Deployment } from "../chain/deployment";
import { registryInterface } from "../chain/interfaces";
import { registryDomain, type RegistryRef } from "../consents/types";
import { canonicalJson } from "../encryption/canonicalJson";
import { randomSalt, systemRandom } from "../encryption/random";
import { CarepactError, type ErrorCode } from "../errors";
import { digestOf, requireBytes, type PatientSigner, type TypedMessage } from "../signers/types";

import { recordOf, requireWord } from "./record";

/** Identity assurance levels of NIST SP 800-63A. */
export type ProofingLevel = "IAL1" | "IAL2" | "IAL3";

/** How, by whom and until when a patient's identity was proofed. Kept off chain; the record commits to it. */
export interface Proofing {
  /** Record that it is about. */
  patient: string;
  level: ProofingLevel;
  /** Account of the organization that proofed. */
  by: string;
  /** Unix seconds. */
  proofedAt: number;
  /** First moment at which it no longer holds, unix seconds. */
  until: number;
}

/** What the patient keeps, and shows to who asks. JSON as it is. */
export interface SignedProofing extends Proofing {
  /** The organization's: ECDSA or ERC-1271, over the EIP-712 message. */
  signature: string;
  /** 32 random bytes, without which nobody can tell from the commitment what the document says. */
  salt: string;
}

/** Why a proofing document is not to be relied on, in the order in which it is looked at. */
export const proofingReasons = {
  patientUnknown: "No patient of this id is registered here.",
  patientNotActive: "The record was deactivated or merged.",
  documentMalformed: "This is no proofing document.",
  otherPatient: "The document is about another record.",
  notCommitted: "The record commits to no document, or to another one, or to one that says something else.",
  signatureInvalid: "The organization did not sign this.",
  organizationNotInStanding: "The organization that proofed is not registered, or suspended.",
  expired: "The proofing no longer holds: ask for a new one.",
  levelTooLow: "The identity was proofed less well than is asked for.",
} as const;
export type ProofingReason = keyof typeof proofingReasons;

/** Whether a proofing document can be relied on. */
export type ProofingCheck = { ok: true; proofing: Proofing } | { ok: false; reason: ProofingReason; advice: string };

const LEVELS: readonly ProofingLevel[] = ["IAL1", "IAL2", "IAL3"];
const TYPES = {
  Proofing: [
    { name: "patient", type: "bytes32" },
    { name: "level", type: "string" },
    { name: "by", type: "address" },
    { name: "proofedAt", type: "uint48" },
    { name: "until", type: "uint48" },
  ],
};
const ADDRESS_BYTES = 20;

/**
 * Signs a proofing document as the organization that proofed.
 * @param signer The organization's account, or its wallet contract
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, and what the signer throws
 */
export async function signProofing(
  signer: PatientSigner,
  proofing: Omit<Proofing, "by">,
  registry: RegistryRef,
): Promise<SignedProofing> {
  const by = getAddress(requireBytes(signer.signer, "signer", ADDRESS_BYTES));
  const { patient, level, proofedAt, until } = proofing;
  const checked = requireProofing({ patient, level, by, proofedAt, until });
  const signature = await signer.sign(messageOf(checked, registry));
  return { ...checked, signature, salt: randomSalt(systemRandom) };
}

/**
 * What the record commits to: keccak256(abi.encode(keccak256(document), salt)), the document being canonical JSON (RFC
 * 8785) of all but the salt. @throws INPUT_INVALID, IDENTIFIER_INVALID
 */
export function proofingOf(signed: SignedProofing): string {
  const { salt, signature, ...proofing } = signed;
  const document = { ...requireProofing(proofing), signature: requireBytes(signature, "signature", 1, 4096) };
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "bytes32"],
      [keccak256(toUtf8Bytes(canonicalJson(document))), requireWord(salt, "salt")],
    ),
  );
}

const messageOf = (proofing: Proofing, registry: RegistryRef): TypedMessage => ({
  domain: registryDomain(registry),
  types: TYPES,
  message: { ...proofing },
});

function requireProofing({ patient, level, by, proofedAt, until }: Proofing): Proofing {
  const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
  if (!LEVELS.includes(level))
    throw new CarepactError("INPUT_INVALID", "level is IAL1, IAL2 or IAL3.", { path: "level" });
  if (!isTime(proofedAt) || !isTime(until) || proofedAt >= until)
    throw new CarepactError("INPUT_INVALID", "proofedAt comes before until, both in unix seconds.", { path: "until" });
  return {
    patient: requireWord(patient, "patient"),
    level,
    by: getAddress(requireBytes(by, "by", ADDRESS_BYTES)),
    proofedAt,
    until,
  };
}

/** @internal */
export async function checkProofing(
  provider: Provider,
  deployment: Deployment,
  patient: string,
  signed: SignedProofing,
  level: ProofingLevel = "IAL1",
): Promise<ProofingCheck> {
  const refuse = (reason: ProofingReason): ProofingCheck => ({ ok: false, reason, advice: proofingReasons[reason] });
  const record = await recordOf(provider, deployment, patient);
  if (record === undefined) return refuse("patientUnknown");
  if (record.status !== "active") return refuse("patientNotActive");
  let commitment: string;
  try {
    commitment = proofingOf(signed);
  } catch {
    return refuse("documentMalformed");
  }
  const proofing = requireProofing(signed);
  if (proofing.patient !== patient) return refuse("otherPatient");
  if (commitment !== record.proofing) return refuse("notCommitted");
  const registry = { chainId: deployment.chainId, registry: deployment.consentRegistry };
  const digest = digestOf(messageOf(proofing, registry));
  if (!(await isSignedBy(provider, proofing.by, digest, signed.signature))) return refuse("signatureInvalid");
  const organizations = { to: deployment.organizationRegistry, abi: registryInterface };
  const [kinds] = await askNow(provider, organizations, "standingOf", [proofing.by]);
  if (kinds === 0n) return refuse("organizationNotInStanding");
  if ((await chainTimeOf(provider)) >= proofing.until) return refuse("expired");
  if (LEVELS.indexOf(proofing.level) < LEVELS.indexOf(level)) return refuse("levelTooLow");
  return { ok: true, proofing };
}

const ERC1271 = /* @__PURE__ */ new Interface(["function isValidSignature(bytes32, bytes) view returns (bytes4)"]);
const MAGIC = "0x1626ba7e";
const UNANSWERED: readonly ErrorCode[] = ["NODE_UNREACHABLE", "RATE_LIMITED", "TIMED_OUT", "ABORTED"];

/** Whether an account, or the contract at it, signed a digest. Whatever the contract does otherwise is a no. */
async function isSignedBy(provider: Provider, account: string, digest: string, signature: string): Promise<boolean> {
  const hasCode = (await provider.getCode(account)) !== "0x";
  try {
    if (!hasCode) return recoverAddress(digest, signature) === account;
    const answer = await askNow(provider, { to: account, abi: ERC1271 }, "isValidSignature", [digest, signature]);
    return answer[0] === MAGIC;
  } catch (thrown) {
    // That the node did not answer says nothing about the signature.
    const error = decodeError(thrown);
    if (UNANSWERED.includes(error.code)) throw error;
    return false;
  }
}
