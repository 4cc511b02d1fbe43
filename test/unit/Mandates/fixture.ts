import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { type ContractTransactionResponse, AbiCoder, ParamType, hexlify, keccak256, randomBytes } from "ethers";

import type { Mandates } from "../../../typechain-types";
import type { MandateStruct } from "../../../typechain-types/contracts/claims/Mandates";
import type { TestBatch } from "../../support/batches";
import { type Funded, DOLLAR, deployFunded } from "../../support/funded";
import { DAY, kinds } from "../../support/system";

export const CAP = 500n * DOLLAR;
export const PERIOD = 30 * DAY;

/** A mandate of the payer for the operator: from now on for a year, 500.00 in 30 days, to pharmacies and laboratories. */
export async function mandateOf(context: Funded, changes: Partial<MandateStruct> = {}): Promise<MandateStruct> {
  const start = await time.latest();
  return {
    payer: context.payer.address,
    operator: context.operator.address,
    token: await context.token.getAddress(),
    cap: CAP,
    period: PERIOD,
    start,
    end: start + 365 * DAY,
    payeeKinds: kinds.pharmacy | kinds.laboratory,
    rulebooks: [context.rulebook],
    payees: [],
    salt: hexlify(randomBytes(32)),
    ...changes,
  };
}

/** keccak256(abi.encode(mandate)), computed without the contract. */
export function mandateIdOf(mandates: Mandates, mandate: MandateStruct): string {
  const [type] = mandates.interface.getFunction("giveMandate").inputs;
  return keccak256(AbiCoder.defaultAbiCoder().encode([ParamType.from(type)], [mandate]));
}

/** A mandate with these changes, given by its payer. */
export async function given(
  context: Funded,
  changes: Partial<MandateStruct> = {},
): Promise<{ mandate: MandateStruct; id: string }> {
  const mandate = await mandateOf(context, changes);
  await context.mandates.connect(context.payer).giveMandate(mandate);
  return { mandate, id: mandateIdOf(context.mandates, mandate) };
}

/** Lets the operator fund a batch under a mandate. */
export const fundUnder = (
  context: Funded,
  mandate: MandateStruct,
  batch: TestBatch,
  caller = context.operator,
): Promise<ContractTransactionResponse> => context.mandates.connect(caller).fund(batch.terms, batch.words, mandate);

export async function deployWithMandate(): Promise<Funded & { mandate: MandateStruct; id: string }> {
  const context = await loadFixture(deployFunded);
  return { ...context, ...(await given(context)) };
}
