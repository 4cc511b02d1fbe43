import { join } from "node:path";

import { expect } from "chai";
import { Contract } from "ethers";
import type { Browser, Page } from "playwright-core";

import { run, type Connection, type Deployment } from "@carepact/sdk";
import {
  attestationMessageOf,
  createClaims,
  openClaimBatchFile,
  readPharmacyClaim,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { deployDevnet } from "@carepact/sdk/devnet";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import {
  pickupAnswer,
  pickupUrl,
  readPickupAnswer,
  readPickupRequest,
  type PickupRequest,
} from "@carepact/sdk/oracles";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, rulebook as rulebookOf } from "@carepact/sdk/rulebooks";
import { passkeySigner, type CredentialsLike, type Passkey } from "@carepact/sdk/signers";

import { readPage, ROOT } from "../docs/page";
import { startAnvil, type Anvil } from "../support/anvil";
import { pharmacyClaim } from "../support/pharmacyClaim";

import { addAuthenticator, addWallet, launchChromium, newPage, type VirtualAuthenticator } from "./chromium";
import { addressIn, makeProject, pinned, type Project } from "./project";

const DAY = 24 * 60 * 60;

/** Somebody's phone: a browser of its own, with what it keeps, and a device that verifies its user. */
interface Phone {
  page: Page;
  complaints: string[];
  device: VirtualAuthenticator;
  /** The one-time key that was made on it. */
  signer: string;
}

/** A funded batch of two patients' orders at one pharmacy, and its terminal. */
interface Order {
  deployment: Deployment;
  batch: OpenedGroup;
  pharmacy: Connection;
  terminal: Page;
  /** What the terminal shows. */
  url: string;
  request: PickupRequest;
}

describe("The pages of a pick-up, in Chromium", () => {
  let chain: Anvil;
  let project: Project;
  let browser: Browser;
  /** The same pages at two origins of one domain. */
  let site: string;
  let otherSite: string;
  let orders = 0;

  before(async () => {
    const page = (name: string): [string, string] => [`pickup/${name}`, readPage(`examples/pickup-page/${name}`)];
    [chain, project, browser] = await Promise.all([
      startAnvil(),
      makeProject(
        {
          ...Object.fromEntries(["index.html", "main.js", "terminal.html", "terminal.js"].map(page)),
          "vite.config.mjs": `export default { build: { rollupOptions: { input: ["pickup/index.html", "pickup/terminal.html"] } } };`,
        },
        [pinned("ethers"), pinned("qrcode")],
      ),
      launchChromium(),
    ]);
    const vite = `"${join(ROOT, "node_modules", ".bin", "vite")}"`;
    await project.run(`${vite} build --logLevel warn`);
    const serve = async (): Promise<string> => {
      const server = project.start(`${vite} preview --host 127.0.0.1 --port 0`);
      // Passkeys belong to domains, which addresses are none.
      const origin = (await addressIn(server, /(http:\/\/127\S+)/)).replace("127.0.0.1", "localhost");
      return `${origin.replace(/\/$/, "")}/pickup/`;
    };
    [site, otherSite] = [await serve(), await serve()];
  });

  after(async () => {
    await browser.close();
    await project.remove();
    await chain.stop();
  });

  async function newPhone(label = "Ear drops"): Promise<Phone> {
    const { page, complaints } = await newPage(await browser.newContext());
    const device = await addAuthenticator(page);
    await page.goto(site);
    await page.getByLabel("What is it for?").fill(label);
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.locator("#made").waitFor();
    return { page, complaints, device, signer: await page.locator("#signer").inputValue() };
  }

  /** Funds an order with these keys, and opens the pharmacy's terminal to ask for the yes of one of them. */
  async function newOrder(keys: string[], asked?: string): Promise<Order> {
    const { deployment, token } = await deployDevnet(chain.provider);
    const connect = async (index: number): Promise<Connection & { account: string }> => {
      const runner = await chain.provider.getSigner(index);
      return { runner, deployment, account: runner.address };
    };
    // A pharmacy for each order, since one registers once.
    const [office, payer, pharmacy] = await Promise.all([connect(0), connect(1), connect(2 + orders++)]);
    const { publicKey: hpkeKey, privateKey } = await generateSealingKeys();
    await run(
      createOrganizations(office).register(pharmacy.account, { name: "A pharmacy", kinds: ["pharmacy"], hpkeKey }),
    );
    if (orders === 1)
      await run(createOrganizations(office).register(payer.account, { name: "A payer", kinds: ["payer"], hpkeKey }));
    const terms = rulebookOf({
      conditions: [{ attesters: ["payee"] }, { attesters: ["patient"] }],
      eventKinds: eventKinds.dispense,
      grace: 3 * DAY,
    });
    const { id: rulebook } = await run(createRulebooks(payer).publish(terms));
    const coin = new Contract(token.address, ["function mint(address, uint256)"], payer.runner);
    await coin.getFunction("mint")(payer.account, 180_000_000n);
    await run(createPools(payer).depositWithPermit({ token: token.address, amount: 180_000_000n }));

    const { timestamp } = (await chain.provider.getBlock("latest"))!;
    const others = { ...pharmacyClaim, claimId: "another patient's", prescriptionReferenceNumber: "7654321" };
    const adjudicated = [pharmacyClaim, others].map((claim) => readPharmacyClaim(claim, { payee: pharmacy.account }));
    const { file } = await run(
      createClaims(payer).fund({
        adjudicated,
        rulebook,
        token: token.address,
        eventBy: timestamp + 14 * DAY,
        patientKeys: { [pharmacyClaim.claimId]: keys, [others.claimId]: [`0x${"11".repeat(20)}`] },
      }),
    );
    const terminal = await openTerminal({
      ...{ deployment, token, pharmacy: pharmacy.account, file, privateKey, rulebook },
      ...{ claimId: pharmacyClaim.claimId, signer: asked, page: site },
    });
    const url = (await terminal.locator("#link[href]").getAttribute("href"))!;
    const batch = await openClaimBatchFile(file, { payee: pharmacy.account, privateKey });
    return { deployment, batch, pharmacy, terminal, url, request: readPickupRequest(url) };
  }

  async function openTerminal(given: Record<string, unknown>): Promise<Page> {
    const { page } = await newPage(browser);
    await addWallet(page, chain.url);
    const origin = site.replace("localhost", "127.0.0.1");
    await page.goto(`${origin}terminal.html#${encodeURIComponent(JSON.stringify(given))}`);
    return page;
  }

  /** Opens what the terminal shows on a phone, and says yes. Gives the phone's answer. */
  async function sayYes({ page }: Phone, url: string): Promise<string> {
    await page.goto(url);
    await page.getByRole("button", { name: "I received it" }).click();
    await page.locator("#answer").waitFor();
    return page.locator("#text").inputValue();
  }

  async function answer(terminal: Page, text: string): Promise<unknown> {
    await terminal.locator("#text").fill(text);
    await terminal.getByRole("button", { name: "Settle" }).click();
    return JSON.parse((await terminal.locator("#outcome:not(:empty)").textContent()) ?? "");
  }

  /** Why the page refuses what it is opened with. */
  async function reasonOn({ page }: Phone, url: string): Promise<string | null> {
    await page.goto(url);
    await page.locator("#message:not(:empty)").waitFor();
    expect(await page.locator("#yes").isVisible()).to.equal(false);
    return page.locator("#message").getAttribute("data-reason");
  }

  it("let a patient confirm one order by a one-time key, and the pharmacy settle it, and it alone", async () => {
    const phone = await newPhone();
    const { deployment, terminal, url, pharmacy, batch } = await newOrder([phone.signer]);
    expect(phone.signer.slice(0, 42)).to.equal(deployment.webAuthnOriginVerifier.toLowerCase());
    expect(await terminal.locator("#code").getAttribute("src")).to.match(/^data:image\/svg\+xml,%3Csvg/);

    await phone.page.goto(url);
    expect(await phone.page.locator("#lines li").allTextContents()).to.deep.equal(["Ear drops, all of it"]);
    const text = await sayYes(phone, url);
    expect(await phone.page.locator("#code").getAttribute("src")).to.match(/^data:image\/svg\+xml,%3Csvg/);

    expect(await answer(terminal, text)).to.deep.equal({ paid: "90.00" });
    const { closedLines } = await createClaims(pharmacy).status(batch);
    const own = batch.lines.find(({ detail }) => detail.claimId === pharmacyClaim.claimId)!;
    expect(closedLines).to.deep.equal(batch.lines.map(({ index }) => index === own.index));
    expect(phone.complaints).to.deep.equal([]);
  });

  it("let a personal representative confirm in the patient's place", async () => {
    const [phone, mothers] = [await newPhone(), await newPhone("For my son")];
    const { terminal, url } = await newOrder([phone.signer, mothers.signer], mothers.signer);

    expect(await reasonOn(phone, url)).to.equal("otherKey");
    expect(await answer(terminal, await sayYes(mothers, url))).to.deep.equal({ paid: "90.00" });
  });

  it("refuse what was changed on the way: line, amount, moment, escrow, or the answer", async () => {
    const phone = await newPhone();
    const { url, request, terminal } = await newOrder([phone.signer]);
    const { statement, lines } = request;
    const changed = (changes: Partial<PickupRequest>): string => pickupUrl({ ...request, ...changes }, site);
    const otherLine = lines.map((line) => ({ ...line, line: 1 - line.line }));

    expect(await reasonOn(phone, changed({ lines: otherLine }))).to.equal("otherLines");
    expect(await reasonOn(phone, changed({ chainId: 1 }))).to.equal("otherBatch");
    expect(await reasonOn(phone, url.slice(0, -8))).to.equal("malformed");
    // Every line met: the other patient's, too.
    expect(await reasonOn(phone, changed({ statement: { ...statement, results: "0x01" } }))).to.equal("otherLines");

    const later = changed({ statement: { ...statement, observedAt: statement.observedAt - 1 } });
    expect(await answer(terminal, await sayYes(phone, later))).to.deep.equal({
      error: "PICKUP_REQUEST_INVALID",
      reason: "otherStatement",
    });
    const expired = changed({ statement: { ...statement, validUntil: statement.observedAt - 1 } });
    expect(await reasonOn(phone, expired)).to.equal("expired");
  });

  it("give no answer by a finger that is not the owner's, nor would what a page gets without one be signed", async () => {
    const phone = await newPhone();
    const { url, request, deployment } = await newOrder([phone.signer]);
    const passkey = await passkeyOn(phone);
    await phone.device.verifies(false);

    await phone.page.goto(url);
    await phone.page.getByRole("button", { name: "I received it" }).click();
    await phone.page.locator('#message[data-reason="USER_REJECTED"]').waitFor();
    expect(await phone.page.locator("#answer").isVisible()).to.equal(false);

    const credentials = pageOf(phone, passkey, "discouraged");
    const signer = passkeySigner(passkey, { verifier: deployment.webAuthnVerifier, credentials });
    const thrown = await signer.sign(attestationMessageOf(request.statement, request)).catch((error: unknown) => error);
    expect(thrown).to.include({ code: "SIGNATURE_INVALID" });
  });

  it("give no answer at another origin, nor does anybody take what the same passkey signs there", async () => {
    const phone = await newPhone();
    const { url, request, pharmacy, batch, deployment } = await newOrder([phone.signer]);
    const passkey = await passkeyOn(phone);

    await phone.page.goto(otherSite);
    await phone.page.evaluate(`localStorage.setItem("pickup-keys", ${JSON.stringify(JSON.stringify([{ passkey }]))})`);
    expect(await reasonOn(phone, url.replace(site, otherSite))).to.equal("otherKey");

    const signer = passkeySigner(passkey, {
      verifier: deployment.webAuthnVerifier,
      credentials: pageOf(phone, passkey, "required"),
    });
    const signature = await signer.sign(attestationMessageOf(request.statement, request));
    const claims = createClaims(pharmacy);
    const own = await claims.attest(batch, request.statement);
    const theirs = readPickupAnswer(pickupAnswer(request, { ...own, signer: phone.signer, signature }), request);
    const thrown = await run(claims.settle(batch, [own, theirs])).catch((error: unknown) => error);
    expect(thrown).to.have.nested.property("details.reason", "origin");
  });
});

/** The passkey that a phone keeps. */
async function passkeyOn({ page }: Phone): Promise<Passkey> {
  const [{ passkey }] = JSON.parse(await page.evaluate(`localStorage.getItem("pickup-keys")`)) as [
    { passkey: Passkey },
  ];
  return passkey;
}

/** `navigator.credentials` of the page that is open on a phone, as a script there may use it. */
function pageOf({ page }: Phone, { id }: Passkey, userVerification: string): CredentialsLike {
  const get = async ({ publicKey }: { publicKey: object }): Promise<unknown> => {
    const { challenge } = publicKey as { challenge: Uint8Array };
    const [rawId, bytes] = [Buffer.from(id, "base64url"), challenge].map((part) => JSON.stringify([...part]));
    const response = await page.evaluate<Record<string, number[]>>(`(async () => {
      const { response } = await navigator.credentials.get({
        publicKey: {
          challenge: new Uint8Array(${bytes}),
          allowCredentials: [{ type: "public-key", id: new Uint8Array(${rawId}) }],
          userVerification: "${userVerification}",
        },
      });
      const names = ["authenticatorData", "clientDataJSON", "signature"];
      return Object.fromEntries(names.map((name) => [name, [...new Uint8Array(response[name])]]));
    })()`);
    const parts = Object.entries(response).map(([name, list]) => [name, Uint8Array.from(list).buffer]);
    return { response: Object.fromEntries(parts) as unknown };
  };
  return { create: () => Promise.reject(new Error("It has one already.")), get };
}
