import { readFileSync, statSync } from "node:fs";

import { loadFixture, mine } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import type { Claim } from "fhir/r4";
import { network } from "hardhat";

import { hl7 } from "../sdk/hl7";

import { accounts, fill, npis, type Json } from "./support";
import { balances, fundedWorld, peopledWorld, terms } from "./world";

const { payer, pharmacy: pharmacist } = accounts;

type Send = (method: string, params?: unknown[]) => Promise<unknown>;

/** Runs `work` while the node gives another answer to one method. */
async function answering<Value>(
  method: string,
  answer: (params: unknown[], send: Send) => Promise<unknown>,
  work: () => Promise<Value>,
): Promise<Value> {
  const { provider } = network;
  const send = provider.send.bind(provider) as Send;
  provider.send = (asked: string, params: unknown[] = []) =>
    asked === method ? answer(params, send) : send(asked, params);
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(provider, "send");
  }
}

describe("Tasks: batch:fund", () => {
  it("funds fills by the directory's NPIs, and writes the file for payees and the record for the payer alone", async () => {
    const world = await loadFixture(fundedWorld);
    const { batch, record, batchId, does } = world;
    const status = await does("", "batch:status", { file: batch });
    expect(status).to.include({ batchId, state: "open", total: "162.34", open: "162.34" });
    expect((status.groups as Json[]).map(({ lines, closed }) => ({ lines, closed }))).to.have.deep.members([
      { lines: 2, closed: 0 },
      { lines: 1, closed: 0 },
    ]);
    expect(await does("", "batch:status", { file: record })).to.include({ batchId, state: "open" });
    expect(JSON.parse(readFileSync(batch, "utf8"))).to.include({ carepact: "claim-batch", batchId });
    expect(JSON.parse(readFileSync(record, "utf8"))).to.include({ carepact: "claim-batch-record", batchId });
    expect(statSync(record).mode & 0o777).to.equal(0o600);
    expect(await balances(world, payer)).to.deep.equal({ free: "837.66", credit: "0.00" });
  });

  it("funds a FHIR Claim with its decision, apart or together, and says which claim is wrong", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, fails, file, address } = world;
    const claim = hl7<Claim>("Claim-760151");
    const decision = { payee: address(pharmacist), lines: [{ sequence: 1, allowed: "90.00" }] };
    const apart = { claims: file("claim.json", claim), decisions: file("decision.json", decision) };
    expect(await does(payer, "batch:fund", { ...apart, ...terms(world, "apart") })).to.include({ total: "90.00" });
    const together = [{ claim, decision: { lines: decision.lines } }, fill("41", "1.00", npis.pharmacy)];
    const options = { claims: file("together.json", together), payee: address(pharmacist) };
    const funded = await does(payer, "batch:fund", { ...options, ...terms(world, "together") });
    expect(funded.groups).to.deep.equal([{ payee: address(pharmacist), lines: 2, subtotal: "91.00" }]);

    const wrong = async (name: string, claims: unknown): Promise<Json> => {
      const path = file(`${name}.json`, claims);
      const { json } = await fails(2, payer, "batch:fund", { claims: path, ...terms(world, name) });
      return json.error as Json;
    };
    const undecided = await wrong("undecided", [fill("51", "1.00", npis.pharmacy), claim]);
    expect(undecided.message).to.match(/^Claim 2 of 2: There is no decision on claim 760151/);
    expect(await wrong("unknown", fill("52", "1.00", "1234567893"))).to.include({ code: "PAYEE_UNKNOWN" });
    expect(await wrong("odd", { kind: "dental" })).to.include({ code: "INPUT_INVALID" });
    const unbalanced = { ...fill("53", "1.00", npis.pharmacy), totalAmountPaid: "2.00" };
    expect(await wrong("unbalanced", unbalanced)).to.include({ code: "CLAIM_DOES_NOT_BALANCE" });
  });

  it("writes over nothing, and leaves nothing behind when it is refused", async () => {
    const world = await loadFixture(fundedWorld);
    const { fails, does, file, path, batch } = world;
    const claims = file("more.json", fill("61", "5.00", npis.pharmacy));
    const before = readFileSync(batch, "utf8");
    const again = await fails(2, payer, "batch:fund", { claims, ...terms(world, "batch") });
    expect(again.stderr).to.include("batch.batch.json exists already; --force writes over it");
    expect(readFileSync(batch, "utf8")).to.equal(before);

    const large = file("large.json", fill("62", "5000.00", npis.pharmacy));
    const refused = await fails(1, payer, "batch:fund", { claims: large, ...terms(world, "large") });
    expect(refused.json.error).to.include({ code: "CONTRACT_REVERTED", name: "FreeBalanceTooSmall" });
    expect(refused.stderr).to.match(/^Error: The pool does not cover the batch: deposit more, or fund less/m);
    for (const name of ["large.batch.json", "large.batch.json.unsent", "large.record.json", "large.record.json.unsent"])
      expect(() => statSync(path(name)), name).to.throw("ENOENT");
    const { batchId } = await does(payer, "batch:fund", { claims, ...terms(world, "own") });
    await does(payer, "batch:fund", { claims, ...terms(world, "own"), force: true });
    expect(readFileSync(path("own.batch.json"), "utf8")).not.to.include(batchId);
  });

  it("keeps both documents when it loses the node between sending and the end, and says how to go on", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, fails, path, file } = world;
    const claims = file("lost.json", fill("63", "5.00", npis.pharmacy));
    await network.provider.send("evm_setAutomine", [false]);
    const options = { claims, ...terms(world, "lost"), timeout: "1s" };
    const lost = await fails(6, payer, "batch:fund", options).finally(() =>
      network.provider.send("evm_setAutomine", [true]),
    );
    expect(lost.json.error).to.include({ code: "TIMED_OUT" });
    expect(lost.stderr).to.include("Whether the batch was funded is not known. Look: npx hardhat batch:status");
    expect(statSync(path("lost.record.json.unsent")).mode & 0o777).to.equal(0o600);
    // Forced as well: it may be all that is left of a funded batch.
    for (const force of [false, true]) {
      const again = await fails(2, payer, "batch:fund", { ...options, force });
      expect(again.stderr).to.match(/lost\.batch\.json\.unsent is of an earlier run.*batch:status --file/);
      expect(again.stderr).not.to.include("--force");
    }
    await mine();
    const unsent = path("lost.batch.json.unsent");
    expect(await does("", "batch:status", { file: unsent })).to.include({ state: "open", total: "5.00" });
  });

  it("keeps both documents when waiting fails in words of a refusal, and drops them for a receipt that says so", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, fails, path, file } = world;
    const claims = file("quota.json", fill("64", "5.00", npis.pharmacy));
    const words = "insufficient balance: your plan's credits are used up";
    const quota = await answering(
      "eth_getTransactionReceipt",
      () => Promise.reject(new Error(words)),
      () => fails(6, payer, "batch:fund", { claims, ...terms(world, "quota") }),
    );
    const { txHash, details } = quota.json.error as { txHash: string; details: Json };
    expect(txHash).to.match(/^0x[0-9a-f]{64}$/);
    expect(details).to.include({ mayBeSent: true });
    expect(quota.stderr).to.include("Whether the batch was funded is not known");
    const unsent = path("quota.record.json.unsent");
    expect(await does("", "batch:status", { file: unsent })).to.include({ state: "open", total: "5.00" });

    const failing = { claims: file("failing.json", fill("65", "5.00", npis.pharmacy)), ...terms(world, "failing") };
    const failed = async (params: unknown[], send: Send): Promise<unknown> => {
      const receipt = (await send("eth_getTransactionReceipt", params)) as Json | null;
      return receipt && { ...receipt, status: "0x0" };
    };
    const dropped = await answering("eth_getTransactionReceipt", failed, () => fails(1, payer, "batch:fund", failing));
    expect(dropped.json.error).to.have.nested.property("details.blockNumber");
    expect(() => statSync(path("failing.record.json.unsent"))).to.throw("ENOENT");
  });

  it("keeps both documents when the node's answer to what it was sent is lost", async () => {
    const world = await loadFixture(peopledWorld);
    const { does, fails, path, file } = world;
    const claims = file("cut.json", fill("68", "5.00", npis.pharmacy));
    const cut = async (params: unknown[], send: Send): Promise<unknown> => {
      await send("eth_sendTransaction", params);
      throw new Error("socket hang up");
    };
    const { stderr } = await answering("eth_sendTransaction", cut, () =>
      fails(6, payer, "batch:fund", { claims, ...terms(world, "cut") }),
    );
    expect(stderr).to.include("Whether the batch was funded is not known");
    expect(await does("", "batch:status", { file: path("cut.batch.json.unsent") })).to.include({ state: "open" });
  });

  it("says that the batch is funded when only its documents could not get their names", async () => {
    const world = await loadFixture(peopledWorld);
    const { fails, path, file } = world;
    const claims = file("named.json", fill("66", "5.00", npis.pharmacy));
    const taken = async (params: unknown[], send: Send): Promise<unknown> => {
      file("named.record.json", "somebody else's");
      return send("eth_sendTransaction", params);
    };
    const named = await answering("eth_sendTransaction", taken, () =>
      fails(6, payer, "batch:fund", { claims, ...terms(world, "named") }),
    );
    expect(named.stderr).to.include("The batch is funded. Its documents have .unsent");
    expect(named.json.error).to.have.property("txHash");
    expect(readFileSync(path("named.record.json"), "utf8")).to.equal("somebody else's");
    expect(JSON.parse(readFileSync(path("named.record.json.unsent"), "utf8"))).to.have.property("batchId");
  });

  it("wants two names for two documents, in any spelling, now and while both wait", async () => {
    const world = await loadFixture(peopledWorld);
    const claims = world.file("two.json", fill("67", "5.00", npis.pharmacy));
    const options = { claims, ...terms(world, "two"), force: true };
    for (const out of [
      options.record,
      options.record.replace("two.record", "./two.record"),
      `${options.record}.unsent`,
    ]) {
      const { stderr } = await world.fails(2, payer, "batch:fund", { ...options, out });
      expect(stderr).to.include("--out and --record need names of their own");
    }
    expect(() => statSync(options.record)).to.throw("ENOENT");
  });

  it("says what is missing or no value", async () => {
    const world = await loadFixture(peopledWorld);
    const claims = world.file("one.json", fill("71", "5.00", npis.pharmacy));
    const options = { claims, ...terms(world, "one") };
    for (const [change, says] of [
      [{ claims: undefined }, /--claims is needed/],
      [{ claims: world.path("none.json") }, /--claims: .*none.json cannot be read: there is none/],
      [{ claims: world.file("bad.json", "{") }, /this is not JSON/],
      [{ eventBy: "soon" }, /--event-by is no moment/],
      [{ eventBy: "2026-02-31" }, /--event-by is no moment/],
      [{ rulebook: "0x11" }, /--rulebook is not 32 bytes/],
      [{ token: "0x11" }, /--token is not an address/],
      [{ out: world.path("no/where.json") }, /is no folder/],
      [{ record: undefined }, /--record is needed/],
    ] as const) {
      const { stderr } = await world.fails(2, payer, "batch:fund", { ...options, ...change } as Record<string, string>);
      expect(stderr).to.match(says);
    }
  });
});
