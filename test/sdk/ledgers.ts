import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { id } from "ethers";

import { eventKeyOf, type EventIdentity } from "@carepact/sdk/claims";
import { lmdbLedger, type LmdbLedger } from "@carepact/sdk/ledger";
import type { AttestedLine, ClaimedLine, LinePlace } from "@carepact/sdk/oracles";

export const SECRET = id("a ledger's secret");

/** A fill of a made-up pharmacy. */
const fillOf = (prescription: string): EventIdentity => ({
  kind: "dispense",
  pharmacyNpi: "1234567893",
  prescriptionReferenceNumber: prescription,
  fillNumber: 0,
  dateOfService: "2026-01-15",
});

export const batchNamed = (name: string): string => id(`batch ${name}`);
export const payerNamed = (name: string): string => `0x${id(`payer ${name}`).slice(-40)}`;

/** What is left open of a line: a fill for 40.00 of payer "one" in its batch "one". Amounts in cents. */
export interface Terms {
  event?: string;
  payer?: string;
  batch?: string;
  group?: number;
  line?: number;
  amount?: bigint;
  /** What others pay by this payer's decision. */
  others?: bigint;
  plan?: bigint;
  at?: number;
  currency?: string;
  decimals?: number;
}

/** The line as a ledger gives it back. */
export function attestedOf(terms: Terms = {}): AttestedLine {
  const { payer = "one", batch = payer, group = 0, line = 0, amount = 4_000n, others = 0n } = terms;
  return {
    chainId: 31337,
    escrow: payerNamed("escrow"),
    batchId: batchNamed(batch),
    payer: payerNamed(payer),
    group,
    line,
    currency: terms.currency ?? "USD",
    amount,
    together: (terms.plan ?? amount) + others,
    decimals: terms.decimals ?? 2,
    at: terms.at ?? 1_800_000_000,
  };
}

export const lineOf = (terms: Terms = {}): ClaimedLine => ({
  eventKey: eventKeyOf(fillOf(terms.event ?? "1")),
  ...attestedOf(terms),
});

export function placeOf(terms: Terms = {}): LinePlace {
  const { batchId, group, line, eventKey } = lineOf(terms);
  return { batchId, group, line, eventKey };
}

/** Files of ledgers, in a folder that is removed at the end. */
export interface LedgerFolder {
  /** Path of a file that nobody has used. */
  path(): string;
  /** Opens a ledger, a new one unless it is told of a file that is there. */
  open(path?: string, secret?: string, create?: boolean): LmdbLedger;
  remove(): Promise<void>;
}

export function ledgerFolder(): LedgerFolder {
  const folder = mkdtempSync(join(tmpdir(), "carepact-ledger-"));
  const opened: LmdbLedger[] = [];
  let files = 0;
  const path = (): string => join(folder, `${(files += 1)}.lmdb`);
  return {
    path,
    open: (at = path(), secret = SECRET, create = !existsSync(at)) => {
      const ledger = lmdbLedger({ path: at, secret, create });
      opened.push(ledger);
      return ledger;
    },
    remove: async () => {
      await Promise.all(opened.map((ledger) => ledger.close()));
      rmSync(folder, { recursive: true });
    },
  };
}
