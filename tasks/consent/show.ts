import { openRestrictions, openSignedGrant } from "@carepact/sdk/consents";

import type { Call, Ending } from "../support/call";
import { readText } from "../support/files";
import { needed } from "../support/input";
import { mandateOf } from "../support/mandate";

import { grantOf, kindOf, restrictionsOf, type GrantOptions } from "./documents";
import { grantJson, grantLines, mandateJson, mandateLines, restrictionsJson, restrictionsLines } from "./words";

const UNASKED = "This is what it says. Whether it counts, only the registry knows: consent:check asks it.";

export async function run(call: Call, options: GrantOptions): Promise<Ending> {
  const text = await readText(needed(options, "file"), "--file");
  const kind = kindOf(text, "--file");
  if (kind === "mandate") {
    const { mandate, chainId } = mandateOf(text, "--file");
    return {
      lines: [...mandateLines(mandate), UNASKED],
      json: { kind: "mandate", chainId, mandate: mandateJson(mandate) },
    };
  }
  if (kind === "restrictions" || kind === "sealed-restrictions") {
    const { restrictions, patient, chainId, denials } = openRestrictions(await restrictionsOf(call, text, options));
    const left = denials === undefined ? [] : ["It also carries a consent's denials for who releases data."];
    return {
      lines: [`Restrictions of patient ${patient}.`, ...restrictionsLines(restrictions), ...left],
      json: { kind: "restrictions", chainId, patient, restrictions: restrictionsJson(restrictions) },
    };
  }
  const opened = openSignedGrant(await grantOf(call, text, options));
  return {
    lines: [...grantLines(opened), UNASKED],
    json: { kind: "grant", chainId: opened.chainId, grant: grantJson(opened) },
  };
}
