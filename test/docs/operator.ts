import { writeFile } from "node:fs/promises";

import { encryptKeystoreJsonSync, type JsonRpcProvider } from "ethers";

import { deployments, type Deployment } from "@carepact/sdk";

import { readParameters } from "../../deploy/parameters";

import { readJson } from "./json";
import type { Shell } from "./shell";
import type { Story } from "./story";

/** What the operators' guide takes as given. */
export interface OperatorsGiven {
  provider: JsonRpcProvider;
  deployment: Deployment;
  alert: (name: string) => Promise<void>;
}

/** Published with Hardhat and anvil. */
const DEPLOYER = {
  address: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  privateKey: "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
};
const PASSWORD = "correct horse battery";
/** Weak, as only a test may encrypt. */
const quick = { scrypt: { N: 2, r: 1, p: 1 } };
const SEPOLIA = 11_155_111;
/** As the page's parameters have it. */
const DELAY = 14 * 24 * 60 * 60;

/** The operators' guide: on an empty chain, with a second one that says it is public. */
export async function operatorsStory(
  { provider, pass }: { provider: JsonRpcProvider; pass: (seconds: number) => Promise<void> },
  publicUrl: string,
  shell: Shell,
  alerts: string[],
): Promise<Story> {
  await writeFile("node.url", publicUrl);
  await writeFile("deployer.json", encryptKeystoreJsonSync(DEPLOYER, PASSWORD, quick), { mode: 0o600 });
  await writeFile("password.txt", PASSWORD, { mode: 0o600 });
  const given: OperatorsGiven = {
    provider,
    deployment: deployments[31337]!,
    alert: (name) => Promise.resolve(void alerts.push(name)),
  };
  return {
    page: "docs/guides/operator.md",
    given,
    others: {
      sh: (block) => shell.run(block),
      text: (block) => shell.compare(block),
      json: readJson,
      json5: async ({ text, paragraph }) => {
        const [, file = ""] = /`([\w./-]+\.json5)`:$/.exec(paragraph) ?? [];
        await writeFile(file, text);
        // As strictly as for a public chain.
        await readParameters(file, { chainId: SEPOLIA, deployer: DEPLOYER.address });
      },
    },
    meanwhile: {
      "When the delay is over": () => pass(DELAY),
      "When the delay of the upgrade is over": () => pass(DELAY),
      // The monitor waits for confirmations.
      Monitor: () => provider.send("anvil_mine", ["0x2"]),
    },
  };
}
