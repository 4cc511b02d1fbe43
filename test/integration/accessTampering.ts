import { id, type Provider } from "ethers";
import { ethers } from "hardhat";

import {
  compartments,
  createGateway,
  entryHashOf,
  headAfter,
  historyMessage,
  linkOf,
  placeOf,
  receiptMessage,
  trailOf,
  type AccessHistory,
  type Gateway,
  type GatewayOptions,
} from "@carepact/sdk/access";
import { canonicalJson } from "@carepact/sdk/encryption";

import type { AccessWorld } from "./accessWorld";
import { nodeWith } from "./support";

/** A history that can be changed, apart from the one given. */
export const copyOf = (history: AccessHistory): AccessHistory => structuredClone(history);

/** The history as a gateway that cheats signs it, after `change`; receipts are signed anew where `receipts` says so. */
export async function cheated(
  world: AccessWorld,
  history: AccessHistory,
  change: (history: AccessHistory) => void,
  { receipts = true }: { receipts?: boolean } = {},
): Promise<AccessHistory> {
  const copy = copyOf(history);
  change(copy);
  const { gateway, patient } = copy;
  const sign = ({ domain, types, message }: ReturnType<typeof historyMessage>): Promise<string> =>
    world.gatewaySigner.signTypedData(domain, types, message);
  for (const compartment of receipts ? compartments : []) {
    const trail = copy.trails[compartment];
    if (trail === undefined) continue;
    const name = trailOf({ gateway, patient, compartment, salt: trail.salt });
    let previous = name;
    for (const entry of trail.entries) {
      const { number, statement, salt, blind } = entry;
      const entryHash = entryHashOf(salt, statement);
      const place = placeOf(name, number, previous, blind);
      entry.signature = await sign(receiptMessage(copy, { gateway, place, at: statement.at, entryHash }));
      previous = headAfter(previous, linkOf(number, entryHash));
    }
  }
  const unsigned: Partial<AccessHistory> & Omit<AccessHistory, "signature"> = { ...copy };
  delete unsigned.signature;
  const content = id(canonicalJson(unsigned));
  return { ...unsigned, signature: await sign(historyMessage(copy, { gateway, patient, at: copy.at, content })) };
}

/** A gateway over the same store whose clock is wrong by so many seconds. */
export function gatewayWithClock(world: AccessWorld, seconds: number, options: Partial<GatewayOptions> = {}): Gateway {
  const provider = nodeWith({
    getBlock: async (tag: Parameters<Provider["getBlock"]>[0]) => {
      const block = await ethers.provider.getBlock(tag);
      return block && tag === "latest" ? { ...block, timestamp: block.timestamp + seconds } : block;
    },
  } as Partial<Provider>);
  const runner = new Proxy(world.gatewaySigner, {
    get: (target, key) => {
      if (key === "provider") return provider;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return createGateway({ ...world.connection, runner }, { store: world.store, ...options });
}
