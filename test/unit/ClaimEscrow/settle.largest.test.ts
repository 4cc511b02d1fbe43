import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { getAddress, id, type ContractTransactionResponse } from "ethers";

import type { GroupResult } from "@carepact/sdk/claims";

import { buildBatch, byLine, met, notMet, partlyMet, pending, settle, type TestBatch } from "../../support/batches";
import { attested, deployClaims, fundedOf, poolFor } from "../../support/claims";
import { publish, rulebookOf } from "../../support/system";

/** Most gas of one transaction (EIP-7825). What needs more can never happen. */
const MOST_GAS = 16_777_216n;
/** Amounts of bytes none of which is zero, as many as a subtotal of 500 lines leaves room for. */
const AMOUNT = 0x1234_5678_9abc_def1_2345n;
const PART = 0x1122_3344_5566_7788_99aan;

const gasOf = async (sent: Promise<ContractTransactionResponse>) => (await (await sent).wait())!.gasUsed;

describe("ClaimEscrow: the largest batch", () => {
  /** As many groups and lines as there can be, for payees that never held anything; three of five attesters sign. */
  async function given(linesPerGroup = 1) {
    const claims = await loadFixture(deployClaims);
    const attesters = [...claims.attesters, claims.stranger, claims.admin];
    const addresses = attesters.map(({ address }) => address);
    const lines = Number(await claims.escrow.MAX_LINES());
    const groups = Math.min(Number(await claims.escrow.MAX_GROUPS()), Math.floor(lines / linesPerGroup));
    const countOf = (group: number) =>
      Math.floor(((group + 1) * lines) / groups) - Math.floor((group * lines) / groups);
    const batch = await buildBatch(claims.escrow, {
      payer: claims.payer.address,
      token: await claims.token.getAddress(),
      rulebook: await publish(claims.rulebooks, rulebookOf(addresses, 3)),
      lines: Object.fromEntries(
        Array.from({ length: groups }, (_, group) => [
          getAddress(id(`payee ${group}`).slice(0, 42)),
          Array.from({ length: countOf(group) }, () => AMOUNT),
        ]),
      ),
    });
    const signed = (results: GroupResult[], open?: number[]) =>
      attested(claims, batch, results, { signers: attesters.slice(0, 3), ...(open && { open }) });
    const credited = async () => {
      const balances = await Promise.all(
        batch.groups.map(({ payee }) => claims.escrow.balancesOf(payee, claims.token)),
      );
      return balances.reduce((sum, { credit }) => sum + credit, 0n);
    };
    return { claims, batch, signed, credited };
  }

  const everyLine = (batch: TestBatch, result: (line: number) => typeof met | typeof pending | typeof notMet) =>
    batch.groups.map(({ lineCount }) => byLine(...Array.from({ length: lineCount }, (_, line) => result(line))));
  const partlyMetLines = (batch: TestBatch): GroupResult[] =>
    batch.groups.map(({ lineCount }) => byLine(...Array.from({ length: lineCount }, () => partlyMet(PART))));
  const everyGroup = (batch: TestBatch) => batch.groups.map((_, group) => group);
  const linesIn = (batch: TestBatch) => BigInt(batch.groups.reduce((sum, { lineCount }) => sum + lineCount, 0));

  it("is funded within one transaction", async () => {
    const { claims, batch } = await given();
    await poolFor(claims, batch);
    const gas = await gasOf(claims.escrow.connect(claims.payer).fund(batch.terms, batch.words));
    expect(gas).to.be.lessThan(MOST_GAS);
  });

  for (const linesPerGroup of [1, 2, 10, 500])
    describe(`given ${linesPerGroup} line(s) a payee`, () => {
      it("settles within one transaction with every line partly met and every group opened", async () => {
        const { claims, batch, signed, credited } = await given(linesPerGroup);
        await fundedOf(claims, batch);
        const gas = await gasOf(settle(claims.escrow, await signed(partlyMetLines(batch), everyGroup(batch))));
        expect(gas).to.be.lessThan(MOST_GAS);
        expect(await credited()).to.equal(linesIn(batch) * PART);
      });

      it("settles through settleMany too, with those groups opened that need it", async () => {
        const { claims, batch, signed, credited } = await given(linesPerGroup);
        await fundedOf(claims, batch);
        const gas = await gasOf(claims.escrow.settleMany([await signed(partlyMetLines(batch))]));
        expect(gas).to.be.lessThan(MOST_GAS);
        expect(await credited()).to.equal(linesIn(batch) * PART);
      });
    });

  it("settles within one transaction what an earlier round left of every group", async () => {
    const { claims, batch, signed, credited } = await given(2);
    await fundedOf(claims, batch);
    const first = everyLine(batch, (line) => (line === 0 ? notMet : pending));
    const firstGas = await gasOf(settle(claims.escrow, await signed(first)));
    const gas = await gasOf(settle(claims.escrow, await signed(partlyMetLines(batch))));
    expect(firstGas).to.be.lessThan(MOST_GAS);
    expect(gas).to.be.lessThan(MOST_GAS);
    expect(await credited()).to.equal((linesIn(batch) - BigInt(batch.groups.length)) * PART);
  });

  it("settles within one transaction when all is met, although every group is opened without need", async () => {
    const { claims, batch, signed, credited } = await given();
    await fundedOf(claims, batch);
    const all = batch.groups.map(() => met);
    const gas = await gasOf(settle(claims.escrow, await signed(all, everyGroup(batch))));
    expect(gas).to.be.lessThan(MOST_GAS);
    expect(await credited()).to.equal(batch.terms.total);
  });

  it("settles in two transactions of one attestation, each of which opens half of the groups", async () => {
    const { claims, batch, signed, credited } = await given(2);
    await fundedOf(claims, batch);
    const groups = everyGroup(batch);
    const half = groups.length / 2;
    const first = await signed(partlyMetLines(batch), groups.slice(0, half));
    await settle(claims.escrow, first);
    await settle(claims.escrow, { ...first, opened: batch.open(groups.slice(half)) });
    expect(await credited()).to.equal(linesIn(batch) * PART);
  });
});
