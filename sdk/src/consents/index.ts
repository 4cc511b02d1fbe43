export { permissionReasons, type PermissionReason } from "./reasons";
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
