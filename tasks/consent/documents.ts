import {
  openSealedGrant,
  openSealedRestrictions,
  parseRestrictions,
  parseSealedGrant,
  parseSealedRestrictions,
  parseSignedGrant,
  type RestrictionsFile,
  type SignedGrant,
} from "@carepact/sdk/consents";

import type { Call } from "../support/call";
import { parseJson, readText } from "../support/files";
import { needed } from "../support/input";
import { neededSealingKey } from "../support/sealing";

/** A grant as options name it. */
export interface GrantOptions {
  file?: string;
  sealingKeystore?: string;
}

/** What a document says that it is. */
export function kindOf(text: string, option: string): unknown {
  const value = parseJson(text, option);
  return typeof value === "object" && value !== null && "carepact" in value ? value.carepact : undefined;
}

/** The grant in a file, opened if it is sealed. @throws INPUT_INVALID, and what the SDK throws for documents */
export async function grantIn(call: Call, options: GrantOptions): Promise<SignedGrant> {
  const text = await readText(needed(options, "file"), "--file");
  return grantOf(call, text, options);
}

/** The same out of its text. */
export async function grantOf(call: Call, text: string, options: GrantOptions): Promise<SignedGrant> {
  if (kindOf(text, "--file") !== "sealed-grant") return parseSignedGrant(text);
  const sealed = parseSealedGrant(text);
  return openSealedGrant(sealed, await neededSealingKey(call, options.sealingKeystore));
}

/** Restrictions out of their text, opened if they are sealed. @throws INPUT_INVALID, and what the SDK throws for documents */
export async function restrictionsOf(
  call: Call,
  text: string,
  { sealingKeystore }: GrantOptions,
  option = "--file",
): Promise<RestrictionsFile> {
  if (kindOf(text, option) !== "sealed-restrictions") return parseRestrictions(text);
  const sealed = parseSealedRestrictions(text);
  return openSealedRestrictions(sealed, await neededSealingKey(call, sealingKeystore));
}

/** Those that are brought with a grant; undefined where there are none. */
export async function restrictionsIn(
  call: Call,
  options: GrantOptions & { restrictions?: string },
): Promise<RestrictionsFile | undefined> {
  const { restrictions } = options;
  if (restrictions === undefined) return undefined;
  return restrictionsOf(call, await readText(restrictions, "--restrictions"), options, "--restrictions");
}
