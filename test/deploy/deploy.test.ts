import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import { expect } from "chai";
import { Contract } from "ethers";
import hre from "hardhat";

import { deployCarepact, isSound, planDeployment } from "../../deploy/deploying";
import { Failure } from "../../deploy/failure";
import { embeddedChain } from "../../deploy/provider";
import { deployments } from "../../sdk/src/deployments";

import {
  DAY,
  embeddedSite,
  emptyFolder,
  MOST_GAS,
  parametersFile,
  thrownBy,
  TRANSACTIONS,
  type Moment,
} from "./support";

const PUBLIC_CHAIN = 11_155_111;
const accounts = {
  governance: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  upgrader: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  pauser: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  credentialing: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
};

/** A node that is gone at the n-th transaction. */
function mortal(node: EIP1193Provider, nth: number, moment: Moment): EIP1193Provider {
  let left = nth;
  return {
    request: async (call) => {
      if (call.method !== "eth_sendTransaction" || --left > 0) return node.request(call);
      if (moment === "before its answer comes") await node.request(call);
      throw new Error("The power went out.");
    },
  };
}

const nonceOf = async (node: EIP1193Provider, account: string): Promise<number> =>
  Number(await node.request({ method: "eth_getTransactionCount", params: [account, "latest"] }));

describe("A deployment on Hardhat's own chain", () => {
  it("is complete, as it should be, and where the SDK says", async () => {
    const site = await embeddedSite();
    const { deployment, sent, findings, recorded } = await deployCarepact(site);
    expect(findings.filter(({ wrong }) => wrong.length > 0)).to.deep.equal([]);
    expect(sent).to.equal(TRANSACTIONS);
    expect(deployment).to.deep.equal(deployments[31337]);
    expect(recorded).to.equal(true);
    expect(JSON.parse(readFileSync(site.record, "utf8"))).to.deep.equal({ 31337: deployment });
    for (let block = 1; block <= TRANSACTIONS; block++) {
      const { gasLimit } = (await site.provider.getBlock(block, true))!.getPrefetchedTransaction(0);
      expect(gasLimit).to.be.lessThan(MOST_GAS);
    }
  });

  it("takes reports from the forwarder that the parameters name, as one that goes on does", async () => {
    const node = await embeddedChain(hre, 31337);
    const code = (await hre.artifacts.readArtifact("KeystoneForwarder")).deployedBytecode;
    const forwarder = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
    await node.request({ method: "hardhat_setCode", params: [forwarder, code] });
    const parameters = parametersFile({ governance: accounts.governance, forwarder });
    const site = await embeddedSite({ parameters }, 31337, node);
    await thrownBy(deployCarepact({ ...site, node: mortal(node, 20, "before its answer comes") }));
    const { deployment, findings } = await deployCarepact(site);
    expect(findings.filter(({ wrong }) => wrong.length > 0)).to.deep.equal([]);
    const receiver = await hre.artifacts.readArtifact("ClaimEscrowExtension");
    const escrow = new Contract(deployment.claimEscrow, receiver.abi, site.provider);
    expect(await escrow.getFunction("forwarder")()).to.equal(forwarder);
  });

  it("sends nothing and changes nothing when it is done again", async () => {
    const site = await embeddedSite();
    const first = await deployCarepact(site);
    const [file, blocks] = [readFileSync(site.record, "utf8"), await site.provider.getBlockNumber()];
    const again = await deployCarepact(site);
    expect(again).to.deep.equal({ ...first, sent: 0, recorded: false });
    expect(readFileSync(site.record, "utf8")).to.equal(file);
    expect(await site.provider.getBlockNumber()).to.equal(blocks);
  });

  const interrupted: [number, Moment][] = [
    [1, "before its answer comes"],
    [3, "before it is sent"],
    [8, "before its answer comes"],
    [TRANSACTIONS, "before its answer comes"],
  ];
  for (const [nth, moment] of interrupted)
    it(`goes on where it ended, at transaction ${nth} ${moment}, to the same system`, async () => {
      const node = await embeddedChain(hre, 31337);
      const site = await embeddedSite({}, 31337, node);
      const { message } = await thrownBy(deployCarepact({ ...site, node: mortal(node, nth, moment) }));
      expect(message).to.equal("The power went out.");
      const { deployment, findings } = await deployCarepact(site);
      expect(isSound(findings)).to.equal(true);
      expect(deployment).to.deep.equal(deployments[31337]);
      expect(await nonceOf(node, site.accounts[0]!)).to.equal(TRANSACTIONS);
    });

  it("goes on, to the same system, when it was interrupted twice among contracts that do not depend on each other", async () => {
    const site = await embeddedSite();
    for (const nth of [2, 5]) {
      const node = mortal(site.node, nth, "before its answer comes");
      expect((await thrownBy(deployCarepact({ ...site, node }))).message).to.equal("The power went out.");
    }
    expect((await deployCarepact(site)).deployment).to.deep.equal(deployments[31337]);
  });

  it("goes on when the journal's last line was cut off", async () => {
    const node = await embeddedChain(hre, 31337);
    const site = await embeddedSite({}, 31337, node);
    await thrownBy(deployCarepact({ ...site, node: mortal(node, 6, "before it is sent") }));
    appendFileSync(join(site.journal!, "journal.jsonl"), '\n{"type":"TRANSACTION_SE');
    const { deployment } = await deployCarepact(site);
    expect(deployment).to.deep.equal(deployments[31337]);
  });

  it("begins anew where the local chain is another, so that a restarted node is no obstacle", async () => {
    const site = await embeddedSite();
    await deployCarepact(site);
    const restarted = await embeddedSite(site.options);
    expect((await deployCarepact(restarted)).findings.every(({ wrong }) => wrong.length === 0)).to.equal(true);
  });

  it("refuses other parameters than those it was begun with, and sends nothing", async () => {
    const node = await embeddedChain(hre, 31337);
    const site = await embeddedSite({}, 31337, node);
    await thrownBy(deployCarepact({ ...site, node: mortal(node, TRANSACTIONS - 1, "before it is sent") }));
    const options = { ...site.options, parameters: parametersFile({ governance: accounts.governance }) };
    const failure = await thrownBy<Failure>(deployCarepact({ ...site, options }));
    expect(failure).to.be.instanceOf(Failure);
    expect(failure.message).to.include("not those with which this deployment was begun");
    expect(await nonceOf(node, site.accounts[0]!)).to.equal(TRANSACTIONS - 2);
  });

  const unfit: [string, Record<string, unknown>, string][] = [
    ["governance is missing", {}, "governance is missing"],
    ["governance is the deployer", { governance: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" }, "is the deployer"],
    [
      "the forwarder is no contract",
      { ...accounts, forwarder: accounts.pauser },
      "forwarder is no contract on this chain",
    ],
    ["an account is malformed", { ...accounts, pauser: "0x1234" }, "pauser is no address"],
    ["the delay is no number", { ...accounts, delay: "14 days" }, "delay is no whole number"],
  ];
  for (const [what, parameters, message] of unfit)
    it(`is refused before anything is sent where ${what}`, async () => {
      const site = await embeddedSite({ parameters: parametersFile(parameters) });
      expect((await thrownBy(deployCarepact(site))).message).to.include(message);
      expect(await nonceOf(site.node, site.accounts[0]!)).to.equal(0);
    });
});

describe("A deployment where no node answers", () => {
  it("says so, and names the network", async () => {
    const silent = { request: () => Promise.reject(new Error("connect ECONNREFUSED")) };
    const failure = await thrownBy<Failure>(embeddedSite({}, 31337, silent));
    expect(failure).to.be.instanceOf(Failure);
    expect(failure.message).to.equal("The node of network hardhat does not answer: connect ECONNREFUSED");
  });
});

describe("A deployment on a public chain", () => {
  const options = { parameters: parametersFile({ ...accounts, delay: 30 * DAY }) };

  it("is only rehearsed unless --send is said: addresses, gas and cost are known, and nothing is sent", async () => {
    const site = await embeddedSite(options, PUBLIC_CHAIN);
    const plan = await planDeployment(site);
    expect(isSound(plan.findings)).to.equal(true);
    expect([plan.transactions, plan.done]).to.deep.equal([TRANSACTIONS, 0]);
    expect(plan.largestGas).to.be.lessThan(MOST_GAS);
    expect(await nonceOf(site.node, site.accounts[0]!)).to.equal(0);
    expect((await thrownBy(deployCarepact(site))).message).to.include("--send");
    expect(await nonceOf(site.node, site.accounts[0]!)).to.equal(0);

    const { deployment, findings } = await deployCarepact({ ...site, mayUse: "send" });
    expect(isSound(findings)).to.equal(true);
    expect({ ...deployment, startBlock: 0 }).to.deep.equal({ ...plan.deployment, startBlock: 0 });
    const spent = plan.balance - (await site.provider.getBalance(site.accounts[0]!));
    expect(spent).to.be.lessThan(2n * plan.cost);
  });

  it("is rehearsed for what is left, when an earlier run was interrupted", async () => {
    const site = await embeddedSite({ ...options, send: true }, PUBLIC_CHAIN);
    const whole = await planDeployment(site);
    await thrownBy(deployCarepact({ ...site, node: mortal(site.node, 11, "before it is sent") }));
    const rest = await planDeployment(site);
    expect(rest.gas).to.be.lessThan(whole.gas / 2n);
    expect([rest.transactions, rest.done]).to.deep.equal([TRANSACTIONS, 10]);
    expect(rest.deployment).to.deep.equal(whole.deployment);
  });

  it("refuses a journal of another chain, and rehearses none", async () => {
    const site = await embeddedSite({ ...options, send: true }, PUBLIC_CHAIN);
    await thrownBy(deployCarepact({ ...site, node: mortal(site.node, 2, "before it is sent") }));
    const other = await embeddedSite({ ...site.options }, 1);
    for (const attempt of [planDeployment, deployCarepact])
      expect((await thrownBy(attempt(other))).message).to.include("belongs to another chain");
  });

  it("is rehearsed for nobody but who began it, and with no other parameters", async () => {
    const site = await embeddedSite({ ...options, send: true }, PUBLIC_CHAIN);
    await thrownBy(deployCarepact({ ...site, node: mortal(site.node, TRANSACTIONS - 1, "before it is sent") }));
    const journal = (): string => readFileSync(join(site.journal!, "journal.jsonl"), "utf8");
    const before = journal();
    const another = { ...site, accounts: site.accounts.slice(-1) };
    const parameters = parametersFile({ ...accounts, delay: 31 * DAY });
    for (const changed of [another, { ...site, options: { ...site.options, parameters } }]) {
      const failure = await thrownBy<Failure>(planDeployment(changed));
      expect(failure.message).to.include("not those with which this deployment was begun");
      expect(failure.kind).to.equal("input");
    }
    expect(journal()).to.equal(before);
    expect((await planDeployment(site)).done).to.equal(TRANSACTIONS - 2);
  });

  it("does not take the place of another that is recorded, unless told to", async () => {
    const first = await embeddedSite({ ...options, send: true }, PUBLIC_CHAIN);
    const { deployment } = await deployCarepact(first);
    const journal = join(emptyFolder(), "journal");
    const second = { ...first, journal };
    const [sent, record] = [await nonceOf(first.node, first.accounts[0]!), readFileSync(first.record, "utf8")];
    for (const attempt of [planDeployment, deployCarepact]) {
      const failure = await thrownBy<Failure>(attempt(second));
      expect(failure.message).to.include(deployment.claimEscrow).and.to.include("--replace");
      expect(failure.kind).to.equal("input");
    }
    expect(await nonceOf(first.node, first.accounts[0]!)).to.equal(sent);
    expect(readFileSync(first.record, "utf8")).to.equal(record);

    const told = await deployCarepact({ ...second, options: { ...second.options, replace: true } });
    expect(told.deployment.claimEscrow).not.to.equal(deployment.claimEscrow);
    expect(JSON.parse(readFileSync(first.record, "utf8"))).to.deep.equal({ [PUBLIC_CHAIN]: told.deployment });
  });

  it("begins anew where power went before the chain was noted, and says when the note is lost later", async () => {
    const site = await embeddedSite({ ...options, send: true }, PUBLIC_CHAIN);
    const note = join(site.journal!, "chain.json");
    mkdirSync(site.journal!);
    writeFileSync(note, "");
    await thrownBy(deployCarepact({ ...site, node: mortal(site.node, 2, "before it is sent") }));
    expect(JSON.parse(readFileSync(note, "utf8"))).to.include({ chainId: PUBLIC_CHAIN });
    writeFileSync(note, "");
    const failure = await thrownBy<Failure>(deployCarepact(site));
    expect(failure.message).to.include("chain.json cannot be read");
    expect(failure.kind).to.equal("input");
  });
});
