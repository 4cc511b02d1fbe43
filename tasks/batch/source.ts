import { isCarepactError } from "@carepact/sdk";
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

interface Source {
  source: BatchSource;
  batch: PublicPart;
}

/** A batch as its document has it: no key is asked for. @throws INPUT_INVALID, and what the SDK throws for documents */
export async function sourceIn(options: Pick<SourceOptions, "file">): Promise<Source> {
  const text = await readText(needed(options, "file"), "--file");
  const source = isRecord(text) ? openClaimBatchRecord(parseClaimBatchRecord(text)) : parseClaimBatchFile(text);
  return { source, batch: publicPartOf(source) };
}

/**
 * A batch, opened as far as the keys at hand open it: a file is opened for its payee where a sealing key is named.
 * @throws as {@link sourceIn}
 */
export async function openedSourceIn(call: Call, options: SourceOptions): Promise<Source> {
  const { source, batch } = await sourceIn(options);
  if (!("sealed" in source)) return { source, batch };
  const payee = options.payee === undefined ? onlyPayee(source) : addressIn(options.payee, "--payee");
  // Without a payee, a key in the environment is for something else.
  if (payee === undefined) return { source, batch };
  const privateKey = await sealingKeyOf(call, options.sealingKeystore);
  if (privateKey === undefined) return { source, batch };
  try {
    const group = await openClaimBatchFile(source, { payee, privateKey });
    return { source: group, batch: group };
  } catch (thrown) {
    const isAsked = options.payee !== undefined || options.sealingKeystore !== undefined;
    if (isAsked || !isCarepactError(thrown, "SEALED_UNREADABLE")) throw thrown;
    call.tell(`The sealing key in the environment is not that of ${payee}: its part of the file stays closed.`);
    return { source, batch };
  }
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
