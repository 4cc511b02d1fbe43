import { isError, type TransactionReceipt, type TransactionRequest, type TransactionResponse } from "ethers";

import { CarepactError, isCarepactError } from "../errors";
import { withTxHash } from "../errors/CarepactError";

import { decodeError } from "./decodeError";
import { accountOf, providerOf, requireChain, type Connection } from "./deployment";
import { within, type CallOptions } from "./options";

/** What is sent: a call of one function, and how its outcome is read. */
export interface Call<Result, Preview> {
  to: string;
  data: string;
  /** Reads what the function returned when it is only simulated. */
  preview: (returned: string) => Preview;
  /** Reads what became of it once it is mined. */
  result: (receipt: TransactionReceipt) => Result | Promise<Result>;
}

/** What every result of a transaction says. */
export interface Mined {
  txHash: string;
  blockNumber: number;
  gasUsed: bigint;
}

/** How to wait for a transaction. */
export interface WaitOptions extends CallOptions {
  /** Blocks to wait for, that of the transaction counted; 1 unless given. */
  confirmations?: number | undefined;
}

/** How to send a transaction. */
export interface SendOptions extends CallOptions {
  /** Fees, nonce, gas limit and so on, for a wallet that is not to choose them. */
  overrides?: TransactionRequest | undefined;
}

/** A transaction that was sent. */
export interface Sent<Result> {
  txHash: string;
  /**
   * Waits until it is mined and reads the outcome. It is sent whatever becomes of the waiting.
   * @throws CONTRACT_REVERTED, OUT_OF_GAS, TRANSACTION_REPLACED, TRANSACTION_FAILED, ABORTED, TIMED_OUT, with `txHash`
   */
  wait(options?: WaitOptions): Promise<Result & Mined>;
}

/**
 * Something that is to be done on chain, and is not done yet: look at it, try it out, send it. It is prepared once, so
 * that what was simulated is what is sent; a preparation that failed is tried again.
 *
 * All four throw what the input is refused for, CHAIN_MISMATCH, CONTRACT_MISSING, RUNNER_CANNOT_SIGN (the account that
 * would send belongs to the call), RUNNER_CANNOT_READ, NODE_UNREACHABLE, RATE_LIMITED, ABORTED, TIMED_OUT, and
 * CONTRACT_REVERTED for what would make it fail.
 */
export interface Action<Result, Preview = void> {
  /** Runs it without sending. */
  simulate(options?: CallOptions): Promise<Preview>;
  /** Gas it would take. */
  estimateGas(options?: CallOptions): Promise<bigint>;
  /** The transaction, for other ways of signing it. Does not run it. */
  populate(options?: CallOptions): Promise<TransactionRequest>;
  /**
   * Signs and sends it. One that is aborted, or out of time, while the wallet or node has it may still be sent:
   * `details.mayBeSent` says so.
   * @throws USER_REJECTED, GAS_FUNDS_MISSING, NONCE_CONFLICT, ALREADY_SENT, FEE_TOO_LOW, OUT_OF_GAS, GAS_LIMIT_TOO_HIGH,
   * TRANSACTION_FAILED
   */
  send(options?: SendOptions): Promise<Sent<Result>>;
}

const guarded = async <Value>(
  options: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  try {
    return await within(options ?? {}, work);
  } catch (thrown) {
    throw decodeError(thrown);
  }
};

/** An action of what `prepare` makes. */
export function actionOf<Result, Preview>(
  connection: Connection,
  prepare: () => Promise<Call<Result, Preview>> | Call<Result, Preview>,
): Action<Result, Preview> {
  const { runner } = connection;
  let prepared: Promise<Call<Result, Preview>> | undefined;
  const call = (): Promise<Call<Result, Preview>> => {
    prepared ??= prepareOn(connection, prepare).catch((thrown: unknown) => {
      prepared = undefined;
      throw thrown;
    });
    return prepared;
  };
  const populate = async (): Promise<TransactionRequest> => {
    const from = await accountOf(runner);
    const { to, data } = await call();
    return { to, data, from };
  };

  return {
    simulate: (options) =>
      guarded(options, async () => {
        const request = await populate();
        const { preview } = await call();
        return preview(await callWith(connection, request));
      }),
    estimateGas: (options) =>
      guarded(options, async () => {
        const request = await populate();
        return runner.estimateGas ? runner.estimateGas(request) : providerOf(runner).estimateGas(request);
      }),
    populate: (options) => guarded(options, populate),
    send: async ({ overrides, ...options }: SendOptions = {}) => {
      let handedOver = false;
      try {
        return await guarded(options, async (signal) => {
          const request = await populate();
          const { result } = await call();
          if (!runner.sendTransaction)
            throw new CarepactError("RUNNER_CANNOT_SIGN", "This needs a signer: connect with a wallet.");
          signal.throwIfAborted();
          handedOver = true;
          const response = await runner.sendTransaction({ ...request, ...overrides });
          return sentOf(connection, request, response, result);
        });
      } catch (thrown) {
        throw handedOver && wasCutShort(thrown) ? mayBeSentError(thrown) : thrown;
      }
    },
  };
}

function sentOf<Result, Preview>(
  connection: Connection,
  request: TransactionRequest,
  response: TransactionResponse,
  result: Call<Result, Preview>["result"],
): Sent<Result> {
  return {
    txHash: response.hash,
    wait: async ({ confirmations = 1, ...options } = {}) => {
      try {
        return await guarded(options, async () => {
          const receipt = await minedOf(connection, request, response, { ...options, confirmations });
          const { hash: txHash, blockNumber, gasUsed } = receipt;
          return { ...(await result(receipt)), txHash, blockNumber, gasUsed };
        });
      } catch (thrown) {
        // Whatever went wrong, the transaction may be looked up.
        throw withTxHash(decodeError(thrown), response.hash);
      }
    },
  };
}

const wasCutShort = (thrown: unknown): thrown is CarepactError =>
  isCarepactError(thrown, "ABORTED") || isCarepactError(thrown, "TIMED_OUT");

const mayBeSentError = ({ code, message, details, cause }: CarepactError): CarepactError =>
  new CarepactError(
    code,
    `${message} The wallet had the transaction already: look whether it was sent before trying again.`,
    { ...details, mayBeSent: true },
    cause,
  );

const callWith = ({ runner }: Connection, request: TransactionRequest): Promise<string> =>
  runner.call ? runner.call(request) : providerOf(runner).call(request);

async function prepareOn<Result, Preview>(
  connection: Connection,
  prepare: () => Promise<Call<Result, Preview>> | Call<Result, Preview>,
): Promise<Call<Result, Preview>> {
  await requireChain(connection);
  const call = await prepare();
  // A transaction to an address without code succeeds and does nothing.
  if ((await providerOf(connection.runner).getCode(call.to)) === "0x")
    throw new CarepactError(
      "CONTRACT_MISSING",
      `There is no contract at ${call.to} on chain ${connection.deployment.chainId}: is it the right address?`,
      { address: call.to, chainId: connection.deployment.chainId },
    );
  return call;
}

/** The receipt of a transaction that did what it should. */
async function minedOf(
  connection: Connection,
  request: TransactionRequest,
  response: TransactionResponse,
  options: WaitOptions,
): Promise<TransactionReceipt> {
  const receipt = await receiptOf(response, options);
  if (receipt === null)
    throw new CarepactError("TRANSACTION_FAILED", "The transaction is not mined yet: wait for at least one block.");
  if (receipt.status !== 0) return receipt;
  const { hash: txHash, blockNumber } = receipt;
  try {
    // A receipt does not say why: the state of its block most often still does.
    await callWith(connection, { ...request, gasLimit: response.gasLimit, blockTag: blockNumber });
  } catch (thrown) {
    throw withTxHash(decodeError(thrown), txHash);
  }
  throw new CarepactError(
    "TRANSACTION_FAILED",
    "The transaction was mined, but reverted.",
    { blockNumber },
    undefined,
    {
      txHash,
    },
  );
}

async function receiptOf(
  response: TransactionResponse,
  { confirmations, timeoutMs }: WaitOptions,
): Promise<TransactionReceipt | null> {
  try {
    // Told the time as well, so that it does not go on asking the node when nobody waits any more.
    return await response.wait(confirmations, timeoutMs);
  } catch (thrown) {
    if (isError(thrown, "CALL_EXCEPTION") && thrown.receipt) return thrown.receipt;
    // Sped up in the wallet: the same call under another hash.
    if (isError(thrown, "TRANSACTION_REPLACED") && !thrown.cancelled) return thrown.receipt;
    throw thrown;
  }
}

/** Sends an action and waits until it is mined. `timeoutMs` is for each of the two. */
export async function run<Result, Preview>(
  action: Action<Result, Preview>,
  options?: SendOptions & WaitOptions,
): Promise<Result & Mined> {
  return (await action.send(options)).wait(options);
}
