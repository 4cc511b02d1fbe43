import { Contract, Signature, type TypedDataDomain, type TypedDataField } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { accountOf, chainTimeOf, providerOf, type Connection } from "../chain/deployment";
import { amountIn } from "../chain/events";
import { escrowInterface, tokenInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import { ClaimEscrow__factory, ERC20Permit__factory, type ERC20Permit } from "../generated";
import type { Token } from "../money";

import { tokenOf } from "./token";

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
  const { runner, deployment } = connection;
  const escrow = deployment.claimEscrow;
  const send = <Result extends object>(
    to: string,
    prepare: () => Promise<string> | string,
    result: Result,
  ): Action<Result> =>
    actionOf(connection, async () => ({ to, data: await prepare(), preview: () => undefined, result: () => result }));
  const encode = escrowInterface.encodeFunctionData.bind(escrowInterface);

  return {
    approve: ({ token, amount }) =>
      send(token, () => tokenInterface.encodeFunctionData("approve", [escrow, amount]), { token, amount }),
    deposit: ({ token, amount, payer }) =>
      send(escrow, async () => encode("deposit", [payer ?? (await accountOf(runner)), token, amount]), {
        token,
        amount,
      }),
    depositWithPermit: ({ token, amount, payer, deadline }) =>
      send(
        escrow,
        async () => {
          const owner = await accountOf(runner);
          const until = deadline ?? (await chainTimeOf(providerOf(runner))) + HOUR;
          const { v, r, s } = await signPermit(connection, { owner, token, amount, deadline: until });
          return encode("depositWithPermit", [payer ?? owner, token, amount, until, v, r, s]);
        },
        { token, amount },
      ),
    withdraw: ({ token, amount, to }) => send(escrow, () => encode("withdraw", [token, amount, to]), { token, amount }),
    payout: ({ token, payee }) =>
      actionOf(connection, async () => ({
        to: escrow,
        data: encode("payout", [token, payee ?? (await accountOf(runner))]),
        preview: (returned: string) => ({
          token,
          amount: escrowInterface.decodeFunctionResult("payout", returned)[0] as bigint,
        }),
        result: (receipt) => ({ token, amount: amountIn(receipt, connection, "PaidOut") }),
      })),
    payoutTo: ({ token, amount, to }) => send(escrow, () => encode("payoutTo", [token, amount, to]), { token, amount }),
    token: (address, options) => reading(connection, () => tokenOf(connection, address), options),
    balances: ({ account, token }, options) =>
      reading(
        connection,
        async (provider) => {
          const [free, credit] = await ClaimEscrow__factory.connect(escrow, provider).balancesOf(account, token);
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
  const [nonce, domain] = await Promise.all([nonceOf(contract, owner), permitDomainOf(contract, deployment.chainId)]);
  const value = { owner, spender: deployment.claimEscrow, value: amount, nonce, deadline };
  return Signature.from(await signer.signTypedData(domain, PERMIT, value));
}

async function nonceOf(contract: ERC20Permit, owner: string): Promise<bigint> {
  try {
    return await contract.nonces(owner);
  } catch (cause) {
    const token = await contract.getAddress();
    throw new CarepactError(
      "TOKEN_UNREADABLE",
      `${token} takes no ERC-2612 permits: approve and deposit instead.`,
      { token },
      cause,
    );
  }
}

/** A token says its EIP-712 domain by ERC-5267. Older ones, USDC among them, have a name and perhaps a version only. */
async function permitDomainOf(contract: ERC20Permit, chainId: number): Promise<TypedDataDomain> {
  try {
    const [, name, version, chain, verifyingContract] = await contract.eip712Domain();
    return { name, version, chainId: chain, verifyingContract };
  } catch {
    const verifyingContract = await contract.getAddress();
    const versioned = new Contract(verifyingContract, ["function version() view returns (string)"], contract.runner);
    const version = await (versioned["version"] as () => Promise<string>)().catch(() => "1");
    return { name: await contract.name(), version, chainId, verifyingContract };
  }
}
