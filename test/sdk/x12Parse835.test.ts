import { expect } from "chai";

import type { ErrorCode } from "../../sdk/src/errors";
import { parse835, stream835, type Parse835Options, type Part835 } from "../../sdk/src/x12";

import { refusedAsync } from "./refused";
import { allOf, bytesOf, only835, ownFiles, piecesOf, publicFiles, x12Text } from "./x12Files";

const text = x12Text("primary.835");

/** The file with a line put in its place, and SE01 counted anew. */
function changed(from: string, to: string, file = text): string {
  expect(file).to.contain(from);
  const [head = "", rest = ""] = file.replace(from, to).split(/(?=SE\*)/);
  const segments = head.slice(head.indexOf("ST*")).split("~\n").length;
  return head + rest.replace(/^SE\*\d+/, `SE*${segments}`);
}

const refused = (code: ErrorCode, source: string, options: Parse835Options = {}): ReturnType<typeof refusedAsync> =>
  refusedAsync(code, allOf(parse835(source, options)));

describe("x12.parse835", () => {
  it("reads heads, payment, trace and parties", async () => {
    const { envelope, controlNumber, payment, trace, references, productionDate, payer, payee } = await only835(text);
    expect(envelope?.interchange).to.deep.include({
      sender: { qualifier: "ZZ", id: "SYNTHETICPAYER" },
      controlNumber: "000000001",
      acknowledgment: false,
      usage: "T",
    });
    expect(envelope?.group).to.deep.equal({
      sender: "SYNTHETICPAYER",
      receiver: "SYNTHETICPHARM",
      date: "2026-01-31",
      time: "0915",
      controlNumber: "1",
      version: "005010X221A1",
    });
    expect(controlNumber).to.equal("0001");
    expect(payment).to.deep.equal({
      handling: "I",
      amount: 30550n,
      creditOrDebit: "C",
      method: "ACH",
      format: "CCP",
      sender: { bankQualifier: "01", bank: "000000001", accountQualifier: "DA", account: "SYNTHETIC-1" },
      originator: "1999999999",
      receiver: { bankQualifier: "01", bank: "000000002", accountQualifier: "DA", account: "SYNTHETIC-2" },
      date: "2026-02-02",
    });
    expect(trace).to.deep.equal({ type: "1", reference: "SYN-TRACE-0001", originator: "1999999999" });
    expect(references).to.deep.equal([{ qualifier: "EV", value: "SYNRECEIVER" }]);
    expect(productionDate).to.equal("2026-01-31");
    expect(payer.other).to.deep.equal([{ id: "PER", elements: ["BL", "SYNTHETIC DESK", "TE", "5550100"] }]);
    expect(payee).to.deep.equal({
      name: "SYNTHETIC PHARMACY",
      idQualifier: "XX",
      id: "1234567893",
      address: { lines: ["2 EXAMPLE STREET", "SUITE 3"], city: "EXAMPLETOWN", state: "NY", postalCode: "10001" },
      references: [{ qualifier: "TJ", value: "000000001" }],
      other: [],
    });
  });

  it("reads a claim with everything that it can have", async () => {
    const [claim] = (await only835(text)).sections[0]?.claims ?? [];
    const { services, ...itself } = claim ?? { services: [] };
    expect(itself).to.deep.equal({
      claimId: "SYN-CLAIM-1",
      status: "1",
      charge: 40000n,
      paid: 25550n,
      patientResponsibility: 2000n,
      filing: "12",
      payerClaimId: "SYN-PAYER-1",
      facility: "11",
      frequency: "1",
      adjustments: [{ group: "CO", reason: "A2", amount: 950n }],
      parties: [
        { role: "QC", type: "1", name: "SAMPLE", firstName: "ALEX", idQualifier: "MI", id: "SYNMEMBER1" },
        { role: "82", type: "1", name: "PRESCRIBER", firstName: "SAMPLE", idQualifier: "XX", id: "1234567893" },
      ],
      outpatient: { id: "MOA", elements: ["", "", "SYN1"] },
      references: [{ qualifier: "1L", value: "SYN-GROUP" }],
      dates: [
        { qualifier: "232", date: "2026-01-10" },
        { qualifier: "233", date: "2026-01-12" },
        { qualifier: "050", date: "2026-01-13" },
      ],
      other: [{ id: "PER", elements: ["CX", "SYNTHETIC CARE", "TE", "5550101"] }],
      amounts: [{ qualifier: "AU", amount: 27500n }],
      quantities: [{ qualifier: "CA", quantity: "2" }],
    });
    expect(services[0]).to.deep.equal({
      procedure: { qualifier: "HC", code: "SYN01", modifiers: ["25", "59"] },
      charge: 25000n,
      paid: 17000n,
      units: "1",
      originalUnits: "2",
      dates: [
        { qualifier: "150", date: "2026-01-10" },
        { qualifier: "151", date: "2026-01-12" },
      ],
      adjustments: [
        { group: "CO", reason: "45", amount: 6000n, quantity: "1" },
        { group: "PR", reason: "1", amount: 1200n },
        { group: "PR", reason: "2", amount: 800n },
      ],
      references: [{ qualifier: "6R", value: "1" }],
      amounts: [{ qualifier: "B6", amount: 19000n }],
      quantities: [],
      remarks: [{ list: "HE", code: "SYN1" }],
    });
    expect(services[1]).to.deep.include({
      procedure: { qualifier: "N4", code: "00000000001", modifiers: [] },
      originalProcedure: { qualifier: "HC", code: "SYN02", modifiers: [], description: "AS ORDERED" },
      revenueCode: "0250",
    });
    expect(services[1]?.adjustments[0]).to.deep.equal({ group: "CO", reason: "45", amount: 5000n, quantity: ".5" });
  });

  it("reads provider adjustments one by one", async () => {
    const common = { provider: "1234567893", fiscalPeriodEnd: "2026-12-31" };
    expect((await only835(x12Text("provider-adjustments.835"))).providerAdjustments).to.deep.equal([
      { ...common, reason: "WO", reference: "SYN-PAYER-0", amount: 5000n },
      { ...common, reason: "72", reference: "SYN-PAYER-1", amount: 1000n },
      { ...common, reason: "L6", reference: "SYN-PAYER-7", amount: -340n },
      { ...common, reason: "FB", reference: "SYN-TRACE-0000", amount: 500n },
    ]);
  });

  it("reads every transaction set of every group and interchange, whatever its delimiters", async () => {
    const transactions = await allOf(parse835(x12Text("several.835")));
    expect(
      transactions.map(({ controlNumber, envelope }) => [envelope?.interchange.controlNumber, controlNumber]),
    ).to.deep.equal([
      ["000000005", "0001"],
      ["000000005", "0002"],
      ["000000005", "0003"],
      ["000000006", "0001"],
    ]);
    expect(transactions[3]?.envelope?.interchange.delimiters).to.deep.equal({
      element: "|",
      repetition: "!",
      component: ">",
      segment: "`",
    });
  });

  it("reads the project's files and the public samples, in one piece or many", async () => {
    for (const [name, whole] of [...ownFiles("835"), ...publicFiles("835")]) {
      const read = await allOf(parse835(whole));
      expect(read, name).not.to.be.empty;
      expect(await allOf(parse835(piecesOf(whole, 13).map(bytesOf))), name).to.deep.equal(read);
    }
  });

  it("hands out parts as soon as they are complete", async () => {
    const kinds = (parts: Part835[]): string[] => parts.map(({ kind }) => kind);
    expect(kinds(await allOf(stream835(x12Text("secondary-and-tertiary.835"))))).to.deep.equal([
      "head",
      "section",
      "claim",
      "section",
      "claim",
      "tail",
    ]);
    const [cut] = text.split(/(?=CLP\*SYN-CLAIM-2)/) as [string];
    const parts = stream835([`${cut}CLP*SYN-CLAIM-2*1*75.25*50*0*12~`, "\0"]);
    const first = [await parts.next(), await parts.next(), await parts.next()];
    expect(first.map(({ value }) => (value as Part835).kind)).to.deep.equal(["head", "section", "claim"]);
    await refusedAsync("X12_TRUNCATED", parts.next());
  });

  it("takes a section without claims, and a remittance without sections", async () => {
    const withoutClaims = changed(text.slice(text.indexOf("CLP*"), text.indexOf("SE*")), "").replace("*305.5*", "*0*");
    expect((await only835(withoutClaims)).sections).to.deep.equal([{ number: "1", summaries: [], claims: [] }]);
    expect((await only835(changed("LX*1~\n", "", withoutClaims))).sections).to.deep.equal([]);
  });

  it("reads amounts exactly as X12 writes them, and refuses all others", async () => {
    const balance = false;
    for (const [written, amount] of [
      ["0", 0n],
      ["-0", 0n],
      [".5", 50n],
      ["-.05", -5n],
      ["0450", 45000n],
      ["450.5", 45050n],
      ["450.00", 45000n],
      ["9999999999999999.99", 999999999999999999n],
    ] as const) {
      const [transaction] = await allOf(parse835(text.replace("*400*255.5*", `*${written}*255.5*`), { balance }));
      expect(transaction?.sections[0]?.claims[0]?.charge, written).to.equal(amount);
    }
    for (const written of [
      "1.005",
      "1.500",
      "1e2",
      "+1",
      "1,0",
      "1.",
      ".",
      "-",
      "$1",
      " 1",
      "1 ",
      "0x1",
      "NaN",
      "--1",
      "1".repeat(19),
    ]) {
      const error = await refused("X12_AMOUNT_INVALID", text.replace("*400*255.5*", `*${written}*255.5*`), { balance });
      expect(error.details, written).to.include({ element: "CLP03", id: "CLP", segment: 17 });
    }
    const whole = { currency: { code: "JPY", decimals: 0 }, balance };
    await refused("X12_AMOUNT_INVALID", changed("REF*EV", "CUR*PR*JPY~\nREF*EV"), whole);
  });

  it("takes amounts of the currency that CUR names, and no other", async () => {
    const euro = { code: "EUR", decimals: 2 };
    const inEuro = changed("REF*EV", "CUR*PR*EUR~\nREF*EV");
    const [transaction] = await allOf(parse835(inEuro, { currency: euro }));
    expect(transaction?.other).to.deep.equal([{ id: "CUR", elements: ["PR", "EUR"] }]);
    await refused("CURRENCY_MISMATCH", inEuro);
    await refused("CURRENCY_MISMATCH", text, { currency: euro });
    expect(await allOf(parse835(changed("REF*EV", "CUR*PR*USD~\nREF*EV")))).to.have.length(1);
  });

  it("refuses other versions and kinds, naming GS08", async () => {
    const versions = ["004010X091A1", "005010X221", "005010X222A1", "005010X221A2"];
    for (const version of versions) {
      const error = await refused("X12_VERSION_UNSUPPORTED", text.replace("005010X221A1", version));
      expect(error.message).to.contain(version).and.contain("GS08");
      expect(error.details["version"]).to.equal(version);
    }
    await refused("X12_VERSION_UNSUPPORTED", x12Text("professional.837"));
    await refused("X12_VERSION_UNSUPPORTED", text.replace("GS*HP", "GS*HC"));
    await refused("X12_VERSION_UNSUPPORTED", text.replace("ST*835", "ST*837"));
    await refused("X12_VERSION_UNSUPPORTED", text.replace("ST*835*0001", "ST*835*0001*005010X222A1"));
    expect((await only835(text.replace("ST*835*0001", "ST*835*0001*005010X221A1"))).implementation).to.equal(
      "005010X221A1",
    );
  });

  it("refuses segments where the guide has no place for them", async () => {
    const misplaced: [string, string][] = [
      ["TRN*1", "BPR*I*305.5*C*ACH************20260202~\nTRN*1"],
      ["REF*EV", "TRN*1*A*1999999999~\nREF*EV"],
      ["DTM*405", "DTM*472*20260131~\nDTM*405"],
      ["DTM*405*20260131", "DTM*405*20260131~\nDTM*405*20260131"],
      ["N1*PR", "N1*PE*SOMEBODY~\nN1*PR"],
      ["N1*PE", "N1*PR*SOMEBODY~\nN1*PE"],
      ["N1*PE", "SVC*HC:1*1*1~\nN1*PE"],
      ["N1*PE", "N3*AGAIN~\nN1*PE"],
      ["N1*PE", "N4*AGAIN~\nN1*PE"],
      ["N1*PE", "RDM*BM~\nN1*PE"],
      ["LX*1", "CLP*X*1*0*0*0*12*Y~\nLX*1"],
      ["LX*1", "TS3*X*1*20261231*1*1~\nLX*1"],
      ["CLP*SYN-CLAIM-1", "SVC*HC:1*1*1~\nCLP*SYN-CLAIM-1"],
      ["CLP*SYN-CLAIM-1", "CAS*CO*45*1~\nCLP*SYN-CLAIM-1"],
      ["MOA***SYN1", "MOA***SYN1~\nMOA***SYN1"],
      ["MOA***SYN1", "MIA*1~\nMIA*1"],
      ["SVC*N4", "NM1*QC*1*SAMPLE~\nSVC*N4"],
      ["SVC*N4", "RAS*1*CO*45~\nSVC*N4"],
      ["SVC*N4", "ZZ9*1~\nSVC*N4"],
      ["SVC*N4", "PER*CX~\nSVC*N4"],
      ["SE*45", "PLB*1*20261231*WO*0~\nLX*2~\nSE*45"],
      ["SE*45", "PLB*1*20261231*WO*0~\nREF*EV*X~\nSE*45"],
      ["SE*45", "PLB*1*20261231*WO*0~\nCLP*X*1*0*0*0*12*Y~\nSE*45"],
    ];
    for (const [from, to] of misplaced) {
      const error = await refused("X12_SEGMENT_UNEXPECTED", changed(from, to));
      expect(error.details["segment"]).to.be.a("number");
      expect(error.details["position"]).to.be.a("number");
    }
  });

  it("refuses a file without what the guide requires, naming it", async () => {
    const without: [RegExp, string][] = [
      [/BPR.*~\n/, "BPR"],
      [/TRN.*~\n/, "TRN"],
      [/N1\*PR[^]*(?=LX)/, "N1*PR"],
      [/N1\*PE[^]*(?=LX)/, "N1*PE"],
    ];
    for (const [segment, name] of without) {
      const [match = ""] = segment.exec(text) ?? [];
      const error = await refused("X12_SEGMENT_MISSING", changed(match, ""));
      expect(error.details["missing"]).to.equal(name);
    }
    await refused("X12_SEGMENT_MISSING", changed(text.slice(text.indexOf("BPR"), text.indexOf("SE*")), ""));
  });

  it("refuses elements that are missing, too many, too long, composite or of another form", async () => {
    const cases: [string, string, string][] = [
      ["BPR*I*305.5*C", "BPR**305.5*C", "BPR01"],
      ["*305.5*C", "*305.5*X", "BPR03"],
      ["BPR*I*305.5", "BPR*I*-305.5", "BPR02"],
      ["*20260202", "*2026-202", "BPR16"],
      ["*20260202", "*20260202*X", "BPR17"],
      ["CCP*01*000000001", "CCP*01*0000000000001", "BPR07"],
      ["SYN-TRACE-0001", "X".repeat(51), "TRN02"],
      ["N3*1 EXAMPLE STREET", `N3*${"X".repeat(56)}`, "N301"],
      ["LX*1", "LX*A", "LX01"],
      ["CLP*SYN-CLAIM-1*1*", "CLP*SYN-CLAIM-1**", "CLP02"],
      ["CLP*SYN-CLAIM-1*", `CLP*${"X".repeat(39)}*`, "CLP01"],
      ["CLP*SYN-CLAIM-1*", "CLP*SYN:1*", "CLP01"],
      ["CLP*SYN-CLAIM-1*", "CLP*SYN^1*", "CLP01"],
      ["SYN-PAYER-1*11*1", "SYN-PAYER-1*11*1******X", "CLP15"],
      ["CAS*CO*A2*9.5", "CAS*CO*A2*9.5**A2", "CAS06"],
      ["CAS*CO*A2*9.5", "CAS*CO**9.5", "CAS02"],
      ["CAS*CO*A2*9.5", "CAS*CO", "CAS02"],
      ["CAS*CO*A2*9.5", "CAS*CO*A2*9.5*ONE", "CAS04"],
      ["CAS*CO*A2*9.5", "CAS*COO*A2*9.5", "CAS01"],
      ["CAS*CO*A2*9.5", `CAS*CO${"*45*1*1".repeat(7)}`, "CAS22"],
      ["DTM*232*20260110", "DTM*232*260110", "DTM02"],
      ["DTM*232*20260110", "DTM*232*20260110*0915", "DTM03"],
      ["QTY*CA*2", "QTY*CA*TWO", "QTY02"],
      ["SVC*HC:SYN01:25:59*", "SVC**", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*HC*", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*:SYN01*", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*HC:SYN01::59*", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*HC:SYN01:255*", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*HC:SYN01:::::A:B*", "SVC01"],
      ["SVC*HC:SYN01:25:59*", "SVC*HC:SYN01^HC:SYN02*", "SVC01"],
    ];
    for (const [from, to, element] of cases) {
      const error = await refused("X12_ELEMENT_INVALID", changed(from, to));
      expect(error.details["element"], to).to.equal(element);
      expect(error.message).to.contain(element);
    }
    const adjusted = x12Text("provider-adjustments.835");
    for (const [from, to, element] of [
      ["WO:SYN-PAYER-0*50", ":SYN-PAYER-0*50", "PLB03"],
      ["WO:SYN-PAYER-0*50", "WO:A:B*50", "PLB03"],
      ["WO:SYN-PAYER-0*50", "WOO*50", "PLB03"],
      ["WO:SYN-PAYER-0*50", "WO*", "PLB04"],
      ["*20261231*WO", "*2026*WO", "PLB02"],
      ["*FB:SYN-TRACE-0000*5", "*FB*1*FB*1*FB*1*FB*1", "PLB16"],
    ] as const)
      expect((await refused("X12_ELEMENT_INVALID", adjusted.replace(from, to))).details["element"]).to.equal(element);
  });

  it("keeps what patients are called out of messages", async () => {
    const error = await refused(
      "X12_ELEMENT_INVALID",
      text.replace("NM1*QC*1*SAMPLE*ALEX", `NM1*QC*1*SAMPLE*${"ALEX".repeat(9)}`),
    );
    expect(JSON.stringify(error)).not.to.contain("ALEX").and.not.to.contain("SAMPLE");
  });
});
