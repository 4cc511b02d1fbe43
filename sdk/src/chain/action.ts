import type { TransactionReceipt, TransactionRequest, TransactionResponse } from "ethers";

import { CarepactError, isCarepactError, type ErrorCode } from "../errors";
import { withTxHash } from "../errors/CarepactError";

import { decodeError } from "./decodeError";
import { accountOf, providerOf, requireChain, type Connection } from "./deployment";
import { within, type CallOptions } from "./options";
import { receiptOf } from "./receipt";

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
   * Waits until it is mined and reads the outcome. It is sent whatever becomes of the waiting: unless the error proves
   * that it failed, `details.mayBeSent` is true, and it may still be mined. Wait again, or look at `txHash`.
   * @throws CONTRACT_REVERTED, OUT_OF_GAS, TRANSACTION_REPLACED, TRANSACTION_FAILED, and with `mayBeSent` ABORTED,
   * TIMED_OUT, NODE_UNREACHABLE, RATE_LIMITED and whatever else a node says; all with `txHash`
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
   * Signs and sends it. Once the wallet or node has it, whatever fails but for a refusal leaves it open whether it was
   * sent: then `details.mayBeSent` is true. Look at the account's transactions before sending anything again.
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

/**
 * An action of what `prepare` makes.
 * @param relayed Whether anybody may send it, so that who prepares it needs no account: all but sending works with a
 * provider, too
 */
export function actionOf<Result, Preview>(
  connection: Connection,
  prepare: () => Promise<Call<Result, Preview>> | Call<Result, Preview>,
  { relayed = false }: { relayed?: boolean } = {},
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
    const canSend = typeof runner.sendTransaction === "function";
    const from = relayed && !canSend ? undefined : await accountOf(runner);
    const { to, data } = await call();
    return from === undefined ? { to, data } : { to, data, from };
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
          const since = await providerOf(runner).getBlockNumber();
          if (!runner.sendTransaction)
            throw new CarepactError("RUNNER_CANNOT_SIGN", "This needs a signer: connect with a wallet.");
          signal.throwIfAborted();
          handedOver = true;
          const response = await runner.sendTransaction({ ...request, ...overrides });
          return sentOf(connection, request, response, since, result);
        });
      } catch (thrown) {
        const error = decodeError(thrown);
        throw handedOver && !REFUSALS.includes(error.code) ? mayBeSentError(error) : error;
      }
    },
  };
}

/** What proves that a transaction was not sent. That its nonce is used up does not: it may be used by this very one. */
const REFUSALS: readonly ErrorCode[] = [
  "USER_REJECTED",
  "CONTRACT_REVERTED",
  "GAS_FUNDS_MISSING",
  "FEE_TOO_LOW",
  "OUT_OF_GAS",
  "GAS_LIMIT_TOO_HIGH",
  "RUNNER_CANNOT_SIGN",
  "INPUT_INVALID",
];

function sentOf<Result, Preview>(
  connection: Connection,
  request: TransactionRequest,
  response: TransactionResponse,
  since: number,
  result: Call<Result, Preview>["result"],
): Sent<Result> {
  return {
    txHash: response.hash,
    wait: async ({ confirmations = 1, ...options } = {}) => {
      let failed = false;
      try {
        return await guarded(options, async (signal) => {
          if (!Number.isSafeInteger(confirmations) || confirmations < 1)
            throw new CarepactError("INPUT_INVALID", "confirmations is a whole number of blocks above zero.", {
              path: "confirmations",
              confirmations,
            });
          const receipt = await receiptOf(providerOf(connection.runner), response, { confirmations, since, signal });
          const { hash: txHash, blockNumber, gasUsed } = receipt;
          failed = receipt.status === 0;
          if (failed) throw await failureOf(connection, { ...request, gasLimit: response.gasLimit }, receipt);
          return { ...(await result(receipt)), txHash, blockNumber, gasUsed };
        });
      } catch (thrown) {
        const error = decodeError(thrown);
        const isOver = failed || isCarepactError(error, "TRANSACTION_REPLACED");
        // Whatever went wrong, the transaction may be looked up.
        throw withTxHash(isOver ? error : mayBeSentError(error, response.hash), response.hash);
      }
    },
  };
}

/** An error that does not say what becomes of the transaction. */
function mayBeSentError({ code, message, details, cause, ...facts }: CarepactError, sent?: string): CarepactError {
  const known =
    sent === undefined
      ? "It is not known whether the transaction was sent: look at the account's transactions before you send it again."
      : `Transaction ${sent} was sent, and may have been mined, or may be: look at it, and do not send it again.`;
  return new CarepactError(code, `${known} ${message}`, { ...details, mayBeSent: true }, cause, facts);
}

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

/** Why a transaction was mined, but reverted. */
async function failureOf(
  connection: Connection,
  request: TransactionRequest,
  { hash: txHash, blockNumber }: TransactionReceipt,
): Promise<CarepactError> {
  let cause: unknown;
  try {
    // A receipt does not say why: the state of its block most often still does.
    await callWith(connection, { ...request, blockTag: blockNumber });
  } catch (thrown) {
    const error = decodeError(thrown);
    if (isCarepactError(error, "CONTRACT_REVERTED") || isCarepactError(error, "OUT_OF_GAS"))
      return withTxHash(error, txHash);
    cause = thrown;
  }
  const message = "The transaction was mined, but reverted.";
  return new CarepactError("TRANSACTION_FAILED", message, { blockNumber }, cause, { txHash });
}

/** Sends an action and waits until it is mined. `timeoutMs` is for each of the two. */
export async function run<Result, Preview>(
  action: Action<Result, Preview>,
  options?: SendOptions & WaitOptions,
): Promise<Result & Mined> {
  return (await action.send(options)).wait(options);
}
