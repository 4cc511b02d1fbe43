import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { usage } from "./input";

/** Whatever is larger is no file of ours: a claim batch file has at most 32 MiB. */
const MOST_BYTES = 64 * 1024 * 1024;

const because = (thrown: unknown): string => {
  const { code, message } = thrown as { code?: string; message?: string };
  const known: Record<string, string> = {
    ENOENT: "there is none",
    EACCES: "it may not be read",
    EISDIR: "it is a folder",
  };
  return known[code ?? ""] ?? message ?? String(thrown);
};

/** Text of a file, or of stdin for `-`. */
export async function readText(path: string, option: string): Promise<string> {
  try {
    if (path === "-") return await readStdin();
    if ((await stat(path)).size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (thrown) {
    throw usage(`${option}: ${path === "-" ? "stdin" : path} cannot be read: ${because(thrown)}.`, option, thrown);
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MOST_BYTES) throw new Error(`it is larger than ${MOST_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The JSON of a text. */
export function parseJson(text: string, option: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without the cause, which quotes the text: it may be a key, or somebody's record.
    throw usage(`${option}: this is not JSON.`, option);
  }
}

export const readJson = async (path: string, option: string): Promise<unknown> =>
  parseJson(await readText(path, option), option);

/** A file of one object, an array of them, or one in each line (NDJSON). */
export async function readEntries(path: string, option: string): Promise<unknown[]> {
  const text = await readText(path, option);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const oneEach = lines.length > 1 && lines.every((line) => /^\s*\{.*\}\s*$/.test(line));
  if (oneEach) return lines.map((line, i) => parseJson(line, `${option}, line ${i + 1}`));
  const value = parseJson(text, option);
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** A file to be written: whole or not at all. */
export interface Output {
  path: string;
  write(text: string): Promise<void>;
  /** Writes it beside its place, for what is to count only once something else is done. Never over what waits there. */
  stage(text: string): Promise<Staged>;
}

const UNSENT = ".unsent";

/** A file that waits beside its place, under its name and `.unsent`. */
export interface Staged {
  keep(): Promise<void>;
  drop(): Promise<void>;
}

/** Health data and keys are for the owner alone. */
export const PRIVATE = 0o600;
const SHARED = 0o644;

/** How a file is written. */
interface OutputOptions {
  /** Whether to write over what is there. Where it is left out, the command has no such option. */
  force?: boolean;
  mode?: number;
  /** Whether it is staged: what an earlier run left beside its place is then in the way, too. */
  staged?: boolean;
}

/** Refuses at once, before anything is sent, what could not be written later. */
export async function outputTo(
  path: string,
  option: string,
  { force, mode = SHARED, staged = false }: OutputOptions = {},
): Promise<Output> {
  const taken = (name: string): Error =>
    usage(
      `${option}: ${name} exists already; ${force === undefined ? "give another name" : "--force writes over it"}.`,
      option,
    );
  const left = (name: string): Error =>
    usage(
      `${option}: ${name} is of an earlier run, whose batch may be funded, and is never written over. Look: npx hardhat batch:status ` +
        `--file ${name}. If it is funded, take the ${UNSENT} off both names; if it is not and was not sent, delete both.`,
      option,
    );
  const waiting = path + UNSENT;
  if (staged && existsSync(waiting)) throw left(waiting);
  if (existsSync(path) && force !== true) throw taken(path);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) throw usage(`${option}: ${dirname(path)} is no folder.`, option);

  const guarded = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      if ((thrown as { code?: string }).code === "EEXIST") throw name === waiting ? left(name) : taken(name);
      throw usage(`${option}: ${name} cannot be written: ${because(thrown)}.`, option, thrown);
    }
  };
  // A link does not replace what somebody else wrote meanwhile, as a rename does.
  const give = (from: string, to: string): Promise<void> =>
    guarded(to, async () => {
      if (force === true && to !== waiting) return rename(from, to);
      await link(from, to);
      await rm(from);
    });
  const writeTo = async (name: string, text: string): Promise<void> => {
    const draft = join(dirname(path), `.${basename(name)}.${randomBytes(4).toString("hex")}`);
    try {
      await guarded(name, async () => {
        const file = await open(draft, "wx", mode);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
      });
      await give(draft, name);
    } finally {
      await rm(draft, { force: true });
    }
  };
  return {
    path,
    write: (text) => writeTo(path, text),
    stage: async (text) => {
      await writeTo(waiting, text);
      return { keep: () => give(waiting, path), drop: () => rm(waiting, { force: true }) };
    },
  };
}

/** Refuses two files of one name, of which the second would take the first one's place, now or while both wait. @throws INPUT_INVALID */
export async function requireApart(
  first: { path: string; option: string },
  second: { path: string; option: string },
): Promise<void> {
  const placeOf = async ({ path }: { path: string }): Promise<string> =>
    join(await realpath(dirname(path)).catch(() => resolve(dirname(path))), basename(path));
  const [one, two] = [await placeOf(first), await placeOf(second)];
  if (one === two || one + UNSENT === two || one === two + UNSENT)
    throw usage(
      `${first.option} and ${second.option} need names of their own: one file would replace the other.`,
      second.option,
    );
}

/** JSON as files have it. */
export const fileText = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
