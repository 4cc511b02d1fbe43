import { concat, dataLength } from "ethers";

import { CarepactError } from "../../errors";
import type { Attestation } from "../attestation";
import { resultShapeOf } from "../file";
import { decodeResults, type GroupResult } from "../results";
import type { AttestationStatement } from "../types";

import { askedSignaturesOf, type AskedCondition } from "./asked";
import { packPatientSignature, packSignatures, type PlacedSignature } from "./signatureList";
import { readSigned, type KnownBatch, type Signed, type SignatureKnowledge } from "./signed";
import { isAccount } from "./verify";

/** An attestation as the escrow takes it. */
export interface CombinedAttestation extends AttestationStatement {
  signatures: string;
}

/** Signatures that one condition lacks. */
interface MissingSignatures {
  /** Index of the condition in the rulebook. */
  condition: number;
  required: number;
  given: number;
  /** Payees who did not sign, with their groups. */
  payees?: { group: number; payee: string }[];
  /** Indices in the batch of lines whose patients did not sign. */
  lines?: number[];
}

/** A statement, and who signed it. */
interface Agreement {
  statement: AttestationStatement;
  signers: Map<string, Signed>;
}

/** What of an agreement goes to the escrow, and what is lacking. */
interface Selection extends Agreement {
  chosen: (PlacedSignature & { signed: Signed })[];
  missing: MissingSignatures[];
}

/**
 * Puts together what attesters, payees and patients of a batch signed one by one: as many signatures over one statement as the
 * conditions of its rulebook ask for, in the form and order that the escrow wants. Of several statements on which enough
 * agree it takes the one that was observed last.
 * @param batch A batch whose lines are open gives the openings of patients' keys, where the attestations do not.
 * @param now Unix seconds, to refuse what has expired before it costs gas.
 * @param knowledge What is needed to check signatures of keys that are no accounts.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_EXPIRED, ATTESTATION_SIGNER_UNKNOWN, SIGNATURE_INVALID, RESULTS_MALFORMED,
 * ATTESTATION_TOO_FEW with `details.missing`: for each condition that lacks signatures its index, how many are required and given,
 * and which `payees` or `lines`
 */
export function combineAttestations(
  batch: KnownBatch,
  attestations: readonly Attestation[],
  now: number,
  knowledge: SignatureKnowledge = {},
): CombinedAttestation {
  const { batchId, rulebook } = batch;
  if (rulebook.attesterGroups.length === 0)
    throw new CarepactError(
      "ATTESTATION_TOO_FEW",
      "The rulebook names only a workflow: settle with what it reported.",
      {
        batchId,
        missing: [],
      },
    );
  const selections = agreementsOf(batch, attestations, knowledge).map((agreement) => select(batch, agreement));
  const complete = selections.filter(({ missing }) => missing.length === 0);
  if (complete.length === 0) throw tooFew(batch, selections, knowledge.suspended ?? []);
  const [latest] = complete
    .filter(({ statement }) => now <= statement.validUntil)
    .sort((a, b) => b.statement.observedAt - a.statement.observedAt);
  if (latest === undefined) {
    const validUntil = Math.max(...complete.map(({ statement }) => statement.validUntil));
    throw new CarepactError("ATTESTATION_EXPIRED", "The attestation is no longer valid: ask for a new one.", {
      batchId,
      validUntil,
      now,
    });
  }
  return { ...latest.statement, signatures: signaturesOf(batch, latest) };
}

/** The different statements, each with those who signed it. */
function agreementsOf(
  batch: KnownBatch,
  attestations: readonly Attestation[],
  knowledge: SignatureKnowledge,
): Agreement[] {
  const suspended = new Set((knowledge.suspended ?? []).map((signer) => signer.toLowerCase()));
  const agreements = new Map<string, Agreement>();
  for (const attestation of attestations) {
    const signed = readSigned(batch, attestation, knowledge);
    const { results, evidence } = attestation;
    const [observedAt, validUntil] = [Number(attestation.observedAt), Number(attestation.validUntil)];
    const key = [results.toLowerCase(), observedAt, validUntil, evidence.toLowerCase()].join();
    const agreement = agreements.get(key) ?? {
      statement: { batchId: batch.batchId, results, observedAt, validUntil, evidence },
      signers: new Map<string, Signed>(),
    };
    const before = agreement.signers.get(signed.signer)?.lines ?? [];
    if (!suspended.has(signed.signer))
      agreement.signers.set(signed.signer, { ...signed, lines: new Map([...before, ...signed.lines]) });
    agreements.set(key, agreement);
  }
  return [...agreements.values()];
}

/** Takes as many signatures as each condition asks for. */
function select(batch: KnownBatch, agreement: Agreement): Selection {
  const results = decodeResults(agreement.statement.results, resultShapeOf(batch));
  const parts = askedSignaturesOf(batch, results).map((asked) => selectFor(asked, agreement.signers));
  return {
    ...agreement,
    chosen: parts.flatMap(({ chosen }) => chosen),
    missing: parts.flatMap(({ missing }) => missing ?? []),
  };
}

function selectFor(
  { condition, required, attesters, payees, lines }: AskedCondition,
  signers: Agreement["signers"],
): { chosen: Selection["chosen"]; missing?: MissingSignatures } {
  const placed = (index: number, place: number, signed: Signed, signature = signed.signature) => [
    { attester: index, place, signature, signed },
  ];
  const of = (signer: string): Signed | undefined => signers.get(signer.toLowerCase());
  if (attesters !== undefined) {
    const signed = attesters.flatMap(({ index, signer }) => {
      const own = of(signer);
      return own === undefined ? [] : placed(index, 0, own);
    });
    // The cheapest to check on chain.
    const chosen = signed.sort((a, b) => costOf(a.signed) - costOf(b.signed)).slice(0, required);
    return chosen.length === required ? { chosen } : { chosen, missing: { condition, required, given: chosen.length } };
  }
  if (payees !== undefined) {
    const unsigned = payees.filter(({ payee }) => of(payee) === undefined);
    const chosen = payees.flatMap(({ index, group, payee }) => {
      const own = of(payee);
      return own === undefined ? [] : placed(index, group, own);
    });
    const names = unsigned.map(({ group, payee }) => ({ group, payee }));
    return missingOr({ condition, required, given: chosen.length, payees: names }, chosen, names.length);
  }
  const all = [...signers.values()].sort((a, b) => costOf(a) - costOf(b));
  const unsigned: number[] = [];
  const chosen = (lines ?? []).flatMap(({ index, line }) => {
    const own = all.find((signed) => signed.lines.has(line));
    if (own !== undefined) return placed(index, line, own, packPatientSignature(own.lines.get(line)!, own.signature));
    unsigned.push(line);
    return [];
  });
  return missingOr({ condition, required, given: chosen.length, lines: unsigned }, chosen, unsigned.length);
}

const missingOr = (missing: MissingSignatures, chosen: Selection["chosen"], count: number) =>
  count === 0 ? { chosen } : { chosen, missing };

/** Accounts are the cheapest, and of others whatever is shorter. */
const costOf = ({ ecdsa, signature }: Signed): number => (ecdsa ? 0 : dataLength(signature));

const ACCOUNT_SIGNATURE_BYTES = 65;
/** What the escrow takes for the threshold of a rulebook that is not simple. */
const NO_THRESHOLD = 255;

/** The signatures in the first or second form of `Attestation` (ClaimTypes.sol). */
function signaturesOf({ rulebook }: KnownBatch, { chosen }: Selection): string {
  const [first, ...others] = rulebook.attesterGroups;
  const isSimple = first !== undefined && others.length === 0 && first.above === 0n && first.attesters.every(isAccount);
  if (isSimple && chosen.every(({ signed }) => signed.ecdsa)) {
    const ascending = [...chosen].sort((a, b) => (BigInt(a.signed.signer) < BigInt(b.signed.signer) ? -1 : 1));
    return concat(ascending.map(({ signature }) => signature));
  }
  const packed = packSignatures(chosen);
  const accountForm = (isSimple ? first.threshold : NO_THRESHOLD) * ACCOUNT_SIGNATURE_BYTES;
  // Of this length they would be read as accounts' signatures; what follows the last one is not read.
  return dataLength(packed) === accountForm ? concat([packed, "0x00"]) : packed;
}

/** Says who did not sign the statement that lacks the fewest signatures. */
function tooFew(batch: KnownBatch, selections: Selection[], suspended: readonly string[]): CarepactError {
  const lacking = ({ missing }: Selection): number =>
    missing.reduce((sum, { required, given }) => sum + required - given, 0);
  const [best] = [...selections].sort((a, b) => lacking(a) - lacking(b));
  const allMet = batch.groups.map((): GroupResult => ({ result: "met" }));
  const missing =
    best?.missing ?? askedSignaturesOf(batch, allMet).flatMap((asked) => selectFor(asked, new Map()).missing ?? []);
  const [worst] = missing as [MissingSignatures];
  return new CarepactError("ATTESTATION_TOO_FEW", messageOf(worst), {
    batchId: batch.batchId,
    required: worst.required,
    given: worst.given,
    statements: selections.length,
    missing,
    ...(suspended.length === 0 ? {} : { suspended: [...suspended] }),
  });
}

function messageOf({ required, given, payees, lines }: MissingSignatures): string {
  const list = (numbers: readonly number[]): string => numbers.join(", ");
  if (payees !== undefined)
    return `The rulebook asks for the payees themselves: those of group ${list(payees.map(({ group }) => group))} did not sign.`;
  if (lines !== undefined)
    return `The rulebook asks for the patients' yes: those of line ${list(lines)} of the batch did not sign.`;
  return `The rulebook asks for ${required} attesters of one statement; ${given} signed the same.`;
}
