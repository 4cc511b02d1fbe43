import { chainTimeOf, providerOf, requireChain, type Connection } from "../chain/deployment";
import { within, type CallOptions } from "../chain/options";
import { decodeError } from "../chain/decodeError";
import { CarepactError, type ErrorDetails } from "../errors";
import { tokenOf } from "../pools/token";
import { attestersOf, createRulebooks } from "../rulebooks";

import { needsOf, payerDecides, unreachableCondition, type CheckNeeds } from "./attesters/judge";
import { openClaimBatchFile, type ClaimBatchFile, type OpenedGroup, type OpenedLine } from "./file";
import { statusOf } from "./status";

/** Those of a list, or whatever comes. */
export type Accepted = readonly string[] | "any";

/** Who checks, and what it accepts. */
export interface CheckOptions extends CallOptions {
  payee: string;
  /** The payee's X25519 private key, to open its part of the file. */
  privateKey: string;
  /**
   * How sure the funding has to be: `finalized` (the default) cannot be reorganized away; `latest` is for chains without
   * finality and for trying things out.
   */
  finality?: "finalized" | "safe" | "latest";
  /**
   * Ids of the rulebooks whose attesters, and whose workflow, the payee trusts. `"any"` accepts what the payer chose, unless the
   * payer could attest, or keep others from attesting, alone, or deployed the workflow.
   */
  acceptedRulebooks: Accepted;
  /** Addresses of the tokens the payee takes. `"any"` accepts what the payer chose: anyone can name a token as it likes. */
  acceptedTokens: Accepted;
  /** Lines (indices in the group) that have to be open still; all of them unless given. */
  lines?: readonly number[];
  /** Seconds that have to be left until `eventBy`; none unless given. */
  minimumSeconds?: number;
}

/**
 * Why a batch is no guarantee. `code` is one of {@link checkReasons}, or that of the error that the file, the options or
 * the chain gave.
 */
export interface CheckReason {
  code: string;
  message: string;
  details: ErrorDetails;
}

export type { CheckNeeds };

export type CheckResult =
  | {
      ok: true;
      batch: OpenedGroup;
      lines: OpenedLine[];
      /** What it takes beside named attesters until the lines are paid. */
      needs: CheckNeeds;
    }
  | { ok: false; reason: CheckReason };

/** Reasons that only the chain, or the payee's own conditions, can give. */
export const checkReasons = {
  OTHER_ESCROW: "The batch is for another chain or escrow than the one asked.",
  NOT_FUNDED: "The batch is not funded: nothing is locked for it.",
  NOT_FINAL: "The funding is not final yet: wait.",
  LINES_CLOSED: "Lines of this payee were settled, reversed or reclaimed already: ask for the others by `lines`.",
  TOO_LATE: "Too little time is left until the last moment of the event.",
  RULEBOOK_NOT_ACCEPTED: "The payee does not accept this rulebook.",
  PAYER_DECIDES:
    "Without enough attesters who are not the payer, or by its own workflow, the payer alone decides whether it pays.",
  RULEBOOK_SUSPENDED: "The rulebook is suspended.",
  ATTESTERS_SUSPENDED:
    "So many attesters were shown to have lied that a condition of the rulebook cannot be met any more.",
  TOKEN_NOT_ACCEPTED: "The payee does not accept this token.",
  TOKEN_DIFFERS: "The token is not what the file says it is.",
} as const;

type Reason = keyof typeof checkReasons;

/**
 * @internal Whether the money for a payee's lines is locked, before it gives care: the file is whole and opens, the batch
 * is funded and final, the payee's lines are open, rulebook, token and time are acceptable.
 */
export async function checkClaimBatch(
  connection: Connection,
  file: ClaimBatchFile,
  options: CheckOptions,
): Promise<CheckResult> {
  try {
    return await within(options, async () => {
      const batch = await openClaimBatchFile(file, options);
      const reason = await findReason(connection, batch, options);
      if (reason !== undefined) return { ok: false, reason };
      const { lines } = options;
      return {
        ok: true,
        batch,
        lines: batch.lines.filter(({ index }) => lines === undefined || lines.includes(index)),
        needs: needsOf(batch, lines),
      };
    });
  } catch (thrown) {
    const { code, message, details } = decodeError(thrown);
    return { ok: false, reason: { code, message, details } };
  }
}

const because = (code: Reason, details: Record<string, unknown> = {}): CheckReason => ({
  code,
  message: checkReasons[code],
  details: new CarepactError("INPUT_INVALID", code, details).details,
});

const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

// Whoever gives no list, against the types, has accepted nothing.
const includes = (accepted: Accepted | undefined, value: string): boolean =>
  accepted === "any" || (accepted ?? []).some((entry) => same(entry, value));

/** Attesters of a rulebook (ERC-7913 signers in lower case) who were shown to have lied. */
async function equivocatorsOf(connection: Connection, { rulebook }: OpenedGroup): Promise<ReadonlySet<string>> {
  const rulebooks = createRulebooks(connection);
  const named = attestersOf(rulebook).filter(({ role }) => role === undefined);
  const signers = [...new Set(named.map(({ signer }) => signer))];
  const equivocated = await Promise.all(signers.map((signer) => rulebooks.hasEquivocated(signer)));
  return new Set(signers.filter((_, i) => equivocated[i]));
}

async function findReason(
  connection: Connection,
  batch: OpenedGroup,
  options: CheckOptions,
): Promise<CheckReason | undefined> {
  const { deployment, runner } = connection;
  const { lines, minimumSeconds = 0 } = options;
  // Nothing asked for would be nothing checked.
  if (lines?.length === 0)
    throw new CarepactError("INPUT_INVALID", "Name at least one line, or leave lines out for all.", { path: "lines" });
  if (!(Number.isFinite(minimumSeconds) && minimumSeconds >= 0))
    throw new CarepactError("INPUT_INVALID", "minimumSeconds is a number of seconds, zero or more.", {
      path: "minimumSeconds",
      minimumSeconds,
    });
  await requireChain(connection);
  if (batch.chainId !== deployment.chainId || batch.escrow.toLowerCase() !== deployment.claimEscrow.toLowerCase())
    return because("OTHER_ESCROW", { chainId: batch.chainId, escrow: batch.escrow });
  if (!includes(options.acceptedRulebooks, batch.terms.rulebook))
    return because("RULEBOOK_NOT_ACCEPTED", { rulebook: batch.terms.rulebook });
  const gone = await equivocatorsOf(connection, batch);
  const unreachable = unreachableCondition(batch, gone);
  if (unreachable !== undefined)
    return because("ATTESTERS_SUSPENDED", { condition: unreachable, attesters: [...gone] });
  if (options.acceptedRulebooks === "any" && payerDecides(batch, gone))
    return because("PAYER_DECIDES", { payer: batch.terms.payer });
  if (!includes(options.acceptedTokens, batch.terms.token))
    return because("TOKEN_NOT_ACCEPTED", { token: batch.terms.token });

  const status = await statusOf(connection, batch);
  if (!status.funded) return because("NOT_FUNDED", { batchId: batch.batchId });
  const finality = options.finality ?? "finalized";
  if (finality !== "latest" && !(await statusOf(connection, batch, { blockTag: finality })).funded)
    return because("NOT_FINAL", { batchId: batch.batchId, finality });
  const wanted = lines ?? batch.lines.map(({ index }) => index);
  const unknown = wanted.filter((index) => batch.lines[index] === undefined);
  if (unknown.length > 0)
    throw new CarepactError("INPUT_INVALID", `Name lines of the group, 0 to ${batch.lines.length - 1}.`, {
      path: "lines",
      lines: unknown,
    });
  const closed = wanted.filter((index) => status.closedLines[batch.firstLine + index]);
  if (closed.length > 0) return because("LINES_CLOSED", { lines: closed });

  const { suspended } = await createRulebooks(connection).status(batch.terms.rulebook);
  if (suspended) return because("RULEBOOK_SUSPENDED", { rulebook: batch.terms.rulebook });
  const left = batch.terms.eventBy - (await chainTimeOf(providerOf(runner)));
  if (left < minimumSeconds) return because("TOO_LATE", { eventBy: batch.terms.eventBy, left });
  const { symbol, decimals } = await tokenOf(connection, batch.terms.token);
  if (symbol !== batch.token.symbol || decimals !== batch.token.decimals)
    return because("TOKEN_DIFFERS", { symbol, decimals, file: { ...batch.token } });
  return undefined;
}
