import {
  createClaims,
  openedGroupsOf,
  type Attestation,
  type BatchSource,
  type PublicPart,
} from "@carepact/sdk/claims";
import { createAttester, type EventConflict } from "@carepact/sdk/oracles";
import { attestersOf } from "@carepact/sdk/rulebooks";
import { contractSigner } from "@carepact/sdk/signers";
import { decodeError } from "@carepact/sdk";

import { signatorySiteOf, type ActorOptions, type SignatorySite } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { addressIn, bytes32In, listIn, usage } from "../support/input";
import { withLedger } from "../support/ledger";
import { isoTime } from "../support/show";

import { openedSourceIn, type SourceOptions } from "./source";
import { saidIn, type Said, type StatementSource } from "./statements";
import { resultLines, resultsJson, timesText } from "./words";

interface Options extends SourceOptions, StatementSource, ActorOptions {
  wallet?: string;
  ledger?: string;
  coordinatesWith?: string;
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const { source, batch } = await openedSourceIn(call, options);
  const coordinatesWith = batchesIn(options);
  const asked = signersOf(source, batch);
  const site = inNameOf(await signatorySiteOf(call, options, asked), options);
  const said = await saidIn(site, source, batch, options);
  const { signer } = site.key;
  if (!asked.includes(signer.toLowerCase()))
    call.tell(`Warning: by what is known here, the rulebook does not count ${signer}: nobody can settle with it.`);
  const attestation =
    options.ledger === undefined
      ? await sign(site, source, said)
      : await signOnce(site, source, said, options.ledger, coordinatesWith);
  await output?.write(fileText(attestation));
  return {
    lines:
      output === undefined
        ? [JSON.stringify(attestation)]
        : [
            ...resultLines(batch, said.results),
            `${attestation.signer} attests, ${timesText(said.statement)}; the attestation is in ${output.path}.`,
          ],
    json: { attestation, says: resultsJson(batch, said.results) },
  };
}

/** The site whose key signs for a wallet contract, if one is named. */
function inNameOf(site: SignatorySite, { wallet }: Options): SignatorySite {
  if (wallet === undefined) return site;
  return { ...site, key: contractSigner(addressIn(wallet, "--wallet"), (message) => site.key.sign(message)) };
}

/** Whose signatures may count: attesters by name, payees, and those of patients' keys that are open here. */
function signersOf(source: BatchSource, batch: PublicPart): string[] {
  const named = attestersOf(batch.rulebook);
  const payees = named.some(({ role }) => role === "payee") ? batch.groups.map(({ payee }) => payee) : [];
  const patients = openedGroupsOf(source).flatMap(({ lines }) =>
    lines.flatMap(({ patient }) => (patient?.signers ?? []).map(({ signer }) => signer)),
  );
  return [...named.map(({ signer }) => signer), ...payees, ...patients].map((signer) => signer.toLowerCase());
}

const sign = (
  { connection, key, options }: SignatorySite,
  source: BatchSource,
  { statement }: Said,
): Promise<Attestation> => createClaims(connection).attest(source, statement, { signer: key, ...options });

/** Signs what the ledger has not in another line. */
async function signOnce(
  site: SignatorySite,
  source: BatchSource,
  said: Said,
  path: string,
  coordinatesWith: string[],
): Promise<Attestation> {
  if ("carepact" in source)
    throw usage(
      "--ledger needs the lines of the batch: the payer's record, or a payee's file and sealing key.",
      "--ledger",
    );
  const { results, statement } = said;
  return withLedger(site.call, path, async (ledger) => {
    const attester = createAttester(site.connection, { ledger, attest: () => sign(site, source, said) });
    try {
      return await attester.attest(source, results, { observedAt: statement.observedAt, coordinatesWith });
    } catch (thrown) {
      const { code, details } = decodeError(thrown);
      if (code === "EVENT_ALREADY_ATTESTED") tellConflicts(site, details["conflicts"] as unknown as EventConflict[]);
      throw thrown;
    }
  });
}

/** Where the attester itself attested the events: for its own eyes. */
function tellConflicts({ call }: SignatorySite, conflicts: readonly EventConflict[]): void {
  for (const { group, line, earlier } of conflicts)
    for (const before of earlier)
      call.tell(
        `Line ${line} of group ${group}: attested at ${isoTime(before.at)} as line ${before.line} of group ${before.group} of claim batch ` +
          `${before.batchId}, which ${before.payer} pays.`,
      );
}

function batchesIn({ ledger, coordinatesWith }: Options): string[] {
  if (coordinatesWith === undefined) return [];
  if (ledger === undefined) throw usage("--coordinates-with goes with --ledger.", "--coordinates-with");
  return listIn(coordinatesWith).map((id) => bytes32In(id, "--coordinates-with"));
}
