import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, id, toBeHex } from "ethers";

import { attestationDigestOf, encodeResults, type GroupResult } from "@carepact/sdk/claims";

import { buildBatch, byLine, met, notMet, partlyMet, pending, type TestBatch } from "../../support/batches";
import { batchOf, fundedBatch, fundedOf } from "../../support/claims";
import { accountKey, contractKey, type Key } from "../../support/keys";
import { publish, rulebookOf } from "../../support/system";
import {
  OBSERVED_AT,
  bySigner,
  deploySuspensions,
  disown,
  kindsOfKey,
  prove,
  rulebookFor,
  settleListed,
  statementOf,
  strike,
  type Place,
  type Statement,
  type Suspensions,
} from "./fixture";

describe("AttesterSuspensions: what does not count", () => {
  /** Groups of the batch: of three lines, of one, of five. */
  const lines = [[100n, 200n, 300n], [400n], [10n, 20n, 30n, 40n, 50n]];

  async function given() {
    const context = await loadFixture(deploySuspensions);
    const batch = await fundedBatch(context, lines, { rulebook: context.listed });
    const [key] = context.accounts;
    return { context, batch, key };
  }
  async function refused(
    { context, batch, key }: { context: Suspensions; batch: TestBatch; key: Pick<Key, "signer"> },
    at: Place,
    [first, second]: readonly [Statement, Statement],
    [error, ...args]: [error: string, ...args: unknown[]],
  ): Promise<void> {
    const { rulebooks, escrow } = context;
    const sent = prove(context, key, batch, at, first, second);
    const contract = rulebooks.interface.getError(error) === null ? escrow : rulebooks;
    await expect(sent)
      .to.be.revertedWithCustomError(contract, error)
      .withArgs(...args);
    expect(await rulebooks.hasEquivocated(key.signer)).to.equal(false);
  }
  const pairOf = (key: Key, batch: TestBatch, ...results: [GroupResult[] | string, GroupResult[] | string]) =>
    results.map((one) => statementOf(key, batch, one)) as [Statement, Statement];

  const all = [met, met, met];
  const agreements: Record<string, [at: Place, first: GroupResult[], second: GroupResult[]]> = {
    "from pending to met": [[1, 0], [met, pending, met], all],
    "from pending to not met": [
      [1, 0],
      [met, pending, met],
      [met, notMet, met],
    ],
    "from pending, by line, to partly met": [
      [0, 1],
      [byLine(met, pending, met), met, met],
      [byLine(met, partlyMet(7n), met), met, met],
    ],
    "pending twice": [
      [0, 0],
      [pending, met, met],
      [byLine(pending, met, met), met, met],
    ],
    "met twice": [[0, 0], all, all],
    "not met twice": [
      [2, 3],
      [met, met, notMet],
      [pending, notMet, notMet],
    ],
    "a whole group met, and all of its lines": [[0, 2], all, [byLine(met, met, met), met, met]],
    "a whole group not met, and the line": [
      [0, 2],
      [notMet, met, met],
      [byLine(met, met, notMet), met, met],
    ],
    "the same part": [
      [2, 4],
      [met, met, byLine(met, met, met, met, partlyMet(49n))],
      [
        byLine(partlyMet(1n), met, partlyMet(2n)),
        byLine(partlyMet(3n)),
        byLine(pending, partlyMet(4n), met, met, partlyMet(49n)),
      ],
    ],
    "another line's contradiction": [
      [0, 1],
      [byLine(met, met, met), met, met],
      [byLine(notMet, met, partlyMet(1n)), notMet, notMet],
    ],
    "another group's contradiction": [[2, 0], all, [notMet, notMet, met]],
  };
  for (const [what, [at, first, second]] of Object.entries(agreements))
    it(`does not count ${what}, either way round`, async () => {
      const all = await given();
      const [one, other] = pairOf(all.key, all.batch, first, second);
      await refused(all, at, [one, other], ["ResultsAgree"]);
      await refused(all, at, [other, one], ["ResultsAgree"]);
    });

  it("does not count one statement against itself", async () => {
    const all = await given();
    const [one] = pairOf(all.key, all.batch, [met, met, met], "0x");
    await refused(all, [0, 0], [one, one], ["ResultsAgree"]);
  });

  it("does not count what was observed a second later", async () => {
    const all = await given();
    const first = statementOf(all.key, all.batch, [met, met, met]);
    for (const observedAt of [OBSERVED_AT - 1, OBSERVED_AT + 1, 0, 2 ** 40 - 1]) {
      const second = statementOf(all.key, all.batch, [notMet, notMet, notMet], { observedAt });
      await refused(all, [0, 0], [first, second], ["ObservedAtDiffers", OBSERVED_AT, observedAt]);
    }
  });

  it("does not count it with a time that nobody signed", async () => {
    const all = await given();
    const first = statementOf(all.key, all.batch, [met, met, met]);
    const second = statementOf(all.key, all.batch, [notMet, notMet, notMet], { observedAt: OBSERVED_AT + 1 });
    await refused(all, [0, 0], [first, { ...second, observedAt: OBSERVED_AT }], ["AttesterDidNotSign", 1]);
    await refused(all, [0, 0], [{ ...first, observedAt: OBSERVED_AT + 1 }, second], ["AttesterDidNotSign", 0]);
  });

  describe("given statements of something else", () => {
    it("does not count another batch, another chain or another escrow", async () => {
      const all = await given();
      const { context, batch, key } = all;
      const other = await fundedBatch(context, lines, { rulebook: context.listed });
      const yes = statementOf(key, batch, [met, met, met]);
      const no: GroupResult[] = [notMet, notMet, notMet];
      for (const elsewhere of [
        { batchId: other.id },
        { ref: { ...batch.ref, chainId: 1n } },
        { ref: { ...batch.ref, escrow: context.stranger.address } },
      ]) {
        const second = statementOf(key, batch, no, elsewhere);
        await refused(all, [0, 0], [yes, second], ["AttesterDidNotSign", 1]);
        await refused(all, [0, 0], [second, yes], ["AttesterDidNotSign", 0]);
      }
    });

    it("does not count a batch that was never funded", async () => {
      const { context, key } = await given();
      const batch = await batchOf(context, lines, { rulebook: context.listed });
      const pair = pairOf(key, batch, [met, met, met], [notMet, met, met]);
      await refused({ context, batch, key }, [0, 0], pair, ["ClaimBatchUnknown", batch.id]);
    });

    it("does not count a batch under a rulebook that does not name the attester", async () => {
      const { context, key } = await given();
      const batch = await fundedBatch(context, lines);
      const pair = pairOf(key, batch, [met, met, met], [notMet, met, met]);
      await refused({ context, batch, key }, [0, 0], pair, ["AttesterNotNamed", context.rulebook, key.signer]);
    });

    it("does not count the batch's terms with another rulebook, which are those of no batch", async () => {
      const { context, batch, key } = await given();
      const terms = { ...batch.terms, rulebook: context.rulebook };
      const pair = pairOf(key, batch, [met, met, met], [notMet, met, met]);
      const wrong = await context.escrow.batchIdOf(terms);
      await refused({ context, batch: { ...batch, terms }, key }, [0, 0], pair, ["ClaimBatchUnknown", wrong]);
    });

    it("does not take groups of another batch", async () => {
      const { context, batch, key } = await given();
      const other = await fundedBatch(context, [[1n], [2n], [3n]], { rulebook: context.listed });
      const pair = pairOf(key, batch, [met, met, met], [notMet, met, met]);
      await refused({ context, batch: { ...batch, words: other.words }, key }, [0, 0], pair, [
        "GroupsMismatch",
        batch.terms.groupsHash,
        other.terms.groupsHash,
      ]);
    });

    for (const at of [
      [0, 3],
      [1, 1],
      [2, 5],
      [3, 0],
      [2 ** 40, 0],
      [0, 2 ** 40],
    ] as const)
      it(`knows no line ${at[1]} of group ${at[0]}`, async () => {
        const all = await given();
        const pair = pairOf(all.key, all.batch, [met, met, met], [notMet, notMet, notMet]);
        await refused(all, at, pair, ["LineUnknown", ...at]);
      });
  });

  describe("given results that can never settle", () => {
    const valid = encodeResults(
      [met, met, met],
      [3, 1, 5].map((lineCount) => ({ lineCount })),
    );
    const lineBytes = encodeResults(
      [byLine(met, partlyMet(5n), met), met, byLine(met, met, partlyMet(6n), met, met)],
      [3, 1, 5].map((lineCount) => ({ lineCount })),
    );
    const part = (amount: bigint) => toBeHex(amount, 11);
    const malformed: Record<string, string> = {
      nothing: "0x",
      "bits behind the last group": toBeHex(Number(valid) | 0x40, 1),
      "a byte behind whole groups": concat([valid, "0x00"]),
      "a byte behind the last line": concat([lineBytes, "0x00"]),
      "an amount too many": concat([lineBytes, part(1n)]),
      "lines that are missing": "0x17",
      "an amount that is missing": concat(["0x17", "0x1d"]),
      "an amount cut short": concat(["0x17", "0x1d", toBeHex(5, 10)]),
      "bits behind the last line of a group": concat(["0x17", "0x55"]),
      "bits behind the last line of another group": concat(["0x35", "0x55", "0x05"]),
      "bytes of another group that are missing": concat(["0x35", "0x55"]),
      "an amount of another group that is missing": concat(["0x35", "0x57", "0x01"]),
    };
    for (const [what, results] of Object.entries(malformed))
      it(`does not count ${what}, first or second`, async () => {
        const all = await given();
        const [wrong, right] = pairOf(all.key, all.batch, results, [notMet, notMet, notMet]);
        await refused(all, [0, 1], [wrong, right], ["ResultsMalformed"]);
        await refused(all, [0, 1], [right, wrong], ["ResultsMalformed"]);
      });

    const parts: Record<string, [at: Place, results: string]> = {
      "a part of nothing, which says not met": [[0, 1], concat(["0x17", "0x1d", part(0n)])],
      "a part of a one-line group that is all of it, which says met": [[1, 0], concat(["0x1d", "0x03", part(400n)])],
      "a part above the amount of a one-line group": [[1, 0], concat(["0x1d", "0x03", part(401n)])],
      "a part above what a group's line can have": [[0, 1], concat(["0x17", "0x1d", part(600n)])],
    };
    for (const [what, [at, results]] of Object.entries(parts))
      for (const plain of [met, notMet])
        it(`does not count ${what}, against ${plain.result}`, async () => {
          const all = await given();
          const [wrong, right] = pairOf(all.key, all.batch, results, [plain, plain, plain]);
          await refused(all, at, [wrong, right], ["PartialAmountInvalid", ...at]);
          await refused(all, at, [right, wrong], ["PartialAmountInvalid", ...at]);
        });
  });

  describe("given signatures that are not the attester's", () => {
    const keyOf = async (context: Suspensions, kind: (typeof kindsOfKey)[number]) => {
      const key = context.keys[kind];
      return { key, batch: await fundedBatch(context, lines, { rulebook: context.anyOfAll }) };
    };
    for (const kind of kindsOfKey)
      it(`does not take another's for those of a key of kind ${kind}`, async () => {
        const { context } = await given();
        const { key, batch } = await keyOf(context, kind);
        const own = pairOf(key, batch, [met, met, met], [notMet, met, met]);
        for (const other of kindsOfKey.filter((one) => one !== kind).map((one) => context.keys[one])) {
          const [first, second] = pairOf(other, batch, [met, met, met], [notMet, met, met]);
          await refused({ context, batch, key }, [0, 0], [own[0], second], ["AttesterDidNotSign", 1]);
          await refused({ context, batch, key }, [0, 0], [first, own[1]], ["AttesterDidNotSign", 0]);
        }
      });

    for (const kind of kindsOfKey)
      it(`does not take the signature of a key of kind ${kind} over another statement, or none`, async () => {
        const { context } = await given();
        const { key, batch } = await keyOf(context, kind);
        const [first, second] = pairOf(key, batch, [met, met, met], [notMet, met, met]);
        for (const signatures of [first.signatures, "0x", "0x00", `0x${"00".repeat(65)}`])
          await refused({ context, batch, key }, [0, 0], [first, { ...second, signatures }], ["AttesterDidNotSign", 1]);
        for (const field of ["validUntil", "evidence"] as const) {
          const changed = { ...second, [field]: first[field], validUntil: first.validUntil + 1 };
          await refused({ context, batch, key }, [0, 0], [first, changed], ["AttesterDidNotSign", 1]);
        }
      });

    it("does not take signatures in the form for a settlement", async () => {
      const { context, batch, key } = await given();
      const [first, second] = pairOf(key, batch, [met, met, met], [notMet, met, met]);
      const packed = concat(["0x01", "0x00", "0x0000", "0x0041", second.signatures]);
      for (const signatures of [packed, concat([second.signatures, second.signatures])])
        await refused({ context, batch, key }, [0, 0], [first, { ...second, signatures }], ["AttesterDidNotSign", 1]);
    });

    it("does not take the signature of a wallet contract's owner for the owner's", async () => {
      const { context } = await given();
      const wallet = await contractKey("another wallet");
      const owner = { ...wallet, signer: context.accounts[0].signer };
      const batch = await fundedBatch(context, lines, { rulebook: context.listed });
      const pair = pairOf(wallet, batch, [met, met, met], [notMet, met, met]);
      await refused({ context, batch, key: owner }, [0, 0], pair, ["AttesterDidNotSign", 0]);
    });

    it("does not take an account with code for somebody else's signature", async () => {
      const all = await given();
      const pair = pairOf(all.context.accounts[1], all.batch, [met, met, met], [notMet, met, met]);
      await disown(all.key.signer);
      await refused(all, [0, 0], pair, ["AttesterDidNotSign", 0]);
    });

    for (const role of ["0x01", "0x02"])
      it(`knows no attester ${role}, whoever signs`, async () => {
        const { context } = await given();
        const groups = [
          { threshold: 1, above: 0, attesters: [context.accounts[0].signer] },
          { threshold: 1, above: 0, attesters: [role] },
        ];
        const rulebook = await publish(context.rulebooks, rulebookOf([], 0, { attesterGroups: groups }));
        const batch = await fundedBatch(context, lines, { rulebook });
        const pair = pairOf(context.accounts[0], batch, [met, met, met], [notMet, met, met]);
        const key = { signer: role };
        await refused({ context, batch, key }, [0, 0], pair, ["AttesterDidNotSign", 0]);
        await expect(context.rulebooks.suspendAttester(rulebook, role))
          .to.be.revertedWithCustomError(context.rulebooks, "AttesterHonest")
          .withArgs(role);
      });

    it("knows no attester without a name, or with bytes before or behind it", async () => {
      const all = await given();
      const pair = pairOf(all.key, all.batch, [met, met, met], [notMet, met, met]);
      for (const signer of ["0x", all.key.signer.slice(0, -2), `${all.key.signer}00`, `0x00${all.key.signer.slice(2)}`])
        await refused({ ...all, key: { signer } }, [0, 0], pair, ["AttesterDidNotSign", 0]);
    });
  });

  describe("given an attester that nobody proved anything of", () => {
    it("suspends it in no rulebook", async () => {
      const { context, key } = await given();
      const { rulebooks, listed } = context;
      await strike(context, context.keys.account, context.anyOfAll);
      for (const signer of [key.signer, ...kindsOfKey.slice(1).map((kind) => context.keys[kind].signer), "0x"])
        for (const rulebook of [listed, context.anyOfAll, id("unknown")])
          await expect(rulebooks.suspendAttester(rulebook, signer))
            .to.be.revertedWithCustomError(rulebooks, "AttesterHonest")
            .withArgs(signer);
    });

    it("suspends one that equivocated only where it is named", async () => {
      const { context } = await given();
      const { rulebooks, keys, listed } = context;
      await strike(context, keys.account, context.anyOfAll);
      await expect(rulebooks.suspendAttester(listed, keys.account.signer))
        .to.be.revertedWithCustomError(rulebooks, "AttesterNotNamed")
        .withArgs(listed, keys.account.signer);
      await expect(rulebooks.suspendAttester(id("unknown"), keys.account.signer))
        .to.be.revertedWithCustomError(rulebooks, "RulebookUnknown")
        .withArgs(id("unknown"));
    });

    it("does not hold the payee's account to what it signed as a payee", async () => {
      const { context } = await given();
      const payee = accountKey("payee");
      const groups = [
        { threshold: 1, above: 0, attesters: [context.accounts[0].signer] },
        { threshold: 1, above: 0, attesters: ["0x01"] },
      ];
      const rulebook = await publish(context.rulebooks, rulebookOf([], 0, { attesterGroups: groups }));
      const batch = await fundedOf(
        context,
        await buildBatch(context.escrow, {
          payer: context.payer.address,
          token: await context.token.getAddress(),
          rulebook,
          lines: { [payee.wallet.address]: [100n] },
        }),
      );
      const pair = pairOf(payee, batch, [met], [notMet]);
      await refused({ context, batch, key: payee }, [0, 0], pair, ["AttesterNotNamed", rulebook, payee.signer]);
    });
  });

  it("leaves an honest attester's signatures alone, whatever others were struck for", async () => {
    const { context } = await given();
    const [first, second, third] = context.accounts;
    await strike(context, first, context.listed);
    const more = await publish(context.rulebooks, rulebookFor([second, third].sort(bySigner), 2));
    for (const rulebook of [context.listed, more]) {
      const batch = await fundedBatch(context, [[100n]], { rulebook });
      await settleListed(context, batch, [met], [second, third]);
      expect((await context.escrow.claimBatchStatusOf(batch.id)).open).to.equal(0n);
    }
  });

  it("signs what the escrow says is signed", async () => {
    const { context, batch, key } = await given();
    const statement = statementOf(key, batch, [met, met, met]);
    expect(await context.escrow.attestationDigestOf(batch.id, statement)).to.equal(
      attestationDigestOf({ ...statement, batchId: batch.id }, batch.ref),
    );
  });
});
