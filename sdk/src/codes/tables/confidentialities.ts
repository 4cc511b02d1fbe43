// Written by `npm run codes` from the npm package hl7.fhir.r4.examples (CC0). Positions never change.

/** Degrees of HL7 v3 Confidentiality, the least first. The position is the ceiling of a grant. */
export const confidentialities = [
  { code: "U", display: "unrestricted" },
  { code: "L", display: "low" },
  { code: "M", display: "moderate" },
  { code: "N", display: "normal" },
  { code: "R", display: "restricted" },
  { code: "V", display: "very restricted" },
] as const;
