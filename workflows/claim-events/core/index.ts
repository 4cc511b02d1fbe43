export type { AbsentReason, Answer, RetryReason } from "./answers";
export { conclude, type Conclusion, type LineFinding, type TimeReason } from "./conclude";
export type { Mismatch } from "./matching";
export { prepare, type ClaimEventsRequest, type Prepared, type Read, type RequestedLine } from "./request";
export { readSettings, type Server, type Settings } from "./settings";
