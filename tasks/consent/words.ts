import {
  categoriesOf,
  categoryBits,
  confidentialityAt,
  confidentialityDisplay,
  displayOf,
  purposeBit,
  purposeCodes,
  purposesOf,
  resourceTypeCodes,
  sensitivityCodes,
  type CategoryCode,
  type PurposeCode,
} from "@carepact/sdk/codes";
import {
  NO_CUSTODIAN,
  NO_INSTRUMENT,
  type Grant,
  type OpenedGrant,
  type RepresentativeMandate,
  type Restrictions,
  type SubGrant,
} from "@carepact/sdk/consents";

import { endText } from "../support/period";
import { isoTime, list } from "../support/show";

/** Codes of a bit set: the fewest that make it up, or, where none do, each whose own bit is in it. */
function codesIn<Code extends string>(
  bits: bigint,
  fewest: (bits: bigint) => Code[],
  all: readonly Code[],
  bitOf: (code: Code) => bigint,
): Code[] {
  try {
    return fewest(bits);
  } catch {
    return all.filter((code) => (bits & bitOf(code)) !== 0n);
  }
}

export const purposesIn = (bits: bigint): PurposeCode[] => codesIn(bits, purposesOf, purposeCodes(), purposeBit);

export const categoriesIn = (bits: bigint): CategoryCode[] =>
  codesIn<CategoryCode>(bits, categoriesOf, [...resourceTypeCodes(), ...sensitivityCodes()], (code) =>
    categoryBits([code]),
  );

const named = (code: PurposeCode | CategoryCode): string => {
  const display = displayOf(code);
  return display.toLowerCase() === code.toLowerCase() ? code : `${code} (${display})`;
};

const purposesText = (bits: bigint): string => purposesIn(bits).map(named).join(", ");

function categoriesText(bits: bigint): string {
  const codes = categoriesIn(bits);
  const labelled = codes.some((code) => (sensitivityCodes() as string[]).includes(code));
  return codes.map(named).join(", ") + (labelled ? "" : "; only what carries no sensitivity label");
}

const ceilingText = (rank: number): string => {
  const code = confidentialityAt(rank);
  return `${code} (${confidentialityDisplay(code)})`;
};

const timesText = (count: number): string => (count === 0 ? "no" : count === 1 ? "once" : `${count} times`);

/** What a grant and a sub-grant have in common. */
const linkJson = (link: Grant | SubGrant): Record<string, unknown> => ({
  grantee: link.grantee,
  purposes: purposesIn(link.purposes),
  categories: categoriesIn(link.categories),
  ceiling: confidentialityAt(link.ceiling),
  from: isoTime(link.notBefore),
  until: endText(link.expiry),
  subGrants: link.subGrants,
});

const linkList = (link: Grant | SubGrant): Record<string, string> => ({
  for: purposesText(link.purposes),
  "may see": categoriesText(link.categories),
  "up to": ceilingText(link.ceiling),
  from: isoTime(link.notBefore),
  until: endText(link.expiry),
  "may be passed on": timesText(link.subGrants),
});

/** A grant in codes, for programs. */
export const grantJson = ({ chain, documents }: OpenedGrant): Record<string, unknown> => ({
  patient: chain.grant.patient,
  number: chain.grant.number,
  document: documents[0],
  signer: chain.signer,
  ...linkJson(chain.grant),
  epoch: chain.grant.epoch,
  ...(chain.mandate.signer === "0x" ? {} : { mandate: mandateJson(chain.mandate.mandate) }),
  passedOn: chain.subGrants.map(({ subGrant }, i) => ({ document: documents[i + 1], ...linkJson(subGrant) })),
});

/** A grant in words. */
export function grantLines({ chain, documents, consent }: OpenedGrant): string[] {
  const { grant, signer, mandate, subGrants } = chain;
  return [
    `${grant.grantee} may see something of the record of patient ${grant.patient}:`,
    ...list({
      ...linkList(grant),
      number: grant.number,
      epoch: grant.epoch,
      "signed by": mandate.signer === "0x" ? signer : `${signer}, a personal representative`,
      document: documents[0],
    }),
    ...(mandate.signer === "0x" ? [] : ["By this mandate:", ...mandateLines(mandate.mandate)]),
    ...subGrants.flatMap(({ subGrant }, i) => [
      `Passed on to ${subGrant.grantee}:`,
      ...list({ ...linkList(subGrant), document: documents[i + 1] }),
    ]),
    ...(grant.instrument === NO_INSTRUMENT
      ? []
      : [
          consent === undefined
            ? "It names a FHIR Consent that may say less, and is not in the file."
            : "It comes from the FHIR Consent in the file, which may say less.",
        ]),
  ];
}

/** A mandate in codes, for programs. */
export const mandateJson = (mandate: RepresentativeMandate): Record<string, unknown> => ({
  patient: mandate.patient,
  representative: mandate.representative,
  ...(mandate.custodian === NO_CUSTODIAN ? {} : { custodian: mandate.custodian }),
  purposes: purposesIn(mandate.purposes),
  categories: categoriesIn(mandate.categories),
  from: isoTime(mandate.notBefore),
  until: isoTime(mandate.end),
  epoch: mandate.epoch,
});

/** A mandate in words. */
export const mandateLines = (mandate: RepresentativeMandate): string[] => [
  `A personal representative may grant and see for patient ${mandate.patient}:`,
  ...list({
    for: purposesText(mandate.purposes),
    "may see": categoriesText(mandate.categories),
    from: isoTime(mandate.notBefore),
    until: isoTime(mandate.end),
    representative: `${mandate.representative} (hash of the key)`,
    custodian: mandate.custodian === NO_CUSTODIAN ? undefined : mandate.custodian,
    epoch: mandate.epoch,
  }),
];

/** Restrictions in codes, for programs. */
export const restrictionsJson = (restrictions: Restrictions): Record<string, unknown> => ({
  organizations: restrictions.organizations,
  purposes: purposesIn(restrictions.purposes),
  categories: categoriesIn(restrictions.categories),
  breakGlass: restrictions.breakGlass,
});

/** Restrictions in words. */
export function restrictionsLines({ organizations, purposes, categories, breakGlass }: Restrictions): string[] {
  const text = (codes: readonly (PurposeCode | CategoryCode)[]): string | undefined =>
    codes.length === 0 ? undefined : codes.map(named).join(", ");
  const isEmpty = organizations.length === 0 && purposes === 0n && categories === 0n;
  return isEmpty
    ? ["Nothing is refused by itself; the document still has to be brought."]
    : [
        "Refused, whatever is granted:",
        ...list({
          "to these": organizations.length === 0 ? undefined : organizations.join(", "),
          "for these": text(purposesIn(purposes)),
          "of these": text(categoriesIn(categories)),
          "in an emergency": breakGlass ? "may be overridden" : "refused, too",
        }),
      ];
}
