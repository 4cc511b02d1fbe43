import { createPatients, type MergeInput } from "@carepact/sdk/patients";

import { act, actingSiteOf, signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { bytes32In, needed, oneOf } from "../support/input";
import { isoTime } from "../support/show";
import type { Site } from "../support/site";

import { authorizationOutput, readAuthorization, writeAuthorization } from "./authorizations";
import { requireFinal } from "./deactivate";

interface Options extends ActorOptions {
  from?: string;
  into?: string;
  step?: string;
  out?: string;
  fromAgreement?: string;
  intoAgreement?: string;
  final: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const pair = {
    from: bytes32In(needed(options, "from"), "--from"),
    into: bytes32In(needed(options, "into"), "--into"),
  };
  if (oneOf(options.step ?? "merge", ["agree", "merge"], "--step") === "agree") return agree(call, options, pair);
  requireFinal(options);
  const site = await actingSiteOf(call, options);
  const input = { ...pair, ...(await agreementsIn(site, options, pair.from)) };
  return act(site, createPatients(site.connection, site.acts).merge(input), () => ({
    lines: [`Record ${pair.from} is merged into ${pair.into}, for good: grants for it do not count any more.`],
    json: pair,
  }));
}

async function agree(call: Call, options: Options, pair: { from: string; into: string }): Promise<Ending> {
  const output = await authorizationOutput(options);
  const site = await signatorySiteOf(call, options);
  const signed = await createPatients(site.connection, { signer: site.key }).agreeToMerge(pair, site.options);
  await writeAuthorization(output, site, "merge", pair.from, signed);
  return {
    lines: [`${signed.signer} agrees; the agreement is in ${output.path}, good until ${isoTime(signed.deadline)}.`],
    json: { ...pair, signer: signed.signer, deadline: isoTime(signed.deadline), out: output.path },
  };
}

/** What each side signed on a machine of its own. */
async function agreementsIn(
  site: Site,
  { fromAgreement, intoAgreement }: Options,
  patient: string,
): Promise<Pick<MergeInput, "ofFrom" | "ofInto">> {
  const read = (path: string, option: string) => readAuthorization(path, option, site, "merge", patient);
  return {
    ...(fromAgreement === undefined ? {} : { ofFrom: await read(fromAgreement, "--from-agreement") }),
    ...(intoAgreement === undefined ? {} : { ofInto: await read(intoAgreement, "--into-agreement") }),
  };
}
