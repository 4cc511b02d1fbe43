import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import hre from "hardhat";

/** What a command ended with. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  /** The last line of stdout, where --json was asked for. */
  json: Json;
}

/** JSON as a command gives it. */
export type Json = Record<string, unknown>;

type Options = Record<string, string | boolean | undefined>;

/** Runs a command as the terminal does, but in this process: its exit code, and what it wrote where. */
export async function command(
  name: string,
  options: Options = {},
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  return captured(environment, async () => {
    await hre.run(name, { json: true, ...options });
  });
}

/** What `work` writes and ends with, in an environment without keys but those given. */
export async function captured(environment: NodeJS.ProcessEnv, work: () => Promise<void>): Promise<Ended> {
  const { stdout, stderr, env, exitCode } = process;
  const [out, err] = [listener(stdout), listener(stderr)];
  const bare = Object.entries(env).filter(([name]) => !name.startsWith("CAREPACT_"));
  process.env = { ...Object.fromEntries(bare), ...environment };
  try {
    await work();
    const text = out.told();
    return { code: Number(process.exitCode ?? 0), stdout: text, stderr: err.told(), json: lastLine(text) };
  } finally {
    out.stop();
    err.stop();
    process.env = env;
    process.exitCode = exitCode;
  }
}

function listener(stream: NodeJS.WriteStream): { told: () => string; stop: () => void } {
  const chunks: string[] = [];
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array) => chunks.push(String(chunk)) > 0;
  return { told: () => chunks.join(""), stop: () => (stream.write = write) };
}

/** The one JSON object that stands in the last line. */
export function lastLine(text: string): Json {
  const line = text.trimEnd().split("\n").at(-1) ?? "";
  return line.startsWith("{") ? (JSON.parse(line) as Json) : {};
}

const roots: string[] = [];
process.once("exit", () => roots.forEach((root) => rmSync(root, { recursive: true, force: true })));

/** A folder for one test file, gone when the process ends. */
export function folder(): { path: (name: string) => string; file: (name: string, content: unknown) => string } {
  const root = mkdtempSync(join(tmpdir(), "carepact-tasks-"));
  roots.push(root);
  return {
    path: (name) => join(root, name),
    file: (name, content) => {
      const path = join(root, name);
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
      return path;
    },
  };
}

/** A fill that was answered with "paid", in the words of NCPDP D.0; made up but for the form. */
export const fill = (prescriptionReferenceNumber: string, paid: string, pharmacyNpi: string): Json => ({
  kind: "pharmacy",
  claimId: `F-${prescriptionReferenceNumber}`,
  currency: "USD",
  transactionResponseStatus: "P",
  pharmacyNpi,
  prescriptionReferenceNumber,
  fillNumber: 0,
  dateOfService: "2026-01-15",
  productServiceId: "00000000000",
  quantityDispensed: "30",
  daysSupply: 30,
  ingredientCostPaid: paid,
  patientPayAmount: "0",
  totalAmountPaid: paid,
});

export const npis = { pharmacy: "2900000011", laboratory: "2900000052" } as const;

/** Numbers of the node's accounts in these tests. The first has every role but that of the admin. */
export const accounts = {
  officer: "0",
  payer: "1",
  pharmacy: "2",
  laboratory: "3",
  attesters: ["5", "6", "7"],
  stranger: "9",
} as const;
