import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataSlice, hexlify, id, keccak256, sha256, toBeHex, toUtf8Bytes, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { ORDER, p256Key, publicKeyOf } from "../../support/keys";
import { deploySystem } from "../../support/system";

import { assertionAt, originKeyOf, otherS, PAGE, type Changes, type Page } from "./assertions";

const VALID = "0x024ad318";
const INVALID = "0xffffffff";
const DIGEST = id("a digest");
const SECRET = BigInt(id("passkey")) % ORDER;
const PUBLIC_KEY = publicKeyOf(SECRET);
const KEY = originKeyOf(PUBLIC_KEY, PAGE);

describe("WebAuthnOriginVerifier", () => {
  async function given() {
    const { webAuthnOriginVerifier, webAuthnVerifier } = await loadFixture(deploySystemOnce);
    return {
      verifier: await ethers.getContractAt("WebAuthnOriginVerifier", webAuthnOriginVerifier),
      // OpenZeppelin's, of the same interface.
      plain: await ethers.getContractAt("WebAuthnOriginVerifier", webAuthnVerifier),
    };
  }
  const deploySystemOnce = () => deploySystem();

  describe("given an assertion of the page for which the key was made", () => {
    it("takes it", async () => {
      const { verifier } = await given();
      expect(await verifier.verify(KEY, DIGEST, assertionAt(PAGE, SECRET, DIGEST))).to.equal(VALID);
    });

    const pages: Page[] = [
      { rpId: "localhost", origin: "http://localhost:3000" },
      { rpId: "example", origin: "https://a.example" },
      { rpId: "patient.example", origin: "https://patient.example:8443" },
      { rpId: "long.example", origin: `https://${"a".repeat(235)}.long.example`.slice(0, 255) },
      { rpId: "app.example", origin: "android:apk-key-hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    ];
    for (const page of pages)
      it(`takes it at ${page.origin.slice(0, 40)}`, async () => {
        const { verifier } = await given();
        const key = originKeyOf(PUBLIC_KEY, page);
        expect(await verifier.verify(key, DIGEST, assertionAt(page, SECRET, DIGEST))).to.equal(VALID);
        expect(await verifier.verify(KEY, DIGEST, assertionAt(page, SECRET, DIGEST))).to.equal(INVALID);
        expect(await verifier.verify(key, DIGEST, assertionAt(PAGE, SECRET, DIGEST))).to.equal(INVALID);
      });

    const also: Record<string, Changes> = {
      "a key that is backed up": { flags: 0x1d },
      "a key that could be backed up": { flags: 0x0d },
      "a signature counter": {
        authenticatorData: (data) => Buffer.concat([data.subarray(0, 33), Buffer.from("0007")]),
      },
      "extension outputs": { authenticatorData: (data) => Buffer.concat([data, Buffer.from("a0", "hex")]) },
      "members that a browser may append": {
        clientData: (json) => json.replace("}", ',"other_keys_can_be_added_here":"do not compare"}'),
      },
    };
    for (const [what, changes] of Object.entries(also))
      it(`takes it with ${what}`, async () => {
        const { verifier } = await given();
        expect(await verifier.verify(KEY, DIGEST, assertionAt(PAGE, SECRET, DIGEST, changes))).to.equal(VALID);
      });
  });

  describe("given one that another page, a frame, or nobody wanted", () => {
    const flipped = (json: string): string => {
      const { type, challenge, origin, crossOrigin } = JSON.parse(json) as Record<string, unknown>;
      return JSON.stringify({ type, challenge, crossOrigin, origin });
    };
    /** What OpenZeppelin's verifier, which does not look at the page, takes. */
    const elsewhere: Record<string, Changes> = {
      "another origin": { origin: "https://evil.example" },
      "an origin of the same length": { origin: "https://patienT.example" },
      "a longer origin": { origin: "https://patient.example.evil.example" },
      "a shorter origin": { origin: "https://patient.exampl" },
      "an origin without its scheme": { origin: "patient.example" },
      "another scheme": { origin: "http://patient.example" },
      "another port": { origin: "https://patient.example:444" },
      "another relying party": { rpId: "evil.example" },
      "the parent domain as relying party": { rpId: "example" },
      "a frame of another page": { crossOrigin: true },
      "a frame of another page, with its name": {
        clientData: (json) => json.replace(/false}$/, 'true,"topOrigin":"https://evil.example"}'),
      },
      "no word about frames": { clientData: (json) => json.replace(',"crossOrigin":false', "") },
      "members in another order": { clientData: flipped },
      "a space that browsers do not write": { clientData: (json) => json.replace(',"origin"', ', "origin"') },
      "a member before all others": { clientData: (json) => json.replace("{", '{"a":1,') },
      "the right origin behind the wrong one": {
        clientData: (json) => json.replace('"origin":"', '"origin":"https://evil.example","x":"","origin":"'),
      },
      "the right origin in front, in a member of another name": {
        origin: "https://evil.example",
        clientData: (json) =>
          json.replace('"origin":', `"old":"","origin":"${PAGE.origin}","crossOrigin":false,"origin":`),
      },
    };
    for (const [what, changes] of Object.entries(elsewhere))
      it(`refuses ${what}, which OpenZeppelin's verifier takes`, async () => {
        const { verifier, plain } = await given();
        const assertion = assertionAt(PAGE, SECRET, DIGEST, changes);
        expect(await plain.verify(PUBLIC_KEY, DIGEST, assertion)).to.equal(VALID);
        expect(await verifier.verify(KEY, DIGEST, assertion)).to.equal(INVALID);
      });

    const wrong: Record<string, Changes> = {
      "another challenge": { challenge: id("another digest") },
      "the type of a registration": { type: "webauthn.create" },
      "a type that only begins alike": { type: "webauthn.get.not" },
      "no user present": { flags: 0x04 },
      "no user verified": { flags: 0x01 },
      "no flags": { flags: 0 },
      "a backup without being fit for it": { flags: 0x15 },
      "no authenticator data": { authenticatorData: () => Buffer.alloc(0) },
      "authenticator data of 31 bytes": { authenticatorData: (data) => data.subarray(0, 31) },
      "authenticator data cut to the relying party": { authenticatorData: (data) => data.subarray(0, 32) },
      "authenticator data without its last byte": { authenticatorData: (data) => data.subarray(0, 36) },
      "no client data": { clientData: () => "", challengeIndex: 23n, typeIndex: 1n },
      "client data cut in the origin": { clientData: (json) => json.slice(0, 100) },
      "client data cut before the end of what is compared": { clientData: (json) => json.slice(0, -2) },
      "an index of the challenge that points elsewhere": { challengeIndex: 22n },
      "an index of the challenge beyond the end": { challengeIndex: (1n << 256n) - 1n },
      "an index of the type that points elsewhere": { typeIndex: 0n },
      "an index of the type beyond the end": { typeIndex: (1n << 256n) - 1n },
      "the challenge in place of the type": { typeIndex: 23n, challengeIndex: 1n },
      "the other s of the curve": { signature: otherS },
      "an r of zero": { signature: (_, s) => [ZeroHash, s] },
      "an s of zero": { signature: (r) => [r, ZeroHash] },
      "an r beyond the curve": { signature: (_, s) => [toBeHex(ORDER, 32), s] },
      "r and s the other way round": { signature: (r, s) => [s, r] },
      "client data changed after signing": {
        after: {
          clientData: `${JSON.stringify({
            type: "webauthn.get",
            challenge: Buffer.from(DIGEST.slice(2), "hex").toString("base64url"),
            origin: PAGE.origin,
            crossOrigin: false,
          }).slice(0, -1)},"a":1}`,
        },
      },
      "authenticator data changed after signing": {
        after: {
          authenticatorData: Buffer.concat([
            Buffer.from(sha256(toUtf8Bytes(PAGE.rpId)).slice(2), "hex"),
            Buffer.from([5, 0, 0, 0, 1]),
          ]),
        },
      },
    };
    for (const [what, changes] of Object.entries(wrong))
      it(`refuses ${what}`, async () => {
        const { verifier } = await given();
        expect(await verifier.verify(KEY, DIGEST, assertionAt(PAGE, SECRET, DIGEST, changes))).to.equal(INVALID);
      });

    it("refuses the assertion of another passkey", async () => {
      const { verifier } = await given();
      expect(await verifier.verify(KEY, DIGEST, assertionAt(PAGE, SECRET + 1n, DIGEST))).to.equal(INVALID);
    });
  });

  describe("given what is no assertion", () => {
    const assertion = assertionAt(PAGE, SECRET, DIGEST);
    const word = (index: number, value: bigint): string =>
      concat([dataSlice(assertion, 0, index * 32), toBeHex(value, 32), dataSlice(assertion, index * 32 + 32)]);
    const FAR = (1n << 256n) - 1n;
    const junk: Record<string, string> = {
      "nothing at all": "0x",
      "a bare signature": p256Key("x", PUBLIC_KEY).sign(DIGEST),
      "less than its six words": dataSlice(assertion, 0, 191),
      "its six words and nothing behind": dataSlice(assertion, 0, 192),
      "one cut by its last word": dataSlice(assertion, 0, -32),
      "authenticator data beyond the end": word(4, FAR),
      "authenticator data just beyond the end": word(4, BigInt((assertion.length - 2) / 2 - 31)),
      "client data beyond the end": word(5, FAR),
      "authenticator data in place of client data": word(5, 192n),
      "authenticator data of absurd length": word(6, FAR),
      zeros: hexlify(new Uint8Array(640)),
      ones: `0x${"ff".repeat(640)}`,
    };
    for (const [what, signature] of Object.entries(junk))
      it(`refuses ${what}, without a revert`, async () => {
        const { verifier } = await given();
        expect(await verifier.verify(KEY, DIGEST, signature)).to.equal(INVALID);
      });
  });

  describe("given another key", () => {
    const [x, y] = [dataSlice(PUBLIC_KEY, 0, 32), dataSlice(PUBLIC_KEY, 32)];
    const rest = dataSlice(KEY, 64);
    const keys: Record<string, string> = {
      "without its last byte": dataSlice(KEY, 0, 128),
      "with a byte too many": concat([KEY, "0x00"]),
      "of a public key and nothing else": PUBLIC_KEY,
      "of nothing": "0x",
      "of the other y of the curve": concat([
        x,
        toBeHex(0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn - BigInt(y), 32),
        rest,
      ]),
      "off the curve": concat([x, x, rest]),
      "at infinity": concat([ZeroHash, ZeroHash, rest]),
      "of another relying party": concat([PUBLIC_KEY, sha256("0x01"), dataSlice(KEY, 96)]),
      "of another origin": concat([dataSlice(KEY, 0, 96), keccak256("0x01"), dataSlice(KEY, 128)]),
      "of a shorter origin": concat([dataSlice(KEY, 0, 128), toBeHex(PAGE.origin.length - 1, 1)]),
      "of a longer origin": concat([dataSlice(KEY, 0, 128), toBeHex(PAGE.origin.length + 1, 1)]),
      "of an origin of 255 bytes": concat([dataSlice(KEY, 0, 128), "0xff"]),
    };
    for (const [what, key] of Object.entries(keys))
      it(`refuses one ${what}`, async () => {
        const { verifier } = await given();
        expect(await verifier.verify(key, DIGEST, assertionAt(PAGE, SECRET, DIGEST))).to.equal(INVALID);
      });
  });
});
