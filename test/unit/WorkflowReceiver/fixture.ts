import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { impersonateAccount, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { type ContractTransactionResponse, concat, dataSlice, id, parseEther } from "ethers";
import { ethers } from "hardhat";

import type { GroupResult } from "@carepact/sdk/claims";

import type { KeystoneForwarder } from "../../../typechain-types";
import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";
import { type AttestationInput, type TestBatch, settlementOf } from "../../support/batches";
import { type Claims, deployClaims } from "../../support/claims";
import {
  type Don,
  type Execution,
  type WorkflowName,
  deployForwarder,
  donOf,
  encodeReportOf,
  signReport,
  workflowOf,
} from "../../support/keystone";
import { DAY, type System, publish, rulebookOf } from "../../support/system";

/** Networks that the forwarder knows: the least that stands one faulty node, and one that stands three. */
export const small = donOf(1, 4, 1);
export const large = donOf(2, 10, 3);

/** What the forwarder says of an execution (IRouter.TransmissionState). */
export const transmission = { notAttempted: 0n, succeeded: 1n, invalidReceiver: 2n, failed: 3n } as const;

/** The report id that `signReport` writes. */
const REPORT_ID = "0x0001";

/** The whole system, which takes reports from Chainlink's own forwarder. */
export interface Reporting extends Claims {
  forwarder: KeystoneForwarder;
  /** The workflow of the rulebooks below. */
  workflow: WorkflowName;
  /** Names the workflow, and nobody else. */
  rulebook: string;
  /** Names the workflow, and 2 of 3 attesters. */
  mixed: string;
  /** Names another workflow. */
  foreign: string;
}

/** Deploys all of it. For loadFixture. */
export async function deployReporting(): Promise<Reporting> {
  const claims = await deployClaims();
  const { rulebooks, suspender, attesters } = claims;
  const forwarder = await deployForwarder(claims.admin, small, large);
  await changeForwarder(claims, await forwarder.getAddress());
  const workflow = workflowOf("dispenses");
  const terms = { attesterGroups: [], suspender: suspender.address };
  const addresses = attesters.map(({ address }) => address);
  return {
    ...claims,
    forwarder,
    workflow,
    rulebook: await publish(rulebooks, rulebookOf([], 0, { ...terms, workflow })),
    mixed: await publish(rulebooks, rulebookOf(addresses, 2, { workflow })),
    foreign: await publish(rulebooks, rulebookOf([], 0, { ...terms, workflow: workflowOf("laboratory") })),
  };
}

/** Sets the forwarder as the upgrader does, after its delay. */
export async function changeForwarder({ accessManager, escrow, receiver }: System, forwarder: string): Promise<void> {
  const call = receiver.interface.encodeFunctionData("setForwarder", [forwarder]);
  await accessManager.schedule(escrow, call, 0);
  await time.increase(14 * DAY);
  await accessManager.execute(escrow, call);
}

/** A settlement without signatures. */
export const unsigned = (
  batch: TestBatch,
  results: GroupResult[] | string,
  changes: Partial<AttestationInput> = {},
): Promise<SettlementStruct> => settlementOf(batch, { results, signers: [], ...changes });

/** What a workflow reports of a settlement: as its batch's rulebook, observed when the attestation says, unless given. */
export async function reportOf(
  { escrow }: System,
  batch: TestBatch,
  { attestation }: SettlementStruct,
  changes: { rulebook?: string; observedAt?: number } = {},
): Promise<string> {
  return encodeReportOf({
    rulebook: batch.terms.rulebook,
    batchId: batch.id,
    digest: await escrow.attestationDigestOf(batch.id, attestation),
    observedAt: Number(attestation.observedAt),
    ...changes,
  });
}

/** One execution that reports all of `reports`, signed by as many nodes as have to. */
export const executionOf = (
  { workflow }: Reporting,
  executionId: string,
  reports: string[],
  changes: Partial<Execution> = {},
): Execution => ({ executionId, workflow, report: concat(reports), ...changes });

/** Has the forwarder deliver what `don` signed of an execution; anyone may ask for it. */
export async function deliver(
  { escrow, forwarder, stranger }: Reporting,
  don: Don,
  execution: Execution,
  overrides: { gasLimit?: number } = {},
): Promise<ContractTransactionResponse> {
  const { rawReport, reportContext, signatures } = signReport(don, execution);
  return forwarder.connect(stranger).report(escrow, rawReport, reportContext, signatures, overrides);
}

/** What became of an execution. */
export async function transmissionOf({ escrow, forwarder }: Reporting, executionId: string): Promise<bigint> {
  return (await forwarder.getTransmissionInfo(escrow, id(executionId), REPORT_ID)).state;
}

let executions = 0;

/** Reports settlements through the forwarder, in an execution of its own. */
export async function report(context: Reporting, ...reports: string[]): Promise<ContractTransactionResponse> {
  return deliver(context, small, executionOf(context, `execution ${++executions}`, reports));
}

/** Reports the attestation of a settlement through the forwarder. */
export async function reportSettlement(
  context: Reporting,
  batch: TestBatch,
  settlement: SettlementStruct,
  changes: { rulebook?: string; observedAt?: number } = {},
): Promise<ContractTransactionResponse> {
  return report(context, await reportOf(context, batch, settlement, changes));
}

/** How many bytes of a digest the escrow keeps: the first ones. */
export const KEPT_BYTES = 25;

/** What the escrow keeps of a settlement that was reported. */
export async function keptOf(
  { escrow }: System,
  batch: TestBatch,
  { attestation }: SettlementStruct,
): Promise<[digest: string, observedAt: bigint]> {
  const digest = await escrow.attestationDigestOf(batch.id, attestation);
  return [dataSlice(digest, 0, KEPT_BYTES), BigInt(attestation.observedAt)];
}

/** What the escrow keeps where there is no report. */
export const NOTHING: [digest: string, observedAt: bigint] = [`0x${"00".repeat(KEPT_BYTES)}`, 0n];

/** The forwarder's account, to say what the forwarder itself never would. */
export async function asForwarder({ forwarder }: Reporting): Promise<HardhatEthersSigner> {
  const address = await forwarder.getAddress();
  await impersonateAccount(address);
  await setBalance(address, parseEther("1"));
  return ethers.getSigner(address);
}

/** Metadata as the forwarder passes them on. */
export const metadataOf = ({ id: workflowId, name, owner }: WorkflowName): string =>
  concat([workflowId, name, owner, REPORT_ID]);
