import {
  resourceTypeList,
  sensitivityList,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import type { Restrictions } from "../consents/grants";
import { grantDigestOf, type Grant } from "../consents/types";
import { CarepactError } from "../errors";

import type { Compartment } from "./trail";
import {
  requireStatement,
  type AccessAction,
  type AccessBasis,
  type AccessOutcome,
  type AccessStatement,
  type RefusalReason,
} from "./types";

/** By what right somebody asks. */
export type AttemptBasis<Chain extends { grant: Grant }> =
  /** The patient's grant, and how it came to who asks. */
  | { kind: "grant"; chain: Chain }
  /** An emergency; in the words of who asks, at most 4,096 characters. */
  | { kind: "breakGlass"; justification: string }
  /** A law or policy other than consent, by its URI. */
  | { kind: "policy"; policy: string };

/** What somebody wants to do with a patient's record. */
export interface Attempt<Chain extends { grant: Grant } = { grant: Grant }> {
  /** Patient id. */
  patient: string;
  /** Account of who asks: the gateway has made sure that it is. */
  who: string;
  action: AccessAction;
  /** At least one. */
  resourceTypes: ResourceTypeCode[];
  /** Labels of what is asked for; none unless given. */
  sensitivities?: SensitivityCode[];
  confidentiality?: ConfidentialityCode;
  /** At least one. */
  purposes: PurposeCode[];
  basis: AttemptBasis<Chain>;
  /** The patient's present restrictions, where there are any. */
  restrictions?: Restrictions;
}

/** Whether something is permitted. */
export type Permission = { permitted: true } | { permitted: false; reason: RefusalReason; advice: string };

const MOST_TEXT = 4_096;

/** @internal A text that people read. @throws INPUT_INVALID */
export function requireText(text: string, path: string): string {
  if (typeof text !== "string" || text.trim() === "" || text.length > MOST_TEXT)
    throw new CarepactError("INPUT_INVALID", `${path} is missing, or longer than ${MOST_TEXT} characters.`, { path });
  return text;
}

/**
 * @internal What is noted of an attempt, whatever comes of it.
 * @throws INPUT_INVALID, GRANT_MALFORMED, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN
 */
export function statementOfAttempt<Chain extends { grant: Grant }>(
  attempt: Attempt<Chain>,
  { gateway, chainId, consentRegistry }: { gateway: string; chainId: number; consentRegistry: string },
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
    ...(confidentiality === undefined ? {} : { confidentiality }),
    purposes,
    basis: basisOf(attempt.basis, { chainId, registry: consentRegistry }),
    outcome: { result: "allowed" },
  });
  return (at, outcome) => ({ ...statement, at, outcome });
}

function basisOf<Chain extends { grant: Grant }>(
  basis: AttemptBasis<Chain>,
  ref: Parameters<typeof grantDigestOf>[1],
): AccessBasis {
  if (basis.kind === "grant") {
    const { grant } = basis.chain;
    return { kind: "grant", grant: grantDigestOf(grant, ref), epoch: grant.epoch };
  }
  if (basis.kind === "policy") return basis;
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
