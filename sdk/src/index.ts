export * from "./chain";
export * from "./errors";
export * from "./money";
