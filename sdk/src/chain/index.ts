export { run, type Action, type Mined, type SendOptions, type Sent, type WaitOptions } from "./action";
export { decodeError } from "./decodeError";
export { type Connection, type Deployment } from "./deployment";
export { type CallOptions } from "./options";
export { parseRevert, type Revert } from "./revert";
