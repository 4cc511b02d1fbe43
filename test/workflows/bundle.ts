import { join } from "node:path";

import { build } from "esbuild";

const root = join(__dirname, "..", "..");

/** A bundle, as Chainlink's compiler makes one: for a browser, everything in one file. */
export interface Bundle {
  text: string;
  /** What it would still import when it runs. */
  imports: string[];
  /** Every file that is in it. */
  inputs: string[];
}

/** Bundles a module that is written here, with imports from the repository's root. */
export async function bundle(contents: string, format: "iife" | "cjs", external: string[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    metafile: true,
    format,
    platform: "browser",
    target: "es2022",
    tsconfig: join(root, "tsconfig.json"),
    logLevel: "silent",
    external,
  });
  const output = Object.values(metafile.outputs)[0];
  return {
    text: outputFiles[0]?.text ?? "",
    imports: (output?.imports ?? []).map(({ path }) => path),
    inputs: Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [path] : [],
    ),
  };
}
