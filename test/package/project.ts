import { execFile, spawn, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify, stripVTControlCharacters } from "node:util";

import { devDependencies } from "../../package.json";

const execute = promisify(execFile);

const ROOT = join(__dirname, "..", "..");
const SDK = join(ROOT, "sdk");

/** Version of a tool that this repository pins, so that a project of a test gets the same. */
export const pinned = (name: keyof typeof devDependencies): string => `${name}@${devDependencies[name]}`;

let tarball: Promise<string> | undefined;

/** Builds and packs the SDK as it would be published, once. Gives the tarball's path. */
export function packSdk(): Promise<string> {
  tarball ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), "carepact-sdk-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const { stdout } = await execute("npm", ["pack", "--json", "--pack-destination", folder], { cwd: SDK });
    // What the build says comes first.
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as [{ filename: string }];
    return join(folder, filename);
  })();
  return tarball;
}

/** Somebody else's project, in a folder of its own outside of this repository. */
export interface Project {
  folder: string;
  write(path: string, text: string): Promise<void>;
  /** Runs a command line in it as a shell does, and gives what it wrote to stdout. */
  run(command: string): Promise<string>;
  /** Starts a command line and leaves it running until the project is removed. */
  start(command: string): ChildProcess;
  remove(): Promise<void>;
}

/** An empty folder with these files and the tarball of the SDK beside them. */
export async function makeFolder(files: Record<string, string>): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "carepact-project-"));
  const packed = await packSdk();
  await cp(packed, join(folder, "carepact-sdk-0.1.0.tgz"));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  for (const [path, text] of Object.entries(files)) await write(path, text);
  const started: ChildProcess[] = [];
  // What npm ci put into its cache is enough: nothing is asked of the registry that this machine knows already.
  const env = {
    ...process.env,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
  return {
    folder,
    write,
    run: async (command) => (await execute("bash", ["-euc", command], { cwd: folder, env })).stdout,
    start: (command) => {
      // In a group of its own: what it starts ends with it.
      const child = spawn("bash", ["-euc", command], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "inherit"],
        detached: true,
      });
      started.push(child);
      return child;
    },
    remove: async () => {
      for (const { pid } of started) if (pid !== undefined) process.kill(-pid);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A project that has installed the SDK and these packages. */
export async function makeProject(files: Record<string, string>, packages: readonly string[] = []): Promise<Project> {
  const project = await makeFolder({ "package.json": "{}", ...files });
  await project.run(`npm install --ignore-scripts ./carepact-sdk-0.1.0.tgz ${packages.join(" ")}`);
  return project;
}

/** What a program that was started says of where it listens: the first group of `pattern`. */
export function addressIn(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error("Its output is not read.");
    createInterface(child.stdout).on("line", (line) => {
      const [, address] = pattern.exec(stripVTControlCharacters(line)) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once("exit", (code) => reject(new Error(`It ended with ${code} before it listened.`)));
  });
}
