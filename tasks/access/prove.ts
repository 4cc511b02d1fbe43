import { compartments, proveEntry } from "@carepact/sdk/access";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo, PRIVATE } from "../support/files";
import { countIn, needed, oneOf } from "../support/input";

import { historyIn, type HistoryOptions } from "./documents";
import { statementLines } from "./words";

interface Options extends HistoryOptions {
  number?: string;
  trail?: string;
  out?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const number = countIn(needed(options, "number"), "--number");
  const compartment = oneOf(options.trail ?? "shared", compartments, "--trail");
  const output = await outputTo(needed(options, "out"), "--out", { mode: PRIVATE });
  const proof = proveEntry(await historyIn(call, options), { compartment, number });
  await output.write(fileText(proof));
  return {
    lines: [
      ...statementLines(proof.statement),
      `${output.path} proves it under root ${proof.sequence}, and shows of others only how many there were.`,
    ],
    json: { number, trail: compartment, sequence: proof.sequence, out: output.path },
  };
}
