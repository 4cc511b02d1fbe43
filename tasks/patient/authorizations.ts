import type { Authorization } from "@carepact/sdk/signers";

import { fileText, outputTo, readJson, type Output } from "../support/files";
import { needed, usage } from "../support/input";
import type { Site } from "../support/site";

/** For what somebody signed something that another one sends. */
export type Purpose = "rotation" | "recovery" | "merge" | "recovery-start" | "recovery-override";

const says: Record<Purpose, string> = {
  rotation: "acceptance of a record",
  recovery: "acceptance of a record that is recovered",
  merge: "agreement to a merger",
  "recovery-start": "contact's signature for a recovery",
  "recovery-override": "contact's signature against a veto",
};

/** What somebody signed on a machine of its own: public once it is sent, and of no use for anything else. */
interface AuthorizationFile<Signed> {
  carepact: "patient-authorization";
  version: 1;
  for: Purpose;
  chainId: number;
  /** Of a merger, the duplicate. */
  patient: string;
  signed: Signed;
}

/** Where a step that only signs writes. @throws INPUT_INVALID */
export const authorizationOutput = (options: { out?: string }): Promise<Output> =>
  outputTo(needed(options, "out"), "--out");

/** Writes what was signed. */
export const writeAuthorization = (
  output: Output,
  { chainId }: Site,
  purpose: Purpose,
  patient: string,
  signed: object,
): Promise<void> => {
  const file: AuthorizationFile<object> = {
    carepact: "patient-authorization",
    version: 1,
    for: purpose,
    chainId,
    patient,
    signed,
  };
  return output.write(fileText(file));
};

/** What somebody signed for this purpose, patient and chain; its fields are looked at where they are used. @throws INPUT_INVALID */
export async function readAuthorization<Signed = Authorization>(
  path: string,
  option: string,
  { chainId }: Site,
  purpose: Purpose,
  patient: string,
): Promise<Signed> {
  const value = await readJson(path, option);
  const file = (typeof value === "object" && value !== null ? value : {}) as Partial<AuthorizationFile<Signed>>;
  const refuse = (problem: string): Error => usage(`${option}: ${path} is ${problem}.`, option);
  if (file.carepact !== "patient-authorization" || file.for !== purpose) throw refuse(`no ${says[purpose]}`);
  if (file.version !== 1) throw refuse("of a newer version");
  if (file.chainId !== chainId) throw refuse(`for another chain, ${file.chainId}`);
  if (file.patient !== patient) throw refuse("about another patient");
  if (typeof file.signed !== "object" || file.signed === null) throw refuse("not signed");
  return file.signed;
}
