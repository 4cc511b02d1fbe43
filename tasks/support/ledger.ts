import { isHexString } from "ethers";

import type { LmdbLedger } from "@carepact/sdk/ledger";

import type { Call } from "./call";
import { readText } from "./files";
import { usage } from "./input";
import { askHidden, warnIfShared } from "./password";
import { keepSecret } from "./secrets";

const SECRET = "CAREPACT_LEDGER_SECRET";
const FILE = "CAREPACT_LEDGER_SECRET_FILE";
const SECRET_BYTES = 32;

/**
 * The ledger at a path, for as long as `work` takes. Its secret is the first line of the file that CAREPACT_LEDGER_SECRET_FILE names,
 * or stands in CAREPACT_LEDGER_SECRET, or is asked for at the terminal.
 * @throws INPUT_INVALID, LEDGER_UNREADABLE
 */
export async function withLedger<Value>(
  call: Call,
  path: string,
  work: (ledger: LmdbLedger) => Promise<Value>,
  { secret, create }: { secret?: string; create?: boolean } = {},
): Promise<Value> {
  const key = secret ?? (await secretOf(call, path));
  // Here, since who keeps no ledger needs no database.
  const { lmdbLedger } = await import("@carepact/sdk/ledger");
  const ledger = lmdbLedger({ path, secret: key, create });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

async function secretOf(call: Call, path: string): Promise<string> {
  const [key, file] = [process.env[SECRET] || undefined, process.env[FILE] || undefined];
  if (key !== undefined && file !== undefined) throw usage(`${SECRET} and ${FILE} name two secrets: unset one.`, FILE);
  if (key !== undefined) return secretIn(key, SECRET);
  if (file === undefined) {
    if (!process.stdin.isTTY)
      throw usage(`The secret of ${path} is needed: set ${FILE} to a file with it, or ${SECRET}.`, FILE);
    return secretIn(await askHidden(`Secret of ${path}, in hex: `), "--ledger");
  }
  await warnIfShared(call, file);
  return secretIn((await readText(file, FILE)).split(/\r?\n/, 1)[0] ?? "", FILE);
}

/** The secret itself never gets into an error. */
function secretIn(text: string, name: string): string {
  const secret = text.trim().replace(/^(?!0x)/, "0x");
  keepSecret(secret);
  if (isHexString(secret, SECRET_BYTES)) return secret;
  throw usage(`${name}: a ledger's secret is ${SECRET_BYTES} bytes in hex.`, name);
}
