import { join } from "node:path";

import chromium from "@sparticuz/chromium";
import { expect } from "chai";
import { Contract, type JsonRpcProvider } from "ethers";
import { chromium as browsers, type Browser, type Page } from "playwright-core";

import { deployments, run, type Connection, type Deployment } from "@carepact/sdk";
import { createClaims, readPharmacyClaim } from "@carepact/sdk/claims";
import { deployDevnet } from "@carepact/sdk/devnet";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { readPage, ROOT } from "../docs/page";
import { startAnvil, type Anvil } from "../support/anvil";
import { pharmacyClaim } from "../support/pharmacyClaim";

import { addressIn, makeProject, pinned, type Project } from "./project";

const DAY = 24 * 60 * 60;

/** What the page is opened with: a batch for one pharmacy, and who signs. */
async function fundBatch(provider: JsonRpcProvider): Promise<Record<string, unknown>> {
  const { deployment, token } = await deployDevnet(provider);
  const connect = async (index: number): Promise<Connection & { account: string }> => {
    const runner = await provider.getSigner(index);
    return { runner, deployment, account: runner.address };
  };
  const [office, payer, pharmacy, attester] = await Promise.all([connect(0), connect(1), connect(2), connect(3)]);
  const { publicKey: hpkeKey, privateKey } = await generateSealingKeys();
  const organizations = createOrganizations(office);
  await run(organizations.register(payer.account, { name: "A payer", kinds: ["payer"], hpkeKey }));
  await run(organizations.register(pharmacy.account, { name: "A pharmacy", kinds: ["pharmacy"], hpkeKey }));
  const terms = simpleRulebook({
    attesters: [attester.account],
    threshold: 1,
    eventKinds: eventKinds.dispense,
    grace: 3 * DAY,
  });
  const { id: rulebook } = await run(createRulebooks(payer).publish(terms));
  const coin = new Contract(token.address, ["function mint(address, uint256)"], payer.runner);
  await coin.getFunction("mint")(payer.account, 90_000_000n);
  await run(createPools(payer).depositWithPermit({ token: token.address, amount: 90_000_000n }));
  const { timestamp } = (await provider.getBlock("latest"))!;
  const { file } = await run(
    createClaims(payer).fund({
      adjudicated: [readPharmacyClaim(pharmacyClaim, { payee: pharmacy.account })],
      rulebook,
      token: token.address,
      eventBy: timestamp + 14 * DAY,
    }),
  );
  return { deployment, token, pharmacy: pharmacy.account, attester: attester.account, file, privateKey, rulebook };
}

describe("The package in a page that Vite built, in Chromium", () => {
  let chain: Anvil;
  let project: Project;
  let browser: Browser;
  let origin: string;

  before(async () => {
    [chain, project] = await Promise.all([
      startAnvil(),
      makeProject(
        {
          "index.html": readPage("examples/settle-page/index.html"),
          "main.js": readPage("examples/settle-page/main.js"),
        },
        [pinned("ethers")],
      ),
    ]);
    const vite = `"${join(ROOT, "node_modules", ".bin", "vite")}"`;
    await project.run(`${vite} build --logLevel warn`);
    origin = await addressIn(project.start(`${vite} preview --host 127.0.0.1 --port 0`), /(http:\/\/127\S+)/);
    browser = await browsers.launch({
      executablePath: await chromium.executablePath(),
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    });
  });

  after(async () => {
    await browser.close();
    await project.remove();
    await chain.stop();
  });

  /** Opens the built page with a wallet in it: the node, which has the accounts' keys. */
  async function open(given: Record<string, unknown>): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.addInitScript((url: string) => {
      const request = async ({ method, params = [] }: { method: string; params?: unknown[] }): Promise<unknown> => {
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
        const headers = { "Content-Type": "application/json" };
        const answered = await fetch(url, { method: "POST", headers, body });
        const { result, error } = (await answered.json()) as { result?: unknown; error?: { message: string } };
        if (error !== undefined) throw Object.assign(new Error(error.message), error);
        return result;
      };
      Object.assign(globalThis, { ethereum: { request } });
    }, chain.url);
    await page.goto(`${origin}#${encodeURIComponent(JSON.stringify(given))}`);
    return { page, complaints };
  }

  it("signs, settles and pays out under a strict Content-Security-Policy", async () => {
    const given = await fundBatch(chain.provider);
    const { deployment } = given as { deployment: Deployment };
    expect(deployment).to.deep.equal(deployments[31337]);

    const { page, complaints } = await open(given);
    const outcome = await page.locator("#outcome:not(:empty)").textContent();

    expect(complaints).to.deep.equal([]);
    expect(JSON.parse(outcome ?? "")).to.deep.equal({
      paid: "90.00",
      paidOut: "90.00",
      refused: "AmountZero",
    });
    const { pharmacy, token } = given as { pharmacy: string; token: { address: string } };
    const coin = new Contract(token.address, ["function balanceOf(address) view returns (uint256)"], chain.provider);
    expect(await coin.getFunction("balanceOf")(pharmacy)).to.equal(90_000_000n);
  });
});
