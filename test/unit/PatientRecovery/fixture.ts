import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { ContractTransactionResponse } from "ethers";
import { AbiCoder, ZeroHash, id, keccak256 } from "ethers";

import type {
  AuthorizationStruct,
  ContactSignatureStruct,
  RecoveryContactsStruct,
} from "../../../typechain-types/contracts/identity/PatientRecovery";
import { actions, authorize, deployWithPatient } from "../../support/consents";
import { type Key, accountKey, contractKey, digestOf, p256Key, passkey } from "../../support/keys";
import { DAY } from "../../support/system";
import type { Patient } from "../ConsentRegistry/actions";

export const DELAY = 10 * DAY;
export const CONTACTS_DELAY = 7 * DAY;
export const WINDOW = 30 * DAY;
export const PHASE = { none: 0n, waiting: 1n, vetoed: 2n, overridden: 3n, executed: 4n };
/** The key to which the record is recovered. */
export const RECOVERED = accountKey("recovered");

/** Contacts in the order that the contract wants, and what they commit to. */
export interface Circle {
  keys: Key[];
  contacts: RecoveryContactsStruct;
  hash: string;
}

export function circleOf(keys: Key[], threshold: number, changes: Partial<RecoveryContactsStruct> = {}): Circle {
  const sorted = [...keys].sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const contacts = {
    contacts: sorted.map(({ signer }) => signer),
    threshold,
    delay: DELAY,
    salt: id("salt of contacts"),
    ...changes,
  };
  return { keys: sorted, contacts, hash: hashOf(contacts) };
}

/** keccak256(abi.encode(contacts)), without the contract. */
export const hashOf = (contacts: RecoveryContactsStruct): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["tuple(bytes[] contacts,uint8 threshold,uint32 delay,bytes32 salt)"],
      [contacts],
    ),
  );

export interface WithContacts extends Patient {
  circle: Circle;
}

/** A patient with four contacts of four kinds, of whom two are enough, and who hold already. */
export async function deployWithContacts(): Promise<WithContacts> {
  const context = await deployWithPatient();
  const keys = [
    accountKey("sister"),
    await contractKey("clinic's wallet"),
    p256Key("notary", context.p256Verifier),
    passkey("friend", context.webAuthnVerifier),
  ];
  const circle = circleOf(keys, 2);
  await change(context, ZeroHash, circle.hash, 1);
  await time.increase(CONTACTS_DELAY);
  return { ...context, circle };
}

/** Sets contacts by the controller's message. */
export const change = (
  { recovery, recoveryDomain, key, patient }: Patient,
  from: string,
  to: string,
  number: number,
  by = key,
): Promise<ContractTransactionResponse> =>
  recovery.changeContacts(
    patient,
    from,
    to,
    authorize(recoveryDomain, by, "ChangeContacts", { patient, from, to, change: number }),
  );

const FAR = 2n ** 40n;

/** Signatures of the contacts at these places over the start of a recovery, or over a veto. */
export function signaturesOf(
  { recoveryDomain, patient, circle }: WithContacts,
  who: number[],
  changes: { action?: "StartRecovery" | "OverrideVeto"; number?: number; to?: Key; deadline?: bigint } = {},
): ContactSignatureStruct[] {
  const { action = "StartRecovery", number = 1, to = RECOVERED, deadline = FAR } = changes;
  const message = { patient, number, contactsHash: circle.hash, newController: to.hash, deadline };
  const digest = digestOf(recoveryDomain, actions[action], message);
  return who.map((contact) => ({ contact, deadline, signature: circle.keys[contact]!.sign(digest) }));
}

export const acceptanceOf = (
  { recoveryDomain, patient }: Patient,
  number = 1,
  by: Key = RECOVERED,
): AuthorizationStruct => authorize(recoveryDomain, by, "AcceptRecovery", { patient, number });

export const start = (context: WithContacts, number = 1, who = [0, 2]): Promise<ContractTransactionResponse> =>
  context.recovery.startRecovery(
    context.patient,
    context.circle.contacts,
    acceptanceOf(context, number),
    signaturesOf(context, who, { number }),
  );

export const veto = (
  { recovery, recoveryDomain, key, patient }: Patient,
  number = 1,
  by = key,
): Promise<ContractTransactionResponse> =>
  recovery.vetoRecovery(patient, authorize(recoveryDomain, by, "VetoRecovery", { patient, number }));

export const override = (context: WithContacts, who = [0, 1, 2, 3], number = 1): Promise<ContractTransactionResponse> =>
  context.recovery.overrideVeto(
    context.patient,
    context.circle.contacts,
    signaturesOf(context, who, { action: "OverrideVeto", number }),
  );

export const controllerOf = async ({ consents, patient }: Patient): Promise<string> =>
  (await consents.controllerOf(patient)).controllerHash;
