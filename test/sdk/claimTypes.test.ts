import { expect } from "chai";
import { AbiCoder, concat, getAddress, keccak256, toBeHex, toUtf8Bytes, zeroPadValue } from "ethers";
import fc from "fast-check";

import {
  batchLimits,
  groupsHashOf,
  linesLeafOf,
  packGroup,
  packLineAmounts,
  unpackGroup,
  type BuiltClaimBatch,
} from "../../sdk/src/claims";
import { rulebookFromJson, rulebookIdOf } from "../../sdk/src/rulebooks";

import { escrow, makeClaimBatch, pharmacy, rulebook, zero } from "./claimBatchFixture";
import { refused } from "./refused";

describe("claim batch terms", () => {
  let built: BuiltClaimBatch;

  before(async () => {
    ({ built } = await makeClaimBatch());
  });

  it("packs a group as payee, line count and subtotal", () => {
    const word = packGroup({ payee: pharmacy, lineCount: 2, subtotal: 102_340_000n });
    expect(word).to.equal((BigInt(pharmacy) << 96n) | (2n << 86n) | 102_340_000n);
    expect(groupsHashOf([{ payee: pharmacy, lineCount: 2, subtotal: 102_340_000n }])).to.equal(
      keccak256(toBeHex(word, 32)),
    );
  });

  it("reads back every group it packs", () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, (1n << 160n) - 1n),
        fc.integer({ min: 1, max: batchLimits.lines }),
        fc.bigInt(BigInt(batchLimits.lines), batchLimits.subtotal),
        (account, lineCount, subtotal) => {
          const group = { payee: getAddress(toBeHex(account, 20)), lineCount, subtotal };
          expect(unpackGroup(packGroup(group))).to.deep.equal(group);
        },
      ),
    );
  });

  it("refuses groups without payee, lines or amount, and words that are none", () => {
    const group = { payee: pharmacy, lineCount: 2, subtotal: 2n };
    refused("IDENTIFIER_INVALID", () => packGroup({ ...group, payee: zero }));
    for (const lineCount of [0, batchLimits.lines + 1, 1.5])
      refused("GROUPS_INVALID", () => packGroup({ ...group, lineCount }));
    for (const subtotal of [0n, 1n, 1n << 86n]) refused("GROUPS_INVALID", () => packGroup({ ...group, subtotal }));
    for (const word of [-1n, 1n << 256n, BigInt(pharmacy) << 96n]) refused("GROUPS_INVALID", () => unpackGroup(word));
  });

  it("hashes a lines leaf over group, salt and amounts, each in as many bytes as the largest needs", () => {
    const salt = "0x" + "ab".repeat(32);
    expect(linesLeafOf({ group: 3, salt, amounts: [1n, 258n] })).to.equal(
      keccak256(concat([toBeHex(3, 32), salt, "0x0001", "0x0102"])),
    );
    expect(packLineAmounts([1n, (1n << 86n) - 1n])).to.equal(concat([toBeHex(1, 11), toBeHex((1n << 86n) - 1n, 11)]));
    expect(packLineAmounts([255n, 1n])).to.equal("0xff01");
    for (const amount of [0n, 1n << 86n, -1n])
      refused("AMOUNT_TOO_LARGE", () => linesLeafOf({ group: 0, salt, amounts: [amount] }));
  });

  it("names a batch by the EIP-712 digest of its terms", () => {
    const hash = (text: string): string => keccak256(toUtf8Bytes(text));
    const abi = AbiCoder.defaultAbiCoder();
    const { payer: from, token: paidIn, total, groupsHash, manifestRoot, rulebook: rules } = built.terms;
    const domain = keccak256(
      abi.encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [
          hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
          hash("Carepact ClaimEscrow"),
          hash("1"),
          31337,
          escrow,
        ],
      ),
    );
    const struct = keccak256(
      concat([
        hash(
          "ClaimBatch(address payer,address token,uint96 total,bytes32 groupsHash,bytes32 manifestRoot," +
            "bytes32 rulebook,uint40 eventBy,uint64 salt)",
        ),
        zeroPadValue(from, 32),
        zeroPadValue(paidIn, 32),
        toBeHex(total, 32),
        groupsHash,
        manifestRoot,
        rules,
        toBeHex(built.terms.eventBy, 32),
        toBeHex(built.terms.salt, 32),
      ]),
    );
    expect(built.batchId).to.equal(keccak256(concat(["0x1901", domain, struct])));
  });

  it("carries a rulebook through JSON under the same id", () => {
    expect(rulebookIdOf(rulebookFromJson(built.file.rulebook))).to.equal(rulebookIdOf(rulebook));
  });
});
