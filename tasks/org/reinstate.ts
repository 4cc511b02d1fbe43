import type { Call, Ending } from "../support/call";

import { bringTo } from "./standing";

export const run = (call: Call, options: { account?: string }): Promise<Ending> =>
  bringTo("reinstate", "active", call, options);
