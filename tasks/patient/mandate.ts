import { isHexString } from "ethers";

import type { CategoryCode, PurposeCode } from "@carepact/sdk/codes";
import { mandateFileOf } from "@carepact/sdk/consents";
import { createPatients, requireMinorRules, type MandateInput, type MinorRules } from "@carepact/sdk/patients";

import { signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { fileText, outputTo, PRIVATE, readJson } from "../support/files";
import { addressIn, listIn, needed, usage } from "../support/input";
import { endIn, startIn } from "../support/period";
import type { Site } from "../support/site";
import { mandateJson, mandateLines } from "../consent/words";

import { patientIn } from "./record";

interface Options extends ActorOptions {
  patient?: string;
  representative?: string;
  purposes?: string;
  categories?: string;
  from?: string;
  until?: string;
  custodian?: string;
  rules?: string;
  birthDate?: string;
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const { force } = options;
  const patient = patientIn(options);
  const representative = signerIn(needed(options, "representative"), "--representative");
  const purposes = listIn(needed(options, "purposes")) as PurposeCode[];
  const minor = await minorIn(options);
  if (minor === undefined) needed(options, "until");
  const output = await outputTo(needed(options, "out"), "--out", { force, mode: PRIVATE });
  const site = await signatorySiteOf(call, options);
  const signed = await createPatients(site.connection, { signer: site.key }).representativeMandate(
    patient,
    { representative, purposes, ...(await scopeIn(site, options)), ...(minor && { minor }) },
    site.options,
  );
  const { chainId, consentRegistry: registry } = site.deployment;
  await output.write(fileText(mandateFileOf(signed, { chainId, registry })));
  return {
    lines: [...mandateLines(signed.mandate), `The mandate is in ${output.path}, for the representative.`],
    json: { mandate: mandateJson(signed.mandate), out: output.path },
  };
}

/** An account, or another ERC-7913 signer. @throws INPUT_INVALID */
export function signerIn(value: string, option: string): string {
  if (isHexString(value) && value.length > 42) return value.toLowerCase();
  return addressIn(value, option).toLowerCase();
}

async function scopeIn(
  { now }: Site,
  { categories, from, until, custodian }: Options,
): Promise<Pick<MandateInput, "categories" | "from" | "end" | "custodian">> {
  return {
    ...(categories === undefined ? {} : { categories: listIn(categories) as CategoryCode[] }),
    ...(from === undefined ? {} : { from: await startIn(from, "--from", now) }),
    ...(until === undefined ? {} : { end: await endIn(until, "--until", now) }),
    ...(custodian === undefined ? {} : { custodian: addressIn(custodian, "--custodian") }),
  };
}

async function minorIn({ rules, birthDate }: Options): Promise<MandateInput["minor"]> {
  if (rules === undefined && birthDate === undefined) return undefined;
  if (rules === undefined) throw usage("--birth-date is of a minor: give --rules, too.", "--rules");
  if (birthDate === undefined) throw usage("--rules are about minors: give --birth-date, too.", "--birth-date");
  return { rules: requireMinorRules((await readJson(rules, "--rules")) as MinorRules), birthDate };
}
