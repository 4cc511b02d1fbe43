import { AbiCoder, id, keccak256 } from "ethers";

import { saltedHashOf } from "../encryption";

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

/** Each kind of hash begins with its own word, so that none can be taken for another. */
const tagged = (kind: string, types: readonly string[], values: readonly unknown[]): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", ...types], [id(`carepact access ${kind} v1`), ...values]));

/** Name of a trail: nobody finds the patient of one without its salt. It is the head of a trail without entries. */
export function trailOf({ gateway, patient, compartment, salt }: TrailName): string {
  const place = compartments.indexOf(compartment);
  return tagged("trail", ["address", "bytes32", "uint8", "bytes32"], [gateway, patient, place, salt]);
}

/** Commitment to what an entry says, but for its number. @throws ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, INPUT_INVALID */
export function entryHashOf(salt: string, statement: AccessStatement): string {
  return saltedHashOf(salt, requireStatement(statement));
}

/** An entry in its place, as the chain of heads has it. */
export function linkOf(number: number, entryHash: string): string {
  return tagged("link", ["uint48", "bytes32"], [number, entryHash]);
}

/** Head of a trail after one more link. */
export function headAfter(previous: string, link: string): string {
  return tagged("head", ["bytes32", "bytes32"], [previous, link]);
}

/**
 * Commitment to where an entry stands. Who asked gets only this: trail and number would tell how often others asked, and
 * that there is more than one trail.
 * @param blind 32 random bytes that the gateway and the patient know
 */
export function placeOf(trail: string, number: number, previous: string, blind: string): string {
  return tagged("place", ["bytes32", "uint48", "bytes32", "bytes32"], [trail, number, previous, blind]);
}

/** A trail in the tree of one root. The blind is another one for each root: nobody sees from it whether a trail grew. */
export function trailLeafOf({ trail, count, head }: TrailState, blind: string): string {
  return tagged("leaf", ["bytes32", "uint48", "bytes32", "bytes32"], [trail, count, head, blind]);
}

/** A patient's record in the tree of one root: its two trails, in an order that does not tell which is which. */
export function recordLeafOf(one: string, other: string): string {
  const [low, high] = BigInt(one) < BigInt(other) ? [one, other] : [other, one];
  return tagged("record", ["bytes32", "bytes32"], [low, high]);
}

/** Blind of a trail under the root with this secret seed. */
export function leafBlindOf(seed: string, trail: string): string {
  return tagged("leaf blind", ["bytes32", "bytes32"], [seed, trail]);
}

/** Leaf that stands for nothing. */
export function paddingOf(seed: string, index: number): string {
  return tagged("padding", ["bytes32", "uint256"], [seed, index]);
}
