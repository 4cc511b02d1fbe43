import { concat, type Interface, type Provider } from "ethers";

import { systemRandom } from "../encryption/random";

const QUESTION_BYTES = 16;

/**
 * Asks a contract at the latest block, each time anew. Providers, proxies and nodes may answer equal calls from memory:
 * what was changed just before would not be seen. Random bytes behind the arguments, at which contracts do not look, make
 * every question another one.
 */
export async function askNow(
  provider: Provider,
  { to, abi }: { to: string; abi: Interface },
  name: string,
  args: readonly unknown[],
): Promise<unknown[]> {
  const data = concat([abi.encodeFunctionData(name, args), systemRandom(QUESTION_BYTES)]);
  const returned = await provider.call({ to, data, blockTag: "latest" });
  return [...abi.decodeFunctionResult(name, returned)] as unknown[];
}
