export { CONSENT_FILE_VERSION, MAX_CONSENT_FILE_BYTES } from "./document";
export { mandateFileOf, openMandateFile, parseMandateFile, type MandateFile } from "./mandate";
export {
  makeRestrictions,
  openRestrictions,
  parseRestrictions,
  requireRestrictions,
  restrictionsFileOf,
  type DenialsJson,
  type OpenedRestrictions,
  type RestrictionsFile,
  type RestrictionsInput,
} from "./restrictions";
export {
  openSealedGrant,
  openSealedRestrictions,
  parseSealedGrant,
  parseSealedRestrictions,
  sealGrant,
  sealRestrictions,
  type ReceiverKey,
  type SealedDocument,
  type SealedGrant,
  type SealedRestrictions,
} from "./sealing";
export {
  NO_MANDATE,
  openSignedGrant,
  parseSignedGrant,
  signedGrantOf,
  signedGrantText,
  type GrantChain,
  type OpenedGrant,
  type Packed,
  type SignedGrant,
} from "./signedGrant";
