import { createConsents } from "@carepact/sdk/consents";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo, readText } from "../support/files";
import { addressIn, needed, usage } from "../support/input";
import { siteOf } from "../support/site";

import { grantOf, kindOf, restrictionsOf } from "./documents";

interface Options {
  file?: string;
  organization?: string;
  out?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const text = await readText(needed(options, "file"), "--file");
  const output = await outputTo(needed(options, "out"), "--out");
  const sealed = await sealedOf(call, text, options);
  await output.write(fileText(sealed));
  const { organization } = sealed;
  return {
    lines: [`${output.path} is for ${organization}: nobody else can open it.`],
    json: { organization, out: output.path },
  };
}

async function sealedOf(call: Call, text: string, options: Options): Promise<{ organization: string }> {
  if (kindOf(text, "--file") === "restrictions") {
    const organization = addressIn(needed(options, "organization"), "--organization");
    const restrictions = await restrictionsOf(call, text, {});
    const { connection, options: within } = await siteOf(call);
    return createConsents(connection).sealRestrictions(restrictions, organization, within);
  }
  if (options.organization !== undefined)
    throw usage("A grant is sealed to its grantee: leave --organization out.", "--organization");
  const grant = await grantOf(call, text, {});
  const { connection, options: within } = await siteOf(call);
  return createConsents(connection).seal(grant, within);
}
