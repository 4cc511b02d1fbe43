import { saltedHashOf } from "../../encryption";
import { CarepactError, type Json } from "../../errors";
import { rescaleAmount } from "../../money";
import { requireLineBalanced } from "../input/adjudicated";
import { eventKeyOf, saltedEventKeyOf, type EventIdentity } from "../input/event";
import { verifyDetail, verifyLines } from "../manifestTree";
import type { GroupShape } from "../results";
import {
  linesLeafOf,
  manifestLeafHashOf,
  requireAddress,
  type Group,
  type GroupLines,
  type ManifestLeaf,
  type OpenedLines,
} from "../types";

import { detailFromJson, type LineDetail } from "./detail";
import {
  readDocument,
  type ClaimBatchFile,
  type ClaimBatchPart,
  type ClaimBatchRecord,
  type PartLineJson,
} from "./document";
import { asksPatientsOf, patientSignerMissing, verifyPatientKey, type PatientKey } from "./patientKeys";
import { tampered, verifyPublicPart, type PublicPart } from "./publicPart";
import { openPart } from "./sealing";
import { openGroups, openOneGroup } from "./trees";

/** A line of an opened group: checked against the batch's manifest. */
export interface OpenedLine {
  /** Index of the line in its group. */
  index: number;
  /** In base units of the batch's token. */
  amount: bigint;
  event: EventIdentity;
  detail: LineDetail;
  /** The claim as it came in. */
  resource: Json;
  leaf: ManifestLeaf;
  /** Proof of the leaf against `manifestRoot`. */
  proof: string[];
  /** Keys of which one says yes for the patient; absent where the batch commits to none that is told here. */
  patient?: { signers: PatientKey[] };
  salts: { event: string; content: string; detail: string };
}

/** One payee's group with all of its lines. */
export interface OpenedGroup extends PublicPart {
  payee: string;
  /** Index of the group in the batch. */
  group: number;
  /** Global index of the group's first line. */
  firstLine: number;
  /** Its line amounts, which settling or reversing by line opens. */
  groupLines: GroupLines;
  /** Proof of the line amounts against `manifestRoot`. */
  linesProof: string[];
  lines: OpenedLine[];
}

/** A payer's record with every group open. */
export interface OpenedRecord extends PublicPart {
  opened: OpenedGroup[];
}

/**
 * Checks a claim batch file's public part: id, groups, sums, token and rulebook fit each other. Says nothing about the
 * chain.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED, FILE_TAMPERED, GROUPS_INVALID,
 * GROUPS_DO_NOT_SUM, BATCH_TOO_LARGE, BATCH_TERMS_INVALID
 */
export function verifyClaimBatchFile(file: ClaimBatchFile): PublicPart {
  const document = readDocument(file, "claim-batch");
  const batch = verifyPublicPart(document);
  const missing = new Set(batch.groups.map(({ payee }) => payee));
  document.sealed.forEach(({ payee }, i) => {
    if (!missing.delete(payee)) throw tampered(`$.sealed[${i}].payee`, "has no group, or a part already");
  });
  return batch;
}

/**
 * Opens a payee's part of a claim batch file and checks all of it: the public part, the amounts against `manifestRoot`
 * and subtotal, every line against `manifestRoot`, and every amount against the decision it comes from. Parts sealed
 * for other payees are not looked at.
 * @throws what {@link verifyClaimBatchFile} throws, FILE_NOT_FOR_PAYEE, KEY_INVALID, SEALED_UNREADABLE,
 * CLAIM_DOES_NOT_BALANCE, CLAIM_DUPLICATE_LINE. `details.path` names what was tampered with.
 */
export async function openClaimBatchFile(
  file: ClaimBatchFile,
  reader: { payee: string; privateKey: string },
): Promise<OpenedGroup> {
  const { batch, payee, part } = await unsealPart(file, reader);
  return openGroup(batch, payee, part);
}

/**
 * A payee's part of a claim batch file in the clear, checked as {@link openClaimBatchFile} checks it. This is what an
 * attester is shown (`openClaimBatchPart`); it holds health data.
 * @throws as {@link openClaimBatchFile}
 */
export async function unsealClaimBatchPart(
  file: ClaimBatchFile,
  reader: { payee: string; privateKey: string },
): Promise<ClaimBatchPart> {
  const { batch, payee, part } = await unsealPart(file, reader);
  openGroup(batch, payee, part);
  return part;
}

/**
 * Opens a payee's part that is in the clear already, as an attester gets it, and checks all that
 * {@link openClaimBatchFile} checks. The file's own sealed parts are not looked at.
 * @throws as {@link openClaimBatchFile}, without those of sealing
 */
export function openClaimBatchPart(file: ClaimBatchFile, part: ClaimBatchPart): OpenedGroup {
  const batch = verifyClaimBatchFile(file);
  const document = readDocument(part, "claim-batch-part");
  if (!batch.groups.some(({ payee }) => payee === document.payee))
    throw new CarepactError("FILE_NOT_FOR_PAYEE", `The batch has no group of ${document.payee}.`, {
      payee: document.payee,
    });
  return openGroup(batch, document.payee, document);
}

/**
 * Opens a payer's own record and checks all of it, as {@link openClaimBatchFile} does for one payee.
 * @throws as {@link openClaimBatchFile}, without those of sealing
 */
export function openClaimBatchRecord(record: ClaimBatchRecord): OpenedRecord {
  const document = readDocument(record, "claim-batch-record");
  const batch = verifyPublicPart(document);
  if (document.parts.length !== batch.groups.length)
    throw tampered("$.parts", "are not as many as the groups", { groups: batch.groups.length });
  const opened = document.parts.map((part, i) => openGroup(batch, (batch.groups[i] as Group).payee, part));
  return { ...batch, opened };
}

/**
 * What settling by line hands to the escrow: the line amounts of `groups` (indices; all that are open unless said
 * otherwise), with their proof. A payee opens its own group alone, a payer's record any.
 * @throws GROUPS_INVALID when asked for a group that is not open
 */
export function openedLinesOf(source: OpenedGroup | OpenedRecord, groups?: readonly number[]): OpenedLines {
  const known = "opened" in source ? source.opened : [source];
  const indices = [...new Set(groups ?? known.map(({ group }) => group))].sort((a, b) => a - b);
  const missing = indices.filter((index) => !known.some(({ group }) => group === index));
  if (missing.length > 0)
    throw new CarepactError("GROUPS_INVALID", `The line amounts of group ${missing.join(", ")} are not known here.`, {
      missing,
    });
  if (!("opened" in source)) {
    return indices.length === 0 ? openGroups([], "", []) : openOneGroup(source.groupLines, source.linesProof);
  }
  return openGroups(
    known.map(({ groupLines }) => groupLines),
    // The right side of the manifest, which every group's own proof ends in.
    known[0]?.linesProof.at(-1) as string,
    indices,
  );
}

/**
 * The shape attested results have to fit, with the amounts that are known: those of opened groups, and of groups of
 * one.
 */
export function resultShapeOf(batch: PublicPart, opened: readonly OpenedGroup[] = []): GroupShape[] {
  const amounts = new Map(opened.map((group) => [group.group, group.groupLines.amounts]));
  return batch.groups.map(({ lineCount, subtotal }, i) => {
    const known = amounts.get(i) ?? (lineCount === 1 ? [subtotal] : undefined);
    return { lineCount, ...(known === undefined ? {} : { amounts: known }) };
  });
}

/** The same file with only one payee's sealed part, so that others' are not sent around. @throws FILE_NOT_FOR_PAYEE */
export function fileForPayee(file: ClaimBatchFile, payee: string): ClaimBatchFile {
  const address = requireAddress(payee, "payee");
  const sealed = file.sealed.filter((part) => part.payee === address);
  if (sealed.length === 0)
    throw new CarepactError("FILE_NOT_FOR_PAYEE", `The file holds no part for ${address}.`, { payee: address });
  return { ...file, sealed };
}

async function unsealPart(
  file: ClaimBatchFile,
  reader: { payee: string; privateKey: string },
): Promise<{ batch: PublicPart; payee: string; part: ClaimBatchPart }> {
  const batch = verifyClaimBatchFile(file);
  const payee = requireAddress(reader.payee, "payee");
  const index = file.sealed.findIndex((sealed) => sealed.payee === payee);
  const sealed = file.sealed[index];
  if (sealed === undefined)
    throw new CarepactError("FILE_NOT_FOR_PAYEE", `The file holds no part for ${payee}.`, { payee });

  const path = `$.sealed[${index}]`;
  const part = await openPart(sealed, batch.batchId, reader.privateKey, path);
  if (part.hpkeKeyVersion !== sealed.hpkeKeyVersion)
    throw tampered(`${path}.hpkeKeyVersion`, "is not the version it was sealed under");
  return { batch, payee, part };
}

/** Checks a part against the public part of its batch. */
function openGroup(batch: PublicPart, payee: string, part: ClaimBatchPart): OpenedGroup {
  const group = batch.groups.findIndex((entry) => entry.payee === payee);
  const firstLine = batch.groups.slice(0, group).reduce((sum, entry) => sum + entry.lineCount, 0);
  requireSame(batch, part, { payee, group, firstLine });
  const groupLines = openAmounts(batch, group, part);
  const lines = part.lines.map((line, index) =>
    openLine(batch, part, line, index, groupLines.amounts[index] as bigint),
  );
  requireDistinctEvents(lines);
  const used = new Set(part.lines.map((line) => line.claim));
  if (used.size !== part.claims.length) throw tampered("part.claims", "hold a claim that no line is of");
  return { ...batch, payee, group, firstLine, groupLines, linesProof: part.linesProof, lines };
}

function requireSame(
  batch: PublicPart,
  part: ClaimBatchPart,
  place: { payee: string; group: number; firstLine: number },
): void {
  const { symbol, decimals } = batch.token;
  for (const [path, inFile, inPart] of [
    ["$.chainId", batch.chainId, part.chainId],
    ["$.escrow", batch.escrow, part.escrow],
    ["$.batchId", batch.batchId, part.batchId],
    ["$.token.address", batch.token.address, part.token.address],
    ["$.token.symbol", symbol, part.token.symbol],
    ["$.token.decimals", decimals, part.token.decimals],
    ["part.payee", place.payee, part.payee],
    ["part.group", place.group, part.group],
    ["part.firstLine", place.firstLine, part.firstLine],
  ] as const)
    if (inFile !== inPart) throw tampered(path, "differs between the file and the part");
}

function openAmounts(batch: PublicPart, group: number, part: ClaimBatchPart): GroupLines {
  const { lineCount, subtotal } = batch.groups[group] as Group;
  const amounts = part.amounts.map(BigInt);
  if (amounts.length !== lineCount || part.lines.length !== lineCount)
    throw tampered("part.lines", "are not as many as the group has", { lineCount });
  const sum = amounts.reduce((total, amount) => total + amount, 0n);
  if (sum !== subtotal)
    throw new CarepactError("GROUPS_DO_NOT_SUM", `The line amounts sum to ${sum}, the subtotal is ${subtotal}.`, {
      path: "part.amounts",
      sum,
      subtotal,
    });
  const groupLines = { group, salt: part.linesSalt, amounts };
  const placed = [{ position: group, leaf: linesLeafOf(groupLines) }];
  if (!verifyLines(batch.terms.manifestRoot, placed, batch.groups.length, part.linesProof))
    throw tampered("part.amounts", "are not those of the batch's manifest");
  return groupLines;
}

function openLine(
  batch: PublicPart,
  part: ClaimBatchPart,
  line: PartLineJson,
  index: number,
  amount: bigint,
): OpenedLine {
  const path = `part.lines[${index}]`;
  const claim = part.claims[line.claim];
  if (claim === undefined) throw tampered(`${path}.claim`, "names no claim of the part");
  const detail = detailFromJson(line.detail);
  if (claim.claimId !== detail.claimId) throw tampered(`${path}.claim`, "is not the claim of its detail");
  requireLineBalanced(detail, `${path}.detail`, detail.currency);
  if (rescaleAmount(detail.planPays, detail.currency, batch.token, `${path}.detail.planPays`) !== amount)
    throw tampered(`part.amounts[${index}]`, "is not what the payer decided to pay");

  const leaf: ManifestLeaf = {
    line: part.firstLine + index,
    payee: part.payee,
    amount,
    eventKey: saltedEventKeyOf(line.eventSalt, line.event),
    contentHash: saltedHashOf(line.contentSalt, claim.resource),
    detailHash: saltedHashOf(line.detailSalt, line.detail),
  };
  const placed = { position: leaf.line, leaf: manifestLeafHashOf(leaf) };
  if (!verifyDetail(batch.terms.manifestRoot, placed, lineCountOf(batch), line.proof))
    throw tampered(path, "is not in the batch's manifest: event, claim, detail, a salt or the proof is another");
  requirePatient(batch, leaf, line, path);
  return {
    index,
    amount,
    event: line.event,
    detail,
    resource: claim.resource,
    leaf,
    proof: line.proof,
    ...(line.patient === undefined ? {} : { patient: line.patient }),
    salts: { event: line.eventSalt, content: line.contentSalt, detail: line.detailSalt },
  };
}

/** Checks each key of a line's patient, and that there is one where nothing is paid without. */
function requirePatient(
  batch: PublicPart,
  { line, payee }: ManifestLeaf,
  { patient }: PartLineJson,
  path: string,
): void {
  const keys = patient?.signers ?? [];
  keys.forEach((key, i) => {
    if (!verifyPatientKey(batch.terms.manifestRoot, line, key))
      throw tampered(`${path}.patient.signers[${i}]`, "is not in the batch's manifest: key, salt or proof is another");
  });
  if (new Set(keys.map(({ signer }) => signer)).size !== keys.length)
    throw tampered(`${path}.patient.signers`, "hold a key twice");
  const group = batch.groups.find((entry) => entry.payee === payee) as Group;
  if (keys.length === 0 && asksPatientsOf(batch.rulebook, group)) throw patientSignerMissing(`${path}.patient`);
}

const lineCountOf = (batch: PublicPart): number => batch.groups.reduce((sum, { lineCount }) => sum + lineCount, 0);

function requireDistinctEvents(lines: readonly OpenedLine[]): void {
  const seen = new Map<string, number>();
  for (const { event, index } of lines) {
    const key = eventKeyOf(event);
    const earlier = seen.get(key);
    if (earlier !== undefined)
      throw new CarepactError("CLAIM_DUPLICATE_LINE", `Lines ${earlier} and ${index} are paid for the same event.`, {
        path: `part.lines[${index}].event`,
        earlier,
      });
    seen.set(key, index);
  }
}
