import { concat, id } from "ethers";

import {
  batchIdOf,
  encodeResults,
  escrowDomain,
  escrowTypes,
  groupsHashOf,
  linesLeafOf,
  manifestRootOf,
  manifestTreeOf,
  packGroup,
  packGroupLines,
  type ClaimBatchTerms,
  type EscrowRef,
  type Group,
  type GroupLines,
  type GroupResult,
} from "@carepact/sdk/claims";

import type { OpenedLinesStruct, SettlementStruct } from "../typechain-types/contracts/claims/ClaimEscrow";
import { DAY } from "../test/support/system";

import type { Attesters, Chain } from "./chain";
import { START, fixedBytes, withoutZeroBytes } from "./fixed";

/** Last moment of the care, in unix seconds. */
export const EVENT_BY = START + 30 * DAY;
/** Until when attestations are good, in unix seconds. */
export const VALID_UNTIL = START + 60 * DAY;

/** 60.00 to 119.99 of a token of 6 decimals, in whole cents. */
const amountOfLine = (line: number): bigint => (6_000n + (BigInt(id(`line ${line}`)) % 6_000n)) * 10_000n;

/** A claim batch as its payer knows it. */
export interface BenchBatch {
  terms: ClaimBatchTerms;
  words: bigint[];
  groups: Group[];
  /** Line amounts of each group, in base units. */
  amounts: bigint[][];
  /** Merkle root over the line amounts. */
  linesRoot: string;
  ref: EscrowRef;
  attesters: Attesters;
  /** Opens the line amounts of these groups. */
  open(indices: number[]): OpenedLinesStruct;
}

/**
 * A batch of `lines` lines, spread evenly over the payees.
 * @param rightRoot Right part of the manifest's root; made up unless given.
 */
export async function buildBatch(
  chain: Chain,
  name: string,
  payees: string[],
  lines: number,
  attesters: Attesters,
  rightRoot?: string,
): Promise<BenchBatch> {
  const each = lines / payees.length;
  const opened: GroupLines[] = payees.map((_, group) => ({
    group,
    salt: fixedBytes(`${name} group ${group}`, 32),
    amounts: Array.from({ length: each }, (_, line) => amountOfLine(group * each + line)),
  }));
  const groups: Group[] = opened.map(({ group, amounts }) => ({
    payee: payees[group]!,
    lineCount: each,
    subtotal: amounts.reduce((sum, amount) => sum + amount, 0n),
  }));
  const tree = manifestTreeOf(opened.map(linesLeafOf));
  const { details, manifestRoot } = await withoutZeroBytes(
    (attempt) => {
      const details = rightRoot ?? fixedBytes(`${name} details ${attempt}`, 32);
      return { details, manifestRoot: manifestRootOf(tree.root, details) };
    },
    (made) => (rightRoot === undefined ? [made.manifestRoot] : []),
  );
  return {
    terms: {
      payer: chain.payer.address,
      token: await chain.token.getAddress(),
      total: groups.reduce((sum, { subtotal }) => sum + subtotal, 0n),
      groupsHash: groupsHashOf(groups),
      manifestRoot,
      rulebook: attesters.rulebook,
      eventBy: EVENT_BY,
      salt: BigInt(fixedBytes(`${name} salt`, 8)),
    },
    words: groups.map(packGroup),
    groups,
    amounts: opened.map(({ amounts }) => amounts),
    linesRoot: tree.root,
    ref: {
      chainId: (await chain.relayer.provider.getNetwork()).chainId,
      escrow: await chain.escrow.getAddress(),
    },
    attesters,
    open: (indices) => ({
      groups: indices.map((index) => packGroupLines(opened[index]!)),
      proof: [...tree.prove(indices), details],
    }),
  };
}

/** A settlement of the batch, signed by its attesters; all groups by line are opened. */
export async function settlementOf(batch: BenchBatch, groupResults: GroupResult[]): Promise<SettlementStruct> {
  const results = encodeResults(groupResults, batch.groups);
  const statement = { batchId: batchIdOf(batch.terms, batch.ref), results, observedAt: START, validUntil: VALID_UNTIL };
  const { evidence, signatures } = await withoutZeroBytes(
    async (attempt) => {
      const evidence = fixedBytes(`evidence ${attempt}`, 32);
      const message = { ...statement, evidence };
      const types = { Attestation: escrowTypes.Attestation };
      const signed = batch.attesters.signers.map((signer) =>
        signer.signTypedData(escrowDomain(batch.ref), types, message),
      );
      return { evidence, signatures: concat(await Promise.all(signed)) };
    },
    (made) => [made.signatures],
  );
  const byLine = groupResults.flatMap(({ result }, index) => (result === "byLine" ? [index] : []));
  return {
    batch: batch.terms,
    groups: batch.words,
    attestation: { observedAt: START, validUntil: VALID_UNTIL, evidence, results, signatures },
    opened: byLine.length === 0 ? { groups: [], proof: [] } : batch.open(byLine),
  };
}
