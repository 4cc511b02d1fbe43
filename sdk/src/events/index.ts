export { createEvents, type Events } from "./createEvents";
export { MAX_CURSOR_LENGTH } from "./cursor";
export type {
  BlockPoint,
  CarepactEvent,
  ContractName,
  EventArgs,
  EventChange,
  EventCursor,
  EventName,
  EventPlace,
  EventQuery,
  EventStream,
  FollowOptions,
  IndexedArgs,
  Plain,
  ReadOptions,
  ReadQuery,
  RemovedEvent,
} from "./types";
