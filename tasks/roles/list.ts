import { createRoles, roleNameOf, type Role } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { durationText, isoTime, table } from "../support/show";
import { siteOf } from "../support/site";

export async function run(call: Call): Promise<Ending> {
  const site = await siteOf(call);
  const manager = createRoles(site.connection);
  const [roles, paused] = await Promise.all([manager.list(site.options), manager.paused(site.options)]);
  return {
    lines: [
      ...table(
        ["role", "id", "members", "waits", "may call"],
        roles.map((role) => [
          role.name,
          role.id.toString(),
          role.members.length === 0 ? "nobody" : role.members.map(({ account }) => account),
          role.members.map(({ delay }) => durationText(delay)),
          functionsText(role),
        ]),
        ["id"],
      ),
      ...roles.flatMap(notes),
      paused ? "The escrow is paused." : "The escrow is not paused.",
    ],
    json: {
      roles: roles.map((role) => ({ ...role, admin: roleNameOf(role.admin), guardian: roleNameOf(role.guardian) })),
      paused,
    },
  };
}

const functionsText = ({ id, functions }: Role): string[] => [
  ...(id === 0n ? ["roles, delays, and all that is restricted and in no other role"] : []),
  ...functions.map((entry) => `${entry.contract ?? entry.target} ${entry.function?.split("(")[0] ?? entry.selector}`),
];

/** What the table has no column for, and is not so in an ordinary deployment. */
function notes({ name, admin, guardian, grantDelay, members }: Role): string[] {
  return [
    ...(admin === 0n ? [] : [`${name} is granted by ${roleNameOf(admin)}.`]),
    ...(guardian === 0n ? [] : [`What ${name} schedules can be cancelled by ${roleNameOf(guardian)}.`]),
    ...(grantDelay === 0 ? [] : [`Grants of ${name} take effect after ${durationText(grantDelay)}.`]),
    ...members.flatMap(({ account, pending }) =>
      pending === undefined
        ? []
        : [`${account} will wait ${durationText(pending.delay)} from ${isoTime(pending.from)} on.`],
    ),
  ];
}
