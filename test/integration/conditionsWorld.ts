import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";

import { run } from "@carepact/sdk";
import {
  attestationOf,
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type Attestation,
  type AttestationStatement,
  type ClaimBatchFile,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import { rulebook, type RulebookInput } from "@carepact/sdk/rulebooks";
import { accountSigner, digestOf, type PatientSigner } from "@carepact/sdk/signers";

import { accountKey, contractKey, p256Key, passkey, type Key } from "../support/keys";
import { GRACE } from "../support/system";
import { originPasskey, type OriginPasskey } from "../unit/WebAuthnOriginVerifier/assertions";

import { CENT, deployWorld, fill, fundInput, openAs, type Party, type World } from "./support";

/** Above this the patient is asked: 1,000.00. */
export const THOUSAND = 100_000n * CENT;

/** A key as the SDK signs with it. */
export const signerOf = (key: Pick<Key, "signer" | "sign">): PatientSigner => ({
  signer: key.signer,
  sign: (message) => Promise.resolve(key.sign(digestOf(message))),
});

/** Keys of all kinds. */
interface Keys {
  /** In hardware: P-256. */
  p256: Key;
  passkey: Key;
  /** A wallet contract (ERC-1271). */
  wallet: Key;
  /** A passkey that the patient made at one page. */
  patient: OriginPasskey;
  /** An account without ether. */
  representative: Key;
}

/** The world with keys of all kinds. */
export interface KeysWorld extends World {
  keys: Keys;
}

/** For loadFixture. */
export async function deployKeys(): Promise<KeysWorld> {
  const world = await loadFixture(deployWorld);
  const { p256Verifier, webAuthnVerifier, webAuthnOriginVerifier } = world.deployment;
  return {
    ...world,
    keys: {
      p256: p256Key("network", p256Verifier),
      passkey: passkey("officer", webAuthnVerifier),
      wallet: await contractKey("network"),
      patient: originPasskey("patient", webAuthnOriginVerifier),
      representative: accountKey("representative"),
    },
  };
}

/** A batch under a rulebook of its own, opened in every way. */
export interface Conditioned {
  file: ClaimBatchFile;
  record: OpenedRecord;
  /** As the pharmacy opened it. */
  own: OpenedGroup;
}

/** What every rulebook of these tests says. */
const common = { eventKinds: 3, grace: GRACE };

/** Funds claims under a rulebook that is published first. */
export async function fundedUnder(
  world: World,
  rules: Pick<RulebookInput, "conditions" | "workflow">,
  claims: AdjudicatedClaim[],
): Promise<Conditioned> {
  const { id } = await run(world.admin.rulebooks.publish(rulebook({ ...rules, ...common })));
  const { file, record } = await run(world.payer.claims.fund({ ...(await fundInput(world, claims)), rulebook: id }));
  return { file, record: openClaimBatchRecord(record), own: await openAs(world.pharmacy, file) };
}

/** The dispensing pharmacy, and 2 of 3 networks (a P-256 key, a wallet contract, an account), and the patient above 1,000.00. */
export const pharmacyNetworksPatient = ({
  keys,
  attesters: [network],
}: KeysWorld): Pick<RulebookInput, "conditions"> => ({
  conditions: [
    { attesters: ["payee"] },
    { threshold: 2, attesters: [keys.wallet.signer, network.address, keys.p256.signer] },
    { attesters: ["patient"], above: THOUSAND },
  ],
});

/** A fill of which the patient, or a representative, can say that it was picked up. */
export const patientFill = ({ keys, pharmacy }: KeysWorld, prescription: string, paid: string): AdjudicatedClaim => ({
  ...fill(pharmacy.address, prescription, paid),
  patientKeys: [keys.patient.signer, keys.representative.signer],
});

/** A statement as a key signs it, which sees nothing but the message. */
export async function signedWith(
  { own }: Conditioned,
  statement: AttestationStatement,
  signer: PatientSigner | Pick<Key, "signer" | "sign">,
  party: Party,
): Promise<Attestation> {
  const key = "hash" in signer ? signerOf(signer as Key) : (signer as PatientSigner);
  const { signature } = await party.claims.attest(own, statement, { signer: key });
  return attestationOf(own, statement, { signer: key.signer, signature });
}

/** The account of a party, as a signer. */
export const accountOf = (party: Party): Promise<PatientSigner> => accountSigner(party.signer);
