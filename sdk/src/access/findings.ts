import type { Compartment } from "./trail";

/** Where in a history a finding is. */
export interface FindingPlace {
  compartment?: Compartment | undefined;
  /** Number of the entry, or the first of several. */
  number?: number | undefined;
  /** Number of the root. */
  sequence?: number | undefined;
  /** Entry hash. */
  entryHash?: string | undefined;
}

/** What can be wrong with a history. Each says what is proved by it. */
export const findingKinds = {
  gap: "A number is missing in a trail.",
  fork: "Two different things stand at one place, or one at two: by two numbers, receipts or histories.",
  removed: "The gateway signed for an entry, and it is not in the history.",
  reordered: "Entries do not stand in the order of their numbers, or their times run backwards.",
  backDated: "An entry claims a time at which, by a root anchored later than it allows, it was not there.",
  notAnchored: "No root was anchored in time that covers the entry, or the proof names a root that there is not.",
  foreignRoot: "The proof leads to a root that another gateway anchored.",
  altered: "What is shown is not what the gateway anchored under this root: an entry, or a salt, was changed.",
  wrongSignature: "Something was not signed by whom it should be.",
  outdated: "The history leaves out roots that were anchored before it was made, or is too old.",
  unreviewed: "An access in an emergency was not reviewed in time by somebody else.",
} as const;

export type FindingKind = keyof typeof findingKinds;

/** Something wrong with a history. */
export interface Finding extends FindingPlace {
  kind: FindingKind;
  /** In plain words. */
  message: string;
}
