import type { CategoryCode, ConfidentialityCode, PurposeCode } from "@carepact/sdk/codes";
import { createConsents, type Granted, type Refused } from "@carepact/sdk/consents";

import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { readText } from "../support/files";
import { addressIn, bytes32In, listIn, needed, usage } from "../support/input";
import { mandateOf, requireDeployment } from "../support/mandate";
import { siteOf } from "../support/site";

import { grantOf, kindOf, restrictionsIn, type GrantOptions } from "./documents";

interface Options extends GrantOptions {
  patient?: string;
  organization?: string;
  purposes?: string;
  categories?: string;
  confidentiality?: string;
  restrictions?: string;
  breakGlass: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const codes = {
    purposes: listIn(needed(options, "purposes")) as PurposeCode[],
    categories: listIn(needed(options, "categories")) as CategoryCode[],
  };
  if (options.breakGlass) return checkEmergency(call, options, codes);
  const text = await readText(needed(options, "file"), "--file");
  if (kindOf(text, "--file") === "mandate") return checkMandate(call, text, options, codes);
  const request = { ...codes, ...requestIn(options) };
  const grant = await grantOf(call, text, options);
  const restrictions = await restrictionsIn(call, options);
  const { connection, options: within } = await siteOf(call);
  return ended(await createConsents(connection).check({ ...request, grant, restrictions }, within));
}

type Codes = { purposes: PurposeCode[]; categories: CategoryCode[] };

/** What is asked besides codes. Whose record and who asks are never taken from the grant. */
const requestIn = (
  options: Options,
): { patient: string; organization: string; confidentiality: ConfidentialityCode } => ({
  patient: bytes32In(needed(options, "patient"), "--patient"),
  organization: addressIn(needed(options, "organization"), "--organization"),
  confidentiality: needed(options, "confidentiality") as ConfidentialityCode,
});

async function checkEmergency(call: Call, options: Options, codes: Codes): Promise<Ending> {
  if (options.file !== undefined) throw usage("An emergency needs no grant: leave --file out.", "--file");
  const request = { ...codes, ...requestIn(options), restrictions: await restrictionsIn(call, options) };
  const { connection, options: within } = await siteOf(call);
  return ended(await createConsents(connection).checkBreakGlass(request, within), "breakGlass");
}

async function checkMandate(call: Call, text: string, options: Options, codes: Codes): Promise<Ending> {
  const second = (["patient", "organization", "confidentiality", "restrictions"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (second !== undefined)
    throw usage(`A mandate is asked for purposes and categories alone: leave --${second} out.`, `--${second}`);
  const { chainId, registry, ...mandate } = mandateOf(text, "--file");
  const { connection, deployment, options: within } = await siteOf(call);
  requireDeployment({ chainId, registry }, deployment);
  return ended(await createConsents(connection).checkRepresentation({ mandate, ...codes }, within), "mandate");
}

function ended(answer: Granted | { permitted: true } | Refused, by = "grant"): Ending {
  if (!answer.permitted)
    return {
      lines: [`NOT PERMITTED: ${answer.advice} (${answer.reason})`],
      json: { by, ...answer },
      exitCode: exitCodes.notOk,
    };
  const needsReading = "instrument" in answer;
  return {
    lines: [
      "PERMITTED, as of the latest block.",
      ...(needsReading
        ? ["The grant names a FHIR Consent that may say less: read it before anything is released."]
        : []),
    ],
    json: { by, ...answer },
  };
}
