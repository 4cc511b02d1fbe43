import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id, keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { ethers, network } from "hardhat";

import {
  DIRECT,
  anchorOf,
  authorize,
  chainOf,
  deployWithPatient,
  epochOf,
  grantDigestOf,
  grantOf,
  reasonOf,
  requestOf,
  rotate,
  runs,
} from "../../support/consents";
import { accountKey } from "../../support/keys";
import { namespaceOf, slotUnder } from "../../support/slots";

import type { Patient } from "./actions";

async function deployWithGrant() {
  const context = await deployWithPatient();
  const grant = await grantOf(context, context.patient);
  const chain = chainOf(context, context.key, grant);
  const ask = () => reasonOf(context, chain, requestOf(context, context.patient));
  return { ...context, grant, chain, ask, document: grantDigestOf(context.domain, grant) };
}

describe("ConsentRegistry: revokeGrant", () => {
  it("ends the grant of that number in the block it lands in", async () => {
    const { consents, domain, key, patient, ask } = await loadFixture(deployWithGrant);
    expect(await ask()).to.equal("None");
    await expect(consents.revokeGrant(patient, 7, authorize(domain, key, "RevokeGrant", { patient, number: 7 })))
      .to.emit(consents, "GrantRevoked")
      .withArgs(patient, 7);
    expect(await ask()).to.equal("Revoked");
    expect(await consents.isGrantRevoked(patient, 7)).to.equal(true);
  });

  it("counts for a question in the same block, behind it", async () => {
    const context = await loadFixture(deployWithGrant);
    const { consents, domain, key, patient, ask } = context;
    await network.provider.send("evm_setAutomine", [false]);
    try {
      await consents.revokeGrant(patient, 7, authorize(domain, key, "RevokeGrant", { patient, number: 7 }));
      // Before the block there is nothing to see, and in it the revocation is done.
      expect(await ask()).to.equal("None");
      await network.provider.send("evm_mine");
      expect(await ask()).to.equal("Revoked");
    } finally {
      await network.provider.send("evm_setAutomine", [true]);
    }
  });

  it("leaves all other numbers, of this patient and of others, as they were", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const near = fc.integer({ min: 0, max: 600 });
    const revoked = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(near, number),
        fc.array(fc.oneof(near, number), { maxLength: 6 }),
        async (n, others) => {
          await consents.revokeGrant(patient, n, authorize(domain, key, "RevokeGrant", { patient, number: n }));
          revoked.add(n);
          for (const other of [n, n ^ 1, n ^ 0x100, ...others]) {
            expect(await consents.isGrantRevoked(patient, other >>> 0)).to.equal(revoked.has(other >>> 0));
            expect(await consents.isGrantRevoked(id("another patient"), other >>> 0)).to.equal(false);
          }
        },
      ),
      { numRuns: runs(60) },
    );
  });
});

describe("ConsentRegistry: revokeAll", () => {
  it("ends every grant there is, and lets new ones be given", async () => {
    const context = await loadFixture(deployWithGrant);
    const { consents, domain, key, patient, ask } = context;
    await consents.revokeAll(patient, 1, authorize(domain, key, "RevokeAll", { patient, epoch: 1 }));
    expect(await ask()).to.equal("EpochEnded");
    const renewed = chainOf(context, key, await grantOf(context, patient));
    expect(await reasonOf(context, renewed, requestOf(context, patient))).to.equal("None");
  });

  it("tells the epoch that ended and the next, which is higher and cannot be foreseen", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    const steps = new Set<bigint>();
    for (let i = 0; i < 8; ++i) {
      const epoch = await epochOf(context, patient);
      const sent = consents.revokeAll(patient, epoch, authorize(domain, key, "RevokeAll", { patient, epoch }));
      await expect(sent).to.emit(consents, "EpochEnded");
      const next = await epochOf(context, patient);
      expect(next > epoch && next <= epoch + 2n ** 24n).to.equal(true);
      steps.add(next - epoch);
      const [log] = await consents.queryFilter(consents.filters.EpochEnded(patient), (await sent).blockNumber!);
      expect([...log!.args]).to.deep.equal([patient, epoch, next]);
    }
    expect(steps.size).to.equal(8);
  });

  it("does not bring to life what was signed for the next epoch beforehand", async () => {
    const context = await loadFixture(deployWithGrant);
    const { consents, domain, key, patient } = context;
    const ahead = [2, 3, 4].map(async (epoch) => chainOf(context, key, await grantOf(context, patient, { epoch })));
    for (const chain of await Promise.all(ahead))
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("EpochEnded");
    await consents.revokeAll(patient, 1, authorize(domain, key, "RevokeAll", { patient, epoch: 1 }));
    for (const chain of await Promise.all(ahead))
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("EpochEnded");
  });

  it("refuses an epoch that is over, and one to come", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    for (const epoch of [0, 2, 2n ** 48n - 1n])
      await expect(consents.revokeAll(patient, epoch, authorize(domain, key, "RevokeAll", { patient, epoch })))
        .to.be.revertedWithCustomError(consents, "EpochNotCurrent")
        .withArgs(patient, 1);
  });
});

describe("ConsentRegistry: revoking documents", () => {
  it("ends a grant that the patient names by its digest", async () => {
    const { consents, domain, key, patient, document, ask } = await loadFixture(deployWithGrant);
    await expect(
      consents.revokeDocument(patient, document, authorize(domain, key, "RevokeDocument", { patient, document })),
    )
      .to.emit(consents, "DocumentRevoked")
      .withArgs(patient, document);
    expect(await ask()).to.equal("Revoked");
    expect(await consents.isDocumentRevoked(patient, document)).to.equal(true);
  });

  it("ends a grant by whoever signed it, directly or by message", async () => {
    const { consents, domain, key, document, ask } = await loadFixture(deployWithGrant);
    await expect(consents.revokeOwnDocument(document, authorize(domain, key, "RevokeOwnDocument", { document })))
      .to.emit(consents, "DocumentRevoked")
      .withArgs(key.hash, document);
    expect(await ask()).to.equal("Revoked");
  });

  it("ends nothing when somebody else revokes it as its own", async () => {
    const { consents, domain, document, ask, stranger, clinic } = await loadFixture(deployWithGrant);
    for (const caller of [stranger, clinic]) {
      await expect(consents.connect(caller).revokeOwnDocument(document, DIRECT))
        .to.emit(consents, "DocumentRevoked")
        .withArgs(keccak256(caller.address), document);
      // Twice changes nothing and tells nothing.
      await expect(consents.connect(caller).revokeOwnDocument(document, DIRECT)).not.to.emit(
        consents,
        "DocumentRevoked",
      );
    }
    const thief = accountKey("thief");
    await consents.revokeOwnDocument(document, authorize(domain, thief, "RevokeOwnDocument", { document }));
    expect(await ask()).to.equal("None");
  });

  it("takes nobody's signature for somebody else's own document", async () => {
    const { consents, domain, key, document } = await loadFixture(deployWithGrant);
    const forged = {
      ...authorize(domain, accountKey("thief"), "RevokeOwnDocument", { document }),
      signer: key.signer,
    };
    await expect(consents.revokeOwnDocument(document, forged))
      .to.be.revertedWithCustomError(consents, "AuthorizationInvalid")
      .withArgs(key.signer);
  });
});

describe("ConsentRegistry: setRestrictions", () => {
  it("sets, replaces and takes away, and counts; an old message brings none back", async () => {
    const { consents, domain, key, patient } = await loadFixture(deployWithPatient);
    const hashes = [id("first"), id("second"), ZeroHash, id("first")];
    const signed = hashes.map((restrictionsHash, restrictionsVersion) =>
      authorize(domain, key, "SetRestrictions", { patient, restrictionsVersion, restrictionsHash }),
    );
    for (const [index, hash] of hashes.entries()) {
      await expect(consents.setRestrictions(patient, hash, signed[index]!))
        .to.emit(consents, "RestrictionsChanged")
        .withArgs(patient, hash, index + 1);
      expect(await consents.restrictionsOf(patient)).to.deep.equal([hash, BigInt(index + 1)]);
    }
    await expect(consents.setRestrictions(patient, hashes[1]!, signed[1]!)).to.be.revertedWithCustomError(
      consents,
      "AuthorizationInvalid",
    );
  });
});

describe("ConsentRegistry: anchor", () => {
  it("writes down the first time, for whoever asks, and keeps it", async () => {
    const { consents, stranger, chain, document } = await loadFixture(deployWithGrant);
    const anchor = anchorOf(document, chain.signature as string);
    expect(await consents.anchoredAt(anchor)).to.equal(0n);
    await expect(consents.connect(stranger).anchor(anchor)).to.emit(consents, "Anchored").withArgs(anchor);
    const at = BigInt(await time.latest());
    await time.increase(100);
    await expect(consents.anchor(anchor)).not.to.emit(consents, "Anchored");
    expect(await consents.anchoredAt(anchor)).to.equal(at);
  });

  describe("given a grant by a key that was rotated away", () => {
    const next = accountKey("next phone");

    it("counts if it was anchored before", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient, chain, document, ask } = context;
      await consents.anchor(anchorOf(document, chain.signature as string));
      await rotate(context, patient, key, next);
      expect(await ask()).to.equal("None");
    });

    it("does not if it was not, nor if it is anchored afterwards", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient, chain, document, ask } = context;
      await rotate(context, patient, key, next);
      expect(await ask()).to.equal("SignerReplaced");
      await consents.anchor(anchorOf(document, chain.signature as string));
      expect(await ask()).to.equal("SignerReplaced");
    });

    it("does not if it was anchored in the block of the rotation", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient, chain, document, ask } = context;
      await network.provider.send("evm_setAutomine", [false]);
      try {
        await consents.anchor(anchorOf(document, chain.signature as string));
        await rotate(context, patient, key, next);
        await network.provider.send("evm_mine");
      } finally {
        await network.provider.send("evm_setAutomine", [true]);
      }
      expect((await consents.controllerOf(patient)).controllerHash).to.equal(next.hash);
      expect(await ask()).to.equal("SignerReplaced");
    });

    it("does not if only its text was anchored, and signed later", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient, document, ask } = context;
      await consents.anchor(document);
      await consents.anchor(anchorOf(document, "0x"));
      await rotate(context, patient, key, next);
      expect(await ask()).to.equal("SignerReplaced");
    });

    it("does not once the epoch ended with the rotation", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient, chain, document, ask } = context;
      await consents.anchor(anchorOf(document, chain.signature as string));
      await rotate(context, patient, key, next, true);
      expect(await ask()).to.equal("EpochEnded");
    });

    it("does not if it was made, and anchored, for an epoch that was to come", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, key, patient } = context;
      const epoch = 5_000;
      const ahead = await grantOf(context, patient, { epoch });
      const chain = chainOf(context, key, ahead);
      await consents.anchor(anchorOf(grantDigestOf(context.domain, ahead), chain.signature as string));
      await rotate(context, patient, key, next);
      // Nobody can foresee an epoch; here the thief was lucky.
      await setEpoch(context, epoch);
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("SignerReplaced");
    });

    it("lets the new key revoke it", async () => {
      const context = await loadFixture(deployWithGrant);
      const { consents, domain, key, patient, chain, document, ask } = context;
      await consents.anchor(anchorOf(document, chain.signature as string));
      await rotate(context, patient, key, next);
      await consents.revokeGrant(patient, 7, authorize(domain, next, "RevokeGrant", { patient, number: 7 }));
      expect(await ask()).to.equal("Revoked");
    });
  });
});

/** Writes the epoch into the record's word of state, see PatientStateLib. */
async function setEpoch({ consents, patient }: Patient, epoch: number): Promise<void> {
  const slot = toBeHex(BigInt(slotUnder(patient, namespaceOf("PatientRegistry", 1n))) + 1n, 32);
  const at = await consents.getAddress();
  const word = BigInt(await ethers.provider.getStorage(at, slot));
  const changed = (word & ~(0xffffffffffffn << 8n)) | (BigInt(epoch) << 8n);
  await network.provider.send("hardhat_setStorageAt", [at, slot, toBeHex(changed, 32)]);
  expect((await consents.patientOf(patient)).epoch).to.equal(BigInt(epoch));
}
