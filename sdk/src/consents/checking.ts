import type { Provider } from "ethers";

import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import {
  categoryBits,
  confidentialityRank,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
} from "../codes";
import { purposeList, resourceTypeList } from "../codes/lists";
import { CarepactError } from "../errors";
import { requireWord } from "../patients/record";

import { openRestrictions, requireRestrictions, type RestrictionsFile } from "./file/restrictions";
import { openSignedGrant, type SignedGrant } from "./file/signedGrant";
import type { Restrictions } from "./grants";
import { permissionReasons, reasonAdvice, type RefusalReason } from "./reasons";
import { ask, registryOf } from "./registry";
import { NO_INSTRUMENT, requireSignedMandate, type RegistryRef, type SignedMandate } from "./types";

/** What is asked of a patient's record. */
export interface PermissionRequest {
  /** Whose record it is about: what who releases data is about to open, and never what the grant says. */
  patient: string;
  /** Account of who asks: whom who releases data has authenticated, and never what the grant says. */
  organization: string;
  /** Why; of several, all have to be granted. */
  purposes: readonly PurposeCode[];
  /** Resource types, each with all below it, and labels of what is asked for: all have to be granted. */
  categories: readonly CategoryCode[];
  /** Highest confidentiality of what is asked for. */
  confidentiality: ConfidentialityCode;
  /** The patient's restrictions, if it has some. */
  restrictions?: RestrictionsFile | Restrictions | undefined;
}

/** A request, and the grant that it rests on. */
export interface GrantedRequest extends PermissionRequest {
  grant: SignedGrant;
}

/** Whether a representative may do something. */
export interface RepresentationRequest {
  mandate: SignedMandate;
  purposes: readonly PurposeCode[];
  categories: readonly CategoryCode[];
}

/** A no, with the first reason, and what to do about it. */
export interface Refused {
  permitted: false;
  reason: RefusalReason;
  advice: string;
}

/** A yes by a grant. The access log names grant and epoch. */
export interface Granted {
  permitted: true;
  /** EIP-712 digest of the patient's grant. */
  grant: string;
  epoch: number;
  /**
   * The grant comes from a FHIR Consent that may say more than a grant can (custodians, codes, single records …): who
   * releases data reads it, and decides by `decide` too, before it does.
   */
  instrument?: string;
}

/** What restrictions look like to who has none: the registry does not look at them if there are none on chain. */
const NO_RESTRICTIONS: Restrictions = {
  salt: NO_INSTRUMENT,
  organizations: [],
  purposes: 0n,
  categories: 0n,
  breakGlass: false,
};

/** @internal Whether what is given is a document, whatever kind it says it is. */
export const isFile = <File extends { carepact: string }>(given: File | object): given is File =>
  typeof given === "object" && (given as unknown) !== null && "carepact" in given;

/** @internal Restrictions in whatever form. @throws what `openRestrictions` throws, INPUT_INVALID */
export function restrictionsIn(given: RestrictionsFile | Restrictions | undefined): Restrictions {
  if (given === undefined) return NO_RESTRICTIONS;
  return isFile(given) ? openRestrictions(given).restrictions : requireRestrictions(given);
}

/** @internal A list of codes. @throws INPUT_INVALID */
export function requireList<Code>(codes: readonly Code[], path: string): readonly Code[] {
  const isList: boolean = Array.isArray(codes);
  if (!isList) throw new CarepactError("INPUT_INVALID", `${path} is a list of codes.`, { path });
  return codes;
}

/** Who asks for no purpose in particular asks for every one: otherwise a restriction of one is got round so. */
const purposeBits = (purposes: readonly PurposeCode[]): bigint =>
  requireList(purposes, "purposes").reduce(
    (sum, code) => sum | (code === purposeList.root ? purposeList.all : purposeList.bit(code)),
    0n,
  );

/** Who asks for a type asks for all below it: otherwise who asks for any resource gets round a restriction of one. */
function bitsOf(categories: readonly CategoryCode[]): bigint {
  const types = requireList(categories, "categories").filter((code) => resourceTypeList.has(code));
  return categoryBits(categories) | resourceTypeList.maskOf(types);
}

const requestOf = (request: PermissionRequest) => ({
  patient: requireWord(request.patient, "patient"),
  organization: requireAddress(request.organization, "organization"),
  purposes: purposeBits(request.purposes),
  categories: bitsOf(request.categories),
  confidentiality: confidentialityRank(request.confidentiality),
});

/** Reads an answer of the registry: yes, or no for a reason. @throws NODE_INCONSISTENT */
export async function answerOf(
  provider: Provider,
  ref: RegistryRef,
  name: "isPermitted" | "isBreakGlassPermitted" | "isRepresented",
  args: unknown[],
): Promise<{ permitted: true } | Refused> {
  const [permitted, number] = (await ask(provider, ref, name, args)) as [boolean, bigint];
  const reason = permissionReasons[Number(number)];
  // Whatever is not plainly a yes is none.
  if (reason === undefined || permitted !== (reason === "None"))
    throw new CarepactError("NODE_INCONSISTENT", "The registry's answer does not fit together: permit nothing.", {
      permitted,
      reason: number,
    });
  return reason === "None" ? { permitted: true } : { permitted: false, reason, advice: reasonAdvice[reason] };
}

/** @internal */
export async function check(
  connection: Connection,
  { grant: file, restrictions, ...request }: GrantedRequest,
  options?: CallOptions,
): Promise<Granted | Refused> {
  const { chain, documents } = openSignedGrant(file);
  const args = [chain, restrictionsIn(restrictions), requestOf(request)];
  const answer = await reading(
    connection,
    (provider) => answerOf(provider, registryOf(connection), "isPermitted", args),
    options,
  );
  if (!answer.permitted) return answer;
  const { epoch, instrument } = chain.grant;
  return {
    permitted: true,
    grant: documents[0],
    epoch,
    ...(instrument === NO_INSTRUMENT ? {} : { instrument }),
  };
}

/** @internal */
export async function checkBreakGlass(
  connection: Connection,
  { restrictions, ...request }: PermissionRequest,
  options?: CallOptions,
): Promise<{ permitted: true } | Refused> {
  const asked = requestOf(request);
  const args = [restrictionsIn(restrictions), asked];
  const answer = await reading(
    connection,
    (provider) => answerOf(provider, registryOf(connection), "isBreakGlassPermitted", args),
    options,
  );
  // The registry knows bits, and not which of them are emergencies.
  if (answer.permitted && (asked.purposes & ~purposeList.mask("ETREAT")) !== 0n)
    return { permitted: false, reason: "PurposeNotGranted", advice: ONLY_TO_TREAT };
  return answer;
}

const ONLY_TO_TREAT =
  "An emergency opens a record for treating in it (ETREAT, and what is below), and for nothing else.";

/** @internal */
export async function checkRepresentation(
  connection: Connection,
  { mandate, purposes, categories }: RepresentationRequest,
  options?: CallOptions,
): Promise<{ permitted: true } | Refused> {
  const args = [requireSignedMandate(mandate), purposeBits(purposes), bitsOf(categories)];
  return reading(connection, (provider) => answerOf(provider, registryOf(connection), "isRepresented", args), options);
}
