/**
 * What HL7's MedicationDispense examples do not say and the demo makes up: none of them carries a price, all name the same
 * performer, and none says what was billed.
 */

/** What the demo assigns to one dispense. */
export interface Assigned {
  pharmacy: PharmacyName;
  /** What the payer decided to pay, in US dollars. */
  price: string;
  /** Quantity billed, where it is not the quantity of the resource. */
  billed?: string;
}

export const pharmacyNames = ["Pharmacy A", "Pharmacy B", "Pharmacy C", "Pharmacy D"] as const;
export type PharmacyName = (typeof pharmacyNames)[number];

const at = (pharmacy: PharmacyName, price: string, billed?: string): Assigned => ({
  pharmacy,
  price,
  ...(billed === undefined ? {} : { billed }),
});

/** By `MedicationDispense.id`. Pharmacy C has only lines that stay open, Pharmacy D only lines that are met. */
export const assigned: Readonly<Record<string, Assigned>> = {
  // It states no quantity.
  meddisp008: at("Pharmacy B", "120.00", "30"),
  meddisp0301: at("Pharmacy A", "310.00"),
  meddisp0302: at("Pharmacy A", "48.00"),
  meddisp0303: at("Pharmacy A", "22.00"),
  meddisp0304: at("Pharmacy D", "95.00"),
  meddisp0305: at("Pharmacy A", "18.00"),
  meddisp0306: at("Pharmacy C", "1450.00"),
  meddisp0307: at("Pharmacy A", "64.00"),
  meddisp0308: at("Pharmacy A", "15.00"),
  meddisp0309: at("Pharmacy B", "12.00"),
  meddisp0310: at("Pharmacy A", "26.00"),
  meddisp0311: at("Pharmacy A", "27.00", "90"),
  meddisp0312: at("Pharmacy A", "9.00"),
  meddisp0313: at("Pharmacy A", "14.00"),
  meddisp0314: at("Pharmacy A", "8.50"),
  meddisp0315: at("Pharmacy A", "11.00"),
  meddisp0316: at("Pharmacy B", "76.00"),
  meddisp0317: at("Pharmacy B", "980.00"),
  meddisp0318: at("Pharmacy B", "13.00"),
  meddisp0319: at("Pharmacy B", "16.75"),
  meddisp0320: at("Pharmacy D", "210.00"),
  meddisp0321: at("Pharmacy B", "24.00"),
  meddisp0322: at("Pharmacy B", "52.00", "480"),
  meddisp0324: at("Pharmacy B", "33.00"),
  meddisp0325: at("Pharmacy C", "88.00"),
  meddisp0326: at("Pharmacy C", "19.25"),
  meddisp0327: at("Pharmacy D", "41.00"),
  meddisp0328: at("Pharmacy C", "37.00"),
  meddisp0329: at("Pharmacy B", "46.00", "60"),
  meddisp0330: at("Pharmacy B", "10.00"),
  meddisp0331: at("Pharmacy B", "7.50"),
};

/** The line that its pharmacy reverses before settlement: ready for pick-up, and nobody came. */
export const reversedDispense = "meddisp0331";

/** The line whose payment its pharmacy pays back after settlement. */
export const refundedDispense = "meddisp0327";
