import { Contract, Signature, type TypedDataDomain, type TypedDataField } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { accountOf, chainTimeOf, deploymentOf, providerOf, type Connection } from "../chain/deployment";
import { amountIn } from "../chain/events";
import { escrowInterface, tokenInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { ClaimEscrow__factory, ERC20Permit__factory, type ERC20Permit } from "../generated";
import type { Token } from "../money";

import { answered, tokenOf } from "./token";

/** An amount of a token, in base units. */
export interface TokenAmount {
  token: string;
  amount: bigint;
}

/** Money of an account that is in no claim batch, in base units. */
export interface Balances {
  /** Can be withdrawn, or fund claim batches. */
  free: bigint;
  /** Was earned, and can be paid out. */
  credit: bigint;
}

/** Pools of payers and credits of payees. */
export interface Pools {
  /** Lets the escrow take the signer's tokens, for {@link Pools.deposit} or a refund in tokens. */
  approve(input: TokenAmount): Action<TokenAmount>;
  /** Adds the signer's tokens, approved beforehand, to the free balance of `payer` (the signer unless given). */
  deposit(input: TokenAmount & { payer?: string }): Action<TokenAmount>;
  /** Deposits under an ERC-2612 permit that the signer signs here: one transaction. `deadline` in unix seconds. */
  depositWithPermit(input: TokenAmount & { payer?: string; deadline?: number }): Action<TokenAmount>;
  /** Takes from the signer's free balance. */
  withdraw(input: TokenAmount & { to: string }): Action<TokenAmount>;
  /** Sends all credit of `payee` (the signer unless given) to it. Anyone may send it. */
  payout(input: { token: string; payee?: string }): Action<TokenAmount, TokenAmount>;
  /** Sends part of the signer's credit to another address. */
  payoutTo(input: TokenAmount & { to: string }): Action<TokenAmount>;
  /** What a token says of itself: amounts are read and written with its `decimals`. @throws TOKEN_UNREADABLE */
  token(address: string, options?: CallOptions): Promise<Token>;
  /** Balances of an account. */
  balances(input: { account: string; token: string }, options?: CallOptions): Promise<Balances>;
}

const HOUR = 60 * 60;

export function createPools(connection: Connection): Pools {
  const { runner } = connection;
  const escrow = deploymentOf(connection).claimEscrow;
  /** The account that is named, or else the signer. */
  const accountOr = async (account: string | undefined, path: string): Promise<string> =>
    account === undefined ? accountOf(runner) : requireAddress(account, path);
  const send = ({ token, amount }: TokenAmount, prepare: (token: string) => Promise<string> | string) =>
    actionOf(connection, async () => ({
      to: escrow,
      data: await prepare(requireAddress(token, "token")),
      preview: () => undefined,
      result: () => ({ token, amount }),
    }));
  const encode = escrowInterface.encodeFunctionData.bind(escrowInterface);

  return {
    approve: ({ token, amount }) =>
      actionOf(connection, () => ({
        to: requireAddress(token, "token"),
        data: tokenInterface.encodeFunctionData("approve", [escrow, amount]),
        preview: () => undefined,
        result: () => ({ token, amount }),
      })),
    deposit: ({ payer, ...input }) =>
      send(input, async (token) => encode("deposit", [await accountOr(payer, "payer"), token, input.amount])),
    depositWithPermit: ({ payer, deadline, ...input }) =>
      send(input, async (token) => {
        const { amount } = input;
        const [owner, account] = [await accountOf(runner), await accountOr(payer, "payer")];
        const until = deadline ?? (await chainTimeOf(providerOf(runner))) + HOUR;
        const { v, r, s } = await signPermit(connection, { owner, token, amount, deadline: until });
        return encode("depositWithPermit", [account, token, amount, until, v, r, s]);
      }),
    withdraw: ({ to, ...input }) =>
      send(input, (token) => encode("withdraw", [token, input.amount, requireAddress(to, "to")])),
    payout: ({ token, payee }) =>
      actionOf(connection, async () => ({
        to: escrow,
        data: encode("payout", [requireAddress(token, "token"), await accountOr(payee, "payee")]),
        preview: (returned: string) => ({
          token,
          amount: escrowInterface.decodeFunctionResult("payout", returned)[0] as bigint,
        }),
        result: (receipt) => ({ token, amount: amountIn(receipt, connection, "PaidOut") }),
      })),
    payoutTo: ({ to, ...input }) =>
      send(input, (token) => encode("payoutTo", [token, input.amount, requireAddress(to, "to")])),
    token: (address, options) => reading(connection, () => tokenOf(connection, address), options),
    balances: ({ account, token }, options) =>
      reading(
        connection,
        async (provider) => {
          const [free, credit] = await ClaimEscrow__factory.connect(escrow, provider).balancesOf(
            requireAddress(account, "account"),
            requireAddress(token, "token"),
          );
          return { free, credit };
        },
        options,
      ),
  };
}

const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

async function signPermit(
  { runner, deployment }: Connection,
  { owner, token, amount, deadline }: { owner: string; token: string; amount: bigint; deadline: number },
): Promise<Signature> {
  const signer = runner as {
    signTypedData?: (d: TypedDataDomain, t: Record<string, TypedDataField[]>, v: object) => Promise<string>;
  };
  if (typeof signer.signTypedData !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This signer cannot sign EIP-712 messages.");
  const contract = ERC20Permit__factory.connect(token, providerOf(runner));
  const [nonce, domain] = await Promise.all([
    answered(contract.nonces(owner), takesNoPermits(token)),
    permitDomainOf(contract, token, deployment.chainId),
  ]);
  const value = { owner, spender: deployment.claimEscrow, value: amount, nonce, deadline };
  return Signature.from(await signer.signTypedData(domain, PERMIT, value));
}

const takesNoPermits =
  (token: string) =>
  (cause: unknown): never => {
    const advice = `${token} takes no ERC-2612 permits: approve and deposit instead.`;
    throw new CarepactError("TOKEN_UNREADABLE", advice, { token }, cause);
  };

/** A token says its EIP-712 domain by ERC-5267. Older ones, USDC among them, have a name and perhaps a version only. */
async function permitDomainOf(contract: ERC20Permit, token: string, chainId: number): Promise<TypedDataDomain> {
  const said = await answered(contract.eip712Domain(), () => undefined);
  if (said === undefined) {
    const versioned = new Contract(token, ["function version() view returns (string)"], contract.runner);
    const [name, version] = await Promise.all([
      answered(contract.name(), takesNoPermits(token)),
      answered((versioned["version"] as () => Promise<string>)(), () => "1"),
    ]);
    return { name, version, chainId, verifyingContract: token };
  }
  const [, name, version, chain, verifyingContract] = said;
  // Whoever signs for another contract or chain may be giving away something else.
  if (verifyingContract.toLowerCase() !== token.toLowerCase())
    throw new CarepactError("TOKEN_UNREADABLE", `${token} asks to sign for another contract: nothing is signed.`, {
      token,
      verifyingContract,
    });
  if (chain !== BigInt(chainId))
    throw new CarepactError("CHAIN_MISMATCH", `${token} asks to sign for chain ${chain}: nothing is signed.`, {
      token: chain,
      deployment: chainId,
    });
  return { name, version, chainId, verifyingContract };
}
