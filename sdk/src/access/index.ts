export {
  accessActions,
  requireEntry,
  type AccessAction,
  type AccessBasis,
  type AccessEntry,
  type AccessOutcome,
} from "./types";
