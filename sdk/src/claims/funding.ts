import { actionOf, type Action } from "../chain/action";
import { accountOf, type Connection } from "../chain/deployment";
import { escrowInterface, mandatesInterface } from "../chain/interfaces";
import { within, type CallOptions } from "../chain/options";
import { CarepactError } from "../errors";
import type { Mandate } from "../mandates";
import { createOrganizations } from "../organizations";
import { tokenOf } from "../pools/token";
import { createRulebooks } from "../rulebooks";

import {
  buildClaimBatch,
  openClaimBatchRecord,
  sealClaimBatchRecord,
  type BuiltClaimBatch,
  type ClaimBatchFile,
  type ClaimBatchRecord,
  type PayeeKey,
} from "./file";
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
  /**
   * Keys that may say yes for the patients, by claim id, in the place of those that the claims carry: see
   * `AdjudicatedClaim.patientKeys`.
   */
  patientKeys?: Readonly<Record<string, readonly string[]>>;
  /** Account whose pool funds the batch: the mandate's payer, or the signer, unless given. Only that one may send it. */
  payer?: string;
  /** Lets the signer, as an operator, fund from another's pool. */
  mandate?: Mandate;
}

/** A batch to fund, or that was funded. `record` holds health data in the clear: keep it, never send it. */
export type FundedBatch = Pick<BuiltClaimBatch, "batchId" | "file" | "record" | "unfunded">;

/** @internal Builds a batch of a payer's decisions and funds it from the payer's pool. */
export function fund(connection: Connection, input: FundInput): Action<FundedBatch, FundedBatch> {
  return actionOf(connection, async () => {
    const { deployment, runner } = connection;
    const { mandate } = input;
    const [payer, token, rulebook, payeeKeys] = await Promise.all([
      input.payer ?? mandate?.payer ?? accountOf(runner),
      tokenOf(connection, input.token),
      createRulebooks(connection).get(input.rulebook),
      payeeKeysOf(
        connection,
        input.adjudicated.map(({ payee }) => payee),
      ),
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
      ...(input.patientKeys === undefined ? {} : { patientKeys: input.patientKeys }),
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
      preview: () => ({ batchId, file, record, unfunded }),
      result: () => ({ batchId, file, record, unfunded }),
    };
  });
}

/** @internal Seals a record's file anew, to the keys that its payees have now. */
export async function reseal(
  connection: Connection,
  record: ClaimBatchRecord,
  options: CallOptions = {},
): Promise<ClaimBatchFile> {
  const payees = openClaimBatchRecord(record).groups.map(({ payee }) => payee);
  return within(options, async () => sealClaimBatchRecord(record, await payeeKeysOf(connection, payees)));
}

/** Keys of payees, as the registry has them. @throws IDENTIFIER_INVALID, PAYEE_UNKNOWN */
async function payeeKeysOf(connection: Connection, accounts: readonly string[]): Promise<Record<string, PayeeKey>> {
  const organizations = createOrganizations(connection);
  const payees = [...new Set(accounts.map((payee) => requireAddress(payee, "payee")))];
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
