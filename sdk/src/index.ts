export * from "./claims";
export * from "./errors";
export * from "./money";
