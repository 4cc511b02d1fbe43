import type { CallOptions } from "../chain/options";
import type {
  AccessLog,
  AccessLog__factory,
  AccessManager,
  AccessManager__factory,
  ClaimEscrow,
  ClaimEscrow__factory,
  ClaimEscrowExtension,
  ClaimEscrowExtension__factory,
  ConsentRegistry,
  ConsentRegistry__factory,
  Mandates,
  Mandates__factory,
  OrganizationRegistry,
  OrganizationRegistry__factory,
  PatientRecovery,
  PatientRecovery__factory,
  Rulebooks,
  Rulebooks__factory,
} from "../generated";
import type { TypedContractEvent, TypedLogDescription } from "../generated/common";

interface Contracts {
  // Two contracts at one address: the second takes what the first leaves to its fallback.
  ClaimEscrow: {
    contract: { filters: ClaimEscrow["filters"] & ClaimEscrowExtension["filters"] };
    abi: typeof ClaimEscrow__factory.abi | typeof ClaimEscrowExtension__factory.abi;
  };
  Rulebooks: { contract: Rulebooks; abi: typeof Rulebooks__factory.abi };
  Mandates: { contract: Mandates; abi: typeof Mandates__factory.abi };
  OrganizationRegistry: { contract: OrganizationRegistry; abi: typeof OrganizationRegistry__factory.abi };
  ConsentRegistry: { contract: ConsentRegistry; abi: typeof ConsentRegistry__factory.abi };
  PatientRecovery: { contract: PatientRecovery; abi: typeof PatientRecovery__factory.abi };
  AccessLog: { contract: AccessLog; abi: typeof AccessLog__factory.abi };
  AccessManager: { contract: AccessManager; abi: typeof AccessManager__factory.abi };
}

/** A contract of a deployment. */
export type ContractName = keyof Contracts;

type Filters<Contract extends ContractName> = Contracts[Contract]["contract"]["filters"];

/** Name of an event of one of the contracts, or of those given. */
export type EventName<Contract extends ContractName = ContractName> = Contract extends ContractName
  ? Exclude<keyof Filters<Contract> & string, `${string}(${string}`>
  : never;

type FieldOf<Value> = Exclude<keyof Value, keyof unknown[] | `${number}`>;

/** A decoded value without the extras of ethers' results: structs are objects, lists are arrays, integers are bigints. */
export type Plain<Value> = Value extends readonly unknown[]
  ? [FieldOf<Value>] extends [never]
    ? Plain<Value[number]>[]
    : Fields<Value>
  : Value;

type Fields<Value> = { [Field in FieldOf<Value>]: Plain<Value[Field]> };

/** Arguments of an event by name: addresses with checksum, bytes in lower-case hex, integers as bigint. */
export type EventArgs<Contract extends ContractName, Name extends EventName<Contract>> = Filters<Contract>[Name &
  keyof Filters<Contract>] extends infer Event extends TypedContractEvent
  ? Fields<TypedLogDescription<Event>["args"]>
  : never;

/** Where an event stands, which is who it is: the same transaction mined again, in another block, makes another event. */
export interface EventPlace {
  /** Block hash and log index: one for each event that ever was on any fork. Use it as key. */
  id: string;
  blockNumber: number;
  blockHash: string;
  /** Place of the event among all of its block. */
  logIndex: number;
}

interface EventOf<Contract extends ContractName, Name extends EventName<Contract>> extends EventPlace {
  contract: Contract;
  name: Name;
  args: EventArgs<Contract, Name>;
  txHash: string;
  /** Lets reading go on behind this event, at any later time and in another process. */
  readonly cursor: EventCursor;
}

/** An event of a deployment. `name` tells the type of its `args`. */
export type CarepactEvent<Name extends EventName = EventName, Contract extends ContractName = ContractName> = {
  [C in Contract]: { [N in Name & EventName<C>]: EventOf<C, N> }[Name & EventName<C>];
}[Contract];

type AbiOf<Contract extends ContractName> = Contracts[Contract]["abi"][number];

type InputOf<Name extends EventName> = Extract<
  { [C in ContractName]: AbiOf<C> }[ContractName],
  { type: "event"; name: Name }
>["inputs"][number];

type IndexedOf<Name extends EventName> = Extract<InputOf<Name>, { indexed: true }>;

type ValueOf<Type> = Type extends `uint${string}` ? bigint : string;

/** Indexed arguments of events, each with one value or several of which one has to match. */
export type IndexedArgs<Name extends EventName = EventName> = {
  [Arg in IndexedOf<Name>["name"]]?:
    | ValueOf<Extract<IndexedOf<Name>, { name: Arg }>["type"]>
    | readonly ValueOf<Extract<IndexedOf<Name>, { name: Arg }>["type"]>[]
    | undefined;
};

/**
 * A place in the events of a query, as a string that can be kept anywhere. It belongs to one query on one deployment, and
 * names the events of the last `maxReorgDepth` blocks, so that those which a reorganization took back meanwhile can be told.
 * Its length is at most 2,500 characters, 90 for each of these blocks with events, and 10 for each of these events; of an
 * event older than `maxReorgDepth` blocks it stays under 400. One longer than {@link MAX_CURSOR_LENGTH} is refused.
 */
export type EventCursor = string;

/** Which events. */
export interface EventQuery<Name extends EventName = EventName, Contract extends ContractName = ContractName> {
  /** Contracts to look at; all unless given. */
  contracts?: readonly Contract[] | undefined;
  /** Names of events; all unless given. */
  names?: readonly Name[] | undefined;
  /**
   * Values of indexed arguments. Events that have no such argument are left out; naming one of them in `names` is an
   * error.
   */
  args?: IndexedArgs<Name> | undefined;
  /** First block, or "latest" for those that come after the newest one; the deployment's first block unless given. */
  fromBlock?: number | "latest" | undefined;
  /** Instead of `fromBlock`: goes on behind a place that was reached before, with the same query. */
  after?: EventCursor | undefined;
}

/** A block of the chain, as it is counted at the beginning. */
export type BlockPoint = number | "latest" | "safe" | "finalized";

/** Which events, up to where. */
export interface ReadQuery<
  Name extends EventName = EventName,
  Contract extends ContractName = ContractName,
> extends EventQuery<Name, Contract> {
  /** Last block; the newest unless given. What stands in a finalized block is never taken back. */
  toBlock?: BlockPoint | undefined;
}

/** How events are read. `timeoutMs` is for each request to the node. */
export interface ReadOptions extends CallOptions {
  /** Most blocks to ask for at once; 10,000 unless given. It shrinks by itself where a node allows less. */
  pageBlocks?: number | undefined;
  /** How often in a row a request is repeated that the network or a rate limit kept from being answered; 6 unless given. */
  retries?: number | undefined;
  /** Milliseconds before the first repetition, doubled for each more, 30 s at most; 500 unless given. A node's own
   * "Retry-After" comes first. */
  retryMs?: number | undefined;
  /** How many blocks a reorganization may take back; 128 unless given, 1024 at most. */
  maxReorgDepth?: number | undefined;
}

/** How events are followed. */
export interface FollowOptions extends ReadOptions {
  /** Blocks that have to stand on top of an event's before it is told; 0 unless given: told at once. */
  confirmations?: number | undefined;
  /** Milliseconds between two looks at the chain; 4,000 unless given. */
  pollMs?: number | undefined;
}

/** What a removed event was; its arguments are those it was added with. */
export interface RemovedEvent<
  Name extends EventName = EventName,
  Contract extends ContractName = ContractName,
> extends EventPlace {
  contract: Contract;
  name: Name;
}

/**
 * What happened to the list of a query's events on the canonical chain.
 * - `added`: the event is its new last entry.
 * - `removed`: its last entry is gone, since the chain was reorganized.
 * - `reached`: it is complete up to this block; `current` when that is as far as the chain goes by now.
 */
export type EventChange<Name extends EventName = EventName, Contract extends ContractName = ContractName> =
  | { type: "added"; event: CarepactEvent<Name, Contract>; readonly cursor: EventCursor }
  | { type: "removed"; event: RemovedEvent<Name, Contract>; readonly cursor: EventCursor }
  | { type: "reached"; blockNumber: number; current: boolean; readonly cursor: EventCursor };

/** Goes on until it is at its end, aborted or left; leaving (`break`, `return()`) ends whatever is under way. */
export interface EventStream<Value> {
  next(): Promise<IteratorResult<Value, undefined>>;
  return(): Promise<IteratorResult<Value, undefined>>;
  [Symbol.asyncIterator](): EventStream<Value>;
}
