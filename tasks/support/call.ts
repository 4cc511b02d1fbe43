import type { HardhatRuntimeEnvironment } from "hardhat/types";

/** Options that commands have in common. */
export interface Common {
  json: boolean;
  deployment?: string;
  timeout?: string;
  keystore?: string;
  as?: string;
  confirmations?: string;
  send?: boolean;
}

/** A command that was called. */
export interface Call {
  hre: HardhatRuntimeEnvironment;
  common: Common;
  /** Takes a line of progress. */
  tell: (line: string) => void;
  /** Takes a line of results at once, for commands that go on. */
  emit: (line: string, json: object) => void;
}

/** What a command ends with: lines that people read, an object that programs read, and the exit code if it is not 0. */
export interface Ending {
  lines: string[];
  json: Record<string, unknown>;
  exitCode?: number;
}
