import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import {
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import { resourceTypeList, sensitivityList } from "../codes/lists";
import { createConsents } from "../consents/createConsents";
import type { RestrictionsFile } from "../consents/file/restrictions";
import { openSignedGrant, type SignedGrant } from "../consents/file/signedGrant";
import type { Restrictions } from "../consents/grants";
import { CarepactError } from "../errors";

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
  basis: AttemptBasis;
  /** The patient's present restrictions, where there are any. */
  restrictions?: RestrictionsFile | Restrictions | undefined;
}

/** Whether something is permitted. */
export type Permission =
  | {
      permitted: true;
      /** See `Granted`: the grant's FHIR Consent may permit less than the grant. */
      instrument?: string;
    }
  | { permitted: false; reason: AccessRefusal; advice: string };

/** What a grant is about, and what an emergency opens. The registry knows of nothing else. */
const LOOKING: readonly AccessAction[] = ["read", "execute"];

const refused = (reason: AccessRefusal, advice: string): Permission => ({ permitted: false, reason, advice });

/**
 * Permission as the consent registry gives it, at the latest block: for grants by `check`, for emergencies by
 * `checkBreakGlass`. Both are about looking: reading, and executing a query. Other legal bases are none of its business:
 * `policies` says which of them the gateway accepts for an attempt; none unless given.
 *
 * A grant that comes from a FHIR Consent is refused without it, since the Consent may permit less: a yes names it by
 * `instrument`, and who releases data decides by it, too.
 */
export function consentPermission(
  connection: Connection,
  policies?: (attempt: Attempt, policy: string) => boolean | Promise<boolean>,
): (attempt: Attempt, options?: CallOptions) => Promise<Permission> {
  const consents = createConsents(connection);
  return async (attempt, options) => {
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
    if (answer.instrument !== undefined && basis.kind === "grant" && basis.grant.consent === undefined)
      return refused("InstrumentMissing", "The grant comes from a FHIR Consent: bring the grant's file with it.");
    return answer;
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
 * @throws INPUT_INVALID, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, and what reading a grant throws
 */
export function statementOfAttempt(
  attempt: Attempt,
  gateway: string,
): (at: number, outcome: AccessOutcome) => AccessStatement {
  const { patient, who, action, resourceTypes, sensitivities = [], confidentiality, purposes } = attempt;
  if (purposes.length === 0) throw new CarepactError("INPUT_INVALID", "Who asks says what for.", { path: "purposes" });
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
