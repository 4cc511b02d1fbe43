import type { TransactionReceipt, TransactionRequest, TransactionResponse } from "ethers";

import { CarepactError } from "../errors";

import { accountOf, requireChain, type Connection } from "./deployment";
import { toCarepactError } from "./revert";

/** What is sent: a call of one function, and how its outcome is read. */
export interface Call<Result, Preview> {
  to: string;
  data: string;
  /** Reads what the function returned when it is only simulated. */
  preview(returned: string): Preview;
  /** Reads what became of it once it is mined. */
  result(receipt: TransactionReceipt): Result | Promise<Result>;
}

/** What every result of a transaction says. */
export interface Mined {
  txHash: string;
  blockNumber: number;
  gasUsed: bigint;
}

/** A transaction that was sent. */
export interface Sent<Result> {
  txHash: string;
  /** Waits for `confirmations` blocks (1 unless given) and reads the outcome. @throws CarepactError */
  wait(confirmations?: number): Promise<Result & Mined>;
}

/**
 * Something that is to be done on chain, and is not done yet: look at it, try it out, send it. It is prepared once, so
 * that what was simulated is what is sent.
 */
export interface Action<Result, Preview = void> {
  /** Runs it without sending. @throws CarepactError for what would make it fail */
  simulate(): Promise<Preview>;
  /** Gas it would take. */
  estimateGas(): Promise<bigint>;
  /** The transaction, for other ways of signing it. */
  populate(): Promise<TransactionRequest>;
  /** Signs and sends it. */
  send(overrides?: TransactionRequest): Promise<Sent<Result>>;
}

const guarded = async <Value>(work: () => Promise<Value>): Promise<Value> => {
  try {
    return await work();
  } catch (thrown) {
    throw toCarepactError(thrown);
  }
};

/** An action of what `prepare` makes. */
export function actionOf<Result, Preview>(
  connection: Connection,
  prepare: () => Promise<Call<Result, Preview>>,
): Action<Result, Preview> {
  const { runner } = connection;
  let prepared: Promise<Call<Result, Preview>> | undefined;
  const call = (): Promise<Call<Result, Preview>> => {
    prepared ??= requireChain(connection).then(prepare);
    return prepared;
  };
  const populate = async (): Promise<TransactionRequest> => {
    const { to, data } = await call();
    return { to, data, from: await accountOf(runner) };
  };

  return {
    simulate: () =>
      guarded(async () => {
        const { preview } = await call();
        if (!runner.call) throw new CarepactError("RUNNER_CANNOT_READ", "This needs a connection that can call.");
        return preview(await runner.call(await populate()));
      }),
    estimateGas: () =>
      guarded(async () => {
        if (!runner.estimateGas)
          throw new CarepactError("RUNNER_CANNOT_READ", "This needs a connection that can call.");
        return runner.estimateGas(await populate());
      }),
    populate: () => guarded(populate),
    send: (overrides) =>
      guarded(async () => {
        const { result } = await call();
        const request = await populate();
        if (!runner.sendTransaction)
          throw new CarepactError("RUNNER_CANNOT_SIGN", "This needs a signer: connect with a wallet.");
        const response: TransactionResponse = await runner.sendTransaction({ ...request, ...overrides });
        return {
          txHash: response.hash,
          wait: (confirmations = 1) => guarded(() => outcomeOf(response, confirmations, result)),
        };
      }),
  };
}

async function outcomeOf<Result>(
  response: TransactionResponse,
  confirmations: number,
  result: (receipt: TransactionReceipt) => Result | Promise<Result>,
): Promise<Result & Mined> {
  const receipt = await response.wait(confirmations);
  if (receipt === null)
    throw new CarepactError("TRANSACTION_FAILED", "The transaction is not mined yet: wait for at least one block.", {
      txHash: response.hash,
    });
  return {
    ...(await result(receipt)),
    txHash: receipt.hash,
    blockNumber: receipt.blockNumber,
    gasUsed: receipt.gasUsed,
  };
}

/** Sends an action and waits for its first confirmation. */
export async function run<Result, Preview>(action: Action<Result, Preview>): Promise<Result & Mined> {
  return (await action.send()).wait();
}
