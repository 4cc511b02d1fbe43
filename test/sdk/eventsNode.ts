import { id, toBeHex, zeroPadValue, type ContractRunner } from "ethers";

import { accessManagerInterface, escrowInterface, registryInterface } from "../../sdk/src/chain/interfaces";
import type { Connection, Deployment } from "../../sdk/src/chain";

const address = (number: number): string => `0x${toBeHex(number, 20).slice(2)}`;

export const deployment: Deployment = {
  chainId: 31337,
  accessManager: address(0xa1),
  organizationRegistry: address(0xa2),
  rulebooks: address(0xa3),
  mandates: address(0xa4),
  claimEscrow: address(0xa5),
  consentRegistry: address(0xa6),
  patientRecovery: address(0xa7),
  accessLog: address(0xa8),
  p256Verifier: address(0xa9),
  webAuthnVerifier: address(0xaa),
  webAuthnOriginVerifier: address(0xab),
  startBlock: 0,
};

export const payee = (number: number): string => address(0xb0 + number);
export const batch = (number: number): string => zeroPadValue(toBeHex(number + 1), 32);

/** A log before it is in a block. */
export interface Emitted {
  address: string;
  topics: readonly string[];
  data: string;
}

/** GroupSettled of one of a few batches and payees. */
export const settled = (batchNumber: number, paid: bigint, payeeNumber = 1): Emitted => ({
  address: deployment.claimEscrow,
  ...escrowInterface.encodeEventLog("GroupSettled", [batch(batchNumber), payee(payeeNumber), paid, 0n]),
});

export const endpointChanged = (account: string, endpoint: string): Emitted => ({
  address: deployment.organizationRegistry,
  ...registryInterface.encodeEventLog("EndpointChanged", [account, endpoint]),
});

export const roleGranted = (role: bigint): Emitted => ({
  address: deployment.accessManager,
  ...accessManagerInterface.encodeEventLog("RoleGranted", [role, payee(1), 0, 0, true]),
});

export const functionRoleUpdated = (role: bigint): Emitted => ({
  address: deployment.accessManager,
  ...accessManagerInterface.encodeEventLog("TargetFunctionRoleUpdated", [payee(1), "0x12345678", role]),
});

export interface Block {
  number: number;
  hash: string;
  parentHash: string;
  logs: Emitted[];
}

interface Filter {
  address: string[];
  topics: (string[] | null)[];
  fromBlock?: string;
  toBlock?: string;
  blockHash?: string;
}

/** A request that the node was sent. */
export interface Asked {
  method: string;
  params: unknown[];
}

/** A node that answers as it is told to. */
export class FakeNode {
  readonly chain: Block[] = [];
  readonly asked: Asked[] = [];
  /** Runs before a request is answered: moves the chain, or throws what the node says instead. */
  before: (asked: Asked, count: number) => unknown = () => undefined;
  /** Number of the block that `finalized` stands for. */
  finalized = 0;
  chainId = 31337n;
  #forks = 0;

  constructor(blocks = 1) {
    for (let i = 0; i < blocks; i += 1) this.mine();
  }

  get head(): Block {
    return this.chain[this.chain.length - 1]!;
  }

  mine(...logs: Emitted[]): this {
    const number = this.chain.length;
    this.#forks += 1;
    const parentHash = this.chain[number - 1]?.hash ?? id("nothing");
    this.chain.push({ number, hash: id(`block ${number}, fork ${this.#forks}`), parentHash, logs });
    return this;
  }

  mineEmpty(blocks: number): this {
    for (let i = 0; i < blocks; i += 1) this.mine();
    return this;
  }

  /** Drops the newest blocks and puts others there. */
  reorg(depth: number, ...blocks: Emitted[][]): this {
    this.chain.splice(Math.max(1, this.chain.length - depth));
    blocks.forEach((logs) => this.mine(...logs));
    return this;
  }

  /** Ids of all events on the canonical chain. */
  ids(wanted: (log: Emitted) => boolean = () => true): string[] {
    return this.chain.flatMap(({ hash, logs }) =>
      logs.flatMap((log, index) => (wanted(log) ? [`${hash}-${index}`] : [])),
    );
  }

  /** Block ranges of the requests for logs, in order; those by hash are left out. */
  ranges(): [number, number][] {
    return this.asked.flatMap(({ params: [filter] }): [number, number][] => {
      const { fromBlock, toBlock } = filter as Filter;
      return fromBlock === undefined || toBlock === undefined ? [] : [[Number(fromBlock), Number(toBlock)]];
    });
  }

  get connection(): Connection {
    const provider = {
      getNetwork: () => Promise.resolve({ chainId: this.chainId }),
      send: (method: string, params: unknown[]) => this.#answer({ method, params }),
    };
    return { runner: { provider } as unknown as ContractRunner, deployment };
  }

  async #answer(asked: Asked): Promise<unknown> {
    this.asked.push(asked);
    const instead = await this.before(asked, this.asked.length);
    if (instead !== undefined) return instead;
    const [what] = asked.params;
    if (asked.method === "eth_getBlockByNumber") return this.#block(what as string);
    if (asked.method === "eth_getLogs") return this.#logs(what as Filter);
    throw new Error(`Unexpected ${asked.method}`);
  }

  #block(tag: string): unknown {
    const number = { latest: this.head.number, safe: this.finalized, finalized: this.finalized }[tag] ?? Number(tag);
    const block = this.chain[number];
    if (block === undefined) return null;
    return { number: toBeHex(block.number), hash: block.hash, parentHash: block.parentHash };
  }

  #logs({ blockHash, fromBlock, toBlock, address: addresses, topics }: Filter): unknown[] {
    const blocks =
      blockHash === undefined
        ? this.chain.slice(Number(fromBlock), Number(toBlock) + 1)
        : this.chain.filter(({ hash }) => hash === blockHash);
    if (blockHash !== undefined && blocks.length === 0) throw rpcError(-32000, "unknown block");
    return blocks.flatMap(({ number, hash, logs }) =>
      logs.flatMap((log, index) =>
        addresses.includes(log.address) && topics.every((any, i) => any === null || any.includes(log.topics[i] ?? ""))
          ? [
              {
                ...log,
                blockNumber: toBeHex(number),
                blockHash: hash,
                transactionHash: id(`${hash} ${index}`),
                logIndex: toBeHex(index),
              },
            ]
          : [],
      ),
    );
  }
}

/** What ethers throws when a node answers with an error that ethers does not know. */
export const rpcError = (code: number, message: string, data?: unknown): Error =>
  Object.assign(new Error("could not coalesce error"), { code: "UNKNOWN_ERROR", error: { code, message, data } });

/** What ethers throws when a server answers with a status that is no success. */
export const httpError = (status: string, body = "", retryAfter?: string): Error =>
  Object.assign(new Error(`server response ${status}`), {
    code: "SERVER_ERROR",
    info: { responseStatus: status, responseBody: body },
    response: { statusCode: Number.parseInt(status, 10), getHeader: () => retryAfter ?? "" },
  });
