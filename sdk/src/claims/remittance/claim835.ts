import type { Currency } from "../../money";
import type { Adjustment835, Claim835, Procedure, Service835 } from "../../x12/types";
import type { Adjustment } from "../input";

import { batchReference } from "./adjustments";
import { keptClaimOf } from "./kept";
import { dayOf, procedureOf } from "./procedure";
import type { ClaimDescription, RemittedClaim, RemittedLine } from "./types";

/** Filing indicator (CLP06) "mutually defined", where nobody said which. */
const FILING = "ZZ";

/** A remitted claim as CLP and what follows it. */
export function claim835(claim: RemittedClaim, currency: Currency, said: ClaimDescription = {}): Claim835 {
  const kept = keptClaimOf(claim.lines, currency)?.claim;
  if (kept === undefined) return described(claim, plainClaim(claim, said.procedures), said);
  const sign = claim.status === "22" ? -1n : 1n;
  const signed = signedClaim(kept, sign);
  const same = isAsKept(claim, signed) ? signed : keptAsPaid(claim, signed);
  return described(claim, { ...same, claimId: claim.claimId, status: claim.status }, said);
}

function described(claim: RemittedClaim, made: Claim835, said: ClaimDescription): Claim835 {
  const [first] = claim.lines;
  const own = first?.source;
  return {
    ...made,
    filing: said.filing ?? made.filing ?? FILING,
    payerClaimId:
      said.payerClaimId ??
      made.payerClaimId ??
      (own === undefined ? claim.claimId : `${batchReference(own.batchId)}-${own.line}`),
    ...(said.facility === undefined ? {} : { facility: said.facility }),
    ...(said.frequency === undefined ? {} : { frequency: said.frequency }),
    parties: said.parties ?? made.parties,
    references: said.references ?? made.references,
    dates: said.dates ?? made.dates,
  };
}

/** A claim that did not come in as an 835. */
function plainClaim(claim: RemittedClaim, procedures: ClaimDescription["procedures"]): Claim835 {
  const { claimId, status, charge, paid, patientShare, lines } = claim;
  const services = lines.flatMap((line, i) => serviceOf(line, procedures?.[i] ?? procedureOf(line)) ?? []);
  // Either all lines are services or none is: the charges of services have to sum to the claim's.
  const byService = services.length === lines.length;
  return {
    claimId,
    status,
    charge,
    paid,
    // A reversal takes back what the patient owes by its adjustments.
    ...(patientShare > 0n ? { patientResponsibility: patientShare } : {}),
    adjustments: byService ? [] : merged(lines.flatMap(({ adjustments }) => adjustments)),
    parties: [],
    references: [],
    dates: [],
    other: [],
    amounts: [],
    quantities: [],
    services: byService ? services : [],
  };
}

function serviceOf(line: RemittedLine, procedure: Procedure | undefined): Service835 | undefined {
  if (procedure === undefined) return undefined;
  const day = dayOf(line);
  return {
    procedure,
    charge: line.charge,
    paid: line.paid,
    ...(line.quantity === undefined || line.outcome === "partlyMet" ? {} : { units: line.quantity.value }),
    dates: day === undefined ? [] : [{ qualifier: "472", date: day }],
    adjustments: merged(line.adjustments),
    references: [{ qualifier: "6R", value: String(line.lineNumber) }],
    amounts: [],
    quantities: [],
    remarks: [],
  };
}

/** Each reason once, in order; what comes to nothing is left out. */
function merged(adjustments: readonly Adjustment[]): Adjustment835[] {
  const made = new Map<string, Adjustment835>();
  for (const { group, reason, amount } of adjustments) {
    const key = `${group} ${reason}`;
    made.set(key, { group, reason, amount: (made.get(key)?.amount ?? 0n) + amount });
  }
  return [...made.values()].filter(({ amount }) => amount !== 0n);
}

function signedClaim(claim: Claim835, sign: bigint): Claim835 {
  const adjusted = (adjustments: readonly Adjustment835[]): Adjustment835[] =>
    adjustments.map((entry) => ({ ...entry, amount: sign * entry.amount }));
  return {
    ...claim,
    charge: sign * claim.charge,
    paid: sign * claim.paid,
    ...(claim.patientResponsibility === undefined ? {} : { patientResponsibility: sign * claim.patientResponsibility }),
    adjustments: adjusted(claim.adjustments),
    services: claim.services.map((service) => ({
      ...service,
      charge: sign * service.charge,
      paid: sign * service.paid,
      adjustments: adjusted(service.adjustments),
    })),
  };
}

const sumsOf = (adjustments: readonly { group: string; reason: string; amount: bigint }[]): string =>
  JSON.stringify(
    merged(adjustments as readonly Adjustment[])
      .map(({ group, reason, amount }) => [group, reason, amount.toString()])
      .sort(),
  );

/** Whether events paid the claim as it came in: then its adjustments stand where they stood, on claim or service. */
function isAsKept(claim: RemittedClaim, kept: Claim835): boolean {
  if (claim.charge !== kept.charge || claim.paid !== kept.paid) return false;
  if (kept.services.length > 0 && kept.services.length !== claim.lines.length) return false;
  const all = [...kept.adjustments, ...kept.services.flatMap(({ adjustments }) => adjustments)];
  return sumsOf(all) === sumsOf(claim.lines.flatMap(({ adjustments }) => adjustments));
}

/** The claim as it came in, with the amounts that were paid: each line's on its service. */
function keptAsPaid(claim: RemittedClaim, kept: Claim835): Claim835 {
  const made: Claim835 = { ...kept, charge: claim.charge, paid: claim.paid };
  if (claim.patientShare > 0n) made.patientResponsibility = claim.patientShare;
  else delete made.patientResponsibility;
  const services = claim.lines.flatMap((line) => {
    const service = kept.services[line.lineNumber - 1];
    return service === undefined
      ? []
      : [{ ...service, charge: line.charge, paid: line.paid, adjustments: merged(line.adjustments) }];
  });
  return services.length === claim.lines.length
    ? { ...made, adjustments: [], services }
    : { ...made, adjustments: merged(claim.lines.flatMap((line) => line.adjustments)), services: [] };
}
