import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { Addressable } from "ethers";

import type { AccessManager } from "../../typechain-types";
import { DAY } from "../support/system";

/** Lets the upgrader, whom the access manager is connected to, call a contract: it schedules the call, waits, and carries it out. */
export async function upgraderCalls(accessManager: AccessManager, target: Addressable, data: string): Promise<void> {
  await accessManager.schedule(target, data, 0);
  await time.increase(14 * DAY);
  await accessManager.execute(target, data);
}
