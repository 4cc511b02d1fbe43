import { openSignedGrant, signedGrantText, type Consents, type SignedGrant } from "@carepact/sdk/consents";

import { fileText, outputTo, PRIVATE, requireApart, type Output } from "../support/files";
import { needed } from "../support/input";
import type { Site } from "../support/site";

/** Where signed grants go. */
export interface OutputOptions {
  out?: string;
  sealed?: string;
  force: boolean;
}

/** Files of one grant. */
interface Outputs {
  out: Output;
  sealed: Output | undefined;
}

/** `grant.json`, or `grant.1.json`, `grant.2.json` … for several. */
const numbered = (path: string, index: number, count: number): string =>
  count === 1 ? path : path.replace(/(\.[^./\\]*)?$/, (extension) => `.${index + 1}${extension}`);

/** Files for so many grants, none of which is there yet. @throws INPUT_INVALID */
export async function grantOutputs(options: OutputOptions, count = 1): Promise<Outputs[]> {
  const { force } = options;
  const [out, sealed] = [needed(options, "out"), options.sealed];
  if (sealed !== undefined) await requireApart({ path: out, option: "--out" }, { path: sealed, option: "--sealed" });
  return Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      out: await outputTo(numbered(out, i, count), "--out", { force, mode: PRIVATE }),
      sealed: sealed === undefined ? undefined : await outputTo(numbered(sealed, i, count), "--sealed", { force }),
    })),
  );
}

/** Writes grants, and each sealed if wanted. @returns what was written, for the ending */
export async function writeGrants(
  consents: Consents,
  { options }: Site,
  grants: readonly SignedGrant[],
  outputs: readonly Outputs[],
): Promise<{ lines: string[]; files: Record<string, unknown>[] }> {
  const lines: string[] = [];
  const files: Record<string, unknown>[] = [];
  for (const [i, grant] of grants.entries()) {
    const { out, sealed } = outputs[i] as Outputs;
    await out.write(`${signedGrantText(grant)}\n`);
    if (sealed !== undefined) await sealed.write(fileText(await consents.seal(grant, options)));
    const { chain, documents, last } = openSignedGrant(grant);
    lines.push(
      `Signed for ${last.grantee}: ${out.path}${sealed === undefined ? "" : `, and sealed to be sent: ${sealed.path}`}.`,
    );
    files.push({
      out: out.path,
      ...(sealed && { sealed: sealed.path }),
      grantee: last.grantee,
      number: chain.grant.number,
      document: documents.at(-1),
    });
  }
  return { lines, files };
}
