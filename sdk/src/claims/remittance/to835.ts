import { CarepactError } from "../../errors";
import { usualDelimiters } from "../../x12";
import type { Envelope, Organization835, RawSegment, Transaction835 } from "../../x12/types";

import { claim835 } from "./claim835";
import type { Remittance, RemittanceParty, RemittanceQuery, TransmissionInput } from "./types";

/** GS08. */
const VERSION = "005010X221A1";

/** The last day of a remittance's period, as `YYYY-MM-DD`, UTC. */
export const lastDayOf = ({ period }: Pick<Remittance, "period">): string =>
  new Date((period.to - 1) * 1_000).toISOString().slice(0, 10);

/**
 * A remittance as an 835.
 * @throws REMITTANCE_PARTY_INCOMPLETE
 */
export function transactionOf(
  remittance: Remittance,
  {
    parties,
    describe,
    fiscalPeriodEnd,
    transmission = {},
  }: Pick<RemittanceQuery, "parties" | "describe" | "fiscalPeriodEnd" | "transmission">,
): Transaction835 {
  const { payer, payee } = parties;
  const taxId = needed(payer.taxId, "payer.taxId", /^[0-9]{9}$/, "a tax number of nine digits");
  const npi = needed(payee.npi, "payee.npi", /^[0-9]{10}$/, "an NPI");
  const { payment, reference, claims, providerAdjustments, currency } = remittance;
  const day = lastDayOf(remittance);
  return {
    envelope: envelopeOf(remittance, { sender: taxId, receiver: npi }, transmission),
    controlNumber: "0001",
    payment: {
      handling: transmission.handling ?? (payment === 0n ? "H" : "I"),
      amount: payment,
      creditOrDebit: "C",
      method: transmission.method ?? "NON",
      date: day,
    },
    trace: { type: "1", reference, originator: `1${taxId}` },
    references: [],
    productionDate: day,
    payer: payerOf(payer),
    payee: payeeOf(payee, npi),
    // The guide takes US dollars for granted.
    other: currency.code === "USD" ? [] : [{ id: "CUR", elements: ["PR", currency.code] }],
    sections:
      claims.length === 0
        ? []
        : [{ number: "1", summaries: [], claims: claims.map((claim) => claim835(claim, currency, describe?.(claim))) }],
    providerAdjustments: providerAdjustments.map(({ reason, reference: about, amount }) => ({
      provider: npi,
      fiscalPeriodEnd: fiscalPeriodEnd ?? `${day.slice(0, 4)}-12-31`,
      reason,
      reference: about,
      amount,
    })),
  };
}

function needed(value: string | undefined, path: string, form: RegExp, what: string): string {
  if (value !== undefined && form.test(value)) return value;
  throw new CarepactError("REMITTANCE_PARTY_INCOMPLETE", `An 835 needs ${what} as parties.${path}.`, {
    path: `parties.${path}`,
  });
}

function payerOf({ name, planId, address, contact }: RemittanceParty): Organization835 {
  const numbers = [
    ["TE", contact?.telephone],
    ["EM", contact?.email],
    ["UR", contact?.url],
  ].filter((entry): entry is [string, string] => entry[1] !== undefined);
  const per: RawSegment[] =
    contact === undefined ? [] : [{ id: "PER", elements: ["BL", contact.name ?? "", ...numbers.flat()] }];
  return {
    ...organizationOf({ name, address }, "payer"),
    ...(planId === undefined ? {} : { idQualifier: "XV", id: planId }),
    other: per,
  };
}

const payeeOf = ({ name, address, taxId }: RemittanceParty, npi: string): Organization835 => ({
  ...organizationOf({ name, address }, "payee"),
  idQualifier: "XX",
  id: npi,
  references: taxId === undefined ? [] : [{ qualifier: "TJ", value: taxId }],
});

const organizationOf = (
  { name, address }: Pick<RemittanceParty, "name" | "address">,
  role: string,
): Organization835 => ({
  name: needed(name, `${role}.name`, /\S/, "a name"),
  ...(address === undefined ? {} : { address }),
  references: [],
  other: [],
});

/** Interchange and group; numbers and times come from the caller or the period, so that the same is written the same twice. */
function envelopeOf(
  { period }: Remittance,
  ids: { sender: string; receiver: string },
  { sender, receiver, controlNumber = 1, usage = "P", writtenAt }: TransmissionInput,
): Envelope {
  if (!Number.isInteger(controlNumber) || controlNumber < 1 || controlNumber > 999_999_999)
    throw new CarepactError("INPUT_INVALID", "A control number has one to nine digits and is not zero.", {
      path: "transmission.controlNumber",
      controlNumber,
    });
  const written = (writtenAt ?? new Date(period.to * 1_000)).toISOString();
  const [date, time] = [written.slice(0, 10), written.slice(11, 16).replace(":", "")];
  return {
    interchange: {
      // 30 is a federal tax number; of NPIs the list has none.
      sender: sender === undefined ? { qualifier: "30", id: ids.sender } : { qualifier: "ZZ", id: sender },
      receiver: { qualifier: "ZZ", id: receiver ?? ids.receiver },
      date: date.slice(2).replaceAll("-", ""),
      time,
      controlNumber: String(controlNumber).padStart(9, "0"),
      acknowledgment: false,
      usage,
      delimiters: { ...usualDelimiters },
    },
    group: {
      sender: sender ?? ids.sender,
      receiver: receiver ?? ids.receiver,
      date,
      time,
      controlNumber: String(controlNumber),
      version: VERSION,
    },
  };
}
