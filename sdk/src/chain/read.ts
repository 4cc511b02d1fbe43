import type { Provider } from "ethers";

import { decodeError } from "./decodeError";
import { providerOf, requireChain, type Connection } from "./deployment";
import { within, type CallOptions } from "./options";

/**
 * Reads from the deployment's chain, and from no other.
 * @throws ABORTED, CHAIN_MISMATCH, CONTRACT_MISSING, CONTRACT_REVERTED, NODE_UNREACHABLE, RATE_LIMITED,
 * RUNNER_CANNOT_READ, TIMED_OUT, TRANSACTION_FAILED
 */
export async function reading<Value>(
  connection: Connection,
  read: (provider: Provider, signal: AbortSignal) => Promise<Value>,
  options: CallOptions = {},
): Promise<Value> {
  try {
    return await within(options, async (signal) => {
      const provider = providerOf(connection.runner);
      // At once, since each takes a journey to the node.
      const [chain, value] = await Promise.allSettled([requireChain(connection), read(provider, signal)]);
      if (chain.status === "rejected") throw chain.reason;
      if (value.status === "rejected") throw value.reason;
      return value.value;
    });
  } catch (thrown) {
    throw decodeError(thrown);
  }
}
