import { time } from "@nomicfoundation/hardhat-network-helpers";
import { type AddressLike, ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import { escrowDomain, escrowTypes } from "@carepact/sdk/claims";

import type { ClaimEscrowExtension } from "../../typechain-types";
import { type TestBatch, buildBatch, met, settlementOf } from "../support/batches";
import { DOLLAR, type Funded } from "../support/funded";
import { DAY } from "../support/system";

/** Something that the extension is asked or told, by whomever it is connected to. */
export type Call = (own: ClaimEscrowExtension) => Promise<unknown>;

/** A claim batch that nobody funded with the contract at `bare`, as if it had been there. */
export async function unknownAt(
  { payer, pharmacy, token, rulebook }: Funded,
  bare: ClaimEscrowExtension,
): Promise<TestBatch> {
  return buildBatch(await ethers.getContractAt("ClaimEscrow", await bare.getAddress()), {
    payer: payer.address,
    token: await token.getAddress(),
    rulebook,
    lines: { [pharmacy.address]: [90n * DOLLAR] },
  });
}

/** What only somebody in a role, the forwarder or the rulebooks contract may do. */
export const settingsOf = (rulebooks: AddressLike, stranger: AddressLike, metadata: string): Call[] => [
  (own) => own.setForwarder(stranger),
  (own) => own.onReport(metadata, ZeroHash),
  (own) => own.onRulebookPublished(id("a rulebook"), rulebooks),
  (own) => own.onRulebookSuspended(id("a rulebook")),
  (own) => own.onRulebookResumed(id("a rulebook")),
  (own) => own.onAttesterSuspended(id("a rulebook"), rulebooks),
  (own) => own.setAuthority(stranger),
  (own) => own.pause(),
  (own) => own.unpause(),
];

/** Everything that can be done with a claim batch, signed by who has to sign it. */
export async function verbsOf({ attesters, pharmacy }: Funded, { terms, words, ...batch }: TestBatch): Promise<Call[]> {
  const signers = attesters.slice(0, 2);
  const { attestation, opened } = await settlementOf({ terms, words, ...batch }, { results: [met], signers });
  const line = { group: 0, line: 0, ...batch.openOne(0) };
  const presentation = { firstLine: 0, results: attestation.results, lines: [1n], outcomes: [90n * DOLLAR] };
  const retention = { firstLine: 0, amounts: [(BigInt(pharmacy.address) << 96n) | DOLLAR] };
  const order = { payee: pharmacy.address, upTo: DOLLAR, deadline: (await time.latest()) + DAY };
  const signature = await pharmacy.signTypedData(
    escrowDomain(batch.ref),
    { RefundOrder: escrowTypes.RefundOrder },
    { batchId: batch.id, ...order },
  );
  return [
    (own) => own.present(terms, words, attestation),
    (own) => own.presentByLine(terms, words, attestation, opened),
    (own) => own.settlePresented(terms, words, presentation),
    (own) => own.dispute(terms, words, line, presentation),
    (own) => own.disputeMissing(terms, words, line),
    (own) => own.presentDisputed(terms, words, attestation, 0, 0),
    (own) => own.resolve(terms, words, 0, 0, DOLLAR),
    (own) => own.resolveByDefault(terms, words, 0, 0),
    (own) => own.recoup(terms, retention, 0, DOLLAR),
    (own) => own.release(terms, retention),
    (own) => own.refundByOrder(terms, words, [], order, signature),
  ];
}

/** What can be asked about a claim batch. */
export const questionsOf = ({ terms }: TestBatch): Call[] => [
  (own) => own.presentationOf(terms, 0),
  (own) => own.retentionOf(terms, 0),
  (own) => own.disputeOf(terms, 0),
];
