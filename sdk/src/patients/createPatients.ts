import { AbiCoder, type TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { askNow } from "../chain/ask";
import { chainTimeOf, deploymentOf, providerOf, type Connection } from "../chain/deployment";
import { eventIn } from "../chain/events";
import { consentRegistryInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { registryDomain, type SignedMandate } from "../consents/types";
import { randomSalt, systemRandom } from "../encryption/random";
import { CarepactError } from "../errors";
import {
  actorOf,
  authorize,
  requireAuthorization,
  signing,
  WEEK,
  type Authorization,
  type AuthorizationOptions,
} from "../signers/authorization";
import type { PatientSigner } from "../signers/types";

import { controllerActions } from "./acting";
import { signMandate, type MandateInput } from "./mandate";
import { patientTypes } from "./messages";
import { checkProofing, type ProofingCheck, type ProofingLevel, type SignedProofing } from "./proofing";
import {
  activeRecordOf,
  patientIdOf,
  recordOf,
  requireController,
  requireWord,
  signerHashOf,
  ZERO,
  type PatientRecord,
} from "./record";
import { createRecoveries, requireGiven, type Recoveries, type SigningOptions } from "./recovery";

/** Who acts for patients. */
export interface PatientsOptions {
  /**
   * The key that acts. It signs, and anybody sends: the connection's runner pays, or a relayer to whom `populate()` gives
   * the transaction; then a provider is enough of a runner. Unless given, the runner acts itself.
   */
  signer?: PatientSigner | undefined;
}

/** A new record. */
export interface RegisterInput {
  /** X25519 public key to which files for the patient are sealed: `generateSealingKeys` makes one. */
  hpkeKey: string;
  /** 32 bytes; random unless given. A custodian gives `custodianSaltOf`. */
  salt?: string;
}

/** What it takes to tell which record was registered. */
export interface Registered {
  /** Its id. */
  patient: string;
  salt: string;
}

/** Both sides of a merger, each of which has to agree. */
export interface MergeInput {
  /** The duplicate. */
  from: string;
  /** The record that stays. */
  into: string;
  /** Who controls `from`, or what it signed with `agreeToMerge`; unless given, who acts here. */
  ofFrom?: PatientSigner | Authorization;
  /** The same of `into`. */
  ofInto?: PatientSigner | Authorization;
}

/**
 * Patients of one deployment. Actions throw PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE, NOT_CONTROLLER and IDENTIFIER_INVALID
 * before anything is signed, and AUTHORIZATION_EXPIRED for a deadline that has passed. The key is asked once for each,
 * whichever of its functions is called first.
 */
export interface Patients {
  /** Registers a record of who acts. @throws KEY_INVALID, PATIENT_ALREADY_REGISTERED */
  register(input: RegisterInput, options?: AuthorizationOptions): Action<Registered, Registered>;
  /**
   * Gives the record to another key. What the former one signed counts from now on only if it was anchored before; a change
   * of contacts that it began comes to nothing. Contacts that hold stay.
   * @param input `to`: the new key, or what it signed with `acceptControl`; `endEpoch`: whether to end all grants and
   * mandates too, as who lost a phone does, and a custodian at majority
   * @throws CONTROLLER_USED_BEFORE, INPUT_INVALID
   */
  rotate(
    patient: string,
    input: { to: PatientSigner | Authorization; endEpoch: boolean },
    options?: AuthorizationOptions,
  ): Action<{ patient: string; controllerVersion: number; epoch: number }>;
  /** What a new key signs to have the record; good for a week unless told otherwise. @throws RUNNER_CANNOT_SIGN without a signer */
  acceptControl(patient: string, options?: SigningOptions): Promise<Authorization>;
  /** Changes the key to which files are sealed. @throws KEY_INVALID */
  setHpkeKey(
    patient: string,
    hpkeKey: string,
    options?: AuthorizationOptions,
  ): Action<{ patient: string; hpkeKeyVersion: number }>;
  /** Sets the commitment to a proofing document, see `proofingOf`; undefined: none any more. */
  setProofing(
    patient: string,
    proofing: string | undefined,
    options?: AuthorizationOptions,
  ): Action<{ patient: string; proofingVersion: number }>;
  /** Says that one record is a duplicate of another. Final; nothing is deleted. @throws INPUT_INVALID */
  merge(input: MergeInput, options?: AuthorizationOptions): Action<{ from: string; into: string }>;
  /** What the other side of a merger signs; good for a week unless told otherwise. @throws RUNNER_CANNOT_SIGN without a signer */
  agreeToMerge(input: { from: string; into: string }, options?: SigningOptions): Promise<Authorization>;
  /** Ends the record. Final; it can still revoke, and nothing is deleted. */
  deactivate(patient: string, options?: AuthorizationOptions): Action<{ patient: string }>;
  /** What the chain knows of a patient; undefined when there is none. @throws IDENTIFIER_INVALID */
  get(patient: string, options?: CallOptions): Promise<PatientRecord | undefined>;
  /** The record into which this one was merged in the end; itself if it was not. @throws IDENTIFIER_INVALID */
  resolve(patient: string, options?: CallOptions): Promise<string>;
  /**
   * Signs what a personal representative may grant and see. Nothing of it goes on chain.
   * @throws RUNNER_CANNOT_SIGN without a signer, MANDATE_TOO_WIDE, MANDATE_MALFORMED, PATIENT_OF_AGE,
   * ORGANIZATION_NOT_IN_STANDING, MINOR_RULES_INVALID, INPUT_INVALID, CODE_UNKNOWN
   */
  representativeMandate(patient: string, input: MandateInput, options?: CallOptions): Promise<SignedMandate>;
  /** Whether a document that somebody shows is the one that the record commits to, and can be relied on. */
  checkProofing(
    patient: string,
    proofing: SignedProofing,
    options?: CallOptions & { level?: ProofingLevel },
  ): Promise<ProofingCheck>;
  /** Recovery by contacts. */
  recovery: Recoveries;
}

type Receipt = TransactionReceipt;

export function createPatients(connection: Connection, { signer }: PatientsOptions = {}): Patients {
  const deployment = deploymentOf(connection);
  const contract = { to: deployment.consentRegistry, abi: consentRegistryInterface };
  const encode = consentRegistryInterface.encodeFunctionData.bind(consentRegistryInterface);
  const domain = registryDomain({ chainId: deployment.chainId, registry: deployment.consentRegistry });
  const relayed = { relayed: signer !== undefined };
  const active = (patient: string): Promise<PatientRecord> =>
    activeRecordOf(providerOf(connection.runner), deployment, patient);
  const sign = (
    key: PatientSigner | undefined,
    type: keyof typeof patientTypes,
    values: Record<string, unknown>,
    options?: AuthorizationOptions,
    lasting?: number,
  ): Promise<Authorization> =>
    authorize(connection, key, { domain, type, fields: patientTypes[type], values }, options, lasting);

  const acting = controllerActions(connection, signer, {
    to: contract.to,
    read: async (patient) => ({ record: await active(patient) }),
    sign: (type: keyof typeof patientTypes, values, options) => sign(signer, type, values, options),
  });
  const said = (receipt: Receipt, event: string): Record<string, unknown> => eventIn(receipt, contract, event);
  /** What the other key signs, or signed. @throws INPUT_INVALID, AUTHORIZATION_EXPIRED */
  const signedBy = async (
    other: PatientSigner | Authorization,
    path: string,
    make: (key: PatientSigner) => Promise<Authorization>,
  ): Promise<Authorization> =>
    typeof (other as Partial<PatientSigner> | undefined)?.sign === "function"
      ? make(other as PatientSigner)
      : requireAuthorization(other, path, await chainTimeOf(providerOf(connection.runner)));

  return {
    register: ({ hpkeKey, salt: given }, options) => {
      // Once, so that what was looked at is what is sent, also where a preparation fails.
      const salt = given ?? randomSalt(systemRandom);
      return actionOf(
        connection,
        async () => {
          const key = requireHpkeKey(hpkeKey);
          const patient = patientIdOf(await actorOf(connection, signer), salt);
          if ((await recordOf(providerOf(connection.runner), deployment, patient)) !== undefined)
            throw new CarepactError("PATIENT_ALREADY_REGISTERED", "This record is there already.", { patient, salt });
          const authorization = await sign(signer, "Register", { patient, hpkeKey: key }, options);
          return {
            to: contract.to,
            data: encode("register", [salt, key, authorization]),
            preview: (returned) => ({ patient: decodeWord(returned), salt }),
            result: (receipt) => ({ patient: String(said(receipt, "PatientRegistered")["patient"]), salt }),
          };
        },
        relayed,
      );
    },
    rotate: (patient, { to, endEpoch }, options) =>
      actionOf(
        connection,
        async () => {
          const record = await active(patient);
          const { patient: id, controllerVersion } = record;
          requireController(record, await actorOf(connection, signer));
          if (typeof endEpoch !== "boolean")
            throw new CarepactError("INPUT_INVALID", "endEpoch is true or false.", { path: "endEpoch" });
          const accept = (key: PatientSigner): Promise<Authorization> =>
            sign(key, "AcceptControl", { patient: id, controllerVersion }, options);
          // The new key before the present one: if it does not work, nobody signs that it is to have the record.
          const acceptance = await signedBy(to, "to", accept);
          const newController = signerHashOf(acceptance.signer);
          await requireUnused(id, newController);
          const values = { patient: id, controllerVersion, newController, endEpoch };
          const authorization = await sign(signer, "RotateController", values, options);
          return {
            to: contract.to,
            data: encode("rotateController", [id, acceptance, endEpoch, authorization]),
            preview: () => undefined,
            result: (receipt: Receipt) => ({
              patient: id,
              controllerVersion: Number(said(receipt, "ControllerChanged")["controllerVersion"]),
              epoch: endEpoch ? Number(said(receipt, "EpochEnded")["nextEpoch"]) : record.epoch,
            }),
          };
        },
        relayed,
      ),
    acceptControl: (patient, options) =>
      signing(
        connection,
        async () => {
          const key = requireGiven(signer);
          const { patient: id, controllerVersion } = await active(patient);
          await requireUnused(id, signerHashOf(key.signer));
          return sign(key, "AcceptControl", { patient: id, controllerVersion }, options, WEEK);
        },
        options,
      ),
    setHpkeKey: (patient, hpkeKey, options) =>
      acting(patient, options, ({ record }) => {
        const key = requireHpkeKey(hpkeKey);
        if (key === record.hpkeKey)
          throw new CarepactError("KEY_INVALID", "This is the sealing key that the patient has.", { path: "hpkeKey" });
        return {
          type: "SetPatientHpkeKey",
          values: { hpkeKeyVersion: record.hpkeKeyVersion, hpkeKey: key },
          data: (authorization) => encode("setPatientHpkeKey", [record.patient, key, authorization]),
          result: (receipt) => ({
            patient: record.patient,
            hpkeKeyVersion: Number(said(receipt, "PatientHpkeKeyChanged")["version"]),
          }),
        };
      }),
    setProofing: (patient, given, options) =>
      acting(patient, options, ({ record }) => {
        const proofing = given === undefined ? ZERO : requireWord(given, "proofing");
        return {
          type: "SetProofing",
          values: { proofingVersion: record.proofingVersion, proofing },
          data: (authorization) => encode("setProofing", [record.patient, proofing, authorization]),
          result: (receipt) => ({
            patient: record.patient,
            proofingVersion: Number(said(receipt, "ProofingChanged")["version"]),
          }),
        };
      }),
    merge: ({ from, into, ofFrom, ofInto }, options) =>
      actionOf(
        connection,
        async () => {
          const pair = requirePair(from, into);
          const records = [await active(pair.from), await active(pair.into)] as const;
          const here = ofFrom === undefined || ofInto === undefined ? await actorOf(connection, signer) : "";
          [ofFrom, ofInto].forEach((side, i) => requireController(records[i]!, side?.signer ?? here));
          const side = (given: PatientSigner | Authorization | undefined, path: string): Promise<Authorization> =>
            given === undefined
              ? sign(signer, "MergePatients", pair, options)
              : signedBy(given, path, (key) => sign(key, "MergePatients", pair, options));
          const authorizations = [await side(ofFrom, "ofFrom"), await side(ofInto, "ofInto")] as const;
          return {
            to: contract.to,
            data: encode("mergePatients", [pair.from, pair.into, ...authorizations]),
            preview: () => undefined,
            result: () => pair,
          };
        },
        { relayed: signer !== undefined || (ofFrom !== undefined && ofInto !== undefined) },
      ),
    agreeToMerge: ({ from, into }, options) =>
      signing(
        connection,
        async () => {
          const key = requireGiven(signer);
          const pair = requirePair(from, into);
          const records = [await active(pair.from), await active(pair.into)];
          const hash = signerHashOf(key.signer);
          if (!records.some(({ controllerHash }) => controllerHash === hash))
            requireController(records[0]!, key.signer);
          return sign(key, "MergePatients", pair, options, WEEK);
        },
        options,
      ),
    deactivate: (patient, options) =>
      acting(patient, options, ({ record }) => ({
        type: "DeactivatePatient",
        values: {},
        data: (authorization) => encode("deactivatePatient", [record.patient, authorization]),
        result: () => ({ patient: record.patient }),
      })),
    get: (patient, options) =>
      reading(connection, (provider) => recordOf(provider, deployment, requireWord(patient, "patient")), options),
    resolve: (patient, options) =>
      reading(
        connection,
        async (provider) => {
          const id = requireWord(patient, "patient");
          return String((await askNow(provider, contract, "resolvePatient", [id]))[0]);
        },
        options,
      ),
    representativeMandate: (patient, input, options) =>
      signing(
        connection,
        (provider) => signMandate(provider, deployment, requireGiven(signer), patient, input),
        options,
      ),
    checkProofing: (patient, proofing, options) =>
      reading(
        connection,
        (provider) => checkProofing(provider, deployment, requireWord(patient, "patient"), proofing, options?.level),
        options,
      ),
    recovery: createRecoveries(connection, signer),
  };

  /** @throws CONTROLLER_USED_BEFORE */
  async function requireUnused(patient: string, controllerHash: string): Promise<void> {
    const provider = providerOf(connection.runner);
    const [current] = await askNow(provider, contract, "controllerOf", [patient]);
    const [endedAt] = (await askNow(provider, contract, "controllerEndOf", [patient, controllerHash])) as [bigint];
    if (current !== controllerHash && endedAt === 0n) return;
    const message = "This key controls the record, or did before, and does not come back: take another.";
    throw new CarepactError("CONTROLLER_USED_BEFORE", message, { patient, controllerHash });
  }
}

const decodeWord = (returned: string): string =>
  (AbiCoder.defaultAbiCoder().decode(["bytes32"], returned) as unknown as [string])[0];

function requireHpkeKey(hpkeKey: unknown): string {
  if (typeof hpkeKey === "string" && /^0x[0-9a-f]{64}$/i.test(hpkeKey) && hpkeKey !== ZERO)
    return hpkeKey.toLowerCase();
  throw new CarepactError("KEY_INVALID", "A sealing key is 32 bytes in hex, and not zero.", { path: "hpkeKey" });
}

function requirePair(from: string, into: string): { from: string; into: string } {
  const pair = { from: requireWord(from, "from"), into: requireWord(into, "into") };
  if (pair.from === pair.into)
    throw new CarepactError("INPUT_INVALID", "A record cannot be merged into itself.", { path: "into" });
  return pair;
}
