import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { MaxUint256, ZeroAddress, ZeroHash, id } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import { type Consents, deployConsents, runs } from "../../support/consents";
import { kinds, register } from "../../support/system";

import { NOTHING, headOf, logOf, setKinds } from "./fixture";

describe("AccessLog: append", () => {
  it("publishes the domain under which gateways sign receipts (ERC-5267)", async () => {
    const { accessLog, accessLogDomain } = await loadFixture(deployConsents);
    const { fields, name, version, chainId, verifyingContract, salt, extensions } = await accessLog.eip712Domain();
    expect({ name, version, chainId, verifyingContract }).to.deep.equal(accessLogDomain);
    expect([fields, salt, [...extensions]]).to.deep.equal(["0x0f", ZeroHash, []]);
  });

  it("knows nothing of a gateway that has anchored nothing", async () => {
    const { accessLog, gateway, stranger } = await loadFixture(deployConsents);
    for (const account of [gateway.address, stranger.address, ZeroAddress])
      expect(await logOf(accessLog, account)).to.deep.equal(NOTHING);
  });

  it("anchors the first root, told by an event", async () => {
    const { accessLog, gateway } = await loadFixture(deployConsents);
    const sent = accessLog.append(1, id("root"));
    await sent;
    const at = BigInt(await time.latest());
    const head = headOf(ZeroHash, 1n, id("root"), at);
    await expect(sent).to.emit(accessLog, "AccessRootAnchored").withArgs(gateway.address, 1n, id("root"), head, at);
    expect(await logOf(accessLog, gateway.address)).to.deep.equal({ head, sequence: 1n, anchoredAt: at });
  });

  it("returns the head", async () => {
    const { accessLog } = await loadFixture(deployConsents);
    const at = (await time.latest()) + 100;
    await time.increaseTo(at);
    // A call sees the newest block's clock.
    const head = await accessLog.append.staticCall(1, id("root"), { blockTag: "latest" });
    expect(head).to.equal(headOf(ZeroHash, 1n, id("root"), BigInt(at)));
  });

  it("commits to all roots, their order and their times: events and blocks give the head again", async () => {
    const { accessLog, gateway } = await loadFixture(deployConsents);
    // The same root twice: nothing happened in between, and it is said all the same.
    for (const [i, root] of ["a", "b", "b", "c"].entries()) {
      await accessLog.append(i + 1, id(root));
      await time.increase(1_000 * i + 1);
    }
    let head = ZeroHash;
    const told = await accessLog.queryFilter(accessLog.filters.AccessRootAnchored(gateway.address));
    for (const { args, blockNumber } of told) {
      const { timestamp } = (await ethers.provider.getBlock(blockNumber))!;
      head = headOf(head, args.sequence, args.root, BigInt(timestamp));
      expect([args.head, args.anchoredAt]).to.deep.equal([head, BigInt(timestamp)]);
    }
    expect(told.map(({ args }) => args.sequence)).to.deep.equal([1n, 2n, 3n, 4n]);
    expect((await logOf(accessLog, gateway.address)).head).to.equal(head);
  });

  it("keeps gateways apart", async () => {
    const { accessLog, organizations, gateway, stranger } = await loadFixture(deployConsents);
    await register(organizations, stranger.address, kinds.gateway);
    await accessLog.append(1, id("first's"));
    const before = await logOf(accessLog, gateway.address);
    await accessLog.connect(stranger).append(1, id("second's"));
    await accessLog.connect(stranger).append(2, id("second's next"));
    expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
    expect((await logOf(accessLog, stranger.address)).sequence).to.equal(2n);
  });

  const numbers: [string, bigint][] = [
    ["zero", 0n],
    ["the last once more, as a retry does", 2n],
    ["an earlier one", 1n],
    ["one too far", 4n],
    ["2^64 more than the next", (1n << 64n) + 3n],
    ["the largest", MaxUint256],
  ];
  for (const [what, sequence] of numbers)
    it(`refuses another number than the next: ${what}`, async () => {
      const { accessLog, gateway } = await loadFixture(deployConsents);
      await accessLog.append(1, id("root"));
      await accessLog.append(2, id("root"));
      const before = await logOf(accessLog, gateway.address);
      await expect(accessLog.append(sequence, id("another root")))
        .to.be.revertedWithCustomError(accessLog, "SequenceNotNext")
        .withArgs(gateway.address, 3n);
      expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
    });

  it("refuses a root of zero", async () => {
    const { accessLog, gateway } = await loadFixture(deployConsents);
    await expect(accessLog.append(1, ZeroHash)).to.be.revertedWithCustomError(accessLog, "RootZero");
    expect(await logOf(accessLog, gateway.address)).to.deep.equal(NOTHING);
  });

  it("refuses ether", async () => {
    const { accessLog, gateway } = await loadFixture(deployConsents);
    const data = accessLog.interface.encodeFunctionData("append", [1, id("root")]);
    await expect(gateway.sendTransaction({ to: accessLog, data, value: 1 })).to.be.revertedWithoutReason();
  });
});

describe("AccessLog: who appends", () => {
  it("is nobody who is not registered", async () => {
    const { accessLog, stranger } = await loadFixture(deployConsents);
    await expect(accessLog.connect(stranger).append(1, id("root")))
      .to.be.revertedWithCustomError(accessLog, "NotGateway")
      .withArgs(stranger.address);
    expect(await logOf(accessLog, stranger.address)).to.deep.equal(NOTHING);
  });

  it("is no organization of another kind", async () => {
    const { accessLog, organizations, stranger } = await loadFixture(deployConsents);
    const others = Object.values(kinds).filter((kind) => kind !== kinds.gateway);
    await register(
      organizations,
      stranger.address,
      others.reduce((all, kind) => all | kind, 0),
    );
    await expect(accessLog.connect(stranger).append(1, id("root")))
      .to.be.revertedWithCustomError(accessLog, "NotGateway")
      .withArgs(stranger.address);
  });

  it("is a clinic that is a gateway as well", async () => {
    const { accessLog, organizations, stranger } = await loadFixture(deployConsents);
    await register(organizations, stranger.address, kinds.clinic | kinds.gateway);
    await expect(accessLog.connect(stranger).append(1, id("root"))).to.emit(accessLog, "AccessRootAnchored");
  });

  it("is a gateway that is suspended: it begins, and goes on", async () => {
    const { accessLog, organizations, gateway } = await loadFixture(deployConsents);
    await organizations.suspend(gateway);
    await accessLog.append(1, id("root"));
    await accessLog.append(2, id("next root"));
    expect((await logOf(accessLog, gateway.address)).sequence).to.equal(2n);
  });

  it("is an account that has begun, even if it is no gateway any more", async () => {
    const { accessLog, organizations, gateway } = await loadFixture(deployConsents);
    await accessLog.append(1, id("root"));
    await setKinds(organizations, gateway.address, kinds.clinic);
    await organizations.suspend(gateway);
    await accessLog.append(2, id("next root"));
    expect((await logOf(accessLog, gateway.address)).sequence).to.equal(2n);
  });

  it("is not an account that stopped to be a gateway before it began", async () => {
    const { accessLog, organizations, gateway } = await loadFixture(deployConsents);
    await setKinds(organizations, gateway.address, kinds.clinic);
    await expect(accessLog.append(1, id("root")))
      .to.be.revertedWithCustomError(accessLog, "NotGateway")
      .withArgs(gateway.address);
  });
});

describe("AccessLog: set up", () => {
  it("is done once, and never on the implementation", async () => {
    const { accessLog, stranger } = await loadFixture(deployConsents);
    const bare = await ethers.deployContract("AccessLog");
    for (const contract of [accessLog.connect(stranger), bare])
      await expect(contract.initialize(stranger, stranger)).to.be.revertedWithCustomError(
        contract,
        "InvalidInitialization",
      );
  });

  it("is changed by nobody but whom the access manager allows", async () => {
    const { accessLog, admin, gateway, stranger, clinic } = await loadFixture(deployConsents);
    const next = await ethers.deployContract("AccessLog");
    for (const caller of [gateway, stranger, clinic])
      await expect(accessLog.connect(caller).upgradeToAndCall(next, "0x"))
        .to.be.revertedWithCustomError(accessLog, "AccessManagedUnauthorized")
        .withArgs(caller.address);
    await accessLog.append(1, id("root"));
    const before = await logOf(accessLog, gateway.address);
    await expect(accessLog.connect(admin).upgradeToAndCall(next, "0x"))
      .to.emit(accessLog, "Upgraded")
      .withArgs(await next.getAddress());
    expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
    await accessLog.append(2, id("next root"));
  });
});

describe("AccessLog: any history of attempts", () => {
  const attempt = fc.record({
    who: fc.nat({ max: 2 }),
    ahead: fc.integer({ min: -2, max: 2 }),
    root: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 3 }).map((n) => id(`root ${n}`)) }, fc.constant(ZeroHash)),
    wait: fc.nat({ max: 1_000 }),
  });

  it("leaves what a model of it says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 12 }), async (attempts) => {
        const context = await loadFixture(deployConsents);
        const { accessLog, organizations, gateway, relayer, stranger } = context;
        await register(organizations, relayer.address, kinds.gateway | kinds.payer);
        // The third is no gateway.
        const accounts = [gateway, relayer, stranger];
        const model = accounts.map(() => ({ ...NOTHING }));
        for (const { who, ahead, root, wait } of attempts) {
          const [account, log] = [accounts[who]!, model[who]!];
          const sequence = log.sequence + 1n + BigInt(ahead);
          if (sequence < 0n) continue;
          const at = BigInt(await time.latest()) + 1n + BigInt(wait);
          await time.setNextBlockTimestamp(at);
          const refused = refusalOf(root, ahead, account, context);
          if (refused !== undefined) {
            await expect(accessLog.connect(account).append(sequence, root)).to.be.revertedWithCustomError(
              accessLog,
              refused,
            );
            continue;
          }
          await accessLog.connect(account).append(sequence, root);
          model[who] = { head: headOf(log.head, sequence, root, at), sequence, anchoredAt: at };
        }
        for (const [i, account] of accounts.entries())
          expect(await logOf(accessLog, account.address)).to.deep.equal(model[i]);
      }),
      { numRuns: runs(60) },
    );
  });

  function refusalOf(
    root: string,
    ahead: number,
    account: HardhatEthersSigner,
    { stranger }: Consents,
  ): string | undefined {
    if (root === ZeroHash) return "RootZero";
    if (ahead !== 0) return "SequenceNotNext";
    return account === stranger ? "NotGateway" : undefined;
  }
});
