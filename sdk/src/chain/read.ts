import type { Provider } from "ethers";

import { providerOf, requireChain, type Connection } from "./deployment";
import { toCarepactError } from "./revert";

/**
 * Reads from the deployment's chain, and from no other.
 * @throws CHAIN_MISMATCH, CONTRACT_MISSING, CONTRACT_REVERTED, RUNNER_CANNOT_READ, TRANSACTION_FAILED
 */
export async function reading<Value>(
  connection: Connection,
  read: (provider: Provider) => Promise<Value>,
): Promise<Value> {
  try {
    const provider = providerOf(connection.runner);
    // At once, since each takes a journey to the node.
    const [chain, value] = await Promise.allSettled([requireChain(connection), read(provider)]);
    if (chain.status === "rejected") throw chain.reason;
    if (value.status === "rejected") throw value.reason;
    return value.value;
  } catch (thrown) {
    throw toCarepactError(thrown);
  }
}
