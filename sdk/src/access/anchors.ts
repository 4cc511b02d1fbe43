import { AbiCoder, ZeroHash, keccak256, type Provider } from "ethers";

import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { createEvents } from "../events";
import { AccessLog__factory } from "../generated";

/** A root as it stands on chain. */
export interface AnchoredRoot {
  gateway: string;
  /** The gateway's count, from 1. */
  sequence: number;
  root: string;
  /** Unix seconds of its block. */
  at: number;
}

/** A moment of the chain: the newest block. Roots and times that are compared come from one. */
export async function momentOf(provider: Provider): Promise<{ block: number; at: number }> {
  const block = await provider.getBlock("latest");
  if (block === null) throw new CarepactError("NODE_INCONSISTENT", "The node knows no newest block.");
  return { block: block.number, at: block.timestamp };
}

/**
 * All roots that a gateway anchored up to a block, in order, from the events, checked against the head that the contract keeps: a node
 * that leaves one out, or changes its time, is found out.
 * @throws NODE_INCONSISTENT, and what reading events throws
 */
export async function anchoredRootsOf(
  connection: Connection,
  provider: Provider,
  gateway: string,
  block: number,
  signal?: AbortSignal,
): Promise<AnchoredRoot[]> {
  const contract = AccessLog__factory.connect(deploymentOf(connection).accessLog, provider);
  const { head, sequence } = await contract.logOf(gateway, { blockTag: block });
  const found = await rootsIn(connection, provider, { gateway, toBlock: block, signal });
  const last = found.reduce(
    (before, { root, at }, i) =>
      keccak256(
        AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256", "bytes32", "uint256"], [before, i + 1, root, at]),
      ),
    ZeroHash,
  );
  if (found.length !== Number(sequence) || last !== head)
    throw new CarepactError("NODE_INCONSISTENT", "The roots that the node tells of are not those that were anchored.", {
      gateway,
      roots: found.length,
      sequence,
    });
  return found;
}

/**
 * All roots that a gateway anchored, in order, from the events, checked against the head that the contract keeps.
 * @throws IDENTIFIER_INVALID, NODE_INCONSISTENT, and what reading events throws
 */
export function anchoredRoots(connection: Connection, gateway: string, options?: CallOptions): Promise<AnchoredRoot[]> {
  return reading(
    connection,
    async (provider, signal) => {
      const account = requireAddress(gateway, "gateway");
      const { block } = await momentOf(provider);
      return anchoredRootsOf(connection, provider, account, block, signal);
    },
    options,
  );
}

/** Which gateways anchored these roots; those that none did are missing. All in one reading, however many they are. */
export async function anchorersOf(
  connection: Connection,
  provider: Provider,
  roots: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (roots.size === 0) return found;
  const all = createEvents({ ...connection, runner: provider }).read(
    { contracts: ["AccessLog"], names: ["AccessRootAnchored"] },
    { signal },
  );
  for await (const { args } of all) {
    if (roots.has(args.root) && !found.has(args.root)) found.set(args.root, args.gateway);
    if (found.size === roots.size) break;
  }
  return found;
}

async function rootsIn(
  connection: Connection,
  provider: Provider,
  { gateway, toBlock, signal }: { gateway: string; toBlock: number; signal: AbortSignal | undefined },
): Promise<AnchoredRoot[]> {
  const roots: AnchoredRoot[] = [];
  const events = createEvents({ ...connection, runner: provider }).read(
    { contracts: ["AccessLog"], names: ["AccessRootAnchored"], args: { gateway }, toBlock },
    { signal },
  );
  for await (const { args } of events)
    roots.push({
      gateway: args.gateway,
      sequence: Number(args.sequence),
      root: args.root,
      at: Number(args.anchoredAt),
    });
  return roots;
}
