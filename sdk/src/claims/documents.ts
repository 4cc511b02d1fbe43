import { CarepactError } from "../errors";

/**
 * @internal Checks what all documents begin with: `carepact`, their kind, and `version`.
 * @param newest The version that this reader knows; later ones are refused, whatever they hold.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function requireHead(value: unknown, kind: string, newest: number): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CarepactError("FILE_MALFORMED", "A document is a JSON object.", { path: "$" });
  const { carepact, version } = value as { carepact?: unknown; version?: unknown };
  if (carepact !== kind)
    throw new CarepactError("FILE_WRONG_DOCUMENT", `This is no ${kind}: its "carepact" says otherwise.`, {
      path: "$.carepact",
      expected: kind,
      found: typeof carepact === "string" ? carepact.slice(0, 80) : null,
    });
  if (typeof version === "number" && Number.isInteger(version) && version > newest)
    throw new CarepactError(
      "FILE_VERSION_UNSUPPORTED",
      `This ${kind} has version ${version} and was made by a newer version; update the SDK.`,
      { path: "$.version", version, supported: newest },
    );
}

/** @internal The value in the text of a document. @throws FILE_TOO_BIG, FILE_MALFORMED */
export function jsonOfDocument(text: string, maxBytes: number): unknown {
  if (typeof text !== "string") throw new CarepactError("FILE_MALFORMED", "Pass the document's text.", { path: "$" });
  if (text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes)
    throw new CarepactError("FILE_TOO_BIG", `The document is larger than ${maxBytes} bytes.`, { maxBytes });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CarepactError("FILE_MALFORMED", "The text is not JSON; it may be cut short.", { path: "$" }, cause);
  }
}
