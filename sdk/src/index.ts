export * from "./chain";
export * from "./deployments";
export * from "./errors";
export * from "./money";
