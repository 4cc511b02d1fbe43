import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { SimpleMerkleTree } from "@openzeppelin/merkle-tree";
import { concat, hexlify, keccak256, randomBytes } from "ethers";
import { ethers } from "hardhat";

import {
  batchIdOf,
  encodeResults,
  escrowDomain,
  escrowTypes,
  groupsHashOf,
  linesLeafOf,
  packGroup,
  packLineAmounts,
  type ClaimBatchTerms,
  type EscrowRef,
  type Group,
  type GroupResult,
  type LineResult,
} from "@carepact/sdk";

import type { ClaimEscrow } from "../../sdk/src/generated";
import type {
  GroupLinesStruct,
  OpenedLinesStruct,
  SettlementStruct,
} from "../../sdk/src/generated/contracts/claims/ClaimEscrow";

import { DAY } from "./system";

export const met = { result: "met" } as const;
export const notMet = { result: "notMet" } as const;
export const pending = { result: "pending" } as const;
export const partlyMet = (amount: bigint) => ({ result: "partlyMet", amount }) as const;
export const byLine = (...lines: LineResult[]) => ({ result: "byLine", lines }) as const;

/** Hash of an inner Merkle node, as OpenZeppelin's MerkleProof has it. */
const commutativeKeccak256 = (a: string, b: string) =>
  keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** A claim batch with everything that its payer knows. */
export interface TestBatch {
  id: string;
  ref: EscrowRef;
  terms: ClaimBatchTerms;
  groups: Group[];
  words: bigint[];
  /** Line amounts of each group, in order of the groups. */
  amounts: bigint[][];
  /** The line amounts of groups, with the multiproof of all of them. */
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
  const leaves = groups.map((_, group) => linesLeafOf({ group, salt: salts[group]!, amounts: amounts[group]! }));
  const tree = SimpleMerkleTree.of(leaves, { sortLeaves: false });
  const details = hexlify(randomBytes(32));
  const ref = { chainId: (await ethers.provider.getNetwork()).chainId, escrow: await escrow.getAddress() };
  const terms: ClaimBatchTerms = {
    payer: input.payer,
    token: input.token,
    total: groups.reduce((sum, group) => sum + group.subtotal, 0n),
    groupsHash: groupsHashOf(groups),
    manifestRoot: commutativeKeccak256(tree.root, details),
    rulebook: input.rulebook,
    eventBy: input.eventBy ?? (await time.latest()) + 30 * DAY,
    salt: BigInt(hexlify(randomBytes(8))),
    ...input.terms,
  };
  const linesOf = (group: number): GroupLinesStruct => ({
    group,
    salt: salts[group]!,
    amounts: packLineAmounts(amounts[group]!),
  });
  return {
    id: batchIdOf(terms, ref),
    ref,
    terms,
    groups,
    words: groups.map(packGroup),
    amounts,
    open: (indices) => {
      if (indices.length === 0) return { groups: [], proof: [], proofFlags: [] };
      // The tree returns leaves in an order of its own; the escrow hashes them in the order of the lines handed in.
      const multi = tree.getMultiProof(indices);
      const ordered = multi.leaves.map((leaf) => leaves.indexOf(leaf));
      return {
        groups: ordered.map(linesOf),
        proof: [...multi.proof, details],
        proofFlags: [...multi.proofFlags, false],
      };
    },
    openOne: (index) => ({ opened: linesOf(index), proof: [...tree.getProof(index), details] }),
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
export function settle(escrow: ClaimEscrow, settlement: SettlementStruct) {
  const { batch, groups, attestation, opened } = settlement;
  return opened.groups.length === 0
    ? escrow.settle(batch, groups, attestation)
    : escrow.settleByLine(batch, groups, attestation, opened);
}
