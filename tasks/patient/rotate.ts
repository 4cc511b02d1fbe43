import { createPatients } from "@carepact/sdk/patients";
import type { Authorization, PatientSigner } from "@carepact/sdk/signers";

import { act, actingSiteOf, namedKey, signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { needed, oneOf, usage } from "../support/input";
import { isoTime } from "../support/show";
import type { Site } from "../support/site";

import { authorizationOutput, readAuthorization, writeAuthorization } from "./authorizations";
import { patientIn } from "./record";

interface Options extends ActorOptions {
  patient?: string;
  step?: string;
  out?: string;
  acceptance?: string;
  to?: string;
  toKeystore?: string;
  grants?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = patientIn(options);
  if (oneOf(options.step ?? "rotate", ["accept", "rotate"], "--step") === "accept")
    return accept(call, options, patient);
  const endEpoch = oneOf(needed(options, "grants"), ["keep", "end"], "--grants") === "end";
  const site = await actingSiteOf(call, options);
  const to = await newKeyIn(site, options, patient);
  return act(
    site,
    createPatients(site.connection, site.acts).rotate(patient, { to, endEpoch }),
    ({ controllerVersion, epoch }) => ({
      lines: [
        `Patient ${patient} is controlled by key number ${controllerVersion}.`,
        endEpoch
          ? `All grants and mandates ended; new ones are for epoch ${epoch}.`
          : "Of the grants that the former key signed, those that were anchored before still count.",
      ],
      json: { patient, controllerVersion, epoch, ended: endEpoch },
    }),
  );
}

async function accept(call: Call, options: Options, patient: string): Promise<Ending> {
  const output = await authorizationOutput(options);
  const site = await signatorySiteOf(call, options);
  const signed = await createPatients(site.connection, { signer: site.key }).acceptControl(patient, site.options);
  await writeAuthorization(output, site, "rotation", patient, signed);
  return {
    lines: [
      `${site.key.signer} accepts the record; the acceptance is in ${output.path}, good until ${isoTime(signed.deadline)}.`,
    ],
    json: { patient, signer: signed.signer, deadline: isoTime(signed.deadline), out: output.path },
  };
}

async function newKeyIn(site: Site, options: Options, patient: string): Promise<PatientSigner | Authorization> {
  const { acceptance, to, toKeystore } = options;
  if ([acceptance, to, toKeystore].filter((value) => value !== undefined).length !== 1)
    throw usage("Give --acceptance, --to-keystore or --to, one of them.", "--acceptance");
  if (acceptance !== undefined) return readAuthorization(acceptance, "--acceptance", site, "rotation", patient);
  const key = await namedKey(site, options, { account: "to", keystore: "toKeystore" });
  return key as PatientSigner;
}
