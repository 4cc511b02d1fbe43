import { id } from "ethers";

import { schemaReader } from "../claims/schema";
import { canonicalJson } from "../encryption";
import { CarepactError } from "../errors";
import type { TypedMessage } from "../signers";

import historySchema from "./access-history.schema.json";
import { historyMessage } from "./messages";
import type { Compartment } from "./trail";
import { requireStatement, type AccessEntry, type AccessStatement } from "./types";

/** For whom a history is made. */
export type HistoryView = "patient" | "representative";

/** An entry of a history, with what opens it. */
export interface HistoryEntry {
  number: number;
  statement: AccessStatement;
  /** Salt of the statement's hash. */
  salt: string;
  /** Opens the place that the receipt names. */
  blind: string;
  /** The gateway's receipt, see `receiptMessage`. */
  signature: string;
}

/** A trail of a history. */
export interface HistoryTrail {
  /** Opens the trail's name. */
  salt: string;
  entries: HistoryEntry[];
}

/** How far the trails went under one anchored root, with the proof. */
export interface HistoryRoot {
  sequence: number;
  trails: Partial<Record<Compartment, { count: number; blind: string }>>;
  /** Leaf of the trail that is not shown. */
  other?: string;
  position: number;
  width: number;
  proof: string[];
}

/**
 * What one gateway noted of a patient's record (`access-history.schema.json`): every entry, and a proof for each root
 * under which there were more than under the one before, and for the newest. Health data in the clear.
 */
export interface AccessHistory {
  carepact: "access-history";
  version: 1;
  chainId: number;
  accessLog: string;
  gateway: string;
  patient: string;
  view: HistoryView;
  /** Unix seconds, by the chain's clock. */
  at: number;
  /** Empty where the gateway noted nothing. For a representative without `own`. */
  trails: Partial<Record<Compartment, HistoryTrail>>;
  roots: HistoryRoot[];
  /** The gateway's over {@link historyMessage}: it says that this is all. */
  signature: string;
}

/** Version of all documents about accesses. A reader takes its own and refuses later ones. */
export const ACCESS_HISTORY_VERSION = 1;

/** Largest history read unless the caller says otherwise: about 30,000 entries. */
export const MAX_HISTORY_BYTES = 32 * 1024 * 1024;

const malformed = (message: string, path: string): CarepactError =>
  new CarepactError("ACCESS_HISTORY_MALFORMED", message, { path });

const readJson = schemaReader<AccessHistory>(historySchema, "ACCESS_HISTORY_MALFORMED", "history");

/**
 * Reads a history of whatever origin. What it says is another matter: {@link audit} it.
 * @throws ACCESS_HISTORY_MALFORMED, FILE_VERSION_UNSUPPORTED, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN
 */
export function readHistory(value: unknown): AccessHistory {
  const { version } = (typeof value === "object" && value !== null ? value : {}) as { version?: unknown };
  if (typeof version === "number" && Number.isInteger(version) && version > ACCESS_HISTORY_VERSION)
    throw new CarepactError("FILE_VERSION_UNSUPPORTED", "The history was made by a newer version: update the SDK.", {
      path: "$.version",
      version,
      supported: ACCESS_HISTORY_VERSION,
    });
  const history = readJson(value);
  const { shared, own } = history.trails;
  const isEmpty = shared === undefined && own === undefined;
  if (!isEmpty && (shared === undefined || (own === undefined) !== (history.view === "representative")))
    throw malformed("A patient's history has both trails, a representative's the shared one.", "$.trails");
  history.roots.forEach(({ trails, other }, i) => {
    if (isEmpty || (trails.own === undefined) !== (own === undefined) || (other === undefined) !== (own !== undefined))
      throw malformed("A root is about the trails that are shown.", `$.roots[${i}].trails`);
  });
  for (const trail of [shared, own])
    for (const entry of trail?.entries ?? []) entry.statement = requireStatement(entry.statement);
  return history;
}

/**
 * Reads the text of a history.
 * @param options.maxBytes Largest text that is read; 32 MiB unless given
 * @throws FILE_TOO_BIG, and what {@link readHistory} throws
 */
export function parseHistory(text: string, options: { maxBytes?: number } = {}): AccessHistory {
  const { maxBytes = MAX_HISTORY_BYTES } = options;
  if (typeof text !== "string") throw malformed("Pass the document's text.", "$");
  if (text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes)
    throw new CarepactError("FILE_TOO_BIG", `The history is larger than ${maxBytes} bytes.`, { maxBytes });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed("The text is not JSON; it may be cut short.", "$");
  }
  return readHistory(value);
}

/** Message under which a gateway signs a history. @throws INPUT_INVALID */
export function messageOfHistory(history: Omit<AccessHistory, "signature">): TypedMessage {
  const unsigned: Partial<AccessHistory> & Omit<AccessHistory, "signature"> = { ...history };
  delete unsigned.signature;
  const { gateway, patient, at } = unsigned;
  return historyMessage(unsigned, { gateway, patient, at, content: id(canonicalJson(unsigned)) });
}

/** Entries of a history in the order of their times; those of one second as they are numbered. */
export function entriesOf({ trails }: AccessHistory): AccessEntry[] {
  return [trails.shared, trails.own]
    .flatMap((trail) => trail?.entries ?? [])
    .map(({ number, statement }): AccessEntry => ({ ...statement, number }))
    .sort((a, b) => a.at - b.at);
}
