import type { Currency } from "../money";

import { readFields } from "./fields";
import { cityLayout, partyLayout, referenceLayout } from "./layout835";
import { kept837 } from "./layout837";
import { readAddressLines } from "./repeated835";
import { keep, type Segment } from "./segment";
import type { Building } from "./types";
import type { PartyDetail } from "./types837";

/** Somebody whom an NM1 names, while what follows it is read. */
export type PartyBuilding = Building<PartyDetail>;

/** @throws X12_ELEMENT_INVALID */
export const beginParty = (nm1: Segment, currency: Currency): PartyBuilding =>
  readFields(nm1, partyLayout, currency, { references: [], other: [] });

/** Takes a segment that follows an NM1; says whether it can. @throws X12_ELEMENT_INVALID */
export function takeInParty(segment: Segment, party: PartyBuilding, currency: Currency): boolean {
  switch (segment.id) {
    case "N3":
      if (party.address !== undefined) return false;
      party.address = { lines: readAddressLines(segment) };
      return true;
    case "N4":
      if (party.address !== undefined && Object.keys(party.address).length > 1) return false;
      party.address = readFields(segment, cityLayout, currency, party.address ?? { lines: [] });
      return true;
    case "REF":
      party.references.push(readFields(segment, referenceLayout, currency, {}));
      return true;
    default:
      return keep(segment, kept837.party, party.other);
  }
}
