import { getVerificationInformation, type VerifyInfo } from "@nomicfoundation/ignition-core";
import { expect } from "chai";
import hre from "hardhat";

import { deployCarepact } from "../../deploy/deploying";
import type { Site } from "../../deploy/site";
import { proxyNames } from "../../deploy/system";

import { embeddedSite } from "./support";

interface Input {
  settings: { outputSelection: unknown; [name: string]: unknown };
}
interface Output {
  contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
}

/** Explorers know no local chains; the address of this one is never asked. */
const explorer = [{ network: "local", chainId: 31337, urls: { apiURL: "", browserURL: "" } }];

describe("What explorers are given to verify", () => {
  let site: Site;
  const submitted: VerifyInfo[] = [];

  before(async () => {
    site = await embeddedSite();
    await deployCarepact(site);
    for await (const [chain, info] of getVerificationInformation(site.journal!, explorer))
      if (chain !== null) submitted.push(info);
  });

  const createdWith = async (address: string): Promise<string> => {
    for (let number = 1; ; number++) {
      const transaction = (await site.provider.getBlock(number, true))!.getPrefetchedTransaction(0);
      const receipt = await site.provider.getTransactionReceipt(transaction.hash);
      if (receipt?.contractAddress === address) return transaction.data;
    }
  };

  it("is every contract, proxies included, once", () => {
    expect(submitted.map(({ name }) => name.split(":")[1])).to.have.members([
      "AccessManager",
      "ERC7913P256Verifier",
      "ERC7913WebAuthnVerifier",
      "WebAuthnOriginVerifier",
      "ClaimEscrowExtension",
      ...proxyNames.flatMap((name) => [name, "ERC1967Proxy"]),
    ]);
  });

  it("names the compiler with its commit, as explorers do, and the settings that hardhat.config.ts has", () => {
    const [compiler] = hre.config.solidity.compilers;
    for (const { compilerVersion, sourceCode } of submitted) {
      expect(compilerVersion).to.match(/^v0\.8\.30\+commit\.[0-9a-f]{8}$/);
      const { settings } = JSON.parse(sourceCode) as Input;
      const { viaIR, evmVersion, optimizer, metadata } = compiler!.settings as Record<string, unknown>;
      expect(settings).to.deep.include({ viaIR, evmVersion, optimizer, metadata });
      expect(metadata).to.deep.equal({ bytecodeHash: "none" });
    }
  });

  // All contracts would take the compiler most of a minute. These two are one that others inherit nothing of, and one of ours.
  for (const contract of ["ERC1967Proxy", "Mandates"])
    it(`compiles ${contract} again to what was deployed, arguments included`, async () => {
      const { address, name, args, sourceCode } = submitted.find(({ name }) => name.endsWith(`:${contract}`))!;
      const [file = ""] = name.split(":");
      const input = JSON.parse(sourceCode) as Input;
      input.settings.outputSelection = { [file]: { [contract]: ["evm.bytecode.object"] } };
      const solc = (await import("solc")) as unknown as { compile(input: string): string };
      const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
      const code = output.contracts[file]![contract]!.evm.bytecode.object;
      expect(`0x${code}${args}`).to.equal(await createdWith(address));
    });
});
