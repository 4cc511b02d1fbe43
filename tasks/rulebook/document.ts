import { concat, isAddress, isHexString } from "ethers";

import { parseAmount, type Token } from "@carepact/sdk";
import { workflowNameOf } from "@carepact/sdk/oracles";
import {
  eventKinds,
  rulebook as rulebookOf,
  rulebookFromJson,
  rulebookIdOf,
  simpleRulebook,
  type Arbiter,
  type ArbitrationTerms,
  type ConditionInput,
  type RetentionTerms,
  type Rulebook,
  type RulebookJson,
  type Workflow,
} from "@carepact/sdk/rulebooks";

import { addressIn, bytes32In, durationIn, oneOf, usage } from "../support/input";

const kindNames = Object.keys(eventKinds) as (keyof typeof eventKinds)[];

/** What a document leaves to where it is published. */
interface Place {
  /** Contract that checks P-256 keys. */
  p256Verifier: string;
  /** Token in whose units `above` and `bond` are written. */
  token?: Token;
}

/** What a file says in place of a whole rulebook. */
interface Short {
  /** With threshold: one condition, of accounts. */
  attesters?: unknown;
  threshold?: unknown;
  /** In place of these two. */
  conditions?: unknown;
  workflow?: unknown;
  eventKinds: unknown;
  grace: unknown;
  suspender?: unknown;
  documentHash?: unknown;
  challengePeriod?: unknown;
  arbiter?: unknown;
  bond?: unknown;
  retention?: unknown;
}

const known = [
  ...["attesters", "threshold", "conditions", "workflow"],
  ...["eventKinds", "grace", "suspender", "documentHash"],
  ...["challengePeriod", "arbiter", "bond", "retention"],
];

/** A rulebook in either of its forms. @throws INPUT_INVALID, RULEBOOK_INVALID, BATCH_TERMS_INVALID, and the AMOUNT_ codes */
export function rulebookIn(value: unknown, option: string, place: Place): Rulebook {
  if (typeof value !== "object" || value === null) throw usage(`${option}: this is no rulebook.`, option);
  const rulebook =
    "attesterGroups" in value ? wholeIn(value as RulebookJson, option) : shortIn(value as Short, option, place);
  // Shows what does not fit Solidity's types before anything is asked of the chain.
  rulebookIdOf(rulebook);
  return rulebook;
}

function wholeIn(value: RulebookJson, option: string): Rulebook {
  try {
    return rulebookFromJson(value);
  } catch (thrown) {
    throw usage(`${option}: the rulebook's fields are not those that rulebook:show --out writes.`, option, thrown);
  }
}

function shortIn(value: Short, option: string, place: Place): Rulebook {
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw usage(`${option}: a short rulebook has no ${unknown.join(", ")}.`, option);
  const { attesters, threshold, conditions, workflow, suspender, documentHash } = value;
  if (!Array.isArray(value.eventKinds))
    throw usage(`${option}: eventKinds is a list of ${kindNames.join(", ")}.`, option);
  const common = {
    eventKinds: value.eventKinds.reduce(
      (bits: number, kind) => bits | eventKinds[oneOf(kind, kindNames, "eventKinds")],
      0,
    ),
    grace: durationIn(value.grace, "grace"),
    ...(suspender === undefined ? {} : { suspender: addressIn(suspender, "suspender") }),
    ...(documentHash === undefined ? {} : { documentHash: bytes32In(documentHash, "documentHash") }),
    ...arbitrationIn(value, option, place),
  };
  if (conditions !== undefined || workflow !== undefined) {
    if (attesters !== undefined || threshold !== undefined)
      throw usage(`${option}: attesters and threshold stand in conditions, where there are any or a workflow.`, option);
    if (conditions !== undefined && !Array.isArray(conditions)) throw usage(`${option}: conditions is a list.`, option);
    return rulebookOf({
      conditions: ((conditions ?? []) as unknown[]).map((one, i) =>
        conditionIn(one, `conditions[${i}]`, option, place),
      ),
      ...(workflow === undefined ? {} : { workflow: workflowIn(workflow, option) }),
      ...common,
    });
  }
  if (!Array.isArray(attesters) || !attesters.every((attester) => isAddress(attester)))
    throw usage(`${option}: attesters is a list of accounts; keys and roles stand in conditions.`, option);
  if (!Number.isInteger(threshold)) throw usage(`${option}: threshold is a whole number.`, option);
  return simpleRulebook({ attesters, threshold: threshold as number, ...common });
}

const sides = ["payer", "payee"] as const;

/** What is said of disputes and retention: times as durations, the bond in the units of a token. */
function arbitrationIn(
  { challengePeriod, arbiter, bond, retention }: Short,
  option: string,
  { token }: Place,
): ArbitrationTerms {
  if (bond !== undefined && token === undefined)
    throw usage(`${option}: bond is in the units of a token: say which by --token.`, "--token");
  return {
    ...(challengePeriod === undefined ? {} : { challengePeriod: durationIn(challengePeriod, "challengePeriod") }),
    ...(arbiter === undefined ? {} : { arbiter: arbiterIn(arbiter, option) }),
    ...(bond === undefined || token === undefined ? {} : { bond: parseAmount(bond, token, `${option} bond`) }),
    ...(retention === undefined ? {} : { retention: retentionIn(retention, option) }),
  };
}

function arbiterIn(value: unknown, option: string): Arbiter {
  const { account, deadline, default: side, ...rest } = fieldsOf(value, `${option} arbiter`, option);
  requireNone(rest, `${option} arbiter`, option);
  return {
    account: addressIn(account, "arbiter.account"),
    deadline: durationIn(deadline, "arbiter.deadline"),
    ...(side === undefined ? {} : { default: oneOf(side, sides, "arbiter.default") }),
  };
}

function retentionIn(value: unknown, option: string): RetentionTerms {
  const { bps, lookBack, ...rest } = fieldsOf(value, `${option} retention`, option);
  requireNone(rest, `${option} retention`, option);
  if (!Number.isInteger(bps)) throw usage(`${option} retention: bps is a whole number.`, option);
  return { bps: bps as number, lookBack: durationIn(lookBack, "retention.lookBack") };
}

function requireNone(rest: Record<string, unknown>, what: string, option: string): void {
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw usage(`${what} has no ${unknown.join(", ")}.`, option);
}

function conditionIn(value: unknown, path: string, option: string, { p256Verifier, token }: Place): ConditionInput {
  const { attesters, threshold, above, ...rest } = fieldsOf(value, `${option} ${path}`, option);
  const unknown = Object.keys(rest);
  if (unknown.length > 0) throw usage(`${option} ${path}: a condition has no ${unknown.join(", ")}.`, option);
  if (!Array.isArray(attesters)) throw usage(`${option} ${path}: attesters is a list.`, option);
  if (threshold !== undefined && !Number.isInteger(threshold))
    throw usage(`${option} ${path}: threshold is a whole number.`, option);
  if (above !== undefined && token === undefined)
    throw usage(`${option} ${path}: above is in the units of a token: say which by --token.`, "--token");
  return {
    attesters: attesters.map((attester, i) => attesterIn(attester, `${path}.attesters[${i}]`, option, p256Verifier)),
    ...(threshold === undefined ? {} : { threshold: threshold as number }),
    ...(above === undefined || token === undefined
      ? {}
      : { above: parseAmount(above, token, `${option} ${path}.above`) }),
  };
}

/** A role, an ERC-7913 signer in hex, or a key as keys:new shows it, whose verifier is the deployment's. */
function attesterIn(value: unknown, path: string, option: string, p256Verifier: string): string {
  if (typeof value === "string") return value;
  const { p256Key } = fieldsOf(value, `${option} ${path}`, option);
  if (isHexString(p256Key, 64)) return concat([p256Verifier, p256Key]);
  throw usage(
    `${option} ${path} is no account or key in hex, no {"p256Key": "0x..."} of 64 bytes, and neither payee nor patient.`,
    option,
  );
}

const WORKFLOW_NAME_BYTES = 10;

/** The name as its owner gave it, or as the forwarder hands it on. */
function workflowIn(value: unknown, option: string): Workflow {
  const { id, owner, name } = fieldsOf(value, `${option} workflow`, option);
  if (typeof name !== "string" || name === "")
    throw usage(`${option} workflow: name is that of the workflow, or its 10 bytes in hex.`, option);
  return {
    id: bytes32In(id, `${option} workflow.id`),
    owner: addressIn(owner, `${option} workflow.owner`),
    name: isHexString(name, WORKFLOW_NAME_BYTES) ? name.toLowerCase() : workflowNameOf(name),
  };
}

function fieldsOf(value: unknown, what: string, option: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage(`${what}: this is no object.`, option);
  return value as Record<string, unknown>;
}
