import {
  createPatients,
  proofingOf,
  signProofing,
  type ProofingLevel,
  type SignedProofing,
} from "@carepact/sdk/patients";

import { act, actingSiteOf, signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { fileText, outputTo, PRIVATE, readJson } from "../support/files";
import { needed, oneOf, usage } from "../support/input";
import { endIn, startIn } from "../support/period";
import { isoTime, list } from "../support/show";
import { siteOf } from "../support/site";

import { patientIn, recordIn } from "./record";

interface Options extends ActorOptions {
  patient?: string;
  step?: string;
  level?: string;
  proofedAt?: string;
  until?: string;
  out?: string;
  file?: string;
}

const levels: readonly ProofingLevel[] = ["IAL1", "IAL2", "IAL3"];

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = patientIn(options);
  const step = oneOf(needed(options, "step"), ["sign", "set", "check", "clear"] as const, "--step");
  if (step === "sign") return sign(call, options, patient);
  if (step === "check") return check(call, options, patient);
  const wanted = step === "clear" ? undefined : proofingOf(await documentIn(options));
  const site = await actingSiteOf(call, options);
  const patients = createPatients(site.connection, site.acts);
  const { proofing } = await recordIn(patients, patient, site);
  if (proofing === wanted)
    return { lines: ["The record says so already."], json: { changed: false, patient, proofing } };
  return act(site, patients.setProofing(patient, wanted), ({ proofingVersion: version }) => ({
    lines: [
      wanted === undefined
        ? "The record commits to no proofing any more."
        : "The record commits to the document: show it to whom you trust, and nobody else can read it from the chain.",
    ],
    json: { changed: true, patient, proofing: wanted, version },
  }));
}

async function documentIn(options: Options): Promise<SignedProofing> {
  const value = await readJson(needed(options, "file"), "--file");
  if (typeof value !== "object" || value === null) throw usage("--file: this is no proofing document.", "--file");
  return value as SignedProofing;
}

const levelIn = ({ level }: Options): ProofingLevel => oneOf(level ?? "IAL1", levels, "--level");

async function sign(call: Call, options: Options, patient: string): Promise<Ending> {
  const level = levelIn(options);
  const until = needed(options, "until");
  const output = await outputTo(needed(options, "out"), "--out", { mode: PRIVATE });
  const site = await signatorySiteOf(call, options);
  const { chainId, consentRegistry: registry } = site.deployment;
  const signed = await signProofing(
    site.key,
    {
      patient,
      level,
      proofedAt:
        options.proofedAt === undefined ? await site.now() : await startIn(options.proofedAt, "--proofed-at", site.now),
      until: await endIn(until, "--until", site.now),
    },
    { chainId, registry },
  );
  await output.write(fileText(signed));
  return {
    lines: [
      `${signed.by} vouches for ${level} until ${isoTime(signed.until)}: ${output.path} is for the patient alone.`,
    ],
    json: {
      patient,
      by: signed.by,
      level,
      until: isoTime(signed.until),
      proofing: proofingOf(signed),
      out: output.path,
    },
  };
}

async function check(call: Call, options: Options, patient: string): Promise<Ending> {
  const level = levelIn(options);
  const document = await documentIn(options);
  const site = await siteOf(call);
  const checked = await createPatients(site.connection).checkProofing(patient, document, { ...site.options, level });
  if (!checked.ok)
    return {
      lines: [`NOT OK: ${checked.advice} (${checked.reason})`],
      json: { patient, reason: checked.reason, advice: checked.advice },
      exitCode: exitCodes.notOk,
    };
  const { by, proofedAt, until, level: found } = checked.proofing;
  const shown = { level: found, by, "proofed at": isoTime(proofedAt), until: isoTime(until) };
  return {
    lines: [...list(shown), "OK: the record commits to this, and the organization is in good standing."],
    json: { patient, level: found, by, proofedAt: isoTime(proofedAt), until: isoTime(until) },
  };
}
