import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataSlice, id, keccak256, N, toBeHex, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { met, settle, settlementOf } from "../../support/batches";
import { fundedOf, moneyOf } from "../../support/claims";
import {
  accountKey,
  assertionOf,
  contractKey,
  ORDER,
  p256Key,
  passkey,
  publicKeyOf,
  type Key,
} from "../../support/keys";
import { originPasskey, otherS } from "../WebAuthnOriginVerifier/assertions";

import {
  bySigner,
  conditionOf,
  deployWorld,
  digestOf,
  packSignatures,
  plainBatchOf,
  publishConditions,
  signedBy,
  withSignatures,
  type World,
} from "./fixture";

/** OpenZeppelin's P-256 verifier with a byte of no meaning behind its code: another contract, which has to be called. */
async function deployOtherP256Verifier(world: World): Promise<string> {
  const address = ethers.getAddress(dataSlice(id("another P-256 verifier"), 12));
  await setCode(address, concat([await ethers.provider.getCode(world.p256Verifier), "0x00"]));
  return address;
}

/** One of each kind of key. */
const kinds: Record<string, (world: World) => Key | Promise<Key>> = {
  "an account": () => accountKey("kind"),
  "a wallet contract": () => contractKey("kind"),
  "a P-256 key under OpenZeppelin's verifier": ({ p256Verifier }) => p256Key("kind", p256Verifier),
  "a P-256 key under a verifier of other code": async (world) => p256Key("kind", await deployOtherP256Verifier(world)),
  "a passkey under OpenZeppelin's verifier": ({ webAuthnVerifier }) => passkey("kind", webAuthnVerifier),
  "a passkey bound to its page": ({ webAuthnOriginVerifier }) => originPasskey("kind", webAuthnOriginVerifier),
};

/** A funded batch of 50 under a rulebook of one condition: `threshold` of these. */
async function givenKeys(threshold: number, keysOf: (world: World) => (Key | Promise<Key>)[]) {
  const world = await loadFixture(deployWorld);
  const keys = (await Promise.all(keysOf(world).map((key) => Promise.resolve(key)))).sort(bySigner);
  const attesters = keys.map(({ signer }) => signer);
  const rulebook = await publishConditions(world, conditionOf(threshold, attesters));
  const batch = await fundedOf(world, await plainBatchOf(world, [[50n]], rulebook));
  return { world, keys, batch };
}

/** Offers what `signatureOf` makes of the digest as the only signature of the one attester. */
async function offer(keyOf: (world: World) => Key | Promise<Key>, signatureOf: (digest: string) => string) {
  const { world, batch } = await givenKeys(1, (given) => [keyOf(given)]);
  const settlement = await settlementOf(batch, { results: [met], signers: [] });
  const signature = signatureOf(digestOf(batch, settlement));
  const packed = withSignatures(settlement, packSignatures([{ attester: 0, signature }]));
  return { world, batch, sent: settle(world.escrow, packed) };
}

async function expectInvalid({ world, sent }: Awaited<ReturnType<typeof offer>>, index = 0n): Promise<void> {
  await expect(sent).to.be.revertedWithCustomError(world.conditions, "SignatureInvalid").withArgs(index);
}

describe("AttesterConditions: kinds of keys", () => {
  for (const [what, keyOf] of Object.entries(kinds)) {
    it(`takes the signature of ${what}`, async () => {
      const { world, batch, keys } = await givenKeys(1, (given) => [keyOf(given)]);
      await settle(world.escrow, await signedBy(batch, [met], [{ attester: 0, key: keys[0]! }]));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
    });

    it(`refuses that of ${what} over another digest`, async () => {
      const world = await loadFixture(deployWorld);
      const key = await keyOf(world);
      await expectInvalid(await offer(keyOf, () => key.sign(id("another digest"))));
    });

    it(`refuses an empty signature of ${what}`, async () => {
      await expectInvalid(await offer(keyOf, () => "0x"));
    });

    it(`refuses one cut short of ${what}`, async () => {
      const world = await loadFixture(deployWorld);
      const key = await keyOf(world);
      await expectInvalid(await offer(keyOf, (digest) => dataSlice(key.sign(digest), 0, 63)));
    });
  }

  it("takes all of them in one condition", async () => {
    const { world, batch, keys } = await givenKeys(6, (given) => Object.values(kinds).map((keyOf) => keyOf(given)));
    const signing = keys.map((key, attester) => ({ attester, key }));
    await settle(world.escrow, await signedBy(batch, [met], signing));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
  });

  for (const dropped of [0, 1, 2, 3, 4, 5])
    it(`takes 4 of them where attester ${dropped} and its neighbour do not sign, and not 3`, async () => {
      const { world, batch, keys } = await givenKeys(4, (given) => Object.values(kinds).map((keyOf) => keyOf(given)));
      const signing = keys
        .map((key, attester) => ({ attester, key }))
        .filter(({ attester }) => attester !== dropped && attester !== (dropped + 1) % 6);
      await expect(settle(world.escrow, await signedBy(batch, [met], signing.slice(1))))
        .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
        .withArgs(0n, 4n, 3n);
      await settle(world.escrow, await signedBy(batch, [met], signing));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
    });

  it("refuses one key's signature as that of another of its kind", async () => {
    const { world, batch, keys } = await givenKeys(2, ({ p256Verifier }) => [
      p256Key("a", p256Verifier),
      p256Key("b", p256Verifier),
    ]);
    const signing = [keys[0]!, keys[0]!].map((key, attester) => ({ attester, key }));
    await expect(settle(world.escrow, await signedBy(batch, [met], signing)))
      .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
      .withArgs(1n);
  });
});

describe("AttesterConditions: malformed signatures of accounts", () => {
  const key = accountKey("malformed");
  const v = (signature: string): number => Number(dataSlice(signature, 64));
  const malformed: Record<string, (signature: string) => string> = {
    "the other s of the curve, with its v": (signature) =>
      concat([
        dataSlice(signature, 0, 32),
        toBeHex(N - BigInt(dataSlice(signature, 32, 64)), 32),
        toBeHex(55 - v(signature), 1),
      ]),
    "an r of zero": (signature) => concat([ZeroHash, dataSlice(signature, 32)]),
    "an s of zero": (signature) => concat([dataSlice(signature, 0, 32), ZeroHash, dataSlice(signature, 64)]),
    "the other v": (signature) => concat([dataSlice(signature, 0, 64), toBeHex(55 - v(signature), 1)]),
    "a v of 0 or 1": (signature) => concat([dataSlice(signature, 0, 64), toBeHex(v(signature) - 27, 1)]),
    "the compact form of 64 bytes": (signature) => dataSlice(signature, 0, 64),
    "a byte too many": (signature) => concat([signature, "0x00"]),
    "nothing but zeros": () => `0x${"00".repeat(65)}`,
  };
  for (const [what, change] of Object.entries(malformed))
    it(`refuses ${what}`, async () => {
      await expectInvalid(
        await offer(
          () => key,
          (digest) => change(key.sign(digest)),
        ),
      );
    });
});

describe("AttesterConditions: malformed signatures of P-256 keys", () => {
  const malformed: Record<string, (r: string, s: string) => string[]> = {
    "the other s of the curve": otherS,
    "an r of zero": (_, s) => [ZeroHash, s],
    "an s of zero": (r) => [r, ZeroHash],
    "an r beyond the curve": (_, s) => [toBeHex(ORDER, 32), s],
    "an s beyond the curve": (r, s) => [r, toBeHex(BigInt(s) + ORDER > 1n << 256n ? ORDER : BigInt(s) + ORDER, 32)],
    "r and s the other way round": (r, s) => [s, r],
    "nothing but zeros": () => [ZeroHash, ZeroHash],
  };
  const verifiers: Record<string, (world: World) => string | Promise<string>> = {
    "OpenZeppelin's verifier": ({ p256Verifier }) => p256Verifier,
    "a verifier of other code": deployOtherP256Verifier,
  };
  for (const [verifier, verifierOf] of Object.entries(verifiers)) {
    const keyOf = async (world: World): Promise<Key> => p256Key("malformed", await verifierOf(world));
    for (const [what, change] of Object.entries(malformed))
      it(`refuses ${what}, under ${verifier}`, async () => {
        const key = await keyOf(await loadFixture(deployWorld));
        await expectInvalid(
          await offer(keyOf, (digest) => {
            const signature = key.sign(digest);
            return concat(change(dataSlice(signature, 0, 32), dataSlice(signature, 32)));
          }),
        );
      });

    it(`takes a recovery id behind the signature, which is not read, under ${verifier}`, async () => {
      const key = await keyOf(await loadFixture(deployWorld));
      const { world, batch, sent } = await offer(keyOf, (digest) => concat([key.sign(digest), "0x1b"]));
      await sent;
      expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
    });

    for (const [what, publicKey] of [
      ["off the curve", concat([toBeHex(1n, 32), toBeHex(1n, 32)])],
      ["at infinity", concat([ZeroHash, ZeroHash])],
      ["beyond the field", `0x${"ff".repeat(64)}`],
    ] as const)
      it(`refuses every signature of a key ${what}, under ${verifier}`, async () => {
        const key = p256Key("malformed", (await loadFixture(deployWorld)).p256Verifier);
        const badKeyOf = async (world: World): Promise<Key> => {
          const signer = concat([await verifierOf(world), publicKey]);
          return { ...key, signer, hash: keccak256(signer) };
        };
        await expectInvalid(await offer(badKeyOf, (digest) => key.sign(digest)));
      });
  }
});

describe("AttesterConditions: malformed signatures of passkeys", () => {
  const secret = BigInt(id("passkey malformed")) % ORDER;
  const keyOf = ({ webAuthnVerifier }: World): Key => passkey("malformed", webAuthnVerifier);
  const wrong: Record<string, (digest: string) => string> = {
    "another type": (digest) => assertionOf(secret, digest, { type: "webauthn.create" }),
    "another challenge": () => assertionOf(secret, id("another challenge")),
    "no user present": (digest) => assertionOf(secret, digest, { flags: 0x04 }),
    "no user verified": (digest) => assertionOf(secret, digest, { flags: 0x01 }),
    "the signature of another passkey": (digest) => assertionOf(secret + 1n, digest),
    "junk in place of an assertion": () => `0x${"ff".repeat(400)}`,
    "zeros in place of an assertion": () => `0x${"00".repeat(400)}`,
    "a bare P-256 signature": (digest) => p256Key("malformed", publicKeyOf(secret)).sign(digest),
  };
  for (const [what, signatureOf] of Object.entries(wrong))
    it(`refuses ${what}`, async () => {
      await expectInvalid(await offer(keyOf, signatureOf));
    });
});

describe("AttesterConditions: contracts that misbehave", () => {
  const modes = [
    "reverts",
    "returns junk",
    "returns the magic value with dirt behind it",
    "returns nothing",
    "returns the magic value in four bytes",
    "returns 64 KiB",
    "burns all gas",
  ];
  const signers: Record<string, (contract: string) => string> = {
    "a wallet contract": (contract) => contract,
    // Its answer to the question for a verifier is none at all, since it has no such function.
    "a verifier": (contract) => concat([contract, "0x01"]),
  };
  for (const [what, signerOf] of Object.entries(signers))
    for (const [mode, how] of modes.entries())
      it(`refuses ${what} that ${how}`, async () => {
        const keyOf = async (): Promise<Key> => {
          const contract = await (await ethers.deployContract("Erc1271Misbehaving", [mode])).getAddress();
          const signer = signerOf(contract).toLowerCase();
          return { signer, hash: keccak256(signer), sign: () => "0x" };
        };
        await expectInvalid(await offer(keyOf, () => `0x${"11".repeat(65)}`));
      });

  /** Runtime code that answers every call with these words. */
  const answering = (word: string, size: number): string =>
    concat(["0x7f", word, "0x5f52", "0x61", toBeHex(size, 2), "0x5ff3"]);
  const magic = "0x024ad318".padEnd(66, "0");
  const verifiers: Record<string, [code: string, taken: boolean]> = {
    "returns the magic value": [answering(magic, 32), true],
    "returns it with another word behind": [answering(magic, 64), true],
    "returns the magic value with dirt behind it": [answering(`${magic.slice(0, -1)}1`, 32), false],
    "returns the magic value in four bytes": [answering(magic, 4), false],
    "returns the magic value of a wallet": [answering("0x1626ba7e".padEnd(66, "0"), 32), false],
    "returns 64 KiB of junk": [answering(`0x${"ff".repeat(32)}`, 65_535), false],
    // The question begins with the magic value, too. Whoever names such a contract, which is no precompile, wants it so.
    "returns what it was asked": ["0x365f5f37365ff3", true],
    "reverts with the magic value": [concat([dataSlice(answering(magic, 32), 0, -1), "0xfd"]), false],
    "burns all gas": ["0xfe", false],
    "never comes to an end": ["0x5b5f56", false],
  };
  for (const [how, [code, taken]] of Object.entries(verifiers))
    it(`${taken ? "takes" : "refuses"} a verifier that ${how}`, async () => {
      const verifier = dataSlice(id(`verifier that ${how}`), 12);
      const keyOf = async (): Promise<Key> => {
        await setCode(verifier, code);
        const signer = concat([verifier, "0x01"]);
        return { signer, hash: keccak256(signer), sign: () => "0x" };
      };
      const offered = await offer(keyOf, () => concat([magic, `0x${"00".repeat(32)}`]));
      if (!taken) return expectInvalid(offered);
      await offered.sent;
      expect((await moneyOf(offered.world, offered.batch)).credits).to.deep.equal([50n]);
    });

  for (const [what, keyOf] of Object.entries({
    "a wallet contract": async () =>
      (await (await ethers.deployContract("Erc1271Misbehaving", [modes.length - 1])).getAddress()).toLowerCase(),
    "a verifier": async () => {
      const verifier = dataSlice(id("verifier that burns all gas"), 12);
      await setCode(verifier, "0xfe");
      return concat([verifier, "0x01"]);
    },
  }))
    it(`leave enough of three million gas to say so: ${what} that burns all it gets`, async () => {
      const world = await loadFixture(deployWorld);
      const rulebook = await publishConditions(world, conditionOf(1, [await keyOf()]));
      const batch = await fundedOf(world, await plainBatchOf(world, [[50n]], rulebook));
      const settlement = await settlementOf(batch, { results: [met], signers: [] });
      const attestation = { ...settlement.attestation, signatures: packSignatures([{ attester: 0, signature: "0x" }]) };
      await expect(world.escrow.settle(batch.terms, batch.words, attestation, { gasLimit: 3_000_000 }))
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(0n);
    });

  it("are refused as verifiers where they are precompiles, when the rulebook is published", async () => {
    const world = await loadFixture(deployWorld);
    const signer = concat([toBeHex(4, 20), magic]);
    await expect(publishConditions(world, conditionOf(1, [signer])))
      .to.be.revertedWithCustomError(world.rulebooks, "AttesterInvalid")
      .withArgs(0n, signer);
  });
});
