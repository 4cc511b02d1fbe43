import { formatAmount, type Connection, type Token } from "@carepact/sdk";

import { tokenOf } from "../../sdk/src/claims/funding";

import { addressIn } from "./input";

/** What a token says of itself. @throws INPUT_INVALID, TOKEN_UNREADABLE */
export const tokenAt = (connection: Connection, address: string, option: string): Promise<Token> =>
  tokenOf(connection, addressIn(address, option));

/** Base units as people write them: `90.00 TUSD`. */
export const amountText = (amount: bigint, token: Token): string => `${formatAmount(amount, token)} ${token.symbol}`;
