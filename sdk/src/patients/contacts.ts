import { AbiCoder, keccak256 } from "ethers";

import { randomSalt, systemRandom, type RandomSource } from "../encryption/random";
import { CarepactError, isCarepactError } from "../errors";

import { requireSigner, requireWord } from "./record";

/** Who can recover a record: one document, kept off chain. JSON as it is. */
export interface RecoveryContacts {
  /** ERC-7913 signers, 1 to 16, in ascending order of their keccak256. */
  contacts: string[];
  /** How many of them are enough. */
  threshold: number;
  /** Seconds for which the controller can veto, and once more after all contacts overrode a veto: 3 to 90 days. */
  delay: number;
  /** 32 random bytes. */
  salt: string;
}

/** What a patient chooses. */
export interface ContactsInput {
  /** ERC-7913 signers, in any order. */
  contacts: readonly string[];
  threshold: number;
  /** Seconds. */
  delay: number;
  /** Only tests pass their own. */
  random?: RandomSource;
}

const DAY = 24 * 60 * 60;
const MAX_CONTACTS = 16;
const MIN_DELAY = 3 * DAY;
const MAX_DELAY = 90 * DAY;
const CONTACTS_TYPE = "tuple(bytes[] contacts,uint8 threshold,uint32 delay,bytes32 salt)";

/** Recovery contacts as the contract takes them. @throws CONTACTS_INVALID */
export function recoveryContacts({ contacts, threshold, delay, random }: ContactsInput): RecoveryContacts {
  const sorted = Array.isArray(contacts)
    ? contacts.map(requireContact).sort((a, b) => (keccak256(a) < keccak256(b) ? -1 : 1))
    : [];
  return requireContacts({ contacts: sorted, threshold, delay, salt: randomSalt(random ?? systemRandom) });
}

/** What is on chain of recovery contacts: keccak256(abi.encode(contacts)). @throws CONTACTS_INVALID */
export const contactsHashOf = (contacts: RecoveryContacts): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode([CONTACTS_TYPE], [requireContacts(contacts)]));

/** @internal Contacts that could be used: nobody tells later, since only their hash goes on chain. @throws CONTACTS_INVALID */
export function requireContacts(value: RecoveryContacts): RecoveryContacts {
  const { contacts, threshold, delay, salt } = (value ?? {}) as Partial<RecoveryContacts>;
  if (!Array.isArray(contacts) || contacts.length === 0 || contacts.length > MAX_CONTACTS)
    throw invalid("There have to be 1 to 16 contacts.", "contacts");
  const checked = (contacts as unknown[]).map(requireContact);
  const hashes = checked.map((contact) => keccak256(contact));
  hashes.forEach((hash, i) => {
    if (i > 0 && hash <= hashes[i - 1]!)
      throw invalid("A contact is named twice, or out of the order of their hashes.", `contacts[${i}]`);
  });
  if (!isWithin(threshold, 1, contacts.length))
    throw invalid("The threshold lies between 1 and the number of contacts.", "threshold");
  if (!isWithin(delay, MIN_DELAY, MAX_DELAY)) throw invalid("The delay is 3 to 90 days, in seconds.", "delay");
  try {
    return { contacts: checked, threshold, delay, salt: requireWord(salt, "salt") };
  } catch (thrown) {
    throw invalid("The salt is 32 bytes in hex.", "salt", thrown);
  }
}

function requireContact(value: unknown, index: number): string {
  try {
    return requireSigner(value, `contacts[${index}]`);
  } catch (thrown) {
    if (!isCarepactError(thrown)) throw thrown;
    throw invalid("A contact is an ERC-7913 signer: 20 bytes or more in hex.", `contacts[${index}]`, thrown);
  }
}

const isWithin = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

const invalid = (message: string, path: string, cause?: unknown): CarepactError =>
  new CarepactError("CONTACTS_INVALID", message, { path }, cause);
