import { CarepactError } from "../errors";

import type { CodeList } from "./codeList";
import {
  purposeList,
  resourceTypeList,
  sensitivityList,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "./lists";
import { confidentialities } from "./tables/confidentialities";

export type { CategoryCode, ConfidentialityCode, PurposeCode, ResourceTypeCode, SensitivityCode };

/** URIs of the code systems, as FHIR writes them. */
export const codeSystems = {
  purpose: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  resourceType: "http://hl7.org/fhir/resource-types",
  sensitivity: "http://terminology.hl7.org/CodeSystem/v3-ActCode",
  confidentiality: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
} as const;

/** Every purpose, also those that HL7 adds later: the mask of `PurposeOfUse`. */
export const anyPurpose: bigint = purposeList.all;
/** Every resource type without sensitivity labels: the mask of `Resource`. */
export const anyResourceType: bigint = resourceTypeList.all;
/** Every sensitivity label: the mask of `_InformationSensitivityPolicy`. */
export const anySensitivity: bigint = sensitivityList.all;

/** Every code of a list, in the order of the bits. */
export const purposeCodes = (): PurposeCode[] => purposeList.codes();
export const resourceTypeCodes = (): ResourceTypeCode[] => resourceTypeList.codes();
export const sensitivityCodes = (): SensitivityCode[] => sensitivityList.codes();
export const confidentialityCodes = (): ConfidentialityCode[] => confidentialities.map(({ code }) => code);

/** The bit of a purpose: what a request sets. @throws CODE_UNKNOWN */
export const purposeBit = (code: PurposeCode): bigint => purposeList.bit(code);

/**
 * The bits that a grant of a purpose sets: those of the code and of all below it, so that a grant for treatment covers
 * emergency treatment. A request is inside if its bit is.
 * @throws CODE_UNKNOWN
 */
export const purposeMask = (code: PurposeCode): bigint => purposeList.mask(code);

const listOf = (code: CategoryCode): CodeList<ResourceTypeCode> | CodeList<SensitivityCode> =>
  sensitivityList.has(code) ? sensitivityList : resourceTypeList;

/** The bits of what a request is about: the resource's type and its labels, no more. @throws CODE_UNKNOWN */
export const categoryBits = (codes: readonly CategoryCode[]): bigint =>
  codes.reduce((sum, code) => sum | listOf(code).bit(code), 0n);

/**
 * The bits that a grant or a restriction of these categories sets: those of the codes and of all below them.
 * A grant with a resource type and no sensitivity label covers only what carries none.
 * @throws CODE_UNKNOWN
 */
export const categoryMask = (codes: readonly CategoryCode[]): bigint =>
  codes.reduce((sum, code) => sum | listOf(code).mask(code), 0n);

/** The fewest purposes whose masks make up a bit set. @throws CODE_UNKNOWN when there are none such */
export const purposesOf = (bits: bigint): PurposeCode[] => purposeList.codesOf(bits);

/** The fewest categories whose masks make up a bit set, types first. @throws CODE_UNKNOWN when there are none such */
export const categoriesOf = (bits: bigint): CategoryCode[] => [
  ...resourceTypeList.codesOf(bits & ~anySensitivity),
  ...sensitivityList.codesOf(bits & anySensitivity),
];

/** Position of a degree of confidentiality, U = 0 to V = 5: the ceiling of a grant. @throws CODE_UNKNOWN */
export function confidentialityRank(code: ConfidentialityCode): number {
  const rank = confidentialities.findIndex((entry) => entry.code === code);
  if (rank < 0)
    throw new CarepactError("CODE_UNKNOWN", "Not a degree of confidentiality: U, L, M, N, R or V.", {
      list: "Confidentiality",
      code: typeof code === "string" ? String(code).slice(0, 80) : typeof code,
    });
  return rank;
}

/** The degree of confidentiality at a position. @throws CODE_UNKNOWN */
export function confidentialityAt(rank: number): ConfidentialityCode {
  const entry = confidentialities[rank];
  if (entry === undefined)
    throw new CarepactError("CODE_UNKNOWN", `${rank} is no degree of confidentiality: 0 to 5.`, {
      list: "Confidentiality",
      code: rank,
    });
  return entry.code;
}

/** HL7's own words for a code. @throws CODE_UNKNOWN */
export function displayOf(code: PurposeCode | CategoryCode): string {
  return purposeList.has(code) ? purposeList.entry(code).display : listOf(code).entry(code).display;
}

/** HL7's own word for a degree of confidentiality. @throws CODE_UNKNOWN */
export function confidentialityDisplay(code: ConfidentialityCode): string {
  return confidentialities[confidentialityRank(code)]?.display ?? code;
}
