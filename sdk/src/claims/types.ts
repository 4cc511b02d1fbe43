import {
  AbiCoder,
  TypedDataEncoder,
  concat,
  getAddress,
  isAddress,
  isHexString,
  keccak256,
  solidityPackedKeccak256,
  toBeArray,
  toBeHex,
  type TypedDataDomain,
} from "ethers";

import { CarepactError } from "../errors";

/** Terms of a claim batch (`ClaimBatch` of ClaimTypes.sol): hashed into the batch id, never stored on chain. */
export interface ClaimBatchTerms {
  /** Account whose pool funds the batch. */
  payer: string;
  token: string;
  /** Sum of the subtotals, in base units of the token. Below 2^96. */
  total: bigint;
  groupsHash: string;
  /** Merkle root over the line amounts of each group and the off-chain detail of each line. */
  manifestRoot: string;
  /** Rulebook id. */
  rulebook: string;
  /** Last moment at which the care may happen, in unix seconds. */
  eventBy: number;
  /** Makes batches with otherwise equal terms distinct. Below 2^64. */
  salt: bigint;
}

/** All lines of one payee in a claim batch. */
export interface Group {
  payee: string;
  lineCount: number;
  /** In base units of the token. Below 2^86. */
  subtotal: bigint;
}

/** The line amounts of one group (`GroupLines` of ClaimTypes.sol, amounts not packed yet). */
export interface GroupLines {
  /** Index of the group in the batch. */
  group: number;
  salt: string;
  /** Amounts of the lines in base units, in line order. */
  amounts: bigint[];
}

/** The same as the escrow takes it. */
export interface PackedGroupLines {
  group: number;
  salt: string;
  /** See {@link packLineAmounts}. */
  amounts: string;
}

/** The line amounts of groups that settle line by line, with their proof (`OpenedLines` of ClaimTypes.sol). */
export interface OpenedLines {
  /** In ascending order of group. */
  groups: PackedGroupLines[];
  /** Hashes that lead to `manifestRoot`, the root over details last. */
  proof: string[];
}

/** Which escrow on which chain a batch or attestation is for. */
export interface EscrowRef {
  chainId: number | bigint;
  /** Address of the escrow's proxy. */
  escrow: string;
}

/** What attesters sign, without the signatures. */
export interface AttestationStatement {
  batchId: string;
  /** Packed results, see `encodeResults`. */
  results: string;
  /** When the attesters looked, in unix seconds. */
  observedAt: number;
  /** Last moment at which the attestation may settle, in unix seconds. */
  validUntil: number;
  /** Salted commitment to what the attesters saw. */
  evidence: string;
}

/** What one transaction can carry, as the contract limits it. */
export const batchLimits = Object.freeze({
  groups: 500,
  lines: 500,
  /** Largest subtotal of a group and largest amount of a line, in base units. */
  subtotal: (1n << 86n) - 1n,
  /** Largest total, in base units. */
  total: (1n << 96n) - 1n,
});

/** EIP-712 types of the escrow. */
export const escrowTypes = {
  ClaimBatch: [
    { name: "payer", type: "address" },
    { name: "token", type: "address" },
    { name: "total", type: "uint96" },
    { name: "groupsHash", type: "bytes32" },
    { name: "manifestRoot", type: "bytes32" },
    { name: "rulebook", type: "bytes32" },
    { name: "eventBy", type: "uint40" },
    { name: "salt", type: "uint64" },
  ],
  FundingOrder: [
    { name: "batch", type: "ClaimBatch" },
    { name: "deadline", type: "uint256" },
  ],
  Attestation: [
    { name: "batchId", type: "bytes32" },
    { name: "results", type: "bytes" },
    { name: "observedAt", type: "uint40" },
    { name: "validUntil", type: "uint40" },
    { name: "evidence", type: "bytes32" },
  ],
  RefundOrder: [
    { name: "batchId", type: "bytes32" },
    { name: "payee", type: "address" },
    { name: "upTo", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

/** EIP-712 domain of an escrow. */
export function escrowDomain(ref: EscrowRef): TypedDataDomain {
  return { name: "Carepact ClaimEscrow", version: "1", chainId: ref.chainId, verifyingContract: ref.escrow };
}

/** Batch id: EIP-712 digest of the terms under chain and escrow. Equals `ClaimEscrow.batchIdOf`. */
export function batchIdOf(terms: ClaimBatchTerms, ref: EscrowRef): string {
  return TypedDataEncoder.hash(escrowDomain(ref), { ClaimBatch: escrowTypes.ClaimBatch }, terms);
}

/** What a payer signs to let anyone bring its funding: EIP-712 digest of `FundingOrder`. */
export function fundingOrderDigestOf(terms: ClaimBatchTerms, deadline: number | bigint, ref: EscrowRef): string {
  const { ClaimBatch, FundingOrder } = escrowTypes;
  return TypedDataEncoder.hash(escrowDomain(ref), { ClaimBatch, FundingOrder }, { batch: terms, deadline });
}

/** What attesters sign: EIP-712 digest of `Attestation`. Equals `ClaimEscrow.attestationDigestOf`. */
export function attestationDigestOf(statement: AttestationStatement, ref: EscrowRef): string {
  return TypedDataEncoder.hash(escrowDomain(ref), { Attestation: escrowTypes.Attestation }, statement);
}

const SUBTOTAL_BITS = 86n;
const LINE_COUNT_BITS = 10n;
const PAYEE_SHIFT = SUBTOTAL_BITS + LINE_COUNT_BITS;

const inRange = (value: bigint, limit: bigint): boolean => value > 0n && value <= limit;

/** Checksummed form of an account other than zero. @throws IDENTIFIER_INVALID */
export function requireAddress(value: unknown, path: string): string {
  if (typeof value !== "string" || !isHexString(value, 20) || !isAddress(value) || BigInt(value) === 0n)
    throw new CarepactError("IDENTIFIER_INVALID", `${path} is not an account address.`, { path });
  return getAddress(value);
}

/**
 * A group as the contract's 256-bit word: payee << 96 | lineCount << 86 | subtotal.
 * @throws GROUPS_INVALID, IDENTIFIER_INVALID
 */
export function packGroup(group: Group): bigint {
  const payee = requireAddress(group.payee, "group.payee");
  const { lineCount, subtotal } = group;
  if (!Number.isInteger(lineCount) || lineCount < 1 || lineCount > batchLimits.lines)
    throw new CarepactError("GROUPS_INVALID", `A group has 1 to ${batchLimits.lines} lines, not ${lineCount}.`, {
      payee,
      lineCount,
    });
  if (typeof subtotal !== "bigint" || !inRange(subtotal, batchLimits.subtotal) || subtotal < BigInt(lineCount))
    throw new CarepactError("GROUPS_INVALID", "A subtotal is at least one base unit a line and below 2^86.", {
      payee,
      subtotal,
    });
  return (BigInt(payee) << PAYEE_SHIFT) | (BigInt(lineCount) << SUBTOTAL_BITS) | subtotal;
}

/** The group in a 256-bit word, see {@link packGroup}. @throws GROUPS_INVALID, IDENTIFIER_INVALID */
export function unpackGroup(word: bigint): Group {
  if (word < 0n || word >> 256n !== 0n)
    throw new CarepactError("GROUPS_INVALID", "A group is a word of 256 bits.", { word });
  const group = {
    payee: requireAddress(toBeHex(word >> PAYEE_SHIFT, 20), "group.payee"),
    lineCount: Number((word >> SUBTOTAL_BITS) & ((1n << LINE_COUNT_BITS) - 1n)),
    subtotal: word & ((1n << SUBTOTAL_BITS) - 1n),
  };
  packGroup(group);
  return group;
}

/** keccak256 of the groups' words, in order. */
export function groupsHashOf(groups: readonly Group[]): string {
  return keccak256(concat(groups.map((group) => toBeHex(packGroup(group), 32))));
}

/**
 * Line amounts as the escrow reads them: big endian, each in as many bytes as the largest needs (11 at most).
 * @throws AMOUNT_TOO_LARGE when an amount is not above zero and below 2^86.
 */
export function packLineAmounts(amounts: readonly bigint[]): string {
  amounts.forEach((amount, line) => {
    if (!inRange(amount, batchLimits.subtotal))
      throw new CarepactError("AMOUNT_TOO_LARGE", "A line amount is above zero and below 2^86 base units.", {
        line,
        amount,
      });
  });
  const width = Math.max(...amounts.map((amount) => toBeArray(amount).length));
  return concat(amounts.map((amount) => toBeHex(amount, width)));
}

/** A group's lines as the escrow takes them. @throws AMOUNT_TOO_LARGE */
export function packGroupLines({ group, salt, amounts }: GroupLines): PackedGroupLines {
  return { group, salt, amounts: packLineAmounts(amounts) };
}

/**
 * Leaf of a group's line amounts under `manifestRoot`: keccak256(group as uint256 ‖ salt ‖ amounts). Salted, since
 * amounts could be guessed.
 */
export function linesLeafOf(lines: GroupLines): string {
  const { group, salt, amounts } = packGroupLines(lines);
  return solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [group, salt, amounts]);
}

/** A line's leaf under `manifestRoot`: what the batch commits to about it. */
export interface ManifestLeaf {
  /** Global index of the line: lines of earlier groups plus index in its group. */
  line: number;
  payee: string;
  /** In base units of the token. */
  amount: bigint;
  eventKey: string;
  contentHash: string;
  detailHash: string;
}

const MANIFEST_LEAF_TYPES = ["uint256", "address", "uint256", "bytes32", "bytes32", "bytes32"];

/** Hash of a manifest leaf: keccak256(keccak256(abi.encode(line, payee, amount, eventKey, contentHash, detailHash))). */
export function manifestLeafHashOf(leaf: ManifestLeaf): string {
  const values = [leaf.line, leaf.payee, leaf.amount, leaf.eventKey, leaf.contentHash, leaf.detailHash];
  return keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(MANIFEST_LEAF_TYPES, values)));
}
