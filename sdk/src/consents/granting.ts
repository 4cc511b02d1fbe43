import { keccak256, type Provider } from "ethers";

import { decodeError } from "../chain/decodeError";
import { chainTimeOf, type Connection } from "../chain/deployment";
import { within, type CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import {
  categoryMask,
  confidentialityRank,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
} from "../codes";
import { purposeList } from "../codes/lists";
import { randomSalt, systemRandom, type RandomSource } from "../encryption";
import { CarepactError } from "../errors";
import { activeRecordOf, requireController, requireWord } from "../patients/record";
import { accountSigner, type PatientSigner, type TypedDataSigner } from "../signers";

import { answerOf, requireList, restrictionsIn } from "./checking";
import { restrictionsFileOf, type RestrictionsFile } from "./file/restrictions";
import {
  NO_MANDATE,
  openSignedGrant,
  requireRegistry,
  signedGrantOf,
  type OpenedGrant,
  type SignedGrant,
} from "./file/signedGrant";
import { grantsOf, instrumentOf, restrictionsOf, type Restrictions } from "./grants";
import { ask, isInStanding, registryOf } from "./registry";
import type { Scope } from "./scope";
import { narrowingReason, wouldBeRefused } from "./subGrants";
import { normalTerms, type ConsentTerms, type Denial } from "./terms";
import {
  consentTypes,
  NO_INSTRUMENT,
  registryDomain,
  requireGrant,
  requireSignedMandate,
  requireSubGrant,
  type Grant,
  type SignedMandate,
  type SubGrant,
} from "./types";

/** What every way of granting can say. */
interface Granting {
  /** Patient id, 32 bytes. */
  patient: string;
  /** How many times it may be passed on; 0 unless given. */
  subGrants?: number;
  /** By what right a representative signs; left out where the patient does. */
  mandate?: SignedMandate;
  /** Only tests pass their own. */
  random?: RandomSource;
}

/** What a patient, or a representative, lets an organization see. */
export interface GrantInput extends Granting {
  /** Account of the organization. */
  grantee: string;
  /** Each with all below it. */
  purposes: readonly PurposeCode[];
  /** Resource types and labels, each with all below it. Without a label, only what carries none. */
  categories: readonly CategoryCode[];
  /** Highest confidentiality; N (normal) unless given. */
  ceiling?: ConfidentialityCode;
  /** First moment: a date, or unix seconds. Now, by the chain's clock, unless given. */
  notBefore?: Date | number;
  /** First moment at which it no longer holds: a date, or unix seconds; `NO_EXPIRY` for a grant without an end. */
  expiry: Date | number;
  /** The patient's own count, below 2^32: what revokes it. Random unless given, so that it tells nothing. */
  number?: number;
  /** The FHIR Consent that it comes from: the grant names it by a salted hash, and the file carries it. */
  consent?: unknown;
}

/** A consent, to be granted. */
export interface TermsInput extends Granting {
  terms: ConsentTerms;
  /** The FHIR Consent that the terms were read from: each grant names it, and carries it. */
  consent?: unknown;
}

/** What became of a consent: a grant for each permit, and what it denies. */
export interface GrantedTerms {
  grants: SignedGrant[];
  /**
   * Where the consent denies something. They count once they are on chain (`restrict`), in place of those that the patient
   * has: put together first what is to stay.
   */
  restrictions?: RestrictionsFile;
  /** Denials that the registry cannot see: who releases data decides them with `decide`. */
  leftToGateways: Denial[];
  /** What an emergency opens. */
  breakGlass: Scope[];
}

/** How a grant is passed on. What is not said is as in the grant. */
export interface PassOnInput {
  /** Account of the organization that receives it. */
  grantee: string;
  purposes?: readonly PurposeCode[];
  categories?: readonly CategoryCode[];
  ceiling?: ConfidentialityCode;
  notBefore?: Date | number;
  expiry?: Date | number;
  /** How many times it may be passed on further; 0 unless given. */
  subGrants?: number;
  /** The patient's restrictions, if it has some: without them it cannot be told beforehand whether they forbid this. */
  restrictions?: RestrictionsFile | Restrictions;
  /** Only tests pass their own. */
  random?: RandomSource;
}

/** Who signs: the signer given, or else the runner. @throws RUNNER_CANNOT_SIGN */
const signerOf = async ({ runner }: Connection, signer: PatientSigner | undefined): Promise<PatientSigner> =>
  signer ?? accountSigner(runner as unknown as TypedDataSigner);

function secondsOf(time: Date | number, path: string): number {
  const seconds = typeof time === "number" ? time : Math.floor(Number(time) / 1000);
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new CarepactError("INPUT_INVALID", `${path} is a date, or whole unix seconds.`, { path });
  return seconds;
}

/** Reads what has to hold, and only then asks for signatures. */
async function prepared<Value, Result>(
  connection: Connection,
  prepare: (provider: Provider) => Promise<Value>,
  sign: (value: Value) => Promise<Result>,
  options: CallOptions = {},
): Promise<Result> {
  const value = await reading(connection, prepare, options);
  try {
    return await within(options, () => sign(value));
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

/** @internal One signature, and no transaction. */
export async function grant(
  connection: Connection,
  signer: PatientSigner | undefined,
  input: GrantInput,
  options?: CallOptions,
): Promise<SignedGrant> {
  const { random = systemRandom, consent, ceiling = "N", subGrants = 0 } = input;
  const mandate = input.mandate && requireSignedMandate(input.mandate);
  const by = await signerOf(connection, signer);
  const salt = randomSalt(random);
  const patient = requireWord(input.patient, "patient");
  const fields = {
    patient,
    grantee: requireAddress(input.grantee, "grantee"),
    purposes: purposeList.maskOf(requireList(input.purposes, "purposes")),
    categories: categoryMask(requireList(input.categories, "categories")),
    ceiling: confidentialityRank(ceiling),
    expiry: secondsOf(input.expiry, "expiry"),
    subGrants,
    salt,
    instrument: consent === undefined ? NO_INSTRUMENT : instrumentOf(salt, consent),
  };
  return prepared(
    connection,
    async (provider) => {
      const now = await chainTimeOf(provider);
      const epoch = await epochFor(connection, provider, patient, by, mandate);
      if (fields.expiry <= now) throw wouldBeRefused("Expired", { expiry: fields.expiry, now });
      const notBefore = input.notBefore === undefined ? now : secondsOf(input.notBefore, "notBefore");
      const number = await freshNumber(connection, provider, patient, 1, input.number, random);
      const made = requireGrant({ ...fields, number, notBefore, epoch });
      await requireWorthSigning(connection, provider, made, mandate, now);
      return made;
    },
    (made) => signGrant(connection, by, made, mandate, consent),
    options,
  );
}

/** @internal One signature for each permit of a consent. */
export async function grantTerms(
  connection: Connection,
  signer: PatientSigner | undefined,
  input: TermsInput,
  options?: CallOptions,
): Promise<GrantedTerms> {
  const { random = systemRandom, consent, subGrants = 0 } = input;
  const mandate = input.mandate && requireSignedMandate(input.mandate);
  const by = await signerOf(connection, signer);
  const patient = requireWord(input.patient, "patient");
  const terms = normalTerms(input.terms);
  const denials = denialsOf(terms, patient, connection, random);
  return prepared(
    connection,
    async (provider) => {
      const now = await chainTimeOf(provider);
      const epoch = await epochFor(connection, provider, patient, by, mandate);
      const firstNumber = await freshNumber(connection, provider, patient, terms.permits.length, undefined, random);
      const granting = { patient, epoch, firstNumber, subGrants, random };
      const grants = grantsOf(terms, consent === undefined ? granting : { ...granting, consent });
      for (const made of grants) {
        if (made.expiry <= now) throw wouldBeRefused("Expired", { expiry: made.expiry, now });
        await requireWorthSigning(connection, provider, made, mandate, now);
      }
      return grants;
    },
    async (grants) => {
      const signed: SignedGrant[] = [];
      // One by one: a wallet shows one question at a time.
      for (const made of grants) signed.push(await signGrant(connection, by, made, mandate, consent));
      return { grants: signed, ...denials };
    },
    options,
  );
}

function denialsOf(
  terms: ConsentTerms,
  patient: string,
  connection: Connection,
  random: RandomSource,
): Omit<GrantedTerms, "grants"> {
  const { denials, breakGlass } = terms;
  if (denials.length === 0) return { leftToGateways: [], breakGlass };
  const salt = randomSalt(random);
  const { restrictions, leftToGateways } = restrictionsOf(terms, salt);
  const file = restrictionsFileOf(restrictions, { ...registryOf(connection), patient }, { terms, salt });
  return { restrictions: file, leftToGateways, breakGlass };
}

/** The epoch to sign for, if who would sign has a say in it. @throws PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE, NOT_CONTROLLER */
async function epochFor(
  connection: Connection,
  provider: Provider,
  patient: string,
  by: PatientSigner,
  mandate: SignedMandate | undefined,
): Promise<number> {
  const record = await activeRecordOf(provider, connection.deployment, patient);
  if (mandate === undefined) requireController(record, by.signer);
  else if (mandate.mandate.patient !== patient || mandate.mandate.representative !== keccak256(by.signer))
    throw wouldBeRefused("MandateMismatch");
  return record.epoch;
}

const NUMBERS = 2 ** 32;

/** A number that is not revoked, the first of `count`. @throws GRANT_WOULD_BE_REFUSED for a given one that is */
async function freshNumber(
  connection: Connection,
  provider: Provider,
  patient: string,
  count: number,
  given: number | undefined,
  random: RandomSource,
): Promise<number> {
  const isRevoked = async (number: number): Promise<boolean> =>
    (await ask(provider, registryOf(connection), "isGrantRevoked", [patient, number]))[0] === true;
  if (given !== undefined) {
    if (!Number.isInteger(given) || given < 0 || given >= NUMBERS)
      throw new CarepactError("INPUT_INVALID", "number is a whole number below 2^32.", { path: "number" });
    if (await isRevoked(given)) throw wouldBeRefused("Revoked", { number: given });
    return given;
  }
  for (;;) {
    const drawn = random(4).reduce((sum, byte) => sum * 256 + byte, 0);
    const first = Math.min(drawn, NUMBERS - count);
    const revoked = await Promise.all(Array.from({ length: count }, (_, i) => isRevoked(first + i)));
    if (!revoked.includes(true)) return first;
  }
}

/** Refuses what the registry would refuse anyway. @throws GRANT_WOULD_BE_REFUSED, MANDATE_MALFORMED */
async function requireWorthSigning(
  connection: Connection,
  provider: Provider,
  made: Grant,
  mandate: SignedMandate | undefined,
  now: number,
): Promise<void> {
  if (mandate !== undefined) await requireMandated(connection, provider, made, mandate, now);
  if (!(await isInStanding(provider, connection, made.grantee)))
    throw wouldBeRefused("OrganizationNotInStanding", { grantee: made.grantee });
}

async function requireMandated(
  connection: Connection,
  provider: Provider,
  made: Grant,
  { mandate, signer, signature }: SignedMandate,
  now: number,
): Promise<void> {
  const args = [{ mandate, signer, signature }, made.purposes, made.categories];
  const answer = await answerOf(provider, registryOf(connection), "isRepresented", args);
  const later = mandate.notBefore > now && made.notBefore >= mandate.notBefore;
  if (!answer.permitted && !(answer.reason === "MandateNotYetValid" && later)) throw wouldBeRefused(answer.reason);
  if (made.notBefore >= mandate.end) throw wouldBeRefused("MandateExpired");
}

async function signGrant(
  connection: Connection,
  by: PatientSigner,
  made: Grant,
  mandate: SignedMandate | undefined,
  consent: unknown,
): Promise<SignedGrant> {
  const ref = registryOf(connection);
  const { Grant } = consentTypes;
  const signature = await by.sign({ domain: registryDomain(ref), types: { Grant }, message: { ...made } });
  const chain = { grant: made, signer: by.signer, signature, mandate: mandate ?? NO_MANDATE, subGrants: [] };
  return signedGrantOf(chain, ref, consent);
}

/** @internal One signature of the grantee, and no transaction. */
export async function passOn(
  connection: Connection,
  signer: PatientSigner | undefined,
  file: SignedGrant,
  input: PassOnInput,
  options?: CallOptions,
): Promise<SignedGrant> {
  const ref = registryOf(connection);
  const opened = requireRegistry(openSignedGrant(file), ref);
  const by = await signerOf(connection, signer);
  const subGrant = subGrantOf(opened, input);
  const { last, chain } = opened;
  const restrictions = restrictionsIn(input.restrictions);
  return prepared(
    connection,
    async (provider) => {
      if (by.signer.toLowerCase() !== last.grantee.toLowerCase())
        throw wouldBeRefused("SignatureInvalid", { signer: by.signer, grantee: last.grantee });
      const reason = narrowingReason(opened, subGrant);
      if (reason !== undefined) throw wouldBeRefused(reason);
      const now = await chainTimeOf(provider);
      if (subGrant.expiry <= now) throw wouldBeRefused("Expired", { expiry: subGrant.expiry, now });
      if (restrictions.organizations.includes(subGrant.grantee)) throw wouldBeRefused("OrganizationRestricted");
      const request = {
        patient: chain.grant.patient,
        organization: last.grantee,
        purposes: subGrant.purposes,
        categories: subGrant.categories,
        confidentiality: subGrant.ceiling,
      };
      const answer = await answerOf(provider, ref, "isPermitted", [chain, restrictions, request]);
      if (!answer.permitted && !isUnsettled(answer.reason, input)) throw wouldBeRefused(answer.reason);
      if (!(await isInStanding(provider, connection, subGrant.grantee)))
        throw wouldBeRefused("OrganizationNotInStanding", { grantee: subGrant.grantee });
    },
    async () => {
      const { SubGrant } = consentTypes;
      const message = { domain: registryDomain(ref), types: { SubGrant }, message: { ...subGrant } };
      const link = { subGrant, signature: await by.sign(message) };
      return signedGrantOf({ ...chain, subGrants: [...chain.subGrants, link] }, ref, opened.consent);
    },
    options,
  );
}

/** Whether a no of today says nothing of the sub-grant: it may count later, or restrictions were not at hand. */
const isUnsettled = (reason: string, { restrictions }: PassOnInput): boolean =>
  reason === "NotYetValid" ||
  reason === "MandateNotYetValid" ||
  // Restrictions may name only some of what is passed on.
  reason === "CategoryRestricted" ||
  reason === "PurposeRestricted" ||
  (reason === "RestrictionsNotCurrent" && restrictions === undefined);

function subGrantOf({ last, documents }: OpenedGrant, input: PassOnInput): SubGrant {
  const { purposes, categories, ceiling, notBefore, expiry, subGrants = 0, random = systemRandom } = input;
  return requireSubGrant({
    parent: documents.at(-1) ?? documents[0],
    grantee: requireAddress(input.grantee, "grantee"),
    purposes: purposes === undefined ? last.purposes : purposeList.maskOf(requireList(purposes, "purposes")),
    categories: categories === undefined ? last.categories : categoryMask(requireList(categories, "categories")),
    ceiling: ceiling === undefined ? last.ceiling : confidentialityRank(ceiling),
    notBefore: notBefore === undefined ? last.notBefore : secondsOf(notBefore, "notBefore"),
    expiry: expiry === undefined ? last.expiry : secondsOf(expiry, "expiry"),
    subGrants,
    salt: randomSalt(random),
  });
}
