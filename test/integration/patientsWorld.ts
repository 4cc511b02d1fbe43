import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { SigningKey, Wallet, concat, dataSlice, hexlify, id } from "ethers";
import { ethers } from "hardhat";

import { run, type Deployment } from "@carepact/sdk";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPatients, type Patients } from "@carepact/sdk/patients";
import {
  accountSigner,
  contractSigner,
  createPasskey,
  digestOf,
  p256Signer,
  passkeySigner,
  webCryptoSigner,
  type PatientSigner,
} from "@carepact/sdk/signers";

import type { ConsentRegistry, OrganizationRegistry } from "../../typechain-types";
import { authenticator } from "../support/authenticator";
import { ORDER, contractKey, p256Key, signP256 } from "../support/keys";
import { deploySystem, deploymentOf } from "../support/system";

/** The deployed system with organizations in good standing, and a relayer who pays for what others sign. */
export interface PatientsWorld {
  deployment: Deployment;
  registry: ConsentRegistry;
  organizations: OrganizationRegistry;
  admin: HardhatEthersSigner;
  /** Nobody in particular. */
  relayer: HardhatEthersSigner;
  clinic: HardhatEthersSigner;
  /** A clinic that holds records of minors. */
  custodian: HardhatEthersSigner;
  specialist: HardhatEthersSigner;
  hpkeKey: string;
}

/** For loadFixture. */
export async function deployPatientsWorld(): Promise<PatientsWorld> {
  const system = await deploySystem();
  const deployment = await deploymentOf(system);
  const [admin, relayer, clinic, custodian, specialist] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const { publicKey: hpkeKey } = await generateSealingKeys();
  const office = createOrganizations({ runner: admin, deployment });
  for (const { address } of [clinic, custodian, specialist])
    await run(office.register(address, { name: "A clinic", kinds: ["clinic"], hpkeKey }));
  const { consentRegistry: registry, registry: organizations } = system;
  return { deployment, registry, organizations, admin, relayer, clinic, custodian, specialist, hpkeKey };
}

/** The SDK in the hands of whoever holds a key; the relayer sends. */
export const patientsOf = ({ relayer, deployment }: PatientsWorld, signer?: PatientSigner): Patients =>
  createPatients({ runner: relayer, deployment }, signer === undefined ? {} : { signer });

/** An account of its own, which never holds ether. */
export const account = (name: string): Promise<PatientSigner> => accountSigner(new Wallet(id(`account ${name}`)));

/** A passkey on a device of its own. */
export async function passkey({ deployment }: PatientsWorld): Promise<PatientSigner> {
  const credentials = authenticator();
  const key = await createPasskey({ application: "Records", user: "me", credentials });
  return passkeySigner(key, { verifier: deployment.webAuthnVerifier, credentials });
}

/** A key of each kind that there is. */
export const keysOfEachKind: Record<string, (world: PatientsWorld) => Promise<PatientSigner>> = {
  "an account": () => account("of a patient"),
  "a wallet contract": async () => {
    const { signer } = await contractKey("of a patient");
    const owner = new SigningKey(id("owner of a patient"));
    return contractSigner(signer, (message) => Promise.resolve(owner.sign(digestOf(message)).serialized));
  },
  "a P-256 key in a module": ({ deployment: { p256Verifier: verifier } }) => {
    const secret = BigInt(id("P-256 of a patient")) % ORDER;
    const publicKey = dataSlice(p256Key("of a patient", verifier).signer, 20);
    const sign = (digest: Uint8Array): Promise<string> => Promise.resolve(concat(signP256(secret, hexlify(digest))));
    return Promise.resolve(p256Signer({ publicKey, verifier, sign }));
  },
  "a passkey": passkey,
  "a key of WebCrypto": async ({ deployment }) => {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const keys = await globalThis.crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
    return webCryptoSigner(keys, { verifier: deployment.webAuthnVerifier, origin: "https://patient.example" });
  },
};

/** Counts how often a key is asked. */
export function counted(signer: PatientSigner): PatientSigner & { times: () => number } {
  let times = 0;
  return {
    signer: signer.signer,
    sign: (message) => {
      times += 1;
      return signer.sign(message);
    },
    times: () => times,
  };
}

/** Registers a record of this key, relayed, and gives its id. */
export async function registered(world: PatientsWorld, signer: PatientSigner, salt?: string): Promise<string> {
  const input = { hpkeKey: world.hpkeKey, ...(salt === undefined ? {} : { salt }) };
  return (await run(patientsOf(world, signer).register(input))).patient;
}
