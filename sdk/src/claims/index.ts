export * from "./file";
export * from "./input";
export * from "./manifestTree";
export * from "./results";
export * from "./types";
