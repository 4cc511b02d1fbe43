import { Contract, id, Interface, type LogDescription, type Provider } from "ethers";

import type { Deployment } from "@carepact/sdk";

import type { Finding } from "./checkContracts";
import type { Parameters } from "./parameters";
import { roles } from "./roles";
import { type Artifacts, facesOf, proxies, proxyNames, type ProxyName } from "./system";

const ADMIN = 0n;
/** Everybody is in it, by OpenZeppelin's definition. */
const PUBLIC = (1n << 64n) - 1n;

type RoleName = keyof typeof roles;
const nameOf = (role: bigint): string =>
  role === ADMIN
    ? "admin"
    : role === PUBLIC
      ? "everybody"
      : (Object.entries(roles).find(([, entry]) => entry.id === role)?.[0] ?? `role ${role}`);

/** The role that may call a function, as roles.ts says. */
function roleOf(target: string, signature: string): bigint {
  const entry = Object.values(roles).find(({ functions }) =>
    (functions as Record<string, readonly string[]>)[target]?.includes(signature),
  );
  return entry?.id ?? ADMIN;
}

/** Who may do what, as the AccessManager says: function by function, member by member. */
export async function checkRoles(
  provider: Provider,
  deployment: Deployment,
  artifacts: Artifacts,
  parameters: Parameters,
): Promise<Finding[]> {
  const { abi } = await artifacts.readArtifact("AccessManager");
  const manager = new Contract(deployment.accessManager, abi, provider);
  const events = await eventsOf(provider, manager.interface, deployment);
  return [
    ...(await checkFunctions(manager, deployment, artifacts)),
    checkTargets(events, deployment, await selectorsOf(deployment, artifacts)),
    ...(await checkMembers(manager, events, parameters)),
    await checkOperations(manager, events),
  ];
}

/** All that the AccessManager ever reported, in ranges as small as the node wants them. */
async function eventsOf(
  provider: Provider,
  abi: Interface,
  { accessManager, startBlock }: Deployment,
): Promise<LogDescription[]> {
  const between = async (fromBlock: number, toBlock: number): Promise<LogDescription[]> => {
    try {
      const logs = await provider.getLogs({ address: accessManager, fromBlock, toBlock });
      return logs.map((log) => abi.parseLog(log)).filter((event) => event !== null);
    } catch (thrown) {
      if (fromBlock >= toBlock) throw thrown;
      const middle = Math.floor((fromBlock + toBlock) / 2);
      return [...(await between(fromBlock, middle)), ...(await between(middle + 1, toBlock))];
    }
  };
  return between(startBlock, await provider.getBlockNumber());
}

const writesOf = async (artifacts: Artifacts, name: ProxyName): Promise<{ signature: string; selector: string }[]> => {
  const faces = await Promise.all(facesOf(name).map((face) => artifacts.readArtifact(face)));
  const writes = faces
    .flatMap(({ abi }) => Interface.from(abi).fragments)
    .filter((fragment) => fragment.type === "function")
    .map((fragment) => fragment as unknown as { format(): string; constant: boolean })
    .filter(({ constant }) => !constant)
    .map((fragment) => ({ signature: fragment.format(), selector: id(fragment.format()).slice(0, 10) }));
  // What both inherit is one function at the proxy's address.
  return [...new Map(writes.map((write) => [write.selector, write])).values()];
};

/** Selectors of functions that change state, by the address of their contract. */
async function selectorsOf(deployment: Deployment, artifacts: Artifacts): Promise<Map<string, Set<string>>> {
  const known = new Map<string, Set<string>>();
  for (const name of proxyNames)
    known.set(
      deployment[proxies[name]].toLowerCase(),
      new Set((await writesOf(artifacts, name)).map(({ selector }) => selector)),
    );
  return known;
}

async function checkFunctions(manager: Contract, deployment: Deployment, artifacts: Artifacts): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of proxyNames) {
    const target = deployment[proxies[name]];
    // Of every function, not of those that ask the manager alone: which these are, no ABI says.
    const functions = await Promise.all(
      (await writesOf(artifacts, name)).map(async ({ signature, selector }) => {
        const found = (await manager.getFunction("getTargetFunctionRole")(target, selector)) as bigint;
        return { signature, found, expected: roleOf(name, signature) };
      }),
    );
    const wrong = functions
      .filter(({ found, expected }) => found !== expected)
      .map(({ signature, found, expected }) => `${signature} is for ${nameOf(found)}, not ${nameOf(expected)}`);
    if ((await manager.getFunction("isTargetClosed")(target)) as boolean) wrong.push("is closed: nobody may call it");
    const delay = (await manager.getFunction("getTargetAdminDelay")(target)) as bigint;
    if (delay !== 0n) wrong.push(`has an admin delay of its own: ${delay} s`);
    findings.push({ what: `${name}: who may call what`, wrong });
  }
  return findings;
}

/** Permissions for what is not part of the system, or for functions that it does not have (yet). */
function checkTargets(
  events: readonly LogDescription[],
  deployment: Deployment,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): Finding {
  const now = new Map<string, bigint>();
  for (const { name, args } of events)
    if (name === "TargetFunctionRoleUpdated")
      now.set(`${(args.target as string).toLowerCase()} ${args.selector as string}`, args.roleId as bigint);
  const wrong = [...now].flatMap(([key, role]) => {
    const [target = "", selector = ""] = key.split(" ");
    if (role === ADMIN || known.get(target)?.has(selector)) return [];
    const where = target === deployment.accessManager.toLowerCase() ? "the AccessManager itself" : target;
    return [`${nameOf(role)} may call ${selector} of ${where}, which deploy/roles.ts does not know`];
  });
  return { what: "Permissions beyond those of deploy/roles.ts", wrong };
}

interface Access {
  since: bigint;
  currentDelay: bigint;
  pendingDelay: bigint;
  effect: bigint;
}

async function checkMembers(
  manager: Contract,
  events: readonly LogDescription[],
  parameters: Parameters,
): Promise<Finding[]> {
  const expected = new Map<bigint, { account: string; delay: number }>([
    [ADMIN, { account: parameters.governance, delay: parameters.delay }],
    ...Object.entries(roles).map(
      ([name, { id: role }]) =>
        [role, { account: parameters[name as RoleName], delay: name === "upgrader" ? parameters.delay : 0 }] satisfies [
          bigint,
          { account: string; delay: number },
        ],
    ),
  ]);
  const granted = events.filter(({ name }) => name === "RoleGranted");
  const mentioned = events.flatMap(({ args }) => (args.toObject() as { roleId?: bigint }).roleId ?? []);
  const all = new Set([...expected.keys(), ...mentioned]);

  const findings: Finding[] = [];
  for (const role of all) {
    if (role === PUBLIC) continue;
    const wanted = expected.get(role);
    const wrong: string[] = [];
    const accounts = new Set(
      granted.filter(({ args }) => args.roleId === role).map(({ args }) => args.account as string),
    );
    if (wanted !== undefined) accounts.add(wanted.account);
    for (const account of accounts)
      wrong.push(
        ...memberWrong(
          account,
          accessIn(await manager.getFunction("getAccess")(role, account)),
          account === wanted?.account ? wanted.delay : undefined,
        ),
      );
    wrong.push(...(await governanceWrong(manager, role)));
    findings.push({ what: `Members of ${nameOf(role)}`, wrong });
  }
  return findings;
}

const accessIn = (result: unknown): Access => {
  const [since, currentDelay, pendingDelay, effect] = result as [bigint, bigint, bigint, bigint];
  return { since, currentDelay, pendingDelay, effect };
};

/** @param delay That a member should have, in seconds; undefined: should not be a member. */
function memberWrong(account: string, access: Access, delay: number | undefined): string[] {
  const { since, currentDelay, pendingDelay, effect } = access;
  if (delay === undefined) return since === 0n ? [] : [`${account} is a member, and the parameters name another`];
  if (since === 0n) return [`${account} is no member, although the parameters name it`];
  return [
    ...(currentDelay === BigInt(delay) ? [] : [`${account} waits ${currentDelay} s, not ${delay} s`]),
    ...(effect === 0n ? [] : [`${account} will wait ${pendingDelay} s from ${dateOf(effect)} on`]),
  ];
}

/** Who grants and cancels: the admin, everywhere, and at once after its own delay. */
async function governanceWrong(manager: Contract, role: bigint): Promise<string[]> {
  const admin = (await manager.getFunction("getRoleAdmin")(role)) as bigint;
  const guardian = (await manager.getFunction("getRoleGuardian")(role)) as bigint;
  const grantDelay = (await manager.getFunction("getRoleGrantDelay")(role)) as bigint;
  return [
    ...(admin === ADMIN ? [] : [`is granted by ${nameOf(admin)}, not by the admin`]),
    ...(guardian === ADMIN ? [] : [`has ${nameOf(guardian)} as guardian, not the admin`]),
    ...(grantDelay === 0n ? [] : [`grants take effect after ${grantDelay} s`]),
  ];
}

/** Unix seconds, as people write them. */
export const dateOf = (seconds: bigint | number): string => new Date(Number(seconds) * 1_000).toISOString();

async function checkOperations(manager: Contract, events: readonly LogDescription[]): Promise<Finding> {
  const wrong: string[] = [];
  const scheduled = events.filter(({ name }) => name === "OperationScheduled");
  for (const operation of new Set(scheduled.map(({ args }) => args.operationId as string))) {
    // Zero when it was carried out, cancelled, or expired.
    const ready = (await manager.getFunction("getSchedule")(operation)) as bigint;
    if (ready === 0n) continue;
    const { args } = scheduled.findLast(({ args }) => args.operationId === operation)!;
    wrong.push(
      `${args.caller as string} may call ${args.target as string} with ${(args.data as string).slice(0, 74)} from ${dateOf(ready)} on`,
    );
  }
  return { what: "Operations that wait", wrong };
}
