import { isHexString } from "ethers";

import { decodeError } from "../chain/decodeError";
import { providerOf, type Connection } from "../chain/deployment";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { layersOf } from "../errors/thrown";
import { ERC20Permit__factory } from "../generated";
import type { Token } from "../money";

/** What a token says of itself. @throws TOKEN_UNREADABLE, IDENTIFIER_INVALID */
export async function tokenOf({ runner }: Connection, token: string): Promise<Token> {
  const address = requireAddress(token, "token");
  const contract = ERC20Permit__factory.connect(address, providerOf(runner));
  const [symbol, decimals] = await answered(Promise.all([contract.symbol(), contract.decimals()]), (cause) => {
    throw new CarepactError("TOKEN_UNREADABLE", `${address} does not answer as an ERC-20 token.`, { address }, cause);
  });
  return { address, symbol, decimals: Number(decimals) };
}

/**
 * What a contract answers; `otherwise` where it has no such function, or answers in another form. That the node did not
 * answer says nothing of the contract, and is thrown.
 */
export async function answered<Value>(
  answer: Promise<Value>,
  otherwise: (thrown: unknown) => Value | Promise<Value>,
): Promise<Value> {
  try {
    return await answer;
  } catch (thrown) {
    const { code } = decodeError(thrown);
    const refused = code === "CONTRACT_REVERTED" || code === "CONTRACT_MISSING" || code === "OUT_OF_GAS";
    if (refused || isOtherForm(thrown)) return otherwise(thrown);
    throw thrown;
  }
}

/** ethers' words for data that it cannot decode, and nodes' words for code that is no function. */
const OTHER_FORM = /^deferred error during ABI decoding|invalid (opcode|jump)/i;

const isOtherForm = (thrown: unknown): boolean =>
  layersOf(thrown).some(
    ({ get, words }) => (get("code") === "BAD_DATA" && isHexString(get("value"))) || OTHER_FORM.test(words),
  );
