import { isCarepactError, type Json } from "@carepact/sdk";
import { saltedHashOf, toPlainJson } from "@carepact/sdk/encryption";

import { isElement, textOf, type Element } from "./elements";

/** What came back for a read. Whoever does the reading follows no redirect and gives up as the settings say. */
export type Answer =
  | {
      status: number;
      /** `Content-Type`, as it came. */
      contentType?: string;
      /** `ETag`, as it came. */
      etag?: string;
      body: string;
    }
  | { failed: "unreachable" | "timed-out" | "too-large" };

/** Why nothing can be said now. Trying again later may help; if not, the provider's server has to be mended. */
export type RetryReason =
  | "unreachable"
  | "timed-out"
  | "too-large"
  | "redirected"
  | "access-refused"
  | "rate-limited"
  | "server-error"
  | "unexpected-status"
  | "content-type"
  | "malformed"
  | "operation-outcome"
  | "version-contradicts"
  | "event-unreadable"
  | "changed-between-reads";

/** Why there is no resource: it does not exist (yet), or was deleted. */
export type AbsentReason = "not-found" | "deleted";

/** What an answer says. */
export type Seen =
  | { seen: "resource"; resource: Element; version: string | null; content: string }
  | { seen: "absent"; reason: AbsentReason }
  | { seen: "retry"; reason: RetryReason };

const FHIR_JSON = /^application\/(fhir\+)?json\s*(;|$)/i;

const retry = (reason: RetryReason): Seen => ({ seen: "retry", reason });

/**
 * What an answer says. `content` commits to the resource without what a server may change between two reads of one
 * version: its metadata and its narrative.
 */
export function seenIn(answer: Answer, salt: string, maxBytes: number): Seen {
  if ("failed" in answer) return retry(answer.failed);
  const { status, contentType = "", etag, body } = answer;
  if (status === 404) return { seen: "absent", reason: "not-found" };
  if (status === 410) return { seen: "absent", reason: "deleted" };
  if (status !== 200) return retry(reasonOf(status));
  // The body's length in UTF-16 units is never above its length in bytes.
  if (body.length > maxBytes) return retry("too-large");
  if (!FHIR_JSON.test(contentType)) return retry("content-type");

  const resource = parse(body);
  if (resource === undefined) return retry("malformed");
  if (resource["resourceType"] === "OperationOutcome") return retry("operation-outcome");
  const version = versionOf(resource, etag);
  if (version === undefined) return retry("version-contradicts");
  const content = saltedHashOf(salt, { ...resource, meta: undefined, text: undefined });
  return { seen: "resource", resource, version, content };
}

function reasonOf(status: number): RetryReason {
  if (status >= 300 && status < 400) return "redirected";
  if (status === 401 || status === 403) return "access-refused";
  if (status === 429) return "rate-limited";
  return status >= 500 ? "server-error" : "unexpected-status";
}

function parse(body: string): Element | undefined {
  try {
    const value: Json = toPlainJson(JSON.parse(body));
    return isElement(value) ? value : undefined;
  } catch (thrown) {
    // What no JSON is, and JSON that cannot be committed to: too deep, or with half of a surrogate pair.
    if (isCarepactError(thrown) || (thrown as Error).name === "SyntaxError") return undefined;
    throw thrown;
  }
}

/**
 * The version an answer is of: `meta.versionId`, and the weak ETag that FHIR asks for. Null where neither is stated.
 * @returns undefined where the two differ
 */
function versionOf(resource: Element, etag: string | undefined): string | null | undefined {
  const meta = isElement(resource["meta"]) ? resource["meta"] : {};
  const stated = textOf(meta["versionId"]);
  const tagged = etag === undefined ? undefined : /^W\/"([^"]*)"$/.exec(etag.trim())?.[1];
  if (stated !== undefined && tagged !== undefined && stated !== tagged) return undefined;
  return stated ?? tagged ?? null;
}
