export * from "./file";
export * from "./input";
export * from "./results";
export * from "./types";
