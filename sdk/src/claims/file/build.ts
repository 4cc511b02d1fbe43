import { getAddress, hexlify } from "ethers";

import { randomSalt, saltedHashOf, systemRandom, toPlainJson, type RandomSource } from "../../encryption";
import { CarepactError } from "../../errors";
import { rescaleAmount, type Token } from "../../money";
import { requireBalanced, type AdjudicatedClaim, type AdjudicatedLine } from "../input/adjudicated";
import { rulebookIdOf, rulebookToJson, type Rulebook } from "../../rulebooks/rulebook";
import { eventKeyOf, saltedEventKeyOf } from "../input/event";
import { manifestRootOf } from "../manifestTree";
import { batchIdOf, groupsHashOf, requireAddress, type ClaimBatchTerms, type Group } from "../types";

import { detailOf } from "./detail";
import {
  readDocument,
  type ClaimBatchFile,
  type ClaimBatchPart,
  type ClaimBatchRecord,
  type PublicPartJson,
} from "./document";
import { openClaimBatchRecord } from "./open";
import { asksPatientsOf, patientSignerMissing } from "./patientKeys";
import { commitPatients, patientSignersOf } from "./patientsTree";
import { requireWithinLimits, verifyPublicPart } from "./publicPart";
import { sealPart } from "./sealing";
import { detailsTreeOf, linesTreeOf } from "./trees";

/** A payee's key for sealed parts, as the organization registry has it. */
export interface PayeeKey {
  /** X25519, 32 bytes in hex. */
  publicKey: string;
  version: number;
}

/** What a claim batch is made of. */
export interface ClaimBatchInput {
  chainId: number;
  /** Address of the escrow's proxy. */
  escrow: string;
  payer: string;
  token: Token;
  rulebook: Rulebook;
  /** Last moment at which the care may happen; a number is unix seconds. */
  eventBy: Date | number;
  claims: readonly AdjudicatedClaim[];
  /** Keys by payee address. */
  payeeKeys: Readonly<Record<string, PayeeKey>>;
  /** Keys of patients by claim id, in the place of those that the claim or its lines carry. See `AdjudicatedClaim.patientKeys`. */
  patientKeys?: Readonly<Record<string, readonly string[]>>;
  /** Makes batches with equal terms distinct; random unless given. Below 2^64. */
  salt?: bigint;
  /** For tests. The order of a group's lines follows from it, too. */
  random?: RandomSource;
}

/** A claim batch ready to be funded. */
export interface BuiltClaimBatch {
  batchId: string;
  terms: ClaimBatchTerms;
  groups: Group[];
  /** For the payees. */
  file: ClaimBatchFile;
  /** For the payer alone: health data in the clear. */
  record: ClaimBatchRecord;
  /** Lines for which the payer pays nothing, which a batch cannot hold. */
  unfunded: { claimId: string; lineNumber: number }[];
}

interface Entry {
  claim: AdjudicatedClaim;
  line: AdjudicatedLine;
  amount: bigint;
}

interface DraftGroup {
  payee: string;
  entries: Entry[];
}

/**
 * Makes a claim batch of adjudicated claims: groups their lines by payee, commits to amounts and manifest under fresh
 * salts, and seals each payee's part. Amounts are carried from the claims' currency into the token's base units,
 * exactly. Lines of a group come in the order of their event salts, so in random order, whatever order the claims have.
 * @throws BATCH_EMPTY, BATCH_TOO_LARGE, BATCH_TERMS_INVALID, PAYEE_KEY_MISSING, KEY_INVALID, CURRENCY_MISMATCH,
 * AMOUNT_TOO_PRECISE, IDENTIFIER_INVALID, PATIENT_SIGNER_MISSING, PATIENT_KEY_REUSED, and what {@link requireBalanced}
 * throws
 */
export async function buildClaimBatch(input: ClaimBatchInput): Promise<BuiltClaimBatch> {
  const random = input.random ?? systemRandom;
  requireOneCurrency(input.claims);
  requireDistinct(input.claims);
  const signersOf = patientSignersOf(input.claims, input.patientKeys);
  const { drafts, unfunded } = groupByPayee(input.claims, input.token);
  const groups = drafts.map(({ payee, entries }) => ({
    payee,
    lineCount: entries.length,
    subtotal: entries.reduce((sum, { amount }) => sum + amount, 0n),
  }));
  requireWithinLimits(groups);
  const keys = keysOf(input.payeeKeys, groups);
  requirePatients(input.rulebook, drafts, groups, signersOf);

  const salt = input.salt ?? BigInt(hexlify(random(8)));
  const parts = commit(drafts, signersOf, random);
  const terms: ClaimBatchTerms = {
    payer: requireAddress(input.payer, "payer"),
    token: requireAddress(input.token.address, "token.address"),
    total: groups.reduce((sum, { subtotal }) => sum + subtotal, 0n),
    groupsHash: groupsHashOf(groups),
    manifestRoot: parts.manifestRoot,
    rulebook: rulebookIdOf(input.rulebook),
    eventBy: secondsOf(input.eventBy),
    salt: requireSalt(salt),
  };

  const chainId = requireChainId(input.chainId);
  const escrow = requireAddress(input.escrow, "escrow");
  const batchId = batchIdOf(terms, { chainId, escrow });
  const token = { address: terms.token, symbol: input.token.symbol, decimals: input.token.decimals };
  const publicPart: PublicPartJson = {
    chainId,
    escrow,
    batchId,
    terms: { ...terms, total: terms.total.toString(), salt: terms.salt.toString() },
    groups: groups.map((group) => ({ ...group, subtotal: group.subtotal.toString() })),
    token,
    rulebook: rulebookToJson(input.rulebook),
  };
  const whole = parts.list.map((part, i): ClaimBatchPart => ({
    carepact: "claim-batch-part",
    version: 1,
    chainId,
    escrow,
    batchId,
    hpkeKeyVersion: (keys[i] as PayeeKey).version,
    token: { ...token },
    ...part,
  }));
  // Read once more as its payees will, so that nothing is funded that they could not read.
  verifyPublicPart(publicPart);
  const record = readDocument(
    { carepact: "claim-batch-record", version: 1, ...publicPart, parts: whole },
    "claim-batch-record",
  );
  return { batchId, terms, groups, file: await sealRecord(record, keys), record, unfunded };
}

/** The file of a record, with each part sealed to its payee's key. */
async function sealRecord(record: ClaimBatchRecord, keys: readonly PayeeKey[]): Promise<ClaimBatchFile> {
  const { parts, ...publicPart } = record;
  const sealed = await Promise.all(
    parts.map((part, i) => {
      const { publicKey, version } = keys[i] as PayeeKey;
      return sealPart({ ...part, hpkeKeyVersion: version }, publicKey);
    }),
  );
  return readDocument({ ...publicPart, carepact: "claim-batch", sealed }, "claim-batch");
}

/**
 * Makes a batch's file once more from the payer's record, sealed to other keys: for a payee that lost its key, or the
 * file itself.
 * @param payeeKeys Keys by payee address.
 * @throws what `openClaimBatchRecord` throws, PAYEE_KEY_MISSING, KEY_INVALID
 */
export async function sealClaimBatchRecord(
  record: ClaimBatchRecord,
  payeeKeys: Readonly<Record<string, PayeeKey>>,
): Promise<ClaimBatchFile> {
  const { groups } = openClaimBatchRecord(record);
  return sealRecord(record, keysOf(payeeKeys, groups));
}

function requireOneCurrency(claims: readonly AdjudicatedClaim[]): void {
  const [first] = claims;
  for (const { claimId, currency } of claims)
    if (currency.code !== first?.currency.code || currency.decimals !== first.currency.decimals)
      throw new CarepactError(
        "CURRENCY_MISMATCH",
        `Claim ${claimId} is in ${currency.code}, the first one in ${first?.currency.code}: a batch has one currency.`,
        { claimId, currency: currency.code },
      );
}

function requireDistinct(claims: readonly AdjudicatedClaim[]): void {
  const seen = new Map<string, string>();
  for (const claim of claims) {
    requireBalanced(claim);
    for (const { event, lineNumber } of claim.lines) {
      const key = eventKeyOf(event);
      const earlier = seen.get(key);
      if (earlier !== undefined)
        throw new CarepactError(
          "CLAIM_DUPLICATE_LINE",
          `Line ${lineNumber} of claim ${claim.claimId} bills the event that claim ${earlier} bills already.`,
          { claimId: claim.claimId, lineNumber, earlier },
        );
      seen.set(key, claim.claimId);
    }
  }
}

function groupByPayee(
  claims: readonly AdjudicatedClaim[],
  token: Token,
): { drafts: DraftGroup[]; unfunded: BuiltClaimBatch["unfunded"] } {
  const { decimals } = token;
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 36)
    throw new CarepactError("BATCH_TERMS_INVALID", "A token has 0 to 36 decimals.", {
      path: "token.decimals",
      decimals,
    });
  const byPayee = new Map<string, Entry[]>();
  const unfunded: BuiltClaimBatch["unfunded"] = [];
  for (const claim of claims)
    for (const line of claim.lines) {
      const path = `claim ${claim.claimId}, line ${line.lineNumber}`;
      const amount = rescaleAmount(line.planPays, claim.currency, token, path);
      if (amount === 0n) {
        unfunded.push({ claimId: claim.claimId, lineNumber: line.lineNumber });
        continue;
      }
      const payee = getAddress(claim.payee);
      const entries = byPayee.get(payee) ?? [];
      entries.push({ claim, line, amount });
      byPayee.set(payee, entries);
    }
  if (byPayee.size === 0)
    throw new CarepactError("BATCH_EMPTY", "The payer pays nothing for any of these lines.", { unfunded });
  const drafts = [...byPayee].map(([payee, entries]) => ({ payee, entries }));
  return { drafts: drafts.sort((a, b) => (BigInt(a.payee) < BigInt(b.payee) ? -1 : 1)), unfunded };
}

/** Refuses lines that could never be paid: the rulebook asks for their patients, and no key of these is known. */
function requirePatients(
  rulebook: Rulebook,
  drafts: readonly DraftGroup[],
  groups: readonly Group[],
  signersOf: ReadonlyMap<AdjudicatedLine, string[]>,
): void {
  drafts.forEach(({ entries }, i) => {
    if (!asksPatientsOf(rulebook, groups[i] as Group)) return;
    for (const { claim, line } of entries)
      if (!signersOf.has(line))
        throw patientSignerMissing(`patientKeys of claim ${claim.claimId}, line ${line.lineNumber}`);
  });
}

/** Documents share nothing with the caller or each other, so that changing one changes no other. */
const copyOf = <Value>(value: Value): Value => toPlainJson(value) as Value;

type PartBody = Pick<
  ClaimBatchPart,
  "payee" | "group" | "firstLine" | "linesSalt" | "amounts" | "linesProof" | "claims" | "lines"
>;

/** Draws the salts, makes the trees, and writes each payee's part with its proofs. */
function commit(
  drafts: readonly DraftGroup[],
  signersOf: ReadonlyMap<AdjudicatedLine, string[]>,
  random: RandomSource,
): { manifestRoot: string; list: PartBody[] } {
  const salted = drafts.map((draft, group) => ({
    ...draft,
    group,
    firstLine: drafts.slice(0, group).reduce((sum, { entries }) => sum + entries.length, 0),
    linesSalt: randomSalt(random),
    entries: draft.entries
      .map((entry) => ({
        ...entry,
        resource: toPlainJson(entry.claim.resource, `claim ${entry.claim.claimId}`),
        event: copyOf(entry.line.event),
        detail: copyOf(detailOf(entry.claim, entry.line)),
        eventSalt: randomSalt(random),
        contentSalt: randomSalt(random),
        detailSalt: randomSalt(random),
      }))
      // A payer's own order is often that of its patients: the place of a line would lead from one month to the next.
      .sort((a, b) => (a.eventSalt < b.eventSalt ? -1 : 1)),
  }));

  const linesTree = linesTreeOf(
    salted.map(({ group, linesSalt, entries }) => ({
      group,
      salt: linesSalt,
      amounts: entries.map(({ amount }) => amount),
    })),
  );
  const detailsTree = detailsTreeOf(
    salted.flatMap(({ payee, firstLine, entries }) =>
      entries.map((entry, i) => ({
        line: firstLine + i,
        payee,
        amount: entry.amount,
        eventKey: saltedEventKeyOf(entry.eventSalt, entry.event),
        contentHash: saltedHashOf(entry.contentSalt, entry.resource),
        detailHash: saltedHashOf(entry.detailSalt, entry.detail),
      })),
    ),
  );

  const patients = commitPatients(
    salted.flatMap(({ entries }) => entries.map(({ line }) => signersOf.get(line))),
    { details: detailsTree.root, lines: linesTree.root },
    random,
  );

  const list = salted.map(({ payee, group, firstLine, linesSalt, entries }): PartBody => {
    const claims = [...new Set(entries.map(({ claim }) => claim))];
    return {
      payee,
      group,
      firstLine,
      linesSalt,
      amounts: entries.map(({ amount }) => amount.toString()),
      linesProof: [...linesTree.prove([group]), patients.right],
      claims: claims.map((claim) => ({ claimId: claim.claimId, resource: toPlainJson(claim.resource) })),
      lines: entries.map(({ claim, event, detail, eventSalt, contentSalt, detailSalt }, i) => ({
        claim: claims.indexOf(claim),
        event,
        detail,
        eventSalt,
        contentSalt,
        detailSalt,
        proof: [...detailsTree.prove([firstLine + i]), ...patients.besideDetails, linesTree.root],
        ...patients.patientOf(firstLine + i),
      })),
    };
  });
  return { manifestRoot: manifestRootOf(linesTree.root, patients.right), list };
}

function keysOf(payeeKeys: Readonly<Record<string, PayeeKey>>, groups: readonly Group[]): PayeeKey[] {
  const keys = new Map(
    Object.entries(payeeKeys).map(([payee, key]) => [requireAddress(payee, "payeeKeys"), key] as const),
  );
  return groups.map(({ payee }) => {
    const key = keys.get(payee);
    if (key === undefined)
      throw new CarepactError(
        "PAYEE_KEY_MISSING",
        `No encryption key is known for ${payee}: it has to publish one in the registry first.`,
        { payee },
      );
    return key;
  });
}

const invalidTerm = (path: string, problem: string): CarepactError =>
  new CarepactError("BATCH_TERMS_INVALID", `${path} ${problem}.`, { path });

function secondsOf(eventBy: Date | number): number {
  const seconds = typeof eventBy === "number" ? eventBy : Math.floor(eventBy.getTime() / 1000);
  if (!Number.isInteger(seconds) || seconds <= 0 || seconds >= 2 ** 40)
    throw invalidTerm("eventBy", "is a date, or unix seconds in 40 bits");
  return seconds;
}

function requireSalt(salt: bigint): bigint {
  if (salt < 0n || salt >> 64n !== 0n) throw invalidTerm("salt", "is below 2^64");
  return salt;
}

function requireChainId(chainId: number): number {
  if (!Number.isSafeInteger(chainId) || chainId < 1) throw invalidTerm("chainId", "is a whole number from 1");
  return chainId;
}
