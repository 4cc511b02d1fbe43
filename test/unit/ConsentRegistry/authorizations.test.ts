import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { Signature, concat, id, toBeHex } from "ethers";
import { ethers } from "hardhat";

import type { AuthorizationStruct } from "../../../typechain-types/contracts/consent/ConsentRegistry";
import {
  DIRECT,
  actions,
  authorize,
  deployConsents,
  deployWithPatient,
  epochOf,
  registerPatient,
} from "../../support/consents";
import { type Key, ORDER, accountKey, assertionOf, contractKey, digestOf, p256Key, passkey } from "../../support/keys";
import { DAY } from "../../support/system";

import { type Patient, UNKNOWN, neighbourOf, patientActions, recordOf } from "./actions";

const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("ConsentRegistry: who may act", () => {
  it("publishes the domain that is signed for (EIP-5267)", async () => {
    const { consents, domain } = await loadFixture(deployConsents);
    const { name, version, chainId, verifyingContract } = await consents.eip712Domain();
    expect({ name, version, chainId, verifyingContract }).to.deep.equal(domain);
  });

  for (const { action, message, call, event, again, afterEnd } of patientActions)
    describe(action, () => {
      const signed = (context: Patient, key = context.key, deadline?: bigint | number): AuthorizationStruct =>
        authorize(context.domain, key, action, message(context), deadline);

      /** Expects the call to fail with this error, and that nothing changed. */
      const refused = async (context: Patient, authorization: AuthorizationStruct, error: string): Promise<void> => {
        const before = await recordOf(context);
        await expect(call(context, authorization)).to.be.revertedWithCustomError(context.consents, error);
        expect(await recordOf(context)).to.equal(before);
      };

      it("is done by the controller's message, whoever brings it", async () => {
        const context = await loadFixture(deployWithPatient);
        const before = await recordOf(context);
        await expect(call(context, signed(context))).to.emit(context.consents, event);
        expect(await recordOf(context)).not.to.equal(before);
      });

      it("is done by the controller itself, without a message", async () => {
        const context = await loadFixture(deployConsents);
        const [, , , , , , , owner] = await ethers.getSigners();
        const own = context.consents.connect(owner);
        await own.register(id("own"), id("key"), DIRECT);
        const patient = await own.register.staticCall(id("another"), id("key"), DIRECT);
        await own.register(id("another"), id("key"), DIRECT);
        const direct = { ...context, consents: own, patient, key: accountKey("unused") };
        await expect(call(direct, DIRECT)).to.emit(own, event);
      });

      it("is refused to a caller that is not the controller", async () => {
        const context = await loadFixture(deployWithPatient);
        for (const caller of [context.stranger, context.clinic, context.admin]) {
          const own = { ...context, consents: context.consents.connect(caller) };
          await refused(own, DIRECT, "NotController");
          // Naming the controller without its signature helps nobody.
          await refused(own, { ...DIRECT, signer: context.key.signer }, "NotController");
        }
      });

      it("is refused to another key that signs well", async () => {
        const context = await loadFixture(deployWithPatient);
        const { key } = await neighbourOf(context);
        await refused(context, signed(context, key), "NotController");
      });

      it("is refused to another key that says it is the controller", async () => {
        const context = await loadFixture(deployWithPatient);
        const forged = { ...signed(context, accountKey("thief")), signer: context.key.signer };
        await refused(context, forged, "AuthorizationInvalid");
      });

      it("is refused to a message for another record", async () => {
        const context = await loadFixture(deployWithPatient);
        const { patient } = await neighbourOf(context);
        const other = authorize(context.domain, context.key, action, { ...message(context), patient });
        await refused(context, other, "AuthorizationInvalid");
      });

      it("is refused to a message for another chain, another contract, or another version", async () => {
        const context = await loadFixture(deployWithPatient);
        const foreign = [
          { ...context.domain, chainId: 1 },
          { ...context.domain, verifyingContract: await context.recovery.getAddress() },
          { ...context.domain, name: "Carepact PatientRecovery" },
          { ...context.domain, version: "2" },
        ];
        for (const domain of foreign)
          await refused(context, authorize(domain, context.key, action, message(context)), "AuthorizationInvalid");
      });

      it("is refused to the messages of all other actions", async () => {
        const context = await loadFixture(deployWithPatient);
        for (const other of patientActions.filter((each) => each.action !== action)) {
          const authorization = authorize(context.domain, context.key, other.action, other.message(context));
          await refused(context, authorization, "AuthorizationInvalid");
        }
      });

      it("is good until the last second of its deadline, and with that deadline only", async () => {
        const context = await loadFixture(deployWithPatient);
        const deadline = (await time.latest()) + DAY;
        const authorization = signed(context, context.key, deadline);
        await refused(context, { ...authorization, deadline: deadline + 1 }, "AuthorizationInvalid");
        await time.setNextBlockTimestamp(deadline);
        await expect(call(context, authorization)).to.emit(context.consents, event);
      });

      it("has expired one second later", async () => {
        const context = await loadFixture(deployWithPatient);
        const deadline = (await time.latest()) + DAY;
        await time.increaseTo(deadline);
        await refused(context, signed(context, context.key, deadline), "AuthorizationExpired");
      });

      it("changes nothing when it is replayed", async () => {
        const context = await loadFixture(deployWithPatient);
        const authorization = signed(context);
        await call(context, authorization);
        const after = await recordOf(context);
        if (again) await refused(context, authorization, again);
        else await expect(call(context, authorization)).not.to.emit(context.consents, event);
        expect(await recordOf(context)).to.equal(after);
      });

      it("is refused with the other of the two signatures that a curve allows", async () => {
        const context = await loadFixture(deployWithPatient);
        const authorization = signed(context);
        const { r, s, v } = Signature.from(authorization.signature as string);
        const twin = concat([r, toBeHex(SECP256K1_ORDER - BigInt(s), 32), toBeHex(v === 27 ? 28 : 27)]);
        await refused(context, { ...authorization, signature: twin }, "AuthorizationInvalid");
      });

      it("is refused with a signature that is cut, padded, or not the right size at all", async () => {
        const context = await loadFixture(deployWithPatient);
        const authorization = signed(context);
        const signature = authorization.signature as string;
        for (const broken of [signature.slice(0, -2), `${signature}00`, "0x00", `0x${"00".repeat(65)}`])
          await refused(context, { ...authorization, signature: broken }, "AuthorizationInvalid");
      });

      it("is refused for a record that nobody registered", async () => {
        const context = await loadFixture(deployWithPatient);
        const unknown = { ...context, patient: UNKNOWN };
        await refused(unknown, signed(unknown), "PatientUnknown");
      });

      it(`is ${afterEnd ? "still possible" : "refused"} for a record that was deactivated`, async () => {
        const context = await loadFixture(deployWithPatient);
        const { consents, domain, key, patient } = context;
        await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
        if (afterEnd) await expect(call(context, signed(context))).to.emit(consents, event);
        else await refused(context, signed(context), "PatientNotActive");
      });
    });

  describe("with a key of any kind", () => {
    const kindsOfKey: [string, (context: Awaited<ReturnType<typeof deployConsents>>) => Promise<Key>][] = [
      ["an account", () => Promise.resolve(accountKey("any"))],
      ["a wallet contract (ERC-1271)", () => contractKey("any")],
      ["a P-256 key", ({ p256Verifier }) => Promise.resolve(p256Key("any", p256Verifier))],
      ["a passkey", ({ webAuthnVerifier }) => Promise.resolve(passkey("any", webAuthnVerifier))],
    ];
    for (const [kind, make] of kindsOfKey)
      it(`does everything by messages of ${kind}`, async () => {
        for (const { action, message, call, event } of patientActions) {
          const context = await loadFixture(deployConsents);
          const key = await make(context);
          const patient = { ...context, key, patient: await registerPatient(context, key) };
          await expect(call(patient, authorize(context.domain, key, action, message(patient)))).to.emit(
            context.consents,
            event,
          );
        }
      });

    it("acts from its wallet contract without a message", async () => {
      const { consents, stranger } = await loadFixture(deployConsents);
      const wallet = await ethers.deployContract("Erc1271Wallet", [stranger.address]);
      const register = consents.interface.encodeFunctionData("register", [id("salt"), id("key"), DIRECT]);
      await expect(wallet.connect(stranger).execute(consents, register)).to.emit(consents, "PatientRegistered");
    });
  });

  describe("a signer that lies or breaks", () => {
    const message = (patient: string): Record<string, unknown> => ({ patient, number: 7 });

    it("gets no passkey through with another type, without presence, or without verification of the user", async () => {
      const context = await loadFixture(deployConsents);
      const { consents, domain } = context;
      const key = passkey("any", context.webAuthnVerifier);
      const patient = await registerPatient(context, key);
      const deadline = 2n ** 40n;
      const digest = digestOf(domain, actions.RevokeGrant, { ...message(patient), deadline });
      const secret = BigInt(id("passkey any")) % ORDER;
      for (const change of [{ type: "webauthn.create" }, { flags: 0x04 }, { flags: 0x01 }]) {
        const signature = assertionOf(secret, digest, change);
        await expect(
          consents.revokeGrant(patient, 7, { signer: key.signer, deadline, signature }),
        ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
      }
      await consents.revokeGrant(patient, 7, {
        signer: key.signer,
        deadline,
        signature: assertionOf(secret, digest),
      });
    });

    it("gets no P-256 signature through with the other s", async () => {
      const context = await loadFixture(deployConsents);
      const { consents, domain } = context;
      const key = p256Key("any", context.p256Verifier);
      const patient = await registerPatient(context, key);
      const authorization = authorize(domain, key, "RevokeGrant", message(patient));
      const signature = authorization.signature as string;
      const twin = concat([signature.slice(0, 66), toBeHex(ORDER - BigInt(`0x${signature.slice(66)}`), 32)]);
      await expect(
        consents.revokeGrant(patient, 7, { ...authorization, signature: twin }),
      ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
    });

    for (const mode of [0, 1, 2, 3, 4, 5, 6])
      it(`registers nobody as a wallet contract that misbehaves (mode ${mode})`, async () => {
        const { consents } = await loadFixture(deployConsents);
        const wallet = await (await ethers.deployContract("Erc1271Misbehaving", [mode])).getAddress();
        for (const signer of [wallet, concat([wallet, "0x01"])])
          await expect(
            consents.register(id("salt"), id("key"), { signer, deadline: 2n ** 40n, signature: "0x01" }),
          ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
      });

    it("registers nobody under a signer that is too short, a verifier without code, or a precompile", async () => {
      const { consents, stranger } = await loadFixture(deployConsents);
      // The identity precompile (0x04) answers with the question, which begins with the magic value.
      const precompiles = [1, 2, 3, 4, 5].map((address) => concat([toBeHex(address, 20), "0x1234"]));
      for (const signer of ["0x", "0x1234", toBeHex(4, 20), concat([stranger.address, "0x1234"]), ...precompiles])
        await expect(
          consents.register(id("salt"), id("key"), { signer, deadline: 2n ** 40n, signature: "0x01" }),
        ).to.be.revertedWithCustomError(consents, "AuthorizationInvalid");
    });
  });

  it("lets messages be brought in any order, in one block or many", async () => {
    const context = await loadFixture(deployWithPatient);
    const { consents, domain, key, patient } = context;
    const revocations = [3, 1, 300].map((number) => authorize(domain, key, "RevokeGrant", { patient, number }));
    const proofing = authorize(domain, key, "SetProofing", { patient, proofingVersion: 0, proofing: id("p") });
    const epoch = await epochOf(context, patient);
    const all = authorize(domain, key, "RevokeAll", { patient, epoch });
    await consents.revokeAll(patient, epoch, all);
    await consents.revokeGrant(patient, 300, revocations[2]!);
    await consents.setProofing(patient, id("p"), proofing);
    await consents.revokeGrant(patient, 1, revocations[1]!);
    await consents.revokeGrant(patient, 3, revocations[0]!);
    const revoked = await Promise.all([1, 2, 3, 300].map((number) => consents.isGrantRevoked(patient, number)));
    expect(revoked).to.deep.equal([true, false, true, true]);
  });
});
