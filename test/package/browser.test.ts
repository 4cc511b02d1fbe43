import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { expect } from "chai";
import { Contract, type JsonRpcProvider, type TransactionRequest } from "ethers";
import type { Browser } from "playwright-core";

import { deployments, run, type Connection, type Deployment } from "@carepact/sdk";
import { createClaims, readPharmacyClaim } from "@carepact/sdk/claims";
import { deployDevnet } from "@carepact/sdk/devnet";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPatients, signerHashOf } from "@carepact/sdk/patients";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { readPage, ROOT } from "../docs/page";
import { startAnvil, type Anvil } from "../support/anvil";
import { pharmacyClaim } from "../support/pharmacyClaim";

import { addAuthenticator, addWallet, launchChromium, newPage, type WatchedPage } from "./chromium";
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

/** Whoever pays for what patients sign: sends what it is given, and waits until it is mined. */
async function startRelayer(provider: JsonRpcProvider): Promise<Server & { url: string }> {
  const relayer = await provider.getSigner(4);
  const server = createServer((request, response) => {
    const send = async (): Promise<void> => {
      const { to, data } = JSON.parse(await text(request)) as TransactionRequest;
      await (await relayer.sendTransaction({ to: to!, data: data! })).wait();
    };
    response.setHeader("Access-Control-Allow-Origin", "*");
    send().then(
      () => response.end(),
      (thrown: unknown) => response.writeHead(400).end(String(thrown)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
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
          "consent/index.html": readPage("examples/consent-page/index.html"),
          "consent/main.js": readPage("examples/consent-page/main.js"),
          "vite.config.mjs": `export default { build: { rollupOptions: { input: ["index.html", "consent/index.html"] } } };`,
        },
        [pinned("ethers")],
      ),
    ]);
    const vite = `"${join(ROOT, "node_modules", ".bin", "vite")}"`;
    await project.run(`${vite} build --logLevel warn`);
    origin = await addressIn(project.start(`${vite} preview --host 127.0.0.1 --port 0`), /(http:\/\/127\S+)/);
    browser = await launchChromium();
  });

  after(async () => {
    await browser.close();
    await project.remove();
    await chain.stop();
  });

  /** Opens the built page with a wallet in it. */
  async function open(given: Record<string, unknown>): Promise<WatchedPage> {
    const watched = await newPage(browser);
    await addWallet(watched.page, chain.url);
    await watched.page.goto(`${origin}#${encodeURIComponent(JSON.stringify(given))}`);
    return watched;
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

  it("lets a patient with a passkey and no ether register, grant and revoke, relayed by who pays", async () => {
    const { deployment } = await deployDevnet(chain.provider);
    const [office, clinic] = await Promise.all([0, 5].map((index) => chain.provider.getSigner(index)));
    const { publicKey: hpkeKey } = await generateSealingKeys();
    const organizations = createOrganizations({ runner: office!, deployment });
    await run(organizations.register(clinic!.address, { name: "A clinic", kinds: ["clinic"], hpkeKey }));
    const relayer = await startRelayer(chain.provider);
    const given = { deployment, node: chain.url, relayer: relayer.url, clinic: clinic!.address };

    const { page, complaints } = await newPage(browser);
    await addAuthenticator(page);
    // Passkeys belong to domains, which addresses are none.
    const site = origin.replace("127.0.0.1", "localhost");
    await page.goto(`${site.replace(/\/$/, "")}/consent/#${encodeURIComponent(JSON.stringify(given))}`);
    const outcome = await page.locator("#outcome:not(:empty)").textContent();
    relayer.close();

    expect(complaints).to.deep.equal([]);
    const said = JSON.parse(outcome ?? "") as { patient: string; signer: string };
    expect(said).to.deep.include({ permitted: true, refused: "Revoked" });
    // The chain says so, too: the key is a passkey, and nobody but the relayer sent anything.
    const record = await createPatients({ runner: chain.provider, deployment }).get(said.patient);
    expect(record).to.include({ status: "active", controllerHash: signerHashOf(said.signer) });
    expect(said.signer.slice(0, 42)).to.equal(deployment.webAuthnVerifier.toLowerCase());
    const logs = await chain.provider.getLogs({ fromBlock: 0, topics: [null, said.patient] });
    const sent = await Promise.all(logs.map(({ transactionHash }) => chain.provider.getTransaction(transactionHash)));
    const { address } = await chain.provider.getSigner(4);
    expect(sent.map((transaction) => transaction?.from)).to.deep.equal([address, address]);
  });
});
