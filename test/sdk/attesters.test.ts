import { createECDH, createSign } from "node:crypto";

import { expect } from "chai";
import fc from "fast-check";
import { concat, dataLength, hexlify, sha256, toBeHex, Wallet } from "ethers";

import {
  askedSignaturesOf,
  attestationDigestOf,
  attestationMessageOf,
  attestationOf,
  combineAttestations,
  encodeResults,
  statementOf,
  verifyClaimBatchFile,
  type Attestation,
  type GroupResult,
  type PublicPart,
} from "../../sdk/src/claims";
import { isP256Signature } from "../../sdk/src/claims/attesters/p256";
import {
  packPatientSignature,
  packSignatures,
  unpackPatientSignature,
  unpackSignatures,
} from "../../sdk/src/claims/attesters/signatureList";
import { rulebook, simpleRulebook, type ConditionInput } from "../../sdk/src/rulebooks";
import { digestOf } from "../../sdk/src/signers";

import { laboratory, makeClaimBatch, pharmacy, type Fixture } from "./claimBatchFixture";
import { refused } from "./refused";

const common = { eventKinds: 3, grace: 259_200 };
const met: GroupResult = { result: "met" };
const pending: GroupResult = { result: "pending" };
const AT = 1_000;
const wallet = `0x${"ab".repeat(20)}`;

const hex = (least: number, most = least): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => hexlify(bytes));

describe("packed signatures", () => {
  const list = fc.uniqueArray(fc.record({ attester: fc.nat(255), place: fc.nat(0xffff), signature: hex(0, 100) }), {
    selector: ({ attester, place }) => `${attester} ${place}`,
    maxLength: 40,
  });

  it("come back in strictly ascending order of attester and place, whatever follows them", () => {
    fc.assert(
      fc.property(list, hex(0, 5), (signatures, rest) => {
        const read = unpackSignatures(concat([packSignatures(signatures), rest]));
        expect(read).to.have.deep.members(signatures);
        const keys = read.map(({ attester, place }) => attester * 0x10000 + place);
        expect(keys).to.deep.equal([...keys].sort((a, b) => a - b));
      }),
    );
  });

  it("are refused when cut short", () => {
    fc.assert(
      fc.property(list, fc.nat(), (signatures, at) => {
        const packed = packSignatures(signatures);
        const cut = packed.slice(0, 2 + 2 * (at % dataLength(packed)));
        refused("INPUT_INVALID", () => unpackSignatures(cut));
      }),
    );
  });

  it("do not hold more than they have room for", () => {
    const signature = `0x${"00".repeat(0x10000)}`;
    refused("BATCH_TOO_LARGE", () => packSignatures([{ attester: 0, place: 0, signature }]));
    const many = Array.from({ length: 256 }, (_, place) => ({ attester: 0, place, signature: "0x" }));
    refused("BATCH_TOO_LARGE", () => packSignatures(many));
    const proof = Array.from({ length: 256 }, () => toBeHex(0, 32));
    refused("BATCH_TOO_LARGE", () => packPatientSignature({ signer: wallet, salt: toBeHex(0, 32), proof }, "0x"));
  });

  it("of patients come back with their openings", () => {
    const opening = fc.record({ salt: hex(32), proof: fc.array(hex(32), { maxLength: 12 }), signer: hex(20, 254) });
    fc.assert(
      fc.property(opening, hex(0, 300), (key, signature) => {
        expect(unpackPatientSignature(packPatientSignature(key, signature))).to.deep.equal({ ...key, signature });
      }),
    );
    refused("INPUT_INVALID", () => unpackPatientSignature("0x1234"));
  });
});

describe("P-256 signatures", () => {
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  it("are what node:crypto makes, and nothing that differs in one bit", () => {
    fc.assert(
      fc.property(hex(1, 40), fc.nat(255), (message, bit) => {
        const ecdh = createECDH("prime256v1");
        const point = ecdh.generateKeys().subarray(1);
        const [x, y] = [point.subarray(0, 32), point.subarray(32)];
        const jwk = { kty: "EC", crv: "P-256", d: ecdh.getPrivateKey("base64url") };
        const key = { ...jwk, x: x.toString("base64url"), y: y.toString("base64url") };
        const raw = createSign("sha256")
          .update(Buffer.from(message.slice(2), "hex"))
          .sign({ key, format: "jwk", dsaEncoding: "ieee-p1363" });
        const [r, high] = [BigInt(hexlify(raw.subarray(0, 32))), BigInt(hexlify(raw.subarray(32)))];
        const s = high > ORDER / 2n ? ORDER - high : high;
        const publicKey = [BigInt(hexlify(x)), BigInt(hexlify(y))] as const;
        const digest = BigInt(sha256(message));
        const flip = 1n << BigInt(bit);
        expect(isP256Signature(publicKey, digest, [r, s])).to.equal(true);
        expect(isP256Signature(publicKey, digest ^ flip, [r, s])).to.equal(false);
        expect(isP256Signature(publicKey, digest, [r ^ flip, s])).to.equal(false);
        expect(isP256Signature(publicKey, digest, [r, s ^ flip])).to.equal(false);
        for (const [one, other] of [
          [r, ORDER - s],
          [0n, s],
          [r, 0n],
          [r + ORDER, s],
          [-r, s],
        ] as const)
          expect(isP256Signature(publicKey, digest, [one, other])).to.equal(false);
      }),
      { numRuns: 20 },
    );
  });

  it("of the generator itself do not confuse the sums", () => {
    // A key of 1 is the generator, one of -1 its opposite: the sum of both is at infinity.
    const x = 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n;
    const y = 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n;
    const field = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
    // With nonce 1, r is x of the generator; with secret 1, s = digest + r.
    const digest = 5n;
    const s = (digest + x) % ORDER;
    const low = s > ORDER / 2n ? ORDER - s : s;
    expect(isP256Signature([x, y], digest, [x, low])).to.equal(true);
    expect(isP256Signature([x, field - y], digest, [x, low])).to.equal(false);
    // Digest and r cancel each other out: the sum is at infinity.
    expect(isP256Signature([x, field - y], x, [x, low])).to.equal(false);
  });
});

describe("attestations of several parties", () => {
  let fixture: Fixture;
  let file: PublicPart;
  before(async () => {
    fixture = await makeClaimBatch();
    file = verifyClaimBatchFile(fixture.built.file);
  });

  const under = (...conditions: ConditionInput[]): PublicPart => ({
    ...file,
    rulebook: rulebook({ ...common, conditions }),
  });
  const lineCount = (): number => file.groups.reduce((sum, group) => sum + group.lineCount, 0);

  it("are over one statement, which every party signs as the same digest", async () => {
    const statement = statementOf(fixture.built.file, [met, pending], { observedAt: AT });
    expect(statement.results).to.equal(encodeResults([met, pending], file.groups));
    expect(digestOf(attestationMessageOf(statement, file))).to.equal(attestationDigestOf(statement, file));
    const key = Wallet.createRandom();
    const { domain, types, message } = attestationMessageOf(statement, file);
    const signature = await key.signTypedData(domain, types, message);
    const attestation = attestationOf(fixture.built.file, statement, { signer: key.address.toLowerCase(), signature });
    expect(attestation).to.deep.equal({ ...statement, signer: key.address, signature });
  });

  it("are refused of a statement that is another batch's, or fits none", () => {
    const statement = statementOf(fixture.built.file, [met, pending], { observedAt: AT });
    const signed = { signer: wallet, signature: "0x" };
    const of = (changes: object) => () => attestationOf(fixture.built.file, { ...statement, ...changes }, signed);
    refused("ATTESTATION_WRONG_BATCH", of({ batchId: toBeHex(1, 32) }));
    refused("RESULTS_MALFORMED", of({ results: "0x" }));
  });

  it("have a time and evidence of their own unless told otherwise", () => {
    const [one, other] = [statementOf(fixture.built.file, [met, met]), statementOf(fixture.built.file, [met, met])];
    expect(Math.abs(one.observedAt - Date.now() / 1000)).to.be.below(60);
    expect(one.evidence).not.to.equal(other.evidence);
  });

  it("are asked of whom the results concern", () => {
    const [laboratoryGroup] = file.groups;
    const { subtotal } = laboratoryGroup!;
    const batch = under({ attesters: ["payee"] }, { attesters: [wallet], above: subtotal }, { attesters: ["patient"] });
    const payee = (group: number, address: string) => ({ index: 0, group, payee: address });
    expect([laboratory, pharmacy]).to.deep.equal(file.groups.map((group) => group.payee));
    const lines = (...indices: number[]) => indices.map((line) => ({ index: 2, line }));
    expect(askedSignaturesOf(batch, [pending, pending])).to.deep.equal([]);
    expect(askedSignaturesOf(batch, [pending, { result: "notMet" }])).to.deep.equal(
      [
        { condition: 0, required: 1, payees: [payee(1, pharmacy)] },
        file.groups[1]!.subtotal > subtotal && {
          condition: 1,
          required: 1,
          attesters: [{ index: 1, signer: wallet }],
        },
      ].filter(Boolean),
    );
    const all = askedSignaturesOf(batch, [met, met]);
    expect(all[0]).to.deep.equal({ condition: 0, required: 2, payees: [payee(0, laboratory), payee(1, pharmacy)] });
    const every = Array.from({ length: lineCount() }, (_, line) => line);
    expect(all.at(-1)).to.deep.equal({ condition: 2, required: every.length, lines: lines(...every) });
    const byLine: GroupResult = {
      result: "byLine",
      lines: Array.from({ length: laboratoryGroup!.lineCount }, (_, i) => ({ result: i === 1 ? "met" : "notMet" })),
    };
    expect(askedSignaturesOf(batch, [byLine, pending]).at(-1)).to.deep.equal({
      condition: 2,
      required: 1,
      lines: lines(1),
    });
  });

  it("are padded where packed signatures are as long as those of accounts", () => {
    const simple = { ...file, rulebook: simpleRulebook({ ...common, threshold: 1, attesters: [wallet] }) };
    const statement = statementOf(fixture.built.file, [met, met], { observedAt: AT });
    const lengthOf = (bytes: number): number => {
      const attestation: Attestation = { ...statement, signer: wallet, signature: `0x${"11".repeat(bytes)}` };
      return dataLength(combineAttestations(simple, [attestation], AT, { accept: () => true }).signatures);
    };
    expect([58, 59, 60].map(lengthOf)).to.deep.equal([64, 66, 66]);
    const conditions = under({ attesters: [wallet] }, { attesters: [wallet] });
    const twice = 255 * 65 - 1;
    const [each, odd] = [twice / 2 - 5, twice % 2];
    expect(odd).to.equal(0);
    const attestation: Attestation = { ...statement, signer: wallet, signature: `0x${"11".repeat(each)}` };
    const { signatures } = combineAttestations(conditions, [attestation], AT, { accept: () => true });
    expect(dataLength(signatures)).to.equal(255 * 65 + 1);
  });

  it("count one signer in every condition that names it, and the same signature in each place", () => {
    const batch = under(
      { attesters: [wallet] },
      { attesters: [wallet, pharmacy], threshold: 1 },
      { attesters: ["payee"] },
    );
    const statement = statementOf(fixture.built.file, [pending, met], { observedAt: AT });
    const of = (signer: string): Attestation => ({ ...statement, signer, signature: "0x1234" });
    const { signatures } = combineAttestations(batch, [of(wallet), of(pharmacy)], AT, { accept: () => true });
    expect(unpackSignatures(signatures).map(({ attester, place }) => [attester, place])).to.deep.equal([
      [0, 0],
      // Both cost the same: the first is taken.
      [1, 0],
      [3, 1],
    ]);
  });

  it("are nothing that a rulebook of a workflow alone takes", () => {
    const workflow = { id: toBeHex(1, 32), owner: wallet, name: `0x${"31".repeat(10)}` };
    const batch = { ...file, rulebook: rulebook({ ...common, conditions: [], workflow }) };
    refused("ATTESTATION_TOO_FEW", () => combineAttestations(batch, [], AT));
  });

  it("that are no attestations at all are refused", () => {
    const batch = under({ attesters: [wallet] });
    const statement = statementOf(fixture.built.file, [met, met], { observedAt: AT });
    for (const wrong of [
      { signer: "somebody" },
      { signer: "0x01" },
      { signature: "0x123" },
      { results: "met" },
      { evidence: "0x" },
      { observedAt: -1 },
    ]) {
      const attestation = { ...statement, signer: wallet, signature: "0x12", ...wrong };
      refused("ATTESTATION_WRONG_BATCH", () => combineAttestations(batch, [attestation], AT, { accept: () => true }));
    }
  });
});
