import { deploymentOf, type Connection } from "../chain/deployment";
import { CarepactError } from "../errors";

import { decoding, follow, read } from "./follow";
import { streamOf } from "./stream";
import type {
  CarepactEvent,
  ContractName,
  EventChange,
  EventName,
  EventQuery,
  EventStream,
  FollowOptions,
  ReadOptions,
  ReadQuery,
} from "./types";

/** Events of one deployment's contracts. */
export interface Events {
  /**
   * Reads events in order, each once, up to a block that is fixed at the beginning; block ranges that the node refuses are
   * asked for in smaller pieces. Holds one page in memory. Whatever goes wrong is thrown while iterating, and what was
   * read before holds: go on `after` the last cursor.
   * @throws INPUT_INVALID, CURSOR_INVALID, CHAIN_REORGED when events are taken back that were read before,
   * REORG_TOO_DEEP, NODE_INCONSISTENT, CHAIN_MISMATCH, RUNNER_CANNOT_READ, ABORTED, TIMED_OUT, and what the node answers
   */
  read<Name extends EventName = EventName, Contract extends ContractName = ContractName>(
    query?: ReadQuery<Name, Contract>,
    options?: ReadOptions,
  ): EventStream<CarepactEvent<Name, Contract>>;
  /**
   * Tells what happens to the list of a query's events: what is there, then what each new block adds. When the chain is
   * reorganized, events that are gone are removed in reverse order before others are added, so that whoever adds and
   * removes as told has, at each `reached`, exactly the canonical chain's events, in order, none twice. That holds across
   * interruptions too, for whoever goes on `after` the cursor of the last change that was dealt with.
   *
   * Goes on until it is left or aborted. A chain that only lost blocks is waited for until it has others at their place.
   * @throws as {@link Events.read}, but for CHAIN_REORGED
   */
  follow<Name extends EventName = EventName, Contract extends ContractName = ContractName>(
    query?: EventQuery<Name, Contract>,
    options?: FollowOptions,
  ): EventStream<EventChange<Name, Contract>>;
}

// A query's own names and contracts decide which of all events it meets, which no compiler sees.
type Narrow<Value> = (signal: AbortSignal) => AsyncGenerator<Value, void, undefined>;

export function createEvents(connection: Connection): Events {
  deploymentOf(connection);
  return {
    read: <Name extends EventName, Contract extends ContractName>(
      query: ReadQuery<Name, Contract> = {},
      options: ReadOptions = {},
    ) =>
      streamOf(
        ((signal) => decoding(addedOnly(read(connection, query as ReadQuery, options, signal)))) as Narrow<
          CarepactEvent<Name, Contract>
        >,
        options.signal,
      ),
    follow: <Name extends EventName, Contract extends ContractName>(
      query: EventQuery<Name, Contract> = {},
      options: FollowOptions = {},
    ) =>
      streamOf(
        ((signal) => decoding(follow(connection, query as EventQuery, options, signal))) as Narrow<
          EventChange<Name, Contract>
        >,
        options.signal,
      ),
  };
}

/** What was read cannot be taken back by a list that only grows. */
async function* addedOnly(
  changes: AsyncGenerator<EventChange, void, undefined>,
): AsyncGenerator<CarepactEvent, void, undefined> {
  for await (const change of changes) {
    if (change.type === "added") yield change.event;
    if (change.type === "removed")
      throw new CarepactError(
        "CHAIN_REORGED",
        "The chain was reorganized, and events that were read before are gone: begin anew, read to the finalized block " +
          "only, or follow the events, which says what is to be removed.",
        { id: change.event.id, blockNumber: change.event.blockNumber },
      );
  }
}
