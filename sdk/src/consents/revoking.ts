import { AbiCoder, keccak256, type Provider, type TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { providerOf, type Connection } from "../chain/deployment";
import { eventIn } from "../chain/events";
import { consentRegistryInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import { activeRecordOf, requireController, requireWord } from "../patients/record";
import { actorOf, authorize, type AuthorizationOptions } from "../signers/authorization";
import type { PatientSigner } from "../signers";

import { isFile } from "./checking";
import { openRestrictions, requireRestrictions, type RestrictionsFile } from "./file/restrictions";
import {
  controllersDocumentOf,
  NO_MANDATE,
  openSignedGrant,
  requireRegistry,
  type OpenedGrant,
  type SignedGrant,
} from "./file/signedGrant";
import { restrictionsHashOf, type Restrictions } from "./grants";
import { requireGenuine } from "./genuine";
import { ask, knownRecordOf, registryOf } from "./registry";
import { consentTypes, NO_INSTRUMENT, registryDomain } from "./types";

/** A grant by what revokes it, for a patient who has its file no more. */
export interface GrantNumber {
  patient: string;
  number: number;
}

/** What was taken back. */
export interface Revoked {
  patient: string;
  /** Number of the grant. */
  number: number;
  /** EIP-712 digest of the document, where who signed it took it back, and not the patient the grant's number. */
  document?: string;
}

/** All grants and mandates of a record ended. */
export interface EpochEnded {
  patient: string;
  /** Epoch that ended. */
  ended: number;
  /** Epoch for which grants are signed from now on. */
  epoch: number;
}

/** Restrictions that hold from now on. */
export interface Restricted {
  patient: string;
  /** Hash on chain; zero: none any more. */
  restrictionsHash: string;
  /** How often they were set. */
  version: number;
}

/** Whether a grant outlives the key that signed it. */
export interface Anchoring {
  /** What is anchored: keccak256(abi.encode(digest, keccak256(signature))) of what the record's controller signed. */
  anchor: string;
  /** When it was anchored first, unix seconds. */
  anchoredAt?: number;
  /**
   * - `needed`: the key that signed controls the record. Anchored in a block of an earlier second than a rotation's,
   *   the grant outlives it, and not otherwise.
   * - `done`: it was anchored in its time.
   * - `tooLate`: the key was replaced before, or the epoch ended: the grant has to be signed anew.
   * - `notController`: the key never controlled the record.
   */
  state: "needed" | "done" | "tooLate" | "notController";
}

type Message = keyof typeof consentTypes;

/** One of the registry's functions, that somebody authorizes. */
interface Authorized<Result> {
  name: string;
  message: { type: Message; values: Record<string, unknown> };
  /** Arguments before the authorization. */
  args: unknown[];
  result: (receipt: TransactionReceipt) => Result;
}

/** An action that somebody signs for and anybody sends; without a signer, the account that sends acts itself. */
function authorizedAction<Result>(
  connection: Connection,
  signer: PatientSigner | undefined,
  prepare: (provider: Provider, actor: string) => Promise<Authorized<Result>> | Authorized<Result>,
  options?: AuthorizationOptions,
): Action<Result> {
  const ref = registryOf(connection);
  return actionOf(
    connection,
    async () => {
      const actor = await actorOf(connection, signer);
      const { name, message, args, result } = await prepare(providerOf(connection.runner), actor);
      const { type, values } = message;
      const authorization = await authorize(
        connection,
        signer,
        { domain: registryDomain(ref), type, fields: consentTypes[type], values },
        options,
      );
      return {
        to: ref.registry,
        data: consentRegistryInterface.encodeFunctionData(name as "revokeGrant", [...args, authorization] as never),
        preview: () => undefined,
        result,
      };
    },
    { relayed: signer !== undefined },
  );
}

/** @internal */
export function revoke(
  connection: Connection,
  signer: PatientSigner | undefined,
  grant: SignedGrant | GrantNumber,
  options?: AuthorizationOptions,
): Action<Revoked> {
  return authorizedAction<Revoked>(
    connection,
    signer,
    async (provider, actor) => {
      const opened = isFile(grant) ? requireRegistry(openSignedGrant(grant), registryOf(connection)) : undefined;
      const { patient, number } = opened?.chain.grant ?? numberOf(grant);
      const record = await knownRecordOf(provider, connection, patient);
      const own = opened && record.controllerHash !== keccak256(actor) ? ownDocumentOf(opened, actor) : undefined;
      if (own !== undefined) return { ...revocationOf(own), result: () => ({ patient, number, document: own }) };
      requireController(record, actor);
      if (opened !== undefined) await requireGenuine(provider, connection, opened, record);
      return {
        name: "revokeGrant",
        message: { type: "RevokeGrant", values: { patient, number } },
        args: [patient, number],
        result: () => ({ patient, number }),
      };
    },
    options,
  );
}

function numberOf(grant: SignedGrant | GrantNumber): GrantNumber {
  const { patient, number } = ((grant as unknown) ?? {}) as Partial<GrantNumber>;
  if (number === undefined || !Number.isInteger(number) || number < 0 || number >= 2 ** 32)
    throw new CarepactError("INPUT_INVALID", "number is a whole number below 2^32.", { path: "number" });
  return { patient: requireWord(patient, "patient"), number };
}

/** The first document of a grant that `actor` signed: a representative's grant, a grantee's sub-grant. */
function ownDocumentOf({ chain, documents }: OpenedGrant, actor: string): string | undefined {
  const grantees = [chain.grant, ...chain.subGrants.map(({ subGrant }) => subGrant)].map(({ grantee }) => grantee);
  const signers = [chain.signer, ...grantees.slice(0, -1)];
  return documents[signers.findIndex((signer) => signer.toLowerCase() === actor.toLowerCase())];
}

const revocationOf = (document: string): Omit<Authorized<never>, "result"> => ({
  name: "revokeOwnDocument",
  message: { type: "RevokeOwnDocument", values: { document } },
  args: [document],
});

/** @internal */
export const revokeOwn = (
  connection: Connection,
  signer: PatientSigner | undefined,
  document: string,
  options?: AuthorizationOptions,
): Action<{ document: string }> =>
  authorizedAction(
    connection,
    signer,
    () => {
      const digest = requireWord(document, "document");
      return { ...revocationOf(digest), result: () => ({ document: digest }) };
    },
    options,
  );

/** @internal */
export const revokeDocument = (
  connection: Connection,
  signer: PatientSigner | undefined,
  patient: string,
  document: string,
  options?: AuthorizationOptions,
): Action<{ patient: string; document: string }> =>
  authorizedAction(
    connection,
    signer,
    async (provider, actor) => {
      const values = { patient: requireWord(patient, "patient"), document: requireWord(document, "document") };
      requireController(await knownRecordOf(provider, connection, values.patient), actor);
      return {
        name: "revokeDocument",
        message: { type: "RevokeDocument", values },
        args: [values.patient, values.document],
        result: () => values,
      };
    },
    options,
  );

/** What the registry said in a transaction. */
const said = (connection: Connection, receipt: TransactionReceipt, name: string): Record<string, unknown> =>
  eventIn(receipt, { to: registryOf(connection).registry, abi: consentRegistryInterface }, name);

/** @internal */
export const revokeAll = (
  connection: Connection,
  signer: PatientSigner | undefined,
  patient: string,
  options?: AuthorizationOptions,
): Action<EpochEnded> =>
  authorizedAction(
    connection,
    signer,
    async (provider, actor) => {
      const id = requireWord(patient, "patient");
      const record = await activeRecordOf(provider, connection.deployment, id);
      requireController(record, actor);
      const { epoch } = record;
      return {
        name: "revokeAll",
        message: { type: "RevokeAll", values: { patient: id, epoch } },
        args: [id, epoch],
        result: (receipt) => ({
          patient: id,
          ended: epoch,
          epoch: Number(said(connection, receipt, "EpochEnded")["nextEpoch"]),
        }),
      };
    },
    options,
  );

/** @internal */
export const restrict = (
  connection: Connection,
  signer: PatientSigner | undefined,
  patient: string,
  restrictions: RestrictionsFile | Restrictions | undefined,
  options?: AuthorizationOptions,
): Action<Restricted> =>
  authorizedAction(
    connection,
    signer,
    async (provider, actor) => {
      const id = requireWord(patient, "patient");
      const restrictionsHash = hashFor(id, restrictions);
      const record = await activeRecordOf(provider, connection.deployment, id);
      requireController(record, actor);
      const values = { patient: id, restrictionsVersion: record.restrictionsVersion, restrictionsHash };
      return {
        name: "setRestrictions",
        message: { type: "SetRestrictions", values },
        args: [id, restrictionsHash],
        result: (receipt) => ({
          patient: id,
          restrictionsHash,
          version: Number(said(connection, receipt, "RestrictionsChanged")["version"]),
        }),
      };
    },
    options,
  );

function hashFor(patient: string, restrictions: RestrictionsFile | Restrictions | undefined): string {
  if (restrictions === undefined) return NO_INSTRUMENT;
  if (!isFile(restrictions)) return restrictionsHashOf(requireRestrictions(restrictions));
  const opened = openRestrictions(restrictions);
  if (opened.patient !== patient)
    throw new CarepactError("INPUT_INVALID", "The restrictions are another patient's.", { path: "restrictions" });
  return restrictionsHashOf(opened.restrictions);
}

/** What is anchored of a signed grant. */
export function anchorOf(opened: OpenedGrant): string {
  const { document, signature } = controllersDocumentOf(opened);
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [document, keccak256(signature)]));
}

/** @internal */
export const anchor = (connection: Connection, grant: SignedGrant): Action<{ anchor: string }> =>
  actionOf(
    connection,
    () => {
      const ref = registryOf(connection);
      const anchor = anchorOf(requireRegistry(openSignedGrant(grant), ref));
      return {
        to: ref.registry,
        data: consentRegistryInterface.encodeFunctionData("anchor", [anchor]),
        preview: () => undefined,
        result: () => ({ anchor }),
      };
    },
    { relayed: true },
  );

/** @internal */
export const anchoringOf = async (
  connection: Connection,
  grant: SignedGrant,
  options?: CallOptions,
): Promise<Anchoring> => {
  const ref = registryOf(connection);
  const opened = requireRegistry(openSignedGrant(grant), ref);
  const { mandate, signer, grant: granted } = opened.chain;
  const signerHash = keccak256(mandate.signer === NO_MANDATE.signer ? signer : mandate.signer);
  const epochOfDocument = mandate.signer === NO_MANDATE.signer ? granted.epoch : mandate.mandate.epoch;
  const anchor = anchorOf(opened);
  return reading(
    connection,
    async (provider) => {
      const [record, [at], end] = await Promise.all([
        knownRecordOf(provider, connection, granted.patient),
        ask(provider, ref, "anchoredAt", [anchor]) as Promise<[bigint]>,
        ask(provider, ref, "controllerEndOf", [granted.patient, signerHash]) as Promise<[bigint, bigint]>,
      ]);
      const [endedAt, endEpoch] = end;
      const isPast = epochOfDocument !== record.epoch;
      const inTime = at !== 0n && (endedAt === 0n || (at < endedAt && Number(endEpoch) === record.epoch));
      const found = (state: Anchoring["state"]): Anchoring => ({
        anchor,
        ...(at === 0n ? {} : { anchoredAt: Number(at) }),
        state,
      });
      if (record.controllerHash !== signerHash && endedAt === 0n) return found("notController");
      if (isPast) return found("tooLate");
      if (inTime) return found("done");
      return found(endedAt === 0n ? "needed" : "tooLate");
    },
    options,
  );
};
