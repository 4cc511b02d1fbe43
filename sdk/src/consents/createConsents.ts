import type { Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import { createOrganizations } from "../organizations";
import { requireWord } from "../patients/record";
import type { AuthorizationOptions, PatientSigner } from "../signers";

import {
  check,
  checkBreakGlass,
  checkRepresentation,
  type Granted,
  type GrantedRequest,
  type PermissionRequest,
  type Refused,
  type RepresentationRequest,
} from "./checking";
import {
  sealGrant,
  sealRestrictions,
  type ReceiverKey,
  type SealedGrant,
  type SealedRestrictions,
} from "./file/sealing";
import { openSignedGrant, requireRegistry, type SignedGrant } from "./file/signedGrant";
import type { RestrictionsFile } from "./file/restrictions";
import {
  grant,
  grantTerms,
  passOn,
  type GrantedTerms,
  type GrantInput,
  type PassOnInput,
  type TermsInput,
} from "./granting";
import type { Restrictions } from "./grants";
import { ask, registryOf } from "./registry";
import {
  anchor,
  anchoringOf,
  restrict,
  revoke,
  revokeAll,
  revokeDocument,
  revokeOwn,
  type Anchoring,
  type EpochEnded,
  type GrantNumber,
  type Restricted,
  type Revoked,
} from "./revoking";

/** Who acts. */
export interface ConsentsOptions {
  /**
   * The patient's, representative's or grantee's key. What it signs, anybody may bring: the runner, or with
   * `action.populate()` a relayer. Without it, the runner acts itself.
   */
  signer?: PatientSigner | undefined;
}

/** Grants of one deployment, for patients, who sees their records, and who releases them. */
export interface Consents {
  /**
   * Lets an organization see something: one signature, and no transaction. Nothing of it is on chain; give the file to the
   * grantee, sealed (`seal`), and keep a copy. What the registry would refuse anyway is refused before anything is signed.
   * @throws GRANT_WOULD_BE_REFUSED (`details.reason` is one of `permissionReasons`), PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE,
   * NOT_CONTROLLER, GRANT_MALFORMED, MANDATE_MALFORMED, CODE_UNKNOWN, IDENTIFIER_INVALID, INPUT_INVALID,
   * RUNNER_CANNOT_SIGN, SIGNATURE_INVALID, USER_REJECTED
   */
  grant(input: GrantInput, options?: CallOptions): Promise<SignedGrant>;
  /**
   * Grants what a consent permits, one signature for each of its permits, and gives the restrictions for what it denies.
   * `grantConsent` of `@carepact/sdk/fhir` begins with the FHIR Consent itself.
   * @throws as `grant`, CONSENT_NOT_EXPRESSIBLE
   */
  grantTerms(input: TermsInput, options?: CallOptions): Promise<GrantedTerms>;
  /**
   * Passes a grant on, as its grantee: the same, or less, to another organization. One signature, and no transaction.
   * @throws as `grant`, GRANT_WRONG_REGISTRY, and what `openSignedGrant` throws
   */
  passOn(grant: SignedGrant, input: PassOnInput, options?: CallOptions): Promise<SignedGrant>;
  /** Seals a grant for its grantee, to the key that the directory has for it. @throws ORGANIZATION_NOT_IN_STANDING for one that is not registered */
  seal(grant: SignedGrant, options?: CallOptions): Promise<SealedGrant>;
  /** Seals a document of restrictions for an organization that holds a grant. @throws as `seal` */
  sealRestrictions(
    restrictions: RestrictionsFile,
    organization: string,
    options?: CallOptions,
  ): Promise<SealedRestrictions>;
  /**
   * Takes a grant back, for ever, from the block it lands in, and with it all that was passed on. The patient revokes the
   * grant's number; a representative what it signed itself, a grantee what it passed on. A file that is not what was signed
   * is refused: it may name another number than the grant that counts.
   * @throws (when it is prepared) PATIENT_UNKNOWN, NOT_CONTROLLER, GRANT_WRONG_REGISTRY, FILE_TAMPERED
   */
  revoke(grant: SignedGrant | GrantNumber, options?: AuthorizationOptions): Action<Revoked>;
  /** Ends all grants and mandates of a record, known or forgotten, in one write. Only its controller. */
  revokeAll(patient: string, options?: AuthorizationOptions): Action<EpochEnded>;
  /** Takes back a mandate, a sub-grant or a grant, by its EIP-712 digest. Only the record's controller. */
  revokeDocument(
    patient: string,
    document: string,
    options?: AuthorizationOptions,
  ): Action<{ patient: string; document: string }>;
  /**
   * Takes back what the signer signed itself, by its EIP-712 digest: a representative its grants and its mandate, a grantee
   * its sub-grants. Says nothing of the patient.
   */
  revokeOwn(document: string, options?: AuthorizationOptions): Action<{ document: string }>;
  /**
   * Sets a record's restrictions; undefined takes them away. Who asks has to bring the document from then on, so give it
   * to all who hold a grant first.
   */
  restrict(
    patient: string,
    restrictions: RestrictionsFile | Restrictions | undefined,
    options?: AuthorizationOptions,
  ): Action<Restricted>;
  /**
   * Writes down that a grant existed, so that it outlives the key that signed it. Needed before the key is rotated,
   * in a block of an earlier second; then never again. Anybody may send it, and it shows a random number.
   */
  anchor(grant: SignedGrant): Action<{ anchor: string }>;
  /** Whether a grant outlives the key that signed it, or has to be anchored before this is rotated. */
  anchoring(grant: SignedGrant, options?: CallOptions): Promise<Anchoring>;
  /** Hash of a record's restrictions on chain, and how often it was set; undefined: there are none. */
  restrictionsHash(patient: string, options?: CallOptions): Promise<{ hash: string | undefined; version: number }>;
  /**
   * Whether a grant covers a request, now. Asks the registry at the latest block each time; nothing is kept, here or on
   * the way, since a revocation counts from the block it lands in. A no is an answer and not an error; an error is no yes.
   * It says nothing about legal bases other than a grant.
   * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED, FILE_TAMPERED, CODE_UNKNOWN, IDENTIFIER_INVALID,
   * NODE_INCONSISTENT, and what every reading throws
   */
  check(request: GrantedRequest, options?: CallOptions): Promise<Granted | Refused>;
  /**
   * Whether an emergency opens the record without a grant: to treat in it (ETREAT, and what is below), whatever else is asked
   * for. What follows (log, notice, review) is the gateway's.
   * @throws as `check`
   */
  checkBreakGlass(request: PermissionRequest, options?: CallOptions): Promise<{ permitted: true } | Refused>;
  /** Whether a representative may see this in the patient's name. @throws as `check`, MANDATE_MALFORMED */
  checkRepresentation(request: RepresentationRequest, options?: CallOptions): Promise<{ permitted: true } | Refused>;
}

export function createConsents(connection: Connection, { signer }: ConsentsOptions = {}): Consents {
  deploymentOf(connection);
  return {
    grant: (input, options) => grant(connection, signer, input, options),
    grantTerms: (input, options) => grantTerms(connection, signer, input, options),
    passOn: (file, input, options) => passOn(connection, signer, file, input, options),
    seal: (file, options) => seal(connection, file, options),
    sealRestrictions: async (file, organization, options) =>
      sealRestrictions(file, organization, await keyOf(connection, organization, options)),
    revoke: (file, options) => revoke(connection, signer, file, options),
    revokeAll: (patient, options) => revokeAll(connection, signer, patient, options),
    revokeDocument: (patient, document, options) => revokeDocument(connection, signer, patient, document, options),
    revokeOwn: (document, options) => revokeOwn(connection, signer, document, options),
    restrict: (patient, restrictions, options) => restrict(connection, signer, patient, restrictions, options),
    anchor: (file) => anchor(connection, file),
    anchoring: (file, options) => anchoringOf(connection, file, options),
    restrictionsHash: (patient, options) => restrictionsHash(connection, patient, options),
    check: (request, options) => check(connection, request, options),
    checkBreakGlass: (request, options) => checkBreakGlass(connection, request, options),
    checkRepresentation: (request, options) => checkRepresentation(connection, request, options),
  };
}

async function seal(connection: Connection, file: SignedGrant, options?: CallOptions): Promise<SealedGrant> {
  const { grantee } = requireRegistry(openSignedGrant(file), registryOf(connection)).last;
  return sealGrant(file, await keyOf(connection, grantee, options));
}

/** An organization's key, as the directory has it. @throws ORGANIZATION_NOT_IN_STANDING, IDENTIFIER_INVALID */
async function keyOf(connection: Connection, organization: string, options?: CallOptions): Promise<ReceiverKey> {
  const entry = await createOrganizations(connection).get(organization, options);
  if (entry === undefined)
    throw new CarepactError("ORGANIZATION_NOT_IN_STANDING", `${organization} is not registered: it has no key.`, {
      organization,
    });
  return { publicKey: entry.hpkeKey, version: entry.hpkeKeyVersion };
}

async function restrictionsHash(
  connection: Connection,
  patient: string,
  options?: CallOptions,
): Promise<{ hash: string | undefined; version: number }> {
  const id = requireWord(patient, "patient");
  const read = (await reading(
    connection,
    (provider) => ask(provider, registryOf(connection), "restrictionsOf", [id]),
    options,
  )) as [string, bigint];
  const [hash, version] = read;
  return { hash: BigInt(hash) === 0n ? undefined : hash, version: Number(version) };
}
