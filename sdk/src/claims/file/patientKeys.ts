import { concat, dataLength, hexlify, isHexString, keccak256, solidityPackedKeccak256 } from "ethers";

import { CarepactError } from "../../errors";
import type { Rulebook } from "../../rulebooks/rulebook";
import { manifestRightOf, manifestRootOf } from "../manifestTree";
import type { Group } from "../types";

/** A key that may say yes for the patient of a line: the patient's one-time key, or that of a personal representative. */
export interface PatientKey {
  /** ERC-7913 signer, in hex. */
  signer: string;
  /** Of its leaf alone, 32 bytes. */
  salt: string;
  /** From its leaf to the batch's manifestRoot: hashes of the tree of patients' keys, root over details, root over line amounts. */
  proof: string[];
}

const ACCOUNT_BYTES = 20;
const MOST_SIGNER_BYTES = 254;
const MOST_KEYS = 16;
const PATIENT_ROLE = "0x02";

/**
 * The keys of one patient, in lower case.
 * @throws INPUT_INVALID unless there are 1 to 16 of them, each once; IDENTIFIER_INVALID for what is no ERC-7913 signer
 */
export function requirePatientKeys(keys: unknown, path: string): string[] {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS)
    throw new CarepactError("INPUT_INVALID", `${path} is a list of 1 to ${MOST_KEYS} signers.`, { path });
  const signers = keys.map((key: unknown, i) => {
    const size = isHexString(key) && key.length % 2 === 0 ? dataLength(key) : 0;
    if (size < ACCOUNT_BYTES || size > MOST_SIGNER_BYTES)
      throw new CarepactError(
        "IDENTIFIER_INVALID",
        `${path}[${i}] is no ERC-7913 signer: ${ACCOUNT_BYTES} to ${MOST_SIGNER_BYTES} bytes in hex with 0x in front.`,
        { path: `${path}[${i}]` },
      );
    return hexlify(key as string);
  });
  if (new Set(signers).size !== signers.length)
    throw new CarepactError("INPUT_INVALID", `${path} has a key twice.`, { path });
  return signers;
}

/**
 * Leaf of a key: keccak256(line as uint256 ‖ salt ‖ signer). Salted, so that nobody who sees a key somewhere else finds
 * the batches that it is for.
 * @param line Index of the line in the batch
 */
export const patientLeafOf = (line: number, { signer, salt }: Omit<PatientKey, "proof">): string =>
  solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [line, salt, signer]);

/** @internal As OpenZeppelin's MerkleProof hashes: the smaller one first, so that a proof says nothing of a leaf's place. */
export const sortedPair = (a: string, b: string): string =>
  keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** Whether a batch's manifest commits to a key for a line, as the escrow finds out (IAttesterConditions.sol). */
export function verifyPatientKey(manifestRoot: string, line: number, key: PatientKey): boolean {
  const { proof, signer, salt } = key;
  const path = proof.slice(0, -2);
  const [details, lines] = proof.slice(-2);
  if (details === undefined || lines === undefined) return false;
  if (!isHexString(signer, true) || ![salt, ...proof].every((hash) => isHexString(hash, 32))) return false;
  const root = path.reduce(sortedPair, patientLeafOf(line, key));
  return manifestRootOf(lines, manifestRightOf(details, root)) === manifestRoot;
}

/** Whether a rulebook asks for the yes of the patients of this group's lines. */
export const asksPatientsOf = ({ attesterGroups }: Rulebook, { subtotal }: Group): boolean =>
  attesterGroups.some(({ above, attesters }) => attesters.includes(PATIENT_ROLE) && subtotal > above);

/** What a line without its patient's key could not be paid for. */
export const patientSignerMissing = (path: string): CarepactError =>
  new CarepactError(
    "PATIENT_SIGNER_MISSING",
    `${path}: the rulebook asks for the patient's yes, and no key of the patient is known: the line could never be paid.`,
    { path },
  );
