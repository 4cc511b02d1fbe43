import { LONGEST_TIMER } from "../chain/options";
import { CarepactError } from "../errors";

import type { FollowOptions } from "./types";

/** Options with what holds where nothing is given. */
export interface Settings {
  timeoutMs: number | undefined;
  pageBlocks: number;
  retries: number;
  retryMs: number;
  maxReorgDepth: number;
  confirmations: number;
  pollMs: number;
}

const DEEPEST_REORG = 1_024;

/** @throws INPUT_INVALID */
export function settingsOf(options: FollowOptions): Settings {
  const number = (name: keyof Settings, least: number, most: number, otherwise: number): number => {
    const value = options[name] ?? otherwise;
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new CarepactError("INPUT_INVALID", `${name} is a whole number from ${least} to ${most}.`, {
        path: name,
        value,
      });
    return value;
  };
  const any = Number.MAX_SAFE_INTEGER;
  return {
    timeoutMs: options.timeoutMs,
    pageBlocks: number("pageBlocks", 1, any, 10_000),
    retries: number("retries", 0, any, 6),
    retryMs: number("retryMs", 0, any, 500),
    maxReorgDepth: number("maxReorgDepth", 1, DEEPEST_REORG, 128),
    confirmations: number("confirmations", 0, any, 0),
    pollMs: number("pollMs", 0, LONGEST_TIMER, 4_000),
  };
}
