import type { Call, Ending } from "../support/call";

import { bringTo } from "./standing";

export const run = (call: Call, options: { id?: string }): Promise<Ending> => bringTo("resume", call, options);
