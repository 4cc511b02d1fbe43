import { readFileSync } from "node:fs";

import { expect } from "chai";
import { BrowserProvider, Contract, ZeroAddress, type JsonRpcProvider } from "ethers";
import hre from "hardhat";

import { checkDeployment, parametersOf } from "../../deploy/deploying";
import { recordingFile, sourceOf, takeRecording } from "../../deploy/devnet";
import { embeddedChain } from "../../deploy/provider";
import { deployments } from "../../sdk/src/deployments";
import { deployDevnet, devnet, devnetAccount, type JsonRpc } from "../../sdk/src/devnet";
import type { CarepactError } from "../../sdk/src/errors";

import { DAY, embeddedSite, startAnvil, thrownBy, TRANSACTIONS, type Anvil } from "./support";

/** Of the system, and a token. */
const STEPS = TRANSACTIONS + 1;

const embedded = async (chainId = 31337): Promise<BrowserProvider> => {
  const node = await embeddedChain(hre, chainId);
  return new BrowserProvider({ request: (call) => node.request(call) }, chainId, { cacheTimeout: -1 });
};

describe("The recording of the devnet", () => {
  it("is what deploy/Carepact.ts sends; if that changed on purpose, run `npx hardhat devnet:record`", async () => {
    const recording = await takeRecording(hre);
    expect(readFileSync(recordingFile(hre), "utf8")).to.equal(await sourceOf(recording));
    expect(deployments[31337]).to.deep.equal(recording.deployment);
  });
});

describe("The devnet", () => {
  let anvil: Anvil;
  before(async () => (anvil = await startAnvil()));
  after(() => anvil.stop());

  const nodes: [string, () => Promise<BrowserProvider | JsonRpcProvider>][] = [
    ["Hardhat's chain", () => embedded()],
    ["anvil", () => Promise.resolve(anvil.provider)],
  ];
  for (const [what, nodeOf] of nodes)
    it(`is on ${what} the whole system, as checked as any other, and a token that anybody mints`, async () => {
      const node = await nodeOf();
      const { deployment, token, roles } = await deployDevnet(node);
      expect(deployment).to.equal(deployments[31337]);

      const site = await embeddedSite({}, 31337, { request: ({ method, params }) => node.send(method, params as []) });
      const parameters = await parametersOf(site);
      const findings = await checkDeployment(site, deployment, parameters);
      expect(findings.flatMap(({ wrong }) => wrong)).to.deep.equal([]);
      const { delay, forwarder, ...members } = parameters;
      expect(roles).to.deep.equal(members);
      expect([delay, forwarder]).to.deep.equal([14 * DAY, ZeroAddress]);

      const signer = devnetAccount(1).connect(node);
      const { abi } = await hre.artifacts.readArtifact("TestStablecoin");
      const coin = new Contract(token.address, abi, signer);
      await ((await coin.getFunction("mint")(signer.address, 5n)) as { wait(): Promise<unknown> }).wait();
      expect(await coin.getFunction("balanceOf")(signer.address)).to.equal(5n);
      expect([await coin.getFunction("symbol")(), await coin.getFunction("decimals")()]).to.deep.equal(["TUSD", 6n]);

      const block = await node.getBlockNumber();
      expect(await deployDevnet(node)).to.deep.equal({ deployment, token, roles });
      expect(await node.getBlockNumber()).to.equal(block);
    });

  it("is brought up by two at once as by one", async () => {
    const node = await embedded();
    await Promise.all([deployDevnet(node), deployDevnet(node)]);
    expect(await node.getTransactionCount(devnetAccount(0).address)).to.equal(STEPS);
  });

  it("goes on where it was interrupted", async () => {
    const node = await embedded();
    let left = 10;
    const closed: JsonRpc = {
      send: (method, params) =>
        method === "eth_sendRawTransaction" && left-- === 0
          ? Promise.reject(new Error("The page was closed."))
          : node.send(method, params),
    };
    expect(await thrownBy<CarepactError>(deployDevnet(closed))).to.have.property("code", "TRANSACTION_FAILED");
    expect(await node.getTransactionCount(devnetAccount(0).address)).to.equal(10);
    await deployDevnet(node);
    expect(await node.getTransactionCount(devnetAccount(0).address)).to.equal(STEPS);
  });

  it("is refused on any other chain, before anything is sent", async () => {
    const node = await embedded(1);
    const error = await thrownBy<CarepactError>(deployDevnet(node));
    expect(error).to.have.property("code", "CHAIN_MISMATCH");
    expect(error.message).to.include("This is chain 1.");
    expect(await node.getBlockNumber()).to.equal(0);
  });

  it("is refused where the first test account was used for something else", async () => {
    const node = await embedded();
    const signer = await node.getSigner(devnetAccount(0).address);
    await (await signer.sendTransaction({ to: devnetAccount(1).address, value: 1n })).wait();
    const error = await thrownBy<CarepactError>(deployDevnet(node));
    expect(error).to.have.property("code", "CHAIN_MISMATCH");
    expect(error.message).to.include("start the node anew");
    expect(await node.getBlockNumber()).to.equal(1);
  });

  it("says so when there is no node", async () => {
    const gone = () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));
    expect(await thrownBy<CarepactError>(deployDevnet({ send: gone }))).to.have.property("code", "NODE_UNREACHABLE");
  });

  it("is given up when its signal says so", async () => {
    const node = await embedded();
    const aborted = deployDevnet(node, { signal: AbortSignal.abort() });
    expect(await thrownBy<CarepactError>(aborted)).to.have.property("code", "ABORTED");
    expect(await node.getBlockNumber()).to.equal(0);
  });

  it("has the accounts that Hardhat and anvil give ether to", async () => {
    const node = await embedded();
    const accounts = (await node.send("eth_accounts", [])) as string[];
    const { governance } = devnet.roles;
    expect(devnetAccount(governance).address.toLowerCase()).to.equal(accounts[governance]?.toLowerCase());
  });
});
