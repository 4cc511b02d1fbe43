import { readFileSync } from "node:fs";

import { defineConfig } from "tsdown";

const { exports } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));

/** `./claims` → `src/claims/index.ts`: package.json's exports are the one list of entries. */
const entry = Object.fromEntries(
  Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => (path === "." ? ["index", "src/index.ts"] : [path.slice(2), `src/${path.slice(2)}/index.ts`])),
);

export default defineConfig({
  entry,
  format: ["esm", "cjs"],
  platform: "neutral",
  // Of the one entry that is for Node alone.
  external: [/^node:/],
  target: "es2022",
  tsconfig: "tsconfig.build.json",
  dts: true,
  sourcemap: true,
  fixedExtension: true,
  clean: true,
  outDir: "dist",
});
