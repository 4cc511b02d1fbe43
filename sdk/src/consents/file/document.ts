import { CarepactError, isCarepactError } from "../../errors";
import { jsonOfDocument, requireHead } from "../../claims/documents";
import { schemaReader } from "../../claims/schema";

import mandateSchema from "./mandate.schema.json";
import restrictionsSchema from "./restrictions.schema.json";
import sealedSchema from "./sealed.schema.json";
import grantSchema from "./signed-grant.schema.json";
import type { RestrictionsFile } from "./restrictions";
import type { MandateFile } from "./mandate";
import type { SealedGrant, SealedRestrictions } from "./sealing";
import type { SignedGrant } from "./signedGrant";

/** Version of all documents of consents. A reader takes its own and refuses later ones. */
export const CONSENT_FILE_VERSION = 1;

/** Largest document read unless the caller says otherwise: a grant takes about 2 KiB, and the FHIR Consent it may carry more. */
export const MAX_CONSENT_FILE_BYTES = 1024 * 1024;

interface Documents {
  grant: SignedGrant;
  mandate: MandateFile;
  restrictions: RestrictionsFile;
  "sealed-grant": SealedGrant;
  "sealed-restrictions": SealedRestrictions;
}

const readers: { [Kind in keyof Documents]: (value: unknown) => Documents[Kind] } = {
  grant: schemaReader(grantSchema, "FILE_MALFORMED", "signed grant"),
  mandate: schemaReader(mandateSchema, "FILE_MALFORMED", "mandate of a representative"),
  "sealed-grant": schemaReader(sealedSchema, "FILE_MALFORMED", "sealed grant"),
  "sealed-restrictions": schemaReader(sealedSchema, "FILE_MALFORMED", "sealed document of restrictions"),
  restrictions: schemaReader(restrictionsSchema, "FILE_MALFORMED", "document of restrictions"),
};

/**
 * @internal A copy of a value that is a document of this kind and version, and of the shape its schema asks for.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function readConsentDocument<Kind extends keyof Documents>(value: unknown, kind: Kind): Documents[Kind] {
  try {
    requireHead(value, kind, CONSENT_FILE_VERSION);
    return readers[kind](value);
  } catch (thrown) {
    if (isCarepactError(thrown)) throw thrown;
    // An object that throws when it is looked at.
    throw new CarepactError("FILE_MALFORMED", "The document cannot be read; pass plain JSON.", { path: "$" }, thrown);
  }
}

/** @internal Reads the text of a document. @throws FILE_TOO_BIG, and as {@link readConsentDocument} */
export function parseConsentDocument<Kind extends keyof Documents>(
  text: string,
  kind: Kind,
  maxBytes = MAX_CONSENT_FILE_BYTES,
): Documents[Kind] {
  return readConsentDocument(jsonOfDocument(text, maxBytes), kind);
}

/** @internal What is wrong with a part of a document, as what is wrong with the document. */
export function inDocument<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    if (!isCarepactError(thrown)) throw thrown;
    const { message, details } = thrown;
    const inner = details["path"];
    const below = typeof inner === "string" && inner.startsWith("$") ? inner.slice(1) : "";
    throw new CarepactError("FILE_MALFORMED", message, { ...details, path: path + below }, thrown);
  }
}

/** Part of a document that is not what another part commits to. */
export const tamperedWith = (path: string, problem: string): CarepactError =>
  new CarepactError("FILE_TAMPERED", `${path} ${problem}.`, { path });
