import { chainTimeOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import {
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import { resourceTypeList, sensitivityList } from "../codes/lists";
import { isFile } from "../consents/checking";
import { createConsents } from "../consents/createConsents";
import {
  commitsToDenials,
  openRestrictions,
  requireRestrictions,
  type RestrictionsFile,
} from "../consents/file/restrictions";
import { openSignedGrant, type SignedGrant } from "../consents/file/signedGrant";
import type { Restrictions } from "../consents/grants";
import { isDenied, type OnGrant } from "../consents/onGrant";
import { decide, type ConsentTerms } from "../consents/terms";
import { NO_INSTRUMENT } from "../consents/types";
import { CarepactError, type Json } from "../errors";

import { requestsOf, requireRecords, type AskedRecord } from "./asked";
import type { Compartment } from "./trail";
import {
  requireStatement,
  type AccessAction,
  type AccessBasis,
  type AccessOutcome,
  type AccessStatement,
  type AccessRefusal,
} from "./types";

/** By what right somebody asks. */
export type AttemptBasis =
  /** The patient's grant, and how it came to who asks. */
  | { kind: "grant"; grant: SignedGrant }
  /** An emergency; in the words of who asks, at most 4,096 characters. */
  | { kind: "breakGlass"; justification: string }
  /** A law or policy other than consent, by its URI. */
  | { kind: "policy"; policy: string };

/** What somebody wants to do with a patient's record. */
export interface Attempt {
  /** Patient id: whose record would be opened, and never what a grant says. */
  patient: string;
  /** Account of who asks: whom the gateway has authenticated, and never what a grant says. */
  who: string;
  action: AccessAction;
  /** At least one. */
  resourceTypes: ResourceTypeCode[];
  /** Labels of what is asked for; none unless given. */
  sensitivities?: SensitivityCode[] | undefined;
  /** Highest confidentiality of what is asked for. */
  confidentiality: ConfidentialityCode;
  /** At least one. */
  purposes: PurposeCode[];
  /**
   * All records that are asked for, with what is known of them: where a patient's Consent depends on what the registry cannot
   * see, and it is not said here, it is refused.
   */
  records?: AskedRecord[] | undefined;
  basis: AttemptBasis;
  /**
   * The patient's present restrictions, where there are any: the whole document, if it holds denials of a Consent.
   */
  restrictions?: RestrictionsFile | Restrictions | undefined;
}

/** Whether something is permitted. */
export type Permission = { permitted: true } | { permitted: false; reason: AccessRefusal; advice: string };

/** A grant that the registry lets count for an attempt, and the document that it comes from. */
export interface InstrumentQuestion extends OnGrant {
  attempt: Attempt;
  /** The FHIR Consent of which the grant's `instrument` is the salted hash. */
  consent: { readonly [element: string]: Json };
}

/** What the document behind a grant says of an attempt; `unread` if that cannot be told. */
export type InstrumentAnswer = "permitted" | "denied" | "unread";

/** Decides by the document behind a grant. `consentInstruments` of `@carepact/sdk/fhir` is one. */
export type Instruments = (
  question: InstrumentQuestion,
  options: CallOptions,
) => InstrumentAnswer | Promise<InstrumentAnswer>;

/** What a gateway decides besides the registry. */
export interface PermissionOptions {
  /** Which legal bases other than consent are accepted for an attempt; none unless given. */
  policies?: (attempt: Attempt, policy: string) => boolean | Promise<boolean>;
  /**
   * What the FHIR Consent behind a grant says, which may permit less than the grant. Unless given, a grant that comes from
   * one is refused.
   */
  instruments?: Instruments;
}

/** What a grant is about, and what an emergency opens. The registry knows of nothing else. */
const LOOKING: readonly AccessAction[] = ["read", "execute"];

const refused = (reason: AccessRefusal, advice: string): Permission => ({ permitted: false, reason, advice });
const denied = (): Permission =>
  refused(
    "ConsentDenies",
    "The patient's Consent denies this, or depends on what was not said of the records: ask for less, or say more of them.",
  );

/**
 * Permission as the consent registry gives it, at the latest block: for grants by `check`, for emergencies by
 * `checkBreakGlass`. Both are about looking: reading, and executing a query. What the registry cannot see is decided here:
 * the denials that the patient's restrictions carry, for both, and the FHIR Consent that a grant comes from, by
 * `instruments`. Other legal bases are for `policies` alone.
 */
export function consentPermission(
  connection: Connection,
  { policies, instruments }: PermissionOptions = {},
): (attempt: Attempt, options?: CallOptions) => Promise<Permission> {
  const consents = createConsents(connection);

  /** Refuses what the restrictions that hold deny besides what the registry compares. */
  const refusedOnFile = async (
    attempt: Attempt,
    denies: (denials: ConsentTerms) => boolean,
    options: CallOptions,
  ): Promise<Permission | undefined> => {
    const { patient, restrictions } = attempt;
    if (restrictions === undefined) return undefined;
    const { denials, ...opened } = isFile(restrictions)
      ? openRestrictions(restrictions)
      : { restrictions: requireRestrictions(restrictions), denials: undefined };
    if (denials === undefined && !commitsToDenials(opened.restrictions)) return undefined;
    // The registry looks at none where there are none on chain, as after they were taken away.
    const { hash } = await consents.restrictionsHash(patient, options);
    if (hash === undefined) return undefined;
    if (denials === undefined)
      return refused(
        "DenialsMissing",
        "The patient's restrictions hold denials of a Consent: bring the whole document.",
      );
    return denies(denials) ? denied() : undefined;
  };

  const ofGrant = async (
    attempt: Attempt,
    file: SignedGrant,
    at: number,
    options: CallOptions,
  ): Promise<Permission> => {
    const { chain, consent } = openSignedGrant(file);
    const { grant, subGrants } = chain;
    const passedOnTo = subGrants.map(({ subGrant }) => subGrant.grantee);
    const requests = requestsOf(attempt, grant.grantee, at);
    const denies = (denials: ConsentTerms): boolean => requests.some((asked) => isDenied(denials, asked, passedOnTo));
    const refusal = await refusedOnFile(attempt, denies, options);
    if (refusal !== undefined) return refusal;
    if (grant.instrument === NO_INSTRUMENT) return { permitted: true };
    if (consent === undefined)
      return refused("InstrumentMissing", "The grant comes from a FHIR Consent: bring the grant's file with it.");
    const answer = await instruments?.({ attempt, consent, grant, passedOnTo, requests }, options);
    if (answer === "permitted") return { permitted: true };
    return answer === "denied"
      ? denied()
      : refused(
          "InstrumentNotRead",
          "The grant comes from a FHIR Consent that this gateway cannot decide by: ask the patient for a grant without one.",
        );
  };

  const ofEmergency = async (attempt: Attempt, at: number, options: CallOptions): Promise<Permission> => {
    const requests = requestsOf(attempt, attempt.who, at);
    const denies = (denials: ConsentTerms): boolean =>
      requests.some((asked) => isDenied(denials, asked) || decide(denials, asked) === "denied");
    return (await refusedOnFile(attempt, denies, options)) ?? { permitted: true };
  };

  return async (attempt, options = {}) => {
    const { patient, who, purposes, resourceTypes, sensitivities = [], confidentiality, basis, restrictions } = attempt;
    const categories = [...resourceTypes, ...sensitivities];
    const request = { patient, organization: who, purposes, categories, confidentiality, restrictions };
    if (basis.kind === "policy")
      return (await policies?.(attempt, basis.policy)) === true
        ? { permitted: true }
        : refused("PolicyNotAccepted", "The gateway does not accept this legal basis here.");
    const answer: Permission =
      basis.kind === "grant"
        ? await consents.check({ ...request, grant: basis.grant }, options)
        : await consents.checkBreakGlass(request, options);
    if (!answer.permitted) return answer;
    if (!LOOKING.includes(attempt.action))
      return refused("ActionNotGranted", "A grant or an emergency lets somebody look: name another legal basis.");
    const at = await reading(connection, chainTimeOf, options);
    return basis.kind === "grant" ? ofGrant(attempt, basis.grant, at, options) : ofEmergency(attempt, at, options);
  };
}

const MOST_TEXT = 4_096;

/** @internal A text that people read. @throws INPUT_INVALID */
export function requireText(text: string, path: string): string {
  if (typeof text !== "string" || text.trim() === "" || text.length > MOST_TEXT)
    throw new CarepactError("INPUT_INVALID", `${path} is missing, or longer than ${MOST_TEXT} characters.`, { path });
  return text;
}

/**
 * @internal What is noted of an attempt, whatever comes of it.
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, and what reading a grant throws
 */
export function statementOfAttempt(
  attempt: Attempt,
  gateway: string,
): (at: number, outcome: AccessOutcome) => AccessStatement {
  const { patient, who, action, resourceTypes, sensitivities = [], confidentiality, purposes } = attempt;
  if (purposes.length === 0) throw new CarepactError("INPUT_INVALID", "Who asks says what for.", { path: "purposes" });
  requireRecords(attempt);
  const statement = requireStatement({
    patient,
    gateway,
    at: 0,
    who,
    action,
    resourceTypes,
    sensitivities,
    confidentiality,
    purposes,
    basis: basisOf(attempt.basis),
    outcome: { result: "allowed" },
  });
  return (at, outcome) => ({ ...statement, at, outcome });
}

function basisOf(basis: AttemptBasis): AccessBasis {
  if (basis.kind === "grant") {
    const { chain, documents } = openSignedGrant(basis.grant);
    return { kind: "grant", grant: documents[0], epoch: chain.grant.epoch };
  }
  if (basis.kind === "policy") return { kind: "policy", policy: basis.policy };
  // Plain JavaScript may pass anything: what is noted has to be what permission is asked for.
  if (basis.kind !== "breakGlass")
    throw new CarepactError("INPUT_INVALID", "A basis is a grant, an emergency or a policy.", { path: "basis.kind" });
  return { kind: "breakGlass", justification: requireText(basis.justification, "basis.justification") };
}

/**
 * @internal In which trail an attempt is noted: in the patient's own if anything of it may be what the patient alone may
 * know of. A label that is more general than a hidden one may stand for it. @throws CODE_UNKNOWN
 */
export function compartmentOf(statement: AccessStatement, own: readonly CategoryCode[]): Compartment {
  const labels = own.filter((code) => sensitivityList.has(code));
  const types = own.filter((code) => !sensitivityList.has(code));
  const hidden =
    (resourceTypeList.maskOf(types) & resourceTypeList.maskOf(statement.resourceTypes)) !== 0n ||
    (sensitivityList.lineageOf(labels) & sensitivityList.maskOf(statement.sensitivities)) !== 0n;
  return hidden ? "own" : "shared";
}
