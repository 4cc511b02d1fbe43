import { expect } from "chai";
import { keccak256, toUtf8Bytes, concat } from "ethers";
import fc from "fast-check";

import { canonicalJson, generateSealingKeys, saltedHashOf, seal, toPlainJson, unseal } from "../../sdk/src/encryption";
import { isCarepactError } from "../../sdk/src/errors";

import { refused, refusedAsync } from "./refused";

const context = { info: toUtf8Bytes("a test"), aad: toUtf8Bytes("message 1") };

describe("sealing", () => {
  it("opens for the holder of the private key, and says the same", async () => {
    const keys = await generateSealingKeys();
    const message = toUtf8Bytes("ninety dollars");
    expect(await unseal(keys.privateKey, await seal(keys.publicKey, message, context), context)).to.deep.equal(message);
  });

  it("stays shut for another key, another context, and anything changed", async () => {
    const keys = await generateSealingKeys();
    const other = await generateSealingKeys();
    const sealed = await seal(keys.publicKey, toUtf8Bytes("ninety"), context);
    await refusedAsync("SEALED_UNREADABLE", unseal(other.privateKey, sealed, context));
    await refusedAsync("SEALED_UNREADABLE", unseal(keys.privateKey, sealed, { ...context, aad: toUtf8Bytes("2") }));
    await refusedAsync("SEALED_UNREADABLE", unseal(keys.privateKey, sealed, { ...context, info: toUtf8Bytes("b") }));
    for (const part of ["enc", "ciphertext"] as const) {
      const changed = { ...sealed, [part]: sealed[part].map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
      await refusedAsync("SEALED_UNREADABLE", unseal(keys.privateKey, changed, context));
      const empty = { ...sealed, [part]: new Uint8Array() };
      await refusedAsync("SEALED_UNREADABLE", unseal(keys.privateKey, empty, context));
    }
  });

  it("refuses keys that are none, without repeating them", async () => {
    const secret = "0x1234";
    const error = await refusedAsync(
      "KEY_INVALID",
      unseal(secret, { enc: new Uint8Array(32), ciphertext: new Uint8Array(16) }, context),
    );
    expect(JSON.stringify(error)).not.to.contain("1234");
    await refusedAsync("KEY_INVALID", seal("0x00", new Uint8Array(), context));
    await refusedAsync("KEY_INVALID", seal("0x" + "00".repeat(32), new Uint8Array(), context));
  });
});

describe("canonical JSON", () => {
  it("is RFC 8785: sorted by UTF-16 code units, shortest numbers, minimal escapes", () => {
    const value = {
      "\u20ac": 1,
      "\r": 2,
      "1": 3,
      ö: "\u000f\n",
      a: [56.0, 333333333.3333333, 1e30, 4.5, 0.002, true, null],
    };
    expect(canonicalJson(value)).to.equal(
      '{"\\r":2,"1":3,"a":[56,333333333.3333333,1e+30,4.5,0.002,true,null],"ö":"\\u000f\\n","€":1}',
    );
  });

  it("does not depend on the order of properties", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (value) => {
        const backwards = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(backwards)).to.equal(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("leaves out what is undefined, and refuses what JSON would change silently", () => {
    expect(toPlainJson({ a: undefined, b: 1 })).to.deep.equal({ b: 1 });
    for (const value of [
      1n,
      () => 1,
      NaN,
      Infinity,
      new Date(0),
      new Map(),
      Symbol("s"),
      undefined,
      [undefined],
      "\ud800",
    ])
      refused("INPUT_INVALID", () => toPlainJson(value));
    const cycle: Record<string, unknown> = {};
    cycle["again"] = cycle;
    refused("INPUT_INVALID", () => toPlainJson(cycle));
    // A hole in an array, and a name that has no UTF-8.
    refused("INPUT_INVALID", () => toPlainJson(new Array(1)));
    refused("INPUT_INVALID", () => toPlainJson(JSON.parse('{"\\ud800":1}')));
    expect(refused("INPUT_INVALID", () => toPlainJson({ a: [{ b: 1n }] }, "Claim")).details.path).to.equal(
      "Claim.a[0].b",
    );
  });

  it("answers anything at all with text or a CarepactError", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          try {
            expect(canonicalJson(value)).to.be.a("string");
          } catch (error) {
            expect(isCarepactError(error), String(error)).to.equal(true);
          }
        },
      ),
    );
  });

  it("commits under a salt", () => {
    const salt = "0x" + "11".repeat(32);
    expect(saltedHashOf(salt, { b: 1, a: 2 })).to.equal(keccak256(concat([salt, toUtf8Bytes('{"a":2,"b":1}')])));
    refused("INPUT_INVALID", () => saltedHashOf("0x11", {}));
  });
});
