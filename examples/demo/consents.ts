import type { DiagnosticReport } from "fhir/r4";

import { run } from "@carepact/sdk";
import { audit, openHistory, type AccessEntry } from "@carepact/sdk/access";
import { createConsents } from "@carepact/sdk/consents";
import { generateSealingKeys } from "@carepact/sdk/encryption";

import { hl7 } from "./hl7";
import { growUp } from "./majority";
import { showGas } from "./money";
import { attemptOf, openRecords, personWithPasskey, type Records } from "./records";
import { ensure, type World } from "./world";

/** What the demo shows of consent; each is true, or the demo fails. */
export interface ConsentOutcome {
  /** A passkey granted a week's access: one signature, no transaction. */
  granted: boolean;
  /** The specialist read, and the patient saw it. */
  read: boolean;
  /** The patient took the grant back. */
  revoked: boolean;
  /** The next attempt was refused, and the patient saw that too. */
  refusedAfter: boolean;
  /** A parent's mandate ended by itself, and the young adult took the record over. */
  majority: boolean;
}

const SCENE = "consent";
const WEEK = 7 * 24 * 60 * 60;

/** A patient with a passkey lets a specialist see its results for a week, sees who looked, and takes it back. */
export async function showConsent(world: World): Promise<ConsentOutcome> {
  const { screen, passerBy } = world;
  screen.title("A patient's consent, and who looked");
  const records = await openRecords(world);
  const { specialist, gateway } = records;
  const { signer, patients } = await personWithPasskey(world, "A patient of the demo");
  const keys = await generateSealingKeys();
  const { patient } = await world.spend(SCENE, "register", run(patients.register({ hpkeKey: keys.publicKey })));
  screen.say(
    `The patient's phone makes a passkey and signs: its record is ${patient.slice(0, 10)}… It has no wallet, no account and ` +
      `no ether. ${passerBy.name} brings the message, and pays.`,
  );

  const consents = createConsents(passerBy.connection, { signer });
  const grant = await consents.grant({
    patient,
    grantee: specialist.account,
    purposes: ["TREAT"],
    categories: ["DiagnosticReport", "Observation"],
    expiry: (await world.now()) + WEEK,
  });
  screen.say("It lets the specialist see results for a week, for treatment: one signature. Nothing of it is on chain.");

  const attempt = attemptOf(records, patient, grant);
  const first = await gateway.attempt(attempt);
  ensure(first.allowed, "the specialist may read");
  const report = hl7<DiagnosticReport>("DiagnosticReport-example-pgx");
  screen.say(
    `The specialist asks. The gateway asks the chain, notes the access, signs a receipt, and only then gives out ` +
      `DiagnosticReport ${report.id} (${report.code.text}).`,
  );
  await world.spend(SCENE, "anchor", run(gateway.anchor()));
  const seen = await historyOf(world, records, patient, keys.privateKey, [first.receipt]);
  ensure(seen.length === 1 && seen[0]?.outcome.result === "allowed", "the patient sees one access");
  screen.say("The patient opens its history, and holds it against the receipt and the root on chain: one access.");

  await world.spend(SCENE, "revoke", run(consents.revoke(grant)));
  const second = await gateway.attempt(attempt);
  ensure(!second.allowed && second.reason === "Revoked", "the specialist is refused after the revocation");
  screen.say(`The patient revokes. The specialist tries once more, and is told: ${second.advice}`);
  await run(gateway.anchor());
  const all = await historyOf(world, records, patient, keys.privateKey, [first.receipt, second.receipt]);
  ensure(all.length === 2 && all[1]?.outcome.result === "refused", "the patient sees the refused attempt");
  showEntries(world, all);

  const takenOver = await growUp(world, records);
  await world.spend(SCENE, "takeOver", Promise.resolve(takenOver));
  showGas(world, SCENE, {});
  return { granted: true, read: true, revoked: true, refusedAfter: true, majority: true };
}

/** What the gateway shows the patient, opened with its key and held against the chain and the receipts. */
async function historyOf(
  { passerBy }: World,
  { gateway }: Records,
  patient: string,
  privateKey: string,
  receipts: readonly object[],
): Promise<AccessEntry[]> {
  const history = await openHistory(await gateway.history(patient, { view: "patient" }), privateKey);
  const { findings, entries } = await audit(passerBy.connection, history, { patient, receipts });
  ensure(findings.length === 0, `the history contradicts nothing (${findings.map(({ kind }) => kind).join(", ")})`);
  return entries;
}

function showEntries({ screen }: World, entries: readonly AccessEntry[]): void {
  screen.table(
    ["entry", "what", "what for", "by what right", "came of it"],
    entries.map(({ number, action, resourceTypes, purposes, basis, outcome }) => [
      String(number),
      `${action} ${resourceTypes.join(", ")}`,
      purposes.join(", "),
      basis.kind === "grant" ? `grant ${basis.grant.slice(0, 10)}…` : basis.kind,
      outcome.result === "refused" ? `refused: ${outcome.reason}` : outcome.result,
    ]),
    { right: [0] },
  );
}
