import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { Wallet, type ContractRunner, type TransactionRequest } from "ethers";
import { ethers } from "hardhat";

import { run, type Action, type ErrorCode } from "@carepact/sdk";

import { met } from "../support/batches";

import {
  attestations,
  CENT,
  deployWorld,
  fill,
  fundedBatch,
  fundInput,
  moneyOf,
  nodeWith,
  openAs,
  POOL,
  refusal,
  reverted,
  sdkFor,
  type World,
} from "./support";

const DOLLAR = 100n * CENT;

/** A world with a batch that can be settled, and one of every action on it. */
async function everyAction(world: World): Promise<(as: ReturnType<typeof sdkFor>) => Action<unknown, unknown>[]> {
  const { pharmacy, operator, payer, rulebook, tokenAddress: token } = world;
  const { file } = await fundedBatch(world);
  const own = await openAs(pharmacy, file);
  const signed = await attestations(world, file, [met, met]);
  const input = await fundInput(world);
  const amount = DOLLAR;
  const to = operator.address;
  const key = `0x${"11".repeat(32)}`;
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
  return ({ claims, pools, mandates, rulebooks, organizations }) => [
    claims.fund(input),
    claims.fund({ ...input, mandate }),
    claims.settle(file, signed),
    claims.settleMany([{ batch: file, attestations: signed }]),
    claims.reverse(own, [0]),
    claims.reclaim(file),
    claims.refund(file, { amount, from: "credit" }),
    pools.approve({ token, amount }),
    pools.deposit({ token, amount }),
    pools.depositWithPermit({ token, amount }),
    pools.withdraw({ token, amount, to }),
    pools.payout({ token }),
    pools.payoutTo({ token, amount, to }),
    mandates.give(mandate),
    mandates.end(mandate),
    mandates.fund(own, mandate),
    rulebooks.publish(own.rulebook),
    rulebooks.suspend(rulebook),
    rulebooks.resume(rulebook),
    organizations.register(to, organization),
    organizations.update(to, organization),
    organizations.suspend(to),
    organizations.reinstate(to),
    organizations.setHpkeKey(key),
    organizations.setEndpoint("https://example.org"),
  ];
}

/** The payer's signer, some of whose answers are others. */
function signerOn({ payer }: World, answers: object): ContractRunner {
  return new Proxy<ContractRunner>(payer.signer, {
    get: (signer, key) => {
      const value: unknown = Reflect.get(key in answers ? answers : signer, key);
      return typeof value === "function" ? (value.bind(signer) as unknown) : value;
    },
  });
}

const attemptsOf = (action: Action<unknown, unknown>): (() => Promise<unknown>)[] => [
  () => action.send(),
  () => action.simulate(),
  () => action.estimateGas(),
  () => action.populate(),
];

describe("SDK: actions", () => {
  describe("given an action that would succeed", () => {
    it("sends just what was simulated, estimated and shown", async () => {
      const world = await loadFixture(deployWorld);
      const { payer } = world;
      const action = payer.claims.fund(await fundInput(world));
      const before = await payer.signer.getNonce();
      const { batchId, file, record } = await action.simulate();
      const gas = await action.estimateGas();
      const shown = await action.populate();
      expect(await action.populate()).to.deep.equal(shown);
      expect(shown).to.include({ to: world.deployment.claimEscrow, from: payer.address });
      expect(await payer.signer.getNonce()).to.equal(before);
      expect((await moneyOf(world)).pool).to.equal(0n);

      const sent = await action.send();
      const funded = await sent.wait();
      // What can be written down before the money is locked is what locks it.
      expect([funded.batchId, funded.file, funded.record]).to.deep.equal([batchId, file, record]);
      expect((await ethers.provider.getTransaction(sent.txHash))?.data).to.equal(shown.data);
      expect(funded.gasUsed <= gas).to.equal(true);
    });

    it("can be sent by whatever else signs what it shows", async () => {
      const world = await loadFixture(deployWorld);
      const { payer } = world;
      const action = payer.claims.fund(await fundInput(world));
      const { batchId } = await action.simulate();
      const { to, data } = await action.populate();
      await payer.signer.sendTransaction({ to, data });
      expect(await reverted("ClaimBatchAlreadyFunded", action.send())).to.deep.equal({ batchId });
    });

    it("takes what a wallet wants to set itself", async () => {
      const { payer, tokenAddress: token } = await loadFixture(deployWorld);
      const { txHash } = await payer.pools.approve({ token, amount: 1n }).send({ overrides: { gasLimit: 123_456n } });
      expect((await ethers.provider.getTransaction(txHash))?.gasLimit).to.equal(123_456n);
    });
  });

  describe("given an action that would fail", () => {
    it("shows the typed error before gas is spent, with what is missing and what to do", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, pharmacy } = world;
      const action = payer.claims.fund(await fundInput(world, [fill(pharmacy.address, "1", "20000.00")]));
      const before = await payer.signer.getNonce();
      const args = {
        payer: payer.address,
        token: world.tokenAddress,
        free: String(POOL),
        asked: String(20_000n * DOLLAR),
      };
      for (const attempt of [() => action.simulate(), () => action.estimateGas()])
        expect(await reverted("FreeBalanceTooSmall", attempt())).to.deep.equal(args);
      expect(await payer.signer.getNonce()).to.equal(before);
      // Whether a signer tries out what it sends is its own business: the error is the same.
      expect(await reverted("FreeBalanceTooSmall", action.send())).to.deep.equal(args);
      const error = await refusal("CONTRACT_REVERTED", action.simulate());
      expect(error.message).to.contain("deposit more").and.to.contain(String(POOL));
      expect(error.contract).to.equal("ClaimEscrow");
    });

    it("can be sent once the reason is gone", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, pharmacy, tokenAddress: token } = world;
      const action = payer.claims.fund(await fundInput(world, [fill(pharmacy.address, "1", "20000.00")]));
      await reverted("FreeBalanceTooSmall", action.send());
      await run(payer.pools.depositWithPermit({ token, amount: 10_000n * DOLLAR }));
      const { file } = await run(action);
      expect(await payer.claims.status(file)).to.include({ funded: true, open: 20_000n * DOLLAR });
    });

    it("is prepared anew when the node failed while it was", async () => {
      const world = await loadFixture(deployWorld);
      let up = false;
      const node = nodeWith({
        getNetwork: () => (up ? ethers.provider.getNetwork() : Promise.reject(new Error("the node is down"))),
      });
      const signer = signerOn(world, { provider: node });
      const action = sdkFor(signer, world.deployment).pools.approve({ token: world.tokenAddress, amount: 1n });
      await refusal("TRANSACTION_FAILED", action.simulate());
      up = true;
      await action.simulate();
    });

    it("says why a transaction reverted that was good when it was sent", async () => {
      const world = await loadFixture(deployWorld);
      const { stranger, payer, pharmacy, tokenAddress: token } = world;
      const { file } = await fundedBatch(world);
      await run(stranger.claims.settle(file, await attestations(world, file, [met, met])));
      await ethers.provider.send("evm_setAutomine", [false]);
      try {
        const first = await stranger.pools.payout({ token, payee: pharmacy.address }).send();
        const second = await payer.pools.payout({ token, payee: pharmacy.address }).send();
        await ethers.provider.send("evm_mine", []);
        expect(await first.wait()).to.include({ amount: 10_234n * CENT });
        await reverted("AmountZero", second.wait());
      } finally {
        await ethers.provider.send("evm_setAutomine", [true]);
      }
    });

    it("says so when nobody can tell why it reverted", async () => {
      const world = await loadFixture(deployWorld);
      const { tokenAddress: token, deployment, pharmacy, stranger, payer } = world;
      const { file } = await fundedBatch(world);
      await run(stranger.claims.settle(file, await attestations(world, file, [met, met])));
      const call = (request: TransactionRequest) =>
        request.blockTag === undefined ? payer.signer.call(request) : Promise.reject(new Error("fetch failed"));
      const { pools } = sdkFor(signerOn(world, { call }), deployment);
      await ethers.provider.send("evm_setAutomine", [false]);
      try {
        await stranger.pools.payout({ token, payee: pharmacy.address }).send();
        const sent = await pools.payout({ token, payee: pharmacy.address }).send();
        await ethers.provider.send("evm_mine", []);
        const { txHash, message, details } = await refusal("TRANSACTION_FAILED", sent.wait());
        expect(txHash).to.equal(sent.txHash);
        expect(message).to.contain("reverted");
        expect(details).not.to.have.property("mayBeSent");
      } finally {
        await ethers.provider.send("evm_setAutomine", [true]);
      }
    });
  });

  describe("given a transaction that the wallet or node had", () => {
    it("says that it may be sent, whatever is thrown but for a refusal", async () => {
      const world = await loadFixture(deployWorld);
      const { tokenAddress: token, deployment, payer } = world;
      const losing = (thrown: object) => async (request: TransactionRequest) => {
        await payer.signer.sendTransaction(request);
        throw Object.assign(new Error("lost"), thrown);
      };
      const sending = (thrown: object) =>
        sdkFor(signerOn(world, { sendTransaction: losing(thrown) }), deployment)
          .pools.approve({ token, amount: 1n })
          .send();
      for (const [code, thrown] of [
        ["NODE_UNREACHABLE", { code: "ECONNRESET" }],
        ["NODE_UNREACHABLE", { code: "SERVER_ERROR", info: { responseStatus: "504 Gateway Timeout" } }],
        ["RATE_LIMITED", { message: "too many requests" }],
        ["TIMED_OUT", { code: "TIMEOUT" }],
        ["NONCE_CONFLICT", { code: "NONCE_EXPIRED" }],
        ["ALREADY_SENT", { message: "already known" }],
        ["CHAIN_MISMATCH", { message: "network changed: 1 => 5" }],
        ["TRANSACTION_FAILED", { message: "something else" }],
      ] as const) {
        const { details, message } = await refusal(code, sending(thrown));
        expect(details, code).to.include({ mayBeSent: true });
        expect(message, code).to.contain("not known whether the transaction was sent");
      }
      for (const [code, thrown] of [
        ["USER_REJECTED", { code: 4001 }],
        ["GAS_FUNDS_MISSING", { code: "INSUFFICIENT_FUNDS" }],
        ["FEE_TOO_LOW", { message: "transaction underpriced" }],
        ["CONTRACT_REVERTED", { message: "execution reverted" }],
      ] as const)
        expect((await refusal(code, sending(thrown))).details, code).not.to.have.property("mayBeSent");
    });

    it("says nothing of the kind when the node is lost before", async () => {
      const world = await loadFixture(deployWorld);
      const node = nodeWith({ getBlockNumber: () => Promise.reject(new Error("fetch failed")) });
      const { pools } = sdkFor(signerOn(world, { provider: node }), world.deployment);
      const { details } = await refusal(
        "NODE_UNREACHABLE",
        pools.approve({ token: world.tokenAddress, amount: 1n }).send(),
      );
      expect(details).not.to.have.property("mayBeSent");
    });

    it("says that it was sent when the waiting fails", async () => {
      const world = await loadFixture(deployWorld);
      let receipt = (): Promise<null> => Promise.resolve(null);
      const node = nodeWith({ getTransactionReceipt: () => receipt() });
      const { pools } = sdkFor(signerOn(world, { provider: node }), world.deployment);
      const sent = await pools.approve({ token: world.tokenAddress, amount: 1n }).send();
      const lost = async (code: ErrorCode, waiting: Promise<unknown>): Promise<void> => {
        const { details, txHash, message } = await refusal(code, waiting);
        expect([details["mayBeSent"], txHash], code).to.deep.equal([true, sent.txHash]);
        expect(message, code).to.contain(`${sent.txHash} was sent`);
      };
      await lost("ABORTED", sent.wait({ signal: AbortSignal.abort() }));
      receipt = () => new Promise(() => undefined);
      await lost("TIMED_OUT", sent.wait({ timeoutMs: 1 }));
      receipt = () => Promise.reject(new Error("insufficient balance: your plan's credits are used up"));
      await lost("GAS_FUNDS_MISSING", sent.wait());
      receipt = () => Promise.reject(new Error("who knows"));
      await lost("TRANSACTION_FAILED", sent.wait());
      for (const confirmations of [NaN, -1, 0, 1.5, Infinity])
        await lost("INPUT_INVALID", sent.wait({ confirmations }));
    });
  });

  describe("given a wallet in which people decide", () => {
    it("takes a transaction that was sped up for the one it was", async () => {
      const world = await loadFixture(deployWorld);
      const { tokenAddress: token, payer } = world;
      const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
      /** Sends an action, and another transaction in its place. */
      const replacedBy = async (change: TransactionRequest) => {
        await ethers.provider.send("evm_setAutomine", [false]);
        try {
          const sent = await payer.pools.approve({ token, amount: 7n }).send({ overrides: fees });
          const { nonce, to, data } = (await ethers.provider.getTransaction(sent.txHash))!;
          const { hash } = await payer.signer.sendTransaction({
            ...{ nonce, to, data, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 10n },
            ...change,
          });
          await ethers.provider.send("evm_mine", []);
          return { sent, hash };
        } finally {
          await ethers.provider.send("evm_setAutomine", [true]);
        }
      };
      const faster = await replacedBy({});
      expect(await faster.sent.wait()).to.include({ amount: 7n, txHash: faster.hash });

      const withdrawn = await replacedBy({ to: payer.address, data: "0x" });
      const { details, txHash: asked } = await refusal("TRANSACTION_REPLACED", withdrawn.sent.wait());
      expect(asked).to.equal(withdrawn.sent.txHash);
      expect(details).to.deep.equal({ replacedBy: withdrawn.hash });
    });

    it("says so when they refuse to sign", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const no = () => Promise.reject(Object.assign(new Error("User rejected the request."), { code: 4001 }));
      const { claims, pools } = sdkFor(signerOn(world, { sendTransaction: no, signTypedData: no }), world.deployment);
      await refusal("USER_REJECTED", claims.fund(await fundInput(world)).send());
      await refusal("USER_REJECTED", claims.attest(file, [met, met]));
      await refusal("USER_REJECTED", pools.depositWithPermit({ token: world.tokenAddress, amount: 1n }).simulate());
      expect((await moneyOf(world)).pool).to.equal(-17_734n);
    });

    it("says so when the account cannot pay for gas", async () => {
      const world = await loadFixture(deployWorld);
      const poor = sdkFor(Wallet.createRandom().connect(ethers.provider), world.deployment);
      await refusal("GAS_FUNDS_MISSING", poor.pools.approve({ token: world.tokenAddress, amount: 1n }).send());
    });
  });

  describe("given a connection that cannot do it", () => {
    it("reads with a provider, and asks for a signer wherever something is written", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, rulebook, tokenAddress: token, deployment } = world;
      const { file } = await fundedBatch(world);
      const make = await everyAction(world);
      const reader = sdkFor(ethers.provider, deployment);
      expect((await reader.pools.balances({ account: payer.address, token })).free > 0n).to.equal(true);
      expect(await reader.claims.status(file)).to.include({ funded: true });
      expect(await reader.rulebooks.status(rulebook)).to.include({ published: true });
      expect(await reader.organizations.get(payer.address)).to.include({ status: "active" });

      for (const action of make(reader))
        for (const attempt of attemptsOf(action)) await refusal("RUNNER_CANNOT_SIGN", attempt());
    });

    it("refuses to work on another chain than the deployment's, reading or writing", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, rulebook, tokenAddress: token, deployment } = world;
      const make = await everyAction(world);
      const { file } = await fundedBatch(world);
      const elsewhere = sdkFor(payer.signer, { ...deployment, chainId: 1 });
      for (const action of make(elsewhere))
        for (const attempt of attemptsOf(action)) {
          const { details } = await refusal("CHAIN_MISMATCH", attempt());
          expect(details).to.deep.equal({ wallet: String(deployment.chainId), deployment: 1 });
        }
      for (const attempt of [
        () => elsewhere.pools.balances({ account: payer.address, token }),
        () => elsewhere.claims.status(file),
        () => elsewhere.rulebooks.status(rulebook),
        () => elsewhere.rulebooks.get(rulebook),
        () => elsewhere.organizations.get(payer.address),
        () => elsewhere.organizations.byNpi("1234567893"),
      ])
        await refusal("CHAIN_MISMATCH", attempt());
    });

    it("sends nothing to an address without a contract, where it would be lost", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, stranger, rulebook, deployment } = world;
      const astray = sdkFor(payer.signer, {
        ...deployment,
        claimEscrow: stranger.address,
        rulebooks: stranger.address,
      });
      const before = await payer.signer.getNonce();
      const { details } = await refusal("CONTRACT_MISSING", astray.rulebooks.suspend(rulebook).send());
      expect(details).to.deep.equal({ address: stranger.address, chainId: deployment.chainId });
      await refusal("CONTRACT_MISSING", astray.claims.fund(await fundInput(world)).send());
      expect(await payer.signer.getNonce()).to.equal(before);
    });

    it("says so when a signer has no provider", async () => {
      const { deployment, rulebook } = await loadFixture(deployWorld);
      const { rulebooks } = sdkFor(Wallet.createRandom(), deployment);
      await refusal("RUNNER_CANNOT_READ", rulebooks.suspend(rulebook).send());
      await refusal("RUNNER_CANNOT_READ", rulebooks.get(rulebook));
    });
  });
});
