/** A process that uses a ledger: started by ledgerProcesses.test.ts, which tells it what to do. */
import "tsconfig-paths/register";

import { open } from "lmdb";

import { lmdbLedger } from "@carepact/sdk/ledger";

import { lineOf, SECRET, type Terms } from "./ledgers";

/** What the process is asked for: to claim lines, or to be killed, after a claim or in the midst of writing. */
export type Order = { claim: Terms[]; crash?: "afterwards" } | { crash: "writing" };

/** What it answers: why lines were refused; before the first order, that it is ready. */
export type Answer = { reasons: string[] } | { ready: true };

/** As a crash, a kill by the system or a loss of power ends a process: without any last word. */
const crash = (): boolean => process.kill(process.pid, "SIGKILL");

/** Is killed while it keeps others from writing, with something written that is not committed. */
function crashWriting(path: string): void {
  const database = open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    keyEncoding: "binary",
    encoding: "binary",
    overlappingSync: false,
  });
  database.transactionSync(() => {
    for (const name of [...database.getKeys()]) database.putSync(name, Uint8Array.of(0));
    crash();
  });
}

function serve(path: string): void {
  const ledger = lmdbLedger({ path, secret: SECRET });
  const answer = (said: Answer): void => void process.send!(said);
  process.on("message", (order: Order) => {
    if (!("claim" in order)) return crashWriting(path);
    void ledger.claim(order.claim.map(lineOf)).then((conflicts) => {
      if (order.crash === "afterwards") crash();
      answer({ reasons: conflicts.map(({ reason }) => reason) });
    });
  });
  process.on("disconnect", () => process.exit());
  answer({ ready: true });
}

if (require.main === module) serve(process.argv[2]!);
