import js from "@eslint/js";
import tseslint from "typescript-eslint";

const noFocus = ["describe", "context", "it", "specify"].flatMap((name) => [
  { object: name, property: "only", message: "A focused test hides all the others." },
  { object: name, property: "skip", message: "A skipped test proves nothing. Mend it or remove it." },
]);

export default tseslint.config(
  {
    ignores: [
      "**/node_modules/",
      "artifacts/",
      "cache/",
      "cache_forge/",
      "coverage/",
      "sdk/src/generated/",
      "typechain-types/",
      "**/dist/",
      "docs/reference/",
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" } },
  js.configs.recommended,

  // Everything in TypeScript is checked with its types.
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: "error",
      "no-console": "off",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },

  // What runs in Chainlink's runtime has other types, which take Node's away.
  {
    files: ["workflows/claim-events/main*.ts"],
    languageOptions: {
      parserOptions: { project: "./workflows/claim-events/tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
  },

  // The published package: quiet, and free of what breaks when a library is loaded twice (two copies, or ESM beside CJS).
  {
    files: ["sdk/src/**/*.ts"],
    rules: {
      "no-console": "error",
      "no-restricted-globals": ["error", { name: "Buffer", message: "Browsers have none: use Uint8Array." }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "BinaryExpression[operator='instanceof'][right.name!=/^(Uint8Array|Date|Map|Set|.*Error)$/]",
          message: "A class may be loaded twice, and then instanceof lies: look at the structure.",
        },
      ],
    },
  },

  // Tests: chai's assertions are property accesses, and time passes on the chain only.
  {
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unused-expressions": "off",
      "no-restricted-properties": ["error", ...noFocus],
      "no-restricted-globals": [
        "error",
        { name: "setTimeout", message: "A test that waits is slow on one machine and wrong on another." },
        { name: "setInterval", message: "A test that waits is slow on one machine and wrong on another." },
      ],
    },
  },

  // Small files that Node or a tool runs as they are.
  {
    files: ["**/*.cjs", ".solcover.js"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { require: "readonly", module: "writable", process: "readonly", console: "readonly" },
    },
  },
  {
    files: ["examples/*-page/*.js"],
    languageOptions: { globals: { window: "readonly", document: "readonly", location: "readonly", fetch: "readonly" } },
  },
  { files: ["**/*.mjs"], languageOptions: { globals: { URL: "readonly", process: "readonly", console: "readonly" } } },
);
