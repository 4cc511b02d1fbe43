import type { bytecode } from "../generated/devnetBytecode";

/** One transaction: a contract is created, with encoded constructor arguments, or called. */
export type Step = { creates: keyof typeof bytecode; args: string } | { to: string; data: string };
