import { CodeList } from "./codeList";
import type { confidentialities } from "./tables/confidentialities";
import { purposes } from "./tables/purposes";
import { resourceTypes } from "./tables/resourceTypes";
import { sensitivities } from "./tables/sensitivities";

/** Why somebody wants to see something: HL7 v3 ActReason, value set PurposeOfUse. */
export type PurposeCode = (typeof purposes)[number]["code"];
/** FHIR R4 resource type; `Resource` is all of them. */
export type ResourceTypeCode = (typeof resourceTypes)[number]["code"];
/** Sensitivity label: HL7 v3 ActCode, value set InformationSensitivityPolicy; its root is all of them. */
export type SensitivityCode = (typeof sensitivities)[number]["code"];
/** What a grant or a restriction can be about: a resource type or a sensitivity label. */
export type CategoryCode = ResourceTypeCode | SensitivityCode;
/** Degree of HL7 v3 Confidentiality, U < L < M < N < R < V. */
export type ConfidentialityCode = (typeof confidentialities)[number]["code"];

export const purposeList = /* @__PURE__ */ new CodeList<PurposeCode>("PurposeOfUse", purposes, [0, 255]);
export const resourceTypeList = /* @__PURE__ */ new CodeList<ResourceTypeCode>(
  "FHIR R4 resource types",
  resourceTypes,
  [0, 191],
);
export const sensitivityList = /* @__PURE__ */ new CodeList<SensitivityCode>(
  "InformationSensitivityPolicy",
  sensitivities,
  [192, 255],
);
