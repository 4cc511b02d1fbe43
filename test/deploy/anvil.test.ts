import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import hre from "hardhat";

import type { Failure } from "../../deploy/failure";
import { siteOf, type Site } from "../../deploy/site";
import { executeUpgrade, scheduleUpgrade } from "../../deploy/upgrading";
import { deployments } from "../../sdk/src/deployments";
import { exitCodes } from "../../tasks/support/exitCodes";

import {
  DAY,
  emptyFolder,
  hardhat,
  jsonOf,
  MOST_GAS,
  startAnvil,
  startDoor,
  thrownBy,
  TRANSACTIONS,
  type Anvil,
  type Door,
  type Ended,
  type Moment,
} from "./support";

const DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

/** One story, told in order: each step needs the one before. */
describe("A deployment on anvil, by commands", () => {
  let anvil: Anvil;
  let door: Door;
  const folder = emptyFolder();
  const record = join(folder, "deployments.json");
  const places = ["--journal", join(folder, "journal"), "--record", record];

  before(async () => {
    anvil = await startAnvil();
    door = await startDoor(anvil.url);
  });
  after(async () => {
    await door.close();
    await anvil.stop();
  });

  const command = (name: string, ...options: string[]): Promise<Ended> =>
    hardhat([name, ...places, "--json", ...options], door.url);

  const sentSoFar = (): Promise<number> => anvil.provider.getTransactionCount(DEPLOYER);

  /** Deploys, and is killed at its n-th transaction. */
  async function killedAt(nth: number, moment: Moment): Promise<Ended> {
    let child: ChildProcess | undefined;
    door.killAt(nth, moment, () => child);
    return hardhat(["deploy", ...places, "--json"], door.url, (process) => (child = process));
  }

  const kills: [number, Moment, number][] = [
    [2, "before its answer comes", 2],
    [5, "before it is sent", 6],
    [9, "before its answer comes", 15],
  ];
  for (const [nth, moment, sent] of kills)
    it(`is killed half-way, at transaction ${nth} of its run, ${moment}`, async () => {
      const { signal, stdout } = await killedAt(nth, moment);
      expect(signal).to.equal("SIGKILL");
      expect(stdout).to.equal("");
      expect(await sentSoFar()).to.equal(sent);
      expect(existsSync(record)).to.equal(false);
    });

  it("is resumed to the same system as if nothing had happened", async () => {
    const ended = await command("deploy");
    expect(ended.code, ended.stderr).to.equal(exitCodes.ok);
    expect(jsonOf(ended)).to.deep.include({
      ok: true,
      deployment: deployments[31337],
      sent: TRANSACTIONS - 15,
      recorded: true,
    });
    expect(await sentSoFar()).to.equal(TRANSACTIONS);
    for (let number = 1; number <= TRANSACTIONS; number++) {
      const block = (await anvil.provider.getBlock(number, true))!;
      expect(block.getPrefetchedTransaction(0).gasLimit).to.be.lessThan(MOST_GAS);
    }
  });

  it("sends nothing and leaves the file as it is when it is done again", async () => {
    const file = readFileSync(record, "utf8");
    const ended = await command("deploy");
    expect(jsonOf(ended)).to.deep.include({ ok: true, sent: 0, recorded: false });
    expect(await sentSoFar()).to.equal(TRANSACTIONS);
    expect(readFileSync(record, "utf8")).to.equal(file);
  });

  /** The same work without a new process each time. */
  const upgrading = (): Promise<Site> =>
    siteOf(hre, { journal: join(folder, "journal"), record }, () => undefined, {
      request: ({ method, params = [] }) => anvil.provider.send(method, params as unknown[]),
    });
  const v2 = { proxy: "Mandates", contract: "MandatesV2" };

  it("refuses an upgrade that would misread what is stored, before it sends anything", async () => {
    const refused = scheduleUpgrade(await upgrading(), { proxy: "Mandates", contract: "MandatesReordered" });
    expect((await thrownBy(refused)).message).to.include("Deleted `registry`");
    expect(await sentSoFar()).to.equal(TRANSACTIONS);
  });

  it("schedules an upgrade, and refuses to carry it out before its time", async () => {
    expect(await scheduleUpgrade(await upgrading(), v2)).to.include({ stage: "scheduled", sent: 2 });
    const early = await thrownBy<Failure>(executeUpgrade(await upgrading(), v2));
    expect(early.kind).to.equal("early");
    expect(early.message).to.match(/can be carried out from \d{4}-/);
    expect(await sentSoFar()).to.equal(TRANSACTIONS + 2);
  });

  it("carries the upgrade out when 14 days are over", async () => {
    await anvil.provider.send("evm_increaseTime", [14 * DAY]);
    await anvil.provider.send("evm_mine", []);
    expect(await executeUpgrade(await upgrading(), v2)).to.include({ stage: "done", sent: 1 });
  });

  it("finds afterwards, in words, that the code is not that of these sources", async () => {
    const ended = await hardhat(["deploy:check", "--record", record], door.url);
    expect(ended.code).to.equal(exitCodes.notOk);
    expect(ended.stdout).to.match(
      /! {2}Mandates: implementation\n +the code at 0x\w{40} is not Mandates as compiled here/,
    );
  });
});
