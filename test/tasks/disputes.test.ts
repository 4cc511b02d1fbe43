import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { accounts, command, fill, npis, type Json } from "./support";
import { attested, balances, fundedUnder, peopledWorld, type Peopled, type RuledBatch } from "./world";

const { payer, pharmacy, stranger } = accounts;
const DAY = 24 * 60 * 60;
/** One of the node's accounts that is nothing else. */
const arbiter = "12";

interface Strict extends Peopled, RuledBatch {}

/** Two fills of the pharmacy under a rulebook of an arbiter. */
async function under(rules: Json): Promise<Strict> {
  const world = await peopledWorld();
  const ruled = {
    attesters: accounts.attesters.map(world.address),
    threshold: 2,
    arbiter: { account: world.address(arbiter), deadline: "14d" },
    ...rules,
  };
  const claims = [fill("11", "90.00", npis.pharmacy), fill("12", "12.34", npis.pharmacy)];
  const batch = await fundedUnder(world, "strict", ruled, claims);
  return { ...world, ...batch };
}

const strict = (): Promise<Strict> =>
  under({ challengePeriod: "2d", bond: "5.00", retention: { bps: 1_000, lookBack: "90d" } });
const retaining = (): Promise<Strict> => under({ retention: { bps: 1_000, lookBack: "90d" } });
const status = ({ does, batch }: Strict): Promise<Json> => does("", "batch:status", { file: batch });

describe("Tasks: disputes, retention and refund orders", () => {
  it("present, dispute, resolve, settle, recoup and release, each saying so when asked again", async () => {
    const world = await loadFixture(strict);
    const { does, fails, batch, record, address, rulebook, token } = world;
    const shown = await command("rulebook:show", { ...world.at, json: false, id: rulebook, token });
    expect(shown.stdout).to.include("can be disputed for 2d").and.to.include("locks 5.00 TUSD");
    expect(shown.stdout).to.include("10 % of each payment is retained for 90d");

    const attestations = await attested(world, batch, { all: "met" });
    const settled = await fails(1, stranger, "batch:settle", { file: batch, attestations });
    expect(settled.json.error).to.include({ code: "PRESENTATION_NEEDED" });
    const presented = await does(stranger, "batch:present", { file: batch, attestations });
    expect(presented).to.include({ changed: true, firstLine: 0, paid: "102.34", freed: "0.00" });
    expect(await does(stranger, "batch:present", { file: batch, attestations })).to.include({ changed: false });
    expect(await status(world)).to.include({ state: "undecided", open: "0.00", presented: "102.34" });
    expect(await does(stranger, "batch:settle-presented", { file: batch })).to.include({ changed: false, waiting: 1 });

    const line = { file: record, claim: "F-11" };
    const disputed = await does(payer, "batch:dispute", line);
    expect(disputed).to.include({ changed: true, amount: "90.00", attestedAmount: "90.00", bond: "5.00" });
    expect(await does(payer, "batch:dispute", line)).to.include({ changed: false });
    const parts = await status(world);
    expect(parts).to.include({ frozen: "90.00", presented: "12.34" });
    expect((parts.disputes as Json[])[0]).to.include({ by: "payer", attested: true, amount: "90.00" });

    const place = { file: batch, payee: address(pharmacy), line: String(disputed.line) };
    const resolved = await does(arbiter, "batch:resolve", { ...place, award: "50.00" });
    expect(resolved).to.include({ award: "50.00", returned: "40.00", byArbiter: true, bondTo: address(payer) });
    await time.increase(2 * DAY + 1);
    const rest = await does(stranger, "batch:settle-presented", { file: batch });
    // A tenth of 12.34, rounded down to the token's base units.
    expect(rest).to.include({ changed: true, paid: "11.106", retained: "1.234", waiting: 0 });
    expect(await status(world)).to.include({ state: "retained", retained: "1.234" });

    const recouped = await does(arbiter, "batch:recoup", { file: batch, payee: address(pharmacy), amount: "1.00" });
    expect(recouped).to.include({ amount: "1.00", changed: true });
    expect(await does(stranger, "batch:release", { file: batch })).to.include({ changed: false, waiting: 1 });
    await time.increase(90 * DAY + 1);
    expect(await does(stranger, "batch:release", { file: batch })).to.include({ changed: true, amount: "0.234" });
    expect(await does(stranger, "batch:release", { file: batch })).to.include({ changed: false, waiting: 0 });
    expect(await status(world)).to.include({ state: "closed" });
    expect(await balances(world, pharmacy)).to.deep.equal({ free: "0.00", credit: "61.34" });
  });

  it("settle at once where only a share is retained, and show it", async () => {
    const world = await loadFixture(retaining);
    const { does, fails, batch, address, file, path, at } = world;
    const attestations = await attested(world, batch, { all: "met" });
    const settled = await does(stranger, "batch:settle", { file: batch, attestations });
    expect(settled).to.include({ paid: "92.106", retained: "10.234", freed: "0.00" });

    const out = path("order.json");
    const order = { file: batch, amount: "50.00", deadline: "30d", out };
    await does(pharmacy, "batch:refund-order", order);
    expect(await does(stranger, "batch:refund", { file: batch, order: out })).to.include({
      changed: true,
      amount: "50.00",
      payee: address(pharmacy),
    });
    expect(await does(stranger, "batch:refund", { file: batch, order: out })).to.include({ changed: false });
    const both = await fails(2, stranger, "batch:refund", { file: batch, order: out, amount: "1.00" });
    expect(both.stderr).to.include("leave --amount and --from out");
    const wrong = file("wrong.json", { carepact: "claim-batch", version: 1 });
    const { json } = await fails(2, stranger, "batch:refund", { file: batch, order: wrong });
    expect(json.error).to.include({ code: "FILE_WRONG_DOCUMENT" });
    const refused = await fails(1, payer, "batch:refund-order", { ...order, out: path("another.json") });
    expect(refused.json.error).to.include({ code: "REFUND_ORDER_INVALID" });
    const plain = await command("batch:status", { ...at, json: false, file: batch });
    expect(plain.stdout).to.include("retained from line 0 of the batch on");
  });

  it("ask for what they need, and for a line that there is", async () => {
    const { fails, batch, record, address } = await loadFixture(strict);
    const says = async (as: string, name: string, options: Record<string, string | boolean>): Promise<string> =>
      (await fails(2, as, name, options)).stderr;
    expect(await says(payer, "batch:dispute", { file: record })).to.include("Give --claim or --line");
    expect(await says(payer, "batch:dispute", { file: record, claim: "F-99" })).to.include("0 lines of F-99");
    const line = { file: batch, line: "0" };
    expect(await says(payer, "batch:dispute", { ...line, payee: address(stranger) })).to.include("does not pay");
    expect(await says(arbiter, "batch:resolve", line)).to.include("Give --award");
    expect(await says(arbiter, "batch:resolve", { ...line, award: "1", default: true })).to.include("Give --award");
    const recoup = { file: batch, payee: address(pharmacy), amount: "1.00" };
    expect(await says(arbiter, "batch:recoup", recoup)).to.include("0 fit");
    expect(await says(stranger, "batch:present", { file: batch })).to.include("--attestations or --reported");
  });

  it("refuse rules about disputes that are none", async () => {
    const { fails, file, address, token } = await loadFixture(peopledWorld);
    const rules = {
      attesters: [address(stranger)],
      threshold: 1,
      eventKinds: ["dispense"],
      grace: "3d",
    };
    const arbitration = { account: address(arbiter), deadline: "14d" };
    const publish = async (code: number, more: Json, options: Record<string, string> = { token }): Promise<string> => {
      const { stderr, json } = await fails(code, payer, "rulebook:publish", {
        file: file(`${Math.random()}.json`, { ...rules, ...more }),
        ...options,
      });
      return stderr || JSON.stringify(json);
    };
    expect(await publish(2, { arbiter: arbitration, bond: "5.00" }, {})).to.include("say which by --token");
    expect(await publish(2, { arbiter: { ...arbitration, name: "x" } })).to.include("arbiter has no name");
    expect(await publish(2, { arbiter: { ...arbitration, default: "patient" } })).to.include("payer, payee");
    expect(await publish(2, { arbiter: arbitration, retention: { bps: "10", lookBack: "1d" } })).to.include("bps");
    expect(await publish(2, { challengePeriod: "2d" })).to.include("arbiter");
  });
});
