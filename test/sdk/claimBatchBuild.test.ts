import { expect } from "chai";
import { AbiCoder, concat, getAddress, keccak256, solidityPackedKeccak256, toBeHex } from "ethers";

import {
  batchLimits,
  buildClaimBatch,
  groupsHashOf,
  linesLeafOf,
  manifestLeafHashOf,
  openClaimBatchFile,
  openClaimBatchRecord,
  resultShapeOf,
  verifyClaimBatchFile,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchFile,
  type ClaimBatchInput,
  type OpenedLine,
} from "../../sdk/src/claims";
import { rulebookIdOf } from "../../sdk/src/rulebooks";
import { type SealingKeyPair } from "../../sdk/src/encryption";
import { type ErrorCode } from "../../sdk/src/errors";

import { countingSalts, Random } from "../support/random";

import { counter, fill, laboratory, makeClaimBatch, payer, pharmacy, rulebook, token, zero } from "./claimBatchFixture";
import { refusedAsync } from "./refused";

describe("claim batch", () => {
  let pharmacyKeys: SealingKeyPair;
  let input: ClaimBatchInput;
  let built: BuiltClaimBatch;

  before(async () => {
    ({ pharmacyKeys, input, built } = await makeClaimBatch());
  });

  const openAsPharmacy = (file: ClaimBatchFile): ReturnType<typeof openClaimBatchFile> =>
    openClaimBatchFile(file, { payee: pharmacy, privateKey: pharmacyKeys.privateKey });

  describe("building", () => {
    it("groups lines by payee in ascending order, and sums them in base units of the token", () => {
      expect(built.groups).to.deep.equal([
        { payee: laboratory, lineCount: 2, subtotal: 105_000_000n },
        { payee: pharmacy, lineCount: 2, subtotal: 102_340_000n },
      ]);
      expect(built.terms).to.deep.include({
        payer,
        token: token.address,
        total: 207_340_000n,
        groupsHash: groupsHashOf(built.groups),
        rulebook: rulebookIdOf(rulebook),
        eventBy: 1_769_904_000,
      });
    });

    describe("the order of a group's lines", () => {
      const ids = ["1", "2", "3"].map((number) => `A-${number}`);
      const claims = ["1", "2", "3"].map((number) => fill(number, "90.00"));
      const orderOf = async (change: Partial<ClaimBatchInput>): Promise<string[]> => {
        const { record } = await buildClaimBatch({ ...input, claims, ...change });
        return openClaimBatchRecord(record).opened.flatMap(({ lines }) => lines.map(({ detail }) => detail.claimId));
      };

      it("is each order as often as another, whatever order the claims are given in", async () => {
        const BUILDS = 60;
        for (const given of [claims, [...claims].reverse()]) {
          // Seeded, so that the test always ends the same way.
          const random = new Random(7);
          const found = new Map<string, number>();
          for (let i = 0; i < BUILDS; i++) {
            const order = await orderOf({ claims: given, random: (length) => random.bytes(length) });
            order.forEach((id, place) => found.set(`${id} at ${place}`, (found.get(`${id} at ${place}`) ?? 0) + 1));
          }
          expect(found.size).to.equal(ids.length ** 2);
          // 20 each, with a standard deviation of 3.7.
          for (const [what, times] of found) expect(times, what).to.be.within(8, 32);
        }
      });

      it("follows from the salts alone: the same salts leave the same places to whatever is given there", async () => {
        const salts = () => {
          const random = new Random(11);
          return (length: number): Uint8Array => random.bytes(length);
        };
        const order = await orderOf({ random: salts() });
        expect(await orderOf({ random: salts() })).to.deep.equal(order);
        const backwards = await orderOf({ claims: [...claims].reverse(), random: salts() });
        expect(backwards).to.deep.equal(order.map((id) => ids[ids.length - 1 - ids.indexOf(id)]));
        expect(await orderOf({ random: countingSalts() })).to.deep.equal(ids);
      });

      it("is drawn anew for each batch", async () => {
        // All 40 are the same by chance once in 6^39 runs.
        const orders = await Promise.all(Array.from({ length: 40 }, () => orderOf({})));
        expect(new Set(orders.map(String)).size).to.be.above(1);
      });

      it("is one for all that is known of a line: amounts, claims, events and proofs", async () => {
        const prices = new Map(ids.map((id, i) => [id, BigInt(i + 1) * 1_000_000n]));
        const priced = ["1", "2", "3"].map((number) => fill(number, `${number}.00`));
        for (let i = 0; i < 5; i++) {
          const { record } = await buildClaimBatch({ ...input, claims: priced });
          for (const { amount, detail, event, leaf } of openClaimBatchRecord(record).opened[0]!.lines) {
            expect([amount, leaf.amount]).to.deep.equal([prices.get(detail.claimId), amount]);
            expect(event).to.include({ prescriptionReferenceNumber: detail.claimId.slice(2) });
          }
        }
      });
    });

    it("reports lines for which the payer pays nothing, instead of funding them", () => {
      expect(built.unfunded).to.deep.equal([{ claimId: "L-1", lineNumber: 2 }]);
    });

    it("makes the same batch of the same input, salts included, but seals it anew each time", async () => {
      const again = await buildClaimBatch({ ...input, random: counter() });
      expect(again.terms).to.deep.equal(built.terms);
      expect(again.batchId).to.equal(built.batchId);
      expect(again.record).to.deep.equal(built.record);
      expect(again.file.sealed[0]?.enc).not.to.equal(built.file.sealed[0]?.enc);
    });

    it("draws its salts at random unless told otherwise", async () => {
      const [one, two] = [await buildClaimBatch(input), await buildClaimBatch(input)];
      expect(one.batchId).not.to.equal(two.batchId);
      expect(one.terms.manifestRoot).not.to.equal(two.terms.manifestRoot);
      const salts = one.record.parts.flatMap((part) => [
        part.linesSalt,
        ...part.lines.flatMap((line) => [line.eventSalt, line.contentSalt, line.detailSalt]),
      ]);
      expect(new Set(salts)).to.have.property("size", 2 + 4 * 3);
    });

    it("commits to amounts and details as anybody can recompute from their definition", () => {
      const { opened } = openClaimBatchRecord(built.record);
      const hashOf = (left: string, right: string): string => keccak256(concat([left, right]));
      const lines = opened.map(({ groupLines: { group, salt, amounts } }) =>
        solidityPackedKeccak256(
          ["uint256", "bytes32", "bytes"],
          // 75,000,000 and 90,000,000 take four bytes.
          [group, salt, concat(amounts.map((amount) => toBeHex(amount, 4)))],
        ),
      ) as [string, string];
      const leaves = opened.flatMap((group) => group.lines.map(({ leaf }) => leaf));
      expect(leaves.map(({ line }) => line)).to.deep.equal([0, 1, 2, 3]);
      const details = leaves.map(({ line, payee, amount, eventKey, contentHash, detailHash }) =>
        keccak256(
          keccak256(
            AbiCoder.defaultAbiCoder().encode(
              ["uint256", "address", "uint256", "bytes32", "bytes32", "bytes32"],
              [line, payee, amount, eventKey, contentHash, detailHash],
            ),
          ),
        ),
      ) as [string, string, string, string];
      expect(opened.map(({ groupLines }) => linesLeafOf(groupLines))).to.deep.equal(lines);
      expect(leaves.map(manifestLeafHashOf)).to.deep.equal(details);
      const detailsRoot = hashOf(hashOf(details[0], details[1]), hashOf(details[2], details[3]));
      expect(built.terms.manifestRoot).to.equal(hashOf(hashOf(...lines), detailsRoot));
    });

    it("shows no claim in its file: neither ids nor amounts of lines nor codes", () => {
      const text = JSON.stringify(built.file);
      for (const secret of ["A-1", "L-1", "ACC-1", "1234567893", "90000000", "Consent/1", "99D9999999"])
        expect(text).not.to.contain(secret);
    });

    it("seals parts of different claims to the same length", () => {
      const [one, two] = built.file.sealed;
      expect(one?.ciphertext.length).to.equal(two?.ciphertext.length);
    });

    it("makes a batch of a single line, whose amount and detail prove each other", async () => {
      const single = await buildClaimBatch({ ...input, claims: [fill("1", "90.00")] });
      const opened = await openAsPharmacy(single.file);
      const [line] = opened.lines;
      expect(opened.linesProof).to.deep.equal([manifestLeafHashOf((line as OpenedLine).leaf)]);
      expect(line?.proof).to.deep.equal([linesLeafOf(opened.groupLines)]);
      expect(resultShapeOf(verifyClaimBatchFile(single.file))).to.deep.equal([
        { lineCount: 1, amounts: [90_000_000n] },
      ]);
    });

    const refusedInputs: [string, ErrorCode, () => Partial<ClaimBatchInput>][] = [
      ["no claims", "BATCH_EMPTY", () => ({ claims: [] })],
      ["claims for which nothing is paid", "BATCH_EMPTY", () => ({ claims: [fill("1", "0")] })],
      ["the same event twice", "CLAIM_DUPLICATE_LINE", () => ({ claims: [fill("1", "90"), fill("1", "90")] })],
      [
        "the same event for two payees",
        "CLAIM_DUPLICATE_LINE",
        () => ({ claims: [fill("1", "90"), fill("1", "90", laboratory)] }),
      ],
      [
        "mixed currencies",
        "CURRENCY_MISMATCH",
        () => ({ claims: [fill("1", "90"), { ...fill("2", "90"), currency: { code: "CAD", decimals: 2 } }] }),
      ],
      [
        "claims that do not balance",
        "CLAIM_DOES_NOT_BALANCE",
        () => ({ claims: [{ ...fill("1", "90"), planPays: 1n }] }),
      ],
      [
        "amounts too fine for the token",
        "AMOUNT_TOO_PRECISE",
        () => ({ claims: [fill("1", "90.01")], token: { ...token, decimals: 1 } }),
      ],
      ["a payee without a key", "PAYEE_KEY_MISSING", () => ({ payeeKeys: {} })],
      [
        "a key that is none",
        "KEY_INVALID",
        () => ({ claims: [fill("1", "90")], payeeKeys: { [pharmacy]: { publicKey: "0x00", version: 1 } } }),
      ],
      ["an escrow that is no address", "IDENTIFIER_INVALID", () => ({ escrow: "0x00" })],
      ["the zero address as payer", "IDENTIFIER_INVALID", () => ({ payer: zero })],
      ["an event date that is none", "BATCH_TERMS_INVALID", () => ({ eventBy: new Date("never") })],
      ["a chain that is none", "BATCH_TERMS_INVALID", () => ({ chainId: 0 })],
      ["a salt beyond 64 bits", "BATCH_TERMS_INVALID", () => ({ salt: 1n << 64n })],
      ["token decimals that are none", "BATCH_TERMS_INVALID", () => ({ token: { ...token, decimals: -1 } })],
      [
        "a rulebook whose fields do not fit",
        "BATCH_TERMS_INVALID",
        () => ({ rulebook: { ...rulebook, retentionBps: 65_536 } }),
      ],
    ];
    for (const [what, code, change] of refusedInputs)
      it(`refuses ${what}`, async () => {
        await refusedAsync(code, buildClaimBatch({ ...input, ...change() }));
      });

    it("refuses a batch too large for one transaction, and says which limit", async () => {
      const limitOf = async (claims: AdjudicatedClaim[], change: Partial<ClaimBatchInput> = {}): Promise<unknown> => {
        const error = await refusedAsync("BATCH_TOO_LARGE", buildClaimBatch({ ...input, ...change, claims }));
        return error.details.limit;
      };
      const many = (count: number, payeeOf: (i: number) => string): AdjudicatedClaim[] =>
        Array.from({ length: count }, (_, i) => fill(String(i + 1), "1", payeeOf(i)));
      expect(await limitOf(many(batchLimits.groups + 1, (i) => getAddress(toBeHex(i + 1, 20))))).to.equal("groups");
      expect(await limitOf(many(batchLimits.lines + 1, () => pharmacy))).to.equal("lines");

      const wei = { token: { ...token, decimals: 18 } };
      const subtotalLimit = (1n << 86n) / 10n ** 16n; // in cents
      const most = `${subtotalLimit / 100n}.${String(subtotalLimit % 100n).padStart(2, "0")}`;
      expect(await limitOf([fill("1", most), fill("2", "0.01")], wei)).to.equal("base units in one group");
    });
  });
});
