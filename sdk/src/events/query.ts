import { AbiCoder, id, isHexString } from "ethers";

import type { Deployment } from "../chain/deployment";
import { CarepactError } from "../errors";

import { addressesOf, contractNames, decodeArgs, eventKindsOf, type EventKind } from "./contracts";
import type { RawLog } from "./node";
import type { ContractName, EventQuery } from "./types";

/** Most values of one argument: nodes take a few thousand parameters at most. */
const MOST_VALUES = 1_000;

/** What is asked of the node: more than the query wants where events of different shape are asked for together. */
export interface LogFilter {
  address: string[];
  topics: (string[] | null)[];
}

/** A query on one deployment, ready to be asked. */
export interface CompiledQuery {
  filter: LogFilter;
  /** Tells queries apart: a cursor belongs to one. */
  digest: string;
  /** What kind of event a log is, if the query wants it. */
  kindOf(log: RawLog): EventKind | undefined;
  /** The kind of a name and contract, if the query can meet it. */
  kindNamed(contract: string, name: string): EventKind | undefined;
  argsOf(kind: EventKind, log: RawLog): Record<string, unknown>;
}

/** An event that is wanted, with the values its topics may have; any where there are none. */
interface Wanted {
  kind: EventKind;
  address: string;
  topics: (ReadonlySet<string> | undefined)[];
}

/** @throws INPUT_INVALID */
export function compileQuery(deployment: Deployment, query: EventQuery): CompiledQuery {
  const addresses = addressesOf(deployment);
  const wanted = selectKinds(query).map((kind): Wanted => ({
    kind,
    address: addresses[kind.contract],
    topics: topicsOf(kind, query.args),
  }));
  const keyOf = (address: string, topicHash: string | undefined): string => `${address}:${topicHash}`;
  const byKey = new Map(wanted.map((one) => [keyOf(one.address, one.kind.topicHash), one]));
  const everything = query.names === undefined && query.args === undefined;
  const filter: LogFilter = {
    address: [...new Set(wanted.map(({ address }) => address))],
    // A list of every event there is says nothing that the addresses do not say, and nodes limit its length.
    topics: everything ? [] : [[...new Set(wanted.map(({ kind }) => kind.topicHash))], ...commonTopics(wanted)],
  };
  return {
    filter,
    digest: id(JSON.stringify(wanted.map(({ kind, address, topics }) => [address, kind.topicHash, asLists(topics)]))),
    kindOf: ({ address, topics }) => {
      const one = byKey.get(keyOf(address, topics[0]));
      return one?.topics.every((values, i) => values === undefined || values.has(topics[i + 1] ?? "")) === true
        ? one.kind
        : undefined;
    },
    kindNamed: (contract, name) => wanted.find(({ kind }) => kind.contract === contract && kind.name === name)?.kind,
    argsOf: decodeArgs,
  };
}

const asLists = (topics: Wanted["topics"]): string[][] => topics.map((values) => [...(values ?? [])].sort());

function selectKinds({ contracts = contractNames, names, args = {} }: EventQuery): EventKind[] {
  const unknown = contracts.filter((contract) => !contractNames.includes(contract));
  if (unknown.length > 0) throw invalid("contracts", `There is no contract ${unknown.join(", ")}.`);
  const known = contracts.flatMap((contract: ContractName) => eventKindsOf(contract));
  const strange = names?.filter((name) => !known.some((kind) => kind.name === name)) ?? [];
  if (strange.length > 0) throw invalid("names", `The contracts have no event ${strange.join(", ")}.`);
  const named = names === undefined ? known : known.filter(({ name }) => names.includes(name));
  const asked = Object.entries(args).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const lacks = ({ fragment }: EventKind): string[] =>
    asked.filter((arg) => !fragment.inputs.some(({ name, indexed }) => indexed === true && name === arg));
  const lacking = names === undefined ? undefined : named.find((kind) => lacks(kind).length > 0);
  if (lacking !== undefined)
    throw invalid("args", `${lacking.name} has no indexed argument ${lacks(lacking).join(", ")}.`);
  const selected = named.filter((kind) => lacks(kind).length === 0);
  if (selected.length === 0)
    throw invalid("args", `No event has all of these as indexed arguments: ${asked.join(", ")}.`);
  return selected;
}

function topicsOf({ fragment }: EventKind, args: EventQuery["args"] = {}): Wanted["topics"] {
  return fragment.inputs
    .filter(({ indexed }) => indexed === true)
    .map(({ name, type }) => {
      const value: unknown = (args as Record<string, unknown>)[name];
      if (value === undefined) return undefined;
      const values: unknown[] = Array.isArray(value) ? value : [value];
      if (values.length === 0 || values.length > MOST_VALUES)
        throw invalid(`args.${name}`, `Give one to ${MOST_VALUES} values of ${name}.`);
      return new Set(values.map((one) => topicOf(name, type, one)));
    });
}

function topicOf(name: string, type: string, value: unknown): string {
  try {
    // ethers would take names, and numbers for bytes.
    if (!type.startsWith("uint") && !isHexString(value)) throw new TypeError("not hexadecimal");
    return AbiCoder.defaultAbiCoder().encode([type], [value]).toLowerCase();
  } catch (cause) {
    throw invalid(`args.${name}`, `${name} is a value of type ${type}.`, cause);
  }
}

/** For each place, all values that some wanted event may have there; any if one of them may have any. */
function commonTopics(wanted: readonly Wanted[]): (string[] | null)[] {
  const places = Math.max(...wanted.map(({ topics }) => topics.length));
  const topics = Array.from({ length: places }, (_, place): string[] | null => {
    const values = wanted.map((one) => one.topics[place]);
    return values.includes(undefined) ? null : [...new Set(values.flatMap((set) => [...(set ?? [])]))];
  });
  return topics.slice(0, topics.findLastIndex((values) => values !== null) + 1);
}

const invalid = (path: string, problem: string, cause?: unknown): CarepactError =>
  new CarepactError("INPUT_INVALID", problem, { path }, cause);
