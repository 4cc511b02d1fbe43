import { expect } from "chai";
import fc from "fast-check";

import { isCarepactError } from "../../sdk/src/errors";
import {
  balance835,
  parse835,
  parse837,
  text835,
  type Adjustment835,
  type Claim835,
  type Delimiters,
  type Service835,
  type Transaction835,
} from "../../sdk/src/x12";

import { allOf, bytesOf, envelope, ownFiles } from "./x12Files";

const letter = fc.constantFrom(..."ABCXYZabcxyz0189 .,/()&#'-");
const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: letter, minLength: 1, maxLength });
const cents = fc.bigInt(-9_999_999n, 9_999_999n);
const units = fc.constantFrom("1", "2", ".5", "30.25", "-1", "0");
const date = fc
  .record({ year: fc.integer({ min: 1990, max: 2099 }), day: fc.integer({ min: 1, max: 28 }) })
  .map(({ year, day }) => `${year}-02-${String(day).padStart(2, "0")}`);

/** A model with some of its optional properties, and none of the others. */
const some = <Model extends object>(
  required: { [Key in keyof Model]?: fc.Arbitrary<Model[Key]> },
  optional: { [Key in keyof Model]?: fc.Arbitrary<Model[Key]> } = {},
): fc.Arbitrary<Model> =>
  fc.record({ ...required, ...optional } as { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }, {
    requiredKeys: Object.keys(required) as (keyof Model)[] & [],
  });

const few = <Entry>(entry: fc.Arbitrary<Entry>, maxLength = 2): fc.Arbitrary<Entry[]> => fc.array(entry, { maxLength });

const adjustments = few(
  some<Adjustment835>(
    { group: fc.constantFrom("CO", "PR", "OA"), reason: text(5), amount: cents },
    { quantity: units },
  ),
  8,
);
const procedure = some<Service835["procedure"]>(
  { qualifier: fc.constantFrom("HC", "N4"), code: text(11), modifiers: few(fc.constantFrom("25", "59"), 4) },
  { description: text(20) },
);
const common = {
  dates: few(some<Claim835["dates"][number]>({ qualifier: fc.constantFrom("472", "232"), date })),
  references: few(
    some<Claim835["references"][number]>({ qualifier: text(3), value: text(20) }, { description: text(9) }),
  ),
  amounts: few(some<Claim835["amounts"][number]>({ qualifier: text(3), amount: cents })),
  quantities: few(some<Claim835["quantities"][number]>({ qualifier: text(2), quantity: units })),
};
const sum = (entries: readonly { amount: bigint }[]): bigint =>
  entries.reduce((total, { amount }) => total + amount, 0n);

const service = some<Service835>(
  {
    procedure,
    charge: cents,
    paid: fc.constant(0n),
    adjustments,
    ...common,
    remarks: few(some<Service835["remarks"][number]>({ list: text(3), code: text(9) })),
  },
  { revenueCode: text(4), units, originalProcedure: procedure, originalUnits: units },
).map((model) => ({ ...model, paid: model.charge - sum(model.adjustments) }));

const claim = some<Claim835>(
  {
    claimId: text(38),
    status: fc.constantFrom("1", "2", "3", "4"),
    charge: cents,
    paid: fc.constant(0n),
    adjustments,
    parties: few(
      some<Claim835["parties"][number]>(
        { role: fc.constantFrom("QC", "82"), type: fc.constant("1") },
        { name: text(20), suffix: text(3), idQualifier: fc.constant("MI"), id: text(20) },
      ),
    ),
    ...common,
    other: few(fc.record({ id: fc.constant("PER"), elements: fc.tuple(text(2), text(20)) })),
    services: few(service, 3),
  },
  {
    patientResponsibility: cents,
    filing: text(2),
    payerClaimId: text(20),
    facility: text(2),
    frequency: text(1),
    drgWeight: units,
    inpatient: fc.record({ id: fc.constant("MIA"), elements: fc.tuple(fc.constant("0"), fc.constant(""), text(9)) }),
  },
).map((model) => {
  const { services } = model;
  const charge = services.length === 0 ? model.charge : services.reduce((total, entry) => total + entry.charge, 0n);
  return {
    ...model,
    charge,
    paid: charge - sum(model.adjustments) - services.reduce((total, entry) => total + sum(entry.adjustments), 0n),
  };
});

const organization = some<Transaction835["payer"]>(
  { references: common.references, other: fc.constant([]) },
  { name: text(60), address: fc.record({ lines: fc.array(text(55), { minLength: 1, maxLength: 2 }), city: text(30) }) },
);

const transaction = fc
  .record({
    controlNumber: fc.integer({ min: 1000, max: 999_999_999 }).map(String),
    date,
    reference: text(30),
    references: common.references,
    payer: organization,
    payee: organization,
    sections: few(
      fc.record({
        number: fc.integer({ min: 0, max: 999_999 }).map(String),
        summaries: fc.constant([]),
        claims: few(claim, 3),
      }),
    ),
    withheld: few(
      some<Transaction835["providerAdjustments"][number]>(
        { provider: text(10), fiscalPeriodEnd: date, reason: fc.constantFrom("WO", "72", "L6"), amount: cents },
        { reference: text(20) },
      ),
      8,
    ),
  })
  .map(({ controlNumber, date: day, reference, withheld, ...parts }): Transaction835 => {
    const due =
      parts.sections.flatMap(({ claims }) => claims).reduce((total, { paid }) => total + paid, 0n) - sum(withheld);
    const forward = { provider: "1", fiscalPeriodEnd: "2026-12-31", reason: "FB", amount: due };
    return {
      ...parts,
      envelope,
      controlNumber,
      payment: { handling: "I", amount: due < 0n ? 0n : due, creditOrDebit: "C", method: "NON", date: day },
      trace: { type: "1", reference, originator: "1999999999" },
      other: [],
      providerAdjustments: due < 0n ? [...withheld, forward] : withheld,
    };
  });

const delimiters: fc.Arbitrary<Delimiters> = fc
  .uniqueArray(fc.constantFrom(..."*|!>~^:;@$%\x1c\x1d\x1e\x1f"), { minLength: 4, maxLength: 4 })
  .map(([element, repetition, component, segment]) => ({ element, repetition, component, segment }) as Delimiters);

/** Whatever the input, it ends, and in nothing but what is read or an error of ours that says where. */
async function readsOrRefuses(source: Uint8Array | string): Promise<void> {
  for (const read of [(): Promise<unknown> => allOf(parse835(source)), (): Promise<unknown> => allOf(parse837(source))])
    try {
      await read();
    } catch (error) {
      if (!isCarepactError(error)) throw error;
      expect(error.code).to.match(/^(X12_|CURRENCY_MISMATCH)/);
      expect(error.details).to.include.keys("segment", "id", "position");
    }
}

describe("x12 properties", () => {
  it("reads back whatever it writes", async () => {
    await fc.assert(
      fc.asyncProperty(
        transaction,
        delimiters,
        fc.constantFrom("", "\n", "\r\n"),
        async (model, separators, lineBreak) => {
          const sent = {
            ...model,
            envelope: { ...envelope, interchange: { ...envelope.interchange, delimiters: separators } },
          };
          balance835(sent);
          const written = await text835(sent, { lineBreak: lineBreak as "" });
          expect(await allOf(parse835(written))).to.deep.equal([sent]);
          expect(await text835(parse835(bytesOf(written)), { lineBreak: lineBreak as "" })).to.equal(written);
        },
      ),
      { numRuns: 25 },
    );
  });

  const files = [...ownFiles("835"), ...ownFiles("837")].map(([, file]) => bytesOf(file));
  const place = fc.record({ file: fc.constantFrom(...files), at: fc.nat(), length: fc.nat({ max: 40 }) });

  it("reads or refuses files with a byte changed", async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 0, max: 255 }), async ({ file, at }, byte) => {
        const bytes = file.slice();
        bytes[at % bytes.length] = byte;
        await readsOrRefuses(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it("reads or refuses files with something taken out, doubled or put elsewhere", async () => {
    await fc.assert(
      fc.asyncProperty(place, fc.nat(), fc.boolean(), async ({ file, at, length }, to, taken) => {
        const from = at % file.length;
        const cut = file.slice(from, from + length);
        const rest = taken ? [...file.slice(0, from), ...file.slice(from + length)] : [...file];
        rest.splice(to % rest.length, 0, ...cut);
        await readsOrRefuses(new Uint8Array(rest));
        await readsOrRefuses(file.slice(0, from));
      }),
      { numRuns: 150 },
    );
  });

  it("reads or refuses segments in any order", async () => {
    const shuffled = fc.constantFrom(...files).chain((file) => {
      const [isa = "", ...segments] = Buffer.from(file).toString().split("~\n");
      return fc
        .shuffledSubarray(segments, { minLength: segments.length - 2 })
        .map((order) => `${[isa, ...order.filter((segment) => segment !== "")].join("~")}~`);
    });
    await fc.assert(fc.asyncProperty(shuffled, readsOrRefuses), { numRuns: 100 });
  });

  it("refuses random bytes and random text", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), readsOrRefuses), { numRuns: 50 });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(..."ISAGSTE0*~:^ \n\0é€"), maxLength: 300 }), readsOrRefuses),
      { numRuns: 50 },
    );
  });
});
