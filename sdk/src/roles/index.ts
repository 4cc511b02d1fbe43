export {
  describeCall,
  grantCall,
  operationIdOf,
  forwarderCall,
  revokeCall,
  type DescribedCall,
  type Grant,
  type Membership,
  type TargetCall,
} from "./calls";
export { createRoles, type Roles, type Scheduled } from "./createRoles";
export type { Role, RoleFunction, RoleMember } from "./list";
export { roleIdOf, roleIds, roleNameOf, type RoleName, type RoleRef } from "./names";
export type { PendingOperation } from "./pending";
