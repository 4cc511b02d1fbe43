import { ClaimEscrow__factory } from "../../typechain-types";
import { decodeError } from "@carepact/sdk";
import {
  combineAttestations,
  decodeResults,
  encodeResults,
  fileForPayee,
  packGroup,
  resultShapeOf,
  type Attestation,
  type ClaimBatchFile,
  type OpenedGroup,
} from "@carepact/sdk/claims";

import type { BooksReport, RawLog } from "./books";
import { askBeforeCare } from "./checking";
import type { Screen } from "./print";
import { ensure, type Payee, type World } from "./world";

/** What `--tamper` changed on the way, and what noticed it. */
export interface Tampering {
  on: boolean;
  /** Why the run is no good: one entry for each change, caught or not. */
  reasons: string[];
  /** Notes that a change was refused, and how. */
  caught: (codes: readonly string[], what: string) => void;
  /** Notes that a change went through, as loudly as can be. */
  missed: (what: string) => void;
}

/** Keeps what tampering leads to. */
export function newTampering(on: boolean, screen: Screen): Tampering {
  const reasons: string[] = [];
  return {
    on,
    reasons,
    caught: (codes, what) => {
      reasons.push(`${codes.join(", ")}: ${what}`);
      screen.say(`TAMPERED, and caught. ${what} (${codes.join(", ")})`);
    },
    missed: (what) => {
      reasons.push(`NOT CAUGHT: ${what}`);
      screen.say(`\n!!!! TAMPERED, AND NOT CAUGHT: ${what} !!!!\n`);
    },
  };
}

const FIVE_DOLLARS = 5_000_000n;

/** Somebody makes a line of the file promise 5.00 more than is locked, and the payee checks that file. */
export async function offerChangedFile(
  world: World,
  tampering: Tampering,
  payee: Payee,
  file: ClaimBatchFile,
  rulebook: string,
): Promise<void> {
  if (!tampering.on) return;
  const changed = structuredClone(fileForPayee(file, payee.account));
  const group = changed.groups.find((entry) => entry.payee === payee.account);
  ensure(group?.lineCount === 1, "the file is of one line, whose amount is the group's subtotal");
  group.subtotal = (BigInt(group.subtotal) + FIVE_DOLLARS).toString();
  changed.terms.total = (BigInt(changed.terms.total) + FIVE_DOLLARS).toString();
  const what = "The amount of a line in a claim batch file was raised by 5.00.";
  const checked = await askBeforeCare(world, payee, changed, rulebook);
  if (!checked.ok && checked.reason.code === "FILE_TAMPERED")
    tampering.caught(["FILE_TAMPERED"], `${what} The payee's check refused the file: ${checked.reason.message}`);
  else tampering.missed(`${what} The payee's check said ${checked.ok ? "yes" : checked.reason.code}.`);
}

/** Somebody makes a signed "pending" say "met", and tries to settle with it: through the SDK, and at the contract itself. */
export async function settleChangedResult(
  world: World,
  tampering: Tampering,
  batch: OpenedGroup,
  signed: readonly Attestation[],
): Promise<void> {
  if (!tampering.on) return;
  const shape = resultShapeOf(batch, [batch]);
  const honest = combineAttestations(batch, signed, await world.now());
  const was = decodeResults(honest.results, shape).map(({ result }) => result);
  const results = encodeResults(
    was.map(() => ({ result: "met" })),
    shape,
  );
  const what = `An attested result was changed from ${was.join()} to met after signing.`;

  const changed = signed.map((attestation) => ({ ...attestation, results }));
  const bySdk = await refusalOf(world.passerBy.claims.settle(batch, changed).simulate());
  const escrow = ClaimEscrow__factory.connect(world.deployment.claimEscrow, world.runner);
  const groups = batch.groups.map(packGroup);
  const byContract = await refusalOf(escrow.settle.staticCall(batch.terms, groups, { ...honest, results }));
  if (bySdk?.code === "ATTESTATION_WRONG_BATCH" && byContract?.name === "NotAttester")
    tampering.caught(
      ["ATTESTATION_WRONG_BATCH", "NotAttester"],
      `${what} The SDK refused it: ${bySdk.message} Asked without the SDK, the contract refused it: ${byContract.message}`,
    );
  else
    tampering.missed(
      `${what} The SDK said: ${bySdk?.message ?? "yes"}. The contract said: ${byContract?.message ?? "yes"}.`,
    );
}

async function refusalOf(attempt: Promise<unknown>): Promise<ReturnType<typeof decodeError> | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (thrown) {
    return decodeError(thrown);
  }
}

const CHANGED_WORD = 64;

/** The book-keeper's input with one base unit more in the last payment that it tells of. */
export function withChangedEvent(logs: RawLog[], groupSettledTopic: string): RawLog[] {
  const last = logs.map(({ topics }) => topics[0]).lastIndexOf(groupSettledTopic);
  return logs.map((log, i) => {
    if (i !== last) return log;
    const word = log.data.slice(2, 2 + CHANGED_WORD);
    const paid = (BigInt(`0x${word}`) + 1n).toString(16).padStart(CHANGED_WORD, "0");
    return { ...log, data: `0x${paid}${log.data.slice(2 + CHANGED_WORD)}` };
  });
}

/** Whether the books, kept from changed events, show it. */
export function judgeChangedBooks(tampering: Tampering, report: BooksReport): void {
  const what = "One event in the book-keeping input was changed by one base unit.";
  if (report.balanced) return tampering.missed(what);
  const names = [...new Set(report.inequalities.map(({ name }) => name))];
  tampering.caught(
    names,
    `${what} The books do not balance: ${report.inequalities.map(({ message }) => message).join(" ")}`,
  );
}
