import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import type { LineResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet } from "../../support/batches";
import { fundedBatch } from "../../support/claims";
import { p256Key } from "../../support/keys";
import { publish } from "../../support/system";
import { itUninstrumented } from "../../support/instrumented";
import { deploySuspensions, prove, rulebookFor, settlePacked, statementOf, strike } from "./fixture";

/** What a transaction can take. */
const MOST_GAS = 16_777_216n;

describe("AttesterSuspensions: attacks", () => {
  /** Modes of Erc1271Misbehaving: reverts, junk, dirt, nothing, a short answer, 64 KiB, all gas burnt. */
  for (const mode of [0, 1, 2, 3, 4, 5, 6])
    it(`calls nobody a liar by a wallet contract that misbehaves, in way ${mode}, at a bounded cost`, async () => {
      const context = await loadFixture(deploySuspensions);
      const wallet = await ethers.deployContract("Erc1271Misbehaving", [mode]);
      const key = { ...context.keys.contract, signer: (await wallet.getAddress()).toLowerCase() };
      const rulebook = await publish(context.rulebooks, rulebookFor([key], 1));
      const batch = await fundedBatch(context, [[100n]], { rulebook });
      const [yes, no] = [met, notMet].map((result) => statementOf(key, batch, [result]));
      await expect(prove(context, key, batch, [0, 0], yes!, no!))
        .to.be.revertedWithCustomError(context.rulebooks, "AttesterDidNotSign")
        .withArgs(0);
      expect(await context.rulebooks.hasEquivocated(key.signer)).to.equal(false);
    });

  it("has no hold on a wallet contract that denies by now what it signed: who names one trusts it to stand by its word", async () => {
    const context = await loadFixture(deploySuspensions);
    const { keys, anyOfAll, rulebooks } = context;
    const batch = await fundedBatch(context, [[100n]], { rulebook: anyOfAll });
    const [yes, no] = [met, notMet].map((result) => statementOf(keys.contract, batch, [result]));
    const denying = await ethers.deployContract("Erc1271Misbehaving", [1]);
    await setCode(keys.contract.signer, await ethers.provider.getCode(denying));
    await expect(prove(context, keys.contract, batch, [0, 0], yes!, no!)).to.be.revertedWithCustomError(
      rulebooks,
      "AttesterDidNotSign",
    );
  });

  it("takes a key behind another copy of its verifier for another attester, which has to be struck on its own", async () => {
    const context = await loadFixture(deploySuspensions);
    const { keys, anyOfAll, rulebooks } = context;
    const copy = p256Key("network", await (await ethers.deployContract("ERC7913P256Verifier")).getAddress());
    await strike(context, keys.p256, anyOfAll);
    const rulebook = await publish(rulebooks, rulebookFor([copy], 1));
    await expect(rulebooks.suspendAttester(rulebook, copy.signer)).to.be.revertedWithCustomError(
      rulebooks,
      "AttesterHonest",
    );
    const batch = await fundedBatch(context, [[100n]], { rulebook });
    await settlePacked(context, batch, [met], [{ attester: 0, key: copy }]);
    await strike(context, copy, rulebook);
    const next = await fundedBatch(context, [[100n]], { rulebook });
    await expect(settlePacked(context, next, [met], [{ attester: 0, key: copy }])).to.be.revertedWithCustomError(
      context.escrow,
      "SignatureInvalid",
    );
  });

  itUninstrumented(
    "cannot be kept from a proof by a batch that is too large: 1,023 lines, all partly met",
    async () => {
      const context = await loadFixture(deploySuspensions);
      const [key] = context.accounts;
      const count = Number(await context.escrow.MAX_LINES());
      const batch = await fundedBatch(context, [Array.from({ length: count }, () => 3n)], { rulebook: context.listed });
      const linesOf = (last: bigint): LineResult[] =>
        Array.from({ length: count }, (_, line) => partlyMet(line === count - 1 ? last : 1n));
      const [first, second] = [1n, 2n].map((last) => statementOf(key, batch, [byLine(...linesOf(last))]));
      const sent = await prove(context, key, batch, [0, count - 1], first!, second!);
      expect((await sent.wait())!.gasUsed).to.be.lessThan(MOST_GAS);
      expect(await context.rulebooks.hasEquivocated(key.signer)).to.equal(true);
    },
  );

  it("strikes nobody by the listener's functions, at the escrow or where rulebooks are", async () => {
    const context = await loadFixture(deploySuspensions);
    const { receiver, rulebooks, listed, accounts } = context;
    const before = await rulebooks.rulebookOf(listed);
    for (const caller of [context.admin, context.governance, context.suspender, context.stranger]) {
      await expect(receiver.connect(caller).onAttesterSuspended(listed, caller))
        .to.be.revertedWithCustomError(receiver, "NotRulebooks")
        .withArgs(caller.address);
      await expect(rulebooks.connect(caller).suspendAttester(listed, accounts[0].signer)).to.be.revertedWithCustomError(
        rulebooks,
        "AttesterHonest",
      );
    }
    expect(await rulebooks.rulebookOf(listed)).to.deep.equal(before);
  });
});
