import type { Attestation } from "../claims/attestation";
import type { PublicPart } from "../claims/file";
import { packGroup } from "../claims/types";
import { rulebooksInterface } from "../chain/interfaces";

/** Two attestations of one attester that contradict each other: of one line, final, observed at the same time. */
export interface Equivocation {
  /** ERC-7913 signer, as the rulebook names it. */
  attester: string;
  /** Index of the group in the batch. */
  group: number;
  /** Index of the line in its group. */
  line: number;
  first: Attestation;
  second: Attestation;
}

/** @internal The call that proves an equivocation. */
export function proofOf({ terms, groups }: PublicPart, { attester, group, line, first, second }: Equivocation): string {
  const signed = ({ signature, ...statement }: Attestation) => ({ ...statement, signatures: signature });
  return rulebooksInterface.encodeFunctionData("proveEquivocation", [
    attester,
    terms,
    groups.map(packGroup),
    group,
    line,
    signed(first),
    signed(second),
  ]);
}
