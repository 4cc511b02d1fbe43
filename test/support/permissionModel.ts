/**
 * What a grant permits, written down from the words of ConsentTypes.sol alone, so that it can
 * stand against the contract. Everybody and everything has a name here instead of a key, an id or a hash: a document is
 * identified by its name, as on chain by its digest.
 */

import type { PermissionReason as Reason } from "@carepact/sdk/consents";

export { permissionReasons as reasons, type PermissionReason as Reason } from "@carepact/sdk/consents";

export type OrganizationKind = "payer" | "pharmacy" | "laboratory" | "clinic" | "sponsor" | "gateway";

/** An organization as the registry knows it. */
export interface ModelOrganization {
  kinds: readonly OrganizationKind[];
  /** Whether it is suspended. */
  suspended: boolean;
}

/** A key that controls, or controlled, a record: from `since` until `until`, unix seconds. */
export interface ModelController {
  key: string;
  since: number;
  until?: number;
}

export interface ModelRestrictions {
  /** Stands for the document's hash. */
  name: string;
  organizations: string[];
  purposes: bigint;
  categories: bigint;
  breakGlass: boolean;
}

/** A record; one that is not in the world was never registered. */
export interface ModelPatient {
  status: "active" | "deactivated" | "merged";
  controllers: ModelController[];
  epoch: string;
  /** Restrictions whose hash is on chain. */
  restrictions?: ModelRestrictions;
  /** Numbers of grants that were revoked. */
  revokedNumbers: ReadonlySet<number>;
}

/** What a signature is worth: good for what it stands by, of the signer named there. */
export type Signature = "good" | "bad";

export interface ModelMandate {
  name: string;
  patient: string;
  /** Key of the representative. */
  representative: string;
  /** Organization that holds a minor's record. */
  custodian?: string;
  purposes: bigint;
  categories: bigint;
  notBefore: number;
  end: number;
  epoch: string;
  /** Key that signed it. */
  signer: string;
  signature: Signature;
}

/** What a grant and a sub-grant have in common. */
export interface ModelLink {
  name: string;
  grantee: string;
  purposes: bigint;
  categories: bigint;
  ceiling: number;
  notBefore: number;
  expiry: number;
  subGrants: number;
  signature: Signature;
}

export interface ModelGrant extends ModelLink {
  patient: string;
  number: number;
  epoch: string;
  /** Key that signed it. */
  signer: string;
}

export interface ModelSubGrant extends ModelLink {
  /** Name of the grant or sub-grant that it is under. */
  parent: string;
}

export interface ModelChain {
  grant: ModelGrant;
  mandate?: ModelMandate;
  subGrants: ModelSubGrant[];
}

export interface ModelRequest {
  patient: string;
  organization: string;
  purposes: bigint;
  categories: bigint;
  confidentiality: number;
}

/** All that is on chain. */
export interface World {
  /** Unix seconds. */
  now: number;
  patients: ReadonlyMap<string, ModelPatient>;
  organizations: ReadonlyMap<string, ModelOrganization>;
  /** `revoker document`: the revoker is a patient, a key, or an organization that signs as itself. */
  revocations: ReadonlySet<string>;
  /** When a document was anchored, with the signature that it has. */
  anchors: ReadonlyMap<string, number>;
}

export interface Answer {
  permitted: boolean;
  reason: Reason;
}

const MOST_SUB_GRANTS = 3;
const HIGHEST = 5;

/** Whether a set lies within another. */
const within = (set: bigint, other: bigint): boolean => (set | other) === other;
const meets = (set: bigint, other: bigint): boolean => (set & other) !== 0n;

const answer = (reason: Reason): Answer => ({ permitted: reason === "None", reason });

/** What is asked before anything that was granted is looked at. */
function checkRequest(world: World, request: ModelRequest, subGrants: number): Reason {
  const { purposes, categories, confidentiality } = request;
  if (purposes === 0n || categories === 0n || confidentiality > HIGHEST) return "RequestInvalid";
  if (subGrants > MOST_SUB_GRANTS) return "ChainTooLong";
  const patient = world.patients.get(request.patient);
  if (patient === undefined) return "PatientUnknown";
  if (patient.status === "deactivated") return "PatientDeactivated";
  return patient.status === "merged" ? "PatientMerged" : "None";
}

/** Whether the patient's restrictions were brought, and what they say; `involved` are all who would see it. */
function checkRestrictions(
  current: ModelRestrictions | undefined,
  brought: ModelRestrictions | undefined,
  request: ModelRequest,
  involved: readonly string[],
  mayOverride: boolean,
): Reason {
  if (current === undefined) return "None";
  if (brought?.name !== current.name) return "RestrictionsNotCurrent";
  if (mayOverride && current.breakGlass) return "None";
  if (involved.some((organization) => current.organizations.includes(organization))) return "OrganizationRestricted";
  if (meets(current.categories, request.categories)) return "CategoryRestricted";
  return meets(current.purposes, request.purposes) ? "PurposeRestricted" : "None";
}

const inGoodStanding = (world: World, organization: string): boolean =>
  world.organizations.get(organization)?.suspended === false;

type Standing = "controller" | "anchored" | "replaced" | "stranger";

/** By what right a key signed a document for a patient. */
function standingOf(world: World, patient: ModelPatient, key: string, document: string): Standing {
  const reigns = patient.controllers.filter((controller) => controller.key === key);
  if (reigns.length === 0) return "stranger";
  if (reigns.some(({ until }) => until === undefined)) return "controller";
  const at = world.anchors.get(document);
  const inTime = reigns.some(({ since, until = 0 }) => at !== undefined && at >= since && at < until);
  return inTime ? "anchored" : "replaced";
}

const isRevoked = (world: World, document: string, ...revokers: string[]): boolean =>
  revokers.some((revoker) => world.revocations.has(`${revoker} ${document}`));

/** Whether a mandate counts for what is granted under it. */
function checkMandate(
  world: World,
  patient: ModelPatient,
  id: string,
  mandate: ModelMandate,
  granted: Pick<ModelLink, "purposes" | "categories">,
): Reason {
  if (mandate.epoch !== patient.epoch || isRevoked(world, mandate.name, id, mandate.representative))
    return "MandateEnded";
  if (world.now < mandate.notBefore) return "MandateNotYetValid";
  if (world.now >= mandate.end) return "MandateExpired";
  const standing = standingOf(world, patient, mandate.signer, mandate.name);
  if (mandate.signature === "bad" || standing === "replaced" || standing === "stranger") return "MandateNotSigned";
  if (mandate.custodian !== undefined && !inGoodStanding(world, mandate.custodian)) return "CustodianNotInStanding";
  const inScope = within(granted.purposes, mandate.purposes) && within(granted.categories, mandate.categories);
  return inScope ? "None" : "MandateTooNarrow";
}

/** A mandate has to be for the grant's patient, whoever that is: whether it is the one asked for is seen later. */
function checkMandateOf(world: World, grant: ModelGrant, mandate: ModelMandate): Reason {
  if (mandate.patient !== grant.patient || mandate.representative !== grant.signer) return "MandateMismatch";
  const patient = world.patients.get(mandate.patient);
  return patient === undefined ? "MandateEnded" : checkMandate(world, patient, mandate.patient, mandate, grant);
}

/** What is checked of a link by itself: its time, whether it was taken back, who signed it, and who holds it. */
function checkLink(world: World, link: ModelLink, revoked: boolean, signer: Reason): Reason {
  if (world.now < link.notBefore) return "NotYetValid";
  if (world.now >= link.expiry) return "Expired";
  if (revoked) return "Revoked";
  if (signer !== "None") return signer;
  if (link.signature === "bad") return "SignatureInvalid";
  return inGoodStanding(world, link.grantee) ? "None" : "OrganizationNotInStanding";
}

function checkGrant(world: World, patient: ModelPatient, id: string, { grant, mandate }: ModelChain): Reason {
  if (grant.patient !== id) return "PatientMismatch";
  if (grant.epoch !== patient.epoch) return "EpochEnded";
  const standing = standingOf(world, patient, grant.signer, grant.name);
  // A representative signs by right of the mandate.
  const signer = {
    controller: "None",
    anchored: "None",
    replaced: "SignerReplaced",
    stranger: "SignerNotController",
  } as const;
  const revoked = patient.revokedNumbers.has(grant.number) || isRevoked(world, grant.name, id, grant.signer);
  return checkLink(world, grant, revoked, mandate === undefined ? signer[standing] : "None");
}

function checkSubGrant(world: World, id: string, before: readonly ModelLink[], subGrant: ModelSubGrant): Reason {
  const parent = before.at(-1);
  if (parent === undefined || subGrant.subGrants >= parent.subGrants) return "SubGrantNotAllowed";
  if (subGrant.parent !== parent.name) return "SubGrantMismatch";
  if (before.some(({ grantee }) => grantee === subGrant.grantee)) return "ChainCyclic";
  const narrower =
    within(subGrant.purposes, parent.purposes) &&
    within(subGrant.categories, parent.categories) &&
    subGrant.ceiling <= parent.ceiling &&
    subGrant.notBefore >= parent.notBefore &&
    subGrant.expiry <= parent.expiry;
  if (!narrower) return "SubGrantWider";
  return checkLink(world, subGrant, isRevoked(world, subGrant.name, id, parent.grantee), "None");
}

const firstOf = (checks: readonly (() => Reason)[]): Reason => {
  for (const check of checks) {
    const reason = check();
    if (reason !== "None") return reason;
  }
  return "None";
};

/** `ConsentRegistry.isPermitted`. */
export function isPermitted(
  world: World,
  chain: ModelChain,
  restrictions: ModelRestrictions | undefined,
  request: ModelRequest,
): Answer {
  const early = checkRequest(world, request, chain.subGrants.length);
  const patient = world.patients.get(request.patient);
  if (early !== "None" || patient === undefined) return answer(early);

  const { grant, mandate, subGrants } = chain;
  const links: ModelLink[] = [grant, ...subGrants];
  const last = links.at(-1) ?? grant;
  const involved = [request.organization, ...links.map(({ grantee }) => grantee)];
  return answer(
    firstOf([
      () => checkRestrictions(patient.restrictions, restrictions, request, involved, false),
      () => (mandate === undefined ? "None" : checkMandateOf(world, grant, mandate)),
      () => checkGrant(world, patient, request.patient, chain),
      ...subGrants.map((subGrant, i) => () => checkSubGrant(world, request.patient, links.slice(0, i + 1), subGrant)),
      () => (request.organization === last.grantee ? "None" : "RequesterNotGrantee"),
      () => (within(request.purposes, last.purposes) ? "None" : "PurposeNotGranted"),
      () => (within(request.categories, last.categories) ? "None" : "CategoryNotGranted"),
      () => (request.confidentiality <= last.ceiling ? "None" : "CeilingExceeded"),
    ]),
  );
}

/** Organizations that give care. */
const CARE: readonly OrganizationKind[] = ["clinic", "laboratory", "pharmacy"];

/** `ConsentRegistry.isBreakGlassPermitted`. */
export function isBreakGlassPermitted(
  world: World,
  restrictions: ModelRestrictions | undefined,
  request: ModelRequest,
): Answer {
  const early = checkRequest(world, request, 0);
  const patient = world.patients.get(request.patient);
  if (early !== "None" || patient === undefined) return answer(early);
  const { organization } = request;
  const kinds = world.organizations.get(organization)?.kinds ?? [];
  const gives = kinds.some((kind) => CARE.includes(kind)) && inGoodStanding(world, organization);
  return answer(
    firstOf([
      () => checkRestrictions(patient.restrictions, restrictions, request, [organization], true),
      () => (gives ? "None" : "BreakGlassNotForOrganization"),
    ]),
  );
}

/** `ConsentRegistry.isRepresented`. */
export function isRepresented(world: World, mandate: ModelMandate, purposes: bigint, categories: bigint): Answer {
  const early = checkRequest(
    world,
    { patient: mandate.patient, organization: "", purposes, categories, confidentiality: 0 },
    0,
  );
  const patient = world.patients.get(mandate.patient);
  if (early !== "None" || patient === undefined) return answer(early);
  return answer(checkMandate(world, patient, mandate.patient, mandate, { purposes, categories }));
}
