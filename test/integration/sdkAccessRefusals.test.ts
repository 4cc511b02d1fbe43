import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  accessActions,
  consentPermission,
  entriesOf,
  openHistory,
  signReview,
  verifyReceipt,
  type AccessAction,
  type AccessHistory,
  type Attempt,
  type HistoryViewer,
  type Permission,
  type ReceiptExpectations,
} from "@carepact/sdk/access";
import { makeRestrictions } from "@carepact/sdk/consents";
import { accountSigner, type TypedDataSigner } from "@carepact/sdk/signers";

import { DAY } from "../support/system";

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

describe("SDK: what a gateway and an audit do not let pass", () => {
  describe("the gateway", () => {
    it("lets nobody change anything under a grant or in an emergency, and notes who tried", async () => {
      const world = await worldOf(deployAccessWorld);
      const looking: readonly AccessAction[] = ["read", "execute"];
      for (const make of [attemptOf, emergencyOf])
        for (const action of accessActions) {
          const answer = await world.gateway.attempt(make(world, { action }));
          expect(answer.allowed, action).to.equal(looking.includes(action));
          if (!answer.allowed) expect(answer.reason).to.equal("ActionNotGranted");
        }
      const noted = entriesOf(await historyOf(world)).filter(({ outcome }) => outcome.result === "refused");
      expect(noted).to.have.length(2 * (accessActions.length - looking.length));

      const permission = consentPermission(world.connection, { policies: () => true });
      const basis = { kind: "policy" as const, policy: "https://example.org/records-act" };
      const gateway = gatewayOver(world, { permission });
      expect((await gateway.attempt(attemptOf(world, { action: "update", basis }))).allowed).to.equal(true);
    });

    it("takes no grant without the FHIR Consent that it comes from, which may permit less", async () => {
      const world = await worldOf(deployAccessWorld);
      const grant = await world.consents.grant({
        patient: world.patient,
        grantee: world.clinic.address,
        purposes: ["TREAT"],
        categories: ["Observation"],
        expiry: (await time.latest()) + DAY,
        consent: { resourceType: "Consent", status: "active" },
      });
      const stripped = { ...grant };
      delete stripped.consent;
      const [whole, without] = [grant, stripped].map((file) =>
        attemptOf(world, { basis: { kind: "grant", grant: file } }),
      ) as [Attempt, Attempt];
      expect(await world.gateway.attempt(without)).to.deep.include({ allowed: false, reason: "InstrumentMissing" });
      // With it, it still has to be decided by it: test/integration/sdkAccessInstruments.test.ts.
      expect(await world.gateway.attempt(whole)).to.deep.include({ allowed: false, reason: "InstrumentNotRead" });
    });

    it("opens nothing in an emergency for anything but treating in it, whatever restrictions say", async () => {
      const world = await worldOf(deployAccessWorld);
      const restrictions = makeRestrictions({ purposes: ["HMARKT"], breakGlass: true });
      const answers = [];
      for (const purposes of [["HMARKT"], ["TREAT"], ["ETREAT", "HRESCH"], ["ETREAT"], ["BTG", "ERTREAT"]] as const)
        answers.push(await world.gateway.attempt(emergencyOf(world, { purposes: [...purposes] })));
      await run(world.consents.restrict(world.patient, restrictions));
      answers.push(await world.gateway.attempt(emergencyOf(world, { purposes: ["HMARKT"], restrictions })));
      expect(answers.map((answer) => answer.allowed || answer.reason)).to.deep.equal([
        "PurposeNotGranted",
        "PurposeNotGranted",
        "PurposeNotGranted",
        true,
        true,
        "PurposeNotGranted",
      ]);
    });

    it("notes no basis that it was not asked about", async () => {
      const world = await worldOf(deployAccessWorld);
      const permission = consentPermission(world.connection, { policies: () => true });
      const basis = { kind: "other", justification: "Urgent.", policy: "urn:any" } as unknown as Attempt["basis"];
      const gateway = gatewayOver(world, { permission });
      const error = await refusal("INPUT_INVALID", gateway.attempt(attemptOf(world, { basis })));
      expect(error.details.path).to.equal("basis.kind");
      expect(world.rows.size).to.equal(0);
    });

    it("lets nothing out while it cannot tell what is the patient's own, and shows the attempt to nobody else", async () => {
      const world = await worldOf(deployAccessWorld);
      const broken = gatewayOver(world, { ownCategories: () => Promise.reject(new Error("the database is away")) });
      for (const attempt of [attemptOf(world), emergencyOf(world), attemptOf(world, { who: world.stranger.address })])
        expect(await broken.attempt(attempt).catch(({ code }: { code: string }) => code)).to.equal(
          "TRANSACTION_FAILED",
        );
      const unknown = gatewayOver(world, { ownCategories: () => ["none"] as never });
      await refusal("CODE_UNKNOWN", unknown.attempt(attemptOf(world)));
      const { trails } = await historyOf(world);
      expect(trails.shared?.entries).to.deep.equal([]);
      expect(trails.own?.entries.map(({ statement }) => statement.outcome.result)).to.deep.equal(
        Array.from({ length: 4 }, () => "failed"),
      );
    });

    it("takes no review by itself, which let it happen", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(emergencyOf(world));
      const [unreviewed] = await world.gateway.unreviewed();
      const review = { gateway: await world.gateway.account(), of: unreviewed!.of, justified: true, text: "Fine." };
      const own = await signReview(world.reader, review, await accountSigner(world.gatewaySigner));
      expect((await refusal("ACCESS_REVIEW_INVALID", world.gateway.review(own))).details.path).to.equal("who");
    });
  });

  describe("who holds a key", () => {
    const expected = (world: AccessWorld, changes: Partial<ReceiptExpectations> = {}): ReceiptExpectations => ({
      patient: world.patient,
      who: world.clinic.address,
      resourceTypes: ["Observation"],
      ...changes,
    });

    it("releases none for what is more confidential than what was asked for", async () => {
      const world = await worldOf(deployAccessWorld);
      const { receipt } = await world.gateway.attempt(attemptOf(world, { confidentiality: "L" }));
      for (const confidentiality of ["U", "L", undefined] as const)
        await verifyReceipt(world.reader, receipt, expected(world, { confidentiality }));
      for (const confidentiality of ["M", "N", "R", "V"] as const) {
        const terms = expected(world, { confidentiality });
        const error = await refusal("ACCESS_RECEIPT_INVALID", verifyReceipt(world.reader, receipt, terms));
        expect(error.details.path).to.equal("$.statement.confidentiality");
      }
    });

    it("releases none for what is only written or deleted", async () => {
      const world = await worldOf(deployAccessWorld);
      const permission = (): Promise<Permission> => Promise.resolve({ permitted: true });
      const basis = { kind: "policy" as const, policy: "https://example.org/records-act" };
      for (const action of accessActions) {
        const { receipt } = await gatewayOver(world, { permission }).attempt(attemptOf(world, { action, basis }));
        const checking = verifyReceipt(world.reader, receipt, expected(world));
        if (action !== "create" && action !== "delete") await checking;
        else expect((await refusal("ACCESS_RECEIPT_INVALID", checking)).details.path).to.equal("$.statement.action");
      }
    });

    it("releases none for a review", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(emergencyOf(world));
      const [unreviewed] = await world.gateway.unreviewed();
      const review = { gateway: await world.gateway.account(), of: unreviewed!.of, justified: true, text: "Fine." };
      const signed = await signReview(world.reader, review, await accountSigner(world.clinic));
      const receipt = await world.gateway.review(signed);
      const terms = expected(world, { resourceTypes: ["AuditEvent"] });
      const error = await refusal("ACCESS_RECEIPT_INVALID", verifyReceipt(world.reader, receipt, terms));
      expect(error.details.path).to.equal("$.statement.review");
    });
  });

  describe("the audit", () => {
    /** The gateway writes a review into the log that nobody else would have taken. */
    async function reviewedBy(world: AccessWorld, reviewer: TypedDataSigner): Promise<AccessHistory> {
      await world.gateway.attempt(emergencyOf(world));
      const [unreviewed] = await world.gateway.unreviewed();
      const gateway = await world.gateway.account();
      const terms = { gateway, of: unreviewed!.of, justified: true, text: "Fine." };
      const { who, ...review } = await signReview(world.reader, terms, await accountSigner(reviewer));
      return cheated(world, await historyOf(world), ({ trails }) => {
        const { entries } = trails.shared!;
        const { statement } = entries[0]!;
        const basis = { kind: "policy" as const, policy: "urn:carepact:break-glass-review" };
        const entry = { number: 1, statement: { ...statement, who, basis, review }, salt: id("s"), blind: id("b") };
        entries.push({ ...entry, signature: ZeroHash });
      });
    }

    it("takes no review by an account that was made for it, or by the gateway", async () => {
      const results = [];
      for (const by of ["stranger", "gateway", "clinic"] as const) {
        const world = await worldOf(deployAccessWorld);
        const reviewers = {
          stranger: ethers.Wallet.createRandom(),
          gateway: world.gatewaySigner,
          clinic: world.clinic,
        };
        const history = await reviewedBy(world, reviewers[by]);
        await time.increase(3_600);
        results.push([by, kindsOf(await audited(world, history, { reviewWithin: 60 }))]);
      }
      expect(results).to.deep.equal([
        ["stranger", ["unreviewed"]],
        ["gateway", ["unreviewed"]],
        ["clinic", []],
      ]);
    });

    it("takes no history of another gateway than is meant, or of who is none", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const made = await historyOf(world);
      expect(
        (await audited(world, made, { gateway: world.gatewaySigner.address.toLowerCase() })).findings,
      ).to.deep.equal([]);
      const error = await refusal(
        "ACCESS_HISTORY_MALFORMED",
        audited(world, made, { gateway: world.otherGateway.address }),
      );
      expect(error.details.path).to.equal("$.gateway");
      await refusal("IDENTIFIER_INVALID", audited(world, made, { gateway: "nobody" }));

      for (const who of [world.stranger, world.clinic]) {
        const nobody = { ...world, gatewaySigner: who };
        const empty = await cheated(nobody, made, (history) => {
          history.gateway = who.address;
          history.trails = {};
        });
        expect(kindsOf(await audited(world, empty))).to.deep.equal(["wrongSignature"]);
      }
    });

    it("takes no time to come, which would put off all that is due", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const later = (await time.latest()) + 365 * DAY;
      const honest = await historyOf(world);
      const entryToCome = await cheated(world, honest, ({ trails }) => {
        trails.shared!.entries[0]!.statement.at = later;
      });
      const allToCome = await cheated(world, entryToCome, (history) => {
        history.at = later;
      });
      expect((await audited(world, honest)).findings).to.deep.equal([]);
      await finds("backDated", world, entryToCome);
      await finds("outdated", world, allToCome);
    });

    it("does not accuse a gateway whose histories are mixed up, and still finds what is gone", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const first = await historyOf(world);
      await time.increase(3_600);
      await world.gateway.attempt(attemptOf(world));
      const second = await historyOf(world);
      expect((await audited(world, first, { earlier: [second] })).findings).to.deep.equal([]);
      expect((await audited(world, second, { earlier: [first] })).findings).to.deep.equal([]);
      await time.increase(3_600);
      const shortened = await cheated(world, await historyOf(world), ({ trails }) => trails.shared!.entries.pop());
      await finds("removed", world, shortened, { earlier: [second] });
      const emptied = await cheated(world, await historyOf(world), (history) => {
        history.trails = {};
      });
      await finds("removed", world, emptied, { earlier: [second] });
    });

    it("finds an entry without receipt that was removed behind a root, if that root is asked for", async () => {
      const world = await worldOf(deployAccessWorld);
      await run(world.gateway.anchor());
      const rounds = [attemptOf(world), attemptOf(world, { action: "execute" }), undefined, undefined];
      for (const attempt of rounds) {
        if (attempt !== undefined) await world.gateway.attempt(attempt);
        await run(world.gateway.anchor());
        await time.increase(3_600);
      }
      const roots = [1, 2, 3, 4, 5, 99];
      const shown = async (viewer: HistoryViewer): Promise<AccessHistory> =>
        openHistory(await gatewayOver(world).history(world.patient, viewer), world.keys.privateKey);
      const sequencesOf = (history: AccessHistory): number[] => history.roots.map(({ sequence }) => sequence);
      const honest = await shown({ view: "patient", roots });
      expect(sequencesOf(honest)).to.deep.equal([2, 3, 4, 5]);
      expect((await audited(world, honest, { roots })).findings).to.deep.equal([]);
      expect(sequencesOf(await shown({ view: "patient" }))).to.deep.equal([2, 3, 5]);
      const viewer = { view: "representative" as const, hpkeKey: world.keys.publicKey, roots };
      expect((await audited(world, await shown(viewer), { roots, view: "representative" })).findings).to.deep.equal([]);

      // The second entry, and the roots that covered it first, are gone; another entry takes its place.
      for (const key of [...world.rows.keys()])
        if (/^entry\/.*\/shared\/0+1$|^end\/|^(proof\/.*|snapshot)\/0+[345]\//.test(key)) world.rows.delete(key);
      await gatewayOver(world).attempt(attemptOf(world));
      await run(gatewayOver(world).anchor());
      const rewritten = await shown({ view: "patient", roots });
      expect((await audited(world, rewritten)).findings).to.deep.equal([]);
      const { findings } = await audited(world, rewritten, { roots });
      expect(findings.map(({ kind, sequence }) => [kind, sequence])).to.deep.equal([
        ["outdated", 3],
        ["outdated", 4],
        ["outdated", 5],
      ]);
    });

    it("looks at entries and roots in any order and number, and says of each what is wrong", async () => {
      const world = await worldOf(deployAccessWorld);
      for (let i = 0; i < 4; i += 1) await world.gateway.attempt(attemptOf(world));
      await run(world.gateway.anchor());
      const history = await historyOf(world);
      const findingsWith = async (order: number[]): Promise<unknown[]> => {
        const changed = await cheated(world, history, ({ trails }) => {
          const { entries } = trails.shared!;
          trails.shared!.entries = order.map((number) => ({ ...entries[number % 4]!, number }));
        });
        const { findings } = await audited(world, changed);
        return findings.filter(({ kind }) => kind !== "notAnchored").map(({ kind, number }) => [kind, number]);
      };
      expect(await findingsWith([3, 0, 2, 1])).to.deep.equal([
        ["reordered", 3],
        ["reordered", 0],
        ["reordered", 2],
        ["reordered", 1],
      ]);
      expect(await findingsWith([0, 3])).to.deep.equal([["gap", 1]]);
      expect(await findingsWith([0, 1, 281474976710655])).to.deep.equal([["gap", 2]]);

      const [root] = history.roots;
      const roots = [root!, ...[1, 2, 3].map((by) => ({ ...root!, position: (root!.position + by) % 64 }))];
      const many = await cheated(world, history, (copy) => {
        copy.roots = roots;
      });
      expect((await audited(world, many)).findings.map(({ kind, sequence }) => [kind, sequence])).to.deep.equal([
        ["altered", 1],
        ["altered", 1],
        ["altered", 1],
      ]);
    });
  });
});
