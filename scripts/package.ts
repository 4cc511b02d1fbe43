/**
 * Builds the SDK's package and shows that it can be published: types resolve however it is imported, entries carry nothing they
 * should not, the root entry is small, and the public surface is the one in `sdk/api/`. `--update` writes that anew.
 */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import Table from "cli-table3";
import { build } from "esbuild";

import { exports, name, peerDependencies } from "../sdk/package.json";

import { exitWith, ROOT, run } from "./processes";

const SDK = join(ROOT, "sdk");
const DIST = join(SDK, "dist");
const REPORTS = join(SDK, "api");

/** Bytes, minified and gzipped, with all dependencies but the peers. */
const ROOT_LIMIT = 20 * 1024;

const peers = Object.keys(peerDependencies);
const entries = Object.keys(exports)
  .filter((path) => path !== "./package.json")
  .map((path) => (path === "." ? "index" : path.slice(2)));
/** May carry bytecode: it deploys. */
const DEPLOYS = "devnet";

/** Keeps a database in a file, which no browser can: it alone imports Node's modules and the database. */
const NODE_ONLY = "ledger";

/** What no published file imports. */
const FOREIGN = /^(hardhat|@nomicfoundation\/|@openzeppelin\/|@chainlink\/|@typechain\/)/;
/** What only that entry imports. */
const OF_NODE = /^(node:|lmdb)/;

interface Size {
  entry: string;
  minified: number;
  gzipped: number;
  problems: string[];
}

/** One entry as an application's bundler would take it, with everything that it exports in use. */
async function measure(entry: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export * from "./${entry}.mjs";`, resolveDir: DIST },
    bundle: true,
    minify: true,
    format: "esm",
    platform: entry === NODE_ONLY ? "node" : "browser",
    external: [...peers, "node:*"],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const [{ contents, text }] = outputFiles as [(typeof outputFiles)[0]];
  const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const gzipped = gzipSync(contents, { level: 9 }).length;
  const problems = [
    ...imported
      .filter((path) => FOREIGN.test(path) || (OF_NODE.test(path) && entry !== NODE_ONLY))
      .map((path) => `imports ${path}`),
    // Solidity's compiled code begins so, whatever the contract.
    ...(entry !== DEPLOYS && /0x60[8a]0604052|60806040/.test(text) ? ["carries bytecode"] : []),
    ...(entry === "index" && gzipped > ROOT_LIMIT ? [`is larger than ${ROOT_LIMIT} bytes`] : []),
  ];
  return { entry, minified: contents.length, gzipped, problems };
}

/** Whether the entry's public surface is that of its report; says where it is not, or writes the report. */
function compareApi(entry: string, update: boolean): boolean {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: join(SDK, "api-extractor.json"),
    packageJsonFullPath: join(SDK, "package.json"),
    configObject: {
      projectFolder: SDK,
      newlineKind: "lf",
      mainEntryPointFilePath: join(DIST, `${entry}.d.mts`),
      compiler: { tsconfigFilePath: join(SDK, "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: REPORTS,
        reportTempFolder: join(ROOT, "cache", "api"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: update,
    // What matters of it is said by whoever called this.
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  return (!apiReportChanged || update) && errorCount === 0;
}

exitWith(async () => {
  const update = process.argv.includes("--update");
  const steps = [
    await run("tsdown", ["--logLevel", "warn"], { cwd: SDK }),
    await run("publint", ["--strict"], { cwd: SDK }),
    await run("attw", ["--pack", ".", "--format", "ascii", "--quiet"], { cwd: SDK }),
  ];
  mkdirSync(REPORTS, { recursive: true });
  const sizes = await Promise.all(entries.map(measure));
  const table = new Table({ head: ["entry", "minified", "gzipped", "limit"], style: { head: [], border: [] } });
  for (const { entry, minified, gzipped } of sizes)
    table.push([entry === "index" ? name : `${name}/${entry}`, minified, gzipped, entry === "index" ? ROOT_LIMIT : ""]);
  console.log(table.toString());

  const problems = [
    ...sizes.flatMap(({ entry, problems: found }) => found.map((problem) => `${entry} ${problem}.`)),
    ...entries
      // Said by the contracts' interfaces already.
      .filter((entry) => entry !== "abis")
      .filter((entry) => !compareApi(entry, update))
      .map((entry) => `${entry} has another public surface than sdk/api/${entry}.api.md: npm run package -- --update`),
    ...readdirSync(REPORTS)
      .filter((file) => !entries.includes(file.replace(/\.api\.md$/, "")))
      .map((file) => `sdk/api/${file} is of no entry.`),
  ];
  for (const problem of problems) console.error(problem);
  return problems.length === 0 && steps.every(({ code }) => code === 0);
});
