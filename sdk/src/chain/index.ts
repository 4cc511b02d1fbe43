export { run, type Action, type Mined, type Sent } from "./action";
export { type Connection, type Deployment } from "./deployment";
export { parseRevert, toCarepactError, type Revert } from "./revert";
