import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { concat, keccak256, ZeroAddress, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import {
  buildClaimBatch,
  escrowDomain,
  escrowTypes,
  fileForPayee,
  openClaimBatchFile,
  packGroup,
  parseClaimBatchFile,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type AttestationStatement,
  type BuiltClaimBatch,
  type EscrowRef,
  type OpenedGroup,
  type PayeeKey,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { type Rulebook } from "@carepact/sdk/rulebooks";

import type { TestStablecoin } from "../../typechain-types";
import type { AttestationStruct } from "../../typechain-types/contracts/claims/ClaimEscrow";
import { countingSalts } from "../support/random";
import { DAY, deploySystem, deployToken, GRACE, kinds, publish, register, type System } from "../support/system";

/** Base units of a cent; the token has six decimals. */
export const CENT = 10_000n;

export interface Pharmacy {
  account: HardhatEthersSigner;
  privateKey: string;
}

export interface Funded extends System {
  token: TestStablecoin;
  payer: HardhatEthersSigner;
  stranger: HardhatEthersSigner;
  /** In ascending order of address, as the escrow wants their signatures. */
  attesters: HardhatEthersSigner[];
  /** In ascending order of address: pharmacy `i` is paid by group `i`. */
  pharmacies: [Pharmacy, Pharmacy, Pharmacy];
  rulebook: Rulebook;
  built: BuiltClaimBatch;
  /** The groups as the escrow takes them. */
  words: bigint[];
  ref: { chainId: number; escrow: string };
}

const byAddress = (a: HardhatEthersSigner, b: HardhatEthersSigner): number =>
  BigInt(a.address) < BigInt(b.address) ? -1 : 1;

/** A fill that was answered with "paid", in the words of NCPDP D.0; made up but for the form. */
export const fill = (payee: string, prescriptionReferenceNumber: string, paid: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `F-${prescriptionReferenceNumber}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber,
      fillNumber: 0,
      dateOfService: "2026-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: paid,
      patientPayAmount: "0",
      totalAmountPaid: paid,
    },
    { payee },
  );

/** A payer's batch for three pharmacies with three, one and two fills: 102.35, 45.50 and 37.25. Not funded yet. */
export async function deploy(): Promise<Funded> {
  const system = await deploySystem();
  const { registry, escrow } = system;
  const [, payer, stranger, ...others] = await ethers.getSigners();
  const attesters = others.slice(0, 3).sort(byAddress);
  const token = await deployToken();
  await register(registry, payer!.address, kinds.payer);

  const pharmacies: Pharmacy[] = [];
  const payeeKeys: Record<string, PayeeKey> = {};
  for (const account of others.slice(3, 6).sort(byAddress)) {
    const { publicKey, privateKey } = await generateSealingKeys();
    await register(registry, account.address, kinds.pharmacy);
    await registry.connect(account).setHpkeKey(publicKey);
    // The payer knows the key from the directory only.
    const { organization, hpkeKeyVersion } = await registry.organizationOf(account);
    payeeKeys[account.address] = { publicKey: organization.hpkeKey, version: Number(hpkeKeyVersion) };
    pharmacies.push({ account, privateKey });
  }
  const [first, second, third] = pharmacies.map(({ account }) => account.address) as [string, string, string];

  const rulebook: Rulebook = {
    attesterGroups: [{ threshold: 2, above: 0n, attesters: attesters.map(({ address }) => address.toLowerCase()) }],
    workflow: { id: ZeroHash, owner: ZeroAddress, name: "0x00000000000000000000" },
    eventKinds: 1,
    grace: GRACE,
    challengePeriod: 0,
    arbiter: ZeroAddress,
    arbiterDeadline: 0,
    arbiterDefault: 0,
    bond: 0n,
    retentionBps: 0,
    lookBack: 0,
    suspender: ZeroAddress,
    documentHash: keccak256("0x"),
  };
  await publish(system.rulebooks, rulebook);

  const { chainId } = await ethers.provider.getNetwork();
  const ref = { chainId: Number(chainId), escrow: await escrow.getAddress() };
  const built = await buildClaimBatch({
    ...ref,
    payer: payer!.address,
    token: { address: await token.getAddress(), symbol: "TUSD", decimals: 6 },
    rulebook,
    eventBy: (await time.latest()) + 30 * DAY,
    claims: [
      fill(third, "31", "30.00"),
      fill(first, "11", "90.00"),
      fill(second, "21", "45.50"),
      fill(first, "12", "12.34"),
      fill(third, "32", "7.25"),
      fill(first, "13", "0.01"),
    ],
    payeeKeys,
    // Lines stay in the order of the claims above, in which tests name them.
    random: countingSalts(),
  });
  await token.mint(payer!, built.terms.total);
  await token.connect(payer).approve(escrow, built.terms.total);
  await escrow.connect(payer).deposit(payer!, token, built.terms.total);
  return {
    ...system,
    token,
    payer: payer!,
    stranger: stranger!,
    attesters,
    pharmacies: pharmacies as [Pharmacy, Pharmacy, Pharmacy],
    rulebook,
    built,
    words: built.groups.map(packGroup),
    ref,
  };
}

export async function deployAndFund(): Promise<Funded> {
  const funded = await loadFixture(deploy);
  await funded.escrow.connect(funded.payer).fund(funded.built.terms, funded.words);
  return funded;
}

/** What two of the three attesters sign about a batch. */
export async function attest(
  { attesters }: Funded,
  ref: EscrowRef,
  batchId: string,
  results: string,
): Promise<AttestationStruct> {
  const observedAt = await time.latest();
  const statement: AttestationStatement = {
    batchId,
    results,
    observedAt,
    validUntil: observedAt + DAY,
    evidence: keccak256("0xe71de9ce"),
  };
  const signatures = attesters
    .slice(1)
    .map((attester) => attester.signTypedData(escrowDomain(ref), { Attestation: escrowTypes.Attestation }, statement));
  return { ...statement, signatures: concat(await Promise.all(signatures)) };
}

/** Opens a pharmacy's own part of the file from its text, as the pharmacy keeps it. */
export const openOwnFile = ({ account, privateKey }: Pharmacy, text: string): Promise<OpenedGroup> =>
  openClaimBatchFile(parseClaimBatchFile(text), { payee: account.address, privateKey });

export const ownText = ({ built }: Funded, { account }: Pharmacy): string =>
  JSON.stringify(fileForPayee(built.file, account.address));

/** Credits of the pharmacies, in order of group, and the payer's free balance, in base units. */
export async function moneyOf({
  escrow,
  token,
  pharmacies,
  payer,
}: Funded): Promise<{ credits: bigint[]; free: bigint }> {
  const credits = await Promise.all(
    pharmacies.map(async ({ account }) => (await escrow.balancesOf(account, token)).credit),
  );
  return { credits, free: (await escrow.balancesOf(payer, token)).free };
}
