import {
  combineAttestations,
  createClaims,
  encodeResults,
  openedGroupsOf,
  resultShapeOf,
  type Attestation,
  type PublicPart,
} from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { bytes32In, momentIn, usage } from "../support/input";
import { requireKey } from "../support/sending";
import { signingSiteOf, type Site } from "../support/site";

import { attestationsIn } from "./attestations";
import { resultsIn, type ResultOptions } from "./results";
import { openedSourceIn, type SourceOptions } from "./source";

interface Statement {
  observedAt?: number;
  validUntil?: number;
  evidence?: string;
}

interface Options extends SourceOptions, ResultOptions {
  with?: string;
  observedAt?: string;
  validUntil?: string;
  evidence?: string;
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const { source, batch } = await openedSourceIn(call, options);
  const results = await resultsIn(source, batch, options);
  const site = await signingSiteOf(call);
  requireKey(site);
  const packed = encodeResults(results, resultShapeOf(batch, openedGroupsOf(source)));
  const statement = await statementIn(site, batch, options, packed);
  const attestation = await createClaims(site.connection).attest(source, results, { ...statement, ...site.options });
  await output?.write(fileText(attestation));
  return {
    lines:
      output === undefined
        ? [JSON.stringify(attestation)]
        : [`${site.account} attests; the attestation is in ${output.path}.`],
    json: { attestation },
  };
}

/** What attesters who sign together have to have in common. */
async function statementIn(site: Site, batch: PublicPart, options: Options, results: string): Promise<Statement> {
  const { observedAt, validUntil, evidence } = options;
  if (options.with !== undefined) {
    if ([observedAt, validUntil, evidence].some((value) => value !== undefined))
      throw usage("--with says moment and evidence: leave --observed-at, --valid-until and --evidence out.", "--with");
    const [other] = await attestationsIn(options.with, "--with");
    if (other === undefined) throw usage(`--with: ${options.with} holds no attestation.`, "--with");
    requireGenuine(batch, other, await site.now());
    if (other.results.toLowerCase() !== results.toLowerCase())
      site.call.tell("Warning: the other attester says something else happened; the two do not count together.");
    return { observedAt: other.observedAt, validUntil: other.validUntil, evidence: other.evidence };
  }
  return {
    ...(observedAt === undefined ? {} : { observedAt: await momentIn(observedAt, "--observed-at", site.now) }),
    ...(validUntil === undefined ? {} : { validUntil: await momentIn(validUntil, "--valid-until", site.now) }),
    ...(evidence === undefined ? {} : { evidence: bytes32In(evidence, "--evidence") }),
  };
}

/**
 * Whoever sends an attestation may have written anything into it: what is copied from it has to be signed, for this batch and by one of
 * its attesters. Alone it suffices where one attester is enough, which is what is asked here.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_SIGNER_UNKNOWN, ATTESTATION_EXPIRED
 */
function requireGenuine(batch: PublicPart, attestation: Attestation, now: number): void {
  const attesterGroups = batch.rulebook.attesterGroups.map((group) => ({ ...group, threshold: 1 }));
  combineAttestations({ ...batch, rulebook: { ...batch.rulebook, attesterGroups } }, [attestation], now);
}
