import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import {
  concat,
  hexlify,
  randomBytes,
  solidityPackedKeccak256,
  toBeHex,
  type ContractTransactionResponse,
} from "ethers";
import { ethers } from "hardhat";

import {
  batchIdOf,
  encodeResults,
  escrowDomain,
  escrowTypes,
  groupsHashOf,
  manifestRootOf,
  manifestTreeOf,
  packGroup,
  packLineAmounts,
  type ClaimBatchTerms,
  type EscrowRef,
  type Group,
  type GroupResult,
  type LineResult,
} from "@carepact/sdk/claims";

import type { ClaimEscrow } from "../../typechain-types";
import type {
  GroupLinesStruct,
  OpenedLinesStruct,
  SettlementStruct,
} from "../../typechain-types/contracts/claims/ClaimEscrow";

import { DAY } from "./system";

export const met = { result: "met" } as const;
export const notMet = { result: "notMet" } as const;
export const pending = { result: "pending" } as const;
export const partlyMet = (amount: bigint) => ({ result: "partlyMet", amount }) as const;
export const byLine = (...lines: LineResult[]) => ({ result: "byLine", lines }) as const;

/** A claim batch with everything that its payer knows. */
export interface TestBatch {
  id: string;
  ref: EscrowRef;
  terms: ClaimBatchTerms;
  groups: Group[];
  words: bigint[];
  /** Line amounts of each group, in order of the groups. */
  amounts: bigint[][];
  /** The line amounts of groups, with the proof of all of them. */
  open(indices: number[]): OpenedLinesStruct;
  /** The line amounts of one group, with its own proof. */
  openOne(index: number): { opened: GroupLinesStruct; proof: string[] };
}

export interface BatchInput {
  payer: string;
  token: string;
  rulebook: string;
  /** Line amounts by payee, in any order. */
  lines: Record<string, bigint[]>;
  eventBy?: number;
  /** Bytes of each line amount; as many as the largest of its group needs unless given. */
  width?: number;
  /** Line amounts to commit to in place of those that are billed, by group. */
  committed?: Record<number, bigint[]>;
  /** Terms to use in place of those that follow from the lines. */
  terms?: Partial<ClaimBatchTerms>;
}

/** Builds the terms of a claim batch from its lines. */
export async function buildBatch(escrow: ClaimEscrow, input: BatchInput): Promise<TestBatch> {
  const payees = Object.keys(input.lines).sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  const amounts = payees.map((payee) => input.lines[payee]!);
  const groups = payees.map((payee, index) => ({
    payee,
    lineCount: amounts[index]!.length,
    subtotal: amounts[index]!.reduce((sum, amount) => sum + amount, 0n),
  }));
  const salts = groups.map(() => hexlify(randomBytes(32)));
  const { width } = input;
  const linesOf = (group: number): GroupLinesStruct & { amounts: string } => {
    const lines = input.committed?.[group] ?? amounts[group]!;
    return {
      group,
      salt: salts[group]!,
      // Zero is no amount that the SDK packs, but one that a payer could commit to.
      amounts: width === undefined ? packLineAmounts(lines) : concat(lines.map((amount) => toBeHex(amount, width))),
    };
  };
  const leaves = groups.map((_, group) =>
    solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [group, salts[group]!, linesOf(group).amounts]),
  );
  const tree = manifestTreeOf(leaves);
  const details = hexlify(randomBytes(32));
  const ref = { chainId: (await ethers.provider.getNetwork()).chainId, escrow: await escrow.getAddress() };
  const terms: ClaimBatchTerms = {
    payer: input.payer,
    token: input.token,
    total: groups.reduce((sum, group) => sum + group.subtotal, 0n),
    groupsHash: groupsHashOf(groups),
    manifestRoot: manifestRootOf(tree.root, details),
    rulebook: input.rulebook,
    eventBy: input.eventBy ?? (await time.latest()) + 30 * DAY,
    salt: BigInt(hexlify(randomBytes(8))),
    ...input.terms,
  };
  return {
    id: batchIdOf(terms, ref),
    ref,
    terms,
    groups,
    words: groups.map(packGroup),
    amounts,
    open: (indices) =>
      indices.length === 0
        ? { groups: [], proof: [] }
        : { groups: indices.map(linesOf), proof: [...tree.prove(indices), details] },
    openOne: (index) => ({ opened: linesOf(index), proof: [...tree.prove([index]), details] }),
  };
}

export interface AttestationInput {
  results: GroupResult[] | string;
  signers: HardhatEthersSigner[];
  observedAt?: number;
  validUntil?: number;
  evidence?: string;
  /** Groups to open; those whose results are given by line unless said otherwise. */
  open?: number[];
  /** Whether signatures go in ascending order of signer, as the escrow wants them. */
  sorted?: boolean;
}

/** A settlement of `batch`, its attestation signed by `signers`. */
export async function settlementOf(batch: TestBatch, input: AttestationInput): Promise<SettlementStruct> {
  const results =
    typeof input.results === "string"
      ? input.results
      : encodeResults(
          input.results,
          batch.groups.map(({ lineCount }) => ({ lineCount })),
        );
  const observedAt = input.observedAt ?? (await time.latest());
  const statement = {
    batchId: batch.id,
    results,
    observedAt,
    validUntil: input.validUntil ?? observedAt + 90 * DAY,
    evidence: input.evidence ?? hexlify(randomBytes(32)),
  };
  const signers = [...input.signers];
  if (input.sorted ?? true) signers.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  const signatures = await Promise.all(
    signers.map((signer) =>
      signer.signTypedData(escrowDomain(batch.ref), { Attestation: escrowTypes.Attestation }, statement),
    ),
  );
  const open =
    input.open ??
    batch.groups.flatMap((group, index) =>
      typeof input.results !== "string" && input.results[index]?.result === "byLine" && group.lineCount > 1
        ? [index]
        : [],
    );
  return {
    batch: batch.terms,
    groups: batch.words,
    attestation: {
      observedAt: statement.observedAt,
      validUntil: statement.validUntil,
      evidence: statement.evidence,
      results,
      signatures: concat(signatures),
    },
    opened: batch.open(open),
  };
}

/** Sends a settlement the cheapest way: by {settle} where no lines have to be opened. */
export function settle(escrow: ClaimEscrow, settlement: SettlementStruct): Promise<ContractTransactionResponse> {
  const { batch, groups, attestation, opened } = settlement;
  return opened.groups.length === 0
    ? escrow.settle(batch, groups, attestation)
    : escrow.settleByLine(batch, groups, attestation, opened);
}
