export type { Granted, GrantedRequest, PermissionRequest, Refused, RepresentationRequest } from "./checking";
export { createConsents, type Consents, type ConsentsOptions } from "./createConsents";
export {
  CONSENT_FILE_VERSION,
  makeRestrictions,
  MAX_CONSENT_FILE_BYTES,
  NO_MANDATE,
  openRestrictions,
  openSealedGrant,
  openSignedGrant,
  parseRestrictions,
  parseSealedGrant,
  parseSignedGrant,
  requireRestrictions,
  restrictionsFileOf,
  sealGrant,
  signedGrantOf,
  signedGrantText,
  type DenialsJson,
  type GrantChain,
  type OpenedGrant,
  type OpenedRestrictions,
  type Packed,
  type RestrictionsFile,
  type RestrictionsInput,
  type SealedGrant,
  type SignedGrant,
} from "./file";
export type { GrantedTerms, GrantInput, PassOnInput, TermsInput } from "./granting";
export { permissionReasons, reasonAdvice, type PermissionReason, type RefusalReason } from "./reasons";
export { anchorOf, type Anchoring, type EpochEnded, type GrantNumber, type Restricted, type Revoked } from "./revoking";
export { MOST_SUB_GRANTS, narrowingReason } from "./subGrants";
export {
  grantsOf,
  instrumentOf,
  needsInstrument,
  restrictionsHashOf,
  restrictionsOf,
  termsOfGrant,
  type GrantingOptions,
  type Restrictions,
  type RestrictionsOfTerms,
} from "./grants";
export {
  consentActions,
  dataMeanings,
  type AccessRequest,
  type ConsentAction,
  type DataMeaning,
  type RecordSelection,
  type Scope,
} from "./scope";
export { decide, normalTerms, sameTerms, type ConsentTerms, type Decision, type Denial } from "./terms";
export {
  consentTypes,
  grantDigestOf,
  grantFromJson,
  grantHashOf,
  grantToJson,
  mandateDigestOf,
  NO_CUSTODIAN,
  NO_EXPIRY,
  NO_INSTRUMENT,
  registryDomain,
  requireGrant,
  requireMandate,
  requireSubGrant,
  subGrantDigestOf,
  type Grant,
  type GrantJson,
  type RegistryRef,
  type RepresentativeMandate,
  type SignedMandate,
  type SubGrant,
} from "./types";
