/**
 * Writes docs/reference from the NatSpec of the contracts' interfaces and the TSDoc of the SDK. `--check` writes nothing, and fails
 * where a page is not what it would be.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";

import { main as writeNatSpec } from "solidity-docgen/dist/main";

import { exports } from "../sdk/package.json";

import { exitWith, ROOT, run } from "./processes";

const OUT = join("docs", "reference");
/** Where NatSpec stands: implementations only inherit it. */
const INTERFACES = "interfaces";
/** Literal types of ABIs say nothing that the contracts' pages do not. */
const UNDOCUMENTED = ["./abis", "./package.json"];

type Build = Parameters<typeof writeNatSpec>[0][number];

/** What the compiler said of the interfaces, in as many runs as it compiled them; the last run first, since the first to name a file counts. */
function readBuilds(): Build[] {
  const folder = join(ROOT, "artifacts", "contracts", INTERFACES);
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".dbg.json"))
    .map((file) => {
      const { buildInfo } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { buildInfo: string };
      return resolve(folder, dirname(file), buildInfo);
    });
  return [...new Set(paths)]
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs)
    .map((path) => JSON.parse(readFileSync(path, "utf8")) as Build);
}

async function writeContracts(outDir: string): Promise<void> {
  const folders = readdirSync(join(ROOT, "contracts"));
  await writeNatSpec(readBuilds(), {
    root: ROOT,
    sourcesDir: "contracts",
    outputDir: relative(ROOT, outDir),
    templates: "docs/templates",
    exclude: folders.filter((folder) => folder !== INTERFACES),
    pages: (_item, { absolutePath }) => relative(join("contracts", INTERFACES), absolutePath).replace(/\.sol$/, ".md"),
  });
}

async function writeSdk(outDir: string): Promise<boolean> {
  const entryPoints = Object.keys(exports)
    .filter((path) => !UNDOCUMENTED.includes(path))
    .flatMap((path) => ["--entryPoints", join("src", path.slice(2), "index.ts")]);
  const { code } = await run("typedoc", [...entryPoints, "--out", outDir], { cwd: join(ROOT, "sdk") });
  return code === 0;
}

function pagesIn(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path), readFileSync(path, "utf8")];
    }),
  );
}

async function write(outDir: string): Promise<boolean> {
  await writeContracts(join(outDir, "contracts"));
  return writeSdk(join(outDir, "sdk"));
}

exitWith(async () => {
  const committed = join(ROOT, OUT);
  if (!process.argv.includes("--check")) {
    rmSync(committed, { recursive: true, force: true });
    return write(committed);
  }
  const fresh = mkdtempSync(join(tmpdir(), "carepact-reference-"));
  try {
    if (!(await write(fresh))) return false;
    const [should, is] = [pagesIn(fresh), pagesIn(committed)];
    const stale = [...new Set([...should.keys(), ...is.keys()])].filter((page) => should.get(page) !== is.get(page));
    for (const page of stale) console.error(`${join(OUT, page)} is not what it would be: npm run reference`);
    return stale.length === 0;
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
