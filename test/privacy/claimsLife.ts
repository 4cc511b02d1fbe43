import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { AbiCoder, concat, hexlify, id, keccak256, toUtf8Bytes } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  buildClaimBatch,
  eventKeyOf,
  openClaimBatchRecord,
  packGroup,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type EventIdentity,
  type GroupResult,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import type { RandomSource } from "@carepact/sdk/encryption";

import { met } from "../support/batches";
import { countingSalts, Random } from "../support/random";
import { DAY } from "../support/system";
import { attestations, deployWorld, type Payee, type World } from "../integration/support";

import { record, type SeenTransaction } from "./recording";

/** What of a line a careless payer would write on chain beside its batch. */
export type Note = "nothing" | "salted keys, one-time addresses" | "unsalted event keys" | "stable patient addresses";

/** Where such notes go: nobody's account. */
const SINK = addressOf(id("notes"));

/** How a year of refills is lived. */
export interface ClaimsPlan {
  patients: number;
  months: number;
  /** Lines of each of the two payees in a batch. */
  linesPerPayee: number;
  /** Order in which the payer hands in its claims. */
  order: "shuffled" | "by patient" | "by time of fill";
  /** Lines stand in the order of their salts: where those count up, they are filed as they were handed in. */
  salts: "random" | "counting";
  /** Share of fills that are dispensed in part, so that their groups settle by line. */
  partly: number;
  note: Note;
  seed: number;
}

/** A line on chain: batch, group and place in it. */
export type LineId = string;
export const lineIdOf = (batchId: string, group: number, place: number): LineId => `${batchId}/${group}/${place}`;

/** What happened, for the observer, and what only the payer and its payees know. */
export interface ClaimsLife {
  seen: SeenTransaction[];
  /** Patient of each line. */
  truth: ReadonlyMap<LineId, number>;
}

interface Patient {
  number: number;
  payee: 0 | 1;
  /** Dollars and cents: a drug's price at this plan, which stays. */
  price: string;
  /** Day of the first fill. */
  phase: number;
}

interface Fill {
  patient: Patient;
  /** Seconds since the beginning. */
  at: number;
  number: number;
}

/** Prescription number of a patient: at the pharmacy it is one series. */
export const prescriptionOf = (patient: number): string => String(100_000 + patient);
export const PHARMACY_NPI = "1234567893";

function population({ patients }: ClaimsPlan, random: Random): Patient[] {
  const prices = Array.from(
    { length: 40 },
    () => `${5 + random.below(250)}.${String(random.below(100)).padStart(2, "0")}`,
  );
  return Array.from({ length: patients }, (_, number): Patient => ({
    number,
    payee: number % 2 === 0 ? 0 : 1,
    price: prices[random.below(prices.length)] ?? "10.00",
    phase: random.below(30),
  }));
}

/** A refill every 30 days, some days early or late. */
function fillsOf(patients: readonly Patient[], months: number, random: Random): Fill[] {
  return patients
    .flatMap((patient) =>
      Array.from({ length: months }, (_, number): Fill => {
        const day = patient.phase + 30 * number + random.below(5) - 2;
        return { patient, at: Math.max(day, 0) * DAY + 8 * 3_600 + random.below(12 * 3_600), number };
      }),
    )
    .sort((a, b) => a.at - b.at);
}

/** Lives it on the deployed contracts, through the SDK, and leaves the chain as it was. */
export async function liveClaims(plan: ClaimsPlan): Promise<ClaimsLife> {
  const world = await loadFixture(deployWorld);
  const snapshot = await takeSnapshot();
  try {
    return await new ClaimsYear(world, plan).live();
  } finally {
    await snapshot.restore();
  }
}

class ClaimsYear {
  private readonly random: Random;
  private readonly salts: RandomSource;
  private readonly truth = new Map<LineId, number>();
  private readonly payees: [Payee, Payee];
  /** What all batches have in common. */
  private terms?: Omit<ClaimBatchInput, "eventBy" | "claims">;
  private start = 0;

  constructor(
    private readonly world: World,
    private readonly plan: ClaimsPlan,
  ) {
    this.random = new Random(plan.seed);
    // Of its own, so that the year is the same under any salts.
    const dice = new Random((plan.seed ^ 0x85ebca6b) >>> 0);
    this.salts = plan.salts === "counting" ? countingSalts() : (length) => dice.bytes(length);
    this.payees = [world.pharmacy, world.laboratory];
  }

  async live(): Promise<ClaimsLife> {
    const { world, plan, random } = this;
    const { payer, token, tokenAddress } = world;
    const pool = 10n ** 12n;
    await token.mint(payer.address, pool);
    await run(payer.pools.depositWithPermit({ token: tokenAddress, amount: pool }));
    const first = await ethers.provider.getBlockNumber();
    // At midnight, so that days are the same in every run.
    this.start = Math.ceil((await time.latest()) / DAY) * DAY + DAY;
    const fills = fillsOf(population(plan, random), plan.months, random);
    const waiting: [Fill[], Fill[]] = [[], []];
    for (const fill of fills) {
      waiting[fill.patient.payee].push(fill);
      if (waiting.some((queue) => queue.length < plan.linesPerPayee)) continue;
      await this.at(fill.at + 600);
      await this.payFor(waiting.flatMap((queue) => this.ordered(queue.splice(0, plan.linesPerPayee))));
    }
    return { seen: await record(first), truth: this.truth };
  }

  /** The next block is at this time, if it is not past. */
  private async at(seconds: number): Promise<void> {
    await time.setNextBlockTimestamp(Math.max(this.start + seconds, (await time.latest()) + 60));
  }

  private ordered(fills: Fill[]): Fill[] {
    if (this.plan.order === "shuffled") return this.random.shuffled(fills);
    return this.plan.order === "by patient" ? fills.sort((a, b) => a.patient.number - b.patient.number) : fills;
  }

  private async payFor(fills: readonly Fill[]): Promise<void> {
    const { stranger } = this.world;
    const { batchId, record: ofPayer } = await this.fund(fills);
    const opened = openClaimBatchRecord(ofPayer);
    this.remember(batchId, opened);
    await this.note(batchId, opened);
    const results = opened.opened.map((group) => this.resultOf(group));
    const attested = await attestations(this.world, opened, results);
    await time.setNextBlockTimestamp((await time.latest()) + 3_600 + this.random.below(3_600));
    await run(stranger.claims.settle(opened, attested));
  }

  /** As the SDK funds, but under salts of the plan's, so that the observer sees the same in every run. */
  private async fund(fills: readonly Fill[]): Promise<BuiltClaimBatch> {
    const { payer, escrow } = this.world;
    const built = await buildClaimBatch({
      ...(this.terms ??= await this.termsOf()),
      eventBy: (await time.latest()) + 60 * DAY,
      claims: fills.map((fill) => this.claimOf(fill)),
    });
    await escrow.connect(payer.signer).fund(built.terms, built.groups.map(packGroup));
    return built;
  }

  private async termsOf(): Promise<Omit<ClaimBatchInput, "eventBy" | "claims">> {
    const { payer, deployment, rulebook, token, tokenAddress: address } = this.world;
    return {
      chainId: deployment.chainId,
      escrow: deployment.claimEscrow,
      payer: payer.address,
      token: { address, symbol: await token.symbol(), decimals: Number(await token.decimals()) },
      rulebook: await payer.rulebooks.get(rulebook),
      payeeKeys: Object.fromEntries(
        this.payees.map(({ address, keys: { publicKey } }) => [address, { publicKey, version: 1 }]),
      ),
      random: this.salts,
    };
  }

  private claimOf({ patient, at, number }: Fill): AdjudicatedClaim {
    const payee = this.payees[patient.payee];
    return readPharmacyClaim(
      {
        kind: "pharmacy",
        claimId: `F-${patient.number}-${number}`,
        currency: "USD",
        transactionResponseStatus: "P",
        pharmacyNpi: PHARMACY_NPI,
        prescriptionReferenceNumber: prescriptionOf(patient.number),
        fillNumber: number,
        dateOfService: dateOf(this.start + at),
        productServiceId: "00000000000",
        quantityDispensed: "30",
        daysSupply: 30,
        ingredientCostPaid: patient.price,
        patientPayAmount: "0",
        totalAmountPaid: patient.price,
      },
      { payee: payee.address },
    );
  }

  private resultOf({ lines }: OpenedGroup): GroupResult {
    const partly = lines.map(() => this.random.chance(this.plan.partly));
    if (!partly.includes(true)) return met;
    return {
      result: "byLine",
      lines: lines.map(({ amount }, i) => (partly[i] === true ? { result: "partlyMet", amount: amount / 2n } : met)),
    };
  }

  /** Which patient each line is, as the payer's own record says. */
  private remember(batchId: string, { opened }: OpenedRecord): void {
    for (const { group, lines } of opened)
      for (const [place, { event }] of lines.entries())
        this.truth.set(lineIdOf(batchId, group, place), patientOf(event));
  }

  /** What a careless payer would write beside its batch: a word and an address for each line. */
  private async note(batchId: string, { opened }: OpenedRecord): Promise<void> {
    const { note } = this.plan;
    if (note === "nothing") return;
    const lines = opened.flatMap((group) => group.lines);
    const secret = () => hexlify(Uint8Array.from({ length: 32 }, () => this.random.below(256)));
    const keys = lines.map(({ event }) =>
      note === "unsalted event keys" ? keyWithoutSalt(event) : keccak256(concat([secret(), keyWithoutSalt(event)])),
    );
    const addresses = lines.map(({ event }) =>
      note === "stable patient addresses" ? addressOf(id(`patient ${patientOf(event)}`)) : addressOf(secret()),
    );
    const body = AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32[]", "address[]"], [batchId, keys, addresses]);
    await this.world.stranger.signer.sendTransaction({ to: SINK, data: concat([id("note").slice(0, 10), body]) });
  }
}

function addressOf(secret: string): string {
  return `0x${keccak256(secret).slice(26)}`;
}

/** What an event key is without its salt. */
export const keyWithoutSalt = (event: EventIdentity): string => keccak256(toUtf8Bytes(eventKeyOf(event)));

export const dateOf = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 10);

function patientOf(event: EventIdentity): number {
  if (event.kind !== "dispense") throw new Error("only fills are lived here");
  return Number(event.prescriptionReferenceNumber) - 100_000;
}
