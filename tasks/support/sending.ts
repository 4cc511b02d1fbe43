import { formatEther, Interface, type TransactionRequest } from "ethers";

import { CarepactError, decodeError, type Action, type Deployment, type Mined } from "@carepact/sdk";
import {
  accessLogAbi,
  accessManagerAbi,
  claimEscrowAbi,
  claimEscrowExtensionAbi,
  consentRegistryAbi,
  mandatesAbi,
  organizationRegistryAbi,
  patientRecoveryAbi,
  rulebooksAbi,
  tokenAbi,
} from "@carepact/sdk/abis";

import type { Ending } from "./call";
import { exitCodeOf, exitCodes, isOutcomeUnknown } from "./exitCodes";
import { countIn } from "./input";
import { list } from "./show";
import type { Site, SigningSite } from "./site";

/** A transaction that was not sent. */
export interface Planned {
  from: string;
  to: string;
  /** Contract and function by name, where they are known. */
  contract?: string;
  function: string;
  data: string;
  /** With the token's symbol, such as `90.00 TUSD`. */
  amount?: string;
  gas: string;
  /** At the price of the moment, in the chain's own coin. */
  cost: string;
}

/** What became of an action. */
export type Outcome<Result, Preview> =
  { sent: true; preview: Preview; result: Result & Mined } | { sent: false; preview: Preview; planned: Planned };

/** What is worth saying before an action is sent. */
export interface Told {
  /** With its token, in the token's own units. */
  amount?: string;
  /** Called when all is ready to be sent, at the last moment. */
  beforeSending?: () => Promise<void>;
}

/** Whether the site sends, or only rehearses. */
export const sends = ({ isLocal, call }: SigningSite): boolean => isLocal || call.common.send === true;

/** Tries an action out; then, on a local chain or with --send, sends it and waits. */
export async function carryOut<Result, Preview>(
  site: SigningSite,
  action: Action<Result, Preview>,
  { amount, beforeSending }: Told = {},
): Promise<Outcome<Result, Preview>> {
  const { call, options } = site;
  const preview = await action.simulate(options);
  if (!sends(site)) return { sent: false, preview, planned: await plan(site, action, amount) };

  const confirmations = countIn(call.common.confirmations ?? "1", "--confirmations", 1);
  await beforeSending?.();
  const transaction = await action.send(options);
  call.tell(`Sent ${transaction.txHash}, waiting ...`);
  try {
    return { sent: true, preview, result: await transaction.wait({ ...options, confirmations }) };
  } catch (thrown) {
    const error = await outcomeOf(site, transaction.txHash, decodeError(thrown));
    if (isOutcomeUnknown(error))
      call.tell(`Transaction ${transaction.txHash} was sent: look what became of it before trying again.`);
    throw error;
  }
}

/**
 * What an error of waiting says of the transaction: that it failed only where there is a receipt that says so. Words of a node, or of
 * what stands before it, may be about anything.
 */
async function outcomeOf({ provider }: Site, sent: string, error: CarepactError): Promise<CarepactError> {
  // Another hash is that of the same call, sped up.
  const { code, message, details, cause, name, contract, args, txHash = sent } = error;
  // Who does not answer is not asked again.
  const receipt =
    exitCodeOf(new CarepactError(code, message)) === exitCodes.network
      ? null
      : await provider.getTransactionReceipt(txHash).catch(() => null);
  const known =
    receipt?.status === 0
      ? { mayBeSent: undefined, blockNumber: receipt.blockNumber }
      : { mayBeSent: true, blockNumber: undefined };
  const all = Object.entries({ ...details, ...known }).filter(([, value]) => value !== undefined);
  return new CarepactError(code, message, Object.fromEntries(all), cause, { name, contract, args, txHash });
}

/** Marks what went wrong after a transaction was mined: nobody should send it again. */
export function afterMined(txHash: string, thrown: unknown): CarepactError {
  const { code, message, details, cause } = decodeError(thrown);
  return new CarepactError(code, message, { ...details, mayBeSent: true }, cause, { txHash });
}

async function plan<Result, Preview>(
  { provider, options, deployment, account, call }: SigningSite,
  action: Action<Result, Preview>,
  amount: string | undefined,
): Promise<Planned> {
  const [transaction, gas, fees, balance] = await Promise.all([
    action.populate(options),
    action.estimateGas(options),
    provider.getFeeData(),
    provider.getBalance(account),
  ]);
  const cost = gas * (fees.maxFeePerGas ?? fees.gasPrice ?? 0n);
  if (balance < cost) call.tell(`Warning: ${account} has ${formatEther(balance)} ether, too little for the gas.`);
  const { data = "0x" } = transaction;
  return {
    from: account,
    to: transaction.to as string,
    ...named(deployment, transaction),
    data: data ?? "0x",
    ...(amount === undefined ? {} : { amount }),
    gas: gas.toString(),
    cost: formatEther(cost),
  };
}

const contracts = (deployment: Deployment): [string, string, Interface][] => [
  ["AccessManager", deployment.accessManager, new Interface(accessManagerAbi)],
  ["OrganizationRegistry", deployment.organizationRegistry, new Interface(organizationRegistryAbi)],
  ["Rulebooks", deployment.rulebooks, new Interface(rulebooksAbi)],
  ["Mandates", deployment.mandates, new Interface(mandatesAbi)],
  ["ClaimEscrow", deployment.claimEscrow, new Interface([...claimEscrowAbi, ...claimEscrowExtensionAbi])],
  ["ConsentRegistry", deployment.consentRegistry, new Interface(consentRegistryAbi)],
  ["PatientRecovery", deployment.patientRecovery, new Interface(patientRecoveryAbi)],
  ["AccessLog", deployment.accessLog, new Interface(accessLogAbi)],
];

function named(deployment: Deployment, { to, data }: TransactionRequest): { contract?: string; function: string } {
  const known = contracts(deployment).find(([, address]) => address.toLowerCase() === (to as string).toLowerCase());
  const selector = String(data).slice(0, 10);
  const abi = known?.[2] ?? new Interface(tokenAbi);
  const name = abi.getFunction(selector)?.name ?? selector;
  return known === undefined ? { function: name } : { contract: known[0], function: name };
}

/** The ending of a command that does one thing: what it did, or what it would have sent. */
export function endOf<Result, Preview>(
  site: SigningSite,
  outcome: Outcome<Result, Preview>,
  done: (result: Result & Mined) => Ending,
): Ending {
  if (!outcome.sent) return endOfPlan(site, outcome.planned);
  const { txHash, blockNumber, gasUsed } = outcome.result;
  const { lines, json, ...rest } = done(outcome.result);
  return {
    lines: [...lines, `Transaction ${txHash} in block ${blockNumber}, ${gasUsed} gas.`],
    json: { ...json, transaction: { hash: txHash, block: blockNumber, gas: gasUsed } },
    ...rest,
  };
}

export function endOfPlan({ chainId }: SigningSite, planned: Planned): Ending {
  const { from, to, contract, gas, cost, amount } = planned;
  return {
    lines: [
      "Would send:",
      ...list({
        from,
        to: contract === undefined ? to : `${to} (${contract})`,
        function: planned.function,
        amount,
        gas: `${gas}, at most ${cost} of the chain's coin at today's price`,
      }),
      `Nothing was sent: chain ${chainId} is not local. Say --send to send it.`,
    ],
    json: { dryRun: true, planned },
  };
}

/** Refuses to sign for somebody whose key is not here. @throws RUNNER_CANNOT_SIGN */
export function requireKey({ rehearsing }: SigningSite): void {
  if (rehearsing)
    throw new CarepactError(
      "RUNNER_CANNOT_SIGN",
      "A signature needs the account's key: give --keystore in place of --as.",
    );
}
