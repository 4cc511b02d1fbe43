import { Signature, type TypedDataDomain, type TypedDataField } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { accountOf, providerOf, type Connection } from "../chain/deployment";
import { escrowInterface, tokenInterface } from "../chain/interfaces";
import { toCarepactError } from "../chain/revert";
import { CarepactError } from "../errors";
import { ClaimEscrow__factory, ERC20Permit__factory } from "../generated";

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
  /** Balances of an account. */
  balances(input: { account: string; token: string }): Promise<Balances>;
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
          const until = deadline ?? (await nowOf(connection)) + HOUR;
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
        result: (receipt) => {
          const paidOut = receipt.logs
            .filter((log) => log.address.toLowerCase() === escrow.toLowerCase())
            .map((log) => escrowInterface.parseLog(log))
            .find((log) => log?.name === "PaidOut");
          return { token, amount: (paidOut?.args["amount"] as bigint | undefined) ?? 0n };
        },
      })),
    payoutTo: ({ token, amount, to }) => send(escrow, () => encode("payoutTo", [token, amount, to]), { token, amount }),
    balances: async ({ account, token }) => {
      try {
        const [free, credit] = await ClaimEscrow__factory.connect(escrow, runner).balancesOf(account, token);
        return { free, credit };
      } catch (thrown) {
        throw toCarepactError(thrown);
      }
    },
  };
}

async function nowOf({ runner }: Connection): Promise<number> {
  return (await providerOf(runner).getBlock("latest"))?.timestamp ?? 0;
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
  const [nonce, [, name, version, chainId, verifyingContract]] = await Promise.all([
    contract.nonces(owner),
    contract.eip712Domain(),
  ]);
  const value = { owner, spender: deployment.claimEscrow, value: amount, nonce, deadline };
  return Signature.from(await signer.signTypedData({ name, version, chainId, verifyingContract }, PERMIT, value));
}
