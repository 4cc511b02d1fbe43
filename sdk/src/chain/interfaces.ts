import type { Interface } from "ethers";

import {
  AccessManager__factory,
  ClaimEscrow__factory,
  ERC20Permit__factory,
  Mandates__factory,
  OrganizationRegistry__factory,
  Rulebooks__factory,
} from "../generated";

/** Interfaces of the contracts, made once. */
export const accessManagerInterface = /* @__PURE__ */ AccessManager__factory.createInterface();
export const escrowInterface = /* @__PURE__ */ ClaimEscrow__factory.createInterface();
export const rulebooksInterface = /* @__PURE__ */ Rulebooks__factory.createInterface();
export const mandatesInterface = /* @__PURE__ */ Mandates__factory.createInterface();
export const registryInterface = /* @__PURE__ */ OrganizationRegistry__factory.createInterface();
export const tokenInterface = /* @__PURE__ */ ERC20Permit__factory.createInterface();

/** Where an error may be declared that a call of this SDK runs into, in the order in which it is looked for. */
export const errorSources: readonly { contract: string; errors: Interface }[] = [
  { contract: "ClaimEscrow", errors: escrowInterface },
  { contract: "Rulebooks", errors: rulebooksInterface },
  { contract: "Mandates", errors: mandatesInterface },
  { contract: "OrganizationRegistry", errors: registryInterface },
  { contract: "AccessManager", errors: accessManagerInterface },
  { contract: "ERC-20 token", errors: tokenInterface },
];
