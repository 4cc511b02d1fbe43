import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";

import type { Call } from "./call";
import { readText } from "./files";
import { usage } from "./input";
import { keepSecret } from "./secrets";

const VARIABLE = "CAREPACT_KEYSTORE_PASSWORD_FILE";

/** Group and others. */
const READABLE_BY_OTHERS = 0o044;

/** Says so when a file that only its owner should read can be read by others. */
export async function warnIfShared({ tell }: Pick<Call, "tell">, path: string): Promise<void> {
  const mode = (await stat(path).catch(() => undefined))?.mode ?? 0;
  if ((mode & READABLE_BY_OTHERS) !== 0) tell(`Warning: others on this machine can read ${path}. Run chmod 600 on it.`);
}

/**
 * The password of a keystore: the first line of the file that CAREPACT_KEYSTORE_PASSWORD_FILE names, or asked for at the terminal.
 * @param twice For a new one, which nobody could correct later.
 */
export async function passwordFor(call: Pick<Call, "tell">, what: string, twice = false): Promise<string> {
  const file = process.env[VARIABLE];
  let password: string;
  if (file !== undefined && file !== "") {
    await warnIfShared(call, file);
    password = (await readText(file, VARIABLE)).split(/\r?\n/, 1)[0] ?? "";
  } else {
    password = await askHidden(`Password of ${what}: `);
    if (twice && (await askHidden("The same again: ")) !== password)
      throw usage("The two passwords differ: nothing was written.", VARIABLE);
  }
  if (password === "") throw usage(`The password of ${what} is empty.`, VARIABLE);
  keepSecret(password);
  return password;
}

/** Asks at the terminal, without showing what is typed. */
export async function askHidden(
  question: string,
  input: Pick<ReadStream, "isTTY"> & NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<string> {
  if (!input.isTTY)
    throw usage(`There is no terminal to ask for a password at: set ${VARIABLE} to a file with it.`, VARIABLE);
  output.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () => reject(usage("No password was given.", VARIABLE)));
    });
  } finally {
    lines.close();
    output.write("\n");
  }
}
