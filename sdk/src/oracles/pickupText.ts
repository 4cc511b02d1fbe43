import {
  concat,
  dataLength,
  dataSlice,
  decodeRlp,
  encodeRlp,
  getAddress,
  getBytes,
  hexlify,
  toBeHex,
  toBeArray,
  toNumber,
  toUtf8Bytes,
  toUtf8String,
  type RlpStructuredData,
} from "ethers";

import { attestationDigestOf, groupsHashOf, packGroup, unpackGroup } from "../claims/types";
import { CarepactError } from "../errors";
import { base64Url, fromBase64Url } from "../signers/webAuthn";

import type { PickupRequest } from "./pickup";

/** Most characters that one QR code holds (version 40, error correction L, as bytes). */
const MOST_CHARACTERS = 2953;
const VERSION = 1;
const WORD = 32;

const malformed = (what: string, cause?: unknown): CarepactError =>
  new CarepactError("PICKUP_REQUEST_INVALID", `This is ${what}.`, { reason: "malformed" }, cause);

const number = (value: number | bigint): string => hexlify(toBeArray(value));

/** RLP, since it is short and says each value in one way only. */
const encoded = (values: RlpStructuredData): string => base64Url(getBytes(encodeRlp(values)));

function decoded(text: string, what: string): RlpStructuredData {
  if (text.length > MOST_CHARACTERS) throw malformed(what);
  try {
    return decodeRlp(fromBase64Url(text, "text"));
  } catch (cause) {
    throw malformed(what, cause);
  }
}

/** See `pickupUrl`. */
export function urlOfRequest(request: PickupRequest, page: string): string {
  if (!/^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)(?=[:/]))[^\s#]+$/.test(page))
    throw new CarepactError("INPUT_INVALID", "The page's address begins with https:// and has no #.", { path: "page" });
  const url = `${page}#pickup=${textOfRequest(request)}`;
  if (url.length > MOST_CHARACTERS)
    throw new CarepactError(
      "PICKUP_REQUEST_INVALID",
      `The request does not fit a QR code: ${url.length} characters, at most ${MOST_CHARACTERS}. Ask about fewer lines at once.`,
      { reason: "tooLarge" },
    );
  return url;
}

function textOfRequest({ chainId, escrow, terms, groups, token, statement, roots, lines }: PickupRequest): string {
  return encoded([
    number(VERSION),
    number(chainId),
    escrow,
    [terms.payer, terms.token, terms.manifestRoot, terms.rulebook, number(terms.eventBy), number(terms.salt)],
    concat(groups.map((group) => toBeHex(packGroup(group), WORD))),
    [hexlify(toUtf8Bytes(token.symbol)), number(token.decimals)],
    [
      statement.batchId,
      statement.results,
      number(statement.observedAt),
      number(statement.validUntil),
      statement.evidence,
    ],
    concat(roots),
    lines.map(({ line, salt, path }) => [number(line), concat([salt, ...path])]),
  ]);
}

/** See `readPickupRequest`. Reads the one spelling that is written here. */
export function requestOfUrl(url: string): PickupRequest {
  const what = "no request to confirm a pick-up, or not the whole of it";
  const [, text] = /#pickup=([\w-]+)$/.exec(typeof url === "string" && url.length <= MOST_CHARACTERS ? url : "") ?? [];
  if (text === undefined) throw malformed(what);
  const values = decoded(text, what);
  let request: PickupRequest;
  try {
    request = requestFrom(values as RequestRlp);
    if (textOfRequest(request) === text) return request;
  } catch (cause) {
    throw malformed(what, cause);
  }
  throw malformed(what);
}

type RequestRlp = [
  version: string,
  chainId: string,
  escrow: string,
  terms: [payer: string, token: string, manifestRoot: string, rulebook: string, eventBy: string, salt: string],
  groups: string,
  token: [symbol: string, decimals: string],
  statement: [batchId: string, results: string, observedAt: string, validUntil: string, evidence: string],
  roots: string,
  lines: [line: string, saltAndPath: string][],
];

function requestFrom(values: RequestRlp): PickupRequest {
  const [version, chainId, escrow, terms, packed, [symbol, decimals], statement, roots, lines] = values;
  if (toNumber(version) !== VERSION) throw new Error("Another version.");
  const groups = words(packed).map((word) => unpackGroup(BigInt(word)));
  const [details, amounts] = words(roots) as [string, string];
  return {
    chainId: integer(chainId),
    escrow: getAddress(escrow),
    terms: {
      payer: getAddress(terms[0]),
      token: getAddress(terms[1]),
      total: groups.reduce((sum, { subtotal }) => sum + subtotal, 0n),
      groupsHash: groupsHashOf(groups),
      manifestRoot: word(terms[2]),
      rulebook: word(terms[3]),
      eventBy: integer(terms[4], TIME_BYTES),
      salt: unsigned(terms[5], SALT_BYTES),
    },
    groups,
    token: { symbol: toUtf8String(symbol), decimals: integer(decimals) },
    statement: {
      batchId: word(statement[0]),
      results: hexlify(statement[1]),
      observedAt: integer(statement[2], TIME_BYTES),
      validUntil: integer(statement[3], TIME_BYTES),
      evidence: word(statement[4]),
    },
    roots: [details, amounts],
    lines: lines.map(([line, saltAndPath]) => {
      const [salt, ...path] = words(saltAndPath) as [string, ...string[]];
      return { line: integer(line), salt, path };
    }),
  };
}

const TIME_BYTES = 5;
const SALT_BYTES = 8;

const integer = (hex: string, bytes = 6): number => Number(unsigned(hex, bytes));

function unsigned(hex: string, bytes: number): bigint {
  if (dataLength(hex) > bytes) throw new Error("Too large.");
  return hex === "0x" ? 0n : BigInt(hex);
}

function word(hex: string): string {
  if (dataLength(hex) !== WORD) throw new Error("Not a word.");
  return hex;
}

function words(hex: string): string[] {
  const count = dataLength(hex) / WORD;
  if (count === 0) throw new Error("No words.");
  return Array.from({ length: count }, (_, i) => dataSlice(hex, i * WORD, (i + 1) * WORD));
}

const digestOf = (request: PickupRequest): string => attestationDigestOf(request.statement, request);

/** See `pickupAnswer`. */
export const textOfAnswer = (request: PickupRequest, signer: string, signature: string): string =>
  encoded([number(VERSION), digestOf(request), signer, signature]);

/** See `readPickupAnswer`. */
export function answerOfText(
  text: string,
  request: PickupRequest,
): { isSame: boolean; signer: string; signature: string } {
  const what = "no answer to a request to confirm a pick-up, or not the whole of it";
  const trimmed = typeof text === "string" ? text.trim() : "";
  const values = decoded(trimmed, what);
  const parts = Array.isArray(values) ? values : [];
  const [version, digest, signer, signature] = parts;
  if (parts.length !== 4 || version !== toBeHex(VERSION) || !parts.every((part) => typeof part === "string"))
    throw malformed(what);
  return { isSame: digest === digestOf(request), signer: signer as string, signature: signature as string };
}
