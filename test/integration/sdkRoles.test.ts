import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { Interface, ZeroAddress } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  createRoles,
  describeCall,
  forwarderCall,
  grantCall,
  operationIdOf,
  revokeCall,
  roleIdOf,
  roleIds,
  roleNameOf,
  type Roles,
} from "@carepact/sdk/roles";

import { roles as deployedRoles } from "../../deploy/roles";
import { DAY } from "../support/system";

import { deployWorld, fundInput, refusal, reverted, usualClaims, type World } from "./support";

const DELAY = 14 * DAY;
const WEEK = 7 * DAY;
const manager = new Interface(["function renounceRole(uint64 roleId, address callerConfirmation)"]);
const PAUSE = new Interface(["function pause()"]).encodeFunctionData("pause");

interface Powers extends World {
  /** The SDK in the hands of the account that has every role but that of the admin. */
  officer: Roles;
  /** The admin, which waits 14 days. */
  governance: Roles;
  governor: string;
  /** Nobody in particular. */
  anyone: Roles;
  now: () => Promise<number>;
}

async function powers(): Promise<Powers> {
  const world = await loadFixture(deployWorld);
  const { deployment, admin, stranger } = world;
  const governor = (await ethers.getSigners()).at(-1)!;
  const as = (runner: Parameters<typeof createRoles>[0]["runner"]): Roles => createRoles({ runner, deployment });
  return {
    ...world,
    officer: as(admin.signer),
    governance: as(governor),
    governor: governor.address,
    anyone: as(stranger.signer),
    now: time.latest,
  };
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");

describe("SDK: roles", () => {
  describe("given the system as it is deployed", () => {
    it("lists every role with its members, their delays, and what they may call", async () => {
      const { anyone, admin, governor, deployment } = await powers();
      const roles = await anyone.list();
      expect(roles.map(({ id, name }) => [id, name])).to.deep.equal([
        [0n, "admin"],
        [1n, "upgrader"],
        [2n, "pauser"],
        [3n, "credentialing"],
      ]);
      expect(roles.map(({ members }) => members.map(({ account, delay }) => [account, delay]))).to.deep.equal([
        [[governor, DELAY]],
        [[admin.address, DELAY]],
        [[admin.address, 0]],
        [[admin.address, 0]],
      ]);
      for (const { admin: granter, guardian, grantDelay } of roles)
        expect({ granter, guardian, grantDelay }).to.deep.equal({ granter: 0n, guardian: 0n, grantDelay: 0 });
      expect(roles[2]!.functions).to.have.deep.members([
        { contract: "ClaimEscrow", target: deployment.claimEscrow, function: "pause()", selector: "0x8456cb59" },
        { contract: "ClaimEscrow", target: deployment.claimEscrow, function: "unpause()", selector: "0x3f4ba83a" },
      ]);
      for (const [name, { id, functions }] of Object.entries(deployedRoles)) {
        const listed = roles
          .find((role) => role.id === id)!
          .functions.map((entry) => `${entry.contract}.${entry.function}`);
        const expected = Object.entries<readonly string[]>(functions).flatMap(([contract, signatures]) =>
          signatures.map((signature) => `${contract}.${signature}`),
        );
        expect(listed, name).to.have.members(expected);
      }
    });

    it("knows the roles by the names and ids of the deployment", async () => {
      expect({ ...roleIds }).to.deep.equal({
        admin: 0n,
        ...Object.fromEntries(Object.entries(deployedRoles).map(([name, { id }]) => [name, id])),
      });
      expect([roleNameOf(2n), roleNameOf(7n), roleNameOf((1n << 64n) - 1n)]).to.deep.equal([
        "pauser",
        "role 7",
        "everybody",
      ]);
      expect([roleIdOf("credentialing"), roleIdOf(7n)]).to.deep.equal([3n, 7n]);
      await refusal("INPUT_INVALID", () => roleIdOf("janitor" as "pauser"));
      await refusal("INPUT_INVALID", () => roleIdOf(1n << 64n));
    });
  });

  describe("given an admin that has to wait", () => {
    it("grants after it was scheduled, waited for and executed, and tells all of it", async () => {
      const { governance, anyone, stranger, deployment, governor, now } = await powers();
      const grant = { role: "pauser", account: stranger.address, delay: 0 } as const;
      await reverted("AccessManagerNotScheduled", governance.grant(grant).simulate());

      const call = grantCall(deployment, grant);
      const operationId = operationIdOf(governor, call);
      const schedule = governance.schedule(call);
      expect(await schedule.simulate()).to.deep.equal({ operationId });
      const scheduled = await run(schedule);
      const readyAt = (await now()) + DELAY;
      expect(scheduled).to.include({ operationId, readyAt, ready: iso(readyAt) });

      expect(await anyone.pending()).to.deep.equal([
        {
          operationId,
          caller: governor,
          to: deployment.accessManager,
          data: call.data,
          contract: "AccessManager",
          function: "grantRole",
          args: { roleId: 2n, account: stranger.address, executionDelay: 0n },
          readyAt,
          ready: iso(readyAt),
          expiresAt: readyAt + WEEK,
          expires: iso(readyAt + WEEK),
          state: "waiting",
        },
      ]);
      await reverted("AccessManagerNotReady", governance.execute(call).simulate());
      await time.increaseTo(readyAt);
      expect((await anyone.pending()).map(({ state }) => state)).to.deep.equal(["ready"]);
      expect(await run(governance.execute(call))).to.include({ operationId });
      expect(await anyone.pending()).to.deep.equal([]);
      expect((await anyone.list())[2]!.members.map(({ account }) => account)).to.include(stranger.address);
    });

    it("grants directly once the same call is ready, and says since when it holds", async () => {
      const { governance, stranger, deployment, now } = await powers();
      const grant = { role: "credentialing", account: stranger.address, delay: 60 } as const;
      await run(governance.schedule(grantCall(deployment, grant)));
      await time.increase(DELAY);
      const granted = await run(governance.grant(grant));
      expect(granted).to.include({ account: stranger.address, since: await now(), delay: 60, newMember: true });
    });

    it("revokes in the same way, and says so when there was nothing to revoke", async () => {
      const { governance, anyone, admin, stranger, deployment } = await powers();
      for (const [account, revoked] of [
        [admin.address, true],
        [stranger.address, false],
      ] as const) {
        const membership = { role: "pauser", account } as const;
        await run(governance.schedule(revokeCall(deployment, membership)));
        await time.increase(DELAY);
        expect(await run(governance.revoke(membership))).to.include({ account, revoked });
      }
      expect((await anyone.list())[2]!.members).to.deep.equal([]);
    });

    it("does not let the last admin go, by whatever way", async () => {
      const { governance, governor, stranger, deployment } = await powers();
      const last = { role: "admin", account: governor } as const;
      const call = revokeCall(deployment, last);
      const renouncing = {
        to: deployment.accessManager,
        data: manager.encodeFunctionData("renounceRole", [0n, governor]),
      };
      for (const action of [
        governance.revoke(last),
        governance.renounce("admin"),
        governance.schedule(call),
        governance.schedule({ ...call, to: call.to.toLowerCase() }),
        governance.execute(call),
        governance.execute(renouncing),
      ]) {
        const { details } = await refusal("INPUT_INVALID", action.send());
        expect(details).to.deep.equal({ path: "account", account: governor });
      }
      const grant = { role: "admin", account: stranger.address, delay: 0 } as const;
      await run(governance.schedule(grantCall(deployment, grant)));
      await run(governance.schedule(revokeCall(deployment, { ...last, account: stranger.address })));
      await time.increase(DELAY);
      await run(governance.grant(grant));
      await run(governance.schedule(call));
      expect(await run(governance.renounce("admin"))).to.include({ account: governor, revoked: true });
    });

    it("waits longer if asked to, never less, and lets what is late expire", async () => {
      const { governance, anyone, stranger, deployment, now } = await powers();
      const call = grantCall(deployment, { role: "pauser", account: stranger.address, delay: 0 });
      await reverted("AccessManagerUnauthorizedCall", governance.schedule(call, (await now()) + DAY).simulate());
      const when = (await now()) + 30 * DAY;
      expect(await run(governance.schedule(call, new Date(when * 1_000)))).to.include({ readyAt: when });
      await time.increaseTo(when + WEEK);
      expect((await anyone.pending()).map(({ state }) => state)).to.deep.equal(["expired"]);
      await reverted("AccessManagerExpired", governance.execute(call).simulate());
      await run(governance.schedule(call));
      expect((await anyone.pending()).map(({ state }) => state)).to.deep.equal(["waiting"]);
    });

    it("cancels what it scheduled itself, and what the upgrader did", async () => {
      const { governance, officer, anyone, admin, stranger, deployment } = await powers();
      const grant = grantCall(deployment, { role: "pauser", account: stranger.address, delay: 0 });
      await run(governance.schedule(grant));
      await reverted(
        "AccessManagerUnauthorizedCancel",
        anyone.cancel(grant, (await anyone.pending())[0]!.caller).simulate(),
      );
      expect(await run(governance.cancel(grant))).to.include({ operationId: operationIdOf(await governorOf(), grant) });
      const upgrade = new Interface(["function upgradeToAndCall(address,bytes)"]);
      const call = {
        to: deployment.claimEscrow,
        data: upgrade.encodeFunctionData("upgradeToAndCall", [ZeroAddress, "0x"]),
      };
      await run(officer.schedule(call));
      expect((await anyone.pending()).map((entry) => `${entry.contract}.${entry.function}`)).to.deep.equal([
        "ClaimEscrow.upgradeToAndCall",
      ]);
      expect(await run(governance.cancel(call, admin.address))).to.include({
        operationId: operationIdOf(admin.address, call),
      });
      expect(await anyone.pending()).to.deep.equal([]);
    });
  });

  describe("given a pauser", () => {
    it("pauses funding until the pause lapses or ends", async () => {
      const world = await powers();
      const { officer, anyone, payer, now } = world;
      expect(await anyone.paused()).to.equal(false);
      const { until } = await run(officer.pause());
      expect(until).to.be.above(await now());
      expect(await anyone.paused()).to.equal(true);
      const funding = payer.claims.fund(await fundInput(world, usualClaims(world)));
      expect(await reverted("PausedUntil", funding.simulate())).to.deep.equal({ until: String(until) });
      await run(officer.unpause());
      expect(await anyone.paused()).to.equal(false);
      await reverted("NotPaused", officer.unpause().simulate());
      await reverted("AccessManagedUnauthorized", anyone.pause().simulate());
    });

    it("needs not wait, so that there is nothing to schedule", async () => {
      const { officer, deployment } = await powers();
      const call = { to: deployment.claimEscrow, data: PAUSE };
      await reverted("AccessManagerUnauthorizedCall", officer.schedule(call).simulate());
      await run(officer.execute(call));
      expect(await officer.paused()).to.equal(true);
    });

    it("gives the role up at once", async () => {
      const { officer, admin } = await powers();
      expect(await run(officer.renounce("pauser"))).to.include({ account: admin.address, revoked: true });
      expect(await run(officer.renounce("pauser"))).to.include({ revoked: false });
      await reverted("AccessManagedUnauthorized", officer.pause().simulate());
    });
  });

  describe("given what makes no sense", () => {
    it("refuses it before it is sent", async () => {
      const { governance, anyone, stranger, deployment } = await powers();
      const account = stranger.address;
      await refusal("INPUT_INVALID", governance.grant({ role: "janitor" as "pauser", account, delay: 0 }).simulate());
      await refusal("INPUT_INVALID", governance.grant({ role: "pauser", account, delay: 1.5 }).simulate());
      await refusal("IDENTIFIER_INVALID", governance.revoke({ role: "pauser", account: "0x11" }).simulate());
      const call = { to: deployment.claimEscrow, data: PAUSE };
      await refusal("INPUT_INVALID", governance.schedule({ ...call, data: "0x11" }).simulate());
      await refusal("INPUT_INVALID", governance.schedule(call, -1).simulate());
      await refusal("IDENTIFIER_INVALID", governance.execute({ ...call, to: "nowhere" }).simulate());
      await refusal("IDENTIFIER_INVALID", governance.cancel(call, "nobody").simulate());
      await reverted(
        "AccessManagerUnauthorizedAccount",
        anyone.grant({ role: "pauser", account, delay: 0 }).simulate(),
      );
    });

    it("lets the upgrader name a forwarder, or none, when its delay is over", async () => {
      const { officer, anyone, deployment } = await powers();
      const escrow = await ethers.getContractAt("ClaimEscrowExtension", deployment.claimEscrow);
      for (const named of [deployment.rulebooks, undefined]) {
        const call = forwarderCall(deployment, named);
        await run(officer.schedule(call));
        const [waiting] = await anyone.pending();
        expect(waiting).to.include({ contract: "ClaimEscrow", function: "setForwarder" });
        await time.increase(DELAY);
        await run(officer.execute(call));
        expect(await escrow.forwarder()).to.equal(named ?? ZeroAddress);
      }
      expect(() => forwarderCall(deployment, deployment.rulebooks.slice(1))).to.throw(
        "forwarder is not an account address",
      );
    });

    it("describes calls as far as it knows them", async () => {
      const { deployment } = await powers();
      const { claimEscrow: to } = deployment;
      expect(describeCall(deployment, { to, data: PAUSE })).to.deep.equal({
        contract: "ClaimEscrow",
        function: "pause",
        args: {},
      });
      expect(describeCall(deployment, forwarderCall(deployment, to))).to.deep.equal({
        contract: "ClaimEscrow",
        function: "setForwarder",
        args: { newForwarder: to },
      });
      expect(describeCall(deployment, { to, data: "0x11111111" })).to.deep.equal({ contract: "ClaimEscrow" });
      const cut = grantCall(deployment, { role: "pauser", account: to, delay: 0 }).data.slice(0, 60);
      expect(describeCall(deployment, { to: deployment.accessManager, data: cut })).to.deep.equal({
        contract: "AccessManager",
      });
      expect(describeCall(deployment, { to: ZeroAddress, data: PAUSE })).to.deep.equal({});
    });
  });
});

const governorOf = async (): Promise<string> => (await ethers.getSigners()).at(-1)!.address;
