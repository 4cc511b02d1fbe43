import { Interface, Signature, recoverAddress, type Provider } from "ethers";

import { decodeError } from "../chain/decodeError";
import type { ErrorCode } from "../errors";
import { digestOf, type TypedMessage } from "../signers";

const erc1271 = /* @__PURE__ */ new Interface([
  "function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)",
]);
const MAGIC = "0x1626ba7e";
const WORD = 66;
/** What does not come from the contract. */
const UNANSWERED: readonly ErrorCode[] = ["NODE_UNREACHABLE", "RATE_LIMITED", "ABORTED", "TIMED_OUT"];

/**
 * Whether this is the account's signature: by its key, or else, where there is a contract, by ERC-1271, now. A wallet
 * contract may answer otherwise once its owners changed.
 * @throws what the node says, but nothing for what a contract says
 */
export async function isSignatureOf(
  provider: Provider,
  account: string,
  message: TypedMessage,
  signature: string,
): Promise<boolean> {
  const digest = digestOf(message);
  if (recoveredFrom(digest, signature) === account) return true;
  if ((await provider.getCode(account)) === "0x") return false;
  const data = erc1271.encodeFunctionData("isValidSignature", [digest, signature]);
  try {
    const answer = await provider.call({ to: account, data });
    // The word and no other: anything else is the answer of a contract that does not know the question.
    return answer.slice(0, WORD).toLowerCase() === MAGIC.padEnd(WORD, "0");
  } catch (thrown) {
    const error = decodeError(thrown);
    if (UNANSWERED.includes(error.code)) throw error;
    // However a contract fails, it did not say yes.
    return false;
  }
}

function recoveredFrom(digest: string, signature: string): string | undefined {
  try {
    return recoverAddress(digest, Signature.from(signature));
  } catch {
    // No ECDSA signature; a wallet contract may still know it.
    return undefined;
  }
}
