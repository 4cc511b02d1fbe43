import { hexlify, randomBytes } from "ethers";

import { isCarepactError } from "@carepact/sdk";
import { createPatients, custodianSaltOf } from "@carepact/sdk/patients";

import { act, actingSiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, type Output } from "../support/files";
import { addressIn, bytes32In, needed, usage } from "../support/input";

interface Options extends ActorOptions {
  hpkeKey?: string;
  salt?: string;
  custodian?: string;
  out?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const hpkeKey = bytes32In(needed(options, "hpkeKey"), "--hpke-key");
  const custody = await custodyIn(options);
  const salt = options.salt === undefined ? custody?.salt : bytes32In(options.salt, "--salt");
  const site = await actingSiteOf(call, options);
  const patients = createPatients(site.connection, site.acts);
  try {
    const action = patients.register({ hpkeKey, ...(salt === undefined ? {} : { salt }) });
    return await act(
      site,
      action,
      ({ patient, salt: used }) => ({
        lines: [
          `Registered patient ${patient}.`,
          ...(custody === undefined ? [] : [`${custody.output.path} shows who its custodian is: keep it.`]),
        ],
        json: { changed: true, patient, salt: used, ...(custody && { custodian: custody.custodian }) },
      }),
      // What is lost cannot be made again once the record is there.
      custody && { output: custody.output, value: custody.document },
    );
  } catch (thrown) {
    if (options.salt === undefined || !isCarepactError(thrown, "PATIENT_ALREADY_REGISTERED")) throw thrown;
    const patient = thrown.details["patient"] as string;
    return { lines: [`Patient ${patient} was registered before.`], json: { changed: false, patient, salt } };
  }
}

interface Custody {
  custodian: string;
  salt: string;
  output: Output;
  document: { carepact: "custody"; version: 1; custodian: string; secret: string };
}

async function custodyIn({ custodian: given, salt, out }: Options): Promise<Custody | undefined> {
  if (given === undefined) {
    if (out !== undefined) throw usage("--out is for what shows who the custodian is: say --custodian.", "--out");
    return undefined;
  }
  if (salt !== undefined) throw usage("--custodian makes the salt: leave --salt out.", "--salt");
  const custodian = addressIn(given, "--custodian");
  const output = await outputTo(needed({ out }, "out"), "--out", { mode: PRIVATE });
  const secret = hexlify(randomBytes(32));
  return {
    custodian,
    salt: custodianSaltOf(custodian, secret),
    output,
    document: { carepact: "custody", version: 1, custodian, secret },
  };
}
