import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type { IgnitionModule } from "@nomicfoundation/ignition-core";
import { keccak256 } from "ethers";

import { madeWith } from "./system";

/** Ignition's id of the implementation in an upgrade's module. */
export const IMPLEMENTATION = "Implementation";

/**
 * A new implementation. Each code has a module of its own, so that preparing an upgrade twice deploys once. That is all that a journal is
 * good for here: what is scheduled, cancelled, expired or carried out, the AccessManager knows.
 * @param bytecode Of the contract, and of those that it is made with.
 */
export const upgradeModuleOf = (contract: string, bytecode: string): IgnitionModule =>
  buildModule(`Upgrade${contract}_${keccak256(bytecode).slice(2, 18)}`, (m) => ({
    implementation: m.contract(
      contract,
      (madeWith[contract] ?? []).map((part) => m.contract(part)),
      { id: IMPLEMENTATION },
    ),
  }));
