export * from "./claims";
export * from "./encryption";
export * from "./errors";
export * from "./fhir";
export * from "./money";
