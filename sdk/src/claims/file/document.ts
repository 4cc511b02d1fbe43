import type { Json } from "../../errors";
import type { Token } from "../../money";
import { jsonOfDocument, requireHead } from "../documents";
import type { EventIdentity } from "../input/event";
import { schemaReader } from "../schema";
import type { ClaimBatchTerms, Group } from "../types";

import fileSchema from "./claim-batch-file.schema.json";
import partSchema from "./claim-batch-part.schema.json";
import recordSchema from "./claim-batch-record.schema.json";
import type { LineDetailJson } from "./detail";
import type { PatientKey } from "./patientKeys";
import type { RulebookJson } from "../../rulebooks/rulebook";

/** Version of all three documents. A reader takes its own and refuses later ones. */
export const CLAIM_BATCH_FILE_VERSION = 1;

/** Largest document read unless the caller says otherwise: 500 lines with claims of 32 KiB each fit, sealed or not. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** What all may see of a claim batch; amounts are decimal strings of base units. */
export interface PublicPartJson {
  chainId: number;
  escrow: string;
  batchId: string;
  terms: Omit<ClaimBatchTerms, "total" | "salt"> & { total: string; salt: string };
  groups: (Omit<Group, "subtotal"> & { subtotal: string })[];
  token: Token;
  rulebook: RulebookJson;
}

/** One payee's part, sealed. */
export interface SealedPartJson {
  payee: string;
  /** HPKE's encapsulated key, hex. */
  enc: string;
  /** Base64. */
  ciphertext: string;
  /** Version of the payee's key in the registry. */
  hpkeKeyVersion: number;
}

/** What a payer sends the payees of a claim batch (`claim-batch-file.schema.json`). */
export interface ClaimBatchFile extends PublicPartJson {
  carepact: "claim-batch";
  version: 1;
  sealed: SealedPartJson[];
}

/** One line in a part: the salted pieces of its manifest leaf, and the leaf's proof. */
export interface PartLineJson {
  /** Index in the part's claims. */
  claim: number;
  event: EventIdentity;
  detail: LineDetailJson;
  eventSalt: string;
  contentSalt: string;
  detailSalt: string;
  proof: string[];
  /** Keys of which one says yes for the patient, where the batch commits to any for this line. */
  patient?: { signers: PatientKey[] };
}

/** One payee's part in the clear (`claim-batch-part.schema.json`). */
export interface ClaimBatchPart {
  carepact: "claim-batch-part";
  version: 1;
  chainId: number;
  escrow: string;
  batchId: string;
  payee: string;
  group: number;
  firstLine: number;
  hpkeKeyVersion: number;
  token: Token;
  linesSalt: string;
  amounts: string[];
  linesProof: string[];
  claims: { claimId: string; resource: Json }[];
  lines: PartLineJson[];
}

/**
 * A payer's own record of a claim batch (`claim-batch-record.schema.json`). Holds health data in the clear: never sent.
 */
export interface ClaimBatchRecord extends PublicPartJson {
  carepact: "claim-batch-record";
  version: 1;
  parts: ClaimBatchPart[];
}

interface Documents {
  "claim-batch": ClaimBatchFile;
  "claim-batch-part": ClaimBatchPart;
  "claim-batch-record": ClaimBatchRecord;
}

const readers: { [Kind in keyof Documents]: (value: unknown) => Documents[Kind] } = {
  "claim-batch": schemaReader(fileSchema, "FILE_MALFORMED", "claim batch file"),
  "claim-batch-part": schemaReader(partSchema, "FILE_MALFORMED", "part of a claim batch", [fileSchema]),
  "claim-batch-record": schemaReader(recordSchema, "FILE_MALFORMED", "claim batch record", [fileSchema, partSchema]),
};

/**
 * Checks that a value is a document of this kind and version, and of the shape its schema asks for.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function readDocument<Kind extends keyof Documents>(value: unknown, kind: Kind): Documents[Kind] {
  requireHead(value, kind, CLAIM_BATCH_FILE_VERSION);
  return readers[kind](value);
}

/**
 * Reads the text of a document.
 * @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function parseDocument<Kind extends keyof Documents>(
  text: string,
  kind: Kind,
  maxBytes: number = MAX_FILE_BYTES,
): Documents[Kind] {
  return readDocument(jsonOfDocument(text, maxBytes), kind);
}

/**
 * Reads the text of a claim batch file. Its hashes are checked when it is opened.
 * @param options.maxBytes Largest text that is read; 32 MiB unless given.
 * @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function parseClaimBatchFile(text: string, options: { maxBytes?: number } = {}): ClaimBatchFile {
  return parseDocument(text, "claim-batch", options.maxBytes);
}

/**
 * Reads the text of a claim batch record. Its hashes are checked when it is opened.
 * @param options.maxBytes Largest text that is read; 32 MiB unless given.
 * @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function parseClaimBatchRecord(text: string, options: { maxBytes?: number } = {}): ClaimBatchRecord {
  return parseDocument(text, "claim-batch-record", options.maxBytes);
}
