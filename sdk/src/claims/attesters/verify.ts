import { Signature, dataLength, dataSlice, getAddress, recoverAddress } from "ethers";

import type { Deployment } from "../../chain/deployment";
import { CarepactError } from "../../errors";
import { requirePoint } from "../../signers/p256";

import { isP256Signature } from "./p256";
import { passkeyFaultOf, passkeyKeyOf, type PasskeyFault } from "./passkeys";

/** Contracts that check keys which are no accounts; a `Deployment` has them. */
export type Verifiers = Pick<Deployment, "p256Verifier" | "webAuthnVerifier" | "webAuthnOriginVerifier">;

const ADDRESS_BYTES = 20;
const POINT_BYTES = 64;
const PAGE_KEY_BYTES = 129;

const faults: Record<PasskeyFault, string> = {
  malformed: "it is no assertion of an authenticator that the contracts can read",
  type: "the authenticator did not sign in, but did something else",
  challenge: "it is over another statement",
  origin: "it was made on another page than the key was made for, or in a frame",
  relyingParty: "it was made for another relying party than the key",
  userVerification: "the authenticator did not verify the user, by PIN, finger or face",
  key: "it is another key's",
};

/** Whether a signer is an account or a wallet contract. */
export const isAccount = (signer: string): boolean => dataLength(signer) === ADDRESS_BYTES;

/** The ECDSA signature of an account over a digest in the one spelling that the contracts read, unless it is another's. */
export function accountSignature(account: string, digest: string, signature: string): string | undefined {
  try {
    const read = Signature.from(signature);
    return recoverAddress(digest, read) === getAddress(account) ? read.serialized : undefined;
  } catch {
    // No ECDSA signature; a wallet contract may still know it.
    return undefined;
  }
}

/**
 * Whether a signature of a key that is no account can be checked here, and is good; false: only its verifier knows.
 * @throws SIGNATURE_INVALID with `details.reason`, for what the verifier would refuse
 */
export function verifyKeySignature(
  signer: string,
  digest: string,
  signature: string,
  verifiers: Partial<Verifiers>,
): boolean {
  const verifier = dataSlice(signer, 0, ADDRESS_BYTES).toLowerCase();
  const key = dataSlice(signer, ADDRESS_BYTES);
  const is = (address: string | undefined, bytes: number): boolean => {
    if (address?.toLowerCase() !== verifier) return false;
    if (dataLength(key) !== bytes) throw refused(signer, "malformed", `its key does not have ${bytes} bytes`);
    return true;
  };
  if (is(verifiers.p256Verifier, POINT_BYTES)) {
    const { point } = passkeyKeyOf(requirePoint(key));
    if (dataLength(signature) < POINT_BYTES) throw refused(signer, "malformed", "it is shorter than r and s");
    const pair = [BigInt(dataSlice(signature, 0, 32)), BigInt(dataSlice(signature, 32, 64))] as const;
    if (!isP256Signature(point, BigInt(digest), pair)) throw refused(signer, "key", faults.key);
    return true;
  }
  if (!is(verifiers.webAuthnVerifier, POINT_BYTES) && !is(verifiers.webAuthnOriginVerifier, PAGE_KEY_BYTES))
    return false;
  requirePoint(dataSlice(key, 0, POINT_BYTES));
  const fault = passkeyFaultOf(passkeyKeyOf(key), digest, signature);
  if (fault !== undefined) throw refused(signer, fault, faults[fault]);
  return true;
}

const refused = (signer: string, reason: PasskeyFault, problem: string): CarepactError =>
  new CarepactError("SIGNATURE_INVALID", `The signature of ${signer} does not count: ${problem}.`, { signer, reason });
