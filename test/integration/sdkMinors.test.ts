import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, id, randomBytes, type TransactionRequest } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { categoryBits, type CategoryCode } from "@carepact/sdk/codes";
import { createConsents, type Consents, type SignedGrant, type SignedMandate } from "@carepact/sdk/consents";
import { createOrganizations } from "@carepact/sdk/organizations";
import {
  createPatients,
  custodianSaltOf,
  patientIdOf,
  signerHashOf,
  type MandateInput,
  type MinorRules,
  type Patients,
} from "@carepact/sdk/patients";
import type { PatientSigner } from "@carepact/sdk/signers";

import { DAY } from "../support/system";

import {
  account,
  counted,
  deployPatientsWorld,
  keysOfEachKind,
  passkey,
  patientsOf,
  type PatientsWorld,
} from "./patientsWorld";
import { refusal } from "./support";

/** Made up; no jurisdiction's. From 14 on: mental health, alone. */
const rules: MinorRules = {
  jurisdiction: "nowhere",
  majorityAge: 18,
  ownConsent: [{ age: 14, categories: ["MH"] }],
  timeZone: "UTC",
};

/** A child of 13, who will be 14 in about 30 days. Its record is held by a clinic, under a key made for it alone. */
interface Scene extends PatientsWorld {
  birthDate: string;
  /** First second of the fourteenth and the eighteenth birthday. */
  fourteenth: number;
  eighteenth: number;
  /** The custodian's key for this record; nothing on chain leads from it to the custodian. */
  recordKey: PatientSigner;
  secret: string;
  parent: PatientSigner;
  patient: string;
}

async function deployScene(): Promise<Scene> {
  const world = await loadFixture(deployPatientsWorld);
  const [birthDate, fourteenth, eighteenth] = datesFrom(await time.latest());
  const recordKey = await keysOfEachKind["a key of WebCrypto"]!(world);
  const secret = hexlify(randomBytes(32));
  const salt = custodianSaltOf(world.custodian.address, secret);
  const { patient } = await run(patientsOf(world, recordKey).register({ hpkeKey: world.hpkeKey, salt }));
  const parent = await account("a parent");
  return { ...world, birthDate, fourteenth, eighteenth, recordKey, secret, parent, patient };
}

/** A birth 14 years before a day about 30 days from now, which is no 29 February. */
function datesFrom(now: number): [birthDate: string, fourteenth: number, eighteenth: number] {
  const day = [30, 31].map((days) => new Date((now + days * DAY) * 1000)).find((date) => date.getUTCDate() !== 29)!;
  const [year, monthAndDay] = [day.getUTCFullYear(), day.toISOString().slice(5, 10)];
  const midnight = (of: number): number => Date.parse(`${of}-${monthAndDay}T00:00:00Z`) / 1000;
  return [`${year - 14}-${monthAndDay}`, midnight(year), midnight(year + 4)];
}

describe("A minor's record, through the SDK and the deployed system", () => {
  let scene: Scene;
  let custodian: Patients;
  beforeEach(async () => {
    scene = await deployScene();
    custodian = patientsOf(scene, scene.recordKey);
  });

  const consentsOf = (signer: PatientSigner): Consents =>
    createConsents({ runner: scene.relayer, deployment: scene.deployment }, { signer });
  const mandateInput = (changes: Partial<MandateInput> = {}): MandateInput => ({
    representative: scene.parent.signer,
    custodian: scene.custodian.address,
    purposes: ["TREAT", "PATRQT"],
    minor: { rules, birthDate: scene.birthDate },
    ...changes,
  });
  const mandated = (changes?: Partial<MandateInput>): Promise<SignedMandate> =>
    custodian.representativeMandate(scene.patient, mandateInput(changes));
  /** What somebody grants the specialist: for 30 years, so that it never ends by itself. */
  const grantInput = async (categories: CategoryCode[], mandate?: SignedMandate) => ({
    patient: scene.patient,
    grantee: scene.specialist.address,
    purposes: ["TREAT" as const],
    categories,
    expiry: (await time.latest()) + 30 * 365 * DAY,
    ...(mandate === undefined ? {} : { mandate }),
  });
  /** Whether the specialist may see something of the child, or why not. */
  async function answer(grant: SignedGrant, categories: CategoryCode[] = ["Observation"]): Promise<string> {
    const { patient, specialist, deployment } = scene;
    const gateway = createConsents({ runner: ethers.provider, deployment });
    const organization = specialist.address;
    const asked = { patient, organization, purposes: ["TREAT" as const], categories, confidentiality: "N" as const };
    const outcome = await gateway.check({ ...asked, grant });
    return outcome.permitted ? "permitted" : outcome.reason;
  }
  /** Whether the parent may see something of the child. */
  async function parentSees(mandate: SignedMandate, categories: CategoryCode[]): Promise<string> {
    const gateway = createConsents({ runner: ethers.provider, deployment: scene.deployment });
    const outcome = await gateway.checkRepresentation({ mandate, purposes: ["PATRQT"], categories });
    return outcome.permitted ? "permitted" : outcome.reason;
  }

  it("goes from the custodian's key and the parent's mandate to the young adult's own key, without the parent", async () => {
    const { patient, parent, custodian: organization, recordKey, secret, relayer, deployment } = scene;

    // The id commits to the custodian, which can open it; the record looks like everybody's.
    expect(patient).to.equal(patientIdOf(recordKey.signer, custodianSaltOf(organization.address, secret)));
    expect((await custodian.get(patient))!.controllerHash).to.equal(signerHashOf(recordKey.signer));

    // At 13 the parent sees and grants everything, until the birthday on which that changes.
    const young = await mandated();
    expect(young.mandate).to.include({ end: scene.fourteenth, custodian: organization.address });
    expect(await parentSees(young, ["Observation", "MH"])).to.equal("permitted");
    const first = await consentsOf(parent).grant(await grantInput(["Observation", "MH"], young));
    expect(await answer(first, ["Observation", "MH"])).to.equal("permitted");

    // On the fourteenth birthday the mandate ends by itself, and with it what was granted under it.
    await time.increaseTo(scene.fourteenth - 1);
    expect(await answer(first)).to.equal("permitted");
    await time.increaseTo(scene.fourteenth);
    expect(await answer(first)).to.equal("MandateExpired");
    expect(await parentSees(young, ["Observation"])).to.equal("MandateExpired");

    // The next one leaves out to what the minor consents alone.
    const teen = await mandated();
    expect(teen.mandate.end).to.equal(scene.eighteenth);
    expect(await parentSees(teen, ["Observation"])).to.equal("permitted");
    expect(await parentSees(teen, ["Observation", "MH"])).to.equal("MandateTooNarrow");
    const second = await consentsOf(parent).grant(await grantInput(["Observation"], teen));
    expect(await answer(second)).to.equal("permitted");
    const beyond = await refusal(
      "GRANT_WOULD_BE_REFUSED",
      consentsOf(parent).grant(await grantInput(["Observation", "MH"], teen)),
    );
    expect(beyond.details).to.include({ reason: "MandateTooNarrow" });

    // The minor's own: granted by the record's key, of which the parent learns nothing.
    const own = await consentsOf(recordKey).grant(await grantInput(["Observation", "MH"]));
    expect(await answer(own, ["Observation", "MH"])).to.equal("permitted");

    // At majority the custodian binds the young adult's own passkey, made and accepted on the young adult's phone.
    await time.increaseTo(scene.eighteenth - DAY);
    const adult = await passkey(scene);
    const phone = createPatients({ runner: ethers.provider, deployment }, { signer: adult });
    const to = await phone.acceptControl(patient);
    await time.increaseTo(scene.eighteenth);
    await refusal("PATIENT_OF_AGE", mandated());
    const transaction = await custodian.rotate(patient, { to, endEpoch: true }).populate();
    await relayer.sendTransaction({ to: transaction.to!, data: transaction.data! } satisfies TransactionRequest);

    expect((await phone.get(patient))!).to.include({
      controllerHash: signerHashOf(adult.signer),
      controllerVersion: 2,
    });
    // Everything that was before has ended, each for its reason: neither parent nor custodian has a say any more.
    expect(await answer(second)).to.equal("MandateEnded");
    expect(await parentSees(teen, ["Observation"])).to.equal("MandateEnded");
    expect(await answer(own)).to.equal("EpochEnded");
    await refusal("NOT_CONTROLLER", custodian.deactivate(patient).send());
    await refusal("NOT_CONTROLLER", consentsOf(recordKey).grant(await grantInput(["Observation"])));
    await refusal("GRANT_WOULD_BE_REFUSED", consentsOf(parent).grant(await grantInput(["Observation"], teen)));

    const mine = await consentsOf(adult).grant(await grantInput(["Observation", "MH"]));
    expect(await answer(mine, ["Observation", "MH"])).to.equal("permitted");
    await run(consentsOf(adult).revoke(mine));
    expect(await answer(mine)).to.equal("Revoked");
  });

  it("ends at majority also where nobody does anything", async () => {
    const { parent } = scene;
    await time.increaseTo(scene.fourteenth);
    const teen = await mandated();
    const grant = await consentsOf(parent).grant(await grantInput(["Observation"], teen));

    await time.increaseTo(scene.eighteenth - 1);
    expect(await answer(grant)).to.equal("permitted");
    await time.increaseTo(scene.eighteenth);
    expect(await answer(grant)).to.equal("MandateExpired");
  });

  it("says on chain what everybody's does: the custodian is in no event and no call", async () => {
    await time.increaseTo(scene.fourteenth);
    await mandated();
    const adult = await passkey(scene);
    await run(custodian.rotate(scene.patient, { to: adult, endEpoch: true }));

    const { custodian: organization, deployment, parent } = scene;
    const logs = await ethers.provider.getLogs({ fromBlock: 0, address: deployment.consentRegistry });
    const blocks = [...new Set(logs.map(({ blockNumber }) => blockNumber))];
    const calls = await Promise.all(
      blocks.map(async (block) => (await ethers.provider.getBlock(block, true))!.prefetchedTransactions),
    );
    const said = JSON.stringify([logs, calls.flat().map(({ data, from }) => [data, from])]).toLowerCase();
    for (const name of [organization.address, parent.signer]) expect(said).not.to.contain(name.slice(2).toLowerCase());
  });

  describe("a mandate", () => {
    it("counts only while its custodian is in good standing", async () => {
      const mandate = await mandated();
      const office = createOrganizations({ runner: scene.admin, deployment: scene.deployment });
      await run(office.suspend(scene.custodian.address));

      expect(await parentSees(mandate, ["Observation"])).to.equal("CustodianNotInStanding");
      const asked = counted(scene.recordKey);
      const again = patientsOf(scene, asked).representativeMandate(scene.patient, mandateInput());
      await refusal("ORGANIZATION_NOT_IN_STANDING", again);
      expect(asked.times()).to.equal(0);
    });

    it("is nobody else's than the representative's whom it names", async () => {
      const mandate = await mandated();
      const other = consentsOf(await account("an uncle"));

      const error = await refusal("GRANT_WOULD_BE_REFUSED", other.grant(await grantInput(["Observation"], mandate)));
      expect(error.details).to.include({ reason: "MandateMismatch" });
    });

    it("may cover less, and end sooner, than the rules allow", async () => {
      const end = scene.fourteenth - 10 * DAY;
      const mandate = await mandated({ categories: ["Observation"], end: new Date(end * 1000) });

      expect(mandate.mandate).to.include({ end, categories: categoryBits(["Observation"]) });
      expect(await parentSees(mandate, ["Observation"])).to.equal("permitted");
      expect(await parentSees(mandate, ["DiagnosticReport"])).to.equal("MandateTooNarrow");
    });

    it("may begin later: the rules of that day count", async () => {
      const mandate = await mandated({ from: scene.fourteenth });

      expect(mandate.mandate).to.include({ notBefore: scene.fourteenth, end: scene.eighteenth });
      expect(mandate.mandate.categories & categoryBits(["MH"])).to.equal(0n);
      expect(await parentSees(mandate, ["Observation"])).to.equal("MandateNotYetValid");
    });

    it("is given to an adult's representative without rules, with an end", async () => {
      const adult = await passkey(scene);
      const { patient } = await run(patientsOf(scene, adult).register({ hpkeKey: scene.hpkeKey }));
      const end = (await time.latest()) + 365 * DAY;
      const input: MandateInput = { representative: scene.parent.signer, purposes: ["PWATRNY"], end };
      const mandate = await patientsOf(scene, adult).representativeMandate(patient, input);
      const gateway = createConsents({ runner: ethers.provider, deployment: scene.deployment });
      const categories: CategoryCode[] = ["Observation", "HIV"];

      expect(await gateway.checkRepresentation({ mandate, purposes: ["PWATRNY"], categories })).to.deep.equal({
        permitted: true,
      });
    });

    describe("is refused before anybody signs", () => {
      let asked: ReturnType<typeof counted>;
      beforeEach(() => {
        asked = counted(scene.recordKey);
      });
      afterEach(() => {
        expect(asked.times()).to.equal(0);
      });
      const attempt = (changes: Partial<MandateInput> = {}, patient = scene.patient): Promise<SignedMandate> =>
        patientsOf(scene, asked).representativeMandate(patient, { ...mandateInput(), ...changes });

      it("beyond what the rules allow, in time or in categories", async () => {
        const late = await refusal("MANDATE_TOO_WIDE", attempt({ end: scene.fourteenth + 1 }));
        expect(late.details).to.deep.equal({ path: "end", until: scene.fourteenth });
        await time.increaseTo(scene.fourteenth);
        const wide = await refusal("MANDATE_TOO_WIDE", attempt({ categories: ["Observation", "MH"] }));
        expect(wide.details).to.deep.equal({
          path: "categories",
          bits: `0x${categoryBits(["MH"]).toString(16)}`,
        });
      });

      it("for who is of age", async () => {
        await refusal("PATIENT_OF_AGE", attempt({ minor: { rules, birthDate: "1990-01-01" } }));
        await refusal("PATIENT_OF_AGE", attempt({ from: scene.eighteenth }));
      });

      it("by rules, or from a day of birth, that are none", async () => {
        const wrong = { ...rules, majorityAge: 0 };
        await refusal("MINOR_RULES_INVALID", attempt({ minor: { rules: wrong, birthDate: scene.birthDate } }));
        await refusal("INPUT_INVALID", attempt({ minor: { rules, birthDate: "2012-02-30" } }));
      });

      it("that covers nothing, or never holds", async () => {
        await refusal("MANDATE_MALFORMED", attempt({ purposes: [] }));
        await refusal("MANDATE_MALFORMED", attempt({ categories: [] }));
        await refusal("MANDATE_MALFORMED", attempt({ end: await time.latest(), from: await time.latest() }));
        await refusal("CODE_UNKNOWN", attempt({ categories: ["Secrets" as CategoryCode] }));
        await refusal("INPUT_INVALID", attempt({ end: NaN }));
        await refusal("INPUT_INVALID", attempt({ from: new Date(NaN) }));
      });

      it("for a minor whose record nobody holds", async () => {
        const { representative, purposes, minor } = mandateInput();
        const input = { representative, purposes, minor: minor! };
        await refusal("INPUT_INVALID", patientsOf(scene, asked).representativeMandate(scene.patient, input));
      });

      it("without an end, where no rules give one", async () => {
        const { representative, purposes } = mandateInput();
        const bare = patientsOf(scene, asked).representativeMandate(scene.patient, { representative, purposes });
        await refusal("INPUT_INVALID", bare);
      });

      it("by who does not control the record, for a record that is none, and without a key", async () => {
        const parents = patientsOf(scene, scene.parent);
        await refusal("NOT_CONTROLLER", parents.representativeMandate(scene.patient, mandateInput()));
        await refusal("PATIENT_UNKNOWN", attempt({}, id("nobody")));
        await refusal("IDENTIFIER_INVALID", attempt({ representative: "0x12" }));
        await refusal("IDENTIFIER_INVALID", attempt({ custodian: "0x12" }));
        await refusal("ORGANIZATION_NOT_IN_STANDING", attempt({ custodian: scene.relayer.address }));
        const nobody = patientsOf(scene).representativeMandate(scene.patient, mandateInput());
        await refusal("RUNNER_CANNOT_SIGN", nobody);
      });
    });
  });
});
