import { expect } from "chai";

import type { ErrorCode } from "../../sdk/src/errors";
import {
  parse835,
  text835,
  write835,
  type Claim835,
  type Envelope,
  type Transaction835,
  type Write835Options,
} from "../../sdk/src/x12";

import { refusedAsync } from "./refused";
import { allOf, claimOf, envelope, ownFiles, publicFiles, remittanceOf, serviceOf } from "./x12Files";

const refused = (
  code: ErrorCode,
  transactions: Parameters<typeof text835>[0],
  options: Write835Options = {},
): ReturnType<typeof refusedAsync> => refusedAsync(code, text835(transactions, options));

const claim = claimOf(900n, 500n, { services: [serviceOf(900n, 500n)] });
const withClaim = (parts: Partial<Claim835>): Transaction835 => remittanceOf([{ ...claim, ...parts }]);
const withHead = (parts: Partial<Transaction835>): Transaction835 => remittanceOf([claim], parts);
const withInterchange = (parts: Partial<Envelope["interchange"]>): Transaction835 =>
  withHead({ envelope: { ...envelope, interchange: { ...envelope.interchange, ...parts } } });

/** Amounts that say the same are written the same. */
const withoutZeros = (text: string): string =>
  text.replace(/(?<=\*)(-?\d+)\.(\d*?)0+(?=[*~])/g, "$1.$2").replace(/\.(?=[*~])/g, "");

describe("x12.write835", () => {
  it("writes back every file as it was, but for zeros that say nothing", async () => {
    for (const [name, text] of [...ownFiles("835"), ...publicFiles("835")]) {
      const read = await allOf(parse835(text));
      const [{ envelope: first } = {}] = read;
      const lineBreak = text.includes(`${first?.interchange.delimiters.segment}\n`) ? "\n" : "";
      const written = await text835(read, { lineBreak });
      expect(await allOf(parse835(written)), name).to.deep.equal(read);
      const alike = read.every(({ envelope: other }) => other?.interchange === first?.interchange);
      if (alike) expect(withoutZeros(written), name).to.equal(withoutZeros(text).trimEnd());
    }
  });

  it("writes counts, control numbers and heads", async () => {
    expect((await text835(remittanceOf([claim]), { lineBreak: "\r\n" })).split("\r\n")).to.deep.equal([
      "ISA*00*          *00*          *ZZ*SYNTHETICPAYER *ZZ*SYNTHETICPHARM *260131*0915*^*00501*000000001*0*T*:~",
      "GS*HP*SYNTHETICPAYER*SYNTHETICPHARM*20260131*0915*1*X*005010X221A1~",
      "ST*835*0001~",
      "BPR*I*5*C*NON************20260202~",
      "TRN*1*SYN-TRACE-1*1999999999~",
      "N1*PR*SYNTHETIC HEALTH PLAN~",
      "N1*PE*SYNTHETIC PHARMACY*XX*1234567893~",
      "LX*1~",
      "CLP*SYN-CLAIM-1*1*9*5**12~",
      "SVC*HC:SYN01*9*5~",
      "CAS*CO*45*4~",
      "SE*10*0001~",
      "GE*1*1~",
      "IEA*1*000000001~",
    ]);
  });

  it("writes amounts without zeros that say nothing", async () => {
    const amounts = ["0", "450", "450.5", "450.05", ".5", ".05", "-.05", "-1.27"];
    const units = [0n, 45000n, 45050n, 45005n, 50n, 5n, -5n, -127n];
    const text = await text835(withClaim({ amounts: units.map((amount) => ({ qualifier: "AU", amount })) }));
    expect([...text.matchAll(/AMT\*AU\*([^~]*)~/g)].map(([, amount]) => amount)).to.deep.equal(amounts);
  });

  it("puts up to six reasons into a CAS, and as many into a PLB, and no two owners into one", async () => {
    const reasons = Array.from({ length: 8 }, (_, i) => ({
      group: i < 7 ? "CO" : "PR",
      reason: String(i),
      amount: 50n,
    }));
    const provider = (i: number): string => (i < 7 ? "1234567893" : "SYNOTHER");
    const providerAdjustments = reasons.map(({ reason }, i) => ({
      provider: provider(i),
      fiscalPeriodEnd: "2026-12-31",
      reason: "WO",
      reference: reason,
      amount: i === 0 ? 350n : -50n,
    }));
    const transaction = remittanceOf([claimOf(900n, 500n, { adjustments: reasons })], { providerAdjustments });
    const text = await text835(transaction);
    expect(text.match(/CAS\*CO/g)).to.have.length(2);
    expect(text.match(/CAS\*PR/g)).to.have.length(1);
    expect(text.match(/PLB\*1234567893/g)).to.have.length(2);
    expect(text.match(/PLB\*SYNOTHER/g)).to.have.length(1);
    expect(await allOf(parse835(text))).to.deep.equal([transaction]);
  });

  it("puts transaction sets of one envelope together, and takes one for those without", async () => {
    const bare = (controlNumber: string): Transaction835 => withHead({ envelope: undefined, controlNumber });
    const second = { ...envelope, group: { ...envelope.group, controlNumber: "2" } };
    const third = { ...second, interchange: { ...envelope.interchange, controlNumber: "000000002" } };
    const all = [bare("0001"), bare("0002"), withHead({ envelope: second }), withHead({ envelope: third })];
    for (const source of [all, new Set(all).values(), asynchronous(all)]) {
      const text = await text835(source, { envelope });
      expect(text.match(/(ISA|GS|ST|SE|GE|IEA)(?=\*)/g)?.join(" ")).to.equal(
        "ISA GS ST SE ST SE GE GS ST SE GE IEA ISA GS ST SE GE IEA",
      );
      expect(text).to.contain("GE*2*1~").and.contain("IEA*2*000000001~").and.contain("IEA*1*000000002~");
    }
    await refused("X12_ENVELOPE_INVALID", bare("0001"));
  });

  it("hands out large files in pieces", async () => {
    const claims = Array.from({ length: 2_000 }, () => claim);
    const pieces = await allOf(write835(remittanceOf(claims)));
    expect(pieces.length).to.be.greaterThan(1);
    const [read] = await allOf(parse835(pieces));
    expect(read?.sections[0]?.claims).to.have.length(2_000);
  });

  it("writes with any delimiters, and kept segments with these", async () => {
    const other = [{ id: "PER", elements: ["CX", "SYN:NAME"] }];
    const outpatient = { id: "MOA", elements: ["", ["A", "", "B"], [["C"], ["D", "E"]]] };
    const delimiters = { element: "|", repetition: "!", component: ">", segment: "\x1c" };
    const transaction = withInterchange({ delimiters });
    const [section] = withClaim({ other, outpatient }).sections;
    const text = await text835({ ...transaction, sections: section === undefined ? [] : [section] });
    expect(text).to.contain("MOA||A>>B|C!D>E\x1c").and.contain("PER|CX|SYN:NAME\x1c");
    const [read] = await allOf(parse835(text));
    expect(read?.sections[0]?.claims[0]).to.deep.include({ other, outpatient });
  });

  it("refuses values that hold a delimiter or what X12 has not, and changes none", async () => {
    for (const bad of ["*", "~", ":", "^", "\n", "\0", "€", "\u{1f600}", "\ud800"]) {
      const error = await refused("X12_CHARACTER_INVALID", withClaim({ claimId: `SYN${bad}1` }));
      expect(error.details["element"]).to.equal("CLP01");
      await refused("X12_CHARACTER_INVALID", withClaim({ other: [{ id: "PER", elements: [["A", bad]] }] }));
      const services = [{ ...serviceOf(900n, 500n), procedure: { qualifier: "HC", code: `A${bad}`, modifiers: [] } }];
      await refused("X12_CHARACTER_INVALID", withClaim({ services }));
    }
    expect(await text835(withClaim({ claimId: "ZOË ¿|>`" }))).to.contain("CLP*ZOË ¿|>`*");
  });

  it("refuses what a reader would refuse", async () => {
    const { payment, trace } = remittanceOf([claim]);
    const service = serviceOf(900n, 500n);
    const cases: [ErrorCode, string, Transaction835][] = [
      ["X12_ELEMENT_INVALID", "TRN02", withHead({ trace: { ...trace, reference: "X".repeat(31) } })],
      ["X12_ELEMENT_INVALID", "TRN03", withHead({ trace: { ...trace, originator: "" } })],
      ["X12_ELEMENT_INVALID", "BPR01", withHead({ payment: { ...payment, handling: "III" } })],
      ["X12_ELEMENT_INVALID", "BPR03", withHead({ payment: { ...payment, creditOrDebit: "X" as "C" } })],
      ["X12_ELEMENT_INVALID", "BPR16", withHead({ payment: { ...payment, date: "20260202" } })],
      ["X12_ELEMENT_INVALID", "BPR07", withHead({ payment: { ...payment, sender: { bank: "X".repeat(13) } } })],
      ["X12_ELEMENT_INVALID", "N301", withHead({ payer: { references: [], other: [], address: { lines: [] } } })],
      [
        "X12_ELEMENT_INVALID",
        "N302",
        withHead({ payer: { references: [], other: [], address: { lines: ["A", "B", "C"] } } }),
      ],
      ["X12_ELEMENT_INVALID", "LX01", withHead({ sections: [{ number: "A", summaries: [], claims: [claim] }] })],
      ["X12_ELEMENT_INVALID", "CLP02", withClaim({ status: undefined })],
      ["X12_ELEMENT_INVALID", "CLP12", withClaim({ drgWeight: "1e3" })],
      ["X12_ELEMENT_INVALID", "CLP08", withClaim({ facility: "" })],
      ["X12_ELEMENT_INVALID", "SVC05", withClaim({ services: [{ ...service, units: "two" }] })],
      [
        "X12_ELEMENT_INVALID",
        "SVC01",
        withClaim({
          services: [{ ...service, procedure: { qualifier: "HC", code: "A", modifiers: ["1", "2", "3", "4", "5"] } }],
        }),
      ],
      ["X12_AMOUNT_INVALID", "AMT02", withClaim({ amounts: [{ qualifier: "AU", amount: 10_000_000_000n }] })],
      ["X12_AMOUNT_INVALID", "AMT02", withClaim({ amounts: [{ qualifier: "AU", amount: 5 as unknown as bigint }] })],
      ["X12_ENVELOPE_INVALID", "ST02", withHead({ controlNumber: "1" })],
      ["X12_VERSION_UNSUPPORTED", "ST03", withHead({ implementation: "005010X221" })],
      ["X12_ENVELOPE_INVALID", "ISA13", withInterchange({ controlNumber: "1" })],
      ["X12_ENVELOPE_INVALID", "ISA09", withInterchange({ date: "261301" })],
      ["X12_ENVELOPE_INVALID", "ISA05", withInterchange({ sender: { qualifier: "Z", id: "A" } })],
      ["X12_ELEMENT_INVALID", "ISA06", withInterchange({ sender: { qualifier: "ZZ", id: "X".repeat(16) } })],
      ["X12_ELEMENT_INVALID", "ISA06", withInterchange({ sender: { qualifier: "ZZ", id: "X " } })],
      ["X12_CHARACTER_INVALID", "ISA08", withInterchange({ receiver: { qualifier: "ZZ", id: "A*B" } })],
      [
        "X12_ENVELOPE_INVALID",
        "GS05",
        withHead({ envelope: { ...envelope, group: { ...envelope.group, time: "9915" } } }),
      ],
    ];
    for (const [code, element, transaction] of cases)
      expect((await refused(code, transaction)).details["element"]).to.equal(element);

    await refused(
      "X12_VERSION_UNSUPPORTED",
      withHead({ envelope: { ...envelope, group: { ...envelope.group, version: "005010X222A1" } } }),
    );
    await refused(
      "X12_DELIMITERS_INVALID",
      withInterchange({ delimiters: { ...envelope.interchange.delimiters, component: "*" } }),
    );
    await refused("X12_ELEMENT_INVALID", {
      ...withHead({}),
      payment: { ...payment, amount: -500n },
      providerAdjustments: [{ provider: "1", fiscalPeriodEnd: "2026-12-31", reason: "WO", amount: 1_000n }],
    });
    for (const misplaced of [
      withHead({ other: [{ id: "PER", elements: ["CX"] }] }),
      withClaim({ other: [{ id: "REF", elements: ["1L", "X"] }] }),
      withClaim({ inpatient: { id: "MOA", elements: ["1"] } }),
      withHead({ sections: [{ number: "1", summaries: [{ id: "CLP", elements: [] }], claims: [claim] }] }),
    ])
      await refused("X12_SEGMENT_UNEXPECTED", misplaced);
  });

  it("refuses what does not balance, before it writes any of it", async () => {
    const { payment } = remittanceOf([claim]);
    const pieces = write835(withHead({ payment: { ...payment, amount: 501n } }));
    const error = await refusedAsync("X12_DOES_NOT_BALANCE", pieces.next());
    expect(error.details["equation"]).to.equal("sum of CLP04 - sum of PLB = BPR02");
    await refused("X12_DOES_NOT_BALANCE", withClaim({ paid: 501n }));
  });

  it("refuses control numbers that are used twice, and nothing at all", async () => {
    const one = withHead({});
    await refused("X12_CONTROL_NUMBER_INVALID", [one, one]);
    const other = { ...envelope, interchange: { ...envelope.interchange, controlNumber: "000000002" } };
    await refused("X12_CONTROL_NUMBER_INVALID", [
      one,
      withHead({ envelope: other }),
      { ...one, controlNumber: "0002" },
    ]);
    await refused("INPUT_INVALID", []);
  });

  it("needs a CUR for another currency than US dollars", async () => {
    const currency = { code: "EUR", decimals: 2 };
    await refused("CURRENCY_MISMATCH", withHead({}), { currency });
    const inEuro = withHead({ other: [{ id: "CUR", elements: ["PR", "EUR"] }] });
    await refused("CURRENCY_MISMATCH", inEuro);
    expect(await allOf(parse835(await text835(inEuro, { currency }), { currency }))).to.deep.equal([inEuro]);
  });
});

async function* asynchronous<Entry>(entries: readonly Entry[]): AsyncGenerator<Entry> {
  await Promise.resolve();
  yield* entries;
}
