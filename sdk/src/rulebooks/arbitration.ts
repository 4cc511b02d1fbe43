import { isHexString } from "ethers";

import { CarepactError } from "../errors";

import type { Rulebook } from "./rulebook";

/** Who rules on disputes, and until when. */
export interface Arbiter {
  account: string;
  /** Seconds it has for a ruling: 1 to 90 days. Afterwards the default holds. */
  deadline: number;
  /** Side that gets the money of a line of which no result is attested, if the arbiter stays silent; the payer unless given. */
  default?: "payer" | "payee";
}

/** The share of payments that an audit can still take. */
export interface RetentionTerms {
  /** Share in hundredths of a percent, 1 to 10,000; what is retained of a payment is rounded down. */
  bps: number;
  /** Seconds for which it is retained, at most 730 days. */
  lookBack: number;
}

/** What a rulebook says about results that are disputed and payments that are audited. All need an arbiter. */
export interface ArbitrationTerms {
  /** Seconds for which a presented result can be disputed before it settles, at most 30 days; unless given it settles at once. */
  challengePeriod?: number;
  arbiter?: Arbiter;
  /** Base units that whoever disputes a line locks; none unless given. */
  bond?: bigint;
  retention?: RetentionTerms;
}

const DAY = 24 * 60 * 60;

/** What the fields of {@link ArbitrationTerms} have to keep to (RulebookChecks.sol). Seconds. */
export const arbitrationLimits = {
  maxChallengePeriod: 30 * DAY,
  minArbiterDeadline: DAY,
  maxArbiterDeadline: 90 * DAY,
  maxRetentionBps: 10_000,
  maxLookBack: 730 * DAY,
  /** Largest bond, in base units. */
  maxBond: (1n << 96n) - 1n,
};

const NOBODY = `0x${"00".repeat(20)}`;
/** As the contracts count sides. */
const SIDES = ["payer", "payee"];

type ArbitrationFields = Pick<
  Rulebook,
  "challengePeriod" | "arbiter" | "arbiterDeadline" | "arbiterDefault" | "bond" | "retentionBps" | "lookBack"
>;

/**
 * The terms as a rulebook has them.
 * @throws RULEBOOK_INVALID for what publishing would refuse
 */
export function arbitrationFieldsOf({
  challengePeriod,
  arbiter,
  bond,
  retention,
}: ArbitrationTerms): ArbitrationFields {
  const fields = {
    challengePeriod: challengePeriod ?? 0,
    arbiter: arbiter?.account ?? NOBODY,
    arbiterDeadline: arbiter?.deadline ?? 0,
    arbiterDefault: arbiter === undefined ? 0 : SIDES.indexOf(arbiter.default ?? "payer"),
    bond: bond ?? 0n,
    retentionBps: retention?.bps ?? 0,
    lookBack: retention?.lookBack ?? 0,
  };
  requireArbitration(fields);
  return fields;
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

/** Refuses in the order in which the contract does. */
function requireArbitration(fields: ArbitrationFields): void {
  const limits = arbitrationLimits;
  const { challengePeriod, arbiter, arbiterDeadline, arbiterDefault, bond, retentionBps, lookBack } = fields;
  if (!isWithin(challengePeriod, 0, limits.maxChallengePeriod))
    throw refuse("challengePeriod", "challengePeriod", "is not between 0 and 30 days, in seconds");
  if (!isWithin(arbiterDefault, 0, SIDES.length - 1))
    throw refuse("arbiterDefault", "arbiter.default", "is neither payer nor payee");
  if (!isWithin(retentionBps, 0, limits.maxRetentionBps))
    throw refuse("retentionBps", "retention.bps", "is not a share between 1 and 10,000 hundredths of a percent");
  if (!isWithin(lookBack, 0, limits.maxLookBack) || (lookBack === 0) !== (retentionBps === 0))
    throw refuse("lookBack", "retention", "needs a share and a look-back, in seconds, of at most 730 days");
  if (typeof bond !== "bigint" || bond < 0n || bond > limits.maxBond)
    throw refuse("bond", "bond", "is no amount in base units below 2^96");
  if (!isHexString(arbiter, ACCOUNT_BYTES)) throw refuse("arbiter", "arbiter.account", "is no account");
  if (BigInt(arbiter) === 0n) {
    const asks = [challengePeriod, arbiterDeadline, arbiterDefault, retentionBps].some((field) => field !== 0);
    if (asks || bond !== 0n)
      throw refuse(
        "arbiter",
        "arbiter",
        "is missing: a challenge period, a bond and a retention need somebody who rules",
      );
  } else if (!isWithin(arbiterDeadline, limits.minArbiterDeadline, limits.maxArbiterDeadline))
    throw refuse("arbiterDeadline", "arbiter.deadline", "is not between 1 and 90 days, in seconds");
}

const ACCOUNT_BYTES = 20;

const refuse = (field: string, path: string, problem: string): CarepactError =>
  new CarepactError("RULEBOOK_INVALID", `${path} ${problem}.`, { path, reason: "RulebookFieldInvalid", field });

/**
 * Whether attestations are presented under a rulebook rather than settled: it has a challenge period, during which results can be
 * disputed, or retains a share of payments.
 */
export const isPresented = ({
  challengePeriod,
  retentionBps,
}: Pick<Rulebook, "challengePeriod" | "retentionBps">): boolean => challengePeriod > 0 || retentionBps > 0;
