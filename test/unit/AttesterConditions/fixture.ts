import { concat, dataLength, type BytesLike, toBeHex } from "ethers";
import { ethers } from "hardhat";

import { attestationDigestOf, type GroupResult } from "@carepact/sdk/claims";

import type { AttesterConditions } from "../../../typechain-types";
import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";
import { buildBatch, settlementOf, type AttestationInput, type TestBatch } from "../../support/batches";
import { deployClaims, fundedOf, type Claims } from "../../support/claims";
import { accountKey, contractKey, p256Key, passkey, type Key } from "../../support/keys";
import { publish, rulebookOf } from "../../support/system";
import { originPasskey } from "../WebAuthnOriginVerifier/assertions";

import { packOpening, withPatients, type PatientBatch } from "./patients";

/** 1,000.00 of the test token, in base units. */
export const THOUSAND = 1_000_000_000n;

export const PAYEE = "0x01";
export const PATIENT = "0x02";

/** A condition of a rulebook. */
export interface Condition {
  threshold: number;
  above: bigint;
  attesters: string[];
}

export interface World extends Claims {
  /** The escrow, for the errors of conditions. */
  conditions: AttesterConditions;
  /** In ascending order of address, so that group `i` of a batch is that of pharmacy `i`. */
  pharmacies: Key[];
  /** In ascending order of signer: a wallet contract, an account and a P-256 key, as they happen to come. */
  networks: Key[];
  /** One-time keys of each line: patient `i` signs for line `i`. */
  patients: Key[];
  /** May sign for every line as well. */
  representative: Key;
  /** Named by no rulebook and committed to by no batch. */
  stranger7913: Key;
  /** "The dispensing pharmacy AND 2 of 3 networks AND, above 1,000.00, the patient". */
  three: string;
}

/** Index of the attesters of {@link World.three}, over all conditions. */
export const AT = { pharmacy: 0, networks: [1, 2, 3], patient: 4 } as const;

export const bySigner = (a: Key, b: Key): number => (a.signer.toLowerCase() < b.signer.toLowerCase() ? -1 : 1);

/** One condition: `threshold` of these, above this amount. */
export const conditionOf = (threshold: number, attesters: readonly string[], above = 0n): Condition => ({
  threshold,
  above,
  attesters: attesters.map((attester) => attester.toLowerCase()).sort(),
});

/** Publishes a rulebook of these conditions. */
export const publishConditions = (claims: Claims, ...attesterGroups: Condition[]): Promise<string> =>
  publish(claims.rulebooks, rulebookOf([], 0, { attesterGroups }));

/** Deploys everything. For loadFixture. */
export async function deployWorld(): Promise<World> {
  const claims = await deployClaims();
  const { p256Verifier, webAuthnVerifier, webAuthnOriginVerifier } = claims;
  const networks = [accountKey("network"), p256Key("network", p256Verifier), await contractKey("network")];
  networks.sort(bySigner);
  const three = await publishConditions(
    claims,
    conditionOf(1, [PAYEE]),
    conditionOf(
      2,
      networks.map(({ signer }) => signer),
    ),
    conditionOf(1, [PATIENT], THOUSAND),
  );
  return {
    ...claims,
    conditions: await ethers.getContractAt("AttesterConditions", await claims.escrow.getAddress()),
    pharmacies: [accountKey("pharmacy 0"), await contractKey("pharmacy 1"), accountKey("pharmacy 2")].sort(bySigner),
    networks,
    patients: [
      originPasskey("patient 0", webAuthnOriginVerifier),
      passkey("patient 1", webAuthnVerifier),
      p256Key("patient 2", p256Verifier),
      accountKey("patient 3"),
      originPasskey("patient 4", webAuthnOriginVerifier),
    ],
    representative: accountKey("representative"),
    stranger7913: p256Key("stranger", p256Verifier),
    three,
  };
}

/** A batch that pays line amounts `lines[i]` to pharmacy `i`, and commits to each line's patient and to the representative. */
export async function patientBatchOf(world: World, lines: bigint[][], rulebook = world.three): Promise<PatientBatch> {
  const keys = lines.flat().map((_, line) => [world.patients[line]!, world.representative]);
  return withPatients(await plainBatchOf(world, lines, rulebook), keys);
}

/** The same without patients' keys. */
export async function plainBatchOf(world: World, lines: bigint[][], rulebook = world.three): Promise<TestBatch> {
  return buildBatch(world.escrow, {
    payer: world.payer.address,
    token: await world.token.getAddress(),
    rulebook,
    lines: Object.fromEntries(lines.map((amounts, group) => [world.pharmacies[group]!.signer, amounts])),
  });
}

/** A funded batch as {@link patientBatchOf} describes it. */
export async function fundedPatientBatch(
  world: World,
  lines: bigint[][],
  rulebook = world.three,
): Promise<PatientBatch> {
  const batch = await patientBatchOf(world, lines, rulebook);
  await fundedOf(world, batch);
  return batch;
}

/** A packed signature: index of the attester, place, and what stands there. */
export interface Packed {
  attester: number;
  place?: number;
  signature: BytesLike;
}

/** Signatures in the form for conditions (IAttesterConditions.sol). */
export const packSignatures = (signatures: readonly Packed[], count = signatures.length): string =>
  concat([
    toBeHex(count, 1),
    ...signatures.flatMap(({ attester, place = 0, signature }) => [
      toBeHex(attester, 1),
      toBeHex(place, 2),
      toBeHex(dataLength(signature), 2),
      signature,
    ]),
  ]);

/** Who signs: a key as an attester, for a place; a patient's or a representative's behind its opening. */
export interface Signing {
  attester: number;
  place?: number;
  key: Key;
  /** Of which batch the opening is; none for attesters other than the patient. */
  patientOf?: PatientBatch;
}

/** The signature of a patient for a line, behind its opening. */
export const patientSignature = (batch: PatientBatch, line: number, key: Key, digest: string): string =>
  concat([packOpening(batch.openingOf(line, key)), key.sign(digest)]);

export const packedOf = (digest: string, signing: readonly Signing[]): Packed[] =>
  signing.map(({ attester, place = 0, key, patientOf }) => ({
    attester,
    place,
    signature: patientOf ? patientSignature(patientOf, place, key, digest) : key.sign(digest),
  }));

/** What attesters of `batch` sign. */
export const digestOf = (batch: TestBatch, { attestation }: SettlementStruct): string =>
  attestationDigestOf(
    {
      batchId: batch.id,
      results: attestation.results as string,
      observedAt: Number(attestation.observedAt),
      validUntil: Number(attestation.validUntil),
      evidence: attestation.evidence as string,
    },
    batch.ref,
  );

export const withSignatures = (settlement: SettlementStruct, signatures: string): SettlementStruct => ({
  ...settlement,
  attestation: { ...settlement.attestation, signatures },
});

/** A settlement of `batch` that `signing` signed. */
export async function signedBy(
  batch: TestBatch,
  results: GroupResult[] | string,
  signing: readonly Signing[],
  changes: Partial<AttestationInput> = {},
): Promise<SettlementStruct> {
  const settlement = await settlementOf(batch, { results, signers: [], ...changes });
  return withSignatures(settlement, packSignatures(packedOf(digestOf(batch, settlement), signing)));
}

/** The pharmacy's signature for its group. */
export const pharmacySigns = ({ pharmacies }: World, group = 0): Signing => ({
  attester: AT.pharmacy,
  place: group,
  key: pharmacies[group]!,
});

/** The networks' signatures. */
export const networksSign = ({ networks }: World, ...which: number[]): Signing[] =>
  which.map((network) => ({ attester: AT.networks[network]!, key: networks[network]! }));

/** The patients' signatures for these lines. */
export const patientsSign = ({ patients }: World, batch: PatientBatch, ...lines: number[]): Signing[] =>
  lines.map((line) => ({ attester: AT.patient, place: line, key: patients[line]!, patientOf: batch }));
