import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, randomBytes, type ContractRunner, type Provider } from "ethers";
import { ethers } from "hardhat";

import {
  isCarepactError,
  run,
  type CarepactError,
  type Connection,
  type Deployment,
  type ErrorCode,
} from "@carepact/sdk";
import {
  createClaims,
  openClaimBatchFile,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type Attestation,
  type AttestOptions,
  type BatchSource,
  type Claims,
  type ClaimBatchFile,
  type FundedBatch,
  type FundInput,
  type GroupResult,
  type LineResult,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createMandates, type Mandates } from "@carepact/sdk/mandates";
import { createOrganizations, type Organizations } from "@carepact/sdk/organizations";
import { createPools, type Pools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook, type Rulebooks } from "@carepact/sdk/rulebooks";

import type { ClaimEscrow, TestStablecoin } from "../../typechain-types";
import { DAY, deploymentOf, deploySystem, deployToken, GRACE } from "../support/system";

/** Base units of a cent; the token has six decimals. */
export const CENT = 10_000n;
/** What the payer's pool holds at first. */
export const POOL = 1_000_000n * CENT;

/** The SDK in one account's hands. */
export interface Party {
  address: string;
  signer: HardhatEthersSigner;
  connection: Connection;
  claims: Claims;
  pools: Pools;
  mandates: Mandates;
  rulebooks: Rulebooks;
  organizations: Organizations;
}

/** A party that is paid, with the keys that open its parts of claim batch files. */
export interface Payee extends Party {
  keys: SealingKeyPair;
}

/** The deployed system, with a payer whose pool is full, two payees, and a rulebook of 2 of 3 attesters. */
export interface World {
  deployment: Deployment;
  /** The contracts themselves, for what the SDK has no business with. */
  escrow: ClaimEscrow;
  token: TestStablecoin;
  tokenAddress: string;
  /** Id of the rulebook. */
  rulebook: string;
  admin: Party;
  payer: Party;
  /** Its address is the lower one, so that it is group 0 of a batch of both. */
  pharmacy: Payee;
  laboratory: Payee;
  attesters: [Party, Party, Party];
  /** May suspend the rulebook. */
  suspender: Party;
  /** A PBM; not registered. */
  operator: Party;
  /** Nobody in particular. */
  stranger: Party;
}

/** The SDK as `runner` uses it. */
export function sdkFor(runner: ContractRunner, deployment: Deployment): Omit<Party, "address" | "signer"> {
  const connection = { runner, deployment };
  return {
    connection,
    claims: createClaims(connection),
    pools: createPools(connection),
    mandates: createMandates(connection),
    rulebooks: createRulebooks(connection),
    organizations: createOrganizations(connection),
  };
}

/** For loadFixture. @param forwarder Whose reports of workflows are taken; nobody's unless given. */
export async function deployWorld(forwarder?: string): Promise<World> {
  const system = await deploySystem(forwarder);
  const deployment = await deploymentOf(system);
  const parties = (await ethers.getSigners()).map((signer): Party => ({
    address: signer.address,
    signer,
    ...sdkFor(signer, deployment),
  }));
  const [admin, payer, suspender, operator, stranger] = parties as [Party, Party, Party, Party, Party];
  const attesters = parties.slice(5, 8) as World["attesters"];
  const [pharmacy, laboratory] = parties.slice(8, 10).sort(byAddress) as [Party, Party];

  const enrol = async (party: Party, kind: "payer" | "pharmacy" | "laboratory"): Promise<Payee> => {
    const keys = await generateSealingKeys();
    await run(admin.organizations.register(party.address, { name: kind, kinds: [kind], hpkeKey: keys.publicKey }));
    return { ...party, keys };
  };
  await enrol(payer, "payer");
  const payees = { pharmacy: await enrol(pharmacy, "pharmacy"), laboratory: await enrol(laboratory, "laboratory") };

  const { id: rulebook } = await run(
    admin.rulebooks.publish(
      simpleRulebook({
        attesters: attesters.map(({ address }) => address),
        threshold: 2,
        eventKinds: eventKinds.dispense | eventKinds.diagnosticReport,
        grace: GRACE,
        suspender: suspender.address,
      }),
    ),
  );
  const token = await deployToken();
  const tokenAddress = await token.getAddress();
  await token.mint(payer.address, 2n * POOL);
  await run(payer.pools.depositWithPermit({ token: tokenAddress, amount: POOL }));
  return {
    deployment,
    escrow: system.escrow,
    token,
    tokenAddress,
    rulebook,
    admin,
    payer,
    ...payees,
    attesters,
    suspender,
    operator,
    stranger,
  };
}

const byAddress = (a: Party, b: Party): number => (BigInt(a.address) < BigInt(b.address) ? -1 : 1);

/** A paid fill, in the words of NCPDP D.0; made up but for the form. `paid` in dollars. */
export function fill(payee: string, prescription: string, paid: string): AdjudicatedClaim {
  return readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `F-${prescription}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber: prescription,
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
}

/** A processed laboratory claim of one test per amount (in dollars), of which the patient owes five each. */
export function tests(payee: string, accessionNumber: string, ...paid: number[]): AdjudicatedClaim {
  return readLaboratoryClaim(
    {
      kind: "laboratory",
      claimId: `L-${accessionNumber}`,
      currency: "USD",
      claimStatusCode: "1",
      laboratoryNpi: "1234567893",
      clia: "99D1234567",
      accessionNumber,
      collectionDate: "2026-01-15",
      lines: paid.map((amount, i) => ({
        lineNumber: i + 1,
        procedureCode: `TEST${i + 1}`,
        charge: amount + 20,
        allowed: amount + 5,
        patientResponsibility: 5,
        planPays: amount,
      })),
    },
    { payee },
  );
}

/** Two fills (90.00 and 12.34) for the pharmacy and two tests (60.00 and 15.00) for the laboratory. */
export const usualClaims = ({ pharmacy, laboratory }: World): AdjudicatedClaim[] => [
  fill(pharmacy.address, "11", "90.00"),
  tests(laboratory.address, "21", 60, 15),
  fill(pharmacy.address, "12", "12.34"),
];

/** What the payer says when it funds, for care in the next thirty days. */
export async function fundInput(world: World, adjudicated = usualClaims(world)): Promise<FundInput> {
  const { rulebook, tokenAddress: token } = world;
  return { adjudicated, rulebook, token, eventBy: (await time.latest()) + 30 * DAY };
}

/** A batch of {@link usualClaims}, unless told otherwise, that the payer funded. */
export async function fundedBatch(world: World, adjudicated?: AdjudicatedClaim[]): Promise<FundedBatch> {
  return run(world.payer.claims.fund(await fundInput(world, adjudicated)));
}

/** A payee's own group of a file. */
export const openAs = (payee: Payee, file: ClaimBatchFile): Promise<OpenedGroup> =>
  openClaimBatchFile(file, { payee: payee.address, privateKey: payee.keys.privateKey });

/** Index in its group of a line, by its claim and its number there: lines come in random order. */
export function lineOf({ lines }: OpenedGroup, claimId: string, lineNumber = 1): number {
  const found = lines.find(({ detail }) => detail.claimId === claimId && detail.lineNumber === lineNumber);
  if (found === undefined) throw new Error(`no line ${lineNumber} of claim ${claimId}`);
  return found.index;
}

/** Results of a group's lines, by claim or by claim and line number (`L-21/2`); of others nothing is said. */
export const byClaim = ({ lines }: OpenedGroup, results: Record<string, LineResult>): GroupResult => ({
  result: "byLine",
  lines: lines.map(
    ({ detail: { claimId, lineNumber } }) =>
      results[`${claimId}/${lineNumber}`] ?? results[claimId] ?? { result: "pending" },
  ),
});

/** One statement, signed by the first two attesters unless told otherwise. */
export async function attestations(
  world: World,
  batch: BatchSource,
  results: GroupResult[],
  options: AttestOptions & { signers?: Party[] } = {},
): Promise<Attestation[]> {
  const { signers = world.attesters.slice(0, 2), ...rest } = options;
  const together = { observedAt: await time.latest(), evidence: hexlify(randomBytes(32)), ...rest };
  return Promise.all(signers.map(({ claims }) => claims.attest(batch, results, together)));
}

/** Where the world's money is, in cents: in the payer's pool beyond what it was filled with, in credits, in wallets. */
export async function moneyOf(world: World): Promise<{ pool: bigint; credits: bigint[]; wallets: bigint[] }> {
  const { payer, pharmacy, laboratory, token, tokenAddress } = world;
  const balances = (account: string) => payer.pools.balances({ account, token: tokenAddress });
  const payees = [pharmacy.address, laboratory.address];
  return {
    pool: ((await balances(payer.address)).free - POOL) / CENT,
    credits: await Promise.all(payees.map(async (payee) => (await balances(payee)).credit / CENT)),
    wallets: await Promise.all(payees.map(async (payee) => (await token.balanceOf(payee)) / CENT)),
  };
}

/** The chain as a node shows it that gives some answers of its own. */
export function nodeWith(answers: Partial<Provider>): Provider {
  const node: Provider = new Proxy<Provider>(ethers.provider, {
    get: (target, key) => {
      if (key === "provider") return node;
      const value: unknown = Reflect.get(key in answers ? answers : target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return node;
}

/** Expects a CarepactError of `code`, whose JSON can be made, and returns it. */
export async function refusal(code: ErrorCode, attempt: Promise<unknown> | (() => unknown)): Promise<CarepactError> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (thrown) {
    if (!isCarepactError(thrown)) throw thrown;
    expect(thrown.code, thrown.message).to.equal(code);
    const json = JSON.parse(JSON.stringify(thrown)) as Record<string, unknown>;
    const { name, message, details } = thrown;
    expect(json).to.deep.include({ name, code, message, details });
    return thrown;
  }
  return expect.fail(`expected ${code}`);
}

/** Expects a contract to refuse with its error `name`, and returns the error's arguments as JSON has them. */
export async function reverted(name: string, attempt: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await refusal("CONTRACT_REVERTED", attempt);
  expect(error.name).to.equal(name);
  return { ...error.toJSON().args };
}
