import { Wallet } from "ethers";

import { isCarepactError, run, type Mined } from "@carepact/sdk";
import { createConsents, type Consents, type SignedGrant } from "@carepact/sdk/consents";
import { generateSealingKeys, randomSalt, systemRandom } from "@carepact/sdk/encryption";
import { createPatients, custodianSaltOf, minorScope, type MinorRules } from "@carepact/sdk/patients";
import { accountSigner, webCryptoSigner } from "@carepact/sdk/signers";

import { PAGE } from "./authenticator";
import { attemptOf, personWithPasskey, type Records } from "./records";
import { ensure, type World } from "./world";

const DAY = 24 * 60 * 60;
const YEARS = 18;

/** Made up by the demo: which rules hold is for lawyers to say, and for a custodian to configure. */
const rules: MinorRules = {
  jurisdiction: "a country of the demo",
  majorityAge: YEARS,
  ownConsent: [{ age: 16, categories: ["SEX"] }],
  timeZone: "UTC",
};

/** The day of birth of who comes of age about a month after `now`. */
function birthDateOf(now: number): string {
  const birthday = new Date((now + 30 * DAY) * 1000);
  // There is no 29 February in most years.
  const day = Math.min(birthday.getUTCDate(), 28);
  return new Date(Date.UTC(birthday.getUTCFullYear() - YEARS, birthday.getUTCMonth(), day)).toISOString().slice(0, 10);
}

/**
 * A parent grants in a child's name, cannot touch what is the child's own, and its mandate ends by itself on the birthday.
 * The hospital, which holds the record, gives it to the young adult's own passkey. Nobody asks the parent.
 * @returns The transaction by which the record changed hands.
 */
export async function growUp(world: World, records: Records): Promise<Mined> {
  const { screen, deployment, runner, passerBy, now } = world;
  const { hospital, specialist, gateway } = records;
  const birthDate = birthDateOf(await now());
  const majority = minorScope(rules, birthDate, await now())?.until ?? 0;

  // A key for this one record, of the kind that everybody has: on chain it looks like a patient's passkey.
  const custodian = await webCryptoSigner(
    await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]),
    { verifier: deployment.webAuthnVerifier, origin: PAGE },
  );
  const parent = await accountSigner(Wallet.createRandom());
  const patients = createPatients(passerBy.connection, { signer: custodian });
  const { publicKey: hpkeKey } = await generateSealingKeys();
  const salt = custodianSaltOf(hospital.account, randomSalt(systemRandom));
  const { patient } = await run(patients.register({ hpkeKey, salt }));
  const mandate = await patients.representativeMandate(patient, {
    representative: parent.signer,
    custodian: hospital.account,
    purposes: ["TREAT"],
    minor: { rules, birthDate },
  });
  screen.say(
    `The hospital holds the record of a minor. A parent has a mandate, signed and off chain, until ${isoDay(majority)}: for ` +
      "all but what the minor, by the rules of the demo, consents to alone.",
  );

  const asParent = createConsents({ runner, deployment }, { signer: parent });
  const wish = { patient, grantee: specialist.account, purposes: ["TREAT"], mandate } as const;
  const expiry = majority + 30 * DAY;
  const grant = await asParent.grant({ ...wish, categories: ["DiagnosticReport"], expiry });
  ensure((await gateway.attempt(attemptOf(records, patient, grant))).allowed, "what the parent granted counts");
  const reason = await refusalOf(asParent, { ...wish, categories: ["DiagnosticReport", "SEX"], expiry });
  ensure(reason === "MandateTooNarrow", "the parent cannot grant what is the minor's own");
  screen.say("The parent lets the specialist see results, and is refused where labels of sexual health are concerned.");

  await world.advanceTo(majority);
  const late = await gateway.attempt(attemptOf(records, patient, grant));
  ensure(!late.allowed && late.reason === "MandateExpired", "the mandate ended on the birthday");
  screen.say(`The birthday comes. The specialist asks once more, and is told: ${late.advice}`);

  const adult = await personWithPasskey(world, "A young adult of the demo");
  const takenOver = await run(patients.rotate(patient, { to: adult.signer, endEpoch: true }));
  const own: SignedGrant = await createConsents({ runner, deployment }, { signer: adult.signer }).grant({
    patient,
    grantee: specialist.account,
    purposes: ["TREAT"],
    categories: ["DiagnosticReport", "SEX"],
    expiry,
  });
  ensure((await gateway.attempt(attemptOf(records, patient, own))).allowed, "the young adult's own grant counts");
  const old = await gateway.attempt(attemptOf(records, patient, grant));
  ensure(!old.allowed && old.reason === "MandateEnded", "nothing that the parent granted comes back");
  screen.say(
    "The hospital gives the record to the young adult's own passkey, and ends all that was granted before. The parent is not " +
      "asked. The young adult grants alone, and the parent's grant stays refused.",
  );
  return takenOver;
}

const isoDay = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Why a grant is refused before it is signed. */
async function refusalOf(consents: Consents, input: Parameters<Consents["grant"]>[0]): Promise<unknown> {
  try {
    await consents.grant(input);
  } catch (thrown) {
    if (isCarepactError(thrown, "GRANT_WOULD_BE_REFUSED")) return thrown.details.reason;
    throw thrown;
  }
  return "nothing";
}
