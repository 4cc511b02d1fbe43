import { createPatients, type ContactSignature, type Recoveries } from "@carepact/sdk/patients";
import type { Authorization } from "@carepact/sdk/signers";

import { act, actingSiteOf, signatorySiteOf, type ActingSite, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { listIn, needed, oneOf } from "../support/input";
import { isoTime } from "../support/show";
import { siteOf, type Site } from "../support/site";

import { authorizationOutput, readAuthorization, writeAuthorization, type Purpose } from "./authorizations";
import { patientIn, recordIn } from "./record";
import { contactsIn, recoveryLines } from "./recovery";

interface Options extends ActorOptions {
  patient?: string;
  step?: string;
  contacts?: string;
  acceptance?: string;
  signatures?: string;
  out?: string;
}

type Step = (call: Call, options: Options, patient: string) => Promise<Ending>;

const steps: Record<string, Step> = {
  show,
  accept,
  approve: (call, options, patient) => sign(call, options, patient, "recovery-start"),
  start,
  veto,
  "approve-override": (call, options, patient) => sign(call, options, patient, "recovery-override"),
  override,
  execute,
};

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = patientIn(options);
  const step = oneOf(needed(options, "step"), Object.keys(steps), "--step");
  return (steps[step] as Step)(call, options, patient);
}

async function show(call: Call, _options: Options, patient: string): Promise<Ending> {
  const site = await siteOf(call);
  const patients = createPatients(site.connection);
  await recordIn(patients, patient, site);
  const recovery = await patients.recovery.get(patient, site.options);
  return {
    lines: recovery === undefined ? ["There was no recovery."] : recoveryLines(recovery),
    json: { patient, recovery },
  };
}

async function accept(call: Call, options: Options, patient: string): Promise<Ending> {
  const output = await authorizationOutput(options);
  const site = await signatorySiteOf(call, options);
  const signed = await createPatients(site.connection, { signer: site.key }).recovery.accept(patient, site.options);
  await writeAuthorization(output, site, "recovery", patient, signed);
  return {
    lines: [
      `${signed.signer} accepts the record; the acceptance is in ${output.path}, good until ${isoTime(signed.deadline)}.`,
    ],
    json: { patient, signer: signed.signer, deadline: isoTime(signed.deadline), out: output.path },
  };
}

/** A contact signs that a recovery is to begin, or that a veto is to be set aside. */
async function sign(
  call: Call,
  options: Options,
  patient: string,
  purpose: Extract<Purpose, "recovery-start" | "recovery-override">,
): Promise<Ending> {
  const contacts = await contactsIn(needed(options, "contacts"), "--contacts");
  const output = await authorizationOutput(options);
  if (purpose === "recovery-start") needed(options, "acceptance");
  const site = await signatorySiteOf(call, options);
  const { recovery } = createPatients(site.connection, { signer: site.key });
  const signed =
    purpose === "recovery-start"
      ? await recovery.approve(
          patient,
          { contacts, newController: (await acceptanceIn(site, options, patient)).signer },
          site.options,
        )
      : await recovery.approveOverride(patient, contacts, site.options);
  await writeAuthorization(output, site, purpose, patient, signed);
  return {
    lines: [`${site.key.signer} signs; the signature is in ${output.path}, good until ${isoTime(signed.deadline)}.`],
    json: { patient, contact: signed.contact, deadline: isoTime(signed.deadline), out: output.path },
  };
}

async function start(call: Call, options: Options, patient: string): Promise<Ending> {
  const contacts = await contactsIn(needed(options, "contacts"), "--contacts");
  needed(options, "acceptance");
  needed(options, "signatures");
  const site = await actingSiteOf(call, options);
  const acceptance = await acceptanceIn(site, options, patient);
  const signatures = await signaturesIn(site, options, patient, "recovery-start");
  const action = recoveriesOf(site).start(patient, { contacts, acceptance, signatures });
  return act(site, action, (begun) => beginning("started", begun));
}

async function override(call: Call, options: Options, patient: string): Promise<Ending> {
  const contacts = await contactsIn(needed(options, "contacts"), "--contacts");
  needed(options, "signatures");
  const site = await actingSiteOf(call, options);
  const signatures = await signaturesIn(site, options, patient, "recovery-override");
  const action = recoveriesOf(site).override(patient, { contacts, signatures });
  return act(site, action, (begun) => beginning("overridden", begun));
}

async function veto(call: Call, options: Options, patient: string): Promise<Ending> {
  const site = await actingSiteOf(call, options);
  return act(site, recoveriesOf(site).veto(patient), ({ number }) => ({
    lines: [`Recovery ${number} is vetoed: it goes on only if every contact signs against that.`],
    json: { patient, number, phase: "vetoed" },
  }));
}

async function execute(call: Call, options: Options, patient: string): Promise<Ending> {
  const site = await actingSiteOf(call, options);
  return act(site, recoveriesOf(site).execute(patient), ({ number, controllerVersion, epoch }) => ({
    lines: [
      `Recovery ${number} is carried out: the record has key number ${controllerVersion}.`,
      `All grants and mandates ended; new ones are for epoch ${epoch}.`,
    ],
    json: { patient, number, phase: "executed", controllerVersion, epoch },
  }));
}

const recoveriesOf = (site: ActingSite): Recoveries => createPatients(site.connection, site.acts).recovery;

const beginning = (
  word: "started" | "overridden",
  { patient, number, readyAt }: { patient: string; number: number; readyAt: number },
): Ending => ({
  lines: [
    word === "started"
      ? `Recovery ${number} is started; the present key can veto it.`
      : `The veto of recovery ${number} is set aside; the delay begins once more.`,
    `It can be carried out from ${isoTime(readyAt)} on.`,
  ],
  json: { patient, number, phase: word === "started" ? "waiting" : word, readyAt: isoTime(readyAt) },
});

const acceptanceIn = (site: Site, options: Options, patient: string): Promise<Authorization> =>
  readAuthorization(needed(options, "acceptance"), "--acceptance", site, "recovery", patient);

const signaturesIn = (site: Site, options: Options, patient: string, purpose: Purpose): Promise<ContactSignature[]> =>
  Promise.all(
    listIn(needed(options, "signatures")).map((path) =>
      readAuthorization<ContactSignature>(path, "--signatures", site, purpose, patient),
    ),
  );
