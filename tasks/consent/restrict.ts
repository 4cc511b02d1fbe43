import type { CategoryCode, PurposeCode } from "@carepact/sdk/codes";
import {
  createConsents,
  makeRestrictions,
  openRestrictions,
  restrictionsFileOf,
  restrictionsHashOf,
  type RestrictionsFile,
} from "@carepact/sdk/consents";

import { act, actingSiteOf, type ActingSite, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, readText, type Output } from "../support/files";
import { addressIn, bytes32In, listIn, needed, usage } from "../support/input";

import { restrictionsOf } from "./documents";
import { restrictionsJson, restrictionsLines } from "./words";

interface Options extends ActorOptions {
  patient?: string;
  organizations?: string;
  purposes?: string;
  categories?: string;
  out?: string;
  file?: string;
  breakGlass: boolean;
  none: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = bytes32In(needed(options, "patient"), "--patient");
  const { make, output } = await wantedIn(call, options, patient);
  const site = await actingSiteOf(call, options);
  const consents = createConsents(site.connection, site.acts);
  const file = make(site);
  const restrictions = file && openRestrictions(file).restrictions;
  const wanted = restrictions && restrictionsHashOf(restrictions);
  const { hash } = await consents.restrictionsHash(patient, site.options);
  if (hash === wanted)
    return {
      lines: ["The patient's restrictions are so already."],
      json: { changed: false, patient, restrictionsHash: hash },
    };
  // The document first: nobody could ask for anything if only its hash were left.
  const document = output && file && { output, value: file };
  return act(
    site,
    consents.restrict(patient, file),
    ({ restrictionsHash, version }) => ({
      lines:
        restrictions === undefined
          ? [`Patient ${patient} has no restrictions any more.`]
          : [
              ...restrictionsLines(restrictions),
              `All who hold a grant need ${output?.path ?? options.file} from now on: without it they are refused.`,
            ],
      json: {
        changed: true,
        patient,
        ...(restrictions && { restrictionsHash, restrictions: restrictionsJson(restrictions) }),
        version,
        ...(output && { out: output.path }),
      },
    }),
    document,
  );
}

interface Wanted {
  make: (site: ActingSite) => RestrictionsFile | undefined;
  output?: Output;
}

async function wantedIn(call: Call, options: Options, patient: string): Promise<Wanted> {
  const { organizations = "", purposes = "", categories = "", out, file, breakGlass, none } = options;
  const codes = [organizations, purposes, categories].some((value) => value !== "");
  if ([none, file !== undefined, codes].filter(Boolean).length !== 1)
    throw usage("Say what is refused (--organizations, --purposes, --categories), or --file, or --none.", "--file");
  if ((none || file !== undefined) && (out !== undefined || breakGlass))
    throw usage("--out and --break-glass belong to what is said by options.", "--out");
  if (none) return { make: () => undefined };
  if (file !== undefined) {
    const document = await restrictionsOf(call, await readText(file, "--file"), {});
    return { make: () => document };
  }
  const restrictions = makeRestrictions({
    organizations: listIn(organizations).map((account) => addressIn(account, "--organizations")),
    purposes: listIn(purposes) as PurposeCode[],
    categories: listIn(categories) as CategoryCode[],
    breakGlass,
  });
  return {
    output: await outputTo(needed({ out }, "out"), "--out", { mode: PRIVATE }),
    make: ({ deployment: { chainId, consentRegistry: registry } }) =>
      restrictionsFileOf(restrictions, { chainId, registry, patient }),
  };
}
