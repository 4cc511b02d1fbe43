import { expect } from "chai";

import { adjudicate } from "../../sdk/src/claims";
import type { ErrorCode } from "../../sdk/src/errors";
import { chargedClaimOf, parse837, type Claim837 } from "../../sdk/src/x12";

import { refused as refusedNow, refusedAsync } from "./refused";
import { allOf, bytesOf, ownFiles, piecesOf, publicFiles, x12Text } from "./x12Files";

const professional = x12Text("professional.837");
const PAYEE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** The file with something in another's place, and SE01 counted anew. */
function changed(from: string | RegExp, to: string, file = professional): string {
  const [head = "", rest = ""] = file.replace(from, to).split(/(?=SE\*)/);
  expect(head + rest).not.to.equal(file);
  return head + rest.replace(/^SE\*\d+/, `SE*${head.slice(head.indexOf("ST*")).split("~\n").length}`);
}

const refused = (code: ErrorCode, source: string): ReturnType<typeof refusedAsync> =>
  refusedAsync(code, allOf(parse837(source)));

async function only(name: string): Promise<Claim837> {
  const [claim] = await allOf(parse837(x12Text(name)));
  return claim as Claim837;
}

describe("x12.parse837", () => {
  it("reads a professional claim with lines, drug, tax and providers", async () => {
    const [claim] = (await allOf(parse837(professional))) as [Claim837];
    const { lines, billingProvider, subscriber, submission, ...itself } = claim;
    expect(itself).to.deep.equal({
      kind: "professional",
      claimId: "SYN-CLAIM-1",
      totalCharge: 10337n,
      facility: "11",
      frequency: "1",
      information: { id: "CLM", elements: ["SYN-CLAIM-1", "103.37", "", "", ["11", "B", "1"], "Y", "A", "Y", "Y"] },
      dates: [{ qualifier: "431", start: "2026-01-10", end: "2026-01-10" }],
      codes: [
        {
          id: "HI",
          elements: [
            ["ABK", "SYN1"],
            ["ABF", "SYN2"],
          ],
        },
      ],
      amounts: [{ qualifier: "F5", amount: 2000n }],
      references: [{ qualifier: "D9", value: "SYN-CLEARING" }],
      other: [
        { id: "DTP", elements: ["435", "DT", "202601101530"] },
        { id: "NM1", elements: ["82", "1", "PRESCRIBER", "SAMPLE", "", "", "", "XX", "1234567893"] },
        { id: "PRV", elements: ["PE", "PXC", "SYNTAXONOM"] },
        { id: "REF", elements: ["G2", "SYNPROVIDER"] },
      ],
    });
    expect(billingProvider).to.deep.include({
      npi: "1234567893",
      other: [{ id: "PRV", elements: ["BI", "PXC", "SYNTAXONOM"] }],
    });
    expect(billingProvider.party.references).to.deep.equal([{ qualifier: "EI", value: "000000001" }]);
    expect(billingProvider.payTo.map(({ role, address }) => [role, address?.lines])).to.deep.equal([
      ["87", ["4 EXAMPLE STREET"]],
    ]);
    expect(subscriber.party).to.deep.include({ role: "IL", name: "SAMPLE", firstName: "ALEX", id: "SYNMEMBER1" });
    expect(subscriber.payer?.name).to.equal("SYNTHETIC HEALTH PLAN");
    expect(submission).to.deep.include({
      reference: "SYN-BATCH-1",
      date: "2026-01-31",
      type: "CH",
      controlNumber: "0001",
    });

    const { service, ...second } = lines[1] as Claim837["lines"][number];
    expect(service.elements[0]).to.deep.equal(["HC", "SYN02"]);
    expect(second).to.deep.equal({
      lineNumber: 2,
      procedure: { qualifier: "HC", code: "SYN02", modifiers: [] },
      charge: 5337n,
      unit: "UN",
      quantity: ".5",
      serviceDate: { start: "2026-01-10", end: "2026-01-12" },
      pointers: ["1"],
      ndc: "00000000001",
      drug: {
        qualifier: "N4",
        code: "00000000001",
        quantity: "10",
        unit: "ML",
        references: [{ qualifier: "XZ", value: "SYN-RX-1" }],
      },
      dates: [{ qualifier: "472", start: "2026-01-10", end: "2026-01-12" }],
      amounts: [{ qualifier: "T", amount: 337n }],
      references: [],
      other: [
        { id: "REF", elements: ["G1", "SYN-AUTH", "", ["2U", "SYNPLAN1"]] },
        { id: "NM1", elements: ["DK", "1", "PRESCRIBER", "SAMPLE", "", "", "", "XX", "1234567893"] },
        { id: "REF", elements: ["G2", "SYNPROVIDER"] },
        { id: "SVD", elements: ["SYNOTHER", "5", ["HC", "SYN02"], "", "1"] },
        { id: "CAS", elements: ["CO", "45", "2"] },
        { id: "DTP", elements: ["573", "D8", "20260120"] },
      ],
    });
  });

  it("reads a dependent, whose subscriber is another", async () => {
    const [, claim] = (await allOf(parse837(professional))) as [Claim837, Claim837];
    expect(claim.patient?.party).to.deep.include({ role: "QC", firstName: "ROBIN" });
    expect(claim.patient?.other).to.deep.equal([{ id: "PAT", elements: ["19"] }]);
    expect(claim.subscriber.party.firstName).to.equal("ALEX");
    expect(claim).to.include({ claimId: "SYN-CLAIM-2", frequency: "7" });
    expect(claim.other.map(({ id }) => id)).to.deep.equal(["SBR", "OI", "NM1", "NM1"]);
    expect(claim.references).to.deep.equal([{ qualifier: "F8", value: "SYN-PAYER-0" }]);
  });

  it("reads institutional and dental claims", async () => {
    const institutional = await only("institutional.837");
    expect(institutional.kind).to.equal("institutional");
    const [room] = institutional.lines;
    expect(room).to.deep.include({ revenueCode: "0120", charge: 60000n, unit: "DA", quantity: "2" });
    expect(room?.procedure).to.equal(undefined);
    const dental = await only("dental.837");
    expect(dental.lines[0]).to.deep.include({
      charge: 8000n,
      quantity: "1",
      procedure: { qualifier: "AD", code: "SYN05", modifiers: [] },
    });
  });

  it("reads the project's files and the public samples, in one piece or many", async () => {
    for (const [name, text] of [...ownFiles("837"), ...publicFiles("837")]) {
      const read = await allOf(parse837(text));
      expect(read, name).not.to.be.empty;
      expect(await allOf(parse837(piecesOf(text, 17).map(bytesOf))), name).to.deep.equal(read);
    }
  });

  it("refuses a claim whose lines do not sum to it, naming both figures", async () => {
    const error = await refused("X12_DOES_NOT_BALANCE", professional.replace("*103.37*", "*106.74*"));
    expect(error.details).to.include({
      id: "CLM",
      claimId: "SYN-CLAIM-1",
      equation: "sum of SV102 = CLM02",
      stated: "106.74",
      computed: "103.37",
    });
    const institutional = x12Text("institutional.837").replace("*900*", "*901*");
    expect((await refused("X12_DOES_NOT_BALANCE", institutional)).details["equation"]).to.equal("sum of SV203 = CLM02");
    await refused("X12_DOES_NOT_BALANCE", x12Text("dental.837").replace("*80***11", "*81***11"));
  });

  it("refuses a hierarchy that does not number, nest or keep its word", async () => {
    const cases: [string, string, string][] = [
      ["HL*1**20*1", "HL*2**20*1", "HL01"],
      ["HL*1**20*1", "HL*1*1*20*1", "HL02"],
      ["HL*1**20*1", "HL*1**22*1", "HL03"],
      ["HL*1**20*1", "HL*1**21*1", "HL03"],
      ["HL*1**20*1", "HL*1**20*2", "HL04"],
      ["HL*1**20*1", "HL*1**20*0", "HL02"],
      ["HL*2*1*22*0", "HL*2*2*22*0", "HL02"],
      ["HL*2*1*22*0", "HL*2**22*0", "HL02"],
      ["HL*2*1*22*0", "HL*2*1*22*1", "HL04"],
      ["HL*3*1*22*1", "HL*4*1*22*1", "HL01"],
      ["HL*4*3*23*0", "HL*4*2*23*0", "HL02"],
      ["HL*4*3*23*0", "HL*4*3*23*1", "HL04"],
      ["HL*4*3*23*0", "HL*4*3*23", "HL04"],
    ];
    for (const [from, to, element] of cases) {
      const code = to === "HL*4*3*23" ? "X12_ELEMENT_INVALID" : "X12_HIERARCHY_INVALID";
      expect((await refused(code, professional.replace(from, to))).details["element"], to).to.equal(element);
    }
    await refused("X12_HIERARCHY_INVALID", changed("HL*2*1*22*0", "CLM*X*1***11:B:1~\nHL*2*1*22*0"));
    await refused("X12_SEGMENT_MISSING", changed(/HL\*1[^]*(?=SE\*)/, ""));
  });

  it("refuses segments where the guide has no place for them, and a claim without what it needs", async () => {
    for (const [from, to] of [
      ["HL*1**20*1", "LX*1~\nHL*1**20*1"],
      ["NM1*85", "SBR*P~\nNM1*85"],
      ["NM1*85", "NM1*IL~\nNM1*85"],
      ["NM1*85", "N3*STREET~\nNM1*85"],
      ["CLM*SYN-CLAIM-1", "HI*ABK:X~\nCLM*SYN-CLAIM-1"],
      ["HI*ABK:SYN1*ABF", "SV1*HC:X*1~\nHI*ABK:SYN1*ABF"],
      ["DTP*472*D8*20260110", "SV1*HC:X*1~\nDTP*472*D8*20260110"],
      ["CTP****10*ML", "CTP****10*ML~\nCTP****10*ML"],
      ["CTP****10*ML", "LIN**N4*1~\nCTP****10*ML"],
      ["SVD*", "ZZ9*1~\nSVD*"],
    ] as const)
      await refused("X12_SEGMENT_UNEXPECTED", changed(from, to));
    for (const [segment, missing] of [
      [/BHT.*~\n/, "BHT"],
      [/NM1\*41.*~\nPER.*~\n/, "NM1*41"],
      [/NM1\*40.*~\n/, "NM1*40"],
      [/NM1\*85[^]*?(?=NM1\*87)/, "NM1*85"],
      [/NM1\*IL[^]*?(?=NM1\*PR)/, "NM1*IL"],
      [/NM1\*QC[^]*?(?=CLM)/, "NM1*QC"],
      [/SV1\*HC:SYN01.*~\n/, "SV1"],
      [/LX\*1~\nSV1\*HC:SYN03[^]*?(?=SE)/, "LX"],
    ] as const)
      expect((await refused("X12_SEGMENT_MISSING", changed(segment, ""))).details["missing"]).to.equal(missing);
    await refused("X12_SEGMENT_MISSING", changed("SV1*HC:SYN03", "SV2*0120*HC:SYN03"));
  });

  it("refuses elements that are missing or of another form", async () => {
    const cases: [ErrorCode, string, string, string][] = [
      ["X12_ELEMENT_INVALID", "BHT*0019", "BHT*0010", "BHT01"],
      ["X12_ELEMENT_INVALID", "11:B:1*Y", "11:B*Y", "CLM05"],
      ["X12_ELEMENT_INVALID", "CLM*SYN-CLAIM-1", `CLM*${"X".repeat(39)}`, "CLM01"],
      ["X12_AMOUNT_INVALID", "*103.37*", "*103.370*", "CLM02"],
      ["X12_AMOUNT_INVALID", "*103.37*", "*-103.37*", "CLM02"],
      ["X12_AMOUNT_INVALID", "SYN01:25*50", "SYN01:25*-50", "SV102"],
      ["X12_ELEMENT_INVALID", "SYN01:25*50*UN*1", "SYN01:25*50*UN*-1", "SV104"],
      ["X12_ELEMENT_INVALID", "SV1*HC:SYN01:25*", "SV1**", "SV101"],
      ["X12_ELEMENT_INVALID", "LX*2", "LX*3", "LX01"],
      ["X12_ELEMENT_INVALID", "RD8*20260110-20260112", "RD8*20260110", "DTP03"],
      ["X12_ELEMENT_INVALID", "RD8*20260110-20260112", "RD8*20260110-2026-01", "DTP03"],
      ["X12_ELEMENT_INVALID", "CTP****10*ML", "CTP***5*10*ML", "CTP03"],
      ["X12_ELEMENT_INVALID", "CTP****10*ML", "CTP****TEN*ML", "CTP04"],
      ["X12_ELEMENT_INVALID", "CTP****10*ML", "CTP****10*ML:UN", "CTP05"],
    ];
    for (const [code, from, to, element] of cases)
      expect((await refused(code, professional.replace(from, to))).details["element"], to).to.equal(element);
    await refused("X12_VERSION_UNSUPPORTED", professional.replaceAll("005010X222A1", "004010X098A1"));
    await refused("X12_VERSION_UNSUPPORTED", x12Text("primary.835"));
    await refused("CURRENCY_MISMATCH", changed("PRV*BI", "CUR*85*EUR~\nPRV*BI"));
  });
});

describe("x12.chargedClaimOf", () => {
  it("makes a claim that adjudicate takes", async () => {
    const [claim] = (await allOf(parse837(professional))) as [Claim837];
    const charged = chargedClaimOf(claim);
    expect(charged).to.deep.include({
      claimId: "SYN-CLAIM-1",
      kind: "professional",
      provider: "http://hl7.org/fhir/sid/us-npi|1234567893",
      total: 10337n,
      fundable: true,
    });
    expect(charged.lines[1]).to.deep.equal({
      sequence: 2,
      productOrService: "HC|SYN02",
      quantity: { value: "0.5", unit: "UN" },
      charge: 5337n,
      serviced: { start: "2026-01-10", end: "2026-01-12" },
      details: [],
    });
    const resource = JSON.parse(JSON.stringify(charged.resource)) as { totalCharge: string; other: unknown[] };
    expect(resource.totalCharge).to.equal("103.37");
    expect(resource.other).to.have.length(4);

    const decided = adjudicate(charged, {
      payee: PAYEE,
      lines: [
        { sequence: 1, allowed: "40", patientShare: "10" },
        { sequence: 2, allowed: "53.37" },
      ],
    });
    expect(decided).to.include({ charge: 10337n, planPays: 8337n });
  });

  it("takes statement dates and revenue codes where lines have no own, and whoever has no NPI", async () => {
    const institutional = chargedClaimOf(await only("institutional.837"));
    expect(
      institutional.lines.map(({ productOrService, serviced }) => [productOrService, serviced?.start]),
    ).to.deep.equal([
      ["NU|0120", "2026-01-03"],
      ["HC|SYN04", "2026-01-04"],
    ]);
    expect(chargedClaimOf(await only("dental.837")).provider).to.equal("EI|000000001");
    const [named] = await allOf(parse837(professional.replaceAll("*XX*1234567893~\nN3*2", "*24*SYN-EIN~\nN3*2")));
    expect(chargedClaimOf(named as Claim837).provider).to.equal("24|SYN-EIN");
  });

  it("funds no claim that takes another back, and none that only reports", async () => {
    for (const [name, reason] of [
      ["institutional.837", { path: "CLM05-3", value: "8" }],
      ["dental.837", { path: "BHT06", value: "RP" }],
    ] as const) {
      const charged = chargedClaimOf(await only(name));
      expect(charged).to.deep.include({ fundable: false, reason });
      refusedNow("CLAIM_NOT_FUNDABLE", () => adjudicate(charged, { payee: PAYEE, lines: [] }));
    }
  });
});
