import type { Deployment } from "../chain/deployment";

import recorded from "./deployments.json";

/**
 * Where Carepact is deployed, by chain id; undefined where it is not. 31337 is the devnet of `@carepact/sdk/devnet`, and nowhere else on a local chain; other
 * chains are those that `hardhat deploy` recorded.
 */
export const deployments: Readonly<Record<number, Deployment | undefined>> = recorded;
