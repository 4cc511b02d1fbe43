import { AbiCoder, ParamType, keccak256, toBeHex } from "ethers";

import type { Rulebooks } from "../../../typechain-types";
import type { RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import { rulebookOf } from "../../support/system";

/** Addresses of `count` attesters, ascending. */
export const attestersOf = (count: number): string[] => Array.from({ length: count }, (_, i) => toBeHex(i + 1, 20));

/** A rulebook of 2 of 3, with these changes. */
export const rulebookWith = (changes: Partial<RulebookStruct>): RulebookStruct =>
  rulebookOf(attestersOf(3), 2, changes);

/** abi.encode(rulebook), computed without the contract. */
export function encode(rulebooks: Rulebooks, rulebook: RulebookStruct): string {
  const [type] = rulebooks.interface.getFunction("publish").inputs;
  return AbiCoder.defaultAbiCoder().encode([ParamType.from(type)], [rulebook]);
}

/** keccak256(abi.encode(rulebook)), computed without the contract. */
export const idOf = (rulebooks: Rulebooks, rulebook: RulebookStruct): string => keccak256(encode(rulebooks, rulebook));

/** Publishes a rulebook and returns where its data lies. */
export async function blobOf(rulebooks: Rulebooks, rulebook: RulebookStruct): Promise<string> {
  await rulebooks.publish(rulebook);
  const [event] = await rulebooks.queryFilter(rulebooks.filters.RulebookPublished(idOf(rulebooks, rulebook)));
  return event!.args.blob;
}
