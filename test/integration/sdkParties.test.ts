import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { getIcapAddress, Interface, ZeroHash, type ContractRunner, type Provider } from "ethers";
import { ethers } from "hardhat";

import { deployments, run, type Deployment } from "@carepact/sdk";
import { createClaims, openClaimBatchFile, verifyClaimBatchFile } from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createEvents } from "@carepact/sdk/events";
import { createMandates, mandateIdOf, type Mandate } from "@carepact/sdk/mandates";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools } from "@carepact/sdk/pools";
import { createRoles } from "@carepact/sdk/roles";
import { createRulebooks, eventKinds, rulebookIdOf, simpleRulebook } from "@carepact/sdk/rulebooks";

import { DAY, GRACE } from "../support/system";

import {
  attestations,
  CENT,
  deployWorld,
  fill,
  fundedBatch,
  fundInput,
  moneyOf,
  nodeWith,
  POOL,
  refusal,
  reverted,
  sdkFor,
  usualClaims,
  type World,
} from "./support";

const DOLLAR = 100n * CENT;

const tokenFunctions = new Interface([
  "function eip712Domain()",
  "function nonces(address)",
  "function symbol()",
  "function decimals()",
  "function version()",
]);

/** A node that answers calls of one function in its own way. */
function nodeAnswering(name: string, answer: () => Promise<string>, node: Provider = ethers.provider): Provider {
  const { selector } = tokenFunctions.getFunction(name)!;
  return nodeWith({
    call: (request) => (request.data?.startsWith(selector) === true ? answer() : node.call(request)),
  });
}

/** A signer whose node is another. */
const signerOn = (signer: ContractRunner, node: Provider): ContractRunner =>
  new Proxy(signer, {
    get: (target, key) => {
      const value: unknown = key === "provider" ? node : Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });

const mandateOf = (payer: string, rest: Pick<Mandate, "operator" | "token">): Mandate => ({
  payer,
  ...rest,
  cap: 1n,
  period: 1,
  start: 0,
  end: 1,
  payeeKinds: 1,
  rulebooks: [],
  payees: [],
  salt: ZeroHash,
});

describe("SDK: pools", () => {
  describe("given tokens of the payer", () => {
    it("deposits what was approved, for the payer or for another", async () => {
      const { payer, operator, token, tokenAddress } = await loadFixture(deployWorld);
      const amount = 100n * DOLLAR;
      await token.mint(operator.address, 2n * amount);
      const deposit = operator.pools.deposit({ token: tokenAddress, amount, payer: payer.address });
      expect(await reverted("ERC20InsufficientAllowance", deposit.simulate())).to.include({ allowance: "0" });
      await run(operator.pools.approve({ token: tokenAddress, amount: 2n * amount }));
      expect(await run(deposit)).to.include({ token: tokenAddress, amount });
      await run(operator.pools.deposit({ token: tokenAddress, amount }));
      const free = async (account: string) => (await payer.pools.balances({ account, token: tokenAddress })).free;
      expect([await free(payer.address), await free(operator.address)]).to.deep.equal([POOL + amount, amount]);
    });

    it("deposits under a permit, for the payer or for another, in one transaction", async () => {
      const { payer, operator, tokenAddress: token } = await loadFixture(deployWorld);
      const amount = 100n * DOLLAR;
      const nonce = await payer.signer.getNonce();
      await run(payer.pools.depositWithPermit({ token, amount, payer: operator.address }));
      await run(payer.pools.depositWithPermit({ token, amount, deadline: (await time.latest()) + 60 }));
      expect(await payer.signer.getNonce()).to.equal(nonce + 2);
      expect(await payer.pools.balances({ account: operator.address, token })).to.deep.equal({
        free: amount,
        credit: 0n,
      });
      expect((await payer.pools.balances({ account: payer.address, token })).free).to.equal(POOL + amount);
    });

    it("deposits under a permit of a token that is older than ERC-5267, as USDC is", async () => {
      const { payer, deployment, tokenAddress: token } = await loadFixture(deployWorld);
      const node = nodeAnswering("eip712Domain", () => Promise.reject(new Error("execution reverted")));
      const old = signerOn(payer.signer, node);
      await run(sdkFor(old, deployment).pools.depositWithPermit({ token, amount: DOLLAR }));
      expect((await payer.pools.balances({ account: payer.address, token })).free).to.equal(POOL + DOLLAR);
    });

    it("signs for the token and the deployment's chain only, whatever the token says", async () => {
      const { payer, deployment, stranger, tokenAddress: token } = await loadFixture(deployWorld);
      const domain = new Interface([
        "function eip712Domain() view returns (bytes1,string,string,uint256,address,bytes32,uint256[])",
      ]);
      const chainId = BigInt(deployment.chainId);
      for (const [code, chain, contract] of [
        ["TOKEN_UNREADABLE", chainId, stranger.address],
        ["CHAIN_MISMATCH", 1n, token],
      ] as const) {
        const values = ["0x0f", "Other", "1", chain, contract, ZeroHash, []];
        const node = nodeAnswering("eip712Domain", () =>
          Promise.resolve(domain.encodeFunctionResult("eip712Domain", values)),
        );
        const signer = signerOn(payer.signer, node);
        const { pools } = sdkFor(signer, deployment);
        await refusal(code, pools.depositWithPermit({ token, amount: DOLLAR }).send());
      }
    });

    it("does not take a node that fails for a token that answers otherwise", async () => {
      const { payer, deployment, rulebook, tokenAddress: token } = await loadFixture(deployWorld);
      const failing = (name: string) => nodeAnswering(name, () => Promise.reject(new Error("fetch failed")));
      for (const name of ["eip712Domain", "nonces"]) {
        const { pools } = sdkFor(signerOn(payer.signer, failing(name)), deployment);
        await refusal("NODE_UNREACHABLE", pools.depositWithPermit({ token, amount: DOLLAR }).send());
      }
      for (const name of ["symbol", "decimals"]) {
        const { pools, claims } = sdkFor(signerOn(payer.signer, failing(name)), deployment);
        await refusal("NODE_UNREACHABLE", pools.token(token));
        await refusal(
          "NODE_UNREACHABLE",
          claims.fund({ adjudicated: [], token, rulebook, eventBy: new Date() }).simulate(),
        );
      }
      // An older token's version is no 1 because the node was away.
      const old = nodeAnswering(
        "eip712Domain",
        () => Promise.reject(new Error("execution reverted")),
        failing("version"),
      );
      const { pools } = sdkFor(signerOn(payer.signer, old), deployment);
      await refusal("NODE_UNREACHABLE", pools.depositWithPermit({ token, amount: DOLLAR }).send());
    });

    it("takes accounts as hex only, and no other form of them", async () => {
      const { payer, admin, tokenAddress: token } = await loadFixture(deployWorld);
      const icap = getIcapAddress(payer.address);
      const { pools } = payer;
      const amount = 1n;
      const key = `0x${"11".repeat(32)}`;
      for (const action of [
        pools.withdraw({ token, amount, to: icap }),
        pools.withdraw({ token: icap, amount, to: payer.address }),
        pools.payoutTo({ token, amount, to: icap }),
        pools.payout({ token, payee: icap }),
        pools.approve({ token: icap, amount }),
        pools.deposit({ token, amount, payer: icap }),
        pools.depositWithPermit({ token, amount, payer: icap }),
        admin.organizations.register(icap, { name: "A payer", kinds: ["payer"], hpkeKey: key }),
        admin.organizations.suspend(icap),
        payer.mandates.give(mandateOf(payer.address, { operator: icap, token })),
      ])
        await refusal("IDENTIFIER_INVALID", action.populate());
      await refusal("IDENTIFIER_INVALID", pools.balances({ account: icap, token }));
      const rules = simpleRulebook({ attesters: [payer.address], threshold: 1, eventKinds: 1, grace: GRACE });
      await refusal("BATCH_TERMS_INVALID", payer.rulebooks.publish({ ...rules, suspender: icap }).populate());
    });

    it("says so when a connection has no deployment", async () => {
      const { payer } = await loadFixture(deployWorld);
      const deployment = deployments[5] as Deployment;
      const connection = { runner: payer.signer, deployment };
      for (const create of [
        createPools,
        createClaims,
        createMandates,
        createRulebooks,
        createOrganizations,
        createEvents,
        createRoles,
      ])
        expect((await refusal("INPUT_INVALID", () => create(connection))).details).to.deep.equal({
          path: "deployment",
        });
    });

    it("says so when a token takes no permits, or is none", async () => {
      const { payer, rulebook } = await loadFixture(deployWorld);
      const bare = await (await ethers.deployContract("NoReturnToken")).getAddress();
      const { details } = await refusal(
        "TOKEN_UNREADABLE",
        payer.pools.depositWithPermit({ token: bare, amount: 1n }).send(),
      );
      expect(details).to.deep.equal({ token: bare });
      const nowhere = payer.address;
      for (const [code, token] of [
        ["TOKEN_UNREADABLE", nowhere],
        ["IDENTIFIER_INVALID", "a token"],
      ] as const)
        await refusal(code, payer.claims.fund({ adjudicated: [], token, rulebook, eventBy: new Date() }).send());
      await refusal("CONTRACT_MISSING", payer.pools.approve({ token: nowhere, amount: 1n }).send());
    });

    it("withdraws what is free, and no more", async () => {
      const { payer, stranger, token, tokenAddress } = await loadFixture(deployWorld);
      const to = stranger.address;
      expect(await run(payer.pools.withdraw({ token: tokenAddress, amount: DOLLAR, to }))).to.include({
        amount: DOLLAR,
      });
      expect(await token.balanceOf(to)).to.equal(DOLLAR);
      const tooMuch = payer.pools.withdraw({ token: tokenAddress, amount: POOL, to }).simulate();
      expect(await reverted("FreeBalanceTooSmall", tooMuch)).to.deep.equal({
        payer: payer.address,
        token: tokenAddress,
        free: String(POOL - DOLLAR),
        asked: String(POOL),
      });
    });
  });

  describe("given a payee's credit", () => {
    async function deployEarned(): Promise<World> {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const signed = await attestations(world, file, [{ result: "met" }, { result: "met" }]);
      await run(world.stranger.claims.settle(file, signed));
      return world;
    }

    it("pays out all of it to the payee, or part of it where the payee says", async () => {
      const world = await loadFixture(deployEarned);
      const { pharmacy, laboratory, stranger, token, tokenAddress } = world;
      await run(pharmacy.pools.payoutTo({ token: tokenAddress, amount: 2n * DOLLAR, to: stranger.address }));
      expect(await token.balanceOf(stranger.address)).to.equal(2n * DOLLAR);
      expect(await run(pharmacy.pools.payout({ token: tokenAddress }))).to.include({ amount: 10_034n * CENT });
      const other = stranger.pools.payout({ token: tokenAddress, payee: laboratory.address });
      expect(await run(other)).to.include({ amount: 75n * DOLLAR });
      expect(await moneyOf(world)).to.deep.include({ credits: [0n, 0n], wallets: [10_034n, 7_500n] });
    });

    it("says so when there is nothing, or not as much", async () => {
      const { pharmacy, stranger, tokenAddress: token } = await loadFixture(deployEarned);
      await reverted("AmountZero", stranger.pools.payout({ token }).simulate());
      const tooMuch = pharmacy.pools.payoutTo({ token, amount: 103n * DOLLAR, to: stranger.address });
      expect(await reverted("CreditTooSmall", tooMuch.simulate())).to.include({ credit: "102340000" });
    });

    it("shows what a token itself says when it refuses", async () => {
      const { pharmacy, stranger, token, tokenAddress } = await loadFixture(deployEarned);
      await token.blacklist(pharmacy.address);
      const { name } = await refusal(
        "CONTRACT_REVERTED",
        stranger.pools.payout({ token: tokenAddress, payee: pharmacy.address }).simulate(),
      );
      expect(name).to.equal("Unknown");
      await run(pharmacy.pools.payoutTo({ token: tokenAddress, amount: DOLLAR, to: stranger.address }));
    });
  });
});

describe("SDK: mandates", () => {
  async function deployMandated(): Promise<World & { mandate: Mandate }> {
    const world = await loadFixture(deployWorld);
    const start = await time.latest();
    const mandate: Mandate = {
      payer: world.payer.address,
      operator: world.operator.address,
      token: world.tokenAddress,
      cap: 200n * DOLLAR,
      period: 30 * DAY,
      start,
      end: start + 300 * DAY,
      payeeKinds: 2 | 4,
      rulebooks: [world.rulebook],
      payees: [],
      salt: ZeroHash,
    };
    expect(await run(world.payer.mandates.give(mandate))).to.include({ mandateId: mandateIdOf(mandate) });
    return { ...world, mandate };
  }

  it("let an operator fund a batch from the payer's pool, that its payees can open", async () => {
    const world = await loadFixture(deployMandated);
    const { operator, payer, pharmacy, mandate } = world;
    expect(await operator.mandates.status(mandate)).to.deep.equal({ inForce: true, period: 0n, spent: 0n });
    const action = operator.claims.fund({ ...(await fundInput(world)), mandate });
    const { batchId } = await action.simulate();
    const { file } = await run(action);
    expect([file.batchId, file.terms.payer]).to.deep.equal([batchId, payer.address]);
    expect(await operator.mandates.status(mandate)).to.include({ spent: 17_734n * CENT });
    expect((await moneyOf(world)).pool).to.equal(-17_734n);
    const own = {
      payee: pharmacy.address,
      privateKey: pharmacy.keys.privateKey,
      acceptedRulebooks: [world.rulebook],
      acceptedTokens: [world.tokenAddress],
    };
    expect(await pharmacy.claims.check(file, own)).to.have.property("ok", true);
  });

  it("let an operator fund a batch that was built elsewhere", async () => {
    const world = await loadFixture(deployMandated);
    const { operator, payer, mandate } = world;
    // Built for the payer, whose transaction it would be; what the operator gets is the file.
    const before = await takeSnapshot();
    const { file } = await run(payer.claims.fund(await fundInput(world)));
    await before.restore();
    expect((await operator.claims.status(file)).funded).to.equal(false);
    expect(await run(operator.mandates.fund(verifyClaimBatchFile(file), mandate))).to.include({
      batchId: file.batchId,
    });
    expect((await operator.claims.status(file)).funded).to.equal(true);
  });

  it("hold for what they name, and say what is left of their cap", async () => {
    const world = await loadFixture(deployMandated);
    const { operator, stranger, payer, pharmacy, mandate } = world;
    const mandateId = mandateIdOf(mandate);
    await run(operator.claims.fund({ ...(await fundInput(world)), mandate }));
    const again = operator.claims.fund({ ...(await fundInput(world)), mandate });
    expect(await reverted("MandateCapExceeded", again.simulate())).to.deep.equal({
      mandateId,
      left: String(2_266n * CENT),
      asked: String(17_734n * CENT),
    });
    const small = { ...(await fundInput(world, [fill(pharmacy.address, "13", "1.00")])), mandate };
    await reverted("NotMandatesOperator", stranger.claims.fund(small).simulate());
    expect(await run(payer.mandates.end(mandate))).to.include({ mandateId });
    await reverted("MandateNotInForce", operator.claims.fund(small).simulate());
    expect(await operator.mandates.status(mandate)).to.include({ inForce: false });
  });

  it("are needed: nobody funds from another's pool without one", async () => {
    const world = await loadFixture(deployWorld);
    const { operator, payer } = world;
    const action = operator.claims.fund({ ...(await fundInput(world)), payer: payer.address });
    expect(await reverted("NotPayer", action.simulate())).to.deep.equal({
      payer: payer.address,
      caller: operator.address,
    });
  });
});

describe("SDK: organizations", () => {
  it("registers, reads, updates, suspends and reinstates an organization", async () => {
    const { admin, stranger, operator } = await loadFixture(deployWorld);
    const { organizations } = admin;
    const { address } = operator;
    const { publicKey: hpkeKey } = await generateSealingKeys();
    const entry = {
      name: "A laboratory",
      kinds: ["laboratory", "clinic"] as ("laboratory" | "clinic")[],
      hpkeKey,
      npi: "1234567893",
      ncpdpId: "0512345",
      clia: "99D1234567",
      endpoint: "https://example.org/fhir",
    };
    expect(await organizations.get(address)).to.equal(undefined);
    expect(await organizations.byNpi(entry.npi)).to.equal(undefined);
    await run(organizations.register(address, entry));
    const { organizations: reading } = stranger;
    expect(await reading.get(address.toLowerCase())).to.deep.equal({
      account: address,
      status: "active",
      hpkeKeyVersion: 1,
      ...entry,
    });
    expect(await reading.byNpi(entry.npi)).to.equal(address);

    const bare = { name: "A clinic", kinds: ["clinic"] as ["clinic"], hpkeKey };
    await run(organizations.update(address, bare));
    await run(organizations.suspend(address));
    expect(await reading.get(address)).to.deep.equal({
      account: address,
      status: "suspended",
      hpkeKeyVersion: 1,
      ...bare,
    });
    await run(organizations.reinstate(address));
    expect(await reading.get(address)).to.include({ status: "active" });
    await run(operator.organizations.setEndpoint("https://example.org/api"));
    expect(await reading.get(address)).to.include({ endpoint: "https://example.org/api" });
  });

  it("seals files to the key that a payee has now", async () => {
    const world = await loadFixture(deployWorld);
    const { pharmacy } = world;
    const { publicKey, privateKey } = await generateSealingKeys();
    await run(pharmacy.organizations.setHpkeKey(publicKey));
    const { file } = await fundedBatch(world);
    expect(file.sealed.map(({ hpkeKeyVersion }) => hpkeKeyVersion)).to.deep.equal([2, 1]);
    await openClaimBatchFile(file, { payee: pharmacy.address, privateKey });
    const own = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey };
    await refusal("SEALED_UNREADABLE", openClaimBatchFile(file, own));
  });

  it("refuses identifiers that cannot be, and whoever has no role, in typed errors", async () => {
    const { admin, stranger, operator, pharmacy } = await loadFixture(deployWorld);
    const { organizations } = admin;
    const good = { name: "A pharmacy", kinds: ["pharmacy"] as ["pharmacy"], hpkeKey: `0x${"11".repeat(32)}` };
    for (const wrong of [{ npi: "1234567890" }, { ncpdpId: "512345" }, { clia: "99d1234567" }])
      await refusal("IDENTIFIER_INVALID", organizations.register(operator.address, { ...good, ...wrong }).send());
    await refusal("INPUT_INVALID", organizations.register(operator.address, { ...good, hpkeKey: "0x11" }).send());
    await refusal("IDENTIFIER_INVALID", organizations.suspend("0x11").send());
    await refusal("IDENTIFIER_INVALID", organizations.get("0x11"));
    await refusal("IDENTIFIER_INVALID", organizations.byNpi("1"));
    expect(
      await reverted("AccessManagedUnauthorized", stranger.organizations.register(operator.address, good).simulate()),
    ).to.deep.equal({ caller: stranger.address });
    expect(
      await reverted("OrganizationAlreadyRegistered", organizations.register(pharmacy.address, good).simulate()),
    ).to.deep.equal({ account: pharmacy.address });
  });
});

describe("SDK: rulebooks", () => {
  it("reads a rulebook as it was published, under the id it computes", async () => {
    const { admin, stranger, attesters, suspender, rulebook } = await loadFixture(deployWorld);
    const read = await stranger.rulebooks.get(rulebook);
    expect(read).to.deep.equal(
      simpleRulebook({
        attesters: attesters.map(({ address }) => address).reverse(),
        threshold: 2,
        eventKinds: eventKinds.dispense | eventKinds.diagnosticReport,
        grace: GRACE,
        suspender: suspender.address,
      }),
    );
    expect(rulebookIdOf(read)).to.equal(rulebook);
    expect(await admin.rulebooks.publish(read).simulate()).to.deep.equal({ id: rulebook });
  });

  it("stops and goes on as its suspender says", async () => {
    const world = await loadFixture(deployWorld);
    const { suspender, stranger, payer, rulebook: id } = world;
    expect(await stranger.rulebooks.status(id)).to.deep.equal({ published: true, suspended: false });
    expect(await run(suspender.rulebooks.suspend(id))).to.include({ id });
    expect(await stranger.rulebooks.status(id)).to.deep.equal({ published: true, suspended: true });
    const funding = payer.claims.fund(await fundInput(world, usualClaims(world))).simulate();
    expect(await reverted("RulebookIsSuspended", funding)).to.deep.equal({ rulebook: id });
    await reverted("NotSuspender", stranger.rulebooks.resume(id).simulate());
    await run(suspender.rulebooks.resume(id));
    expect(await stranger.rulebooks.status(id)).to.include({ suspended: false });
  });

  it("says so when there is none of that id, or the id is none", async () => {
    const { stranger } = await loadFixture(deployWorld);
    const id = `0x${"11".repeat(32)}`;
    expect(await stranger.rulebooks.status(id)).to.deep.equal({ published: false, suspended: false });
    expect(await reverted("RulebookUnknown", stranger.rulebooks.get(id))).to.deep.equal({ rulebook: id });
    await refusal("INPUT_INVALID", stranger.rulebooks.get("0x11"));
    await refusal("INPUT_INVALID", stranger.rulebooks.suspend("0x11").send());
  });
});
