import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { entriesOf, openNotice, REVIEW_POLICY, signReview, type SignedReview } from "@carepact/sdk/access";
import { accountSigner, contractSigner } from "@carepact/sdk/signers";

import { DAY } from "../support/system";

import { failingStore, forget } from "./accessStores";
import { cheated } from "./accessTampering";
import {
  attemptOf,
  audited,
  deployAccessWorld,
  emergencyOf,
  finds,
  gatewayOver,
  historyOf,
  kindsOf,
  worldOf,
  type AccessWorld,
} from "./accessWorld";
import { refusal } from "./support";

/** What the clinic says of the hospital's access. */
async function reviewOf(world: AccessWorld, of: string, changes: Partial<SignedReview> = {}): Promise<SignedReview> {
  const gateway = await world.gateway.account();
  const review = { gateway, of, justified: true, text: "Unconscious on arrival; only medication was read." };
  return { ...(await signReview(world.reader, review, await accountSigner(world.clinic))), ...changes };
}

describe("SDK: access in an emergency", () => {
  it("opens the record without a grant, notes why, and reports it to the patient", async () => {
    const world = await worldOf(deployAccessWorld);
    const answer = await world.gateway.attempt(emergencyOf(world));
    expect(answer.allowed).to.equal(true);
    const justification = "Found unconscious; medication unknown.";
    expect(answer.receipt.statement.basis).to.deep.equal({ kind: "breakGlass", justification });

    const [notice, none] = await world.gateway.notices();
    expect(none).to.equal(undefined);
    expect(JSON.stringify(notice)).not.to.contain("unconscious");
    expect(await openNotice(notice?.sealed, world.keys.privateKey)).to.deep.equal(answer.receipt);
    await world.gateway.delivered(notice!.id);
    expect(await world.gateway.notices()).to.deep.equal([]);
    await refusal("INPUT_INVALID", world.gateway.delivered(id("another")));
    // The notice is a receipt: a log without the entry is found out by it.
    expect((await audited(world, await historyOf(world), { receipts: [answer.receipt] })).findings).to.deep.equal([]);
  });

  it("is refused to who is no clinic in good standing, noted, and neither reported nor reviewed", async () => {
    const world = await worldOf(deployAccessWorld);
    const answer = await world.gateway.attempt(emergencyOf(world, { who: world.stranger.address }));
    expect(answer).to.deep.include({ allowed: false, reason: "BreakGlassNotForOrganization" });
    expect(await world.gateway.notices()).to.deep.equal([]);
    expect(await world.gateway.unreviewed()).to.deep.equal([]);
    expect(entriesOf(await historyOf(world))).to.have.length(1);
  });

  it("is not possible without a patient to whom to report it", async () => {
    const world = await worldOf(deployAccessWorld);
    const permission = (): Promise<{ permitted: true }> => Promise.resolve({ permitted: true });
    const gateway = gatewayOver(world, { permission });
    await refusal("PATIENT_KEY_MISSING", gateway.attempt(emergencyOf(world, { patient: id("nobody") })));
    expect([...world.rows.keys()].some((key) => key.startsWith("emergency/"))).to.equal(false);
  });

  describe("given an access that is not reviewed", () => {
    const opened = async (): Promise<AccessWorld & { of: string }> => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      await world.gateway.attempt(emergencyOf(world));
      const [unreviewed] = await world.gateway.unreviewed();
      return { ...world, of: unreviewed!.of };
    };

    it("lists it with the time by which it is due", async () => {
      const world = await opened();
      const [unreviewed] = await world.gateway.unreviewed();
      expect(unreviewed?.statement.who).to.equal(world.hospital.address);
      expect(unreviewed).to.deep.include({ due: unreviewed!.statement.at + 3 * DAY, overdue: false });
      await time.increase(3 * DAY + 1);
      expect((await world.gateway.unreviewed())[0]?.overdue).to.equal(true);
      const sooner = await gatewayOver(world, { reviewWithin: 60 }).unreviewed();
      expect(sooner[0]?.due).to.equal(unreviewed!.statement.at + 60);
    });

    it("takes a review of another organization as an entry of its own", async () => {
      const world = await opened();
      const review = await reviewOf(world, world.of, { justified: true });
      const receipt = await world.gateway.review(review);
      expect(receipt.statement).to.deep.include({
        who: world.clinic.address,
        basis: { kind: "policy", policy: REVIEW_POLICY },
        review: { of: world.of, justified: true, text: review.text, signature: review.signature },
      });
      expect(await world.gateway.unreviewed()).to.deep.equal([]);
      await run(world.gateway.anchor());
      const { entries, findings } = await audited(world, await historyOf(world), { receipts: [receipt] });
      expect([entries.map(({ number }) => number), findings]).to.deep.equal([[0, 1, 2], []]);
      expect((await refusal("ACCESS_REVIEW_INVALID", world.gateway.review(review))).details.path).to.equal("of");

      // Reported and reviewed: nobody looks for it any more.
      const [notice] = await world.gateway.notices();
      await world.gateway.delivered(notice!.id);
      expect(await world.gateway.notices()).to.deep.equal([]);
      const [, row] = [...world.rows].find(([key]) => key.startsWith("emergency/"))!;
      expect(JSON.parse(row.text)).to.include({ closed: true });
      expect(await world.gateway.unreviewed()).to.deep.equal([]);
      await refusal("ACCESS_REVIEW_INVALID", world.gateway.review(review));
    });

    it("takes one of a wallet contract", async () => {
      const world = await opened();
      const wallet = await ethers.deployContract("Erc1271Wallet", [world.stranger.address]);
      const account = await wallet.getAddress();
      await run(world.office.register(account, { name: "board", kinds: ["clinic"], hpkeKey: id("key") }));
      const signer = contractSigner(account, ({ domain, types, message }) =>
        world.stranger.signTypedData(domain, types, message),
      );
      const gateway = await world.gateway.account();
      const review = { gateway, of: world.of, justified: false, text: "Nothing was urgent." };
      await world.gateway.review(await signReview(world.reader, review, signer));
      expect(await world.gateway.unreviewed()).to.deep.equal([]);
      expect((await audited(world, await historyOf(world))).findings).to.deep.equal([]);
    });

    it("refuses one by who asked, by nobody known, of nothing, or that was not signed like this", async () => {
      const world = await opened();
      const gateway = await world.gateway.account();
      const review = { gateway, of: world.of, justified: true, text: "All was well." };
      const own = await signReview(world.reader, review, await accountSigner(world.hospital));
      const strangers = await signReview(world.reader, review, await accountSigner(world.stranger));
      const good = await reviewOf(world, world.of);
      const cases: [SignedReview, string][] = [
        [own, "who"],
        [strangers, "who"],
        [{ ...good, who: "nobody" }, "who"],
        [{ ...good, of: id("another") }, "of"],
        [{ ...good, justified: false }, "signature"],
        [{ ...good, text: "Something else." }, "signature"],
        [{ ...good, signature: "0x" }, "signature"],
      ];
      for (const [one, path] of cases)
        expect((await refusal("ACCESS_REVIEW_INVALID", world.gateway.review(one))).details.path).to.equal(path);
      await refusal("INPUT_INVALID", world.gateway.review({ ...good, text: "" }));
      await run(world.office.suspend(world.clinic.address));
      await refusal("ACCESS_REVIEW_INVALID", world.gateway.review(good));
      expect(await world.gateway.unreviewed()).to.have.length(1);
      expect(entriesOf(await historyOf(world))).to.have.length(2);
    });

    it("is found by the patient's audit once it is overdue, and a late or forged review does not help", async () => {
      const world = await opened();
      await run(world.gateway.anchor());
      await time.increase(4 * DAY);
      const { findings } = await audited(world, await historyOf(world));
      expect(findings.map(({ kind, number, entryHash }) => [kind, number, entryHash])).to.deep.equal([
        ["unreviewed", 1, world.of],
      ]);
      expect((await audited(world, await historyOf(world), { reviewWithin: 7 * DAY })).findings).to.deep.equal([]);

      await world.gateway.review(await reviewOf(world, world.of));
      await run(world.gateway.anchor());
      expect(kindsOf(await audited(world, await historyOf(world)))).to.deep.equal(["unreviewed"]);
      const forged = await cheated(world, await historyOf(world), ({ trails }) => {
        const [, , review] = trails.shared!.entries;
        Object.assign(review!.statement.review!, { justified: false });
      });
      await finds("wrongSignature", world, forged);
      await finds("unreviewed", world, forged);
    });
  });

  it("is neither forgotten for notice nor for review, wherever it is interrupted", async () => {
    for (const when of ["before", "after"] as const)
      for (let step = 0, done = false; !done; step += 1) {
        const world = await worldOf(deployAccessWorld);
        const broken = gatewayOver(world, { store: failingStore(world.store, step, when) });
        try {
          await broken.attempt(emergencyOf(world));
          done = true;
        } catch {
          // Nothing was given out.
        }
        // Whatever is in the log is reported and waits for its review; and the other way round.
        const gateway = gatewayOver(world);
        const entries = entriesOf(await historyOf(world, gateway)).length;
        const label = `${when} step ${step}`;
        expect(await gateway.unreviewed(), label).to.have.length(entries);
        const notices = await gateway.notices();
        expect(notices, label).to.have.length(entries);
        for (const { sealed } of notices) await openNotice(sealed, world.keys.privateKey);
        expect((await audited(world, await historyOf(world, gateway))).findings, label).to.deep.equal([]);
        expect(step).to.be.below(60);
      }
  });

  it("reports again what was lost, from the log itself", async () => {
    const world = await worldOf(deployAccessWorld);
    const { receipt } = await world.gateway.attempt(emergencyOf(world));
    forget(world.rows, "notice/");
    const [notice] = await gatewayOver(world).notices();
    expect(await openNotice(notice?.sealed, world.keys.privateKey)).to.deep.equal(receipt);
  });
});
