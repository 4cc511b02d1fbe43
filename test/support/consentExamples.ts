/** How one of HL7's examples is read. */
export interface ConsentReading {
  /** What its narrative says that its untyped root does. */
  untypedRoot?: "permits" | "denies";
  /** Element that cannot be expressed. */
  refusedAt?: string;
}

/** HL7's twelve Consent examples, by name without `Consent-consent-example-`. */
export const consentExamples: Record<string, ConsentReading> = {
  Emergency: { untypedRoot: "permits" },
  Out: { untypedRoot: "denies" },
  basic: { untypedRoot: "permits" },
  grantor: { untypedRoot: "permits" },
  notAuthor: { untypedRoot: "denies" },
  notOrg: {},
  notThem: { untypedRoot: "denies" },
  notThis: { untypedRoot: "denies" },
  notTime: { untypedRoot: "denies" },
  pkb: { refusedAt: "Consent.provision.provision[0].type" },
  signature: { refusedAt: "Consent.provision.provision[0].class[0].system" },
  smartonfhir: {},
};
