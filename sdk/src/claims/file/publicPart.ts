import { getAddress } from "ethers";

import { CarepactError } from "../../errors";
import type { Token } from "../../money";
import { batchIdOf, batchLimits, groupsHashOf, type ClaimBatchTerms, type Group } from "../types";

import type { PublicPartJson } from "./document";
import { rulebookFromJson, rulebookIdOf, type Rulebook } from "../../rulebooks/rulebook";

/** What all may see of a claim batch, checked against its id. */
export interface PublicPart {
  chainId: number;
  escrow: string;
  batchId: string;
  terms: ClaimBatchTerms;
  /** In strictly ascending order of payee. */
  groups: Group[];
  token: Token;
  rulebook: Rulebook;
}

/** @internal */
export const tampered = (path: string, problem: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("FILE_TAMPERED", `${path} ${problem}: the document was changed, or made for another batch.`, {
    path,
    ...details,
  });

const requireChecksum = (address: string, path: string): void => {
  let checksummed: string | undefined;
  try {
    checksummed = getAddress(address);
  } catch {
    // Mixed case with a wrong checksum: refused below.
  }
  if (checksummed !== address)
    throw new CarepactError("FILE_MALFORMED", `${path} is not an address with its EIP-55 checksum.`, { path });
};

/**
 * The total needs no check: the most groups of the largest subtotal stay below its limit.
 * @throws BATCH_TOO_LARGE
 */
export function requireWithinLimits(groups: readonly Pick<Group, "lineCount" | "subtotal">[]): void {
  const lines = groups.reduce((sum, group) => sum + group.lineCount, 0);
  const subtotal = groups.reduce((most, group) => (group.subtotal > most ? group.subtotal : most), 0n);
  const refuse = (limit: string, found: number | bigint, most: number | bigint): CarepactError =>
    new CarepactError(
      "BATCH_TOO_LARGE",
      `The batch is too large for one transaction: ${found} ${limit}, at most ${most}. Split it.`,
      { limit, found, most },
    );
  if (groups.length > batchLimits.groups) throw refuse("groups", groups.length, batchLimits.groups);
  if (lines > batchLimits.lines) throw refuse("lines", lines, batchLimits.lines);
  if (subtotal > batchLimits.subtotal) throw refuse("base units in one group", subtotal, batchLimits.subtotal);
}

/**
 * Checks the public part of a document whose schema was checked: the id is that of the terms, and groups, token and
 * rulebook are those the terms name.
 * @throws FILE_TAMPERED, FILE_MALFORMED, GROUPS_INVALID, GROUPS_DO_NOT_SUM, BATCH_TOO_LARGE, BATCH_TERMS_INVALID
 */
export function verifyPublicPart(json: PublicPartJson): PublicPart {
  requireChecksums(json);
  const { chainId, escrow, batchId, token } = json;
  const terms = { ...json.terms, total: BigInt(json.terms.total), salt: BigInt(json.terms.salt) };
  if (terms.total > batchLimits.total || terms.salt >> 64n !== 0n)
    throw new CarepactError("BATCH_TERMS_INVALID", "The total is below 2^96 and the salt below 2^64.", {
      path: "$.terms",
    });
  if (batchIdOf(terms, { chainId, escrow }) !== batchId)
    throw tampered("$.batchId", "is not the id of these terms on this chain and escrow");

  const groups = json.groups.map((group) => ({ ...group, subtotal: BigInt(group.subtotal) }));
  requireWithinLimits(groups);
  groups.forEach(({ payee }, i) => {
    const before = groups[i - 1];
    if (before !== undefined && BigInt(before.payee) >= BigInt(payee))
      throw new CarepactError("GROUPS_INVALID", "Groups stand in strictly ascending order of payee.", {
        path: `$.groups[${i}].payee`,
      });
  });
  const sum = groups.reduce((total, group) => total + group.subtotal, 0n);
  if (sum !== terms.total)
    throw new CarepactError("GROUPS_DO_NOT_SUM", `The groups sum to ${sum}, the batch says ${terms.total}.`, {
      path: "$.groups",
      sum,
      total: terms.total,
    });
  if (groupsHashOf(groups) !== terms.groupsHash) throw tampered("$.groups", "are not those of the terms");
  if (token.address !== terms.token) throw tampered("$.token.address", "is not the token of the terms");

  const rulebook = rulebookFromJson(json.rulebook);
  if (rulebookIdOf(rulebook) !== terms.rulebook) throw tampered("$.rulebook", "is not the rulebook of the terms");
  return { chainId, escrow, batchId, terms, groups, token, rulebook };
}

function requireChecksums({ escrow, terms, groups, token, rulebook }: PublicPartJson): void {
  requireChecksum(escrow, "$.escrow");
  requireChecksum(terms.payer, "$.terms.payer");
  requireChecksum(terms.token, "$.terms.token");
  groups.forEach(({ payee }, i) => requireChecksum(payee, `$.groups[${i}].payee`));
  requireChecksum(token.address, "$.token.address");
  requireChecksum(rulebook.workflow.owner, "$.rulebook.workflow.owner");
  requireChecksum(rulebook.arbiter, "$.rulebook.arbiter");
  requireChecksum(rulebook.suspender, "$.rulebook.suspender");
}
