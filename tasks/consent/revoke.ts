import type { Action } from "@carepact/sdk";
import { createConsents, mandateDigestOf, type Consents } from "@carepact/sdk/consents";
import { createPatients, signerHashOf } from "@carepact/sdk/patients";

import { act, actingSiteOf, type ActingSite, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { readText } from "../support/files";
import { bytes32In, needed, usage } from "../support/input";
import { mandateOf, requireDeployment } from "../support/mandate";

import { grantOf, kindOf, type GrantOptions } from "./documents";
import { numberIn } from "./grant";

interface Options extends GrantOptions, ActorOptions {
  patient?: string;
  number?: string;
  document?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const wanted = await wantedIn(call, options);
  const site = await actingSiteOf(call, options);
  const consents = createConsents(site.connection, site.acts);
  return act<TakenBack, void>(site, await wanted(site, consents), ({ patient, number, document }) => ({
    lines: [
      document === undefined
        ? `Grant ${number} of patient ${patient} is taken back, with all that was passed on of it.`
        : `What was signed as ${document} is taken back.`,
      "What was opened before is not closed by this.",
    ],
    json: { patient, number, document },
  }));
}

/** What the results of all ways have in common. */
interface TakenBack {
  patient?: string;
  number?: number;
  document?: string;
}

type Wanted = (site: ActingSite, consents: Consents) => Promise<Action<TakenBack>>;

/** What is to be taken back, as the options name it. @throws INPUT_INVALID, and what the SDK throws for documents */
async function wantedIn(call: Call, options: Options): Promise<Wanted> {
  const { file, patient, number, document } = options;
  if ([file, number, document].filter((value) => value !== undefined).length !== 1)
    throw usage("Give --file, --patient and --number, or --document.", "--file");
  if (file === undefined) {
    if (document === undefined || patient !== undefined) {
      const id = bytes32In(needed(options, "patient"), "--patient");
      if (document === undefined) {
        const grant = { patient: id, number: numberIn(number ?? "") };
        return (_, consents) => Promise.resolve(consents.revoke(grant));
      }
      const digest = bytes32In(document, "--document");
      return (_, consents) => Promise.resolve(consents.revokeDocument(id, digest));
    }
    const digest = bytes32In(document, "--document");
    return (_, consents) => Promise.resolve(consents.revokeOwn(digest));
  }
  if (patient !== undefined) throw usage("--file says whose grant it is: leave --patient out.", "--patient");
  const text = await readText(file, "--file");
  if (kindOf(text, "--file") === "mandate") return mandateWanted(text);
  const grant = await grantOf(call, text, options);
  return (_, consents) => Promise.resolve(consents.revoke(grant));
}

/** A mandate, as the patient or the representative itself. */
function mandateWanted(text: string): Wanted {
  const { mandate, chainId, registry } = mandateOf(text, "--file");
  const digest = mandateDigestOf(mandate, { chainId, registry });
  return async (site, consents) => {
    requireDeployment({ chainId, registry }, site.deployment);
    const actor = signerHashOf(site.acts.signer?.signer ?? site.account);
    const record = await createPatients(site.connection).get(mandate.patient, site.options);
    return actor === mandate.representative && actor !== record?.controllerHash
      ? consents.revokeOwn(digest)
      : consents.revokeDocument(mandate.patient, digest);
  };
}
