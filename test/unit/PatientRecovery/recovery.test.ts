import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import {
  STATUS,
  actions,
  anchorOf,
  authorize,
  chainOf,
  epochOf,
  fieldsOf,
  grantDigestOf,
  grantOf,
  reasonOf,
  requestOf,
  rotate,
} from "../../support/consents";
import { accountKey, digestOf } from "../../support/keys";

import {
  CONTACTS_DELAY,
  DELAY,
  PHASE,
  RECOVERED,
  WINDOW,
  acceptanceOf,
  change,
  circleOf,
  controllerOf,
  deployWithContacts,
  override,
  signaturesOf,
  start,
  veto,
} from "./fixture";

async function deployStarted() {
  const context = await deployWithContacts();
  await start(context);
  return context;
}

async function deployVetoed() {
  const context = await deployStarted();
  await veto(context);
  return context;
}

describe("PatientRecovery: startRecovery", () => {
  it("begins with as many contacts as are enough, whoever they are", async () => {
    for (const who of [
      [0, 1],
      [0, 3],
      [1, 2],
      [2, 3],
      [0, 1, 2, 3],
    ]) {
      const context = await loadFixture(deployWithContacts);
      const { recovery, patient, circle, key } = context;
      const sent = start(context, 1, who);
      await sent;
      const readyAt = BigInt(await time.latest()) + BigInt(DELAY);
      await expect(sent).to.emit(recovery, "RecoveryStarted").withArgs(patient, 1, RECOVERED.hash, readyAt);
      expect(fieldsOf(await recovery.recoveryOf(patient))).to.deep.equal({
        contactsHash: circle.hash,
        newController: RECOVERED.hash,
        readyAt,
        delay: BigInt(DELAY),
        number: 1n,
        phase: PHASE.waiting,
      });
      // Nothing happened yet.
      expect(await controllerOf(context)).to.equal(key.hash);
    }
  });

  it("is refused with too few, in another order, twice the same, or one that does not exist", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery } = context;
    await expect(start(context, 1, [3]))
      .to.be.revertedWithCustomError(recovery, "ContactSignaturesTooFew")
      .withArgs(2, 1);
    await expect(start(context, 1, [2, 0]))
      .to.be.revertedWithCustomError(recovery, "ContactSignaturesNotAscending")
      .withArgs(0);
    await expect(start(context, 1, [2, 2]))
      .to.be.revertedWithCustomError(recovery, "ContactSignaturesNotAscending")
      .withArgs(2);
    const [first, second] = signaturesOf(context, [0, 2]);
    await expect(
      recovery.startRecovery(context.patient, context.circle.contacts, acceptanceOf(context), [
        first!,
        { ...second!, contact: 4 },
      ]),
    )
      .to.be.revertedWithCustomError(recovery, "ContactSignaturesNotAscending")
      .withArgs(4);
  });

  it("is refused with signatures of others, for others, or of another time", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, recoveryDomain, patient, circle } = context;
    const begin = (signatures: ReturnType<typeof signaturesOf>) =>
      recovery.startRecovery(patient, circle.contacts, acceptanceOf(context), signatures);
    const [first, second] = signaturesOf(context, [0, 2]);
    const message = {
      patient,
      number: 1,
      contactsHash: circle.hash,
      newController: RECOVERED.hash,
      deadline: 2n ** 40n,
    };
    const sign = (domain: typeof recoveryDomain, changes: object, by = circle.keys[2]!): string =>
      by.sign(digestOf(domain, actions.StartRecovery, { ...message, ...changes }));
    const wrong = [
      sign(recoveryDomain, {}, circle.keys[1]),
      sign(recoveryDomain, {}, accountKey("thief")),
      sign(recoveryDomain, { number: 2 }),
      sign(recoveryDomain, { patient: id("somebody else") }),
      sign(recoveryDomain, { newController: accountKey("thief").hash }),
      sign(recoveryDomain, { contactsHash: id("other contacts") }),
      sign({ ...recoveryDomain, chainId: 1 }, {}),
      sign({ ...recoveryDomain, verifyingContract: await context.consents.getAddress() }, {}),
      signaturesOf(context, [2], { action: "OverrideVeto" })[0]!.signature as string,
    ];
    for (const signature of wrong)
      await expect(begin([first!, { ...second!, signature }]))
        .to.be.revertedWithCustomError(recovery, "AuthorizationInvalid")
        .withArgs(circle.keys[2]!.signer);
    const past = BigInt(await time.latest());
    await expect(begin(signaturesOf(context, [0, 2], { deadline: past })))
      .to.be.revertedWithCustomError(recovery, "AuthorizationExpired")
      .withArgs(past);
    expect((await recovery.recoveryOf(patient)).phase).to.equal(PHASE.none);
  });

  it("is refused to a new key that did not accept this very recovery", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    const accepted = [
      { ...acceptanceOf(context, 1, accountKey("thief")), signer: RECOVERED.signer },
      acceptanceOf(context, 2),
      acceptanceOf({ ...context, patient: id("somebody else") }),
      // One who accepts in the place of the key that contacts meant.
    ];
    for (const acceptance of accepted)
      await expect(recovery.startRecovery(patient, circle.contacts, acceptance, signaturesOf(context, [0, 2])))
        .to.be.revertedWithCustomError(recovery, "AuthorizationInvalid")
        .withArgs(RECOVERED.signer);
    const thief = acceptanceOf(context, 1, accountKey("thief"));
    await expect(
      recovery.startRecovery(patient, circle.contacts, thief, signaturesOf(context, [0, 2])),
    ).to.be.revertedWithCustomError(recovery, "AuthorizationInvalid");
  });

  it("is refused with other contacts than those that hold, opened as they are or changed", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient, circle } = context;
    const begin = (contacts: typeof circle.contacts) =>
      recovery.startRecovery(patient, contacts, acceptanceOf(context), signaturesOf(context, [0, 2]));
    for (const changed of [{ threshold: 1 }, { delay: DELAY - 1 }, { salt: ZeroHash }])
      await expect(begin({ ...circle.contacts, ...changed }))
        .to.be.revertedWithCustomError(recovery, "ContactsMismatch")
        .withArgs(patient, circle.hash);
    const own = circleOf([accountKey("thief")], 1);
    await expect(begin(own.contacts))
      .to.be.revertedWithCustomError(recovery, "ContactsMismatch")
      .withArgs(patient, circle.hash);
    await expect(
      begin(
        circleOf(
          Array.from({ length: 17 }, (_, i) => accountKey(`${i}`)),
          1,
        ).contacts,
      ),
    )
      .to.be.revertedWithCustomError(recovery, "ContactCountInvalid")
      .withArgs(17);
  });

  it("is refused while another is under way, until that lapses", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient } = context;
    await expect(start(context, 2)).to.be.revertedWithCustomError(recovery, "RecoveryInProgress").withArgs(patient, 1);
    const { readyAt } = await recovery.recoveryOf(patient);
    await time.setNextBlockTimestamp(readyAt + BigInt(WINDOW));
    await expect(start(context, 2)).to.emit(recovery, "RecoveryStarted");
    expect((await recovery.recoveryOf(patient)).number).to.equal(2n);
  });

  it("cannot be started again with the same messages", async () => {
    const context = await loadFixture(deployStarted);
    await time.increase(DELAY + WINDOW);
    await expect(start(context, 1)).to.be.revertedWithCustomError(context.recovery, "AuthorizationInvalid");
  });

  it("is refused for a record that is unknown or ended", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, consents, domain, key, patient } = context;
    await expect(start({ ...context, patient: id("nobody") }))
      .to.be.revertedWithCustomError(recovery, "PatientUnknown")
      .withArgs(id("nobody"));
    await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    await expect(start(context))
      .to.be.revertedWithCustomError(recovery, "PatientNotActive")
      .withArgs(patient, STATUS.deactivated);
  });

  for (const mode of [0, 1, 2, 3, 4, 5, 6])
    it(`gets nothing from a contact that misbehaves (mode ${mode})`, async () => {
      const context = await loadFixture(deployWithContacts);
      const { recovery, patient } = context;
      const wallet = (await (await ethers.deployContract("Erc1271Misbehaving", [mode])).getAddress()).toLowerCase();
      const bad = { signer: wallet, hash: ethers.keccak256(wallet), sign: () => "0x01" };
      const circle = circleOf([bad], 1);
      await change(context, context.circle.hash, circle.hash, 2);
      await time.increase(CONTACTS_DELAY);
      await expect(start({ ...context, circle }, 1, [0]))
        .to.be.revertedWithCustomError(recovery, "AuthorizationInvalid")
        .withArgs(wallet);
      expect((await recovery.recoveryOf(patient)).phase).to.equal(PHASE.none);
    });
});

describe("PatientRecovery: executeRecovery", () => {
  it("gives the record to the new key after the delay, whoever asks, and ends the epoch", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, consents, patient, stranger, key } = context;
    const { readyAt } = await recovery.recoveryOf(patient);
    const before = await epochOf(context, patient);
    await time.setNextBlockTimestamp(readyAt);
    await expect(recovery.connect(stranger).executeRecovery(patient))
      .to.emit(recovery, "RecoveryExecuted")
      .withArgs(patient, 1, RECOVERED.hash)
      .and.to.emit(consents, "ControllerChanged")
      .withArgs(patient, RECOVERED.hash, 2)
      .and.to.emit(consents, "EpochEnded");
    expect(await controllerOf(context)).to.equal(RECOVERED.hash);
    expect(await epochOf(context, patient)).to.be.greaterThan(before);
    expect(await consents.controllerEndOf(patient, key.hash)).to.deep.equal([readyAt, before]);
    expect((await recovery.recoveryOf(patient)).phase).to.equal(PHASE.executed);
  });

  it("is refused one second before", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient, key } = context;
    const { readyAt } = await recovery.recoveryOf(patient);
    await time.setNextBlockTimestamp(readyAt - 1n);
    await expect(recovery.executeRecovery(patient))
      .to.be.revertedWithCustomError(recovery, "RecoveryNotReady")
      .withArgs(patient, readyAt);
    expect(await controllerOf(context)).to.equal(key.hash);
  });

  it("is possible in the last second of its window, and not after", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient } = context;
    const { readyAt } = await recovery.recoveryOf(patient);
    const lapsedAt = readyAt + BigInt(WINDOW);
    await time.setNextBlockTimestamp(lapsedAt - 1n);
    await recovery.executeRecovery.estimateGas(patient);
    await time.increaseTo(lapsedAt);
    await expect(recovery.executeRecovery(patient))
      .to.be.revertedWithCustomError(recovery, "RecoveryLapsed")
      .withArgs(patient, lapsedAt);
  });

  it("happens once, and never without a recovery", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient } = context;
    await time.increase(DELAY);
    await recovery.executeRecovery(patient);
    for (const [record, phase] of [
      [patient, PHASE.executed],
      [id("nobody"), PHASE.none],
    ] as const)
      await expect(recovery.executeRecovery(record))
        .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
        .withArgs(record, phase);
  });

  it("ends what the lost key granted, anchored or not, and what it may still sign", async () => {
    const context = await loadFixture(deployWithContacts);
    const { consents, domain, key, patient, recovery } = context;
    const grant = await grantOf(context, patient, { expiry: 2 ** 40 - 1 });
    const chain = chainOf(context, key, grant);
    await consents.anchor(anchorOf(grantDigestOf(domain, grant), chain.signature as string));
    await start(context);
    await time.increase(DELAY);
    await recovery.executeRecovery(patient);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("EpochEnded");
    const again = chainOf(context, key, await grantOf(context, patient));
    expect(await reasonOf(context, again, requestOf(context, patient))).to.equal("SignerReplaced");
    const fresh = chainOf(context, RECOVERED, await grantOf(context, patient));
    expect(await reasonOf(context, fresh, requestOf(context, patient))).to.equal("None");
  });

  it("is refused once the record ended", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, consents, domain, key, patient } = context;
    await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    await time.increase(DELAY);
    await expect(recovery.executeRecovery(patient))
      .to.be.revertedWithCustomError(consents, "PatientNotActive")
      .withArgs(patient, 2);
  });

  it("is not escaped by rotating, nor by changing contacts meanwhile", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient, key, circle } = context;
    const thief = accountKey("thief's next key");
    await rotate(context, patient, key, thief);
    const stolen = { ...context, key: thief };
    await change(stolen, circle.hash, id("thief's contacts"), 2);
    await time.increase(DELAY);
    expect((await recovery.contactsOf(patient)).current).to.equal(id("thief's contacts"));
    await recovery.executeRecovery(patient);
    expect(await controllerOf(context)).to.equal(RECOVERED.hash);
    const [current, next, effectiveAt] = await recovery.contactsOf(patient);
    expect([current, next, effectiveAt]).to.deep.equal([circle.hash, ZeroHash, 0n]);
  });
});

describe("PatientRecovery: vetoRecovery and overrideVeto", () => {
  it("lets the present controller stop it, up to the last moment", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient, key } = context;
    await time.increase(DELAY + 1000);
    await expect(veto(context)).to.emit(recovery, "RecoveryVetoed").withArgs(patient, 1);
    await expect(recovery.executeRecovery(patient))
      .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
      .withArgs(patient, PHASE.vetoed);
    expect(await controllerOf(context)).to.equal(key.hash);
  });

  it("is refused to contacts, to the new key, to former controllers, and to strangers", async () => {
    const context = await loadFixture(deployStarted);
    const { recovery, patient, key, circle } = context;
    const next = accountKey("next phone");
    await rotate(context, patient, key, next);
    for (const by of [...circle.keys, RECOVERED, key, accountKey("stranger")])
      await expect(veto(context, 1, by))
        .to.be.revertedWithCustomError(recovery, "NotController")
        .withArgs(patient, by.hash);
    await veto(context, 1, next);
  });

  it("is refused without a recovery, and after it was carried out", async () => {
    const context = await loadFixture(deployWithContacts);
    const { recovery, patient } = context;
    await expect(veto(context, 0))
      .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
      .withArgs(patient, PHASE.none);
    await start(context);
    await time.increase(DELAY);
    await recovery.executeRecovery(patient);
    await expect(veto(context, 1, RECOVERED))
      .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
      .withArgs(patient, PHASE.executed);
  });

  it("is overridden by all contacts, and the delay begins once more", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient } = context;
    const sent = override(context);
    await sent;
    const readyAt = BigInt(await time.latest()) + BigInt(DELAY);
    await expect(sent).to.emit(recovery, "RecoveryOverridden").withArgs(patient, 1, readyAt);
    await time.setNextBlockTimestamp(readyAt - 1n);
    await expect(recovery.executeRecovery(patient))
      .to.be.revertedWithCustomError(recovery, "RecoveryNotReady")
      .withArgs(patient, readyAt);
    await recovery.executeRecovery(patient);
    expect(await controllerOf(context)).to.equal(RECOVERED.hash);
  });

  it("is not overridden by all but one", async () => {
    const context = await loadFixture(deployVetoed);
    for (const missing of [0, 1, 2, 3])
      await expect(
        override(
          context,
          [0, 1, 2, 3].filter((who) => who !== missing),
        ),
      )
        .to.be.revertedWithCustomError(context.recovery, "ContactSignaturesTooFew")
        .withArgs(4, 3);
  });

  it("is not overridden by the signatures that began it", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, circle } = context;
    await expect(
      recovery.overrideVeto(patient, circle.contacts, signaturesOf(context, [0, 1, 2, 3])),
    ).to.be.revertedWithCustomError(recovery, "AuthorizationInvalid");
  });

  it("is vetoed once: not after the override, not with another message, not after a rotation", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, key } = context;
    await expect(veto(context))
      .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
      .withArgs(patient, PHASE.vetoed);
    await override(context);
    const next = accountKey("next phone");
    await rotate(context, patient, key, next);
    await expect(veto(context, 1, next))
      .to.be.revertedWithCustomError(recovery, "RecoveryPhaseWrong")
      .withArgs(patient, PHASE.overridden);
  });

  it("is overridden by those who began it, though contacts were changed meanwhile", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, circle } = context;
    await change(context, circle.hash, id("thief's contacts"), 2);
    await time.increase(CONTACTS_DELAY);
    await override(context);
    await time.increase(DELAY);
    await recovery.executeRecovery(patient);
    expect(await controllerOf(context)).to.equal(RECOVERED.hash);
    expect((await recovery.contactsOf(patient)).current).to.equal(circle.hash);
  });

  it("is overridden only after a veto, with the right contacts, and before it lapses", async () => {
    const started = await loadFixture(deployStarted);
    await expect(override(started))
      .to.be.revertedWithCustomError(started.recovery, "RecoveryPhaseWrong")
      .withArgs(started.patient, PHASE.waiting);
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, circle } = context;
    const own = circleOf([accountKey("thief")], 1);
    await expect(override({ ...context, circle: own }, [0]))
      .to.be.revertedWithCustomError(recovery, "ContactsMismatch")
      .withArgs(patient, circle.hash);
    const { readyAt } = await recovery.recoveryOf(patient);
    await time.increaseTo(readyAt + BigInt(WINDOW));
    await expect(override(context))
      .to.be.revertedWithCustomError(recovery, "RecoveryLapsed")
      .withArgs(patient, readyAt + BigInt(WINDOW));
  });

  it("leaves no room for another recovery before it lapses, by whatever contacts hold then", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, circle } = context;
    const thief = circleOf([accountKey("thief's friend")], 1);
    await change(context, circle.hash, thief.hash, 2);
    await time.increase(CONTACTS_DELAY);
    for (const [contacts, who] of [
      [circle, [0, 2]],
      [thief, [0]],
    ] as const)
      await expect(start({ ...context, circle: contacts }, 2, [...who]))
        .to.be.revertedWithCustomError(recovery, "RecoveryInProgress")
        .withArgs(patient, 1);
    await override(context);
    expect((await recovery.recoveryOf(patient)).phase).to.equal(PHASE.overridden);
  });

  it("rids a patient of contacts who turned bad: once theirs lapsed, they are contacts no more", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient, circle, key } = context;
    const better = circleOf([accountKey("better friend")], 1);
    await change(context, circle.hash, better.hash, 2);
    const { readyAt } = await recovery.recoveryOf(patient);
    await time.increaseTo(readyAt + BigInt(WINDOW));
    await expect(start(context, 2))
      .to.be.revertedWithCustomError(recovery, "ContactsMismatch")
      .withArgs(patient, better.hash);
    expect(await controllerOf(context)).to.equal(key.hash);
    await start({ ...context, circle: better }, 2, [0]);
  });

  it("is vetoed by number: what stopped one recovery stops no other, nor overrides its veto", async () => {
    const context = await loadFixture(deployVetoed);
    const { recovery, patient } = context;
    const { readyAt } = await recovery.recoveryOf(patient);
    await time.increaseTo(readyAt + BigInt(WINDOW));
    await start(context, 2);
    await expect(veto(context, 1)).to.be.revertedWithCustomError(recovery, "AuthorizationInvalid");
    await veto(context, 2);
    await expect(override(context, [0, 1, 2, 3], 1)).to.be.revertedWithCustomError(recovery, "AuthorizationInvalid");
    await override(context, [0, 1, 2, 3], 2);
    expect((await recovery.recoveryOf(patient)).phase).to.equal(PHASE.overridden);
  });
});
