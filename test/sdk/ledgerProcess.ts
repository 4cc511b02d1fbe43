/** A process that uses a ledger: started by ledgerProcesses.test.ts, which tells it what to do. */
import "tsconfig-paths/register";

import { lmdbLedger } from "@carepact/sdk/ledger";

import { lineOf, SECRET, type Terms } from "./ledgers";

/** What the process is asked for: to claim lines, or to end as a crash ends it, right after a claim. */
export interface Order {
  claim: Terms[];
  crash?: boolean;
}

/** What it answers: why lines were refused; before the first order, that it is ready. */
export type Answer = { reasons: string[] } | { ready: true };

/** How a process sends what cannot be sent as it is. */
export const amountsAsText = (terms: Terms): Record<string, unknown> => ({
  ...terms,
  amount: String(terms.amount ?? 4_000n),
});

function serve(path: string): void {
  const ledger = lmdbLedger({ path, secret: SECRET });
  process.on(
    "message",
    ({ claim, crash }: { claim: (Omit<Terms, "amount"> & { amount: string })[]; crash?: boolean }) => {
      void ledger.claim(claim.map((terms) => lineOf({ ...terms, amount: BigInt(terms.amount) }))).then((conflicts) => {
        if (crash === true) process.kill(process.pid, "SIGKILL");
        process.send!({ reasons: conflicts.map(({ reason }) => reason) } satisfies Answer);
      });
    },
  );
  process.on("disconnect", () => process.exit());
  process.send!({ ready: true } satisfies Answer);
}

if (require.main === module) serve(process.argv[2]!);
