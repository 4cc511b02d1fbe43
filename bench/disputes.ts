import { time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { parseUnits } from "ethers";

import type { PresentationStruct } from "../typechain-types/contracts/claims/ClaimEscrowExtension";
import { publish, rulebookOf } from "../test/support/system";

import { buildBatch, settlementOf, type BenchBatch } from "./batches";
import type { Attesters, Chain } from "./chain";
import type { Gas } from "./compare";

const LINES = 500;
const PAYEES = 10;
const HOUR = 60 * 60;
const LOOK_BACK = 24 * HOUR;
const BOND = parseUnits("5", 6);
const OUTCOME_BITS = 96n;

/** A batch whose lines were all presented as met. */
interface Presented {
  batch: BenchBatch;
  presentation: PresentationStruct;
  gas: number;
}

/** Measures settlement in two steps, a dispute and its ruling, and what is retained. */
export async function measureDisputes(chain: Chain): Promise<Gas> {
  const { receiver: escrow, relayer, payer } = chain;
  // Somebody who is nothing else in this run.
  const arbiter = await chain.signerOf(chain.payees[1]!);
  const arbitration = {
    challengePeriod: HOUR,
    arbiter: arbiter.address,
    arbiterDeadline: 24 * HOUR,
    bond: BOND,
    retentionBps: 1_000,
    lookBack: LOOK_BACK,
  };
  const under = async (attesters: HardhatEthersSigner[], threshold: number): Promise<Attesters> => ({
    rulebook: await publish(
      chain.rulebooks,
      rulebookOf(
        attesters.map(({ address }) => address),
        threshold,
        arbitration,
      ),
    ),
    signers: attesters.slice(-threshold),
  });
  const rulebook = { one: await under(chain.one.signers, 1), threeOfFive: await under(chain.attesters, 3) };
  const payees = chain.payees.filter((_, index) => index % (chain.payees.length / PAYEES) === 0);
  const many = await fundAndPresent(chain, "presented", payees, LINES, rulebook.threeOfFive);
  const bySingle = await fundAndPresent(chain, "presented by one", payees, LINES, rulebook.one);
  const one = await fundAndPresent(chain, "disputed", payees.slice(0, 1), 1, rulebook.one);

  const { terms, words } = one.batch;
  const opened = { group: 0, salt: `0x${"00".repeat(32)}`, amounts: "0x" };
  const line = { group: 0, line: 0, opened, proof: [] };
  const dispute = await chain.gasOf(() => escrow.connect(payer).dispute(terms, words, line, one.presentation));
  const resolve = await chain.gasOf(() => escrow.connect(arbiter).resolve(terms, words, 0, 0, terms.total / 2n));

  chain.jumpTo((await time.latest()) + HOUR);
  const { batch, presentation } = many;
  const settle = await chain.gasOf(() =>
    escrow.connect(relayer).settlePresented(batch.terms, batch.words, presentation),
  );
  const amounts = batch.groups.map(({ payee, subtotal }) => (BigInt(payee) << OUTCOME_BITS) | (subtotal / 10n));
  const recoup = await chain.gasOf(() =>
    escrow.connect(arbiter).recoup(batch.terms, { firstLine: 0, amounts }, 0, BOND),
  );
  chain.jumpTo((await time.latest()) + LOOK_BACK);
  const left = amounts.map((word, i) => (i === 0 ? word - BOND : word));
  const release = await chain.gasOf(() =>
    escrow.connect(relayer).release(batch.terms, { firstLine: 0, amounts: left }),
  );
  return {
    "present.500": bySingle.gas,
    "present.500.sig3of5": many.gas,
    "dispute.1": dispute,
    "resolve.1": resolve,
    "settlePresented.500.payees10": settle,
    "recoup.1of10": recoup,
    "release.10": release,
  };
}

async function fundAndPresent(
  chain: Chain,
  name: string,
  payees: string[],
  lines: number,
  attesters: Attesters,
): Promise<Presented> {
  const batch = await buildBatch(chain, name, payees, lines, attesters);
  await chain.gasOf(() => chain.escrow.connect(chain.payer).fund(batch.terms, batch.words));
  const { attestation } = await settlementOf(
    batch,
    batch.groups.map(() => ({ result: "met" })),
  );
  const gas = await chain.gasOf(() =>
    chain.receiver.connect(chain.relayer).present(batch.terms, batch.words, attestation),
  );
  const presentation = {
    firstLine: 0,
    results: attestation.results,
    lines: [],
    outcomes: [],
  };
  const { commitment } = await chain.receiver.presentationOf(batch.terms, 0);
  if (BigInt(commitment) === 0n) throw new Error(`${name} should have been presented, and was not.`);
  return { batch, presentation, gas };
}
