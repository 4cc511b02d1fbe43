/// <reference types="node" />
import { closeSync, openSync, readSync } from "node:fs";

import { getBytes, isBytesLike, toUtf8Bytes, type BytesLike } from "ethers";
import { open, type RootDatabase } from "lmdb";

import { canonicalJson } from "../encryption";
import { CarepactError, isCarepactError } from "../errors";
import type { AttestationLedger, AttestedLine, Observation } from "../oracles";
import { claimLines, observeResults, releaseLines, type LedgerRows } from "../oracles/ledger";

import { vaultOf, type Vault } from "./vault";

/** A ledger in a database file. */
export interface LmdbLedger extends AttestationLedger {
  /** Closes the file. Whatever is asked afterwards throws LEDGER_UNREADABLE. */
  close(): Promise<void>;
}

/** Where a ledger is, and what it is kept secret with. */
export interface LmdbLedgerOptions {
  /** Path of the database file, on a local disk. LMDB keeps `<path>-lock` beside it. */
  path: string;
  /**
   * 32 random bytes, or their hex. Keep them apart from the file (a key store, not the same backup): whoever has both can try out
   * which events were attested. Without them the file is useless, also to its owner.
   */
  secret: BytesLike;
  /**
   * Makes the ledger where there is none. Only when an attester is set up: later, a file that is missing (another disk, another
   * folder) would be a ledger that knows of nothing.
   */
  create?: boolean;
}

/** Which of LEDGER_UNREADABLE it is. */
type Reason = "closed" | "damaged" | "missing" | "notALedger" | "secret" | "version";

/** Name of the row that says what this is: no event's, which are 32 bytes long. */
const HEAD = toUtf8Bytes("carepact-ledger");
const VERSION = 1;

/**
 * Opens a ledger in a database file (LMDB, the optional peer dependency `lmdb`). Any number of processes of one
 * machine may have it open at once: one after the other writes, and a write is on disk before it returns. Which events are in
 * it, and where they were attested, is sealed under the secret.
 * @throws LEDGER_UNREADABLE, with `details.reason`: `missing`, `notALedger`, `secret` (made with another one), `version` (made by a newer
 * SDK), `damaged`, `closed`. INPUT_INVALID for a secret of another length.
 */
export function lmdbLedger({ path, secret, create = false }: LmdbLedgerOptions): LmdbLedger {
  if (!isBytesLike(secret) || getBytes(secret).length !== 32)
    throw new CarepactError("INPUT_INVALID", "A ledger's secret is 32 bytes, or their hex.", { path: "secret" });
  const vault = vaultOf(getBytes(secret));
  const database = openDatabase(path, create);
  let closed = false;
  const fail = (reason: Reason, cause?: unknown): CarepactError => unreadable(path, reason, cause);
  /** All of `work` or nothing, while no other process writes. */
  const alone = <Value>(work: () => Value): Value => {
    if (closed) throw fail("closed");
    try {
      return database.transactionSync(work);
    } catch (thrown) {
      throw isCarepactError(thrown) ? thrown : fail("damaged", thrown);
    }
  };
  const rows = rowsOf(database, vault);
  try {
    alone(() => claimHead(database, vault, fail));
  } catch (thrown) {
    void database.close();
    throw thrown;
  }
  // Not async functions around them: what they throw has to reject all the same.
  const later = <Value>(work: () => Value): Promise<Value> => new Promise((resolve) => resolve(alone(work)));
  return {
    claim: (lines, coordinatesWith = []) => later(() => claimLines(rows, lines, coordinatesWith)),
    release: (lines) => later(() => releaseLines(rows, lines)),
    observe: (batchId, results, observedAt) => later(() => observeResults(rows, batchId, results, observedAt)),
    attested: (eventKey) => later(() => [...rows.get(eventKey)]),
    close: async () => {
      if (closed) return;
      closed = true;
      await database.close();
    },
  };
}

type Database = RootDatabase<Uint8Array, Uint8Array>;

const messages: Record<Reason, string> = {
  closed: "was closed",
  damaged: "is damaged, or cannot be written: restore nothing older, for that would forget events",
  missing: "is not there: look for it before you make a new one with `create`, which knows of no event",
  notALedger: "is another file than a ledger",
  secret: "was made with another secret",
  version: "was made by a newer version: update the SDK",
};

const unreadable = (path: string, reason: Reason, cause?: unknown): CarepactError =>
  new CarepactError("LEDGER_UNREADABLE", `The ledger at ${path} ${messages[reason]}.`, { path, reason }, cause);

function openDatabase(path: string, create: boolean): Database {
  const found = lookAt(path);
  if (found === "foreign") throw unreadable(path, "notALedger");
  if (found === "nothing" && !create) throw unreadable(path, "missing");
  try {
    // No event is attested on the strength of a row that is not on disk: hence no overlapping sync.
    return open({ path, noSubdir: true, keyEncoding: "binary", encoding: "binary", overlappingSync: false });
  } catch (thrown) {
    throw unreadable(path, "damaged", thrown);
  }
}

/** In the first page of each LMDB file, in the machine's order of bytes. */
const LMDB_MAGIC = 0xbeefc0de;

/** What is in a file: LMDB ends the process at one that is not its own. */
function lookAt(path: string): "database" | "foreign" | "nothing" {
  const head = new DataView(new ArrayBuffer(64));
  let length: number;
  try {
    const file = openSync(path, "r");
    try {
      length = readSync(file, head, 0, head.byteLength, 0);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === "ENOENT") return "nothing";
    throw unreadable(path, "notALedger", thrown);
  }
  if (length === 0) return "nothing";
  const words = Array.from({ length: Math.floor(length / 4) }, (_, i) => i * 4);
  const isMagic = (at: number): boolean => [true, false].some((little) => head.getUint32(at, little) === LMDB_MAGIC);
  return words.some(isMagic) ? "database" : "foreign";
}

/** Marks a new database as a ledger of this secret, or looks whether an old one is. The mark stands behind one byte of version. */
function claimHead(database: Database, vault: Vault, fail: (reason: Reason) => CarepactError): void {
  const head = database.get(HEAD);
  if (head === undefined) {
    if (database.getKeysCount({ limit: 1 }) > 0) throw fail("notALedger");
    database.putSync(HEAD, Uint8Array.of(VERSION, ...vault.mark));
    return;
  }
  if (head[0] !== VERSION) throw fail("version");
  if (!vault.fits(head.subarray(1))) throw fail("secret");
}

type LineJson = Omit<AttestedLine, "amount" | "together"> & { amount: string; together: string };

/** Names of a batch's rows. Event keys, which name the others, are JSON objects. */
const observedName = (batchId: string): string => `observed ${batchId.toLowerCase()}`;

function rowsOf(database: Database, vault: Vault): LedgerRows {
  const read = (about: string): string | undefined => {
    const name = vault.nameOf(about);
    const sealed = database.get(name);
    return sealed === undefined ? undefined : vault.open(name, sealed);
  };
  const write = (about: string, text: string): void => {
    const name = vault.nameOf(about);
    database.putSync(name, vault.seal(name, text));
  };
  return {
    get: (eventKey) =>
      (JSON.parse(read(eventKey) ?? "[]") as LineJson[]).map((line) => ({
        ...line,
        amount: BigInt(line.amount),
        together: BigInt(line.together),
      })),
    put: (eventKey, lines) => {
      if (lines.length === 0) database.removeSync(vault.nameOf(eventKey));
      else
        write(
          eventKey,
          canonicalJson(
            lines.map((line) => ({ ...line, amount: line.amount.toString(), together: line.together.toString() })),
          ),
        );
    },
    observed: (batchId) => {
      const text = read(observedName(batchId));
      return text === undefined ? undefined : (JSON.parse(text) as Observation);
    },
    putObserved: (batchId, { results, observedAt }) =>
      write(observedName(batchId), canonicalJson({ results, observedAt })),
  };
}
