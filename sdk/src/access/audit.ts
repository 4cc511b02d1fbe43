import { getAddress, isHexString, type Provider } from "ethers";

import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { OrganizationRegistry__factory, type OrganizationRegistry } from "../generated";
import { organizationKinds } from "../organizations";

import { anchoredRootsOf, anchorersOf, momentOf, type AnchoredRoot } from "./anchors";
import { findingKinds, type Finding, type FindingKind, type FindingPlace } from "./findings";
import { entriesOf, messageOfHistory, readHistory, type AccessHistory, type HistoryTrail } from "./history";
import { receiptMessage, reviewMessage } from "./messages";
import { entryHashIn, isSigned, readReceipt, type AccessReceipt } from "./receipt";
import { isSignatureOf } from "./signatures";
import {
  compartments,
  entryHashOf,
  headAfter,
  linkOf,
  placeOf,
  recordLeafOf,
  trailLeafOf,
  trailOf,
  type Compartment,
} from "./trail";
import { rootFromLeaf } from "./tree";
import type { AccessEntry } from "./types";

/** What a history is audited against. */
export interface AuditOptions extends CallOptions {
  /** Patient id that it has to be about. */
  patient: string;
  /** Account of the gateway that it has to be of: who is between could bring another one's, which knows of nothing. */
  gateway?: string;
  /** For whom it has to be made; `patient` unless given. */
  view?: AccessHistory["view"];
  /** Numbers of roots that were asked for, see `HistoryViewer`: each has to be shown. */
  roots?: readonly number[];
  /** Receipts that the patient was given by who asked, by who released a key, or by a notice. */
  receipts?: readonly unknown[];
  /** Histories that the same gateway gave before. */
  earlier?: readonly unknown[];
  /** Most seconds between an entry's time and the root that covers it; a day unless given. */
  maxDelay?: number;
  /** Most seconds since the history was made; `maxDelay` unless given. `Infinity` for one from an archive. */
  maxAge?: number;
  /** Seconds within which an access in an emergency has to be reviewed; 72 hours unless given. */
  reviewWithin?: number;
}

/** What came of an audit. */
export interface AuditResult {
  /** Empty: the history contradicts nothing. */
  findings: Finding[];
  /** What it shows, in the order of time. */
  entries: AccessEntry[];
  /** Newest root under which it is proved; undefined without entries. */
  provedTo?: { sequence: number; at: number };
  /** Receipts for what is too new to be in the history for sure: audit a later one with them. */
  pending: AccessReceipt[];
}

const DAY = 86_400;
const REVIEW_WITHIN = 3 * DAY;
/** Seconds after the block whose time it has within which an entry is surely written: a history made later has it. */
const NOTING = 600;

/** A trail as the audit reads it. */
interface ReadTrail {
  compartment: Compartment;
  trail: string;
  /** Heads after so many entries. */
  heads: string[];
  entries: { entry: HistoryTrail["entries"][number]; entryHash: string; place: string }[];
  /** Whether numbers are 0, 1, 2 …: only then heads mean anything. */
  isWhole: boolean;
}

type Find = (kind: FindingKind, place: FindingPlace, message?: string) => void;

/**
 * Holds a history that a gateway gave against the chain, against itself, and against all that the patient has: receipts
 * and earlier histories. It throws only for what cannot be read, or read from the chain; all else is a finding.
 *
 * It cannot show an access that the gateway never noted, and for which nobody has a receipt.
 * @throws ACCESS_HISTORY_MALFORMED, ACCESS_RECEIPT_INVALID, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, INPUT_INVALID,
 * CHAIN_MISMATCH, NODE_INCONSISTENT, and what reading throws
 */
export function audit(connection: Connection, history: unknown, options: AuditOptions): Promise<AuditResult> {
  return reading(connection, (provider, signal) => auditOn(connection, provider, history, options, signal), options);
}

async function auditOn(
  connection: Connection,
  provider: Provider,
  value: unknown,
  options: AuditOptions,
  signal: AbortSignal,
): Promise<AuditResult> {
  const { maxDelay = DAY, maxAge = maxDelay, reviewWithin = REVIEW_WITHIN } = options;
  const history = readOwn(connection, value, options, options.gateway && requireAddress(options.gateway, "gateway"));
  const earlier = (options.earlier ?? []).map((one) => readOwn(connection, one, options, history.gateway));
  const receipts = (options.receipts ?? []).map(readReceipt);

  const findings: Finding[] = [];
  const find: Find = (kind, place, message = findingKinds[kind]) => findings.push({ kind, message, ...place });
  const { block, at: now } = await momentOf(provider);
  const anchored = await anchoredRootsOf(connection, provider, history.gateway, block, signal);

  if (!(await isSignatureOf(provider, history.gateway, messageOfHistory(history), history.signature)))
    find("wrongSignature", {}, "The history was not signed like this by its gateway.");
  const directory = OrganizationRegistry__factory.connect(deploymentOf(connection).organizationRegistry, provider);
  const [{ kinds }] = await directory.organizationOf(history.gateway, { blockTag: block });
  if ((Number(kinds) & organizationKinds.gateway) === 0)
    find("wrongSignature", {}, "The history is not of a registered gateway.");
  if (now - history.at > maxAge) find("outdated", {}, "The history is too old: ask for a new one.");
  // A time to come would put off whatever is due. Nodes may be some blocks apart.
  if (history.at > now + NOTING) find("outdated", {}, "The history claims a time to come: ask for another one.");
  const lateRoot = anchored.findLast(({ at }) => at <= history.at);

  const trails = readTrails(history, find);
  await checkSignatures(provider, history, trails, find);
  const proved = await checkRoots(connection, provider, history, trails, anchored, find, signal);
  checkTimes(trails, proved, anchored, { maxDelay, now, madeAt: history.at }, find);
  const newest = proved.at(-1);
  if (lateRoot !== undefined && newest !== undefined && newest.sequence < lateRoot.sequence)
    find("outdated", { sequence: newest.sequence + 1 });
  for (const sequence of options.roots ?? []) {
    const [oldest] = proved;
    const isDue = oldest !== undefined && sequence >= oldest.sequence && sequence <= (lateRoot?.sequence ?? 0);
    if (isDue && !proved.some((root) => root.sequence === sequence))
      find("outdated", { sequence }, "The history leaves out a root that was asked for.");
  }
  await checkReviews(directory, provider, history, trails, { now, reviewWithin }, find);
  const pending = await checkReceipts(provider, history, trails, receipts, find);
  await checkEarlier(provider, history, trails, earlier, find);
  return {
    findings,
    entries: entriesOf(history),
    ...(newest === undefined ? {} : { provedTo: { sequence: newest.sequence, at: newest.at } }),
    pending,
  };
}

/** A history that is of this deployment, gateway, patient and view. */
function readOwn(connection: Connection, value: unknown, options: AuditOptions, gateway?: string): AccessHistory {
  const { chainId, accessLog } = deploymentOf(connection);
  const { patient, view = "patient" } = options;
  if (!isHexString(patient, 32))
    throw new CarepactError("INPUT_INVALID", "A patient's id is 32 bytes in hex.", { path: "patient" });
  const history = readHistory(value);
  const must = (holds: boolean, path: string, problem: string): void => {
    if (!holds) throw new CarepactError("ACCESS_HISTORY_MALFORMED", `The history is ${problem}.`, { path });
  };
  must(history.chainId === chainId, "$.chainId", "of another chain");
  must(getAddress(history.accessLog) === getAddress(accessLog), "$.accessLog", "of another access log");
  must(history.patient === patient.toLowerCase(), "$.patient", "about another patient");
  must(history.view === view, "$.view", "made for somebody else");
  history.gateway = getAddress(history.gateway);
  must(gateway === undefined || history.gateway === gateway, "$.gateway", "of another gateway");
  return history;
}

function readTrails(history: AccessHistory, find: Find): ReadTrail[] {
  const { gateway, patient } = history;
  return compartments.flatMap((compartment): ReadTrail[] => {
    const shown = history.trails[compartment];
    if (shown === undefined) return [];
    const trail = trailOf({ gateway, patient, compartment, salt: shown.salt });
    const heads = [trail];
    let before = 0;
    let expected = 0;
    const missing = missingIn(shown.entries.map(({ number }) => number));
    const seen = new Set<number>();
    const entries = shown.entries.map((entry, i): ReadTrail["entries"][number] => {
      const { number, statement, salt, blind } = entry;
      const place = { compartment, number };
      if (statement.patient !== patient || statement.gateway !== gateway)
        find("altered", place, "An entry is about another patient, or by another gateway.");
      if (seen.has(number)) find("fork", place);
      else if (number > expected && missing(expected) !== undefined)
        find("gap", { compartment, number: missing(expected) });
      else if (number !== expected) find("reordered", place);
      seen.add(number);
      expected = number + 1;
      if (statement.at < before) find("reordered", place, "An entry is older than the one before it.");
      before = statement.at;
      const entryHash = entryHashOf(salt, statement);
      const previous = heads[i] as string;
      heads.push(headAfter(previous, linkOf(number, entryHash)));
      return { entry, entryHash, place: placeOf(trail, number, previous, blind) };
    });
    const isWhole = shown.entries.every(({ number }, i) => number === i);
    return [{ compartment, trail, heads, entries, isWhole }];
  });
}

/** Tells the first number from `least` on that is nowhere, of those below the last one. */
function missingIn(shown: readonly number[]): (least: number) => number | undefined {
  const numbers = new Set(shown);
  const last = shown.reduce((most, number) => Math.max(most, number), 0);
  // Walked through once, however often it is asked: numbers that are shown are looked at from their highest down.
  const after = new Map<number, number>();
  for (const number of [...numbers].sort((a, b) => b - a)) after.set(number, after.get(number + 1) ?? number + 1);
  return (least) => {
    const first = after.get(least) ?? least;
    return first < last ? first : undefined;
  };
}

async function checkSignatures(
  provider: Provider,
  history: AccessHistory,
  trails: readonly ReadTrail[],
  find: Find,
): Promise<void> {
  const { gateway } = history;
  for (const { compartment, entries, isWhole } of trails) {
    // Behind a gap every place is another one: what is missing was said already.
    if (!isWhole) continue;
    for (const { entry, entryHash, place } of entries) {
      const message = receiptMessage(history, { gateway, place, at: entry.statement.at, entryHash });
      if (!(await isSignatureOf(provider, gateway, message, entry.signature)))
        find("wrongSignature", { compartment, number: entry.number, entryHash });
    }
  }
}

/** Which entries each root covers, of those roots for which the proof holds. */
interface Proved extends AnchoredRoot {
  counts: Partial<Record<Compartment, number>>;
}

async function checkRoots(
  connection: Connection,
  provider: Provider,
  history: AccessHistory,
  trails: readonly ReadTrail[],
  anchored: readonly AnchoredRoot[],
  find: Find,
  signal: AbortSignal,
): Promise<Proved[]> {
  const proved: Proved[] = [];
  const unproved: { sequence: number; computed: string | undefined }[] = [];
  const last: Partial<Record<Compartment, number>> = {};
  if (!trails.every(({ isWhole }) => isWhole)) return proved;
  for (const root of [...history.roots].sort((a, b) => a.sequence - b.sequence)) {
    const { sequence } = root;
    const counts = trails.map(({ compartment }) => [compartment, root.trails[compartment]?.count ?? 0] as const);
    const missing = trails.find(({ compartment, entries }) => (root.trails[compartment]?.count ?? 0) > entries.length);
    if (missing !== undefined) {
      const { compartment, entries } = missing;
      find("removed", { compartment, number: entries.length, sequence }, "A root covers entries that are not there.");
      continue;
    }
    const [one, other = root.other] = trails.map(({ compartment, trail, heads }) => {
      const { count = 0, blind = "" } = root.trails[compartment] ?? {};
      return trailLeafOf({ trail, count, head: heads[count] as string }, blind);
    });
    const computed = rootFromLeaf(recordLeafOf(one as string, other as string), root);
    const onChain = anchored[sequence - 1];
    if (computed !== undefined && computed === onChain?.root) {
      if (counts.some(([compartment, count]) => count < (last[compartment] ?? 0)))
        find("fork", { sequence }, "A later root covers less than an earlier one.");
      Object.assign(last, Object.fromEntries(counts));
      proved.push({ ...onChain, counts: Object.fromEntries(counts) });
      continue;
    }
    unproved.push({ sequence, computed });
  }
  const computedRoots = new Set(unproved.flatMap(({ computed }) => computed ?? []));
  const anchorers = await anchorersOf(connection, provider, computedRoots, signal);
  for (const { sequence, computed = "" } of unproved) {
    const by = anchorers.get(computed);
    if (by !== undefined && getAddress(by) !== history.gateway) find("foreignRoot", { sequence });
    else if (anchored[sequence - 1] === undefined) find("notAnchored", { sequence });
    else find("altered", { sequence });
  }
  return proved;
}

function checkTimes(
  trails: readonly ReadTrail[],
  proved: readonly Proved[],
  anchored: readonly AnchoredRoot[],
  { maxDelay, now, madeAt }: { maxDelay: number; now: number; madeAt: number },
  find: Find,
): void {
  for (const { compartment, entries, isWhole } of trails) {
    if (!isWhole) continue;
    const covering = firstCovering(proved, compartment);
    for (const { entry, entryHash } of entries) {
      const { number, statement } = entry;
      const place = { compartment, number, entryHash };
      const first = covering[number];
      const missed = firstAfter(anchored, statement.at + maxDelay);
      if (first !== undefined && statement.at > first.at)
        find("backDated", place, "A root covers an entry that claims to be younger than the root.");
      else if (statement.at > madeAt + NOTING)
        find("backDated", place, "An entry claims to be younger than the history that shows it.");
      else if (missed !== undefined && (first === undefined || missed.sequence < first.sequence))
        find("backDated", { ...place, sequence: missed.sequence });
      else if ((first?.at ?? now) > statement.at + maxDelay) find("notAnchored", place);
    }
  }
}

/** For each entry of a trail the first root that covers it, as far as there is one. */
function firstCovering(proved: readonly Proved[], compartment: Compartment): Proved[] {
  const covering: Proved[] = [];
  for (const root of proved) while (covering.length < (root.counts[compartment] ?? 0)) covering.push(root);
  return covering;
}

/** The first of a gateway's roots that was anchored after a time. */
function firstAfter(anchored: readonly AnchoredRoot[], at: number): AnchoredRoot | undefined {
  let [low, high] = [0, anchored.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((anchored[middle] as AnchoredRoot).at > at) high = middle;
    else low = middle + 1;
  }
  return anchored[low];
}

async function checkReviews(
  directory: OrganizationRegistry,
  provider: Provider,
  history: AccessHistory,
  trails: readonly ReadTrail[],
  { now, reviewWithin }: { now: number; reviewWithin: number },
  find: Find,
): Promise<void> {
  const { gateway } = history;
  const known = new Map<string, boolean>();
  /** Whether somebody is in the directory, also if suspended since: anybody can make an account to review with. */
  const isRegistered = async (who: string): Promise<boolean> => {
    const isKnown = known.get(who) ?? Number((await directory.organizationOf(who))[1]) !== 0;
    known.set(who, isKnown);
    return isKnown;
  };
  for (const { compartment, entries } of trails) {
    const due = new Map<string, { number: number; at: number; who: string }>();
    for (const { entry, entryHash } of entries) {
      const { number, statement } = entry;
      const { at, who, basis, outcome, review } = statement;
      if (basis.kind === "breakGlass" && outcome.result === "allowed") due.set(entryHash, { number, at, who });
      if (review === undefined) continue;
      const access = due.get(review.of);
      const { of, justified, text } = review;
      if (
        !(await isSignatureOf(
          provider,
          who,
          reviewMessage(history, { gateway, of, justified, text }),
          review.signature,
        ))
      )
        find("wrongSignature", { compartment, number }, "A review was not signed by who is named as reviewer.");
      else if (!(await isRegistered(who)))
        find("unreviewed", { compartment, number }, "A review is by somebody who is no registered organization.");
      else if (access !== undefined && ![access.who, gateway].includes(who) && at <= access.at + reviewWithin)
        due.delete(of);
    }
    for (const [entryHash, { number, at }] of due)
      if (now > at + reviewWithin) find("unreviewed", { compartment, number, entryHash });
  }
}

async function checkReceipts(
  provider: Provider,
  history: AccessHistory,
  trails: readonly ReadTrail[],
  receipts: readonly AccessReceipt[],
  find: Find,
): Promise<AccessReceipt[]> {
  const pending: AccessReceipt[] = [];
  const shown = new Map(trails.flatMap(({ entries }) => entries.map((one) => [one.entryHash, one] as const)));
  const isWhole = trails.every((trail) => trail.isWhole);
  for (const receipt of receipts) {
    const { statement, place } = receipt;
    const isOfLog =
      receipt.chainId === history.chainId && getAddress(receipt.accessLog) === getAddress(history.accessLog);
    // Of others there is nothing to be found here.
    if (!isOfLog || statement.patient !== history.patient || statement.gateway !== history.gateway) continue;
    const entryHash = entryHashIn(receipt);
    if (!(await isSigned(provider, receipt))) {
      find("wrongSignature", { entryHash }, "A receipt was not signed by the gateway: it proves nothing.");
      continue;
    }
    const entry = shown.get(entryHash);
    if (entry !== undefined) {
      if (isWhole && entry.place !== place)
        find("fork", { number: entry.entry.number, entryHash }, "The gateway signed for the entry at another place.");
      continue;
    }
    if (statement.at + NOTING < history.at) find("removed", { entryHash });
    else pending.push(receipt);
  }
  return pending;
}

async function checkEarlier(
  provider: Provider,
  history: AccessHistory,
  trails: readonly ReadTrail[],
  earlier: readonly AccessHistory[],
  find: Find,
): Promise<void> {
  for (const old of earlier) {
    if (!(await isSignatureOf(provider, old.gateway, messageOfHistory(old), old.signature))) {
      find("wrongSignature", {}, "An earlier history was not signed by the gateway: it proves nothing.");
      continue;
    }
    // Of one that was made at the same time, or is the later one by mistake, the newest entries need not be there yet.
    const isDue = ({ entry }: ReadTrail["entries"][number]): boolean =>
      old.at < history.at || entry.statement.at + NOTING < history.at;
    for (const { compartment, trail, entries } of readTrails(old, () => undefined)) {
      const present = trails.find((one) => one.compartment === compartment);
      if (present === undefined) {
        if (entries.some(isDue)) find("removed", { compartment, number: 0 }, "A trail that there was is gone.");
        continue;
      }
      if (present.trail !== trail) {
        find("fork", { compartment }, "There are two trails of one patient and compartment.");
        continue;
      }
      const byNumber = new Map(present.entries.map((one) => [one.entry.number, one] as const));
      for (const one of entries) {
        const { entry, entryHash } = one;
        const { number } = entry;
        const same = byNumber.get(number);
        if (same === undefined && isDue(one)) find("removed", { compartment, number, entryHash });
        else if (same === undefined) continue;
        else if (same.entryHash !== entryHash) find("fork", { compartment, number, entryHash });
      }
    }
  }
}
