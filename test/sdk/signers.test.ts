import { createSign, generateKeyPairSync, webcrypto } from "node:crypto";

import { expect } from "chai";
import { AbiCoder, SigningKey, Wallet, concat, dataSlice, getBytes, hexlify, id, toBeHex } from "ethers";
import { ethers } from "hardhat";

import {
  accountSigner,
  contractSigner,
  createPasskey,
  digestOf,
  passkeySigner,
  p256Signer,
  webCryptoSigner,
  type Passkey,
  type PatientSigner,
  type TypedMessage,
} from "@carepact/sdk/signers";

import { authenticator, type Misbehaviour } from "../support/authenticator";
import { ORDER, contractKey, p256Key, signP256 } from "../support/keys";

import { refused, refusedAsync } from "./refused";

const MAGIC = "0x024ad318";
const REFUSED = "0xffffffff";
const ORIGIN = "https://patient.example";
const ACCOUNT = `0x${"11".repeat(20)}`;

const message: TypedMessage = {
  domain: { name: "Carepact ConsentRegistry", version: "1", chainId: 31337, verifyingContract: ACCOUNT },
  types: {
    RevokeGrant: [
      { name: "patient", type: "bytes32" },
      { name: "number", type: "uint32" },
      { name: "deadline", type: "uint48" },
    ],
  },
  message: { patient: id("patient"), number: 3, deadline: 1_900_000_000 },
};
const digest = digestOf(message);
const another: TypedMessage = { ...message, message: { ...message.message, number: 4 } };

/** What the deployed verifier of a signer says to a signature. */
async function answerOf(signer: string, signature: string, to = digest): Promise<string> {
  const verifier = await ethers.getContractAt("IERC7913SignatureVerifier", dataSlice(signer, 0, 20));
  return verifier.verify(dataSlice(signer, 20), to, signature);
}

const deployed = async (name: string): Promise<string> => (await ethers.deployContract(name)).getAddress();

const named = (name: string): Error => Object.assign(new Error("The browser's own words."), { name });
const gives =
  <Value>(value: Value) =>
  (): Promise<Value> =>
    Promise.resolve(value);

describe("Signers", () => {
  let p256Verifier: string;
  let webAuthnVerifier: string;
  before(async () => {
    p256Verifier = await deployed("ERC7913P256Verifier");
    webAuthnVerifier = await deployed("ERC7913WebAuthnVerifier");
  });

  it("refuse a message that does not fit its types", () => {
    refused("INPUT_INVALID", () => digestOf({ ...message, message: { ...message.message, number: 2n ** 40n } }));
  });

  describe("accountSigner", () => {
    const wallet = new Wallet(id("account"));

    it("signs with an account, which the digest leads back to", async () => {
      const signer = await accountSigner(wallet);

      expect(signer.signer).to.equal(wallet.address.toLowerCase());
      expect(ethers.recoverAddress(digest, await signer.sign(message))).to.equal(wallet.address);
    });

    it("writes the last byte as the contracts want it, where a wallet counts from zero", async () => {
      const signature = await wallet.signTypedData(message.domain, message.types, message.message);
      const old = concat([dataSlice(signature, 0, 64), toBeHex(Number(dataSlice(signature, 64)) - 27, 1)]);
      const signer = await accountSigner({ getAddress: gives(wallet.address), signTypedData: gives(old) });

      expect(await signer.sign(message)).to.equal(signature);
    });

    it("refuses what cannot sign typed data", async () => {
      await refusedAsync("RUNNER_CANNOT_SIGN", accountSigner(ethers.provider as never));
      await refusedAsync("RUNNER_CANNOT_SIGN", accountSigner(undefined as never));
    });

    it("says when the wallet refused", async () => {
      const refusing = Object.assign(new Error("no"), { code: 4001 });
      const signTypedData = (): Promise<string> => Promise.reject(refusing);
      const signer = await accountSigner({ getAddress: gives(wallet.address), signTypedData });
      const locked = { getAddress: (): Promise<string> => Promise.reject(refusing), signTypedData };

      await refusedAsync("USER_REJECTED", signer.sign(message));
      await refusedAsync("USER_REJECTED", accountSigner(locked));
    });

    for (const answer of ["", "0x", "0x123", "not hex", undefined, 5])
      it(`refuses ${JSON.stringify(answer)} as a signature`, async () => {
        const signTypedData = gives(answer as string);
        const signer = await accountSigner({ getAddress: gives(wallet.address), signTypedData });

        await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
      });
  });

  describe("contractSigner", () => {
    it("signs for a wallet contract, which takes it (ERC-1271)", async () => {
      const { signer: address } = await contractKey("Safe");
      const owner = new SigningKey(id("owner Safe"));
      const signer = contractSigner(address, (asked) => Promise.resolve(owner.sign(digestOf(asked)).serialized));
      const wallet = await ethers.getContractAt("Erc1271Wallet", address);

      expect(signer.signer).to.equal(address);
      expect(await wallet.isValidSignature(digest, await signer.sign(message))).to.equal("0x1626ba7e");
    });

    for (const address of ["", "0x", "0x1234", `0x${"11".repeat(21)}`, "alice.eth", undefined])
      it(`refuses ${JSON.stringify(address)} as an address`, () => {
        refused("IDENTIFIER_INVALID", () => contractSigner(address as string, gives("0x11")));
      });
  });

  describe("p256Signer", () => {
    const secret = BigInt(id("P-256 of a module")) % ORDER;
    const publicKey = (): string => dataSlice(p256Key("of a module", p256Verifier).signer, 20);
    const rAndS = (value: Uint8Array): Promise<string> => Promise.resolve(concat(signP256(secret, hexlify(value))));

    it("signs as its verifier wants it", async () => {
      const signer = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign: rAndS });

      expect(signer.signer).to.equal(p256Key("of a module", p256Verifier).signer.toLowerCase());
      expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
      expect(await answerOf(signer.signer, await signer.sign(another))).to.equal(REFUSED);
    });

    it("takes a public key with the byte that says that it is whole, and as bytes", () => {
      const plain = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign: rAndS });
      const whole = p256Signer({ publicKey: concat(["0x04", publicKey()]), verifier: p256Verifier, sign: rAndS });
      const bytes = p256Signer({ publicKey: getBytes(publicKey()), verifier: p256Verifier, sign: rAndS });

      expect([whole.signer, bytes.signer]).to.deep.equal([plain.signer, plain.signer]);
    });

    it("puts s into the lower half, where the module did not", async () => {
      const sign = (value: Uint8Array): Promise<string> => {
        const [r, s] = signP256(secret, hexlify(value));
        return Promise.resolve(concat([r, toBeHex(ORDER - BigInt(s), 32)]));
      };
      const signer = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign });

      expect(await answerOf(signer.signer, await sign(getBytes(digest)))).to.equal(REFUSED);
      expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
    });

    it("reads DER of every length that integers have", async () => {
      const lengths = new Set<number>();
      for (let count = 0; count < 600; count += 1) {
        const value = id(`digest ${count}`);
        const [r, s] = signP256(secret, value);
        const der = derOf(r, count % 2 === 0 ? s : toBeHex(ORDER - BigInt(s), 32));
        lengths.add(der.length);
        const signer = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign: gives(der) });

        expect(await signer.sign(message)).to.equal(concat([r, s]));
      }
      expect(lengths.size).to.be.greaterThan(2);
    });

    it("reads what node:crypto writes", async () => {
      const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const { x, y } = keys.publicKey.export({ format: "jwk" });
      const point = Buffer.concat([x!, y!].map((part) => Buffer.from(part, "base64url")));
      const der = createSign("sha256").update("text").sign(keys.privateKey);
      const signer = p256Signer({ publicKey: new Uint8Array(point), verifier: p256Verifier, sign: gives(der) });
      const hash = hexlify(getBytes(ethers.sha256(ethers.toUtf8Bytes("text"))));

      expect(await answerOf(signer.signer, await signer.sign(message), hash)).to.equal(MAGIC);
    });

    const [r, s] = signP256(secret, digest);
    const good = derOf(r, s);
    const badSignatures: Record<string, unknown> = {
      nothing: undefined,
      "an empty one": "0x",
      "one byte too few": dataSlice(concat([r, s]), 0, 63),
      "r of zero": concat([toBeHex(0, 32), s]),
      "s of zero": concat([r, toBeHex(0, 32)]),
      "r of the order": concat([toBeHex(ORDER, 32), s]),
      "s above the order": concat([r, toBeHex(ORDER + 1n, 32)]),
      "DER that goes on": concat([good, "0x00"]),
      "DER that is cut": dataSlice(hexlify(good), 0, good.length - 1),
      "DER of another kind": concat(["0x31", good.slice(1)]),
      "DER whose integer is of another kind": concat([good.slice(0, 2), "0x03", good.slice(3)]),
      "DER with an empty integer": "0x3004020002" + "00",
      "DER with a negative integer": "0x3006020180020101",
      "DER with zeros in front": "0x300802020001020101" + "00",
      "DER with an integer of 34 bytes": concat(["0x3027022200ff", `0x${"11".repeat(32)}`, "0x020101"]),
      "DER with something between": concat([toBeHex(0x3008, 2), "0x0201010201010500"]),
    };
    for (const [name, signature] of Object.entries(badSignatures))
      it(`refuses ${name}`, async () => {
        const sign = gives(signature as string);
        const signer = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign });

        await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
      });

    it("says when the module does not sign", async () => {
      const sign = (): Promise<string> => Promise.reject(new Error("no session"));
      const signer = p256Signer({ publicKey: publicKey(), verifier: p256Verifier, sign });

      const error = await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
      expect(error.cause).to.be.an("error");
    });

    const badKeys: Record<string, () => unknown> = {
      nothing: () => undefined,
      "one that is too short": () => dataSlice(publicKey(), 0, 63),
      "one that is too long": () => concat(["0x04", publicKey(), "0x00"]),
      "a compressed one": () => concat(["0x02", dataSlice(publicKey(), 0, 32)]),
      "one that begins with another byte": () => concat(["0x05", publicKey()]),
      "a point beside the curve": () => concat([dataSlice(publicKey(), 0, 63), "0x00"]),
      "coordinates above the field": () => `0x${"ff".repeat(64)}`,
      "hex with an odd digit": () => `${publicKey()}0`,
    };
    for (const [name, key] of Object.entries(badKeys))
      it(`refuses ${name} as a public key`, () => {
        refused("IDENTIFIER_INVALID", () =>
          p256Signer({ publicKey: key() as string, verifier: p256Verifier, sign: rAndS }),
        );
      });

    it("refuses a verifier that is no address", () => {
      refused("IDENTIFIER_INVALID", () => p256Signer({ publicKey: publicKey(), verifier: "0x04", sign: rAndS }));
    });
  });

  describe("webCryptoSigner", () => {
    const generate = (extractable: boolean): Promise<webcrypto.CryptoKeyPair> =>
      webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, extractable, ["sign", "verify"]);

    it("signs with a key that nobody can extract, as the verifier of passkeys wants it", async () => {
      const signer = await webCryptoSigner(await generate(false), { verifier: webAuthnVerifier, origin: ORIGIN });

      for (let count = 0; count < 8; count += 1)
        expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
      expect(await answerOf(signer.signer, await signer.sign(another))).to.equal(REFUSED);
    });

    it("looks on chain like a passkey of the same page", async () => {
      const keys = await webCryptoSigner(await generate(false), { verifier: webAuthnVerifier, origin: ORIGIN });
      const credentials = authenticator();
      credentials.misbehave({ flags: 0b1_1101 });
      const made = await createPasskey({ application: "Records", user: "me", credentials });
      const passkey = passkeySigner(made, { verifier: webAuthnVerifier, credentials });
      const [one, other] = await Promise.all(
        [keys, passkey].map(async (signer) => shownBy(await signer.sign(message))),
      );

      expect(one).to.deep.equal(other);
    });

    for (const origin of ["", "records.example", "https://records.example/", "https://a b", undefined])
      it(`refuses ${JSON.stringify(origin)} as an origin`, async () => {
        const keys = await generate(false);

        const options = { verifier: webAuthnVerifier, origin: origin as string };
        await refusedAsync("INPUT_INVALID", webCryptoSigner(keys, options));
      });

    it("says when there is no WebCrypto here", async () => {
      const keys = await generate(false);
      const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
      Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
      try {
        const options = { verifier: webAuthnVerifier, origin: ORIGIN };
        await refusedAsync("PASSKEY_UNAVAILABLE", webCryptoSigner(keys, options));
      } finally {
        Object.defineProperty(globalThis, "crypto", crypto);
      }
    });

    it("refuses keys that do not belong together", async () => {
      const [one, other] = await Promise.all([generate(false), generate(false)]);
      const { publicKey } = one;
      const signer = await webCryptoSigner(
        { publicKey, privateKey: other.privateKey },
        { verifier: webAuthnVerifier, origin: ORIGIN },
      );

      await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
    });

    it("refuses keys of other kinds, and what is none", async () => {
      const algorithm = { name: "ECDSA", namedCurve: "P-384" };
      const p384 = await webcrypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
      const { publicKey } = await generate(false);
      const signer = await webCryptoSigner(
        { publicKey, privateKey: publicKey },
        { verifier: webAuthnVerifier, origin: ORIGIN },
      );

      await refusedAsync("PASSKEY_UNAVAILABLE", webCryptoSigner(p384, { verifier: webAuthnVerifier, origin: ORIGIN }));
      await refusedAsync(
        "KEY_INVALID",
        webCryptoSigner({ publicKey: 5, privateKey: 5 }, { verifier: webAuthnVerifier, origin: ORIGIN }),
      );
      await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
    });
  });

  describe("createPasskey", () => {
    it("asks for a key that the contracts can check, of a user who is verified, without attestation", async () => {
      const credentials = authenticator();

      const passkey = await createPasskey({ application: "Records", user: "me", credentials });

      expect(credentials.asked).to.have.length(1);
      const { publicKey } = credentials.asked[0]!;
      expect(publicKey).to.deep.include({
        rp: { name: "Records" },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        attestation: "none",
      });
      expect(publicKey["authenticatorSelection"]).to.deep.include({ userVerification: "required" });
      expect(publicKey["user"]).to.deep.include({ name: "me", displayName: "me" });
      expect(JSON.parse(JSON.stringify(passkey))).to.deep.equal(passkey);
      expect(passkey).not.to.have.property("rpId");
    });

    it("asks for another random user handle and challenge each time", async () => {
      const credentials = authenticator();
      for (let count = 0; count < 2; count += 1)
        await createPasskey({ application: "Records", user: "me", credentials });
      const [first, second] = credentials.asked.map(({ publicKey }) => publicKey);

      expect(first!["challenge"]).not.to.deep.equal(second!["challenge"]);
      expect(first!["user"]).not.to.deep.equal(second!["user"]);
    });

    it("keeps the domain it is made for", async () => {
      const credentials = authenticator();
      const options = { application: "Records", user: "me", rpId: "patient.example", credentials };
      const passkey = await createPasskey(options);
      await passkeySigner(passkey, { verifier: webAuthnVerifier, credentials }).sign(message);

      expect(passkey.rpId).to.equal("patient.example");
      expect(credentials.asked[0]!.publicKey["rp"]).to.deep.equal({ name: "Records", id: "patient.example" });
      expect(credentials.asked[1]!.publicKey["rpId"]).to.equal("patient.example");
    });

    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" });
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ type: "spki", format: "der" });
    for (const [name, spki] of Object.entries({ "an RSA key": rsa, "a P-384 key": p384 }))
      it(`refuses ${name}`, async () => {
        const credentials = authenticator(spki);

        await refusedAsync("PASSKEY_UNAVAILABLE", createPasskey({ application: "R", user: "me", credentials }));
      });

    const misbehaviours: [string, Misbehaviour, "PASSKEY_UNAVAILABLE" | "USER_REJECTED"][] = [
      ["says that it was refused", { throws: named("NotAllowedError") }, "USER_REJECTED"],
      ["says that it was aborted", { throws: named("AbortError") }, "USER_REJECTED"],
      ["gives nothing", { returns: null }, "USER_REJECTED"],
      ["has no such keys", { throws: named("NotSupportedError") }, "PASSKEY_UNAVAILABLE"],
      ["does not like the domain", { throws: named("SecurityError") }, "PASSKEY_UNAVAILABLE"],
      ["throws what is no error", { throws: "something" as never }, "PASSKEY_UNAVAILABLE"],
      ["does not tell the key", { response: { getPublicKey: () => null } }, "PASSKEY_UNAVAILABLE"],
      ["is too old to tell the key", { response: { getPublicKey: undefined } }, "PASSKEY_UNAVAILABLE"],
      ["gives something else", { returns: { type: "password" } }, "PASSKEY_UNAVAILABLE"],
    ];
    for (const [name, how, code] of misbehaviours)
      it(`says when the browser ${name}`, async () => {
        const credentials = authenticator();
        credentials.misbehave(how);

        await refusedAsync(code, createPasskey({ application: "Records", user: "me", credentials }));
      });

    it("says when there are no passkeys here", async () => {
      await refusedAsync("PASSKEY_UNAVAILABLE", createPasskey({ application: "Records", user: "me" }));
    });
  });

  describe("passkeySigner", () => {
    let credentials: ReturnType<typeof authenticator>;
    let passkey: Passkey;
    let signer: PatientSigner;
    beforeEach(async () => {
      credentials = authenticator();
      passkey = await createPasskey({ application: "Records", user: "me", credentials });
      signer = passkeySigner(passkey, { verifier: webAuthnVerifier, credentials });
    });

    it("signs the message's digest as challenge, as the verifier wants it", async () => {
      // Half of all signatures have an s in the upper half, and some integers are shorter.
      for (let count = 0; count < 24; count += 1)
        expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
      const { challenge, userVerification } = credentials.asked.at(-1)!.publicKey;
      expect(hexlify(challenge as Uint8Array)).to.equal(digest);
      expect(userVerification).to.equal("required");
      expect(await answerOf(signer.signer, await signer.sign(another))).to.equal(REFUSED);
    });

    it("is made again of what was kept of it", async () => {
      const kept = JSON.parse(JSON.stringify(passkey)) as Passkey;
      const again = passkeySigner(kept, { verifier: webAuthnVerifier, credentials });

      expect(again.signer).to.equal(signer.signer);
      expect(await answerOf(signer.signer, await again.sign(message))).to.equal(MAGIC);
    });

    it("takes flags of keys that are backed up", async () => {
      credentials.misbehave({ flags: 0b1_1101 });

      expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
    });

    const { privateKey: foreign } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const misbehaviours: Record<string, Misbehaviour> = {
      "another challenge": { challenge: new Uint8Array(32) },
      "another ceremony": { type: "webauthn.create" },
      "a user who is not verified": { flags: 0b001 },
      "a user who is not present": { flags: 0b100 },
      "a key that is backed up and cannot be": { flags: 0b1_0101 },
      "another key": { key: foreign },
      "no signature": { response: { signature: undefined } },
      "a signature that is none": { response: { signature: new Uint8Array(5).buffer } },
      "no client data": { response: { clientDataJSON: undefined } },
      "authenticator data that is cut": { response: { authenticatorData: new Uint8Array(36).buffer } },
      "nothing in it": { returns: {} },
    };
    for (const [name, how] of Object.entries(misbehaviours))
      it(`refuses an answer with ${name}`, async () => {
        credentials.misbehave(how);

        await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
      });

    it("says when the user, or the browser, refused", async () => {
      credentials.misbehave({ throws: named("NotAllowedError") });
      await refusedAsync("USER_REJECTED", signer.sign(message));

      credentials.misbehave({ throws: named("SecurityError") });
      await refusedAsync("PASSKEY_UNAVAILABLE", signer.sign(message));
    });

    for (const id of ["", "not base64!", "a", undefined])
      it(`refuses ${JSON.stringify(id)} as an id`, () => {
        refused("IDENTIFIER_INVALID", () =>
          passkeySigner({ ...passkey, id: id as string }, { verifier: webAuthnVerifier, credentials }),
        );
      });

    it("refuses a key that is none, and a verifier that is none", () => {
      refused("IDENTIFIER_INVALID", () =>
        passkeySigner({ ...passkey, publicKey: "0x" }, { verifier: webAuthnVerifier, credentials }),
      );
      refused("IDENTIFIER_INVALID", () => passkeySigner(passkey, { verifier: "0x", credentials }));
    });
  });
});

/** What an observer of the chain sees of a WebAuthn signature, but for the numbers that differ with each. */
function shownBy(signature: string): unknown[] {
  const types = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"];
  const [, , , , data, json] = AbiCoder.defaultAbiCoder().decode(types, signature) as unknown as string[];
  return [signature.length, dataSlice(data!, 0, 33), json];
}

/** `SEQUENCE { r INTEGER, s INTEGER }`, by the book (X.690, 8.3). */
function derOf(r: string, s: string): Uint8Array {
  const integer = (value: string): Uint8Array => {
    const shortest = getBytes(toBeHex(BigInt(value)));
    const content = shortest[0]! >= 0x80 ? getBytes(concat(["0x00", shortest])) : shortest;
    return getBytes(concat([new Uint8Array([2, content.length]), content]));
  };
  const content = getBytes(concat([integer(r), integer(s)]));
  return getBytes(concat([new Uint8Array([0x30, content.length]), content]));
}
