import { existsSync } from "node:fs";

import { hexlify, randomBytes } from "ethers";

import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, requireApart } from "../support/files";
import { needed, usage } from "../support/input";
import { withLedger } from "../support/ledger";
import { keepSecret } from "../support/secrets";

const SECRET_BYTES = 32;

export async function run(call: Call, options: { ledger?: string; secret?: string }): Promise<Ending> {
  const [path, secretPath] = [needed(options, "ledger"), needed(options, "secret")];
  await requireApart({ path, option: "--ledger" }, { path: secretPath, option: "--secret" });
  // A ledger that is there may be the only one that knows of its events.
  if (existsSync(path)) throw usage(`--ledger: ${path} exists already; give another name.`, "--ledger");
  const output = await outputTo(secretPath, "--secret", { mode: PRIVATE });
  const secret = hexlify(randomBytes(SECRET_BYTES));
  keepSecret(secret);
  await output.write(`${secret}\n`);
  await withLedger(call, path, () => Promise.resolve(), { secret, create: true });
  return {
    lines: [
      `The ledger is ${path}, its secret in ${secretPath}: set CAREPACT_LEDGER_SECRET_FILE to it.`,
      "Keep copies of both apart from each other. Never bring an older copy back: it would have forgotten events.",
    ],
    json: { ledger: path, secret: secretPath },
  };
}
