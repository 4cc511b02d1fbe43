import { layout } from "./fields";
import type { Line837 } from "./types837";

/** What is read of 837s, by GS08. */
export const kinds837 = {
  "005010X222A1": "professional",
  "005010X222A2": "professional",
  "005010X223A2": "institutional",
  "005010X223A3": "institutional",
  "005010X224A2": "oral",
  "005010X224A3": "oral",
} as const;

/** What BHT says. */
export interface Beginning837 {
  structure: string;
  purpose: string;
  reference: string;
  date: string;
  time: string;
  type: string;
}

/** BHT. */
export const beginningLayout = layout<Beginning837>(6, [
  [1, "structure", 4, "required"],
  [2, "purpose", 2, "required"],
  [3, "reference", 50, "required"],
  [4, "date", "date", "required"],
  [5, "time", 8, "required"],
  [6, "type", 2, "required"],
]);

/** Where a service segment has what: by kind of claim. Elements beyond are kept with the segment. */
export const services837 = {
  professional: {
    id: "SV1",
    procedure: 1,
    charge: 2,
    quantity: 4,
    pointers: 7,
    fields: layout<Line837>(21, [
      [2, "charge", "amount", "required"],
      [3, "unit", 2],
      [4, "quantity", "decimal"],
    ]),
  },
  institutional: {
    id: "SV2",
    procedure: 2,
    charge: 3,
    quantity: 5,
    pointers: undefined,
    fields: layout<Line837>(10, [
      [1, "revenueCode", 48, "required"],
      [3, "charge", "amount", "required"],
      [4, "unit", 2],
      [5, "quantity", "decimal"],
    ]),
  },
  oral: {
    id: "SV3",
    procedure: 1,
    charge: 2,
    quantity: 6,
    pointers: 11,
    fields: layout<Line837>(11, [
      [2, "charge", "amount", "required"],
      [6, "quantity", "decimal"],
    ]),
  },
} as const;

/** Parties of each place, by NM101. */
export const roles837 = {
  head: ["41", "40"],
  "20": ["85", "87", "PE"],
  "22": ["IL", "PR"],
  "23": ["QC"],
} as const;

/** Segments that are kept as they stand, by where. */
export const kept837 = {
  party: ["DMG", "PER", "PRV"],
  "20": ["PRV", "CUR"],
  "22": ["SBR", "PAT"],
  "23": ["PAT"],
  claim: [
    ...["CL1", "DN1", "DN2", "PWK", "CN1", "K3", "NTE", "CR1", "CR2", "CR3", "CR5", "CR6", "CRC", "QTY", "HCP"],
    ...["NM1", "PRV", "N3", "N4", "PER", "SBR", "CAS", "OI", "MIA", "MOA", "DMG", "DTP", "AMT", "REF"],
  ],
  line: [
    ...["SV4", "SV5", "TOO", "PWK", "CR1", "CR3", "CR5", "CRC", "QTY", "MEA", "CN1", "K3", "NTE", "PS1", "HCP", "HSD"],
    ...["NM1", "PRV", "N3", "N4", "PER", "SVD", "CAS", "LQ", "FRM", "DTP", "AMT", "REF"],
  ],
} as const;
