import {
  fileForPayee,
  parseClaimBatchFile,
  type CheckResult,
  type ClaimBatchFile,
  type OpenedGroup,
} from "@carepact/sdk/claims";

import { ensure, type Payee, type World } from "./world";

const DAY = 24 * 60 * 60;

/** What a payee does before it gives care: asks, in one call, whether the money for its lines is locked. */
export async function askBeforeCare(
  world: World,
  payee: Payee,
  file: ClaimBatchFile,
  rulebook: string,
): Promise<CheckResult> {
  return payee.claims.check(file, {
    payee: payee.account,
    privateKey: payee.keys.privateKey,
    // A chain for trying things out finalizes nothing.
    finality: "latest",
    acceptedRulebooks: [rulebook],
    acceptedTokens: [world.token.address],
    minimumSeconds: 7 * DAY,
  });
}

/** The payer sends the payee its file as text; the payee reads and checks it, and goes on only if the money is there. */
export async function receive(
  world: World,
  payee: Payee,
  file: ClaimBatchFile,
  rulebook: string,
): Promise<OpenedGroup> {
  const received = parseClaimBatchFile(JSON.stringify(fileForPayee(file, payee.account)));
  const checked = await askBeforeCare(world, payee, received, rulebook);
  ensure(checked.ok, `${payee.name} finds the money for its lines locked`);
  const { amount, count } = checked.lines.reduce(
    (sum, line) => ({ amount: sum.amount + line.amount, count: sum.count + 1 }),
    { amount: 0n, count: 0 },
  );
  world.screen.say(
    `${payee.name} checked its file before giving care: ${count} line${count === 1 ? "" : "s"}, ${world.show(amount)} locked for it, ` +
      "rulebook and token acceptable, time enough.",
  );
  return checked.batch;
}
