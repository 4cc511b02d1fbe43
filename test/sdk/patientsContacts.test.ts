import { expect } from "chai";
import { AbiCoder, Wallet, concat, id, keccak256 } from "ethers";
import fc from "fast-check";

import {
  contactsHashOf,
  custodianSaltOf,
  patientIdOf,
  recoveryContacts,
  signerHashOf,
  type RecoveryContacts,
} from "@carepact/sdk/patients";

import { SEED } from "../support/arbitraries";

import { refused } from "./refused";

const DAY = 24 * 60 * 60;
const account = (name: string): string => new Wallet(id(name)).address;
const key = concat([account("verifier"), id("x"), id("y")]);
const three = [account("a"), account("b"), key];
const contacts = (): RecoveryContacts => recoveryContacts({ contacts: three, threshold: 2, delay: 7 * DAY });

describe("Recovery contacts", () => {
  it("come in the order that the contract wants, whatever order they were named in", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(three, { minLength: 3 }), (named) => {
        const { contacts: sorted, ...rest } = recoveryContacts({ contacts: named, threshold: 2, delay: 7 * DAY });

        expect(sorted.map((contact) => keccak256(contact))).to.deep.equal(
          three.map((contact) => keccak256(contact)).sort(),
        );
        expect(rest).to.include({ threshold: 2, delay: 7 * DAY });
      }),
      { seed: SEED, numRuns: 20 },
    );
  });

  it("are salted, so that nobody guesses them from their hash", () => {
    expect(contactsHashOf(contacts())).not.to.equal(contactsHashOf(contacts()));
  });

  it("are hashed as the contract does", () => {
    const chosen = contacts();
    const type = "tuple(bytes[] contacts, uint8 threshold, uint32 delay, bytes32 salt)";

    expect(contactsHashOf(chosen)).to.equal(keccak256(AbiCoder.defaultAbiCoder().encode([type], [chosen])));
  });

  it("are JSON as they are", () => {
    const chosen = contacts();

    expect(contactsHashOf(JSON.parse(JSON.stringify(chosen)) as RecoveryContacts)).to.equal(contactsHashOf(chosen));
  });

  const many = Array.from({ length: 17 }, (_, i) => account(`contact ${i}`));
  it("may be 16, and no more", () => {
    expect(recoveryContacts({ contacts: many.slice(1), threshold: 16, delay: 3 * DAY }).contacts).to.have.length(16);
    refused("CONTACTS_INVALID", () => recoveryContacts({ contacts: many, threshold: 2, delay: 3 * DAY }));
  });

  const inputs: Record<string, [Record<string, unknown>, string]> = {
    none: [{ contacts: [] }, "contacts"],
    "what is no list": [{ contacts: "0x11" }, "contacts"],
    "one twice": [{ contacts: [three[0], three[1], three[0]] }, ""],
    "one twice, in another spelling": [{ contacts: [three[0], three[0]!.toLowerCase()] }, "contacts[1]"],
    "an address that is too short": [{ contacts: ["0x1234"] }, "contacts[0]"],
    "a name": [{ contacts: ["alice.eth"] }, "contacts[0]"],
    nobody: [{ contacts: [undefined] }, "contacts[0]"],
    "a threshold of zero": [{ threshold: 0 }, "threshold"],
    "a threshold above their number": [{ threshold: 4 }, "threshold"],
    "a threshold in text": [{ threshold: "2" }, "threshold"],
    "a delay of less than 3 days": [{ delay: 3 * DAY - 1 }, "delay"],
    "a delay of more than 90 days": [{ delay: 90 * DAY + 1 }, "delay"],
    "no delay": [{ delay: undefined }, "delay"],
  };
  for (const [name, [changes, path]] of Object.entries(inputs))
    it(`cannot be: ${name}`, () => {
      const input = { contacts: three, threshold: 2, delay: 7 * DAY, ...changes };
      const error = refused("CONTACTS_INVALID", () => recoveryContacts(input));
      expect(error.details["path"]).to.contain(path);
    });

  it("are refused where they were changed by hand", () => {
    const chosen = contacts();
    const bad: unknown[] = [
      undefined,
      {},
      { ...chosen, contacts: [...chosen.contacts].reverse() },
      { ...chosen, salt: "0x11" },
      { ...chosen, salt: undefined },
    ];
    for (const value of bad) refused("CONTACTS_INVALID", () => contactsHashOf(value as RecoveryContacts));
  });
});

describe("Ids of patients", () => {
  it("commit to the controller and a salt", () => {
    const salt = id("salt");
    const signer = account("a");
    const encoded = AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [keccak256(signer), salt]);

    expect(signerHashOf(signer)).to.equal(keccak256(signer));
    expect(patientIdOf(signer, salt)).to.equal(keccak256(encoded));
    expect(patientIdOf(signer.toLowerCase(), salt)).to.equal(keccak256(encoded));
  });

  it("commit to the custodian of a minor's record, which can open it", () => {
    const [organization, secret] = [account("custodian"), id("secret")];
    const encoded = AbiCoder.defaultAbiCoder().encode(["address", "bytes32"], [organization, secret]);

    expect(custodianSaltOf(organization, secret)).to.equal(keccak256(encoded));
    expect(custodianSaltOf(account("another"), secret)).not.to.equal(keccak256(encoded));
  });

  it("are not made of what is none", () => {
    refused("IDENTIFIER_INVALID", () => signerHashOf("0x"));
    refused("IDENTIFIER_INVALID", () => signerHashOf(`0x${"11".repeat(1025)}`));
    refused("IDENTIFIER_INVALID", () => patientIdOf(account("a"), "0x11"));
    refused("IDENTIFIER_INVALID", () => patientIdOf(undefined as never, id("salt")));
    refused("IDENTIFIER_INVALID", () => custodianSaltOf(key, id("secret")));
    refused("IDENTIFIER_INVALID", () => custodianSaltOf(account("a"), "secret"));
  });
});
