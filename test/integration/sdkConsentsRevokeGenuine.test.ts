import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import { createConsents, type SignedGrant } from "@carepact/sdk/consents";
import { createPatients } from "@carepact/sdk/patients";

import { HPKE_KEY } from "../support/consents";
import { accountKey, contractKey, p256Key } from "../support/keys";
import { DAY } from "../support/system";

import { deployConsentsWorld, granted, grantInput, reasonFor, rotate, signedAnew, signerOf } from "./consentsWorld";
import { refusal } from "./support";

describe("SDK: revoking what a file says", () => {
  const renumbered = (grant: SignedGrant): SignedGrant => ({
    ...grant,
    grant: { ...grant.grant, number: (grant.grant.number + 1) % 2 ** 32 },
  });

  it("is refused for a copy with another number, by which the grant would go on to count", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    const copies = [
      renumbered(grant),
      signedAnew(world, grant, renumbered(grant).grant, accountKey("the grantee's")),
      { ...grant, signature: `0x${"11".repeat(65)}` },
    ];
    for (const copy of copies) {
      const error = await refusal("FILE_TAMPERED", world.consents.revoke(copy).populate());
      expect(error.details.path).to.equal("$.grant");
    }
    expect(await reasonFor(world, grant)).to.equal("None");
    await run(world.consents.revoke(grant));
    expect(await reasonFor(world, grant)).to.equal("Revoked");
  });

  it("takes what a former key signed, and what the number alone says", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const grant = await granted(world);
    await run(world.consents.anchor(grant));
    const next = accountKey("next phone");
    await rotate(world, world.key, next);
    expect(await reasonFor(world, grant)).to.equal("None");
    const consents = createConsents(
      { runner: world.relayer, deployment: world.deployment },
      { signer: signerOf(next) },
    );
    await refusal("FILE_TAMPERED", consents.revoke(renumbered(grant)).populate());
    await run(consents.revoke(grant));
    expect(await reasonFor(world, grant)).to.equal("Revoked");
    await run(consents.revoke({ patient: world.patient, number: 7 }));
  });

  it("takes a representative's grant, and none under a mandate that nobody gave", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const parent = accountKey("parent");
    const connection = { runner: world.relayer, deployment: world.deployment };
    const mandateBy = (key: ReturnType<typeof accountKey>) =>
      createPatients(connection, { signer: signerOf(key) }).representativeMandate(world.patient, {
        representative: parent.signer,
        purposes: ["TREAT"],
        end: 4_000_000_000,
      });
    const mandate = await mandateBy(world.key);
    const asParent = createConsents(connection, { signer: signerOf(parent) });
    const grant = await asParent.grant({ ...(await grantInput(world)), mandate });
    const { mandate: packed } = grant;
    const forged = { ...grant, mandate: { ...packed!, signature: grant.signature } };
    await refusal("FILE_TAMPERED", world.consents.revoke(forged).populate());
    const foreign = {
      ...grant,
      mandate: { ...packed!, mandate: { ...packed!.mandate, representative: world.patient } },
    };
    await refusal("FILE_TAMPERED", world.consents.revoke(foreign).populate());
    await refusal("FILE_TAMPERED", world.consents.revoke(renumbered(grant)).populate());
    await run(world.consents.revoke(grant));
    expect(await reasonFor(world, grant)).to.equal("Revoked");
  });

  it("asks keys of every kind, but for wallet contracts, which may answer otherwise than when they signed", async () => {
    const world = await loadFixture(deployConsentsWorld);
    const outcomes: unknown[] = [];
    for (const key of [p256Key("patient's", world.deployment.p256Verifier), await contractKey("patient's wallet")]) {
      const connection = { runner: world.relayer, deployment: world.deployment };
      const patients = createPatients(connection, { signer: signerOf(key) });
      const { patient } = await run(patients.register({ hpkeKey: HPKE_KEY }));
      const consents = createConsents(connection, { signer: signerOf(key) });
      const expiry = (await time.latest()) + DAY;
      const grant = await consents.grant({ ...(await grantInput(world)), patient, expiry });
      const changed = renumbered(grant);
      outcomes.push(
        await consents
          .revoke(changed)
          .populate()
          .then(
            () => "taken",
            (thrown: { code?: unknown }) => thrown.code,
          ),
      );
      await run(consents.revoke(grant));
      expect(await reasonFor({ ...world, patient }, grant)).to.equal("Revoked");
    }
    expect(outcomes).to.deep.equal(["FILE_TAMPERED", "taken"]);
  });
});
