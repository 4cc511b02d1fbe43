import { requireAddress } from "../../claims/types";

import {
  requireMandate,
  requireSignedMandate,
  type RegistryRef,
  type RepresentativeMandate,
  type SignedMandate,
} from "../types";

import { inDocument, parseConsentDocument, readConsentDocument } from "./document";
import { packed, unpacked, type Packed } from "./signedGrant";

/**
 * What a personal representative keeps (`mandate.schema.json`): the mandate, and the signature of who controls the record.
 * JSON as it is. Its end may tell a birthday: send it sealed.
 */
export interface MandateFile {
  carepact: "mandate";
  version: 1;
  chainId: number;
  /** Proxy of the consent registry. */
  registry: string;
  mandate: Packed<RepresentativeMandate>;
  /** ERC-7913 signer of the record's controller, in hex. */
  signer: string;
  signature: string;
}

/** The file of a mandate. @throws MANDATE_MALFORMED, IDENTIFIER_INVALID, FILE_MALFORMED */
export function mandateFileOf(signed: SignedMandate, ref: RegistryRef): MandateFile {
  const { mandate, signer, signature } = requireSignedMandate(signed);
  const file = {
    carepact: "mandate",
    version: 1,
    chainId: Number(ref.chainId),
    registry: requireAddress(ref.registry, "registry"),
    mandate: packed(mandate),
    signer,
    signature,
  };
  return readConsentDocument(file, "mandate");
}

/** Takes the file of a mandate apart. @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED */
export function openMandateFile(file: MandateFile): SignedMandate & { chainId: number; registry: string } {
  const document = readConsentDocument(file, "mandate");
  return {
    chainId: document.chainId,
    registry: inDocument("$.registry", () => requireAddress(document.registry, "registry")),
    mandate: inDocument("$.mandate", () => requireMandate(unpacked<RepresentativeMandate>(document.mandate))),
    signer: document.signer.toLowerCase(),
    signature: document.signature.toLowerCase(),
  };
}

/**
 * Reads the text of a mandate's file, strictly.
 * @param options.maxBytes Largest text that is read; 1 MiB unless given.
 * @throws FILE_TOO_BIG, and what {@link openMandateFile} throws
 */
export function parseMandateFile(text: string, options: { maxBytes?: number } = {}): MandateFile {
  const file = parseConsentDocument(text, "mandate", options.maxBytes);
  openMandateFile(file);
  return file;
}
