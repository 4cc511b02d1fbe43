import { expect } from "chai";
import { Interface, ZeroAddress, concat, getAddress, zeroPadValue, type InterfaceAbi } from "ethers";
import hre from "hardhat";

import { checkDeployment, deployCarepact, parametersOf } from "../../deploy/deploying";
import { roles } from "../../deploy/roles";
import type { Site } from "../../deploy/site";
import { type Part, implementationOf, partsOf } from "../../deploy/system";
import type { Deployment } from "../../sdk/src/chain/deployment";

import { DAY, embeddedSite, parametersFile, pass } from "./support";

const ADMIN = 0n;
const EVERYBODY = (1n << 64n) - 1n;

describe("The check of a deployment", () => {
  let site: Site;
  let deployment: Deployment;
  let snapshot: unknown;
  let stranger: string;
  let governance: string;

  before(async () => {
    site = await embeddedSite();
    ({ deployment } = await deployCarepact(site));
    ({ governance } = await parametersOf(site));
    stranger = site.accounts[5]!;
  });
  beforeEach(async () => (snapshot = await site.node.request({ method: "evm_snapshot" })));
  afterEach(async () => site.node.request({ method: "evm_revert", params: [snapshot] }));

  const abiOf = async (name: string): Promise<Interface> =>
    new Interface((await hre.artifacts.readArtifact(name)).abi as InterfaceAbi);

  const send = async (from: string, to: string, data: string): Promise<void> => {
    await (await (await site.provider.getSigner(from)).sendTransaction({ to, data })).wait();
  };

  const schedule = async (from: string, to: string, data: string): Promise<void> => {
    const manager = await abiOf("AccessManager");
    await send(from, deployment.accessManager, manager.encodeFunctionData("schedule", [to, data, 0]));
  };

  /** Somebody does what only waits 14 days. */
  const after14Days = async (from: string, to: string, data: string): Promise<void> => {
    await schedule(from, to, data);
    await pass(site.node, 14 * DAY);
    await send(from, to, data);
  };

  const govern = async (name: string, args: unknown[]): Promise<void> =>
    after14Days(governance, deployment.accessManager, (await abiOf("AccessManager")).encodeFunctionData(name, args));

  /** What is wrong, as the operator reads it. */
  const found = async (options = site.options): Promise<string[]> => {
    const asked = { ...site, options };
    const findings = await checkDeployment(asked, deployment, await parametersOf(asked));
    return findings.flatMap(({ what, wrong }) => wrong.map((text) => `${what}: ${text}`));
  };

  const selectorOf = async (contract: string, name: string): Promise<string> =>
    (await abiOf(contract)).getFunction(name)!.selector;

  it("finds nothing where nothing was changed", async () => {
    expect(await found()).to.deep.equal([]);
  });

  it("finds a member that the parameters do not name, who could upgrade without waiting", async () => {
    await govern("grantRole", [roles.upgrader.id, stranger, 0]);
    expect(await found()).to.deep.equal([
      `Members of upgrader: ${stranger} is a member, and the parameters name another`,
    ]);
  });

  it("finds a second admin", async () => {
    await govern("grantRole", [ADMIN, stranger, 14 * DAY]);
    expect(await found()).to.deep.equal([`Members of admin: ${stranger} is a member, and the parameters name another`]);
  });

  it("finds a member that is gone", async () => {
    await govern("revokeRole", [roles.pauser.id, site.accounts[0]]);
    expect(await found()).to.deep.equal([
      `Members of pauser: ${site.accounts[0]} is no member, although the parameters name it`,
    ]);
  });

  it("finds that the parameters name another governance than there is", async () => {
    const parameters = parametersFile({ governance: stranger });
    expect(await found({ ...site.options, parameters })).to.have.members([
      `Members of admin: ${governance} is a member, and the parameters name another`,
      `Members of admin: ${stranger} is no member, although the parameters name it`,
    ]);
  });

  it("finds a delay that will be shorter, before it is", async () => {
    await govern("grantRole", [roles.upgrader.id, site.accounts[0], DAY]);
    const [wrong, ...others] = await found();
    expect(wrong).to.include(`${site.accounts[0]} will wait ${DAY} s from`);
    expect(others).to.deep.equal([]);
  });

  it("finds a function that was opened to everybody", async () => {
    const selector = await selectorOf("OrganizationRegistry", "register");
    await govern("setTargetFunctionRole", [deployment.organizationRegistry, [selector], EVERYBODY]);
    const [wrong, ...others] = await found();
    expect(wrong).to.match(
      /^OrganizationRegistry: who may call what: register\(.*\) is for everybody, not credentialing$/,
    );
    expect(others).to.deep.equal([]);
  });

  it("finds a function that was given to another role", async () => {
    const selector = await selectorOf("ClaimEscrow", "upgradeToAndCall");
    await govern("setTargetFunctionRole", [deployment.claimEscrow, [selector], roles.pauser.id]);
    expect(await found()).to.deep.equal([
      "ClaimEscrow: who may call what: upgradeToAndCall(address,bytes) is for pauser, not upgrader",
    ]);
  });

  it("finds a permission for a function that no source has", async () => {
    await govern("setTargetFunctionRole", [deployment.claimEscrow, ["0xdeadbeef"], roles.pauser.id]);
    const [wrong, ...others] = await found();
    expect(wrong).to.include("pauser may call 0xdeadbeef");
    expect(others).to.deep.equal([]);
  });

  it("finds a contract that was closed", async () => {
    await govern("setTargetClosed", [deployment.claimEscrow, true]);
    expect(await found()).to.deep.equal(["ClaimEscrow: who may call what: is closed: nobody may call it"]);
  });

  it("finds somebody else who grants a role", async () => {
    await govern("setRoleAdmin", [roles.upgrader.id, roles.pauser.id]);
    expect(await found()).to.deep.equal(["Members of upgrader: is granted by pauser, not by the admin"]);
  });

  it("finds what waits to be carried out, and from when on it can be", async () => {
    const data = (await abiOf("AccessManager")).encodeFunctionData("grantRole", [roles.upgrader.id, stranger, 0]);
    await schedule(governance, deployment.accessManager, data);
    const [wrong, ...others] = await found();
    expect(wrong).to.match(/^Operations that wait: .* may call .* from \d{4}-\d\d-\d\dT.* on$/);
    expect(others).to.deep.equal([]);
  });

  it("finds a link that leads elsewhere", async () => {
    const registry = await abiOf("OrganizationRegistry");
    const listener = await (await hre.ethers.getContractFactory("TestStandingListener")).getDeployTransaction();
    const signer = await site.provider.getSigner(stranger);
    const { contractAddress } = (await (await signer.sendTransaction(listener)).wait())!;
    await after14Days(
      governance,
      deployment.organizationRegistry,
      registry.encodeFunctionData("setStandingListener", [contractAddress]),
    );
    expect(await found()).to.deep.equal([
      `Links between contracts: OrganizationRegistry tells standings to ${contractAddress}, not ${deployment.claimEscrow}`,
    ]);
  });

  it("finds another forwarder than the parameters name, and an upgrader that has scheduled one", async () => {
    const receiver = await abiOf("ClaimEscrowExtension");
    const data = receiver.encodeFunctionData("setForwarder", [deployment.rulebooks]);
    await schedule(site.accounts[0]!, deployment.claimEscrow, data);
    const [waits, ...others] = await found();
    expect(waits).to.include(`may call ${deployment.claimEscrow} with ${data.slice(0, 74)} from`);
    expect(others).to.deep.equal([]);
    await pass(site.node, 14 * DAY);
    await send(site.accounts[0]!, deployment.claimEscrow, data);
    expect(await found()).to.deep.equal([
      `Links between contracts: ClaimEscrow takes workflows' reports from ${deployment.rulebooks}, not ${ZeroAddress}`,
    ]);
    const parameters = parametersFile({ governance, forwarder: deployment.rulebooks });
    expect(await found({ ...site.options, parameters })).to.deep.equal([]);
  });

  it("finds that somebody else may name the forwarder", async () => {
    const selector = await selectorOf("ClaimEscrowExtension", "setForwarder");
    await govern("setTargetFunctionRole", [deployment.claimEscrow, [selector], roles.pauser.id]);
    expect(await found()).to.deep.equal([
      "ClaimEscrow: who may call what: setForwarder(address) is for pauser, not upgrader",
    ]);
  });

  const setCode = (address: string, code: string): Promise<unknown> =>
    site.node.request({ method: "hardhat_setCode", params: [address, code] });

  /** The contracts that the escrow's implementation is made with. */
  const partsOfEscrow = async (): Promise<Part[]> =>
    partsOf(site.provider, "ClaimEscrow", await implementationOf(site.provider, deployment.claimEscrow));

  it("finds parts of the escrow that are not what the sources make", async () => {
    for (const { name, address } of await partsOfEscrow()) {
      const before = await site.provider.getCode(address);
      await setCode(address, concat([before, "0x00"]));
      expect(await found()).to.deep.equal([
        `ClaimEscrow: ${name}: the code at ${address} is not ${name} as compiled here`,
      ]);
      await setCode(address, before);
    }
  });

  it("finds parts of the escrow that are gone", async () => {
    const [extension, conditions] = await partsOfEscrow();
    await setCode(conditions!.address, "0x");
    expect(await found()).to.deep.equal([
      `ClaimEscrow: AttesterConditions: there is no contract at ${conditions!.address}`,
    ]);
    const implementation = await implementationOf(site.provider, deployment.claimEscrow);
    for (const code of ["0x00", "0x"]) {
      await setCode(extension!.address, code);
      expect(await found()).to.deep.equal([
        `ClaimEscrow: implementation: the code at ${implementation}, or at its extension, is not as compiled here: it does not name its parts`,
      ]);
    }
  });

  /** Upgrades the escrow to an implementation that is made with the code at `extension`. */
  async function upgradeTo(extension: string): Promise<string> {
    const { bytecode } = await hre.artifacts.readArtifact("ClaimEscrow");
    const signer = await site.provider.getSigner(stranger);
    const data = concat([bytecode, zeroPadValue(extension, 32)]);
    const { contractAddress } = (await (await signer.sendTransaction({ data })).wait())!;
    const upgrade = (await abiOf("ClaimEscrow")).encodeFunctionData("upgradeToAndCall", [contractAddress, "0x"]);
    await after14Days(site.accounts[0]!, deployment.claimEscrow, upgrade);
    return contractAddress!;
  }

  /** Code that answers `extension()` with one address, and any other call with another. */
  const answering = async (extension: string, conditions: string): Promise<string> => {
    const selector = await selectorOf("ClaimEscrowExtension", "extension");
    // PUSH20 address, MSTORE at 0, RETURN 32 bytes.
    const answer = (address: string): string => concat(["0x73", address, "0x60005260206000f3"]);
    // Shifts the selector down, and jumps to byte 44 where it is the one.
    return concat(["0x60003560e01c63", selector, "0x14602c57", answer(conditions), "0x5b", answer(extension)]);
  };

  it("finds an escrow that is made with another extension", async () => {
    const [, conditions] = await partsOfEscrow();
    const other = getAddress(`0x${"e7".repeat(20)}`);
    await setCode(other, await answering(other, conditions!.address));
    await upgradeTo(other);
    expect(await found()).to.deep.equal([
      `ClaimEscrow: ClaimEscrowExtension: the code at ${other} is not ClaimEscrowExtension as compiled here`,
    ]);
  });

  it("finds an extension that says it were that of these sources", async () => {
    const [extension, conditions] = await partsOfEscrow();
    const liar = getAddress(`0x${"e7".repeat(20)}`);
    await setCode(liar, await answering(extension!.address, conditions!.address));
    const implementation = await upgradeTo(liar);
    expect(await found()).to.deep.equal([
      `ClaimEscrow: implementation: the code at ${implementation} is not ClaimEscrow as compiled here`,
    ]);
  });

  it("finds an extension that calls itself the conditions", async () => {
    const [extension] = await partsOfEscrow();
    const liar = getAddress(`0x${"e7".repeat(20)}`);
    await setCode(liar, await answering(extension!.address, liar));
    await upgradeTo(liar);
    expect(await found()).to.deep.equal([
      `ClaimEscrow: ClaimEscrowExtension: the code at ${extension!.address} is not ClaimEscrowExtension as compiled here`,
      `ClaimEscrow: AttesterConditions: the code at ${liar} is not AttesterConditions as compiled here`,
    ]);
  });

  it("finds another implementation than these sources make", async () => {
    const { bytecode } = await hre.artifacts.readArtifact("MandatesV2");
    const signer = await site.provider.getSigner(stranger);
    const { contractAddress } = (await (await signer.sendTransaction({ data: bytecode })).wait())!;
    const upgrade = (await abiOf("Mandates")).encodeFunctionData("upgradeToAndCall", [contractAddress, "0x"]);
    await after14Days(site.accounts[0]!, deployment.mandates, upgrade);
    expect(await found()).to.deep.equal([
      `Mandates: implementation: the code at ${contractAddress} is not Mandates as compiled here`,
    ]);
  });

  it("finds that there is nothing at all", async () => {
    const nowhere = { ...deployment, accessManager: stranger, claimEscrow: governance };
    const findings = await checkDeployment(site, nowhere, await parametersOf(site));
    expect(findings.flatMap(({ wrong }) => wrong)).to.include.members([
      `there is no contract at ${stranger}`,
      `there is no contract at ${governance}`,
    ]);
  });
});
