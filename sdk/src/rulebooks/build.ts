import { isHexString } from "ethers";

import { CarepactError } from "../errors";

import { arbitrationFieldsOf, arbitrationLimits, type ArbitrationTerms } from "./arbitration";
import { rulebookIdOf, type AttesterGroup, type Rulebook, type Workflow } from "./rulebook";

/** Bits of a rulebook's event kinds. */
export const eventKinds = {
  dispense: 1,
  diagnosticReport: 2,
  procedure: 4,
  immunization: 8,
  contribution: 16,
} as const;

/** Attesters that a rulebook names by what they are in a batch (`AttesterRoles` of IRulebooks.sol). */
export const attesterRoles = { payee: "0x01", patient: "0x02" } as const;

/** What a rulebook has to keep to (RulebookChecks.sol). */
export const rulebookLimits = Object.freeze({
  /** Seconds: 72 hours. */
  minGrace: 72 * 60 * 60,
  /** Seconds: 90 days. */
  maxGrace: 90 * 24 * 60 * 60,
  /** In all conditions. */
  attesters: 32,
  /** Of an ERC-7913 signer. */
  attesterBytes: 254,
  ...arbitrationLimits,
});

const UNUSED = `0x${"00".repeat(32)}`;
const NOBODY = `0x${"00".repeat(20)}`;
const NO_NAME = `0x${"00".repeat(10)}`;

const ADDRESS_BYTES = 20;
const ALL_KINDS = 31;
const MOST_ABOVE = (1n << 96n) - 1n;

/** What rulebooks of both makes have in common. */
interface CommonTerms extends ArbitrationTerms {
  /** Bit set of {@link eventKinds}. */
  eventKinds: number;
  /** Seconds after the last moment of the event in which an attestation may land: 72 hours to 90 days. */
  grace: number;
  /** Account that may suspend the rulebook. */
  suspender?: string;
  /** keccak256 of the rules as people read them. */
  documentHash?: string;
}

/** What a simple rulebook is made of. */
export interface SimpleRulebook extends CommonTerms {
  /** Accounts that attest. */
  attesters: readonly string[];
  /** How many of them have to agree. */
  threshold: number;
}

/** A rulebook of one group of attesters, all accounts. @throws RULEBOOK_INVALID for what is said of disputes and retention */
export function simpleRulebook({ attesters, threshold, ...terms }: SimpleRulebook): Rulebook {
  const sorted = attesters.map((attester) => attester.toLowerCase()).sort();
  return rulebookWith([{ threshold, above: 0n, attesters: sorted }], undefined, terms);
}

/** One condition of a rulebook. */
export interface ConditionInput {
  /** How many of the attesters have to sign; all of them unless given. */
  threshold?: number;
  /**
   * ERC-7913 signers in hex, in any order: an account or wallet contract is its address, a key its verifier and itself, as
   * `signer` of `@carepact/sdk/signers` has it. Or, alone, `"payee"`: the payee of each group that is settled; or `"patient"`: the
   * patient of each line that is paid, or a representative.
   */
  attesters: readonly string[];
  /** Counts only where a group that is settled has a subtotal above this, in base units; always unless given. */
  above?: bigint;
}

/** What a rulebook is made of. */
export interface RulebookInput extends CommonTerms {
  /** All of them have to hold. None: only the workflow attests. */
  conditions: readonly ConditionInput[];
  /** Chainlink workflow whose report settles in place of the conditions. `workflowNameOf` makes its name. */
  workflow?: Workflow;
}

/**
 * A rulebook of conditions, a workflow, or both. Attesters are brought into order; what publishing would refuse is refused
 * here, but for verifiers without code, which only the chain knows.
 * @throws RULEBOOK_INVALID, with `details.reason`: the error by which the contract would refuse it
 */
export function rulebook({ conditions, workflow, ...terms }: RulebookInput): Rulebook {
  const groups = conditions.map(({ attesters, threshold = attesters.length, above = 0n }): AttesterGroup => ({
    threshold,
    above,
    attesters: attesters.map((attester) => ROLES.get(attester) ?? attester.toLowerCase()).sort(),
  }));
  const built = rulebookWith(groups, workflow, terms);
  requirePublishable(built);
  return built;
}

const ROLES: ReadonlyMap<string, string> = new Map(Object.entries(attesterRoles));

function rulebookWith(
  attesterGroups: AttesterGroup[],
  workflow: Workflow = { id: UNUSED, owner: NOBODY, name: NO_NAME },
  terms: CommonTerms,
): Rulebook {
  return {
    attesterGroups,
    workflow: { ...workflow },
    eventKinds: terms.eventKinds,
    grace: terms.grace,
    ...arbitrationFieldsOf(terms),
    suspender: terms.suspender ?? NOBODY,
    documentHash: terms.documentHash ?? UNUSED,
  };
}

/** An attester of a rulebook, and its places there. */
export interface RulebookAttester {
  /** Among the attesters of all conditions, as packed signatures name it. */
  index: number;
  /** Index of the condition. */
  condition: number;
  /** ERC-7913 signer in lower case, or the byte of a role. */
  signer: string;
  role?: keyof typeof attesterRoles;
}

/** The attesters of all conditions of a rulebook, in order. One that is in several conditions comes several times. */
export function attestersOf({ attesterGroups }: Pick<Rulebook, "attesterGroups">): RulebookAttester[] {
  return attesterGroups
    .flatMap(({ attesters }, condition) => attesters.map((signer) => ({ condition, signer: signer.toLowerCase() })))
    .map((attester, index) => {
      const role = attester.signer === attesterRoles.payee ? "payee" : "patient";
      return { index, ...attester, ...(attesterRoles[role] === attester.signer ? { role } : {}) };
    });
}

const refuse = (reason: string, path: string, problem: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("RULEBOOK_INVALID", `${path} ${problem}.`, { path, reason, ...details });

/** Refuses what Rulebooks.publish would. */
function requirePublishable(built: Rulebook): void {
  const { attesterGroups, workflow, eventKinds: kinds, grace } = built;
  if (!Number.isInteger(grace) || grace < rulebookLimits.minGrace || grace > rulebookLimits.maxGrace)
    throw refuse("GraceOutOfRange", "grace", "is not between 72 hours and 90 days, in seconds");
  if (!Number.isInteger(kinds) || kinds < 1 || kinds > ALL_KINDS)
    throw refuse("EventKindsInvalid", "eventKinds", "is no set of eventKinds");
  const isWorkflow = requireWholeWorkflow(workflow);
  attesterGroups.forEach(requireCondition);
  const count = attestersOf(built).length;
  if (count > rulebookLimits.attesters)
    throw refuse("TooManyAttesters", "conditions", `name more than ${rulebookLimits.attesters} attesters`, { count });
  const always = attesterGroups.some(({ above, attesters }) => above === 0n && attesters[0] !== attesterRoles.patient);
  if (attesterGroups.length === 0 ? !isWorkflow : !always)
    throw refuse(
      "NobodyAttests",
      "conditions",
      "leave groups for which nobody but the patient has to sign: add one for all amounts",
    );
  // Whatever else does not fit Solidity's types: suspender and document hash.
  rulebookIdOf(built);
}

function requireWholeWorkflow({ id, owner, name }: Workflow): boolean {
  const parts = [isHexString(id, 32), isHexString(owner, ADDRESS_BYTES), isHexString(name, 10)];
  const given = [id, owner, name].map((part) => /[^0]/.test(part.slice(2)));
  if (parts.includes(false) || given.some((part) => part !== given[0]))
    throw refuse("WorkflowIncomplete", "workflow", "needs id (32 bytes), owner (an account) and name (10 bytes)");
  return given[0] === true;
}

function requireCondition({ threshold, above, attesters }: AttesterGroup, condition: number): void {
  const path = `conditions[${condition}]`;
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > attesters.length)
    throw refuse("ThresholdInvalid", `${path}.threshold`, `is not 1 to ${attesters.length}, the number of attesters`);
  if (typeof above !== "bigint" || above < 0n || above > MOST_ABOVE)
    throw refuse("RulebookFieldInvalid", `${path}.above`, "is no amount in base units below 2^96");
  attesters.forEach((attester, i) => {
    const isRole = attester === attesterRoles.payee || attester === attesterRoles.patient;
    if (isRole ? attesters.length > 1 : !isSigner(attester))
      throw isRole
        ? refuse("RoleNotAlone", `${path}.attesters`, "name a role beside others: give it a condition of its own")
        : refuse("AttesterInvalid", `${path}.attesters`, "name what is neither an account, nor a key, nor a role", {
            attester,
          });
    if (attester === attesters[i - 1])
      throw refuse("AttestersNotAscending", `${path}.attesters`, "name one attester twice", { attester });
  });
}

function isSigner(attester: string): boolean {
  if (!/^0x([0-9a-f]{2})+$/.test(attester)) return false;
  const bytes = attester.length / 2 - 1;
  return bytes >= ADDRESS_BYTES && bytes <= rulebookLimits.attesterBytes && attester !== NOBODY;
}
