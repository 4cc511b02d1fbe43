import { loadFixture, mine } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { BrowserProvider, JsonRpcProvider, type ContractRunner, type Provider } from "ethers";
import { ethers, network } from "hardhat";

import { run } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";
import { createEvents, type CarepactEvent } from "@carepact/sdk/events";

import { met, notMet, pending } from "../support/batches";
import { EventsView } from "../support/eventsView";

import { attestations, byClaim, deployWorld, fundedBatch, lineOf, openAs, type World } from "./support";

const CENT = 10_000n;
const atOnce = { pollMs: 1, retryMs: 1 };

/** Everything that the SDK needs of a node, and nothing that only some of ethers' providers have. */
const withoutSend = (): Provider =>
  new Proxy<Provider>(ethers.provider, {
    get: (target, key) => {
      if (key === "send") return undefined;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });

/** A batch of which part was reversed, part settled, part refunded; beside another one. */
async function history(world: World) {
  const { pharmacy, laboratory, stranger } = world;
  const { file } = await fundedBatch(world);
  const own = await openAs(pharmacy, file);
  const reversed = lineOf(own, "F-12");
  await run(pharmacy.claims.reverse(own, [reversed]));
  await fundedBatch(world);
  await mine(3);
  await run(stranger.claims.settle(own, await attestations(world, own, [byClaim(own, { "F-11": met }), pending])));
  await run(stranger.claims.settle(own, await attestations(world, own, [pending, notMet])));
  await run(pharmacy.claims.refund(file, { amount: 90n * 100n * CENT, from: "credit" }));
  return { file, pharmacy, laboratory, reversed };
}

describe("SDK: events of the deployed system", () => {
  for (const [name, provider] of Object.entries<() => Provider>({
    HardhatEthersProvider: () => ethers.provider,
    BrowserProvider: () => new BrowserProvider(network.provider, undefined, { polling: false }),
    "a provider without send": withoutSend,
  }))
    it(`given ${name}, gives them all, as what they are`, async () => {
      const world = await loadFixture(deployWorld);
      await history(world);
      const runner = { provider: provider() } as ContractRunner;
      const events: CarepactEvent[] = [];
      for await (const event of createEvents({ runner, deployment: world.deployment }).read()) events.push(event);
      const { deployment } = world;
      const logs = await ethers.provider.getLogs({
        address: Object.values(deployment).filter((value): value is string => typeof value === "string"),
        fromBlock: 0,
      });
      expect(events.map(({ id }) => id)).to.deep.equal(logs.map(({ blockHash, index }) => `${blockHash}-${index}`));
      expect(events.map(({ txHash }) => txHash)).to.deep.equal(logs.map(({ transactionHash }) => transactionHash));
      const registered = events.find((event) => event.name === "OrganizationRegistered");
      expect(registered?.args.organization).to.deep.include({ name: "payer", kinds: 1n, npi: 0n, endpoint: "" });
    });

  it("given a batch, tells its history, and nothing of others", async () => {
    const world = await loadFixture(deployWorld);
    const { file, pharmacy, laboratory, reversed } = await history(world);
    const told = [];
    for await (const { name, args } of world.stranger.claims.history(file)) told.push([name, args]);
    const { batchId } = file;
    expect(told.map(([name]) => name)).to.deep.equal([
      "ClaimBatchFunded",
      "LinesReversed",
      "GroupSettled",
      "ClaimBatchSettled",
      "GroupSettled",
      "ClaimBatchSettled",
      "Refunded",
    ]);
    const lines = [BigInt(reversed)];
    expect(told[1]?.[1]).to.deep.equal({ batchId, payee: pharmacy.address, amount: 1_234n * CENT, lines });
    expect(told[4]?.[1]).to.deep.equal({ batchId, payee: laboratory.address, paid: 0n, freed: 7_500n * CENT });
    expect(told[6]?.[1]).to.deep.equal({
      batchId,
      payee: pharmacy.address,
      amount: 9_000n * CENT,
      fromCredit: true,
    });
  });

  it("given a batch that is watched from its end on, tells how it stands, and ends", async () => {
    const world = await loadFixture(deployWorld);
    const { file } = await history(world);
    const claims = createClaims({ runner: ethers.provider, deployment: world.deployment });
    await mine(4);
    const updates = [];
    for await (const update of claims.watch(file, { ...atOnce, closedConfirmations: 4 })) updates.push(update);
    expect(updates.length).to.equal(1);
    expect(updates[0]?.changes.length).to.equal(7);
    expect(updates[0]?.status).to.include({ funded: true, open: 0n, paidInFull: false });
  });

  it("given a batch that is not funded yet, waits for it", async () => {
    const world = await loadFixture(deployWorld);
    const { payer } = world;
    const { file } = await fundedBatch(world);
    const before = (await ethers.provider.getBlockNumber()) - 1;
    // As of the block before, it was not.
    const updates = payer.claims.watch(file, { ...atOnce, confirmations: 1 });
    expect((await updates.next()).value).to.deep.include({ changes: [], blockNumber: before });
    await mine(1);
    const { value } = (await updates.next()) as { value: { changes: { event: { name: string } }[] } };
    expect(value.changes.map(({ event }) => event.name)).to.deep.equal(["ClaimBatchFunded"]);
    await updates.return();
  });

  it("given two consumers on one provider, tells both", async () => {
    const world = await loadFixture(deployWorld);
    const events = createEvents({ runner: ethers.provider, deployment: world.deployment });
    const [all, some] = [new EventsView(), new EventsView()];
    const [first, second] = [events.follow({}, atOnce), events.follow({ names: ["Deposited"] }, atOnce)];
    const catchUp = async (): Promise<void> => {
      const head = await ethers.provider.getBlockNumber();
      await Promise.all([all.takeUntilCurrent(first, head), some.takeUntilCurrent(second, head)]);
    };
    await catchUp();
    const before = all.ids.length;
    await history(world);
    await catchUp();
    expect([all.ids.length - before, some.ids.length]).to.deep.equal([8, 1]);
    await Promise.all([first.return(), second.return()]);
  });

  it("given a node that cannot be reached, says so, and leaves nothing behind", async () => {
    const { deployment } = await loadFixture(deployWorld);
    const provider = new JsonRpcProvider("http://127.0.0.1:1", deployment.chainId, { staticNetwork: true });
    const attempt = createEvents({ runner: provider, deployment }).read({}, { retries: 1, retryMs: 0 }).next();
    const code = await attempt.then(
      () => "nothing was thrown",
      (error: { code?: unknown }) => error.code,
    );
    expect(code).to.equal("NODE_UNREACHABLE");
    provider.destroy();
  });
});
