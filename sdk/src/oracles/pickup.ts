import { attestationMessageOf, type Attestation } from "../claims/attestation";
import type { OpenedGroup, OpenedLine } from "../claims/file";
import { verifyPatientKey } from "../claims/file/patientKeys";
import { decodeResults, lineResultsOf, type GroupShape, type LineResult } from "../claims/results";
import {
  batchIdOf,
  groupsHashOf,
  type AttestationStatement,
  type ClaimBatchTerms,
  type EscrowRef,
  type Group,
} from "../claims/types";
import { CarepactError } from "../errors";
import type { Token } from "../money";
import type { PatientSigner } from "../signers/types";

import { answerOfText, requestOfUrl, textOfAnswer, urlOfRequest } from "./pickupText";

/** One line that a patient is asked about: how its own key is committed for it. */
export interface PickupLine {
  /** Index of the line in the batch. */
  line: number;
  /** Of the key's leaf, 32 bytes. */
  salt: string;
  /** From the key's leaf to the root over patients' keys. */
  path: string[];
}

/**
 * What a patient, or a representative, is asked to say yes to: that the lines named happened as `statement` says. Everything
 * in it can be checked against the batch's id but `symbol` and `decimals`. It holds no health data, and no key.
 */
export interface PickupRequest extends EscrowRef {
  chainId: number;
  terms: ClaimBatchTerms;
  groups: Group[];
  /** For showing amounts, by the word of whoever asks. */
  token: Pick<Token, "symbol" | "decimals">;
  /** What is to be signed. */
  statement: AttestationStatement;
  /** Root over line details, then root over line amounts: where each line's proof ends. */
  roots: [details: string, lines: string];
  /** All lines that the statement says anything of. */
  lines: PickupLine[];
}

/** Why a request to confirm a pick-up is refused: `details.reason` of PICKUP_REQUEST_INVALID. */
export type PickupFault =
  | "malformed"
  | "tooLarge"
  | "otherEscrow"
  | "otherBatch"
  | "otherLines"
  | "otherKey"
  | "otherStatement"
  | "expired"
  | "future";

const refused = (reason: PickupFault, message: string): CarepactError =>
  new CarepactError("PICKUP_REQUEST_INVALID", message, { reason });

/** What a line's patient says yes to, in base units where the amount is known. */
export interface PickedUp {
  /** Index of the line in the batch. */
  line: number;
  payee: string;
  result: "met" | "partlyMet";
  /** What is paid: the amount of a partly met line, and of a met one if its group has no other. */
  amount?: bigint;
}

/**
 * Asks the patient about lines of an opened group.
 * @param statement What the pharmacy signed, or will sign: an attestation by which the lines of this patient, and no others,
 * are met or partly met. The patient signs the very same.
 * @param options.signer Whose yes is asked for: the first key of the lines unless given, which is the patient's own.
 * @throws PICKUP_REQUEST_INVALID, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function pickupRequest(
  group: OpenedGroup,
  statement: AttestationStatement,
  options: { signer?: string } = {},
): PickupRequest {
  const { chainId, escrow, terms, groups, firstLine } = group;
  const { batchId, results, observedAt, validUntil, evidence } = statement;
  const paid = requireOnlyPaid(groups, results);
  const opened = paid.map(({ line }) => group.lines[line - firstLine]);
  if (batchId !== group.batchId) throw refused("otherBatch", "The statement is about another batch.");
  if (!opened.every((line): line is OpenedLine => line !== undefined))
    throw refused("otherLines", "The statement pays for lines of another payee: ask about your own.");
  const signer = (options.signer ?? opened[0]?.patient?.signers[0]?.signer ?? "").toLowerCase();
  const keys = opened.map((line) => line.patient?.signers.find((key) => key.signer === signer));
  const proof = keys[0]?.proof ?? [];
  return {
    chainId,
    escrow,
    terms,
    groups,
    token: { symbol: group.token.symbol, decimals: group.token.decimals },
    statement: { batchId, results, observedAt, validUntil, evidence },
    roots: proof.slice(-2) as [string, string],
    lines: paid.map(({ line }, i) => {
      const key = keys[i];
      if (key === undefined)
        throw refused("otherKey", `Line ${line} has no such key: ask for the lines of one patient at a time.`);
      return { line, salt: key.salt, path: key.proof.slice(0, -2) };
    }),
  };
}

/**
 * The address to open on the patient's phone, for a QR code: the request stands behind the `#`, which browsers send to no server.
 * @param page Address of the pick-up page, by https (or on this machine), without a `#`
 * @throws PICKUP_REQUEST_INVALID where it does not fit one QR code: ask about fewer lines at once. INPUT_INVALID
 */
export const pickupUrl = (request: PickupRequest, page: string): string => urlOfRequest(request, page);

/**
 * Reads what a terminal shows, and checks all of it that does not take a key: it may come from anybody.
 * @throws PICKUP_REQUEST_INVALID, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function readPickupRequest(url: string): PickupRequest {
  const request = requestOfUrl(url);
  pickedUpIn(request);
  return request;
}

/**
 * What the one who signs a request says yes to: all that its statement says of any line.
 * @throws PICKUP_REQUEST_INVALID where the batch is another, or the statement says more than of the lines that are named
 */
export function pickedUpIn({ chainId, escrow, terms, groups, statement, lines }: PickupRequest): PickedUp[] {
  const total = groups.reduce((sum, { subtotal }) => sum + subtotal, 0n);
  const whole = { ...terms, total, groupsHash: groupsHashOf(groups) };
  if (batchIdOf(whole, { chainId, escrow }) !== statement.batchId)
    throw refused("otherBatch", "The request was changed: its terms are not those of the batch.");
  const paid = requireOnlyPaid(groups, statement.results);
  if (paid.length !== lines.length || paid.some(({ line }, i) => lines[i]?.line !== line))
    throw refused("otherLines", "The statement is about other lines than the request names.");
  return paid;
}

/** Whether a request is for this signer: the batch commits to it for every line that the request names. */
export function isPickupFor({ terms, roots, lines }: PickupRequest, signer: string): boolean {
  return lines.every(({ line, salt, path }) =>
    verifyPatientKey(terms.manifestRoot, line, { signer, salt, proof: [...path, ...roots] }),
  );
}

/** How a request is checked before it is signed. */
export interface ConfirmOptions {
  /** The escrow that the page is for; any other is refused. */
  escrow: EscrowRef;
  /** Unix seconds; this device's clock unless given. */
  now?: number;
}

/** How far clocks may be apart, in seconds. */
const CLOCKS_APART = 10 * 60;

/**
 * Checks a request for the one who holds this key, and gives what to show before asking for a yes: all that the statement
 * says of any line.
 * @param signer ERC-7913 signer of the key, in hex
 * @throws PICKUP_REQUEST_INVALID
 */
export function checkPickup(request: PickupRequest, signer: string, options: ConfirmOptions): PickedUp[] {
  const { chainId, escrow, statement } = request;
  if (BigInt(chainId) !== BigInt(options.escrow.chainId) || !same(escrow, options.escrow.escrow))
    throw refused("otherEscrow", "The request is for another chain or escrow than this page.");
  const pickedUp = pickedUpIn(request);
  if (!isPickupFor(request, signer))
    throw refused("otherKey", "The request is for another key, or for other lines than those of this key.");
  const now = options.now ?? Math.floor(Date.now() / 1000);
  if (now > statement.validUntil) throw refused("expired", "The request is too old: ask for a new one.");
  if (statement.observedAt > now + CLOCKS_APART)
    throw refused("future", "The request is about a moment that is still to come: look at both clocks.");
  return pickedUp;
}

/**
 * Says yes: signs the request's statement with the patient's one-time key, or a representative's. Call it only after whoever
 * holds the key saw what {@link checkPickup} gave, and agreed. What is signed is made from the statement here, never taken
 * as a digest.
 * @returns An attestation for `settle`, beside the pharmacy's.
 * @throws PICKUP_REQUEST_INVALID, and what the signer throws
 */
export async function confirmPickup(
  request: PickupRequest,
  signer: PatientSigner,
  options: ConfirmOptions,
): Promise<Attestation> {
  checkPickup(request, signer.signer, options);
  const signature = await signer.sign(attestationMessageOf(request.statement, request));
  return answered(request, signer.signer, signature);
}

/** An attestation that shows whose patient its signer is, so that whoever has it can settle by it. */
const answered = ({ statement, roots, lines }: PickupRequest, signer: string, signature: string): Attestation => ({
  ...statement,
  signer,
  signature,
  patient: lines.map(({ line, salt, path }) => ({ line, salt, proof: [...path, ...roots] })),
});

/** The yes as text, for a QR code that the phone shows to the terminal. It holds the key, the signature, and what it is over. */
export const pickupAnswer = (request: PickupRequest, { signer, signature }: Attestation): string =>
  textOfAnswer(request, signer, signature);

/**
 * The yes that a phone gave to a request, as an attestation for `settle`. Whether the signature is good is looked at there.
 * @throws PICKUP_REQUEST_INVALID where it is none, or of another request or key
 */
export function readPickupAnswer(text: string, request: PickupRequest): Attestation {
  const { isSame, signer, signature } = answerOfText(text, request);
  if (!isSame) throw refused("otherStatement", "The answer is to another request.");
  if (!isPickupFor(request, signer))
    throw refused("otherKey", "The answer is from another key than the one asked for.");
  return answered(request, signer, signature);
}

const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

/** The lines that results pay for, if they say nothing of any other. */
function requireOnlyPaid(groups: readonly Group[], results: string): PickedUp[] {
  const shapes = groups.map(({ lineCount, subtotal }): GroupShape => ({
    lineCount,
    ...(lineCount === 1 ? { amounts: [subtotal] } : {}),
  }));
  let first = 0;
  const said = decodeResults(results, shapes).flatMap((result, i) => {
    const { lineCount, payee } = groups[i] as Group;
    const lines = lineResultsOf(result, lineCount).map((one, j) =>
      pickedUpOf(one, first + j, payee, shapes[i]?.amounts),
    );
    first += lineCount;
    return lines.filter((line) => line !== undefined);
  });
  if (said.length === 0) throw refused("otherLines", "The statement pays for no line: there is nothing to confirm.");
  return said;
}

function pickedUpOf(
  one: LineResult,
  line: number,
  payee: string,
  amounts: readonly bigint[] | undefined,
): PickedUp | undefined {
  if (one.result === "pending") return undefined;
  if (one.result === "notMet")
    throw refused("otherLines", "The statement says of a line that it did not happen: no patient is asked about that.");
  const amount = one.result === "partlyMet" ? one.amount : amounts?.[0];
  return { line, payee, result: one.result, ...(amount === undefined ? {} : { amount }) };
}
