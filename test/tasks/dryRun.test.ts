import { readdirSync } from "node:fs";
import { dirname } from "node:path";

import { expect } from "chai";
import hre from "hardhat";

import { deployments } from "@carepact/sdk";
import { deployDevnet, devnet, devnetAccount } from "@carepact/sdk/devnet";

import { finish } from "../../tasks/support/finish";
import { startAnvil, type Anvil } from "../support/anvil";

import { captured, fill, folder, npis, type Ended } from "./support";

const { path, file } = folder();
const KEY = `0x${"ab".repeat(32)}`;
const officer = devnetAccount(0);
const payer = devnetAccount(1);

/** Nothing but its id makes a chain public; a mistake here costs nobody anything. */
describe("Tasks on a public chain", () => {
  let anvil: Anvil;
  let deployment: string;
  before(async () => {
    const local = await startAnvil();
    await deployDevnet(local.provider);
    const state: unknown = await local.provider.send("anvil_dumpState", []);
    await local.stop();
    anvil = await startAnvil(["--chain-id", "10"]);
    await anvil.provider.send("anvil_loadState", [state]);
    deployment = file("deployment.json", { ...deployments[devnet.chainId], chainId: 10, startBlock: 0 });
  });
  after(() => anvil.stop());

  /** As Hardhat runs a task, but on this chain: what network it works on is fixed while it starts. */
  async function runs(
    name: string,
    options: Record<string, string | boolean>,
    { key = "", send = false, as }: { key?: string; send?: boolean; as?: string } = {},
  ): Promise<Ended> {
    const { provider } = anvil;
    const network = { value: { name: "ten", provider: { send: provider.send.bind(provider) } } };
    const { run } = (await import(`../../tasks/${name.replace(":", "/")}`)) as { run: Parameters<typeof finish>[2] };
    const common = { json: true, deployment, send, ...(as === undefined ? {} : { as }) };
    return captured(key === "" ? {} : { CAREPACT_PRIVATE_KEY: key }, () =>
      finish(Object.create(hre, { network }) as typeof hre, common, (call) =>
        (run as (...args: unknown[]) => ReturnType<typeof run>)(call, options),
      ),
    );
  }

  const stateOf = async (): Promise<unknown[]> => [
    await anvil.provider.getBlockNumber(),
    await Promise.all([officer, payer].map(({ address }) => anvil.provider.getTransactionCount(address, "pending"))),
  ];

  it("send nothing unless told to, and say what they would send, and what it costs", async () => {
    const before = await stateOf();
    const account = payer.address;
    const registration = { account, name: "Payer", kinds: "payer", hpkeKey: KEY };
    const rulebook = file("rulebook.json", {
      attesters: [account],
      threshold: 1,
      eventKinds: ["dispense"],
      grace: "3d",
    });
    const token = devnet.token.address;
    for (const [name, options, key, expected] of [
      ["org:register", registration, officer.privateKey, { contract: "OrganizationRegistry", function: "register" }],
      ["rulebook:publish", { file: rulebook }, payer.privateKey, { contract: "Rulebooks", function: "publish" }],
      ["pool:approve", { token, amount: "90.00" }, payer.privateKey, { function: "approve", amount: "90.00 TUSD" }],
      ["roles:pause", {}, officer.privateKey, { contract: "ClaimEscrow", function: "pause" }],
    ] as [string, Record<string, string>, string, object][]) {
      const { code, json, stderr } = await runs(name, options, { key });
      expect(code, stderr).to.equal(0);
      expect(json).to.include({ ok: true, dryRun: true });
      expect(json.planned, name).to.include(expected);
      expect(Number((json.planned as { gas: string }).gas)).to.be.above(20_000);
      expect(Number((json.planned as { cost: string }).cost)).to.be.above(0);
    }
    expect(await stateOf()).to.deep.equal(before);
  });

  it("rehearse without a key, and never send or sign so", async () => {
    const before = await stateOf();
    const options = { token: devnet.token.address, amount: "90.00" };
    const rehearsed = await runs("pool:approve", options, { as: payer.address });
    expect(rehearsed.json.planned).to.include({ from: payer.address });
    for (const [name, more, setting, says] of [
      ["pool:approve", {}, { as: payer.address, send: true }, /--as has no key to send with/],
      ["pool:approve", {}, { as: "1" }, /give the address of the account to rehearse as/],
      ["pool:deposit", { permit: true }, { as: payer.address }, /A signature needs the account's key/],
    ] as [string, Record<string, boolean>, Parameters<typeof runs>[2], RegExp][]) {
      const { code, stderr } = await runs(name, { ...options, ...more }, setting);
      expect(stderr).to.match(says);
      expect(code).to.equal(2);
    }
    expect(await stateOf()).to.deep.equal(before);
  });

  it("send when told to; and a batch that is only rehearsed leaves no files", async () => {
    const sends = async (name: string, options: Record<string, string | boolean>, key: string): Promise<Ended> => {
      const ended = await runs(name, options, { key, send: true });
      expect(ended.code, ended.stderr).to.equal(0);
      return ended;
    };
    const account = payer.address;
    const token = devnet.token.address;
    const mint = `0x40c10f19${account.slice(2).padStart(64, "0")}${(10n ** 9n).toString(16).padStart(64, "0")}`;
    await (await payer.connect(anvil.provider).sendTransaction({ to: token, data: mint })).wait();
    await sends(
      "org:register",
      { account, name: "Payer", kinds: "payer", hpkeKey: KEY, npi: npis.pharmacy },
      officer.privateKey,
    );
    const rules = { attesters: [officer.address], threshold: 1, eventKinds: ["dispense"], grace: "3d" };
    const published = await sends("rulebook:publish", { file: file("rules.json", rules) }, payer.privateKey);
    await sends("pool:deposit", { token, amount: "500.00", permit: true }, payer.privateKey);

    const before = await stateOf();
    const claims = file("claims.json", fill("11", "90.00", npis.pharmacy));
    const outputs = { out: path("batch.json"), record: path("record.json") };
    const options = { claims, rulebook: published.json.id as string, token, eventBy: "14d", force: false, ...outputs };
    const rehearsed = await runs("batch:fund", options, { key: payer.privateKey });
    expect(rehearsed.json.planned).to.include({ contract: "ClaimEscrow", function: "fund", amount: "90.00 TUSD" });
    expect(await stateOf()).to.deep.equal(before);
    expect(readdirSync(dirname(outputs.out))).to.have.members([
      "deployment.json",
      "rulebook.json",
      "rules.json",
      "claims.json",
    ]);
    const funded = await sends("batch:fund", options, payer.privateKey);
    expect(funded.json).to.include({ total: "90.00" }).and.not.to.have.property("dryRun");
    expect(readdirSync(dirname(outputs.out))).to.include.members(["batch.json", "record.json"]);
  });

  it("refuse a deployment of another chain, and a chain without one", async () => {
    const options = { account: payer.address };
    const known = deployment;
    try {
      deployment = file("other.json", deployments[devnet.chainId]);
      const other = await runs("org:show", options);
      expect(other.json.error).to.include({ code: "CHAIN_MISMATCH" });
      expect(other.code).to.equal(2);
      deployment = file("none.json", {});
      expect((await runs("org:show", options)).stderr).to.include("names no deployment on chain 10");
    } finally {
      deployment = known;
    }
  });
});
