import { AbiCoder, getAddress, isHexString, keccak256 } from "ethers";

import {
  anyPurpose,
  anySensitivity,
  confidentialityAt,
  confidentialityRank,
  purposesOf,
  type SensitivityCode,
} from "../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../codes/lists";
import { randomSalt, saltedHashOf, systemRandom, type RandomSource } from "../encryption";
import { CarepactError } from "../errors";

import { normalScope, type Scope } from "./scope";
import { normalTerms, type ConsentTerms, type Denial } from "./terms";
import { NO_EXPIRY, NO_INSTRUMENT, requireGrant, type Grant } from "./types";

/** What a patient refuses, as the consent registry checks it (`Restrictions` of ConsentTypes.sol). */
export interface Restrictions {
  /**
   * Salted hash of all that the terms refuse: the registry sees a random number, a gateway what it has to check itself.
   * Where no Consent stands behind them, 8 zero bytes and 24 random ones: then there is nothing more to check.
   */
  salt: string;
  /** Accounts, ascending. */
  organizations: string[];
  /** Bit set of purposes. */
  purposes: bigint;
  /** Bit set of resource types and labels. */
  categories: bigint;
  /** Whether an emergency may override all this. */
  breakGlass: boolean;
}

/** What the terms' grants have in common. */
export interface GrantingOptions {
  /** Patient id, 32 bytes. */
  patient: string;
  /** The patient's epoch. */
  epoch: number;
  /** Number of the first grant; the others follow. */
  firstNumber: number;
  /** How many times each may be passed on; 0 unless given. */
  subGrants?: number;
  /**
   * The FHIR Consent itself. Its salted hash becomes the instrument of the grants. Asked for where the terms say what a
   * grant has no field for: a gateway then reads it in the document.
   */
  consent?: unknown;
  /** Only tests pass their own. */
  random?: RandomSource;
}

/** What a grant has no field for: gateways look it up in the instrument. */
const BEYOND_GRANT = [
  "sensitivities",
  "custodians",
  "authors",
  "codes",
  "recordsFrom",
  "recordsUntil",
  "records",
] as const satisfies (keyof Scope)[];

/** `instrument` of a grant: the salted hash of the FHIR Consent it comes from. @throws INPUT_INVALID */
export const instrumentOf = (salt: string, consent: unknown): string => saltedHashOf(salt, consent);

/** Whether a permit says more than fields of a grant can. */
export const needsInstrument = (permit: Scope): boolean =>
  BEYOND_GRANT.some((name) => permit[name] !== undefined) || permit.actions?.join() !== "access";

/**
 * The grants of a consent, not signed yet: one for each permit.
 * @throws GRANT_MALFORMED; INPUT_INVALID where the FHIR Consent is needed and missing; CONSENT_NOT_EXPRESSIBLE for a
 * permit that does not include access
 */
export function grantsOf(terms: ConsentTerms, options: GrantingOptions): Grant[] {
  const random = options.random ?? systemRandom;
  return normalTerms(terms).permits.map((permit, i) => {
    const path = `$.permits[${i}]`;
    if (permit.actions !== undefined && !permit.actions.includes("access"))
      throw new CarepactError("CONSENT_NOT_EXPRESSIBLE", `${path}.actions does not include access: a grant is one.`, {
        path: `${path}.actions`,
      });
    if (options.consent === undefined && needsInstrument(permit))
      throw new CarepactError("INPUT_INVALID", `${path} says more than a grant can: pass the consent itself.`, {
        path,
      });
    const salt = randomSalt(random);
    return requireGrant({
      patient: options.patient,
      number: options.firstNumber + i,
      ...fieldsOf(permit),
      subGrants: options.subGrants ?? 0,
      epoch: options.epoch,
      salt,
      instrument: options.consent === undefined ? NO_INSTRUMENT : instrumentOf(salt, options.consent),
    });
  });
}

/** What a grant has fields for. */
const fieldsOf = (permit: Scope): Pick<Grant, (typeof OF_PERMIT)[number]> => ({
  grantee: permit.recipients?.[0] ?? "",
  purposes: permit.purposes === undefined ? anyPurpose : purposeList.maskOf(permit.purposes),
  categories:
    resourceTypeList.maskOf(permit.resourceTypes ?? ["Resource"]) | labelsBesides(permit.withoutSensitivities),
  ceiling: confidentialityRank(permit.ceiling ?? "V"),
  notBefore: permit.from ?? 0,
  expiry: permit.until ?? NO_EXPIRY,
});
const OF_PERMIT = ["grantee", "purposes", "categories", "ceiling", "notBefore", "expiry"] as const;

/**
 * The permits of a consent that a grant may have been made from: those that become the very same grant, or else those that
 * it lies within. Others are other grants, which the patient may have taken back.
 */
export function permitsBehind(terms: ConsentTerms, grant: Grant): Scope[] {
  const grantee = grant.grantee.toLowerCase();
  const candidates = terms.permits
    .map((permit) => ({ permit, fields: fieldsOf(permit) }))
    .filter(({ fields }) => fields.grantee.toLowerCase() === grantee);
  const same = candidates.filter(({ fields }) =>
    OF_PERMIT.every((name) => name === "grantee" || fields[name] === grant[name]),
  );
  const wider = candidates.filter(
    ({ fields }) =>
      (grant.purposes & ~fields.purposes) === 0n &&
      (grant.categories & ~fields.categories) === 0n &&
      grant.ceiling <= fields.ceiling &&
      grant.notBefore >= fields.notBefore &&
      grant.expiry <= fields.expiry,
  );
  return (same.length > 0 ? same : wider).map(({ permit }) => permit);
}

/** Bits of all labels, or of those that are known besides some. */
const labelsBesides = (without: readonly SensitivityCode[] | undefined): bigint =>
  without === undefined ? anySensitivity : sensitivityList.assigned & ~sensitivityList.lineageOf(without);

/**
 * The terms of a grant that stands for itself: one permit for access, nothing else open. With an instrument, the FHIR
 * Consent says more, and is what has to be read.
 * @throws GRANT_MALFORMED; CODE_UNKNOWN for a bit set that no codes of this version make up; CONSENT_NOT_EXPRESSIBLE for
 * a grant with an instrument, one that may be passed on, or one for all labels below one that it leaves out itself
 */
export function termsOfGrant(grant: Grant): ConsentTerms {
  const checked = requireGrant(grant);
  const refuse = (field: keyof Grant, problem: string): CarepactError =>
    new CarepactError("CONSENT_NOT_EXPRESSIBLE", `${field} of the grant ${problem}.`, { path: `$.${field}` });
  if (checked.instrument !== NO_INSTRUMENT) throw refuse("instrument", "names a document, which says what it means");
  if (checked.subGrants !== 0) throw refuse("subGrants", "lets it be passed on, for which FHIR has no element");
  const labels = checked.categories & anySensitivity;
  const without = sensitivityList.largestIn(anySensitivity & ~labels);
  const shut = without.length === 0 ? undefined : without;
  if (labelsBesides(shut) !== labels)
    throw refuse("categories", "has labels that cannot be told by those that are left out");
  const permit = normalScope({
    recipients: [checked.grantee],
    purposes: purposesOf(checked.purposes),
    resourceTypes: resourceTypeList.codesOf(checked.categories & ~anySensitivity),
    ...(shut === undefined ? {} : { withoutSensitivities: shut }),
    ceiling: confidentialityAt(checked.ceiling),
    from: checked.notBefore,
    ...(checked.expiry === NO_EXPIRY ? {} : { until: checked.expiry }),
    actions: ["access"],
  });
  return normalTerms({ onlyByGrant: true, permits: [permit], denials: [], breakGlass: [] });
}

/** What the registry checks of the terms' denials, and what is left to gateways. */
export interface RestrictionsOfTerms {
  restrictions: Restrictions;
  /** Denials that the registry cannot see: who releases data decides them with `decide`. */
  leftToGateways: Denial[];
}

const EMERGENCY = purposeList.maskOf(["ETREAT"]);
/** What the registry compares: each alone, for all time and all that is done. */
const SEEN = ["recipients", "purposes", "resourceTypes", "sensitivities"] as const;

/**
 * The restrictions of a consent, as the registry checks them. It sees a denial of organizations, purposes or categories,
 * each alone and without exception; where an emergency is excepted from all of these, it may override them.
 * @param salt 32 random bytes. The registry's salt is the hash of this and all that is refused, so that the restrictions'
 * hash on chain commits to the denials that are left to gateways, too.
 * @throws INPUT_INVALID, CODE_UNKNOWN
 */
export function restrictionsOf(terms: ConsentTerms, salt: string): RestrictionsOfTerms {
  const { onlyByGrant, denials, breakGlass } = normalTerms(terms);
  if (!isHexString(salt, 32)) throw new CarepactError("INPUT_INVALID", "A salt is 32 bytes in hex.", { path: "salt" });
  const visible = denials.filter(({ scope }) => seenElement(scope) !== undefined);
  const overridden = visible.filter(emergencyExcepted);
  const breaks = overridden.length > 0 && visible.every((denial) => emergencyExcepted(denial));
  const shown = breaks ? overridden : visible.filter(({ except }) => except.length === 0);

  const restrictions: Restrictions = {
    salt: saltedHashOf(salt, { onlyByGrant, denials, breakGlass }),
    organizations: [],
    purposes: 0n,
    categories: 0n,
    breakGlass: breaks,
  };
  for (const { scope } of shown) {
    restrictions.organizations.push(...(scope.recipients ?? []));
    // A denial of everything is one of every purpose.
    if (seenElement(scope) === "all") restrictions.purposes |= anyPurpose;
    restrictions.purposes |= purposeList.maskOf(scope.purposes ?? []);
    restrictions.categories |= resourceTypeList.maskOf(scope.resourceTypes ?? []);
    restrictions.categories |= sensitivityList.lineageOf(scope.sensitivities ?? []);
  }
  restrictions.organizations = [...new Set(restrictions.organizations.map((account) => getAddress(account)))].sort(
    (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1),
  );
  return { restrictions, leftToGateways: denials.filter((denial) => !shown.includes(denial)) };
}

const RESTRICTIONS_TYPE =
  "tuple(bytes32 salt,address[] organizations,uint256 purposes,uint256 categories,bool breakGlass)";

/** What the registry stores of restrictions: keccak256(abi.encode(restrictions)). */
export function restrictionsHashOf(restrictions: Restrictions): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode([RESTRICTIONS_TYPE], [restrictions]));
}

/** The one element of a scope that the registry can check, or `all` if the scope is about everything. */
function seenElement(scope: Scope): (typeof SEEN)[number] | "all" | undefined {
  const { actions, ...rest } = scope;
  if (actions !== undefined && !actions.includes("access")) return undefined;
  const names = Object.keys(rest);
  if (names.length === 0) return "all";
  return names.length === 1 ? SEEN.find((name) => name === names[0]) : undefined;
}

/** Whether the one exception of a denial is an emergency, of which nothing else is asked. */
function emergencyExcepted({ scope, except }: Denial): boolean {
  const [only, ...more] = except;
  if (only?.purposes === undefined || more.length > 0) return false;
  const { purposes, ...rest } = only;
  const { purposes: refused, ...own } = scope;
  const mask = purposeList.maskOf(purposes);
  const emergency = purposeList.maskOf(["BTG"]);
  return (
    (mask & ~EMERGENCY) === 0n &&
    (mask & emergency) === emergency &&
    (refused === undefined || (mask & ~purposeList.maskOf(refused)) === 0n) &&
    JSON.stringify(rest) === JSON.stringify(own)
  );
}
