import type { Provider } from "ethers";

import type { Deployment } from "../chain/deployment";
import { accessManagerInterface } from "../chain/interfaces";

/** An event of the AccessManager. */
export interface ManagerEvent {
  name: string;
  args: Record<string, unknown>;
}

/** All that the AccessManager ever reported, in order; in ranges as small as the node wants them. */
export async function historyOf(
  provider: Provider,
  { accessManager, startBlock }: Deployment,
  signal: AbortSignal,
): Promise<ManagerEvent[]> {
  const between = async (fromBlock: number, toBlock: number): Promise<ManagerEvent[]> => {
    signal.throwIfAborted();
    try {
      const logs = await provider.getLogs({ address: accessManager, fromBlock, toBlock });
      return logs
        .map((log) => accessManagerInterface.parseLog(log))
        .filter((event) => event !== null)
        .map(({ name, args }) => ({ name, args: args.toObject() as Record<string, unknown> }));
    } catch (thrown) {
      if (fromBlock >= toBlock) throw thrown;
      const middle = Math.floor((fromBlock + toBlock) / 2);
      return [...(await between(fromBlock, middle)), ...(await between(middle + 1, toBlock))];
    }
  };
  return between(startBlock, await provider.getBlockNumber());
}
