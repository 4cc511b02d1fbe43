import { TypedDataEncoder, hexlify, type TypedDataDomain, type TypedDataField } from "ethers";

import { CarepactError } from "../errors";

/** What is signed under EIP-712: one struct, under the domain of the contract that it is for. */
export interface TypedMessage {
  domain: TypedDataDomain;
  types: Record<string, TypedDataField[]>;
  message: Record<string, unknown>;
}

/**
 * A key that a patient, a representative, a recovery contact or a custodian signs with. It needs no ether: whoever wants
 * to brings what it signed to the chain.
 */
export interface PatientSigner {
  /** ERC-7913 signer, in hex: the 20 bytes of an account, or a verifier contract and a key. */
  readonly signer: string;
  /** Signature over an EIP-712 message, in hex, as the contracts take it. @throws SIGNATURE_INVALID, USER_REJECTED */
  sign(message: TypedMessage): Promise<string>;
}

/** EIP-712 digest of a message. @throws INPUT_INVALID for values that its types have no room for */
export function digestOf({ domain, types, message }: TypedMessage): string {
  try {
    return TypedDataEncoder.hash(domain, types, message);
  } catch (thrown) {
    throw new CarepactError("INPUT_INVALID", "The message does not fit its EIP-712 types.", {}, thrown);
  }
}

/** @internal Bytes in hex of any length within bounds, in lower case. @throws IDENTIFIER_INVALID */
export function requireBytes(value: unknown, name: string, least: number, most = least): string {
  const length = typeof value === "string" && /^0x([0-9a-f]{2})*$/i.test(value) ? value.length / 2 - 1 : undefined;
  if (length === undefined || length < least || length > most)
    throw new CarepactError(
      "IDENTIFIER_INVALID",
      `${name} is ${least === most ? least : `${least} to ${most}`} bytes in hex with 0x in front.`,
      { path: name, value },
    );
  return hexlify(value as string);
}
