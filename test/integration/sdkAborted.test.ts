import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { BrowserProvider, type Eip1193Provider } from "ethers";
import { network } from "hardhat";

import { run, type Action, type CallOptions } from "@carepact/sdk";
import { createClaims, type Attestation, type Claims } from "@carepact/sdk/claims";
import { createEvents, type Events, type EventStream } from "@carepact/sdk/events";
import type { Mandates } from "@carepact/sdk/mandates";
import type { Organizations } from "@carepact/sdk/organizations";
import type { Pools } from "@carepact/sdk/pools";
import type { Rulebooks } from "@carepact/sdk/rulebooks";

import { met } from "../support/batches";

import { attestations, fundedBatch, fundInput, openAs, refusal, sdkFor } from "./support";
import { strictWorld } from "./strictWorld";

type Attempt = (options: CallOptions) => Promise<unknown>;

/** What each function of an area does when it is told to stop; a new function has to be added to compile. */
type Attempts<Area> = Record<keyof Area, Attempt[]>;

const ofAction = (make: () => Action<unknown, unknown>): Attempt[] => [
  (options) => make().simulate(options),
  (options) => make().estimateGas(options),
  (options) => make().populate(options),
  (options) => make().send(options),
  (options) => run(make(), options),
];

const ofStream = (make: (options: CallOptions) => EventStream<unknown>): Attempt[] => [
  async (options) => {
    for await (const one of make(options)) void one;
  },
];

/** Every function of the SDK that touches the chain, on a chain whose requests are counted. */
async function prepare() {
  const world = await loadFixture(strictWorld);
  const { pharmacy, operator, payer, rulebook, tokenAddress: token, deployment } = world;
  const strict = { file: world.file, record: world.record, signed: await attestations(world, world.file, [met, met]) };
  const line = { group: 0, line: 0 };
  const { file, record } = await fundedBatch({ ...world, rulebook: world.plain });
  const order = await pharmacy.claims.signRefundOrder(file, { upTo: 1n, deadline: file.terms.eventBy });
  const own = await openAs(pharmacy, file);
  const signed = await attestations(world, file, [met, met]);
  const [first, second] = signed as [Attestation, Attestation];
  const equivocation = { attester: first.signer, group: 0, line: 0, first, second };
  const input = await fundInput(world);
  const [amount, to, key] = [1n, operator.address, `0x${"11".repeat(32)}`];
  const organization = { name: "A payer", kinds: ["payer"] as ["payer"], hpkeKey: key };
  const mandate = {
    payer: payer.address,
    operator: to,
    token,
    cap: 1n,
    period: 1,
    start: 0,
    end: 1,
    payeeKinds: 1,
    rulebooks: [rulebook],
    payees: [],
    salt: key,
  };

  const node = {
    requests: 0,
    onRequest: (): void => undefined,
    answers: true,
    request: (request: Parameters<Eip1193Provider["request"]>[0]): Promise<unknown> => {
      node.requests += 1;
      node.onRequest();
      if (!node.answers) return new Promise(() => undefined);
      return network.provider.request(request);
    },
  };
  const provider = new BrowserProvider(node, undefined, { cacheTimeout: -1, polling: false });
  const signer = await provider.getSigner(payer.address);
  const payee = await provider.getSigner(pharmacy.address);
  const { claims, pools, mandates, rulebooks, organizations } = sdkFor(signer, deployment);
  const events = createEvents({ runner: signer, deployment });

  const ofClaims: Attempts<Claims> = {
    fund: [...ofAction(() => claims.fund(input)), ...ofAction(() => claims.fund({ ...input, mandate }))],
    reseal: [(options) => claims.reseal(record, options)],
    check: [
      async (options) => {
        const { privateKey } = pharmacy.keys;
        const accepted = { acceptedRulebooks: "any", acceptedTokens: "any" } as const;
        const result = await claims.check(file, { payee: pharmacy.address, privateKey, ...accepted, ...options });
        if (!result.ok) throw Object.assign(new Error(result.reason.message), result.reason);
      },
    ],
    attest: [(options) => claims.attest(file, [met, met], options)],
    settle: ofAction(() => claims.settle(file, signed)),
    settleMany: ofAction(() => claims.settleMany([{ batch: file, attestations: signed }])),
    reverse: ofAction(() => claims.reverse(own, [0])),
    reclaim: ofAction(() => claims.reclaim(file)),
    refund: ofAction(() => claims.refund(file, { amount, from: "credit" })),
    present: ofAction(() => claims.present(strict.file, strict.signed)),
    settlePresented: ofAction(() => claims.settlePresented(strict.file, 0)),
    dispute: ofAction(() => claims.dispute(strict.record, line)),
    disputeMissing: ofAction(() => claims.disputeMissing(strict.record, line)),
    presentDisputed: ofAction(() => claims.presentDisputed(strict.file, line, strict.signed)),
    resolve: ofAction(() => claims.resolve(strict.file, line, 1n)),
    resolveByDefault: ofAction(() => claims.resolveByDefault(strict.file, line)),
    recoup: ofAction(() => claims.recoup(strict.file, { retention: 0, payee: pharmacy.address, amount })),
    release: ofAction(() => claims.release(strict.file, 0)),
    signRefundOrder: [
      (options) =>
        createClaims({ runner: payee, deployment }).signRefundOrder(file, { upTo: 1n, deadline: 1, ...options }),
    ],
    refundByOrder: ofAction(() => claims.refundByOrder(file, order)),
    presentations: [(options) => claims.presentations(strict.file, options)],
    disputes: [(options) => claims.disputes(strict.file, options)],
    retentions: [(options) => claims.retentions(strict.file, options)],
    reportOf: [(options) => claims.reportOf(file, options)],
    status: [(options) => claims.status(file, options), (options) => claims.status(strict.file, options)],
    history: ofStream((options) => claims.history(file, { retries: 0, ...options })),
    remittance: [
      (options) => {
        const period = { from: 0, to: file.terms.eventBy };
        const parties = { payer: {}, payee: {} };
        const query = { payer: payer.address, payee: pharmacy.address, ...period, batches: [own], parties };
        return claims.remittance(query, { finality: "latest", ...options });
      },
    ],
    watch: ofStream((options) => claims.watch(file, { pollMs: 0, retries: 0, ...options })),
  };
  const ofPools: Attempts<Pools> = {
    approve: ofAction(() => pools.approve({ token, amount })),
    deposit: ofAction(() => pools.deposit({ token, amount })),
    depositWithPermit: ofAction(() => pools.depositWithPermit({ token, amount })),
    withdraw: ofAction(() => pools.withdraw({ token, amount, to })),
    payout: ofAction(() => pools.payout({ token })),
    payoutTo: ofAction(() => pools.payoutTo({ token, amount, to })),
    token: [(options) => pools.token(token, options)],
    balances: [(options) => pools.balances({ account: to, token }, options)],
  };
  const ofMandates: Attempts<Mandates> = {
    give: ofAction(() => mandates.give(mandate)),
    end: ofAction(() => mandates.end(mandate)),
    fund: ofAction(() => mandates.fund(own, mandate)),
    status: [(options) => mandates.status(mandate, options)],
  };
  const ofRulebooks: Attempts<Rulebooks> = {
    publish: ofAction(() => rulebooks.publish(own.rulebook)),
    suspend: ofAction(() => rulebooks.suspend(rulebook)),
    resume: ofAction(() => rulebooks.resume(rulebook)),
    proveEquivocation: ofAction(() => rulebooks.proveEquivocation(own, equivocation)),
    suspendAttester: ofAction(() => rulebooks.suspendAttester(rulebook, to)),
    hasEquivocated: [(options) => rulebooks.hasEquivocated(to, options)],
    get: [(options) => rulebooks.get(rulebook, options)],
    status: [(options) => rulebooks.status(rulebook, options)],
  };
  const ofOrganizations: Attempts<Organizations> = {
    register: ofAction(() => organizations.register(to, organization)),
    update: ofAction(() => organizations.update(to, organization)),
    suspend: ofAction(() => organizations.suspend(to)),
    reinstate: ofAction(() => organizations.reinstate(to)),
    setHpkeKey: ofAction(() => organizations.setHpkeKey(key)),
    setEndpoint: ofAction(() => organizations.setEndpoint("https://example.org")),
    get: [(options) => organizations.get(to, options)],
    byNpi: [(options) => organizations.byNpi("1234567893", options)],
  };
  const ofEvents: Attempts<Events> = {
    read: ofStream((options) => events.read({}, { retries: 0, ...options })),
    follow: ofStream((options) => events.follow({}, { pollMs: 0, retries: 0, ...options })),
  };
  const areas = [
    { name: "claims", area: claims, attempts: ofClaims },
    { name: "pools", area: pools, attempts: ofPools },
    { name: "mandates", area: mandates, attempts: ofMandates },
    { name: "rulebooks", area: rulebooks, attempts: ofRulebooks },
    { name: "organizations", area: organizations, attempts: ofOrganizations },
    { name: "events", area: events, attempts: ofEvents },
  ];
  return { node, areas, claims, file, signed };
}

/** Until whatever was begun has had the time to go on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const codeOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => "nothing was thrown",
    (error: { code?: unknown }) => error.code,
  );

describe("SDK: calls that are aborted, or out of time", () => {
  it("given a signal that is aborted already, every function says so, and asks the node nothing", async () => {
    const { node, areas } = await prepare();
    for (const { name, area, attempts } of areas) {
      expect(Object.keys(attempts), name).to.have.members(Object.keys(area));
      for (const [verb, each] of Object.entries(attempts))
        for (const attempt of each) {
          const before = node.requests;
          expect(await codeOf(attempt({ signal: AbortSignal.abort() })), `${name}.${verb}`).to.equal("ABORTED");
          await quiet();
          expect(node.requests - before, `${name}.${verb}`).to.equal(0);
        }
    }
  });

  it("given a signal that is aborted while the node is asked, every function says so", async () => {
    const { node, areas } = await prepare();
    for (const { name, attempts } of areas)
      for (const [verb, each] of Object.entries(attempts))
        for (const attempt of each) {
          const caller = new AbortController();
          node.onRequest = () => caller.abort();
          expect(await codeOf(attempt({ signal: caller.signal })), `${name}.${verb}`).to.equal("ABORTED");
        }
  });

  it("given a node that never answers, every function is out of time", async () => {
    const { node, areas } = await prepare();
    node.answers = false;
    for (const { name, attempts } of areas)
      for (const [verb, each] of Object.entries(attempts))
        for (const attempt of each)
          expect(await codeOf(attempt({ timeoutMs: 1 })), `${name}.${verb}`).to.equal("TIMED_OUT");
  });

  it("given a transaction that is waited for, stops waiting", async () => {
    const { claims, file, signed } = await prepare();
    const sent = await claims.settle(file, signed).send();
    await refusal("ABORTED", sent.wait({ signal: AbortSignal.abort() }));
    const caller = new AbortController();
    const waiting = sent.wait({ signal: caller.signal, confirmations: 1_000 });
    caller.abort();
    await refusal("ABORTED", waiting);
  });
});
