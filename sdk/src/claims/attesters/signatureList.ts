import { concat, dataLength, toBeHex } from "ethers";

import { CarepactError } from "../../errors";
import type { PatientKey } from "../file";

/** One of several packed signatures. */
export interface PlacedSignature {
  /** Index among the attesters of all conditions of the rulebook. */
  attester: number;
  /** For the payee the index of its group, for the patient that of the line in the batch, else zero. */
  place: number;
  /** As the attester's kind of key signs; a patient's stands behind its opening. */
  signature: string;
}

const MOST_SIGNATURES = 255;
const MOST_BYTES = 0xffff;
const MOST_HASHES = 255;
const HEAD_BYTES = 5;
const HASH_BYTES = 32;

const tooLarge = (what: string): CarepactError =>
  new CarepactError("BATCH_TOO_LARGE", `${what} do not fit one settlement: split the batch.`);

/**
 * Signatures in the form for conditions (IAttesterConditions.sol): their number, then each with attester, place and size.
 * @throws BATCH_TOO_LARGE for more than 255, or one of more than 65,535 bytes
 */
export function packSignatures(signatures: readonly PlacedSignature[]): string {
  if (signatures.length > MOST_SIGNATURES) throw tooLarge(`${signatures.length} signatures`);
  const ascending = [...signatures].sort((a, b) => a.attester - b.attester || a.place - b.place);
  const packed = ascending.flatMap(({ attester, place, signature }) => {
    const size = dataLength(signature);
    if (size > MOST_BYTES) throw tooLarge(`${size} bytes of a signature`);
    return [toBeHex(attester, 1), toBeHex(place, 2), toBeHex(size, 2), signature];
  });
  return concat([toBeHex(signatures.length, 1), ...packed]);
}

/** Reads packed signatures. Bytes behind the last one are not looked at. @throws INPUT_INVALID */
export function unpackSignatures(packed: string): PlacedSignature[] {
  const take = takerOf(packed);
  return Array.from({ length: Number(take(1)) }, () => {
    const head = BigInt(take(HEAD_BYTES));
    const size = Number(head & 0xffffn);
    return { attester: Number(head >> 32n), place: Number((head >> 16n) & 0xffffn), signature: take(size) };
  });
}

/** A patient's signature behind its opening against `manifestRoot`. @throws BATCH_TOO_LARGE */
export function packPatientSignature({ signer, salt, proof }: PatientKey, signature: string): string {
  if (proof.length > MOST_HASHES) throw tooLarge(`${proof.length} hashes of a proof`);
  return concat([salt, toBeHex(proof.length, 1), ...proof, toBeHex(dataLength(signer), 1), signer, signature]);
}

/** Reads a patient's signature and its opening. @throws INPUT_INVALID */
export function unpackPatientSignature(packed: string): PatientKey & { signature: string } {
  const take = takerOf(packed);
  const salt = take(HASH_BYTES);
  const proof = Array.from({ length: Number(take(1)) }, () => take(HASH_BYTES));
  return { salt, proof, signer: take(Number(take(1))), signature: take() };
}

/** Takes bytes from the front; without a number, all that are left. */
function takerOf(packed: string): (bytes?: number) => string {
  let at = 2;
  return (bytes) => {
    const end = bytes === undefined ? packed.length : at + 2 * bytes;
    if (end > packed.length)
      throw new CarepactError("INPUT_INVALID", "The packed signatures end too early.", { path: "signatures" });
    const taken = `0x${packed.slice(at, end)}`;
    at = end;
    return taken;
  };
}
