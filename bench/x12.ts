import type { Claim835, Envelope, Transaction835 } from "../sdk/src/x12";
import { parse835, usualDelimiters, write835 } from "../sdk/src/x12";

/** What an 835 costs in time and memory. */
export interface X12Measurement {
  claims: number;
  /** Length of the file, in bytes. */
  bytes: number;
  writeMs: number;
  parseMs: number;
  /** Most that the process took while writing and parsing, in bytes of resident memory. */
  peakBytes: number;
}

/** Limits of an 835 of 10,000 claims. */
export const x12Limits = { claims: 10_000, writeMs: 2_000, parseMs: 1_000, peakBytes: 300 * 1024 * 1024 } as const;

const envelope: Envelope = {
  interchange: {
    sender: { qualifier: "ZZ", id: "SYNTHETICPAYER" },
    receiver: { qualifier: "ZZ", id: "SYNTHETICPAYEE" },
    date: "260102",
    time: "0304",
    controlNumber: "000000001",
    acknowledgment: false,
    usage: "T",
    delimiters: usualDelimiters,
  },
  group: {
    sender: "SYNTHETICPAYER",
    receiver: "SYNTHETICPAYEE",
    date: "2026-01-02",
    time: "0304",
    controlNumber: "1",
    version: "005010X221A1",
  },
};

/** A claim of two services with an adjustment each. */
function claimOf(index: number): Claim835 {
  const services = [0, 1].map((line) => ({
    procedure: { qualifier: "HC", code: `X${String(index % 1000).padStart(4, "0")}`, modifiers: [] },
    charge: BigInt(10_000 + index + line),
    paid: BigInt(7_500 + index + line),
    units: "1",
    dates: [{ qualifier: "472", date: "2026-01-02" }],
    adjustments: [
      { group: "CO", reason: "45", amount: 1_500n },
      { group: "PR", reason: "3", amount: 1_000n },
    ],
    references: [{ qualifier: "6R", value: String(line + 1) }],
    amounts: [],
    quantities: [],
    remarks: [],
  }));
  const sum = (key: "charge" | "paid"): bigint => services.reduce((total, service) => total + service[key], 0n);
  return {
    claimId: `SYNTHETIC-${index}`,
    status: "1",
    charge: sum("charge"),
    paid: sum("paid"),
    patientResponsibility: 2_000n,
    filing: "12",
    payerClaimId: `PAYER-${index}`,
    adjustments: [],
    parties: [{ role: "QC", type: "1", name: "SYNTHETIC", firstName: "PATIENT", idQualifier: "MI", id: `M${index}` }],
    references: [],
    dates: [{ qualifier: "232", date: "2026-01-02" }],
    other: [],
    amounts: [],
    quantities: [],
    services,
  };
}

function remittanceOf(count: number): Transaction835 {
  const claims = Array.from({ length: count }, (_, index) => claimOf(index));
  const organization = (name: string): Transaction835["payer"] => ({
    name,
    idQualifier: "XX",
    id: "1234567893",
    references: [],
    other: [],
  });
  return {
    envelope,
    controlNumber: "0001",
    payment: {
      handling: "I",
      amount: claims.reduce((sum, { paid }) => sum + paid, 0n),
      creditOrDebit: "C",
      method: "NON",
      date: "2026-01-02",
    },
    trace: { type: "1", reference: "SYNTHETIC-TRACE", originator: "1999999999" },
    references: [],
    payer: { ...organization("SYNTHETIC PAYER"), idQualifier: "XV", id: "SYNTHETIC" },
    payee: organization("SYNTHETIC PAYEE"),
    other: [],
    sections: [{ number: "1", summaries: [], claims }],
    providerAdjustments: [],
  };
}

/** Rounds that are measured; the fastest counts, since what else a machine does only ever adds. */
const ROUNDS = 3;

/** Writes an 835 of so many claims of two services each, and parses what was written. */
export async function measureX12(claims: number = x12Limits.claims): Promise<X12Measurement> {
  const remittance = remittanceOf(claims);
  let fastest: X12Measurement | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured = await measureOnce(remittance, claims);
    fastest = {
      claims,
      bytes: measured.bytes,
      writeMs: Math.min(measured.writeMs, fastest?.writeMs ?? Infinity),
      parseMs: Math.min(measured.parseMs, fastest?.parseMs ?? Infinity),
      peakBytes: Math.max(measured.peakBytes, fastest?.peakBytes ?? 0),
    };
  }
  return fastest as X12Measurement;
}

async function measureOnce(remittance: Transaction835, claims: number): Promise<X12Measurement> {
  let peakBytes = 0;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };

  const began = performance.now();
  const pieces: Uint8Array[] = [];
  for await (const piece of write835(remittance)) {
    pieces.push(Buffer.from(piece));
    look();
  }
  const written = performance.now();
  let read = 0;
  for await (const transaction of parse835(pieces)) {
    read += transaction.sections.reduce((sum, section) => sum + section.claims.length, 0);
    look();
  }
  const parsed = performance.now();

  if (read !== claims) throw new Error(`${read} of ${claims} claims were read back.`);
  return {
    claims,
    bytes: pieces.reduce((sum, { length }) => sum + length, 0),
    writeMs: Math.round(written - began),
    parseMs: Math.round(parsed - written),
    peakBytes,
  };
}

/** Which limits a measurement of 10,000 claims misses. */
export function x12LimitsMissed(measured: X12Measurement): string[] {
  return (["writeMs", "parseMs", "peakBytes"] as const)
    .filter((key) => measured[key] > x12Limits[key])
    .map((key) => `An 835 of ${measured.claims} claims: ${key} is ${measured[key]}, the limit is ${x12Limits[key]}.`);
}

/** A measurement in words. */
export function x12Line({ claims, bytes, writeMs, parseMs, peakBytes }: X12Measurement): string {
  const [size, peak] = [bytes, peakBytes].map((count) => `${(count / 2 ** 20).toFixed(1)} MiB`);
  return `An 835 of ${claims.toLocaleString("en")} claims (${size}): written in ${writeMs} ms, parsed in ${parseMs} ms, ${peak} at most.`;
}

if (require.main === module) void measureX12().then((measured) => console.log(JSON.stringify(measured)));
