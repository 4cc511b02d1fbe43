import { expect } from "chai";

import type { ErrorCode } from "../../sdk/src/errors";
import { parse835, readSegments, type X12Source } from "../../sdk/src/x12";

import { refusedAsync } from "./refused";
import { allOf, bytesOf, ownFiles, piecesOf, x12Text } from "./x12Files";

const text = x12Text("primary.835");
const several = x12Text("several.835");
const segments = text.split("~\n").slice(0, -1);

const refused = (code: ErrorCode, source: X12Source, options = {}): ReturnType<typeof refusedAsync> =>
  refusedAsync(code, allOf(readSegments(source, options)));

describe("x12 envelopes", () => {
  it("gives every segment with its place, its elements cut into components", async () => {
    const read = await allOf(readSegments(text));
    expect(read).to.have.length(segments.length);
    expect(read.map(({ number }) => number)).to.deep.equal(segments.map((_, i) => i + 1));
    for (const { position, id } of read) expect(text.slice(position, position + id.length)).to.equal(id);
    expect(read.find(({ id }) => id === "SVC")?.elements).to.deep.equal([
      ["HC", "SYN01", "25", "59"],
      "250",
      "170",
      "",
      "1",
      "",
      "2",
    ]);
    expect(read[0]?.elements[5]).to.equal("SYNTHETICPAYER ");
    expect(read[0]?.delimiters).to.deep.equal({ element: "*", repetition: "^", component: ":", segment: "~" });
  });

  it("gives repetitions as lists of components", async () => {
    const read = await allOf(readSegments(text.replace("AMT*AU*275", "AMT*A:B^C*1")));
    expect(read.find(({ id }) => id === "AMT")?.elements[0]).to.deep.equal([["A", "B"], ["C"]]);
  });

  it("takes text and bytes, at once and in pieces of any size", async () => {
    const whole = await allOf(readSegments(text));
    const sources: X12Source[] = [bytesOf(text), [text], [bytesOf(text)]];
    for (const length of [1, 2, 7, 105, 106, 107, 1000])
      sources.push(piecesOf(text, length), piecesOf(text, length).map(bytesOf));
    sources.push(
      (async function* () {
        await Promise.resolve();
        yield* piecesOf(text, 50);
      })(),
    );
    for (const source of sources) expect(await allOf(readSegments(source))).to.deep.equal(whole);
  });

  it("takes line breaks of any kind after segments, and white space between interchanges", async () => {
    const whole = (await allOf(readSegments(several))).map(({ id, elements }) => ({ id, elements }));
    const [first, second] = several.split(/(?=ISA\|)/) as [string, string];
    for (const source of [
      first.replaceAll("\n", "") + second,
      `${first.replaceAll("\n", "\r\n")}\t \r\n ${second}\n\n`,
    ])
      expect((await allOf(readSegments(source))).map(({ id, elements }) => ({ id, elements }))).to.deep.equal(whole);
  });

  it("takes letters of X12's extended set, in UTF-8 or Latin-1", async () => {
    const named = text.replace("PRESCRIBER*SAMPLE", "MUÑOZ ¿*Zoë");
    const sources = [bytesOf(named), piecesOf(named, 1).map(bytesOf), named];
    for (const source of sources) {
      const party = (await allOf(readSegments(source))).find(({ elements }) => elements[2] === "MUÑOZ ¿");
      expect(party?.elements[3]).to.equal("Zoë");
    }
    const latin1 = new Uint8Array(Buffer.from(named, "latin1"));
    const options = { encoding: "latin1" } as const;
    expect(await allOf(readSegments(latin1, options))).to.deep.equal(await allOf(readSegments(named)));
    await refused("X12_CHARACTER_INVALID", latin1);
    // Split in the middle of a character.
    const bytes = bytesOf(named);
    const at = bytes.indexOf(0xc3);
    expect(await allOf(readSegments([bytes.slice(0, at + 1), bytes.slice(at + 1)]))).to.have.length(segments.length);
    await refused("X12_CHARACTER_INVALID", [bytes.slice(0, at + 1)]);
  });

  it("refuses what is no text and no bytes", async () => {
    for (const source of [null, undefined, 5, {}, [5], [null], new Uint16Array(4)])
      await refused("INPUT_INVALID", source as X12Source);
  });

  it("passes on what the source throws", async () => {
    const source = (function* () {
      yield text.slice(0, 200);
      throw new RangeError("the disk is gone");
    })();
    try {
      await allOf(readSegments(source));
    } catch (error) {
      return expect(String(error)).to.contain("the disk is gone");
    }
    return expect.fail("expected the source's error");
  });

  it("refuses what is empty, or does not begin with ISA", async () => {
    for (const source of ["", [], "\n\n ", "GS*HP~", "isa", "I", "IS", "x", new Uint8Array(0)])
      await refused(source === "I" || source === "IS" ? "X12_TRUNCATED" : "X12_ENVELOPE_INVALID", source);
  });

  it("refuses byte order marks, UTF-16, EBCDIC and zero bytes", async () => {
    const ebcdic = new Uint8Array([0xc9, 0xe2, 0xc1, 0x5c, 0xf0, 0xf0]);
    const sources = [
      new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf(text)]),
      new Uint8Array(Buffer.from(`\uFEFF${text}`, "utf16le")),
      ebcdic,
      new Uint8Array([0xff]),
      new Uint8Array([...bytesOf(text), 0xe2, 0x82, 0xac]),
    ];
    for (const source of sources) await refused("X12_CHARACTER_INVALID", source);
    await refused("X12_ENVELOPE_INVALID", `\uFEFF${text}`);
    await refused("X12_ENVELOPE_INVALID", ebcdic, { encoding: "latin1" });
    await refused("X12_ENVELOPE_INVALID", new Uint8Array(1_000));
  });

  it("refuses control characters and others that X12 has not, and says where", async () => {
    for (const bad of ["\0", "\t", "\n", "\r", "\x7f", "\x1c", "€", "×", "\u0100", "\u2028", "\ud800"]) {
      const error = await refused("X12_CHARACTER_INVALID", text.replace("SAMPLE*ALEX", `SAMPLE*AL${bad}EX`));
      expect(error.details["position"]).to.equal(text.indexOf("SAMPLE*ALEX") + "SAMPLE*AL".length);
      expect(error.details["segment"]).to.be.a("number");
    }
  });

  it("refuses delimiters that would leave open what is data", async () => {
    const withDelimiter = (at: number, character: string): string => text.slice(0, at) + character + text.slice(at + 1);
    for (const at of [82, 104, 105])
      for (const character of ["*", "A", "z", "0", " ", ".", "-", "\n", "\r", "\t", "\0", "é"])
        await refused("X12_DELIMITERS_INVALID", withDelimiter(at, character));
    await refused("X12_DELIMITERS_INVALID", withDelimiter(82, ":"));
    await refused("X12_DELIMITERS_INVALID", withDelimiter(105, ":"));
    await refused("X12_DELIMITERS_INVALID", withDelimiter(105, "^"));
    for (const element of ["A", "0", " ", "\n", "."])
      await refused("X12_DELIMITERS_INVALID", text.replaceAll("*", element));
    // The information separators of ASCII were made for this.
    const separated = text.replaceAll("*", "\x1d").replaceAll("~\n", "\x1c").replaceAll(":", "\x1f");
    expect(await allOf(readSegments(separated))).to.have.length(segments.length);
  });

  it("refuses an ISA whose elements are not as long as they have to be", async () => {
    for (const [from, to] of [
      ["SYNTHETICPAYER *", "SYNTHETICPAYER*"],
      ["*00*          *00*", "*00**00*"],
      ["*00501*", "*501*"],
      ["*000000001*0", "*1*0"],
    ] as const)
      await refused("X12_ENVELOPE_INVALID", text.replace(from, to));
  });

  it("refuses elements of ISA, GS and ST that are not of their form", async () => {
    const cases: [ErrorCode, string, string, string][] = [
      ["X12_ENVELOPE_INVALID", "ISA*00", "ISA*0 ", "ISA01"],
      ["X12_ENVELOPE_INVALID", "*ZZ*SYNTHETICPHARM", "*z!*SYNTHETICPHARM", "ISA07"],
      ["X12_ENVELOPE_INVALID", "*260131*", "*261331*", "ISA09"],
      ["X12_ENVELOPE_INVALID", "*0915*^", "*2415*^", "ISA10"],
      ["X12_VERSION_UNSUPPORTED", "*00501*", "*00401*", "ISA12"],
      ["X12_ENVELOPE_INVALID", "*000000001*0", "*00000000X*0", "ISA13"],
      ["X12_ENVELOPE_INVALID", "*0*T*", "*2*T*", "ISA14"],
      ["X12_ENVELOPE_INVALID", "*0*T*", "*0*X*", "ISA15"],
      ["X12_ENVELOPE_INVALID", "*20260131*0915", "*202601*0915", "GS04"],
      ["X12_ENVELOPE_INVALID", "*20260131*0915", "*20260131*9915", "GS05"],
      ["X12_ENVELOPE_INVALID", "*0915*1*X", "*0915*01*X", "GS06"],
      ["X12_ELEMENT_INVALID", "*0915*1*X*005010X221A1", "*0915*1", "GS07"],
      ["X12_ELEMENT_INVALID", "GS*HP*SYNTHETICPAYER", "GS*HP*", "GS02"],
      ["X12_ENVELOPE_INVALID", "ST*835*0001", "ST*835*1", "ST02"],
      ["X12_ELEMENT_INVALID", "ST*835*0001", "ST*835*0001**X", "ST04"],
    ];
    for (const [code, from, to, element] of cases) {
      const error = await refused(code, text.replace(from, to));
      expect(error.details["element"], `${from} → ${to}`).to.equal(element);
    }
  });

  it("refuses counts and control numbers that do not fit, naming both", async () => {
    const count = await refused("X12_COUNT_MISMATCH", text.replace("SE*45*", "SE*44*"));
    expect(count.details).to.include({ id: "SE", element: "SE01", stated: "44", counted: 45 });
    await refused("X12_COUNT_MISMATCH", text.replace("SE*45*", "SE*4x*"));
    await refused("X12_COUNT_MISMATCH", text.replace("GE*1*", "GE*2*"));
    await refused("X12_COUNT_MISMATCH", text.replace("IEA*1*", "IEA*0*"));
    await refused("X12_CONTROL_NUMBER_INVALID", text.replace("SE*45*0001", "SE*45*0002"));
    await refused("X12_CONTROL_NUMBER_INVALID", text.replace("GE*1*1", "GE*1*2"));
    await refused("X12_CONTROL_NUMBER_INVALID", text.replace("IEA*1*000000001", "IEA*1*1"));
  });

  it("refuses control numbers that are used twice", async () => {
    const twice = several.replace("ST*835*0003", "ST*835*0001").replace("SE*16*0003", "SE*16*0001");
    expect((await refused("X12_CONTROL_NUMBER_INVALID", twice)).details["element"]).to.equal("ST02");
    expect((await refused("X12_CONTROL_NUMBER_INVALID", text + text)).details["element"]).to.equal("ISA13");
    const group = text.slice(text.indexOf("GS*"), text.indexOf("IEA*"));
    const groups = text.replace("IEA*1*", `${group}IEA*2*`);
    expect((await refused("X12_CONTROL_NUMBER_INVALID", groups)).details["element"]).to.equal("GS06");
  });

  it("refuses segments outside of where they belong", async () => {
    const moved: [string, string][] = [
      ["ST*835", "LX*9~\nST*835"],
      ["GE*1", "LX*9~\nGE*1"],
      ["IEA*1", "TA1*1~\nIEA*1"],
      ["GS*HP", "GE*0*1~\nGS*HP"],
      ["LX*1", "ST*835*0002~\nLX*1"],
      ["LX*1", "GS*HP*A*B*20260131*0915*2*X*005010X221A1~\nLX*1"],
      ["LX*1", `${segments[0]}~\nLX*1`],
      ["SE*45*0001~\n", ""],
      ["GE*1*1~\n", ""],
      ["GS*HP", "SE*1*1~\nGS*HP"],
    ];
    for (const [from, to] of moved) await refused("X12_ENVELOPE_INVALID", text.replace(from, to));
    await refused("X12_ENVELOPE_INVALID", `${text}LX*1~`);
    await refused("X12_ENVELOPE_INVALID", `${text}\0`);
    await refused("X12_ENVELOPE_INVALID", `${segments.slice(0, 2).join("~")}~GE*0*1~IEA*1*000000001~`);
    for (const id of ["", "A", "ABCD", "lx", "1X", "L-"])
      await refused("X12_SEGMENT_UNEXPECTED", text.replace("LX*1", `${id}*1`));
  });

  it("refuses a file that was cut off after, or inside, any of its segments", async () => {
    for (const [, whole] of ownFiles("835")) {
      const cuts = [...whole.matchAll(/[~`]\n?/g)].map(({ index }) => index + 1);
      const ends = new Set([whole.length, whole.lastIndexOf("ISA")]);
      for (const cut of cuts.slice(0, -1)) {
        const complete = ends.has(cut) || /^\s*ISA/.test(whole.slice(cut));
        if (!complete) await refusedAsync("X12_TRUNCATED", allOf(parse835(whole.slice(0, cut))));
        if (!complete) await refusedAsync("X12_TRUNCATED", allOf(parse835(whole.slice(0, cut - 1))));
      }
    }
  });

  it("refuses a segment without end, many elements, and more than it was told to take", async () => {
    let given = 0;
    const endless = function* (piece: string): Generator<string> {
      yield text.slice(0, text.indexOf("LX*1"));
      for (;;) {
        given += piece.length;
        yield piece;
      }
    };
    const segment = await refused("X12_TOO_LARGE", endless("X".repeat(1_000)));
    expect(segment.details["limit"]).to.equal(10_000);
    expect(given).to.be.lessThan(20_000);
    await refused("X12_TOO_LARGE", endless("*".repeat(100_000_000)));
    await refused("X12_TOO_LARGE", text.replace("LX*1", `LX${"*1".repeat(101)}`));
    given = 0;
    const input = await refused("X12_TOO_LARGE", endless("REF*EV*SYN~".repeat(1_000)), { maxLength: 500_000 });
    expect(input.details["limit"]).to.equal(500_000);
    expect(given).to.be.lessThan(600_000);
    given = 0;
    await refused("X12_TOO_LARGE", endless("\n".repeat(10_000)), { maxLength: 500_000 });
  });

  it("ends the source when the reader has enough", async () => {
    let ended = false;
    const source = (function* () {
      try {
        for (;;) yield text;
      } finally {
        ended = true;
      }
    })();
    for await (const segment of readSegments(source)) if (segment.id === "GS") break;
    expect(ended).to.equal(true);
  });
});
