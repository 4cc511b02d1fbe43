import type { Interface } from "ethers";

import {
  ClaimEscrow__factory,
  IERC20Errors__factory,
  IERC20Metadata__factory,
  Mandates__factory,
  OrganizationRegistry__factory,
  Rulebooks__factory,
} from "../generated";

/** Interfaces of the contracts, made once. */
export const escrowInterface = ClaimEscrow__factory.createInterface();
export const rulebooksInterface = Rulebooks__factory.createInterface();
export const mandatesInterface = Mandates__factory.createInterface();
export const registryInterface = OrganizationRegistry__factory.createInterface();
export const tokenInterface = IERC20Metadata__factory.createInterface();

/** Where an error may be declared that a call of this SDK runs into, in the order in which it is looked for. */
export const errorSources: readonly { contract: string; errors: Interface }[] = [
  { contract: "ClaimEscrow", errors: escrowInterface },
  { contract: "Rulebooks", errors: rulebooksInterface },
  { contract: "Mandates", errors: mandatesInterface },
  { contract: "OrganizationRegistry", errors: registryInterface },
  { contract: "ERC-20 token", errors: IERC20Errors__factory.createInterface() },
];
