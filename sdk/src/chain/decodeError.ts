import { CarepactError, isCarepactError, type ErrorCode } from "../errors";
import { LEDGER_DENIED, REJECTED, SIGNS, type Sign } from "../errors/signs";
import { layersOf, read, type Layer } from "../errors/thrown";

import { isRevertData, knownRevertOf, parseRevert, revertError, type Revert } from "./revert";

/** ethers' codes for arguments that cannot be encoded, or are names where there is no ENS to look them up. */
const INVALID_INPUT = [
  "INVALID_ARGUMENT",
  "MISSING_ARGUMENT",
  "UNEXPECTED_ARGUMENT",
  "NUMERIC_FAULT",
  "UNCONFIGURED_NAME",
];

/** Words of wrappers that say nothing: what they wrap says more. */
const EMPTY_WORDS =
  /^(could not coalesce error|missing revert data|internal json-rpc error\.?|internal error|\[object Object\])$/i;
const MOST_QUOTED = 300;

/** What a node says when a contract reverted; `revert data` is ethers' word for what it misses. */
const REVERTED = /\brevert(ed)?\b(?! data)|VM execution error(?!.*out ?of ?gas)/i;
/** JSON-RPC code of geth, which others took over. */
const REVERT_CODE = 3;
/** Revert data, or the reason itself, in the words of a node that puts them there. */
const DATA_IN_WORDS = /(?:err|revert(?:ed)?):? (0x(?:[0-9a-f]{2})*)\b/i;
const REASON_IN_WORDS =
  /(?:execution reverted|\brevert): (?!revert\b|0x|custom error|panic)(.+?)(?: \(supplied gas \d+\))?$/i;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isHash = (value: unknown): value is string => isText(value) && /^0x[0-9a-f]{64}$/i.test(value);

/** What was found in what was thrown. */
interface Finding {
  code: ErrorCode;
  message: string;
  /** Layer that showed it. */
  by?: Layer | undefined;
  details?: Record<string, unknown>;
}

/** The code that a layer goes by, as it was given. */
function codeOf({ get }: Layer): string | number | undefined {
  const code = get("code");
  return typeof code === "string" || typeof code === "number" ? code : undefined;
}

/** A name such as DOMException's `AbortError` stands for a code. */
const namedWords = ({ get, words }: Layer): string => {
  const name = get("name");
  return name === "AbortError" || name === "TimeoutError" ? `${name}: ${words}` : words;
};

/** HTTP status of a server's answer that was no JSON-RPC. */
function statusOf({ get }: Layer): number | undefined {
  const status = get("responseStatus");
  return isText(status) ? parseInt(status, 10) : undefined;
}

const shows =
  ({ codes, words }: Sign) =>
  (layer: Layer): boolean =>
    codes?.some((code) => code === codeOf(layer) || code === statusOf(layer)) === true ||
    words?.test(namedWords(layer)) === true;

/** Somebody refused to sign, and a wallet or device says so by its code. */
function rejectionIn(layers: readonly Layer[]): Finding | undefined {
  const { code, codes = [], message } = REJECTED;
  const by = layers.find(
    (layer) => codes.some((given) => given === codeOf(layer)) || layer.get("statusCode") === LEDGER_DENIED,
  );
  return by && { code, message, by };
}

/** What a contract reverted with, if it did: by data, or by the words of a node that does not hand the data on. */
function revertIn(all: readonly Layer[]): Revert | undefined {
  const layers = all.filter((layer) => !isMined(layer));
  const data = layers
    .flatMap(({ get, words }) => [get("data"), words])
    .filter(isText)
    .map((text) => (text.startsWith("0x") ? text : DATA_IN_WORDS.exec(text)?.[1]))
    .filter(isText);
  for (const text of data) {
    const revert = knownRevertOf(text);
    if (revert !== undefined) return revert;
  }
  const saying = layers.filter((layer) => codeOf(layer) === REVERT_CODE || REVERTED.test(layer.words));
  if (saying.length === 0) return undefined;
  const unknown = data.find(isRevertData);
  if (unknown !== undefined) return parseRevert(unknown);
  const reason = saying.map(({ words }) => REASON_IN_WORDS.exec(words)?.[1]).find(isText);
  return reason === undefined ? parseRevert("0x") : { name: "Error", args: { message: reason } };
}

/** ethers' error for a transaction that was mined and reverted: the receipt does not say why. */
const isMined = (layer: Layer): boolean =>
  codeOf(layer) === "CALL_EXCEPTION" && isHash(read(layer.get("receipt"), "hash"));

/** What became of a transaction that was waited for. */
function outcomeIn(layers: readonly Layer[]): Finding | undefined {
  const mined = layers.find(isMined);
  if (mined !== undefined)
    return { code: "TRANSACTION_FAILED", message: "The transaction was mined, but reverted.", by: mined };
  const by = layers.find((layer) => codeOf(layer) === "TRANSACTION_REPLACED");
  if (by === undefined) return undefined;
  const replacedBy = [by.get("hash"), read(by.get("replacement"), "hash")].find(isHash);
  const message =
    by.get("cancelled") === false
      ? "The transaction was sped up: the same call stands under another hash."
      : "The transaction was replaced by another in the wallet, and will not be mined.";
  return { code: "TRANSACTION_REPLACED", message, by, details: replacedBy === undefined ? {} : { replacedBy } };
}

/** What ethers could not encode, or not decode. */
function misuseIn(layers: readonly Layer[]): Finding | undefined {
  const by = layers.find((layer) => INVALID_INPUT.includes(String(codeOf(layer))));
  const argument = by?.get("argument");
  if (by !== undefined)
    return {
      code: "INPUT_INVALID",
      message: `${by.words || "An argument cannot be encoded"}.`,
      by,
      details: { path: isText(argument) ? argument : null },
    };
  const nothing = layers.find((layer) => codeOf(layer) === "BAD_DATA" && layer.get("value") === "0x");
  return nothing && { code: "CONTRACT_MISSING", message: "There is no such contract at this address.", by: nothing };
}

/** What codes and words are signs of. */
function signIn(layers: readonly Layer[]): Finding | undefined {
  const quoted = wordsOf(layers);
  for (const sign of [REJECTED, ...SIGNS]) {
    const by = layers.find(shows(sign));
    if (by !== undefined) return { code: sign.code, message: `${sign.message}${quoted && ` (${quoted})`}`, by };
  }
  return undefined;
}

/** Data alone, of no error that is known here. */
function unknownRevertIn(layers: readonly Layer[]): Revert | undefined {
  const data = layers.map(({ get }) => get("data")).find(isRevertData);
  return data === undefined ? undefined : parseRevert(data);
}

/** What was thrown, in its own words: the first that say something. */
function wordsOf(layers: readonly Layer[]): string {
  const words = layers.map((layer) => layer.words).filter(isText);
  const text = words.find((text) => !EMPTY_WORDS.test(text)) ?? words[0] ?? "";
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text;
}

/** The transaction that was sent, where a node or receipt names it. */
function txHashIn(layers: readonly Layer[]): string | undefined {
  return (
    layers
      // This one names only the transaction that was mined instead.
      .filter((layer) => codeOf(layer) !== "TRANSACTION_REPLACED")
      .flatMap(({ get }) => [get("txHash"), get("transactionHash"), read(get("receipt"), "hash")])
      .find(isHash)
  );
}

/**
 * Anything thrown by a call, a transaction or a wallet, as the SDK's own error: whatever it is, and however deep its
 * reason is wrapped. Never throws. An error of the SDK, or of a copy of it, comes back as it is.
 */
export function decodeError(thrown: unknown): CarepactError {
  if (isCarepactError(thrown)) return thrown;
  const layers = layersOf(thrown);
  const txHash = txHashIn(layers);
  // A contract may say anything, so that words count only when none spoke.
  const found: Finding | Revert = rejectionIn(layers) ??
    revertIn(layers) ??
    outcomeIn(layers) ??
    misuseIn(layers) ??
    signIn(layers) ??
    unknownRevertIn(layers) ?? {
      code: "TRANSACTION_FAILED",
      message: wordsOf(layers) || "The call failed, and nothing says why.",
      by: layers[0],
    };
  if ("name" in found) return revertError(found, thrown, txHash);
  const { code, message, by, details } = found;
  const given = by && codeOf(by);
  return new CarepactError(code, message, { ...(given !== undefined && { code: given }), ...details }, thrown, {
    txHash,
  });
}
