import { id, isHexString, keccak256, toBeHex, zeroPadValue } from "ethers";

import { saltedHashOf } from "../encryption";
import { CarepactError } from "../errors";

import { requireStatement, type AccessStatement } from "./types";

/**
 * The two trails that a gateway keeps for each patient, both from the first entry on, so that nobody can see from outside
 * whether there is anything in `own`: what a minor's representative must not see.
 */
export const compartments = ["shared", "own"] as const;
export type Compartment = (typeof compartments)[number];

/** What a trail is named by. */
export interface TrailName {
  gateway: string;
  patient: string;
  compartment: Compartment;
  /** 32 random bytes that the gateway and the patient know. */
  salt: string;
}

/** How far a trail goes. */
export interface TrailState {
  trail: string;
  /** How many entries it has. */
  count: number;
  head: string;
}

const tags = new Map<string, string>();

/** Each kind of hash begins with its own word, so that none can be taken for another. */
function tagOf(kind: string): string {
  const known = tags.get(kind) ?? id(`carepact access ${kind} v1`);
  tags.set(kind, known);
  return known;
}

const WORD_BYTES = 32;

/**
 * keccak256(abi.encode(tag, values…)), all of which are one word each. By hand, since a root hashes several for each
 * patient, and ethers' encoder takes most of the time.
 */
function tagged(kind: string, ...values: readonly (string | number)[]): string {
  const words = values.map((value) => {
    if (typeof value === "number") return toBeHex(value, WORD_BYTES).slice(2);
    if (!isHexString(value, WORD_BYTES))
      throw new CarepactError("INPUT_INVALID", `A ${kind} of an access log is made of words of 32 bytes.`, { kind });
    return value.slice(2);
  });
  return keccak256(tagOf(kind) + words.join(""));
}

/** Name of a trail: nobody finds the patient of one without its salt. It is the head of a trail without entries. */
export function trailOf({ gateway, patient, compartment, salt }: TrailName): string {
  return tagged("trail", zeroPadValue(gateway, WORD_BYTES), patient, compartments.indexOf(compartment), salt);
}

/** Commitment to what an entry says, but for its number. @throws ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, INPUT_INVALID */
export function entryHashOf(salt: string, statement: AccessStatement): string {
  return saltedHashOf(salt, requireStatement(statement));
}

/** An entry in its place, as the chain of heads has it. */
export function linkOf(number: number, entryHash: string): string {
  return tagged("link", number, entryHash);
}

/** Head of a trail after one more link. */
export function headAfter(previous: string, link: string): string {
  return tagged("head", previous, link);
}

/**
 * Commitment to where an entry stands. Who asked gets only this: trail and number would tell how often others asked, and
 * that there is more than one trail.
 * @param blind 32 random bytes that the gateway and the patient know
 */
export function placeOf(trail: string, number: number, previous: string, blind: string): string {
  return tagged("place", trail, number, previous, blind);
}

/** A trail in the tree of one root. The blind is another one for each root: nobody sees from it whether a trail grew. */
export function trailLeafOf({ trail, count, head }: TrailState, blind: string): string {
  return tagged("leaf", trail, count, head, blind);
}

/** A patient's record in the tree of one root: its two trails, in an order that does not tell which is which. */
export function recordLeafOf(one: string, other: string): string {
  const [low, high] = BigInt(one) < BigInt(other) ? [one, other] : [other, one];
  return tagged("record", low, high);
}

/** Blind of a trail under the root with this secret seed. */
export function leafBlindOf(seed: string, trail: string): string {
  return tagged("leaf blind", seed, trail);
}

/** Leaf that stands for nothing. */
export function paddingOf(seed: string, index: number): string {
  return tagged("padding", seed, index);
}
