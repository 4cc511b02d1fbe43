import { isHexString } from "ethers";

import type { Attestation, AttestationStatement } from "@carepact/sdk/claims";

import { readEntries } from "../support/files";
import { listIn, usage } from "../support/input";

type Entry = Record<string, unknown>;

const statementTexts = ["batchId", "results", "evidence"] as const;
const texts = [...statementTexts, "signer", "signature"] as const;
const times = ["observedAt", "validUntil"] as const;

const entryOf = (value: unknown): Entry => (typeof value === "object" && value !== null ? value : {}) as Entry;

const fits = (entry: Entry, names: readonly string[]): boolean =>
  names.every((name) => typeof entry[name] === "string") && times.every((name) => Number.isSafeInteger(entry[name]));

/** Whether something is a list of openings of a patient's key; none are none. */
const isPatient = (value: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) &&
    value.map(entryOf).every(({ line, salt, proof }) => {
      const hashes: unknown[] = Array.isArray(proof) ? [salt, ...(proof as unknown[])] : [undefined];
      return Number.isSafeInteger(line) && hashes.every((hash) => typeof hash === "string");
    }));

/** Attestations of a file, as to their shape; what they say is checked where they are used. @throws INPUT_INVALID */
export async function attestationsIn(path: string, option: string): Promise<Attestation[]> {
  return (await readEntries(path, option)).map((value) => {
    const entry = entryOf(value);
    if (!fits(entry, texts) || !isPatient(entry["patient"]))
      throw usage(`${option}: ${path} holds something that is no attestation.`, option);
    return entry as unknown as Attestation;
  });
}

/** The same of several files, with commas between. @throws INPUT_INVALID */
export const attestationsOf = async (paths: string, option: string): Promise<Attestation[]> =>
  (await Promise.all(listIn(paths).map((path) => attestationsIn(path, option)))).flat();

/** The statement of a file, as to its shape: signed by nobody, or by somebody whose signature is left out. @throws INPUT_INVALID */
export async function statementIn(path: string, option: string): Promise<AttestationStatement> {
  const entries = await readEntries(path, option);
  const entry = entryOf(entries[0]);
  const { batchId: id, results: bytes, evidence: salted } = entry;
  const isHex = isHexString(id, 32) && isHexString(bytes) && isHexString(salted, 32);
  if (entries.length !== 1 || !isHex || !fits(entry, statementTexts))
    throw usage(
      `${option}: ${path} is no statement: one object with batchId, results, observedAt, validUntil and evidence.`,
      option,
    );
  const { batchId, results, observedAt, validUntil, evidence } = entry as unknown as AttestationStatement;
  return { batchId: batchId.toLowerCase(), results, observedAt, validUntil, evidence };
}
