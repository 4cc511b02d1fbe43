import { CarepactError } from "../errors";

/** Ids of the roles, as the AccessManager knows them. The admin grants and revokes all others. */
export const roleIds = { admin: 0n, upgrader: 1n, pauser: 2n, credentialing: 3n } as const;

/** Name of a role of the protocol. */
export type RoleName = keyof typeof roleIds;

/** A role by name, or by id where the AccessManager has roles of its own. */
export type RoleRef = RoleName | bigint;

const LARGEST_ID = (1n << 64n) - 1n;

/** OpenZeppelin's role that everybody is in. */
export const EVERYBODY = LARGEST_ID;

/** What people call a role: its name, or `role 7`. */
export function roleNameOf(id: bigint): string {
  if (id === EVERYBODY) return "everybody";
  return Object.entries(roleIds).find(([, known]) => known === id)?.[0] ?? `role ${id}`;
}

/** Id of a role. @throws INPUT_INVALID when there is none of that name, or the id does not fit 64 bits */
export function roleIdOf(role: RoleRef): bigint {
  const id = typeof role === "bigint" ? role : Object.hasOwn(roleIds, role) ? roleIds[role] : undefined;
  if (id === undefined || id < 0n || id > LARGEST_ID)
    throw new CarepactError(
      "INPUT_INVALID",
      `There is no role ${String(role)}: the roles are ${Object.keys(roleIds).join(", ")}.`,
      { path: "role", role },
    );
  return id;
}
