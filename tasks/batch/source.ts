import {
  openClaimBatchFile,
  openClaimBatchRecord,
  parseClaimBatchFile,
  parseClaimBatchRecord,
  publicPartOf,
  type BatchSource,
  type ClaimBatchFile,
  type OpenedGroup,
  type PublicPart,
} from "@carepact/sdk/claims";

import type { Call } from "../support/call";
import { parseJson, readText } from "../support/files";
import { addressIn, needed, usage } from "../support/input";
import { neededSealingKey, sealingKeyOf } from "../support/sealing";

/** A batch as options name it. */
export interface SourceOptions {
  file?: string;
  payee?: string;
  sealingKeystore?: string;
}

const isRecord = (text: string): boolean => {
  const value = parseJson(text, "--file");
  return typeof value === "object" && value !== null && "carepact" in value && value.carepact === "claim-batch-record";
};

/** The only payee that a file has a part for. */
const onlyPayee = ({ sealed }: ClaimBatchFile): string | undefined =>
  sealed.length === 1 ? sealed[0]?.payee : undefined;

/**
 * A batch, opened as far as the keys at hand open it: a record is open, a file is opened for its payee where a sealing key is named.
 * @throws INPUT_INVALID, and what the SDK throws for documents
 */
export async function sourceIn(
  call: Call,
  options: SourceOptions,
): Promise<{ source: BatchSource; batch: PublicPart }> {
  const text = await readText(needed(options, "file"), "--file");
  const source = await opened(call, options, text);
  return { source, batch: publicPartOf(source) };
}

async function opened(call: Call, options: SourceOptions, text: string): Promise<BatchSource> {
  if (isRecord(text)) return openClaimBatchRecord(parseClaimBatchRecord(text));
  const file = parseClaimBatchFile(text);
  const payee = options.payee === undefined ? onlyPayee(file) : addressIn(options.payee, "--payee");
  // Without a payee, a key in the environment is for something else.
  if (payee === undefined) return file;
  const privateKey = await sealingKeyOf(call, options.sealingKeystore);
  return privateKey === undefined ? file : openClaimBatchFile(file, { payee, privateKey });
}

/** A claim batch file, with whom it is to be opened for and by which key. */
export async function fileForOpening(
  call: Call,
  options: SourceOptions,
): Promise<{ file: ClaimBatchFile; payee: string; privateKey: string }> {
  const text = await readText(needed(options, "file"), "--file");
  if (isRecord(text)) throw usage("--file: this is a payer's record; a claim batch file is needed.", "--file");
  const file = parseClaimBatchFile(text);
  const payee = options.payee === undefined ? onlyPayee(file) : addressIn(options.payee, "--payee");
  if (payee === undefined)
    throw usage(`The file has parts for ${file.sealed.length} payees: say which by --payee.`, "--payee");
  return { file, payee, privateKey: await neededSealingKey(call, options.sealingKeystore) };
}

/** A payee's own group. */
export async function groupIn(call: Call, options: SourceOptions): Promise<OpenedGroup> {
  const { file, ...reader } = await fileForOpening(call, options);
  return openClaimBatchFile(file, reader);
}
