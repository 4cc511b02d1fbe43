import chromium from "@sparticuz/chromium";
import { chromium as browsers, type Browser, type BrowserContext, type Page } from "playwright-core";

/** Chromium without a window, which asks nobody for anything. */
export const launchChromium = async (): Promise<Browser> =>
  browsers.launch({
    executablePath: await chromium.executablePath(),
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });

/** A page, and what it complains of. */
export interface WatchedPage {
  page: Page;
  complaints: string[];
}

export async function newPage(browser: Browser | BrowserContext): Promise<WatchedPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, complaints };
}

/** A wallet in the page: the node, which has the accounts' keys. */
export async function addWallet(page: Page, node: string): Promise<void> {
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
  }, node);
}

/** A device with passkeys, in the place of a sensor for fingers. */
export interface VirtualAuthenticator {
  /** Whether the next finger is the owner's. */
  verifies(isUserVerified: boolean): Promise<void>;
}

/** A device that verifies its user. */
export async function addAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verifies: async (isUserVerified) => {
      await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
    },
  };
}
