export * from "./results";
export * from "./types";
