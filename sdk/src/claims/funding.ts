import { actionOf, type Action } from "../chain/action";
import { accountOf, providerOf, type Connection } from "../chain/deployment";
import { escrowInterface, mandatesInterface } from "../chain/interfaces";
import { CarepactError } from "../errors";
import { ERC20Permit__factory } from "../generated";
import type { Mandate } from "../mandates";
import type { Token } from "../money";
import { createOrganizations } from "../organizations";
import { createRulebooks } from "../rulebooks";

import { buildClaimBatch, type BuiltClaimBatch, type PayeeKey } from "./file";
import type { AdjudicatedClaim } from "./input";
import { packGroup, requireAddress } from "./types";

/** What a payer funds. */
export interface FundInput {
  /** The payer's decisions on claims. */
  adjudicated: readonly AdjudicatedClaim[];
  /** Id of a published rulebook. */
  rulebook: string;
  /** ERC-20 token to pay in. */
  token: string;
  /** Last moment at which the care may happen; a number is unix seconds. */
  eventBy: Date | number;
  /** Account whose pool funds the batch: the mandate's payer, or the signer, unless given. Only that one may send it. */
  payer?: string;
  /** Lets the signer, as an operator, fund from another's pool. */
  mandate?: Mandate;
}

/** A batch that was funded. `record` holds health data in the clear: keep it, never send it. */
export type FundedBatch = Pick<BuiltClaimBatch, "batchId" | "file" | "record" | "unfunded">;

/** @internal Builds a batch of a payer's decisions and funds it from the payer's pool. */
export function fund(connection: Connection, input: FundInput): Action<FundedBatch, { batchId: string }> {
  return actionOf(connection, async () => {
    const { deployment, runner } = connection;
    const { mandate } = input;
    const [payer, token, rulebook, payeeKeys] = await Promise.all([
      input.payer ?? mandate?.payer ?? accountOf(runner),
      tokenOf(connection, input.token),
      createRulebooks(connection).get(input.rulebook),
      keysOf(connection, input.adjudicated),
    ]);
    const built = await buildClaimBatch({
      chainId: deployment.chainId,
      escrow: deployment.claimEscrow,
      payer,
      token,
      rulebook,
      eventBy: input.eventBy,
      claims: input.adjudicated,
      payeeKeys,
    });
    const { batchId, file, record, unfunded } = built;
    const groups = built.groups.map(packGroup);
    const call =
      mandate === undefined
        ? { to: deployment.claimEscrow, data: escrowInterface.encodeFunctionData("fund", [built.terms, groups]) }
        : {
            to: deployment.mandates,
            data: mandatesInterface.encodeFunctionData("fund", [built.terms, groups, mandate]),
          };
    return {
      ...call,
      // Both functions return the id.
      preview: (returned) => ({ batchId: escrowInterface.decodeFunctionResult("fund", returned)[0] as string }),
      result: () => ({ batchId, file, record, unfunded }),
    };
  });
}

/** What the token says of itself. @throws TOKEN_UNREADABLE */
export async function tokenOf({ runner }: Connection, address: string): Promise<Token> {
  const contract = ERC20Permit__factory.connect(address, providerOf(runner));
  try {
    const [symbol, decimals] = await Promise.all([contract.symbol(), contract.decimals()]);
    return { address: await contract.getAddress(), symbol, decimals: Number(decimals) };
  } catch (cause) {
    throw new CarepactError("TOKEN_UNREADABLE", `${address} does not answer as an ERC-20 token.`, { address }, cause);
  }
}

/** @throws IDENTIFIER_INVALID, PAYEE_UNKNOWN */
async function keysOf(connection: Connection, claims: readonly AdjudicatedClaim[]): Promise<Record<string, PayeeKey>> {
  const organizations = createOrganizations(connection);
  const payees = [...new Set(claims.map(({ payee }) => requireAddress(payee, "payee")))];
  const entries = await Promise.all(
    payees.map(async (payee): Promise<[string, PayeeKey]> => {
      const organization = await organizations.get(payee);
      if (organization === undefined)
        throw new CarepactError(
          "PAYEE_UNKNOWN",
          `${payee} is not in the organization registry: it has to register before it can be paid.`,
          { payee },
        );
      return [payee, { publicKey: organization.hpkeKey, version: organization.hpkeKeyVersion }];
    }),
  );
  return Object.fromEntries(entries);
}
