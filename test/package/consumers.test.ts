import { expect } from "chai";

import { exports } from "../../sdk/package.json";
import { blocksOf, readPage } from "../docs/page";
import { startAnvil, type Anvil } from "../support/anvil";

import { makeProject, pinned, type Project } from "./project";

const entries = Object.keys(exports)
  .filter((path) => path !== "./package.json")
  .map((path) => `@carepact/sdk${path.slice(1)}`);

const [quickStart] = blocksOf(readPage("docs/quick-start.md"), "js");
const SETTLED = /^settled: 90\.00 TUSD/m;

describe("The package in somebody else's project", () => {
  let project: Project;
  let chain: Anvil | undefined;

  afterEach(async () => {
    await chain?.stop();
    chain = undefined;
    await project.remove();
  });

  it("works as CommonJS, and beside its own ES modules", async () => {
    project = await makeProject(
      {
        "index.cjs": `
          const entries = ${JSON.stringify(entries)};
          (async () => {
            for (const entry of entries) {
              const [required, imported] = [require(entry), await import(entry)];
              const missing = Object.keys(required).filter((name) => !(name in imported));
              if (Object.keys(required).length === 0 || missing.length > 0) throw new Error(entry + ": " + missing);
            }
            // An error that one copy throws is known to the other.
            const { parseAmount, usDollar } = require("@carepact/sdk");
            const { isCarepactError } = await import("@carepact/sdk");
            try {
              parseAmount("ninety", usDollar);
            } catch (thrown) {
              console.log(isCarepactError(thrown, "AMOUNT_INVALID"));
            }
            const { JsonRpcProvider } = require("ethers");
            const { deployDevnet } = require("@carepact/sdk/devnet");
            const { createRulebooks } = require("@carepact/sdk/rulebooks");
            const provider = new JsonRpcProvider(process.argv[2], 31337, { staticNetwork: true, cacheTimeout: -1 });
            const { deployment } = await deployDevnet(provider);
            const status = await createRulebooks({ runner: provider, deployment }).status("0x" + "00".repeat(32));
            console.log(JSON.stringify(status));
            provider.destroy();
          })();`,
      },
      // The ledger's database, which only who imports that entry has to install.
      [pinned("ethers"), pinned("lmdb")],
    );
    chain = await startAnvil();

    const said = await project.run(`node index.cjs ${chain.url}`);

    expect(said.trim().split("\n")).to.deep.equal(["true", '{"published":false,"suspended":false}']);
  });

  it("settles with signers of another copy of ethers than its own", async () => {
    chain = await startAnvil();
    project = await makeProject(
      {
        "package.json": '{ "type": "module" }',
        "claim.js": quickStart!.replace('from "ethers"', 'from "other"').replace("http://127.0.0.1:8545", chain.url),
        "copies.js": `import * as ours from "ethers"; import * as other from "other"; console.log(ours.version !== other.version);`,
      },
      // 6.14 is the oldest that the SDK says it works with.
      [pinned("ethers"), "other@npm:ethers@6.14.0"],
    );

    expect(await project.run("node copies.js")).to.equal("true\n");
    expect(await project.run("node claim.js")).to.match(SETTLED);
  });

  for (const [moduleResolution, module] of [
    ["node16", "node16"],
    ["bundler", "esnext"],
  ] as const)
    it(`has types for TypeScript with moduleResolution ${moduleResolution}`, async () => {
      const options = { target: "es2022", lib: ["es2023"], strict: true, noEmit: true, skipLibCheck: false };
      project = await makeProject(
        {
          "tsconfig.json": JSON.stringify({
            compilerOptions: { ...options, module, moduleResolution, types: ["node"] },
            include: ["*.ts", "*.cts", "*.mts"],
          }),
          ...(moduleResolution === "node16"
            ? { "index.cts": consumer, "index.mts": consumer }
            : { "index.ts": consumer, "all.ts": allOf(entries) }),
        },
        [pinned("ethers"), pinned("typescript"), pinned("@types/node")],
      );

      expect(await project.run("npx tsc || true")).to.equal("");
    });
});

const allOf = (names: readonly string[]): string =>
  names.map((name, i) => `import * as entry${i} from "${name}";\nexport { entry${i} };\n`).join("");

/** What an application's compiler has to accept, and what it has to refuse. */
const consumer = `
import { JsonRpcProvider, Wallet } from "ethers";
import { decodeError, deployments, isCarepactError, run, type Action, type Connection } from "@carepact/sdk";
import { claimEscrowAbi } from "@carepact/sdk/abis";
import { createClaims, type ClaimBatchFile } from "@carepact/sdk/claims";
import { createPools } from "@carepact/sdk/pools";

const provider = new JsonRpcProvider("http://127.0.0.1:8545");
const deployment = deployments[31337];
if (deployment === undefined) throw new Error("Not deployed.");
const connection: Connection = { runner: Wallet.createRandom(provider), deployment };

export async function settleFrom(file: ClaimBatchFile): Promise<bigint> {
  const { paid } = await run(createClaims(connection).settle(file, []));
  return paid;
}

export const paysOut: Action<{ token: string; amount: bigint }, { amount: bigint }> = createPools(connection).payout({ token: "0x" });

export function reasonOf(thrown: unknown): string {
  if (isCarepactError(thrown, "CONTRACT_REVERTED")) return thrown.name;
  return decodeError(thrown).code;
}

// Names are literals in the ABIs, as viem wants them.
type Name = Extract<(typeof claimEscrowAbi)[number], { type: "function" }>["name"];
export const settle: Name = "settle";
// @ts-expect-error There is no such function.
export const unknown: Name = "settleAll";
// @ts-expect-error A connection needs a deployment.
createClaims({ runner: provider });
// @ts-expect-error There is no such code.
isCarepactError(null, "SOMETHING_ELSE");
// @ts-expect-error Amounts are bigints, never numbers.
void createPools(connection).withdraw({ token: "0x", amount: 90, to: "0x" });
`;
