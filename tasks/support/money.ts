import { formatAmount, type Connection, type Token } from "@carepact/sdk";
import { createPools } from "@carepact/sdk/pools";

import { addressIn } from "./input";

/** What a token says of itself. @throws INPUT_INVALID, TOKEN_UNREADABLE */
export const tokenAt = (connection: Connection, address: string, option: string): Promise<Token> =>
  createPools(connection).token(addressIn(address, option));

/** Base units as people write them: `90.00 TUSD`. */
export const amountText = (amount: bigint, token: Token): string => `${formatAmount(amount, token)} ${token.symbol}`;
