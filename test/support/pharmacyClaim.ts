import type { PharmacyClaim } from "@carepact/sdk/claims";

/** A fill of 90.00, made up but for the form. */
export const pharmacyClaim: PharmacyClaim = {
  kind: "pharmacy",
  claimId: "A-1",
  currency: "USD",
  transactionResponseStatus: "P",
  pharmacyNpi: "2900000011",
  prescriptionReferenceNumber: "1",
  fillNumber: 0,
  dateOfService: "2030-01-15",
  productServiceId: "00000000000",
  quantityDispensed: "30",
  daysSupply: 30,
  ingredientCostPaid: "90.00",
  patientPayAmount: "0.00",
  totalAmountPaid: "90.00",
};
