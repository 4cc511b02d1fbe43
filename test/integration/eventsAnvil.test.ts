import { expect } from "chai";
import { Contract, JsonRpcProvider, type TransactionRequest } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { createClaims, type Claims, type ClaimBatchUpdate, type GroupResult } from "@carepact/sdk/claims";
import { deployDevnet } from "@carepact/sdk/devnet";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createEvents, type EventChange, type EventStream } from "@carepact/sdk/events";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools, type Pools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { startAnvil, type Anvil } from "../support/anvil";
import { met } from "../support/batches";
import { EventsView } from "../support/eventsView";
import { DAY, GRACE } from "../support/system";

import { fill } from "./support";

const atOnce = { pollMs: 1, retryMs: 1 };
const DOLLAR = 1_000_000n;
const DEPTHS = [1, 2, 3, 4, 5, 6, 7, 8];

interface World {
  provider: JsonRpcProvider;
  deployment: Deployment;
  token: string;
  rulebook: string;
  payer: { account: string; claims: Claims; pools: Pools };
  pharmacy: { account: string; claims: Claims };
  attesters: Claims[];
}

/** The system with a payer whose pool is full, a pharmacy and a rulebook of 2 of 2 attesters. */
async function makeWorld(provider: JsonRpcProvider): Promise<World> {
  const { deployment, token } = await deployDevnet(provider);
  const [office, payer, pharmacy, ...attesters] = await Promise.all(
    [0, 1, 2, 3, 4].map((index) => provider.getSigner(index)),
  );
  const organizations = createOrganizations({ runner: office!, deployment });
  for (const [signer, kind] of [
    [payer!, "payer"],
    [pharmacy!, "pharmacy"],
  ] as const) {
    const { publicKey } = await generateSealingKeys();
    await run(organizations.register(signer.address, { name: kind, kinds: [kind], hpkeKey: publicKey }));
  }
  const rules = simpleRulebook({
    attesters: attesters.map(({ address }) => address),
    threshold: 2,
    eventKinds: eventKinds.dispense,
    grace: GRACE,
  });
  const { id: rulebook } = await run(createRulebooks({ runner: office!, deployment }).publish(rules));
  const pools = createPools({ runner: payer!, deployment });
  const coin = new Contract(token.address, ["function mint(address to, uint256 amount)"], payer);
  await ((await coin.getFunction("mint")(payer!.address, 10_000n * DOLLAR)) as { wait(): Promise<unknown> }).wait();
  await run(pools.approve({ token: token.address, amount: 10_000n * DOLLAR }));
  await run(pools.deposit({ token: token.address, amount: 1_000n * DOLLAR }));
  return {
    provider,
    deployment,
    token: token.address,
    rulebook,
    payer: { account: payer!.address, claims: createClaims({ runner: payer!, deployment }), pools },
    pharmacy: { account: pharmacy!.address, claims: createClaims({ runner: pharmacy!, deployment }) },
    attesters: attesters.map((runner) => createClaims({ runner, deployment })),
  };
}

/** Ids of all events on the node's chain, as the node itself lists them. */
async function idsOn({ provider, deployment }: World): Promise<string[]> {
  const logs = await provider.getLogs({
    address: Object.values(deployment).filter((value): value is string => typeof value === "string"),
    fromBlock: 0,
    toBlock: "latest",
  });
  return logs.map(({ blockHash, index }) => `${blockHash}-${index}`);
}

/** What anvil is to mine: a transaction, and in which of the new blocks. */
type Again = [TransactionRequest, number];

const reorg = ({ provider }: World, depth: number, again: Again[]): Promise<unknown> =>
  provider.send("anvil_reorg", [depth, again]);

const depositOf = ({ payer, token }: World, amount: bigint): Promise<TransactionRequest> =>
  payer.pools.deposit({ token, amount }).populate();

/** Sends, and comes back when it is mined: anvil answers before it mines. */
async function mine({ provider }: World, request: TransactionRequest): Promise<void> {
  const hash: unknown = await provider.send("eth_sendTransaction", [request]);
  while ((await provider.send("eth_getTransactionReceipt", [hash])) === null);
}

const follow = ({ provider, deployment }: World, after?: string): EventStream<EventChange> =>
  createEvents({ runner: provider, deployment }).follow({ after }, atOnce);

async function catchUp(world: World, view: EventsView): Promise<void> {
  const changes = follow(world, view.cursor);
  await view.takeUntilCurrent(changes, await world.provider.getBlockNumber());
  await changes.return();
}

async function fundAndSettle(world: World, prescription: string): Promise<void> {
  const { claims } = world.payer;
  const { file } = await run(claims.fund(await fundInput(world, prescription)));
  await run(world.pharmacy.claims.settle(file, await attestations(world, file, [met])));
}

const fundInput = async ({ provider, pharmacy, rulebook, token }: World, prescription: string) => ({
  adjudicated: [fill(pharmacy.account, prescription, "40.00")],
  rulebook,
  token,
  eventBy: (await provider.getBlock("latest"))!.timestamp + 30 * DAY,
});

async function attestations(
  { attesters, provider }: World,
  file: Parameters<Claims["attest"]>[0],
  results: GroupResult[],
): Promise<Awaited<ReturnType<Claims["attest"]>>[]> {
  const together = { observedAt: (await provider.getBlock("latest"))!.timestamp, evidence: `0x${"11".repeat(32)}` };
  return Promise.all(attesters.map((claims) => claims.attest(file, results, together)));
}

describe("SDK: events on anvil, whose chain is reorganized", () => {
  let anvil: Anvil;
  let world: World;
  let snapshot: unknown;

  before(async () => {
    anvil = await startAnvil();
    world = await makeWorld(anvil.provider);
  });
  beforeEach(async () => {
    snapshot = await world.provider.send("evm_snapshot", []);
  });
  afterEach(async () => {
    await world.provider.send("evm_revert", [snapshot]);
  });
  after(() => anvil.stop());

  it("gives every event of the deployment and of what was done since, as the node lists them", async () => {
    await fundAndSettle(world, "1");
    const events = [];
    for await (const event of createEvents({ runner: world.provider, deployment: world.deployment }).read())
      events.push(event);
    expect(events.map(({ id }) => id)).to.deep.equal(await idsOn(world));
    const names = events.map(({ name }) => name);
    expect(names).to.include.members(["RoleGranted", "OrganizationRegistered", "RulebookPublished", "Deposited"]);
    expect(names.slice(-3)).to.deep.equal(["ClaimBatchFunded", "GroupSettled", "ClaimBatchSettled"]);
  });

  for (const depth of DEPTHS) {
    /** Two blocks more than are taken back, of deposits; every third is dropped, the others are mined later or earlier. */
    const prepare = async (): Promise<Again[]> => {
      const requests: TransactionRequest[] = [];
      for (let block = 0; block < depth + 2; block += 1) {
        requests.push(await depositOf(world, BigInt(depth * 100 + block)));
        await mine(world, requests[block]!);
      }
      return requests.slice(2).flatMap((request, i): Again[] => (i % 3 === 1 ? [] : [[request, depth - 1 - i]]));
    };

    it(`given a reorganization ${depth} deep while it runs, has what is on the chain`, async () => {
      const changes = follow(world);
      const view = new EventsView();
      const again = await prepare();
      await view.takeUntilCurrent(changes, await world.provider.getBlockNumber());
      const before = [...view.ids];
      expect(before).to.deep.equal(await idsOn(world));

      await reorg(world, depth, again);
      await mine(world, await depositOf(world, 7n));
      await view.takeUntilCurrent(changes, await world.provider.getBlockNumber());
      expect(view.ids).to.deep.equal(await idsOn(world));
      expect(view.removed).to.equal(depth);
      expect(view.ids.slice(0, before.length - depth)).to.deep.equal(before.slice(0, before.length - depth));
      expect(view.ids.length).to.equal(before.length - depth + again.length + 1);
      await changes.return();
    });

    it(`given a reorganization ${depth} deep while it does not run, takes back what the cursor names`, async () => {
      const view = new EventsView();
      const again = await prepare();
      await catchUp(world, view);
      // Of the same height at first, then higher.
      await reorg(world, depth, again);
      await catchUp(world, view);
      expect(view.ids).to.deep.equal(await idsOn(world));
      expect(view.removed).to.equal(depth);
      await reorg(world, depth, []);
      await mine(world, await depositOf(world, 9n));
      await catchUp(world, view);
      expect(view.ids).to.deep.equal(await idsOn(world));
      expect(view.removed).to.equal(depth + again.length);
    });
  }

  it("given reorganization after reorganization under two consumers, one with ethers' cache, has what is on the chain", async () => {
    const cached = new JsonRpcProvider(anvil.url, undefined, { polling: false });
    const views = [new EventsView(), new EventsView()];
    const consumers = [follow(world), follow({ ...world, provider: cached })];
    for (const depth of [...DEPTHS, ...DEPTHS].reverse()) {
      for (let block = 0; block < depth; block += 1)
        await mine(world, await depositOf(world, BigInt(depth + block + 1)));
      // While they read.
      const reading = consumers.map((changes, i) => views[i]!.takeUntilCurrent(changes, 0));
      await reorg(world, depth, [[await depositOf(world, 5n), depth - 1]]);
      await Promise.all(reading);
    }
    await mine(world, await depositOf(world, 3n));
    const head = await world.provider.getBlockNumber();
    await Promise.all(consumers.map((changes, i) => views[i]!.takeUntilCurrent(changes, head)));
    for (const view of views) expect(view.ids).to.deep.equal(await idsOn(world));
    await Promise.all(consumers.map((changes) => changes.return()));
    cached.destroy();
  });

  describe("watching a batch", () => {
    it("tells its funding, its settlement, that this was taken back, and that it was settled again, and ends", async () => {
      const { payer, pharmacy, provider } = world;
      const { file } = await run(payer.claims.fund(await fundInput(world, "9")));
      const signed = await attestations(world, file, [met]);
      const updates = pharmacy.claims.watch(file, { ...atOnce, closedConfirmations: 3 });
      const next = async (): Promise<ClaimBatchUpdate> => {
        const { done, value } = await updates.next();
        return done === true ? expect.fail("It ended.") : value;
      };
      const told = ({ changes }: ClaimBatchUpdate): string[] =>
        changes.map(({ type, event }) => `${type} ${event.name}`);

      const funded = await next();
      expect(told(funded)).to.deep.equal(["added ClaimBatchFunded"]);
      expect(funded.status).to.include({ funded: true, open: 40n * DOLLAR, paidInFull: false });

      await run(pharmacy.claims.settle(file, signed));
      const settled = await next();
      expect(told(settled)).to.deep.equal(["added GroupSettled", "added ClaimBatchSettled"]);
      expect(settled.status).to.include({ open: 0n, paidInFull: true });

      await reorg(world, 1, []);
      await provider.send("anvil_mine", ["0x1"]);
      const open = await next();
      expect(told(open)).to.deep.equal(["removed ClaimBatchSettled", "removed GroupSettled"]);
      expect(open.status).to.include({ open: 40n * DOLLAR, paidInFull: false });

      await run(pharmacy.claims.settle(file, signed));
      const again = await next();
      expect(told(again)).to.deep.equal(["added GroupSettled", "added ClaimBatchSettled"]);
      expect(again.status).to.include({ open: 0n, paidInFull: true });

      // From the cursor of the first settlement, everything that happened since comes at once.
      const resumed = pharmacy.claims.watch(file, { ...atOnce, after: settled.cursor });
      expect(told((await resumed.next()).value as ClaimBatchUpdate)).to.deep.equal([
        "removed ClaimBatchSettled",
        "removed GroupSettled",
        "added GroupSettled",
        "added ClaimBatchSettled",
      ]);
      await resumed.return();

      const end = updates.next();
      await provider.send("anvil_mine", ["0x3"]);
      expect(await end).to.deep.equal({ done: true, value: undefined });
      const names = [];
      for await (const { name } of pharmacy.claims.history(file)) names.push(name);
      expect(names).to.deep.equal(["ClaimBatchFunded", "GroupSettled", "ClaimBatchSettled"]);
    });
  });
});
