import { requireAddress } from "../claims/types";
import { confidentialityRank, type ConfidentialityCode, type SensitivityCode } from "../codes";
import { resourceTypeList } from "../codes/lists";
import type { AccessRequest } from "../consents/scope";
import { CarepactError } from "../errors";

import type { Attempt } from "./attempt";

/**
 * What is known of a record that is asked for: a patient's Consent may tell records apart by what the registry cannot see.
 * Where it does by something that is left out, it is refused. References are written as the patient's Consents write them.
 */
export interface AskedRecord extends Pick<
  AccessRequest,
  "resourceType" | "custodian" | "author" | "codes" | "recordAt" | "record"
> {
  /** Its own labels, out of the attempt's; unless given, it may carry any of those. */
  sensitivities?: SensitivityCode[];
  /** The attempt's unless given. */
  confidentiality?: ConfidentialityCode;
}

/** @internal What is said of records, as it is decided by. @throws INPUT_INVALID, IDENTIFIER_INVALID, CODE_UNKNOWN */
export function requireRecords(attempt: Attempt): AskedRecord[] {
  const { records = [], resourceTypes, sensitivities = [], confidentiality } = attempt;
  const types = resourceTypeList.maskOf(resourceTypes);
  const must = (held: boolean, path: string, problem: string): void => {
    if (!held) throw new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });
  };
  const isTexts = (value: unknown): boolean =>
    Array.isArray(value) && value.every((entry) => typeof entry === "string");
  must(Array.isArray(records), "records", "is a list");
  return records.map((asked, i) => {
    const path = `records[${i}]`;
    const { custodian, author, codes, recordAt, record } = asked;
    must((resourceTypeList.bit(asked.resourceType) & types) !== 0n, `${path}.resourceType`, "is not asked for");
    must(
      (asked.sensitivities ?? []).every((code) => sensitivities.includes(code)),
      `${path}.sensitivities`,
      "has a label that the attempt does not name",
    );
    must(
      confidentialityRank(asked.confidentiality ?? confidentiality) <= confidentialityRank(confidentiality),
      `${path}.confidentiality`,
      "is above what is asked for",
    );
    must(codes === undefined || isTexts(codes), `${path}.codes`, "is a list of `system|code`");
    must(recordAt === undefined || Number.isSafeInteger(recordAt), `${path}.recordAt`, "is no time in unix seconds");
    must(
      record === undefined ||
        (typeof record.reference === "string" &&
          [record.refersTo, record.referredToBy, record.authoredBy].every(isTexts)),
      `${path}.record`,
      "has a reference, and lists of references",
    );
    return {
      ...asked,
      ...(custodian === undefined ? {} : { custodian: requireAddress(custodian, `${path}.custodian`) }),
      ...(author === undefined ? {} : { author: requireAddress(author, `${path}.author`) }),
    };
  });
}

/**
 * @internal What an attempt asks, one by one: each record for each purpose. Types of which no record is described are asked
 * for without knowing anything, each with all below it. Grants and emergencies are about access.
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, CODE_UNKNOWN
 */
export function requestsOf(attempt: Attempt, recipient: string, at: number): AccessRequest[] {
  const { purposes, resourceTypes, sensitivities = [], confidentiality } = attempt;
  const described = requireRecords(attempt);
  const isDescribed = (type: string): boolean =>
    described.some(({ resourceType }) => (resourceTypeList.bit(resourceType) & resourceTypeList.mask(type)) !== 0n);
  const rest = resourceTypeList.maskOf(resourceTypes.filter((type) => !isDescribed(type)));
  const unknown = resourceTypeList.codes().filter((type) => (resourceTypeList.bit(type) & rest) !== 0n);
  const records: AskedRecord[] = [...described, ...unknown.map((resourceType) => ({ resourceType }))];
  return purposes.flatMap((purpose) =>
    records.map((record) => ({
      ...record,
      recipient,
      purpose,
      at,
      action: "access" as const,
      sensitivities: record.sensitivities ?? sensitivities,
      sensitivitiesTogether: record.sensitivities === undefined,
      confidentiality: record.confidentiality ?? confidentiality,
    })),
  );
}
