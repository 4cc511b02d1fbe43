import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { accounts, command, type Json } from "./support";
import { deployedWorld, type World } from "./world";

const { officer, stranger } = accounts;
/** Number of the account that governs: Hardhat's last. */
const governor = "19";
const DAY = 24 * 60 * 60;

const membersOf = async ({ does }: World, role: string): Promise<string[]> => {
  const { roles } = await does("", "roles:list");
  const { members } = (roles as Json[]).find(({ name }) => name === role)!;
  return (members as Json[]).map(({ account }) => account as string);
};

describe("Tasks: roles", () => {
  it("list who is in which role, how long each waits, and what it may call", async () => {
    const world = await loadFixture(deployedWorld);
    expect(await membersOf(world, "admin")).to.deep.equal([world.address(governor)]);
    const { stdout } = await command("roles:list", { ...world.at, json: false });
    expect(stdout).to.match(/upgrader.*14d.*ClaimEscrow upgradeToAndCall|OrganizationRegistry upgradeToAndCall/);
    expect(stdout).to.include("ClaimEscrow pause").and.to.include("The escrow is not paused.");
  });

  it("grant what was scheduled once its time has come, and not before", async () => {
    const world = await loadFixture(deployedWorld);
    const { does, fails, address } = world;
    const grant = { role: "pauser", account: address(stranger) };
    const early = await fails(1, governor, "roles:grant", grant);
    expect(early.stderr).to.include("has to announce it first: roles:schedule");

    const scheduled = await does(governor, "roles:schedule", { call: "grant", ...grant });
    const operation = scheduled.operationId as string;
    expect(scheduled).to.include({ changed: true, readyAt: (await time.latest()) + 14 * DAY });
    expect(await does(governor, "roles:schedule", { call: "grant", ...grant })).to.include({ changed: false });
    const { operations } = await does("", "roles:pending");
    expect((operations as Json[]).map(({ operationId, state }) => [operationId, state])).to.deep.equal([
      [operation, "waiting"],
    ]);
    const told = await command("roles:pending", { ...world.at, json: false });
    expect(told.stdout).to.include(`AccessManager.grantRole(pauser, ${address(stranger)}, 0s)`);

    const notYet = await fails(5, governor, "roles:execute", { operation });
    expect(notYet.json.error).to.include({ name: "AccessManagerNotReady" });
    await time.increase(14 * DAY);
    expect((await fails(2, officer, "roles:execute", { operation })).stderr).to.include("it scheduled it");
    await does(governor, "roles:execute", { operation });
    expect(await membersOf(world, "pauser")).to.include(address(stranger));
    expect(await does(governor, "roles:grant", grant)).to.include({ changed: false });
    expect((await fails(2, governor, "roles:execute", { operation })).stderr).to.include("Nothing is scheduled");
  });

  it("cancel what was scheduled, also by the admin for others", async () => {
    const world = await loadFixture(deployedWorld);
    const { does, fails, address } = world;
    const data = `0x4f1ef286${"0".repeat(64)}${"40".padStart(64, "0")}${"0".repeat(64)}`;
    const deployment = (await import(world.at.deployment)) as { claimEscrow: string };
    const raw = { target: deployment.claimEscrow, data, when: "20d" };
    const { operationId } = await does(officer, "roles:schedule", raw);
    const operation = operationId as string;
    expect((await fails(1, stranger, "roles:cancel", { operation })).json.error).to.include({
      name: "AccessManagerUnauthorizedCancel",
    });
    await does(governor, "roles:cancel", { operation });
    expect(await does("", "roles:pending")).to.deep.include({ operations: [] });
    expect((await fails(1, officer, "roles:schedule", { call: "pause" })).json.error).to.include({
      name: "AccessManagerUnauthorizedCall",
    });
    expect(
      (await fails(1, stranger, "roles:schedule", { call: "revoke", role: "pauser", account: address(officer) })).json
        .error,
    ).to.include({ name: "AccessManagerUnauthorizedCall" });
  });

  it("let members give up their own roles, but not the last admin", async () => {
    const world = await loadFixture(deployedWorld);
    const { does, fails, address } = world;
    const own = { role: "credentialing", account: address(officer) };
    expect(await does(officer, "roles:revoke", own)).to.include({ changed: true });
    expect(await does(officer, "roles:revoke", own)).to.include({ changed: false });
    expect(await membersOf(world, "credentialing")).to.deep.equal([]);
    const last = { role: "admin", account: address(governor) };
    expect((await fails(2, governor, "roles:revoke", last)).stderr).to.include("the only admin");
    const announced = await fails(2, governor, "roles:schedule", { call: "revoke", ...last });
    expect(announced.stderr).to.include("the only admin");
  });

  it("pause and unpause, once each", async () => {
    const { does, fails } = await loadFixture(deployedWorld);
    expect((await fails(1, stranger, "roles:pause")).json.error).to.include({ name: "AccessManagedUnauthorized" });
    expect(await does(officer, "roles:pause")).to.include({ changed: true, paused: true });
    expect(await does(officer, "roles:pause")).to.include({ changed: false, paused: true });
    expect(await does("", "roles:list")).to.include({ paused: true });
    expect(await does(officer, "roles:unpause")).to.include({ changed: true, paused: false });
    expect(await does(officer, "roles:unpause")).to.include({ changed: false, paused: false });
  });

  it("refuse what makes no sense", async () => {
    const { fails, address } = await loadFixture(deployedWorld);
    const account = address(stranger);
    for (const [name, options, says] of [
      ["roles:grant", { role: "janitor", account }, /--role is one of admin/],
      ["roles:grant", { role: "upgrader", account }, /--delay is needed for this role/],
      ["roles:grant", { role: "pauser", account, delay: "1" }, /--delay is not a duration/],
      ["roles:schedule", { account }, /--call is needed/],
      ["roles:schedule", { call: "dance" }, /--call is one of grant/],
      ["roles:schedule", { call: "pause", data: "0x11" }, /leave --target and --data out/],
      ["roles:schedule", { target: account, data: "11" }, /--data is hex/],
      ["roles:schedule", { target: account, data: "0x11" }, /a selector of 4 bytes/],
      ["roles:cancel", { operation: "0x11" }, /--operation is not 32 bytes/],
    ] as [string, Record<string, string>, RegExp][])
      expect((await fails(2, governor, name, options)).stderr).to.match(says);
  });
});
