import { Signature, type Signer } from "ethers";

import { decodeError } from "../chain/decodeError";
import { CarepactError } from "../errors";

import { requireBytes, type PatientSigner, type TypedMessage } from "./types";

/** What of an ethers signer is used: known by what it can do, never by its class. */
export type TypedDataSigner = Pick<Signer, "getAddress" | "signTypedData">;

const ADDRESS_BYTES = 20;

/** An account that signs itself (ECDSA): a wallet in the browser, a key on a server. @throws RUNNER_CANNOT_SIGN */
export async function accountSigner(wallet: TypedDataSigner): Promise<PatientSigner> {
  if (typeof wallet?.getAddress !== "function" || typeof wallet.signTypedData !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This signer cannot sign EIP-712 messages: connect with a wallet.");
  try {
    return contractSigner(await wallet.getAddress(), async ({ domain, types, message }) =>
      withParity(await wallet.signTypedData(domain, types, message)),
    );
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

/** Some wallets end a signature with 0 or 1, where contracts want 27 or 28. */
const withParity = (signature: string): string =>
  typeof signature === "string" && /^0x[0-9a-f]{128}0[01]$/i.test(signature)
    ? Signature.from(signature).serialized
    : signature;

/**
 * A wallet contract (ERC-1271), such as a Safe or a smart account.
 * @param sign Makes the signature that the contract takes for the message's digest, in hex
 * @throws IDENTIFIER_INVALID
 */
export function contractSigner(address: string, sign: (message: TypedMessage) => Promise<string>): PatientSigner {
  return {
    signer: requireBytes(address, "address", ADDRESS_BYTES),
    sign: async (message) => {
      try {
        const signature: unknown = await sign(message);
        if (typeof signature === "string" && /^0x([0-9a-f]{2})+$/i.test(signature)) return signature.toLowerCase();
      } catch (thrown) {
        throw decodeError(thrown);
      }
      throw new CarepactError("SIGNATURE_INVALID", `What ${address} signed with is no signature.`, { address });
    },
  };
}
