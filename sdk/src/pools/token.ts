import { providerOf, type Connection } from "../chain/deployment";
import { CarepactError } from "../errors";
import { ERC20Permit__factory } from "../generated";
import type { Token } from "../money";

/** What a token says of itself. @throws TOKEN_UNREADABLE */
export async function tokenOf({ runner }: Connection, address: string): Promise<Token> {
  const contract = ERC20Permit__factory.connect(address, providerOf(runner));
  try {
    const [symbol, decimals] = await Promise.all([contract.symbol(), contract.decimals()]);
    return { address: await contract.getAddress(), symbol, decimals: Number(decimals) };
  } catch (cause) {
    throw new CarepactError("TOKEN_UNREADABLE", `${address} does not answer as an ERC-20 token.`, { address }, cause);
  }
}
