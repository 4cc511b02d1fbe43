import { consentPermission, createGateway, memoryStore, type Attempt, type Gateway } from "@carepact/sdk/access";
import type { SignedGrant } from "@carepact/sdk/consents";
import { createPatients, type Patients } from "@carepact/sdk/patients";
import { createPasskey, passkeySigner, type PatientSigner } from "@carepact/sdk/signers";

import { deviceWithPasskey } from "./authenticator";
import type { Party, World } from "./world";

/** Who holds records, who stands before them, and who wants to see them. */
export interface Records {
  /** The gateway's log: it asks the chain, notes, and answers. */
  gateway: Gateway;
  /** A clinic that asks. It sends nothing. */
  specialist: Party;
  /** An institution that holds the records of minors. */
  hospital: Party;
}

/** Registers gateway, specialist and hospital. */
export async function openRecords({ screen, join }: World): Promise<Records> {
  const { connection } = await join("Gateway", "gateway", true);
  const specialist = await join("Specialist", "clinic", false);
  const hospital = await join("Hospital", "clinic", false);
  screen.say("A gateway stands before the records of a hospital. A specialist of another house wants to see some.");
  const gateway = createGateway(connection, { store: memoryStore(), permission: consentPermission(connection) });
  return { gateway, specialist, hospital };
}

/** Somebody with a passkey, and with no account on the chain. */
export interface Person {
  signer: PatientSigner;
  patients: Patients;
}

/** A person whose device makes a passkey. The passer-by brings what it signs, and pays. */
export async function personWithPasskey({ deployment, passerBy }: World, user: string): Promise<Person> {
  const credentials = deviceWithPasskey();
  const passkey = await createPasskey({ application: "Demo", user, credentials });
  const signer = passkeySigner(passkey, { verifier: deployment.webAuthnVerifier, credentials });
  return { signer, patients: createPatients(passerBy.connection, { signer }) };
}

/** The specialist wants to read results for treatment. */
export const attemptOf = ({ specialist }: Records, patient: string, grant: SignedGrant): Attempt => ({
  patient,
  who: specialist.account,
  action: "read",
  resourceTypes: ["DiagnosticReport"],
  confidentiality: "N",
  purposes: ["TREAT"],
  basis: { kind: "grant", grant },
});
