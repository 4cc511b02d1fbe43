import { conclude, prepare, type Answer, type Conclusion, type Read, type Settings } from "./core";

/** How the driver reaches servers. */
export interface NodeOptions {
  /** Bearer tokens by the name that settings give them. */
  tokens?: Readonly<Record<string, string>>;
  /** Unix seconds; this machine's clock unless given. */
  now?: number;
}

/**
 * Answers a request as a node of the DON would, with Node's own HTTP: for tests, and for attesters that sign by
 * themselves. What to sign is the conclusion's `statement`.
 * @throws as `prepare`
 */
export async function runClaimEvents(
  request: unknown,
  settings: Settings,
  { tokens = {}, now = Math.floor(Date.now() / 1000) }: NodeOptions = {},
): Promise<Conclusion> {
  const prepared = prepare(request, settings);
  const passes: Answer[][] = [];
  for (let pass = 0; pass < settings.readsEach; pass++)
    passes.push(await Promise.all(prepared.reads.map((read) => answerTo(read, settings, tokens))));
  return conclude(prepared, passes, now);
}

/** Reads one resource. Follows no redirect, waits no longer and reads no more than the settings say. */
async function answerTo(
  { url, tokenSecret }: Read,
  { timeoutMs, maxBytes }: Settings,
  tokens: Readonly<Record<string, string>>,
): Promise<Answer> {
  const token = tokenSecret === undefined ? undefined : tokens[tokenSecret];
  const headers = {
    accept: "application/fhir+json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const body = await textOf(response, maxBytes);
    if (body === undefined) return { failed: "too-large" };
    const [contentType, etag] = [response.headers.get("content-type"), response.headers.get("etag")];
    return {
      status: response.status,
      ...(contentType === null ? {} : { contentType }),
      ...(etag === null ? {} : { etag }),
      body,
    };
  } catch (thrown) {
    return { failed: (thrown as Error).name === "TimeoutError" ? "timed-out" : "unreachable" };
  }
}

/** @returns undefined for a body above the limit, the rest of which is not read */
async function textOf({ body }: Response, maxBytes: number): Promise<string | undefined> {
  if (body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let read = 0;
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    read += value.length;
    if (read > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}
