import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { dataLength, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { decodeError, run } from "@carepact/sdk";
import {
  askChain,
  attestationDigestOf,
  combineAttestations,
  packGroup,
  statementOf,
  verifyAttestation,
  type Attestation,
  type AttestationStatement,
  type GroupResult,
} from "@carepact/sdk/claims";
import { p256Signer, webCryptoSigner, type KeyPairLike } from "@carepact/sdk/signers";

import { unpackSignatures } from "../../sdk/src/claims/attesters/signatureList";
import { byLine, met, notMet, pending } from "../support/batches";
import { accountKey, ORDER, publicKeyOf, signP256 } from "../support/keys";
import { assertionAt, originPasskey, otherS, PAGE, type Changes } from "../unit/WebAuthnOriginVerifier/assertions";

import {
  accountOf,
  deployKeys,
  fundedUnder,
  patientFill,
  pharmacyNetworksPatient,
  signedWith,
  signerOf,
  type Conditioned,
  type KeysWorld,
} from "./conditionsWorld";
import { CENT, fill, refusal, reverted, tests } from "./support";

type Who = "pharmacy" | "laboratory" | "p256" | "wallet" | "account" | "patient" | "representative";

interface Given extends KeysWorld {
  batch: Conditioned;
  statement: AttestationStatement;
  /** The statement as these sign it, each in its own place. */
  by: (...who: Who[]) => Promise<Attestation[]>;
}

async function stated(world: KeysWorld, batch: Conditioned, results: GroupResult[]): Promise<Given> {
  const statement = statementOf(batch.own, results, { observedAt: await time.latest() });
  const { keys, attesters, pharmacy, laboratory } = world;
  const signers = {
    pharmacy: () => accountOf(pharmacy),
    laboratory: () => accountOf(laboratory),
    account: () => accountOf(attesters[0]),
    p256: () => signerOf(keys.p256),
    wallet: () => signerOf(keys.wallet),
    patient: () => signerOf(keys.patient),
    representative: () => signerOf(keys.representative),
  };
  const by = async (...who: Who[]): Promise<Attestation[]> =>
    Promise.all(who.map(async (name) => signedWith(batch, statement, await signers[name](), world.stranger)));
  return { ...world, batch, statement, by };
}

/** One fill under: the pharmacy, and 2 of 3 networks, and above 1,000.00 the patient. */
async function given(paid: string, results: GroupResult[] = [met]): Promise<Given> {
  const world = await loadFixture(deployKeys);
  const rules = pharmacyNetworksPatient(world);
  return stated(world, await fundedUnder(world, rules, [patientFill(world, "11", paid)]), results);
}

const paid = async (
  { stranger, batch }: Given,
  signed: Attestation[],
  source: "own" | "file" = "file",
): Promise<bigint> => (await run(stranger.claims.settle(batch[source], signed))).paid;

const missing = async ({ stranger, batch }: Given, signed: Attestation[]): Promise<unknown> =>
  (await refusal("ATTESTATION_TOO_FEW", stranger.claims.settle(batch.file, signed).simulate())).details["missing"];

const rethrow = (thrown: unknown): never => {
  throw decodeError(thrown);
};

describe("SDK: attestations under conditions", () => {
  describe("given the pharmacy, and 2 of 3 networks, and above 1,000.00 the patient", () => {
    for (const networks of [
      ["account", "p256"],
      ["account", "wallet"],
      ["wallet", "p256"],
      ["wallet", "account", "p256"],
    ] as Who[][])
      it(`settles 1,000.00 by the pharmacy, ${networks.join(" and ")}, whoever sends it`, async () => {
        const world = await given("1000.00");
        expect(await paid(world, await world.by(...networks, "pharmacy"))).to.equal(100_000n * CENT);
      });

    it("settles 1,000.01 with the patient's passkey, too", async () => {
      const world = await given("1000.01");
      expect(await paid(world, await world.by("patient", "pharmacy", "p256", "wallet"))).to.equal(100_001n * CENT);
    });

    it("settles it with a representative's key", async () => {
      const world = await given("1000.01");
      expect(await paid(world, await world.by("representative", "pharmacy", "p256", "account"))).to.equal(
        100_001n * CENT,
      );
    });

    it("leaves out what is not asked: the patient below, and about care that did not happen; a third network", async () => {
      const everybody: Who[] = ["patient", "representative", "pharmacy", "p256", "wallet", "account"];
      for (const [amount, results] of [
        ["1000.00", [met]],
        ["1000.01", [notMet]],
      ] as [string, GroupResult[]][]) {
        const world = await given(amount, results);
        const now = await time.latest();
        const signed = await world.by(...everybody);
        const knowledge = await askChain(world.stranger.connection, world.batch.own, signed);
        const { signatures } = combineAttestations(world.batch.own, signed, now, knowledge);
        expect(unpackSignatures(signatures)).to.have.length(3);
        await run(world.stranger.claims.settle(world.batch.file, signed));
      }
    });

    it("finds the opening of a patient's key in the opened group, where the attestation brings none", async () => {
      const world = await given("1000.01");
      const signed = await world.by("pharmacy", "p256", "wallet", "patient");
      const bare = signed.map(({ patient: _, ...rest }) => rest);
      expect(signed.filter(({ patient }) => patient !== undefined)).to.have.length(1);
      await refusal("ATTESTATION_SIGNER_UNKNOWN", world.stranger.claims.settle(world.batch.file, bare).simulate());
      expect(await paid(world, bare, "own")).to.equal(100_001n * CENT);
    });

    it("says exactly who is missing", async () => {
      const world = await given("1000.01");
      const payee = { condition: 0, required: 1, given: 0, payees: [{ group: 0, payee: world.pharmacy.address }] };
      const networks = (count: number) => ({ condition: 1, required: 2, given: count });
      const patient = { condition: 2, required: 1, given: 0, lines: [0] };
      expect(await missing(world, [])).to.deep.equal([payee, networks(0), patient]);
      expect(await missing(world, await world.by("p256"))).to.deep.equal([payee, networks(1), patient]);
      expect(await missing(world, await world.by("pharmacy", "p256", "wallet"))).to.deep.equal([patient]);
      expect(await missing(world, await world.by("pharmacy", "patient"))).to.deep.equal([networks(0)]);
    });

    it("refuses somebody who is none of them, and a patient of another line", async () => {
      const world = await given("1000.01");
      const stranger = await signedWith(world.batch, world.statement, accountKey("nobody"), world.stranger);
      await refusal(
        "ATTESTATION_SIGNER_UNKNOWN",
        world.stranger.claims.settle(world.batch.file, [stranger]).simulate(),
      );
      const [patient] = await world.by("patient");
      const moved = { ...patient!, patient: patient!.patient!.map((line) => ({ ...line, line: 1 })) };
      const { details } = await refusal(
        "ATTESTATION_SIGNER_UNKNOWN",
        world.stranger.claims.settle(world.batch.file, [moved]).simulate(),
      );
      expect(details).to.include({ line: 1 });
    });

    it("can be verified one by one, by whoever gets one", async () => {
      const world = await given("1000.01");
      const { batch, stranger } = world;
      const signed = await world.by("pharmacy", "p256", "wallet", "account", "patient", "representative");
      const knowledge = await askChain(stranger.connection, batch.own, signed);
      for (const one of signed) {
        verifyAttestation(batch.own, one, knowledge);
        const changed = { ...one, observedAt: one.observedAt + 1 };
        const code = dataLength(one.signer) === 20 ? "ATTESTATION_WRONG_BATCH" : "SIGNATURE_INVALID";
        await refusal(code, () => verifyAttestation(batch.own, changed, knowledge));
      }
    });

    it("tells the payee what it takes", async () => {
      const world = await given("1000.01");
      const { payee, privateKey } = { payee: world.pharmacy.address, privateKey: world.pharmacy.keys.privateKey };
      const accepted = { acceptedRulebooks: "any", acceptedTokens: "any" } as const;
      const checked = await world.pharmacy.claims.check(world.batch.file, { payee, privateKey, ...accepted });
      expect(checked).to.deep.include({ ok: true, needs: { payee: true, patientLines: [0], workflow: "none" } });
    });
  });

  describe("given two payees, and results by line", () => {
    it("asks those payees and patients whose lines are settled, and places each signature", async () => {
      const world = await loadFixture(deployKeys);
      const rules = { conditions: [{ attesters: ["payee"] }, { attesters: ["patient"] }] };
      const keys = [world.keys.patient.signer];
      const claims = [
        { ...fill(world.pharmacy.address, "11", "90.00"), patientKeys: keys },
        { ...tests(world.laboratory.address, "21", 60, 15), patientKeys: [world.keys.representative.signer] },
      ];
      const batch = await fundedUnder(world, rules, claims);
      const half = await stated(world, batch, [pending, byLine(met, notMet)]);
      // The patient of the laboratory's lines is known to the payer's record.
      const signed = await half.by("laboratory", "representative");
      const settling = world.stranger.claims.settle(batch.record, signed);
      const opened = batch.record.opened[1]!;
      expect((await run(settling)).paid).to.equal(opened.lines[0]!.amount);
      const rest = await stated(world, batch, [met, pending]);
      const { details } = await refusal(
        "ATTESTATION_TOO_FEW",
        world.stranger.claims.settle(batch.record, await rest.by("laboratory", "patient")).simulate(),
      );
      expect(details["missing"]).to.deep.equal([
        { condition: 0, required: 1, given: 0, payees: [{ group: 0, payee: world.pharmacy.address }] },
      ]);
      expect(
        (await run(world.stranger.claims.settle(batch.record, await rest.by("pharmacy", "patient")))).paid,
      ).to.equal(9_000n * CENT);
    });
  });

  describe("given keys of all kinds as attesters", () => {
    const rulesOf = (signer: string) => ({ conditions: [{ attesters: [signer] }] });
    const oneFill = (world: KeysWorld) => [fill(world.pharmacy.address, "11", "90.00")];

    for (const kind of ["p256", "passkey", "wallet", "patient", "representative"] as const)
      it(`settles by one: ${kind}`, async () => {
        const world = await loadFixture(deployKeys);
        const key = world.keys[kind];
        const batch = await fundedUnder(world, rulesOf(key.signer), oneFill(world));
        const signed = await world.stranger.claims.attest(batch.file, [met], { signer: signerOf(key) });
        expect(signed).to.deep.equal(JSON.parse(JSON.stringify(signed)));
        expect((await run(world.stranger.claims.settle(batch.file, [signed]))).paid).to.equal(9_000n * CENT);
      });

    it("settles by signers of the SDK: a key in hardware, and one of WebCrypto", async () => {
      const world = await loadFixture(deployKeys);
      const { p256Verifier: verifier, webAuthnVerifier } = world.deployment;
      const secret = 123_456_789n;
      const hardware = p256Signer({
        verifier,
        publicKey: publicKeyOf(secret),
        sign: (digest) =>
          Promise.resolve(
            signP256(secret, ethers.hexlify(digest))
              .join("")
              .replace(/(?!^)0x/, ""),
          ),
      });
      const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
        "sign",
        "verify",
      ])) as KeyPairLike;
      const browser = await webCryptoSigner(pair, { verifier: webAuthnVerifier, origin: "https://attester.example" });
      const conditions = [{ attesters: [hardware.signer, browser.signer] }];
      const batch = await fundedUnder(world, { conditions }, oneFill(world));
      const statement = statementOf(batch.file, [met], { observedAt: await time.latest() });
      const signed = await Promise.all(
        [hardware, browser].map((signer) => world.stranger.claims.attest(batch.file, statement, { signer })),
      );
      expect((await run(world.stranger.claims.settle(batch.file, signed))).paid).to.equal(9_000n * CENT);
    });

    it("settles by a wallet contract among accounts, whatever the length of its signature", async () => {
      const world = await loadFixture(deployKeys);
      const { wallet } = world.keys;
      const [one] = world.attesters;
      const batch = await fundedUnder(
        world,
        { conditions: [{ attesters: [wallet.signer, one.address] }] },
        oneFill(world),
      );
      const { by, statement } = await stated(world, batch, [met]);
      const signed = await by("wallet", "account");
      const knowledge = { accept: () => true };
      const { signatures } = combineAttestations(batch.own, signed, statement.observedAt, knowledge);
      // Two signatures of 65 bytes, five bytes of head each, and their number.
      expect(dataLength(signatures)).to.equal(2 * 70 + 1);
      expect((await run(world.stranger.claims.settle(batch.file, signed))).paid).to.equal(9_000n * CENT);
    });

    it("takes no wallet's signature on its own word, and none that the wallet refuses", async () => {
      const world = await loadFixture(deployKeys);
      const { wallet } = world.keys;
      const batch = await fundedUnder(world, rulesOf(wallet.signer), oneFill(world));
      const { by, statement } = await stated(world, batch, [met]);
      const [signed] = (await by("wallet")) as [Attestation];
      await refusal("ATTESTATION_WRONG_BATCH", () => combineAttestations(batch.own, [signed], statement.observedAt));
      const changed = { ...signed, evidence: ZeroHash };
      await refusal("ATTESTATION_WRONG_BATCH", world.stranger.claims.settle(batch.file, [changed]).simulate());
    });
  });

  describe("given signatures of keys that are wrong, refuses them before gas is spent", () => {
    async function reasonOf(signer: string, sign: (digest: string) => string): Promise<unknown> {
      const world = await loadFixture(deployKeys);
      const conditions = [{ attesters: [signer] }];
      const batch = await fundedUnder(world, { conditions }, [fill(world.pharmacy.address, "11", "90.00")]);
      const statement = statementOf(batch.file, [met], { observedAt: await time.latest() });
      const signature = sign(attestationDigestOf(statement, batch.own));
      const settling = world.stranger.claims.settle(batch.file, [{ ...statement, signer, signature }]);
      const { details } = await refusal("SIGNATURE_INVALID", settling.simulate());
      return details["reason"];
    }

    const wrong: [what: string, reason: string, changes: Changes][] = [
      ["that was made at registration", "type", { type: "webauthn.create" }],
      ["over something else", "challenge", { challenge: ZeroHash }],
      ["of another page", "origin", { origin: "https://patients.example" }],
      ["of a frame in another page", "origin", { crossOrigin: true }],
      ["for another relying party", "relyingParty", { rpId: "example" }],
      ["without user verification", "userVerification", { flags: 0b001 }],
      ["without user presence", "userVerification", { flags: 0b100 }],
      ["that is backed up and cannot be", "malformed", { flags: 0b1_0101 }],
      ["with authenticator data cut short", "malformed", { authenticatorData: (data) => data.subarray(0, 36) }],
      ["with client data in another form", "malformed", { clientData: (json) => json.replace("{", "{ ") }],
      ["whose type is far outside", "type", { typeIndex: 2n ** 255n }],
      ["with a malleable s", "key", { signature: otherS }],
      ["with s zero", "key", { signature: (r) => [r, ZeroHash] }],
      ["with r zero", "key", { signature: (_, s) => [ZeroHash, s] }],
      ["of another key", "key", { signature: (r, s) => [s, r] }],
    ];
    for (const [what, reason, changes] of wrong)
      it(`a passkey's ${what}: ${reason}`, async () => {
        const { deployment } = await loadFixture(deployKeys);
        const { secret, signer } = originPasskey("patient", deployment.webAuthnOriginVerifier);
        expect(await reasonOf(signer, (digest) => assertionAt(PAGE, secret, digest, changes))).to.equal(reason);
      });

    it("a passkey's that is none", async () => {
      const { keys } = await loadFixture(deployKeys);
      expect(await reasonOf(keys.passkey.signer, () => "0x1234")).to.equal("malformed");
    });

    it("a P-256 key's over something else, with a malleable s, or cut short", async () => {
      const { keys } = await loadFixture(deployKeys);
      expect(await reasonOf(keys.p256.signer, () => keys.p256.sign(ZeroHash))).to.equal("key");
      expect(await reasonOf(keys.p256.signer, (digest) => keys.p256.sign(digest).slice(0, -2))).to.equal("malformed");
      const flipped = (digest: string): string => {
        const signature = keys.p256.sign(digest);
        return signature.slice(0, 66) + ethers.toBeHex(ORDER - BigInt(`0x${signature.slice(66)}`), 32).slice(2);
      };
      expect(await reasonOf(keys.p256.signer, flipped)).to.equal("key");
    });

    it("one whose verifier is unknown, and says no", async () => {
      const { tokenAddress } = await loadFixture(deployKeys);
      expect(await reasonOf(ethers.concat([tokenAddress, "0x1234"]), () => "0x1234")).to.equal("verifier");
    });
  });

  describe("given what only the chain can refuse", () => {
    it("shows the condition's own error", async () => {
      const world = await given("1000.00");
      const { batch, stranger } = world;
      const now = await time.latest();
      const signed = await world.by("pharmacy", "p256", "wallet");
      const knowledge = await askChain(stranger.connection, batch.own, signed);
      const combined = combineAttestations(batch.own, signed, now, knowledge);
      const without = { ...combined, signatures: ethers.concat(["0x00", ethers.dataSlice(combined.signatures, 1)]) };
      const { terms, groups } = batch.own;
      const settling = world.escrow.settle.staticCall(terms, groups.map(packGroup), without).catch(rethrow);
      expect(await reverted("PayeeSignatureMissing", settling)).to.deep.equal({ group: "0" });
    });
  });
});
