import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataLength, dataSlice, toBeHex, zeroPadValue } from "ethers";

import { escrowDomain, escrowTypes } from "@carepact/sdk/claims";

import { byLine, met, pending, settlementOf, type AttestationInput } from "../../support/batches";
import { interfaceOf } from "../../support/books";
import { fundedBatch, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  CHALLENGE,
  at,
  bookedOf,
  deployDisputing,
  disputeMissing,
  given,
  openingOf,
  present,
  presentationAt,
  refundOrderOf,
  refuses,
  soundAfterEach,
  watch,
  type Given,
} from "../../support/disputes";
import { publish, rulebookOf } from "../../support/system";

const word = (value: bigint | number): string => toBeHex(value, 32);

describe("ClaimEscrow: calls of presentations, disputes and refund orders that are encoded in unusual ways", () => {
  soundAfterEach();

  const encode = (context: Given, verb: string, args: readonly unknown[]): string =>
    interfaceOf(context).encodeFunctionData(verb, args);
  const send = ({ stranger, escrow }: Given, data: string, by = stranger) =>
    by.sendTransaction({ to: escrow, data, gasLimit: 5_000_000 });
  /** The same calldata with other bits in the word at an index behind the selector. */
  const dirty = (data: string, index: number, bits: bigint): string => {
    const [start, end] = [4 + 32 * index, 36 + 32 * index];
    const changed = BigInt(dataSlice(data, start, end)) | bits;
    return concat([dataSlice(data, 0, start), word(changed), dataSlice(data, end)]);
  };

  it("refuses dirt in the words of a batch's terms", async () => {
    const context = await given("bondless");
    await present(context, [met, met, met]);
    const { batch } = context;
    const args = [batch.terms, batch.words, await presentationAt(context)] as const;
    const data = encode(context, "settlePresented", args);
    await at(Number(batch.terms.eventBy));
    // payer, token, total, eventBy, salt.
    for (const [index, bit] of [
      [0, 160n],
      [1, 160n],
      [2, 96n],
      [6, 40n],
      [7, 64n],
    ] as const)
      await expect(send(context, dirty(data, index, 1n << bit)), `word ${index}`).to.be.reverted;
    await send(context, data);
    expect((await moneyOf(context, batch)).credits).to.deep.equal([1_200n, 500n, 400n]);
  });

  it("refuses dirt beside the payee of an order", async () => {
    const context = await given("retaining");
    await present(context, [met, met, met]);
    const { batch, payees } = context;
    const { order, signature } = await refundOrderOf(context, payees[0]!, 10n);
    const { payments } = await bookedOf(context);
    const args = [batch.terms, batch.words, payments, order, signature] as const;
    const data = encode(context, "refundByOrder", args);
    // Behind 8 words of terms and the places of groups and payments.
    await expect(send(context, dirty(data, 10, 1n << 160n))).to.be.reverted;
    await send(context, data);
    expect((await moneyOf(context, batch)).free).to.equal(10n);
  });

  it("takes what stands behind the arguments, and reads nothing of it", async () => {
    const context = await given("bondless");
    const { batch, receiver, payer, payees } = context;
    const settlement = await settlementOf(batch, {
      results: [byLine(met, pending), met, pending],
      signers: context.attesters.slice(0, 2),
    });
    const { attestation, opened } = settlement;
    const junk = concat([word((1n << 256n) - 1n), word(1n), "0xff"]);
    const presenting = [batch.terms, batch.words, attestation, opened] as const;
    await send(context, concat([encode(context, "presentByLine", presenting), junk]));
    const disputing = [batch.terms, batch.words, openingOf(context, 0, 0), await presentationAt(context)] as const;
    await send(context, concat([encode(context, "dispute", disputing), junk]), payer);
    expect((await receiver.disputeOf(batch.terms, 0)).amount).to.equal(1_000n);
    expect((await receiver.disputeOf(batch.terms, 0)).byPayer).to.equal(true);
    expect((await context.escrow.balancesOf(payees[0]!, context.token)).credit).to.equal(0n);
  });

  it("refuses calldata that is cut anywhere", async () => {
    const context = await given("bondless", [[100n, 20n]]);
    await present(context, [byLine(met, pending)]);
    const { batch, payer } = context;
    const args = [batch.terms, batch.words, openingOf(context, 0, 0), await presentationAt(context)] as const;
    const data = encode(context, "dispute", args);
    for (let size = 4; size < dataLength(data); size += 61)
      await expect(send(context, dataSlice(data, 0, size), payer)).to.be.reverted;
  });

  it("takes groups and payments that stand in one place, and reads each as what it is", async () => {
    const context = await given("retaining", [[100n]]);
    const { batch, payees } = context;
    await present(context, [met]);
    const { order, signature } = await refundOrderOf(context, payees[0]!, 10n);
    const data = encode(context, "refundByOrder", [batch.terms, batch.words, [], order, signature]);
    // The payments begin where the groups do: one word, which is another payment than the one there was.
    const shared = concat([
      dataSlice(data, 0, 4 + 32 * 9),
      dataSlice(data, 4 + 32 * 8, 4 + 32 * 9),
      dataSlice(data, 4 + 32 * 10),
    ]);
    await refuses(context, send(context, shared), "PaymentsMismatch", batch.id);
  });

  describe("where conditions are checked, which read the arguments of the escrow's own call", () => {
    interface Conditional extends Given {
      signed: (input: Omit<AttestationInput, "signers">, signers?: number[]) => ReturnType<typeof settlementOf>;
    }

    /** 2 of 3 attesters, and for groups above 150 their payee. */
    async function conditional(): Promise<Conditional> {
      const context = await loadFixture(deployDisputing);
      const accounts = context.attesters.map(({ address }) => address.toLowerCase());
      const terms = { arbiter: context.arbiter.address, arbiterDeadline: ARBITER_TIME, challengePeriod: CHALLENGE };
      const attesterGroups = [
        { threshold: 2, above: 0, attesters: accounts },
        { threshold: 1, above: 150, attesters: ["0x01"] },
      ];
      const rulebook = await publish(context.rulebooks, rulebookOf([], 0, { attesterGroups, ...terms }));
      const batch = await fundedBatch(context, [[100n, 70n], [30n]], { rulebook });
      const watched = watch(context, batch);
      return { ...watched, signed: (input, signers = [0, 1, 3]) => packed(watched, input, signers) };
    }

    /** Signatures in the form for conditions; 3 is the payee of group 0. */
    async function packed(context: Given, input: Omit<AttestationInput, "signers">, signers: number[]) {
      const { batch, attesters, payees } = context;
      const settlement = await settlementOf(batch, { ...input, signers: [] });
      const { attestation } = settlement;
      const { results, observedAt, validUntil, evidence } = attestation;
      const message = { batchId: batch.id, results, observedAt, validUntil, evidence };
      const types = { Attestation: escrowTypes.Attestation };
      const keys: HardhatEthersSigner[] = [...attesters, payees[0]!];
      const parts = await Promise.all(
        signers.map(async (index) => {
          const signature = await keys[index]!.signTypedData(escrowDomain(batch.ref), types, message);
          return concat([toBeHex(index, 1), "0x0000", toBeHex(dataLength(signature), 2), signature]);
        }),
      );
      const signatures = concat([toBeHex(signers.length, 1), ...parts]);
      return { ...settlement, attestation: { ...attestation, signatures } };
    }

    it("presents what they let through, whole and by line, with anything behind the arguments", async () => {
      const context = await conditional();
      const { batch } = context;
      const junk = concat([zeroPadValue(batch.id, 32), word(5n), "0x01"]);
      const whole = await context.signed({ results: [pending, met] }, [0, 2]);
      const presenting = [batch.terms, batch.words, whole.attestation] as const;
      await send(context, concat([encode(context, "present", presenting), junk]));
      const lines = await context.signed({ results: [byLine(met, pending), pending] });
      const byLines = [batch.terms, batch.words, lines.attestation, lines.opened] as const;
      await send(context, concat([encode(context, "presentByLine", byLines), junk]));
      expect((await moneyOf(context, batch)).open).to.equal(70n);
    });

    it("notes for a line in dispute what they let through", async () => {
      const context = await conditional();
      const { batch, receiver, payees } = context;
      await at(Number(batch.terms.eventBy) + 1);
      await disputeMissing(context, payees[0]!, 0, 1);
      const late = await context.signed({ results: [met, pending] });
      const args = [batch.terms, batch.words, late.attestation, 0, 1] as const;
      const data = encode(context, "presentDisputed", args);
      await send(context, concat([data, word(1n)]));
      expect((await receiver.disputeOf(batch.terms, 1)).attestedAmount).to.equal(70n);
    });

    it("refuses what they do not let through, by every way", async () => {
      const context = await conditional();
      const { batch, receiver, payees, escrow } = context;
      const missing = await context.signed({ results: [met, met] }, [0, 1]);
      await expect(receiver.present(batch.terms, batch.words, missing.attestation)).to.be.reverted;
      const few = await context.signed({ results: [met, met] }, [0, 3]);
      await expect(receiver.present(batch.terms, batch.words, few.attestation)).to.be.reverted;
      const good = await context.signed({ results: [met, met] });
      await refuses(context, escrow.settle(batch.terms, batch.words, good.attestation), "SignatureCountWrong", 0, 211);
      const accounts = await settlementOf(batch, { results: [met, met], signers: context.attesters.slice(0, 2) });
      await expect(receiver.present(batch.terms, batch.words, accounts.attestation)).to.be.reverted;
      await at(Number(batch.terms.eventBy) + 1);
      await disputeMissing(context, payees[0]!, 0, 1);
      for (const { attestation } of [missing, few])
        await expect(receiver.presentDisputed(batch.terms, batch.words, attestation, 0, 1)).to.be.reverted;
    });
  });
});
