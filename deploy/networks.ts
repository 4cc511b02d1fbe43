import type { NetworksUserConfig } from "hardhat/types";

/** Public chains that `--network` knows, by chain id. Each needs its node's URL in the environment. */
const chains = { mainnet: 1, sepolia: 11_155_111, base: 8_453, baseSepolia: 84_532 } as const;

/** Name of the variable with a chain's node: CAREPACT_BASE_SEPOLIA_RPC_URL. */
const variableOf = (name: string): string =>
  `CAREPACT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_RPC_URL`;

/** Networks for hardhat.config.ts. They have no accounts: commands open the key that signs themselves, and keep it out of what they print. */
export function publicNetworks(environment: NodeJS.ProcessEnv): NetworksUserConfig {
  return Object.fromEntries(
    Object.entries(chains).map(([name, chainId]) => [
      name,
      {
        chainId,
        // A name that never resolves, and says in the error what is missing.
        url: environment[variableOf(name)] ?? `http://${variableOf(name).toLowerCase()}.is.not.set.invalid`,
        accounts: [],
      },
    ]),
  );
}
