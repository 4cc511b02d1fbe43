import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
// Hardhat 2 has no public way to a second provider beside the network's.
import { createProvider } from "hardhat/internal/core/providers/construction";
import type { HardhatConfig, HardhatRuntimeEnvironment, HttpNetworkConfig } from "hardhat/types";

type Hre = Pick<HardhatRuntimeEnvironment, "config" | "artifacts">;

/** A network's provider, as Hardhat makes it of its config, with another config. */
const providerOf = ({ config, artifacts }: Hre, name: string, changes: object): Promise<EIP1193Provider> => {
  const network = { ...config.networks[name], ...changes };
  const networks = { ...config.networks, [name]: network } as HardhatConfig["networks"];
  return createProvider({ ...config, networks }, name, artifacts);
};

/** A chain in this process, empty, with the id of another. */
export const embeddedChain = (hre: Hre, chainId: number): Promise<EIP1193Provider> =>
  providerOf(hre, "hardhat", { chainId });

/** The network's node, with one account: that of the key, which signs in this process and is not sent anywhere. */
export const signingProvider = (
  hre: Hre & Pick<HardhatRuntimeEnvironment, "network">,
  privateKey: string,
): Promise<EIP1193Provider> =>
  providerOf(hre, hre.network.name, { accounts: [privateKey] } satisfies Pick<HttpNetworkConfig, "accounts">);
