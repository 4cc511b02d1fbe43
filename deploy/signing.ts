import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { usage } from "../tasks/support/input";
import { namedSigningKey, PRIVATE_KEY } from "../tasks/support/keystore";

import { LOCAL_CHAIN } from "./parameters";
import { signingProvider } from "./provider";
import { siteOf, type Site, type SiteOptions } from "./site";

/** The site with the account that signs, if anything names one. @throws Failure, INPUT_INVALID */
export async function signingSiteOf(
  hre: HardhatRuntimeEnvironment,
  options: SiteOptions,
  tell: (line: string) => void,
): Promise<Site> {
  const site = await siteOf(hre, options, tell);
  const key = await keyOf(site);
  return key === undefined ? site : siteOf(hre, options, tell, await signingProvider(hre, key));
}

async function keyOf({ hre, options: { keystore }, chainId, tell }: Site): Promise<string | undefined> {
  const isEmbedded = hre.network.name === "hardhat";
  // What the environment names is for chains where it counts: a local node has accounts of its own.
  if (keystore === undefined && (chainId === LOCAL_CHAIN || isEmbedded)) return undefined;
  if (isEmbedded)
    throw usage("--keystore: the embedded chain has accounts of its own. Name a --network.", "--keystore");
  // For other commands the option wins. Who deployed by mistake cannot take it back: here it has to be clear.
  if (keystore !== undefined && process.env[PRIVATE_KEY])
    throw usage(`--keystore and ${PRIVATE_KEY} name two accounts: unset ${PRIVATE_KEY}.`, "--keystore");
  return namedSigningKey({ tell }, keystore);
}
