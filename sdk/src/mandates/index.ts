import { AbiCoder, keccak256 } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import { mandatesInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import type { PublicPart } from "../claims/file";
import { packGroup, requireAddress } from "../claims/types";
import { Mandates__factory } from "../generated";

/** What a payer lets an operator (its PBM or TPA) fund from its pool (`Mandate` of ClaimTypes.sol). */
export interface Mandate {
  payer: string;
  operator: string;
  token: string;
  /** Most that may be funded in one period, in base units. */
  cap: bigint;
  /** Length of a period, in seconds. */
  period: number;
  /** First moment, unix seconds. */
  start: number;
  /** First moment at which it no longer holds, unix seconds. */
  end: number;
  /** Bit set of organization kinds that may be paid. */
  payeeKinds: number;
  /** Rulebooks that may govern the batches. */
  rulebooks: string[];
  /** Accounts that may be paid whatever their kind, in ascending order. */
  payees: string[];
  salt: string;
}

/** Mandates of one deployment. */
export interface Mandates {
  /** Gives a mandate. Only its payer. */
  give(mandate: Mandate): Action<{ mandateId: string }>;
  /** Ends a mandate at once. Only its payer. */
  end(mandate: Mandate): Action<{ mandateId: string }>;
  /** Funds a batch that was built elsewhere from its payer's pool. Only the mandate's operator. */
  fund(batch: PublicPart, mandate: Mandate): Action<{ batchId: string }>;
  /** Whether the mandate is in force, and what was funded in the period of its last use. */
  status(mandate: Mandate, options?: CallOptions): Promise<{ inForce: boolean; period: bigint; spent: bigint }>;
}

const MANDATE_TYPE =
  "tuple(address payer,address operator,address token,uint96 cap,uint40 period,uint40 start,uint40 end," +
  "uint16 payeeKinds,bytes32[] rulebooks,address[] payees,bytes32 salt)";

/** Id of a mandate: keccak256(abi.encode(mandate)). @throws IDENTIFIER_INVALID */
export function mandateIdOf(mandate: Mandate): string {
  return keccak256(AbiCoder.defaultAbiCoder().encode([MANDATE_TYPE], [requireAccounts(mandate)]));
}

/** ethers would take accounts in other forms than hex. */
function requireAccounts(mandate: Mandate): Mandate {
  for (const name of ["payer", "operator", "token"] as const) requireAddress(mandate[name], name);
  for (const payee of mandate.payees) requireAddress(payee, "payees");
  return mandate;
}

export function createMandates(connection: Connection): Mandates {
  const deployment = deploymentOf(connection);
  const act = <Result extends object>(data: () => string, result: () => Result): Action<Result> =>
    actionOf(connection, () => ({ to: deployment.mandates, data: data(), preview: () => undefined, result }));
  const about = (mandate: Mandate) => () => ({ mandateId: mandateIdOf(mandate) });
  const encode = mandatesInterface.encodeFunctionData.bind(mandatesInterface);
  return {
    give: (mandate) => act(() => encode("giveMandate", [requireAccounts(mandate)]), about(mandate)),
    end: (mandate) => act(() => encode("endMandate", [requireAccounts(mandate)]), about(mandate)),
    fund: (batch, mandate) =>
      act(
        () => encode("fund", [batch.terms, batch.groups.map(packGroup), requireAccounts(mandate)]),
        () => ({ batchId: batch.batchId }),
      ),
    status: (mandate, options) =>
      reading(
        connection,
        async (provider) => {
          const contract = Mandates__factory.connect(deployment.mandates, provider);
          const [inForce, period, spent] = await contract.mandateStatusOf(mandateIdOf(mandate));
          return { inForce, period, spent };
        },
        options,
      ),
  };
}
