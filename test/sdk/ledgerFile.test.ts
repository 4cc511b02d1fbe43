import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";

import { expect } from "chai";
import { getBytes, hexlify, id } from "ethers";
import { open } from "lmdb";

import { lmdbLedger } from "@carepact/sdk/ledger";

import { refusal } from "../integration/support";

import {
  attestedOf,
  batchNamed,
  ledgerFolder,
  lineOf,
  payerNamed,
  placeOf,
  SECRET,
  type LedgerFolder,
} from "./ledgers";

let folder: LedgerFolder;
before(() => {
  folder = ledgerFolder();
});
after(() => folder.remove());

/** The database as anybody who has the file can open it. */
const rawOf = (path: string) =>
  open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    keyEncoding: "binary",
    encoding: "binary",
    overlappingSync: false,
  });

async function refusedFor(reason: string, attempt: Promise<unknown> | (() => unknown)): Promise<void> {
  const { details } = await refusal("LEDGER_UNREADABLE", attempt);
  expect(details["reason"]).to.equal(reason);
}

/** A closed ledger's file with one event. */
async function madeLedger(): Promise<string> {
  const path = folder.path();
  const ledger = folder.open(path);
  expect(await ledger.claim([lineOf()])).to.deep.equal([]);
  await ledger.close();
  return path;
}

describe("A ledger's database file", () => {
  it("knows after a restart what it knew before", async () => {
    const path = await madeLedger();
    const again = folder.open(path);
    expect(await again.attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
    expect((await again.claim([lineOf({ batch: "later" })])).map(({ reason }) => reason)).to.deep.equal(["samePayer"]);
    expect(await again.claim([lineOf()])).to.deep.equal([]);
    expect(await again.release([placeOf()])).to.equal(1);
    await again.close();
    expect(await folder.open(path).claim([lineOf({ batch: "later" })])).to.deep.equal([]);
  });

  it("shows nothing of an event, a batch, a payer or an amount without the secret", async () => {
    const path = await madeLedger();
    const { eventKey } = lineOf();
    const file = readFileSync(path);
    const said = [
      "1234567893",
      "2026-01-15",
      "dispense",
      "USD",
      eventKey,
      batchNamed("one"),
      payerNamed("one"),
      "4000",
    ];
    for (const text of said) expect(file.includes(text), text).to.equal(false);
    for (const hex of [id(eventKey), batchNamed("one"), payerNamed("one"), SECRET])
      expect(file.includes(Buffer.from(getBytes(hex))), hex).to.equal(false);
  });

  it("gives equal events other names under another secret", async () => {
    const names = await Promise.all(
      ["one", "other"].map(async (secret) => {
        const path = folder.path();
        const ledger = folder.open(path, id(secret));
        await ledger.claim([lineOf()]);
        await ledger.close();
        const raw = rawOf(path);
        const keys = [...raw.getKeys()].map((key) => hexlify(key)).filter((key) => key.length === 66);
        await raw.close();
        expect(keys).to.have.length(1);
        return keys[0];
      }),
    );
    expect(names[0]).not.to.equal(names[1]);
  });

  it("is one ledger, however often it is opened in one process", async () => {
    const path = folder.path();
    const [one, other] = [folder.open(path), folder.open(path)];
    expect(await one.claim([lineOf()])).to.deep.equal([]);
    expect((await other.claim([lineOf({ batch: "later" })])).map(({ reason }) => reason)).to.deep.equal(["samePayer"]);
    await one.close();
    expect(await other.attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
  });

  it("is made with a secret of 32 bytes, as bytes or as hex", async () => {
    const path = await madeLedger();
    const ledger = lmdbLedger({ path, secret: getBytes(SECRET) });
    expect(await ledger.attested(lineOf().eventKey)).to.have.length(1);
    await ledger.close();
    for (const secret of ["", "0x", "secret", `${SECRET}00`, new Uint8Array(31), 7 as unknown as string]) {
      const { details } = await refusal("INPUT_INVALID", () => lmdbLedger({ path, secret }));
      expect(details).to.deep.equal({ path: "secret" });
    }
  });

  describe("is refused, and left as it is,", () => {
    it("with another secret", async () => {
      const path = await madeLedger();
      const before = readFileSync(path);
      await refusedFor("secret", () => folder.open(path, id("another secret")));
      expect(readFileSync(path).equals(before)).to.equal(true);
      expect(await folder.open(path).attested(lineOf().eventKey)).to.have.length(1);
    });

    it("when it is another file, or a folder", async () => {
      for (const text of ["hi", "no database ".repeat(2_000), "\0".repeat(8_192)]) {
        const path = folder.path();
        writeFileSync(path, text);
        await refusedFor("notALedger", () => folder.open(path));
        expect(readFileSync(path, "utf8")).to.equal(text);
      }
      await refusedFor("notALedger", () => folder.open(__dirname));
    });

    it("when it is a database of something else", async () => {
      const path = folder.path();
      const raw = rawOf(path);
      raw.putSync(Uint8Array.of(1), Uint8Array.of(2));
      await raw.close();
      await refusedFor("notALedger", () => folder.open(path));
    });

    it("when a newer version made it", async () => {
      const path = await madeLedger();
      await changeRow(path, 15, (head) => {
        head[0] = 2;
      });
      await refusedFor("version", () => folder.open(path));
    });

    it("when it was closed", async () => {
      const ledger = folder.open();
      await ledger.close();
      await ledger.close();
      await refusedFor("closed", ledger.claim([lineOf()]));
      await refusedFor("closed", ledger.release([placeOf()]));
      await refusedFor("closed", ledger.attested(lineOf().eventKey));
    });

    it("when one byte of a row was changed, wherever", async () => {
      const path = await madeLedger();
      const length = await changeRow(path, 32, () => undefined);
      for (const at of [0, 11, 12, Math.floor(length / 2), length - 17, length - 16, length - 1]) {
        await changeRow(path, 32, (row) => {
          row[at]! ^= 1;
        });
        const ledger = folder.open(path);
        await refusedFor("damaged", ledger.claim([lineOf({ batch: "later" })]));
        await refusedFor("damaged", ledger.attested(lineOf().eventKey));
        // What is whole still answers.
        expect(await ledger.attested(lineOf({ event: "2" }).eventKey)).to.deep.equal([]);
        await ledger.close();
        await changeRow(path, 32, (row) => {
          row[at]! ^= 1;
        });
      }
      expect(await folder.open(path).attested(lineOf().eventKey)).to.deep.equal([attestedOf()]);
    });

    it("when a row was cut short, or put in the place of another", async () => {
      const path = folder.path();
      const ledger = folder.open(path);
      await ledger.claim([lineOf(), lineOf({ event: "2", line: 1 })]);
      await ledger.close();
      const raw = rawOf(path);
      const [one, other] = [...raw.getKeys()].filter((key) => key.length === 32) as [Uint8Array, Uint8Array];
      raw.putSync(one, raw.get(other)!);
      raw.putSync(other, Uint8Array.of(1, 2, 3));
      await raw.close();
      const again = folder.open(path);
      for (const event of ["1", "2"]) await refusedFor("damaged", again.attested(lineOf({ event }).eventKey));
    });
  });

  it("is made only when told so: one that is missing or empty would know of nothing", async () => {
    const missing = folder.path();
    await refusedFor("missing", () => folder.open(missing, SECRET, false));
    expect(existsSync(missing)).to.equal(false);
    const lost = await madeLedger();
    truncateSync(lost, 0);
    await refusedFor("missing", () => folder.open(lost));
    for (const path of [missing, lost]) {
      expect(await folder.open(path, SECRET, true).claim([lineOf()])).to.deep.equal([]);
      // Nothing is lost where somebody says so of one that is there.
      expect(await folder.open(path, SECRET, true).attested(lineOf().eventKey)).to.have.length(1);
    }
  });
});

/** Changes the one row whose name has so many bytes, behind the ledger's back, and gives its length. */
async function changeRow(path: string, nameBytes: number, change: (row: Uint8Array) => void): Promise<number> {
  const raw = rawOf(path);
  const name = [...raw.getKeys()].find((key) => key.length === nameBytes)!;
  const row = Uint8Array.from(raw.get(name)!);
  change(row);
  raw.putSync(name, row);
  await raw.close();
  return row.length;
}
