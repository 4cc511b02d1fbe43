import { readFileSync, statSync, writeFileSync } from "node:fs";

import { expect } from "chai";

import { isCarepactError, CarepactError, type Connection } from "@carepact/sdk";

import { exitCodeOf } from "../../tasks/support/exitCodes";
import { outputTo, readEntries } from "../../tasks/support/files";
import { addressIn, amountIn, countIn, durationIn, listIn, momentIn } from "../../tasks/support/input";
import { tokenAt } from "../../tasks/support/money";
import { durationText, isoTime, table } from "../../tasks/support/show";

import { folder } from "./support";

const { path, file } = folder();
const now = (): Promise<number> => Promise.resolve(1_000_000);
const seconds = (text: string): number => Date.parse(text) / 1_000;

async function refused(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (thrown) {
    if (isCarepactError(thrown)) return thrown.code;
    throw thrown;
  }
  return "taken";
}

describe("Tasks: what is typed in", () => {
  it("reads durations with their units, and writes them back", async () => {
    const given = ["0s", "90s", "30m", "72h", "3d", "2w"];
    expect(given.map((text) => durationIn(text, "--x"))).to.deep.equal([0, 90, 1_800, 259_200, 259_200, 1_209_600]);
    expect([0, 90, 61, 5_400, 259_200].map(durationText)).to.deep.equal(["0s", "90s", "61s", "90m", "3d"]);
    for (const text of ["", "3", "3 d", "3days", "-3d", "1.5d", "99999999d", 3, undefined])
      expect(await refused(() => durationIn(text, "--x")), String(text)).to.equal("INPUT_INVALID");
  });

  it("reads moments with their zone, dates as their last second in UTC, and durations from now on", async () => {
    for (const [text, expected] of [
      ["2026-12-31", seconds("2026-12-31T23:59:59Z")],
      ["2028-02-29", seconds("2028-02-29T23:59:59Z")],
      ["2026-12-31T18:00Z", seconds("2026-12-31T18:00:00Z")],
      ["2026-12-31T18:00:00+02:00", seconds("2026-12-31T16:00:00Z")],
      ["14d", 1_000_000 + 14 * 86_400],
    ] as const)
      expect(await momentIn(text, "--x", now), text).to.equal(expected);
    for (const text of [
      "2026-12-31T18:00:00",
      "31.12.2026",
      "2026-02-29",
      "2026-13-01",
      "2026-04-31",
      "soon",
      "1799999999",
    ])
      expect(await refused(() => momentIn(text, "--x", now)), text).to.equal("INPUT_INVALID");
    expect(isoTime(seconds("2026-12-31T18:00:00Z"))).to.equal("2026-12-31T18:00:00Z");
  });

  it("reads amounts exactly, accounts with their checksum, counts and lists", async () => {
    expect(amountIn("90.00", { decimals: 6 }, "--x")).to.equal(90_000_000n);
    expect(await refused(() => amountIn("0.00", { decimals: 6 }, "--x"))).to.equal("INPUT_INVALID");
    expect(await refused(() => amountIn("0.0000001", { decimals: 6 }, "--x"))).to.equal("AMOUNT_TOO_PRECISE");
    const address = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
    expect(addressIn(address.toLowerCase(), "--x")).to.equal(address);
    for (const wrong of [address.replace("D1a", "d1a"), `0x${"0".repeat(40)}`, "0x11", "elm.eth", 1])
      expect(await refused(() => addressIn(wrong, "--x")), String(wrong)).to.equal("INPUT_INVALID");
    expect([countIn("0", "--x"), countIn("12", "--x", 1)]).to.deep.equal([0, 12]);
    for (const wrong of ["0", "1.5", "-1", ""])
      expect(await refused(() => countIn(wrong, "--x", 1))).to.equal("INPUT_INVALID");
    expect(listIn(" a, b,,c ")).to.deep.equal(["a", "b", "c"]);
  });

  it("shows others' words in tables as parts of their lines", () => {
    const lines = table(["claim", "TU\nSD"], [["F-1\nF-2\u001b[1A", ["one", "two"]]], ["TU\nSD"]);
    expect(lines.join("\n")).to.include("F-1\\u000aF-2\\u001b[1A").and.to.include("TU\\u000aSD");
    // Head, two lines of the row, and three of the frame: only lists of this command's own make lines.
    expect(lines).to.have.length(6);
    expect(new Set(lines.map((line) => line.length)).size).to.equal(1);
  });

  it("reads a token no longer than commands have time", async () => {
    const site = { connection: { runner: {}, deployment: {} } as Connection, options: { signal: AbortSignal.abort() } };
    expect(await refused(() => tokenAt(site, `0x${"11".repeat(20)}`, "--token"))).to.equal("ABORTED");
  });

  it("reads one object, an array, or one a line", async () => {
    const entries = [{ a: 1 }, { a: 2 }];
    const lines = entries.map((entry) => JSON.stringify(entry)).join("\n");
    for (const [name, content, expected] of [
      ["one", JSON.stringify(entries[0], undefined, 2), [entries[0]]],
      ["array", JSON.stringify(entries), entries],
      ["pretty", JSON.stringify(entries, undefined, 2), entries],
      ["lines", `${lines}\n\n`, entries],
    ] as const)
      expect(await readEntries(file(name, content), "--x"), name).to.deep.equal(expected);
    for (const [name, content] of [
      ["cut", '{"a": 1}\n{"a": '],
      ["empty", ""],
    ] as const)
      expect(await refused(() => readEntries(file(name, content), "--x")), name).to.equal("INPUT_INVALID");
  });
});

describe("Tasks: what is written", () => {
  it("is written whole, with its mode, and over nothing unless forced", async () => {
    const output = await outputTo(path("out"), "--out", { mode: 0o600 });
    await output.write("first");
    expect(statSync(path("out")).mode & 0o777).to.equal(0o600);
    expect(await refused(() => outputTo(path("out"), "--out"))).to.equal("INPUT_INVALID");
    // Somebody else was faster than the writing, if not than the first look.
    expect(await refused(() => output.write("second"))).to.equal("INPUT_INVALID");
    expect(readFileSync(path("out"), "utf8")).to.equal("first");
    await (await outputTo(path("out"), "--out", { force: true })).write("third");
    expect(readFileSync(path("out"), "utf8")).to.equal("third");
    expect(await refused(() => outputTo(path("no/where"), "--out"))).to.equal("INPUT_INVALID");
  });

  it("waits beside its place until it counts", async () => {
    const output = await outputTo(path("late"), "--out");
    const first = await output.stage("first");
    expect(readFileSync(path("late.unsent"), "utf8")).to.equal("first");
    expect(() => statSync(path("late"))).to.throw("ENOENT");
    expect(await refused(() => output.stage("second"))).to.equal("INPUT_INVALID");
    await first.keep();
    expect(readFileSync(path("late"), "utf8")).to.equal("first");
    expect(() => statSync(path("late.unsent"))).to.throw("ENOENT");

    // What waits may be the only record of what was sent.
    await (await outputTo(path("held"), "--out", { force: true })).stage("held");
    expect(await refused(() => outputTo(path("held"), "--out", { force: true, staged: true }))).to.equal(
      "INPUT_INVALID",
    );
    const forced = await outputTo(path("held"), "--out", { force: true });
    expect(await refused(() => forced.stage("another"))).to.equal("INPUT_INVALID");
    expect(readFileSync(path("held.unsent"), "utf8")).to.equal("held");

    const other = await outputTo(path("never"), "--out");
    await (await other.stage("x")).drop();
    expect(() => statSync(path("never.unsent"))).to.throw("ENOENT");
    const taken = await outputTo(path("taken"), "--out");
    const staged = await taken.stage("mine");
    writeFileSync(path("taken"), "theirs");
    expect(await refused(() => staged.keep())).to.equal("INPUT_INVALID");
    expect(readFileSync(path("taken"), "utf8") + readFileSync(path("taken.unsent"), "utf8")).to.equal("theirsmine");
  });
});

describe("Tasks: exit codes", () => {
  it("tell a wrong call from a refusal and from a network that fails", () => {
    const codes = {
      INPUT_INVALID: 2,
      FILE_TAMPERED: 2,
      AMOUNT_TOO_PRECISE: 2,
      PAYEE_UNKNOWN: 2,
      CHAIN_MISMATCH: 2,
      PATIENT_UNKNOWN: 2,
      NOT_CONTROLLER: 2,
      CODE_UNKNOWN: 2,
      CONTACTS_MISMATCH: 2,
      CONTACT_SIGNATURES_TOO_FEW: 2,
      GRANT_MALFORMED: 2,
      GRANT_WRONG_REGISTRY: 2,
      MANDATE_TOO_WIDE: 2,
      CONSENT_NOT_EXPRESSIBLE: 2,
      ACCESS_HISTORY_MALFORMED: 2,
      AUTHORIZATION_EXPIRED: 2,
      RULEBOOK_INVALID: 2,
      EQUIVOCATION_NOT_SHOWN: 2,
      LEDGER_UNREADABLE: 2,
      PATIENT_SIGNER_MISSING: 2,
      EVENT_ALREADY_ATTESTED: 4,
      ATTESTATION_NOT_REPORTED: 1,
      GRANT_WOULD_BE_REFUSED: 1,
      PATIENT_NOT_ACTIVE: 1,
      RECOVERY_PHASE_WRONG: 1,
      ORGANIZATION_NOT_IN_STANDING: 1,
      CONTRACT_REVERTED: 1,
      USER_REJECTED: 1,
      GAS_FUNDS_MISSING: 1,
      ATTESTATION_TOO_FEW: 1,
      NODE_UNREACHABLE: 3,
      RATE_LIMITED: 3,
      TIMED_OUT: 3,
      ALREADY_SENT: 6,
    } as const;
    for (const [code, expected] of Object.entries(codes))
      expect(exitCodeOf(new CarepactError(code as keyof typeof codes, "")), code).to.equal(expected);
  });

  it("tell what was sent, or may have been, from what can be tried again, whatever the error", () => {
    const txHash = `0x${"11".repeat(32)}`;
    for (const code of ["NODE_UNREACHABLE", "TIMED_OUT", "INPUT_INVALID", "CONTRACT_REVERTED"] as const) {
      expect(exitCodeOf(new CarepactError(code, "", { mayBeSent: true })), code).to.equal(6);
      expect(exitCodeOf(new CarepactError(code, "", {}, undefined, { txHash })), code).to.equal(6);
    }
    const failed = new CarepactError("TRANSACTION_FAILED", "", { blockNumber: 7 }, undefined, { txHash });
    expect(exitCodeOf(failed), "a receipt says that it failed").to.equal(1);
  });
});
