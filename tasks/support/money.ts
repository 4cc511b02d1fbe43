import { formatAmount, type Token } from "@carepact/sdk";
import { createPools } from "@carepact/sdk/pools";

import { addressIn } from "./input";
import type { Site } from "./site";

/** What a token says of itself. @throws INPUT_INVALID, TOKEN_UNREADABLE */
export const tokenAt = (
  { connection, options }: Pick<Site, "connection" | "options">,
  address: string,
  option: string,
): Promise<Token> => createPools(connection).token(addressIn(address, option), options);

/** Base units as people write them: `90.00 TUSD`. */
export const amountText = (amount: bigint, token: Token): string => `${formatAmount(amount, token)} ${token.symbol}`;
