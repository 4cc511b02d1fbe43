import { ZeroHash, type ContractRunner, type Signer, type TransactionReceipt, type TransactionResponse } from "ethers";

import { run, type Action } from "@carepact/sdk";
import type { FundedBatch } from "@carepact/sdk/claims";

/** A signer that can be kept from sending. */
export interface Held {
  runner: ContractRunner;
  /** Lets it send from now on. */
  release: () => void;
}

const notSent = {
  hash: ZeroHash,
  wait: () => Promise.resolve({ hash: ZeroHash, status: 1, blockNumber: 0, gasUsed: 0n } as TransactionReceipt),
} as unknown as TransactionResponse;

export function heldSigner(signer: Signer): Held {
  let held = true;
  const runner = {
    provider: signer.provider,
    getAddress: () => signer.getAddress(),
    sendTransaction: (request: Parameters<Signer["sendTransaction"]>[0]) =>
      held ? Promise.resolve(notSent) : signer.sendTransaction(request),
  };
  return { runner, release: () => (held = false) };
}

/**
 * File and record of a batch that is not funded yet. An action gives them once it is mined, and that is too late to write them: whoever
 * loses the connection in between would have locked money under salts that nobody knows. So the action, which is prepared once, is
 * asked for its result while its signer is held; what is sent afterwards is the same.
 */
export const builtBy = (action: Action<FundedBatch, { batchId: string }>): Promise<FundedBatch> => run(action);
