import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataLength, dataSlice, hexlify, id, keccak256, randomBytes, toBeHex, ZeroHash } from "ethers";

import { byLine, met, pending, settle, settlementOf } from "../../support/batches";
import { fundedOf, moneyOf } from "../../support/claims";
import { accountKey, p256Key, passkey, type Key } from "../../support/keys";
import { itUninstrumented } from "../../support/instrumented";
import { assertionAt, originPasskey, PAGE, type Changes } from "../WebAuthnOriginVerifier/assertions";

import {
  conditionOf,
  deployWorld,
  digestOf,
  fundedPatientBatch,
  packedOf,
  packSignatures,
  patientSignature,
  plainBatchOf,
  publishConditions,
  signedBy,
  withSignatures,
  PATIENT,
  PAYEE,
  type Signing,
  type World,
} from "./fixture";
import { packOpening, withPatients, type Opening, type PatientBatch } from "./patients";

/** One network has to sign, and the patient of each line that is paid. */
const rulebookOf = (world: World): Promise<string> =>
  publishConditions(world, conditionOf(1, [world.networks[0]!.signer]), conditionOf(1, [PATIENT]));

/** A funded batch of three lines whose results are met, to which all but the patients' signatures are given. */
async function given() {
  const world = await loadFixture(deployWorld);
  const rulebook = await rulebookOf(world);
  const batch = await fundedPatientBatch(world, [[10n, 20n, 30n]], rulebook);
  return { world, rulebook, batch, ...(await attestedIn(world, batch)) };
}

async function attestedIn(world: World, batch: PatientBatch) {
  const settlement = await settlementOf(batch, { results: [met], signers: [] });
  const digest = digestOf(batch, settlement);
  const [network] = packedOf(digest, [{ attester: 0, key: world.networks[0]! }]);
  /** Sends the patients' signatures of lines 0, 1 and so on, each as it comes. */
  const send = (...signatures: string[]) => {
    const patients = signatures.map((signature, place) => ({ attester: 1, place, signature }));
    return settle(world.escrow, withSignatures(settlement, packSignatures([network!, ...patients])));
  };
  const of = (line: number, key: Key = world.patients[line]!): string => patientSignature(batch, line, key, digest);
  return { digest, send, of };
}

describe("AttesterConditions: the patient's yes", () => {
  it("is taken of each line", async () => {
    const { world, batch, send, of } = await given();
    await send(of(0), of(1), of(2));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([60n]);
  });

  it("is taken of a personal representative, for one line or for all", async () => {
    for (const lines of [[1], [0, 1, 2]]) {
      const { world, batch, send, of } = await given();
      await send(...[0, 1, 2].map((line) => of(line, lines.includes(line) ? world.representative : undefined)));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([60n]);
    }
  });

  it("is taken where one key is committed for several lines, with a proof for each", async () => {
    const world = await loadFixture(deployWorld);
    const key = world.patients[0]!;
    const plain = await plainBatchOf(world, [[10n, 20n]], await rulebookOf(world));
    const batch = withPatients(plain, [[key], [key]]);
    await fundedOf(world, batch);
    const { send, of } = await attestedIn(world, batch);
    await expect(send(of(0, key), of(0, key)))
      .to.be.revertedWithCustomError(world.conditions, "PatientKeyUnknown")
      .withArgs(1n);
    await send(of(0, key), of(1, key));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([30n]);
  });

  it("is taken in a batch of one line and one key, whose proof is as short as can be", async () => {
    const world = await loadFixture(deployWorld);
    const [key] = world.patients;
    const batch = withPatients(await plainBatchOf(world, [[10n]], await rulebookOf(world)), [[key!]]);
    await fundedOf(world, batch);
    const { send, of } = await attestedIn(world, batch);
    expect(batch.openingOf(0, key!).path).to.deep.equal([]);
    await send(of(0));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([10n]);
  });

  itUninstrumented("is taken of as many patients as a list can hold, and of more in rounds", async () => {
    const world = await loadFixture(deployWorld);
    const key = accountKey("patient of many lines");
    const rulebook = await publishConditions(world, conditionOf(1, [PAYEE]), conditionOf(1, [PATIENT]));
    const lines = Array.from({ length: 256 }, () => 10n);
    const plain = await plainBatchOf(world, [lines], rulebook);
    const batch = withPatients(
      plain,
      lines.map(() => [key]),
    );
    await fundedOf(world, batch);
    const signing = (from: number, to: number): Signing[] => [
      { attester: 0, key: world.pharmacies[0]! },
      ...lines.slice(from, to).map((_, i) => ({ attester: 1, place: from + i, key, patientOf: batch })),
    ];
    const metFrom = (from: number, to: number) =>
      byLine(...lines.map((_, line) => (line >= from && line < to ? met : pending)));
    // A list says in one byte how many signatures it has, and the pharmacy's is one of them.
    const all = await signedBy(batch, [met], signing(0, 254));
    await expect(settle(world.escrow, all))
      .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
      .withArgs(254n);
    await settle(world.escrow, await signedBy(batch, [metFrom(0, 254)], signing(0, 254)));
    await settle(world.escrow, await signedBy(batch, [metFrom(254, 256)], signing(254, 256)));
    expect(await moneyOf(world, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [2_560n] });
  });

  describe("is refused", () => {
    type Offer = (at: Awaited<ReturnType<typeof given>>) => string[] | Promise<string[]>;
    const refused: Record<string, [offer: Offer, error: string, args: bigint]> = {
      "if one line is left out": [({ of }) => [of(0), of(1)], "PatientSignatureMissing", 2n],
      "if all are": [() => [], "PatientSignatureMissing", 0n],
      "if a patient signs for another one's line": [({ of }) => [of(0), of(0), of(2)], "PatientKeyUnknown", 1n],
      "if lines are the wrong way round": [({ of }) => [of(1), of(0), of(2)], "PatientKeyUnknown", 0n],
      "if a key signs that was not committed": [
        ({ batch, digest, world }) => [
          changed(batch, world, { signer: world.stranger7913.signer }, world.stranger7913.sign(digest)),
        ],
        "PatientKeyUnknown",
        0n,
      ],
      "if somebody signs under the patient's opening": [
        ({ batch, digest, world }) => [changed(batch, world, {}, world.stranger7913.sign(digest))],
        "SignatureInvalid",
        1n,
      ],
      "if the representative signs under the patient's opening": [
        ({ batch, digest, world }) => [changed(batch, world, {}, world.representative.sign(digest))],
        "SignatureInvalid",
        1n,
      ],
      "if it is over another digest": [
        ({ batch, world }) => [changed(batch, world, {}, world.patients[0]!.sign(id("another digest")))],
        "SignatureInvalid",
        1n,
      ],
      "if there is only the opening": [({ batch, world }) => [changed(batch, world, {}, "0x")], "SignatureInvalid", 1n],
      "if the salt is another": [
        ({ batch, digest, world }) => [changed(batch, world, { salt: ZeroHash }, world.patients[0]!.sign(digest))],
        "PatientKeyUnknown",
        0n,
      ],
    };
    const changed = (batch: PatientBatch, world: World, changes: Partial<Opening>, signature: string): string =>
      concat([packOpening({ ...batch.openingOf(0, world.patients[0]!), ...changes }), signature]);
    for (const [what, [offer, error, args]] of Object.entries(refused))
      it(what, async () => {
        const at = await given();
        await expect(at.send(...(await offer(at))))
          .to.be.revertedWithCustomError(at.world.conditions, error)
          .withArgs(args);
      });

    type Prove = (opening: Opening, batch: PatientBatch) => Partial<Opening>;
    const proofs: Record<string, Prove> = {
      "a proof without its first hash": ({ path }) => ({ path: path.slice(1) }),
      "a proof without its last hash": ({ path }) => ({ path: path.slice(0, -1) }),
      "a proof with a hash in front": ({ path }) => ({ path: [id("more"), ...path] }),
      "a proof with a hash behind": ({ path }) => ({ path: [...path, id("more")] }),
      "a proof in another order": ({ path }) => ({ path: [...path].reverse() }),
      "no proof but the two roots": () => ({ path: [] }),
      "another root over details": () => ({ detailsRoot: id("details") }),
      "another root over amounts": () => ({ linesRoot: id("lines") }),
      "the two roots the other way round": ({ detailsRoot, linesRoot }) => ({
        detailsRoot: linesRoot,
        linesRoot: detailsRoot,
      }),
      "the root over keys in place of a path": (_, { patientsRoot }) => ({ path: [patientsRoot] }),
      "an inner node in place of a leaf": ({ path }) => ({ path: path.slice(1), salt: path[0]! }),
    };
    for (const [what, prove] of Object.entries(proofs))
      it(`under ${what}`, async () => {
        const { world, batch, digest, send } = await given();
        const opening = batch.openingOf(0, world.patients[0]!);
        const signature = changed(batch, world, prove(opening, batch), world.patients[0]!.sign(digest));
        await expect(send(signature)).to.be.revertedWithCustomError(world.conditions, "PatientKeyUnknown").withArgs(0n);
      });

    for (const [count, what] of [
      [0, "no hash"],
      [1, "one hash"],
    ] as const)
      it(`under a proof of ${what}, which is less than the two roots`, async () => {
        const { world, batch, digest, send } = await given();
        const { salt, linesRoot, signer } = batch.openingOf(0, world.patients[0]!);
        const hashes = [linesRoot].slice(0, count);
        const opening = [salt, toBeHex(count, 1), ...hashes, toBeHex(dataLength(signer), 1), signer];
        await expect(send(concat([...opening, world.patients[0]!.sign(digest)])))
          .to.be.revertedWithCustomError(world.conditions, "PatientKeyUnknown")
          .withArgs(0n);
      });

    it("wherever its opening is cut, with a typed error", async () => {
      const { world, send, of } = await given();
      const whole = of(0);
      const opening = dataLength(whole) - dataLength(world.patients[0]!.sign(ZeroHash));
      const lengths = Array.from({ length: 12 }, (_, i) => Math.floor((opening * i) / 12));
      for (const length of [...lengths, 31, 32, 33, opening - 1, opening, opening + 1])
        await expect(send(dataSlice(whole, 0, length)), `${length} bytes`)
          .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
          .withArgs(1n);
    });

    it("of another batch with the same patients, even if both are funded", async () => {
      const { world, rulebook, batch, send } = await given();
      const other = await fundedPatientBatch(world, [[10n, 20n, 30n]], rulebook);
      const theirs = await attestedIn(world, other);
      await expect(send(theirs.of(0), theirs.of(1), theirs.of(2)))
        .to.be.revertedWithCustomError(world.conditions, "PatientKeyUnknown")
        .withArgs(0n);
      // Openings of this batch, with what was signed for the other one.
      const mixed = [0, 1, 2].map((line) => {
        const key = world.patients[line]!;
        return concat([packOpening(batch.openingOf(line, key)), key.sign(theirs.digest)]);
      });
      await expect(send(...mixed))
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(1n);
    });

    const keys: Record<string, string> = {
      "of no bytes": "0x",
      "of 19 bytes": `0x${"11".repeat(19)}`,
      "of the zero account": `0x${"00".repeat(20)}`,
      "of the identity precompile": concat([toBeHex(4, 20), "0x01"]),
      "of a verifier without code": concat([dataSlice(id("nothing is there"), 12), "0x01"]),
      "of the whole system's own role": "0x02",
    };
    for (const [what, signer] of Object.entries(keys))
      it(`under a committed key ${what}, whatever is signed`, async () => {
        const world = await loadFixture(deployWorld);
        const nobody = { signer, hash: keccak256(signer), sign: () => "0x" };
        const batch = withPatients(await plainBatchOf(world, [[10n]], await rulebookOf(world)), [[nobody]]);
        await fundedOf(world, batch);
        const { send } = await attestedIn(world, batch);
        const magic = "0x024ad318".padEnd(66, "0");
        for (const signature of ["0x", magic, `0x${"00".repeat(65)}`, hexlify(randomBytes(65))])
          await expect(send(concat([packOpening(batch.openingOf(0, nobody)), signature])))
            .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
            .withArgs(1n);
      });

    it("of a batch without patients' keys", async () => {
      const world = await loadFixture(deployWorld);
      const [key] = world.patients;
      const plain = await plainBatchOf(world, [[10n]], await rulebookOf(world));
      await fundedOf(world, plain);
      // The same batch as if it had such keys, whose manifest is another.
      const pretended = withPatients(plain, [[key!]]);
      const { send } = await attestedIn(world, { ...pretended, id: plain.id, terms: plain.terms });
      const { digest } = await attestedIn(world, { ...pretended, id: plain.id, terms: plain.terms });
      await expect(send()).to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing").withArgs(0n);
      for (const path of [[], [pretended.detailsRoot], [pretended.linesRoot]]) {
        const opening = packOpening({ ...pretended.openingOf(0, key!), path });
        await expect(send(concat([opening, key!.sign(digest)])))
          .to.be.revertedWithCustomError(world.conditions, "PatientKeyUnknown")
          .withArgs(0n);
      }
    });
  });
});

describe("AttesterConditions: the patient's key", () => {
  async function offerOf(keyOf: (world: World) => Key, signatureOf: (digest: string, world: World) => string) {
    const world = await loadFixture(deployWorld);
    const key = keyOf(world);
    const batch = withPatients(await plainBatchOf(world, [[10n]], await rulebookOf(world)), [[key]]);
    await fundedOf(world, batch);
    const { send, digest } = await attestedIn(world, batch);
    const sent = send(concat([packOpening(batch.openingOf(0, key)), signatureOf(digest, world)]));
    return { world, batch, sent };
  }

  const kinds: Record<string, (world: World) => Key> = {
    "an account": () => accountKey("patient"),
    "a P-256 key": ({ p256Verifier }) => p256Key("patient", p256Verifier),
    "a passkey": ({ webAuthnVerifier }) => passkey("patient", webAuthnVerifier),
    "a passkey bound to its page": ({ webAuthnOriginVerifier }) => originPasskey("patient", webAuthnOriginVerifier),
  };
  for (const [what, keyOf] of Object.entries(kinds))
    it(`can be ${what}`, async () => {
      const { world, batch, sent } = await offerOf(keyOf, (digest, given) => keyOf(given).sign(digest));
      await sent;
      expect((await moneyOf(world, batch)).credits).to.deep.equal([10n]);
    });

  it("can be a wallet contract", async () => {
    const wallet = dataSlice(id("wallet of a patient"), 12);
    const { world, batch, sent } = await offerOf(
      () => ({ signer: wallet, hash: keccak256(wallet), sign: () => "0x" }),
      () => "0x",
    );
    await expect(sent).to.be.revertedWithCustomError(world.conditions, "SignatureInvalid");
    await setCode(wallet, "0x631626ba7e60e01b5f5260205ff3");
    const { send } = await attestedIn(world, batch);
    await send(packOpening(batch.openingOf(0, { signer: wallet, hash: keccak256(wallet), sign: () => "0x" })));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([10n]);
  });

  const elsewhere: Record<string, Changes> = {
    "another page": { origin: "https://evil.example" },
    "another relying party": { rpId: "evil.example" },
    "another page's frame": { crossOrigin: true },
    "another challenge": { challenge: id("another digest") },
    "another type": { type: "webauthn.create" },
    "no user present": { flags: 0x04 },
    "no user verified": { flags: 0x01 },
    "authenticator data cut short": { authenticatorData: (data) => data.subarray(0, 36) },
  };
  for (const [what, changes] of Object.entries(elsewhere))
    it(`signs nothing by an assertion with ${what}`, async () => {
      const { world, sent } = await offerOf(
        kinds["a passkey bound to its page"]!,
        (digest, { webAuthnOriginVerifier }) =>
          assertionAt(PAGE, originPasskey("patient", webAuthnOriginVerifier).secret, digest, changes),
      );
      await expect(sent).to.be.revertedWithCustomError(world.conditions, "SignatureInvalid").withArgs(1n);
    });
});
