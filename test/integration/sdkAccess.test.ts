import { expect } from "chai";
import { id } from "ethers";

import { CarepactError, run } from "@carepact/sdk";
import {
  consentPermission,
  entriesOf,
  openHistory,
  type AccessEntry,
  type AccessHistory,
  type Attempt,
  type GatewayOptions,
} from "@carepact/sdk/access";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { readAuditEvent, writeAuditEvent } from "@carepact/sdk/fhir";

import {
  attemptOf,
  audited,
  deployAccessWorld,
  emergencyOf,
  gatewayOver,
  historyOf,
  logged,
  worldOf,
  type AccessWorld,
} from "./accessWorld";
import { refusal } from "./support";

/** What a representative is shown, opened. */
async function representativesHistory(world: AccessWorld): Promise<AccessHistory> {
  const { publicKey, privateKey } = await generateSealingKeys();
  const sealed = await world.gateway.history(world.patient, { view: "representative", hpkeKey: publicKey });
  return openHistory(sealed, privateKey);
}

const outcomesOf = (entries: readonly AccessEntry[]): string[] =>
  entries.map(({ outcome }) => (outcome.result === "refused" ? outcome.reason : outcome.result));

describe("SDK: access log", () => {
  describe("given a patient's grant", () => {
    it("lets who holds it read, and gives the patient a history that contradicts nothing", async () => {
      const world = await worldOf(deployAccessWorld);
      const [answer] = await logged(world, [attemptOf(world)]);
      expect(answer?.allowed).to.equal(true);

      const history = await historyOf(world);
      const result = await audited(world, history, { receipts: [answer?.receipt] });
      expect(result.findings).to.deep.equal([]);
      expect(result.provedTo?.sequence).to.equal(1);
      expect(result.entries).to.deep.equal([{ ...answer?.receipt.statement, number: 0 }]);
      const [entry] = result.entries;
      expect(entry).to.deep.include({
        patient: world.patient,
        gateway: await world.gateway.account(),
        who: world.clinic.address,
        outcome: { result: "allowed" },
      });
      expect(entry?.basis).to.include({ kind: "grant", epoch: world.grant.grant.epoch });
    });

    it("refuses with the registry's reason in the block after a revocation, and notes the refusal", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      await run(world.consents.revoke(world.grant));
      const answer = await world.gateway.attempt(attemptOf(world));
      expect(answer).to.deep.include({ allowed: false, reason: "Revoked" });
      expect(answer.allowed || answer.advice).to.match(/\.$/);
      expect(answer.receipt.statement.outcome).to.deep.equal({ result: "refused", reason: "Revoked" });
      await run(world.gateway.anchor());
      const { entries, findings } = await audited(world, await historyOf(world));
      expect([outcomesOf(entries), findings]).to.deep.equal([["allowed", "Revoked"], []]);
    });

    it("refuses and notes whoever asks for more, or holds no grant", async () => {
      const world = await worldOf(deployAccessWorld);
      const cases: [Partial<Attempt>, string][] = [
        [{ who: world.stranger.address }, "RequesterNotGrantee"],
        [{ resourceTypes: ["Observation", "Condition"] }, "CategoryNotGranted"],
        [{ sensitivities: ["HIV"] }, "CategoryNotGranted"],
        [{ purposes: ["TREAT", "HMARKT"] }, "PurposeNotGranted"],
        [{ confidentiality: "V" }, "CeilingExceeded"],
        [{ basis: { kind: "policy", policy: "https://law.example/subpoena" } }, "PolicyNotAccepted"],
      ];
      for (const [change, reason] of cases)
        expect(await world.gateway.attempt(attemptOf(world, change))).to.deep.include({ allowed: false, reason });
      const { entries, findings } = await audited(world, await historyOf(world));
      expect([outcomesOf(entries), findings]).to.deep.equal([cases.map(([, reason]) => reason), []]);
    });
  });

  it("accepts another legal basis where its rules do, and the entry names it", async () => {
    const world = await worldOf(deployAccessWorld);
    const law = "https://law.example/notifiable-diseases";
    const permission = consentPermission(world.connection, {
      policies: ({ who }, policy) => policy === law && who === world.hospital.address,
    });
    const gateway = gatewayOver(world, { permission });
    const report = { purposes: ["PUBHLTH"], basis: { kind: "policy", policy: law } } satisfies Partial<Attempt>;
    expect((await gateway.attempt(attemptOf(world, { ...report, who: world.hospital.address }))).allowed).to.equal(
      true,
    );
    expect((await gateway.attempt(attemptOf(world, report))).allowed).to.equal(false);
    const entries = entriesOf(await historyOf(world));
    expect(entries.map(({ basis }) => basis)).to.deep.equal([report.basis, report.basis]);
  });

  it("gives nothing out where permission cannot be asked, and notes that it was tried", async () => {
    const world = await worldOf(deployAccessWorld);
    const permission: GatewayOptions["permission"] = () =>
      Promise.reject(new CarepactError("NODE_UNREACHABLE", "The node does not answer."));
    await refusal("NODE_UNREACHABLE", gatewayOver(world, { permission }).attempt(attemptOf(world)));
    expect(entriesOf(await historyOf(world)).map(({ outcome }) => outcome)).to.deep.equal([
      { result: "failed", severity: "serious" },
    ]);
  });

  it("takes nothing but a plain yes for one", async () => {
    const world = await worldOf(deployAccessWorld);
    const odd = { permitted: "yes", reason: "Revoked", advice: "Ask." } as never;
    const answer = await gatewayOver(world, { permission: () => Promise.resolve(odd) }).attempt(attemptOf(world));
    expect(answer.allowed).to.equal(false);
  });

  it("refuses attempts that say too little, before anything is asked or noted", async () => {
    const world = await worldOf(deployAccessWorld);
    const cases: [Partial<Attempt>, "INPUT_INVALID" | "ACCESS_ENTRY_MALFORMED" | "CODE_UNKNOWN" | "FILE_MALFORMED"][] =
      [
        [{ purposes: [] }, "INPUT_INVALID"],
        [{ resourceTypes: [] }, "ACCESS_ENTRY_MALFORMED"],
        [{ resourceTypes: ["Prescription" as never] }, "CODE_UNKNOWN"],
        [{ patient: "0x12" }, "ACCESS_ENTRY_MALFORMED"],
        [{ who: "somebody" }, "ACCESS_ENTRY_MALFORMED"],
        [{ basis: { kind: "breakGlass", justification: " " } }, "INPUT_INVALID"],
        [{ basis: { kind: "policy", policy: "because" } }, "ACCESS_ENTRY_MALFORMED"],
        [{ basis: { kind: "grant", grant: { ...world.grant, signer: 7 as never } } }, "FILE_MALFORMED"],
      ];
    for (const [change, code] of cases) await refusal(code, world.gateway.attempt(attemptOf(world, change)));
    expect([...world.rows.keys()]).to.deep.equal([]);
  });

  describe("given categories that only the patient may know of", () => {
    const ownCategories = (): ["PSY"] => ["PSY"];
    const hidden = { sensitivities: ["PSY"], confidentiality: "R" } satisfies Partial<Attempt>;

    it("shows them to the patient, and a representative sees the rest without a sign of them", async () => {
      const base = await worldOf(deployAccessWorld);
      const world = { ...base, gateway: gatewayOver(base, { ownCategories }) };
      const psychiatry = attemptOf(world, hidden);
      await logged(world, [psychiatry], [attemptOf(world), psychiatry], [psychiatry], [attemptOf(world)]);

      const whole = await historyOf(world);
      expect((await audited(world, whole)).findings).to.deep.equal([]);
      expect(whole.trails.own?.entries.map(({ number }) => number)).to.deep.equal([0, 1, 2]);
      const history = await representativesHistory(world);
      const result = await audited(world, history, { view: "representative" });
      expect(result.findings).to.deep.equal([]);
      expect(result.entries.map(({ number, sensitivities }) => [number, sensitivities])).to.deep.equal([
        [0, []],
        [1, []],
      ]);
      // Roots under which nothing but the own trail grew are not among them, nor is there anything of it.
      expect(history.roots.map(({ sequence }) => sequence)).to.deep.equal([2, 4]);
      expect(JSON.stringify(history)).not.to.contain("PSY");
      const others = new Set(history.roots.map(({ other }) => other));
      expect(others.size).to.equal(history.roots.length);
    });

    it("gives a representative the same file, but for random numbers, as if there were none", async () => {
      const shapes: unknown[] = [];
      for (const withOwn of [false, true]) {
        const base = await worldOf(deployAccessWorld);
        const world = { ...base, gateway: gatewayOver(base, { ownCategories }) };
        const round = (...attempts: Attempt[]): Attempt[] =>
          withOwn ? [attemptOf(world, hidden), ...attempts, attemptOf(world, hidden)] : attempts;
        await logged(world, round(), round(attemptOf(world)), round(), round(attemptOf(world), attemptOf(world)));
        shapes.push(shapeOf(await representativesHistory(world)));
      }
      expect(shapes[0]).to.deep.equal(shapes[1]);
    });

    it("gives a representative nothing where there is nothing else, as of a patient who never was there", async () => {
      const base = await worldOf(deployAccessWorld);
      const world = { ...base, gateway: gatewayOver(base, { ownCategories }) };
      await logged(world, [attemptOf(world, hidden)]);
      const { trails, roots } = await representativesHistory(world);
      expect([trails, roots]).to.deep.equal([{}, []]);
    });

    it("hides what has a label below or above them, and resource types", async () => {
      const world = await worldOf(deployAccessWorld);
      const gateway = gatewayOver(world, { ownCategories: () => ["SUD", "Condition"] });
      const asked: Partial<Attempt>[] = [
        { sensitivities: ["ETHUD"] },
        { sensitivities: ["_InformationSensitivityPolicy"] },
        { resourceTypes: ["Observation", "Condition"] },
        { resourceTypes: ["Resource"] },
        { sensitivities: ["HIV"] },
      ];
      for (const change of asked) await gateway.attempt(attemptOf(world, change));
      const { trails } = await historyOf(world);
      expect(trails.own?.entries).to.have.length(4);
      expect(trails.shared?.entries).to.have.length(1);
    });

    it("tells who asked neither how often others asked, nor in which trail it is noted", async () => {
      const base = await worldOf(deployAccessWorld);
      const world = { ...base, gateway: gatewayOver(base, { ownCategories }) };
      const answers = await logged(world, [
        attemptOf(world),
        attemptOf(world, hidden),
        attemptOf(world, { who: world.stranger.address }),
      ]);
      const trails = (await historyOf(world)).trails;
      for (const { receipt } of answers) {
        expect(Object.keys(receipt)).to.have.members([
          "carepact",
          "version",
          "chainId",
          "accessLog",
          "statement",
          "salt",
          "place",
          "signature",
        ]);
        expect(receipt.statement).not.to.have.property("number");
        for (const trail of [trails.shared, trails.own]) expect(JSON.stringify(receipt)).not.to.contain(trail?.salt);
      }
      expect(new Set(answers.map(({ receipt }) => receipt.place)).size).to.equal(3);
    });
  });

  it("gives AuditEvents of a history, which read as its entries again", async () => {
    const world = await worldOf(deployAccessWorld);
    await logged(world, [
      attemptOf(world),
      attemptOf(world, { who: world.stranger.address }),
      emergencyOf(world),
      attemptOf(world, { basis: { kind: "policy", policy: "https://law.example/x" } }),
    ]);
    const entries = entriesOf(await historyOf(world));
    expect(entries).to.have.length(4);
    for (const entry of entries) {
      const event = writeAuditEvent(entry);
      expect(event.resourceType).to.equal("AuditEvent");
      expect(readAuditEvent(JSON.parse(JSON.stringify(event)) as typeof event)).to.deep.equal(entry);
    }
  });

  describe("given what is on chain", () => {
    it("shows no more of an anchored root than that there is one, whatever was noted", async () => {
      const world = await worldOf(deployAccessWorld);
      const sent: string[] = [];
      for (const count of [0, 1, 5]) {
        for (let i = 0; i < count; i += 1) await world.gateway.attempt(attemptOf(world, { patient: id(`p${i}`) }));
        sent.push((await world.gateway.anchor().populate()).data!);
        await run(world.gateway.anchor());
      }
      expect(new Set(sent.map((data) => data.length))).to.deep.equal(new Set([2 + 2 * (4 + 64)]));
      // The same state twice: another root.
      const [one, other] = [await world.gateway.anchor().populate(), await world.gateway.anchor().populate()];
      expect(one.data).not.to.equal(other.data);
    });

    it("seals a history to the key that the patient has now", async () => {
      const world = await worldOf(deployAccessWorld);
      const sealed = await world.gateway.history(world.patient.toUpperCase().replace("0X", "0x"), { view: "patient" });
      const { privateKey } = await generateSealingKeys();
      await refusal("SEALED_UNREADABLE", openHistory(sealed, privateKey));
      await refusal("ACCESS_HISTORY_MALFORMED", openHistory({ ...sealed, content: "notice" }, world.keys.privateKey));
      await refusal("SEALED_UNREADABLE", openHistory({ ...sealed, patient: id("another") }, world.keys.privateKey));
      expect((await openHistory(sealed, world.keys.privateKey)).patient).to.equal(world.patient);
      await refusal("PATIENT_KEY_MISSING", world.gateway.history(id("nobody"), { view: "patient" }));
      await refusal("INPUT_INVALID", world.gateway.history("0x12", { view: "patient" }));
    });
  });
});

/** A file with its random numbers, signatures, positions and times left out. */
function shapeOf(value: unknown): unknown {
  if (typeof value === "string") return /^0x[0-9a-f]{64,}$/.test(value) ? value.length : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(shapeOf);
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, key === "position" || key === "at" ? "number" : shapeOf(entry)]),
  );
}
