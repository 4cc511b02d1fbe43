import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { SigningKey, id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { createOrganizations } from "@carepact/sdk/organizations";
import {
  createPatients,
  proofingOf,
  proofingReasons,
  signProofing,
  type ProofingReason,
  type SignedProofing,
} from "@carepact/sdk/patients";
import { accountSigner, contractSigner, digestOf, type PatientSigner } from "@carepact/sdk/signers";

import { contractKey } from "../support/keys";
import { DAY } from "../support/system";

import { account, deployPatientsWorld, passkey, patientsOf, registered, type PatientsWorld } from "./patientsWorld";
import { nodeWith, refusal } from "./support";

describe("Proofing documents, checked by who pays", () => {
  let world: PatientsWorld;
  let key: PatientSigner;
  let patient: string;
  let proofing: SignedProofing;
  beforeEach(async () => {
    world = await loadFixture(deployPatientsWorld);
    key = await passkey(world);
    patient = await registered(world, key);
    proofing = await signed();
    await run(patientsOf(world, key).setProofing(patient, proofingOf(proofing)));
  });

  const registry = () => ({ chainId: world.deployment.chainId, registry: world.deployment.consentRegistry });
  async function signed(changes: Partial<SignedProofing> = {}, by?: PatientSigner): Promise<SignedProofing> {
    const proofedAt = await time.latest();
    const said = { patient, level: "IAL2", proofedAt, until: proofedAt + 365 * DAY, ...changes } as const;
    return signProofing(by ?? (await accountSigner(world.clinic)), said, registry());
  }
  const check = (shown: SignedProofing, level?: "IAL1" | "IAL2" | "IAL3") =>
    patientsOf(world).checkProofing(patient, shown, level === undefined ? {} : { level });
  async function refused(reason: ProofingReason, shown: SignedProofing, level?: "IAL3"): Promise<void> {
    expect(await check(shown, level)).to.deep.equal({ ok: false, reason, advice: proofingReasons[reason] });
  }

  it("hold: by whom, how well, until when", async () => {
    const shown = JSON.parse(JSON.stringify(proofing)) as SignedProofing;
    const { signature, salt, ...said } = proofing;

    expect(await check(shown, "IAL2")).to.deep.equal({ ok: true, proofing: said });
    expect(said).to.include({ patient, level: "IAL2", by: world.clinic.address });
    expect([signature, salt].join()).to.match(/^0x\w+,0x\w{64}$/);
  });

  it("cannot be guessed from what is on chain", () => {
    const { salt, ...rest } = proofing;

    expect(proofingOf({ ...rest, salt: id("another") })).not.to.equal(proofingOf({ ...rest, salt }));
  });

  it("hold when signed by an organization's wallet contract", async () => {
    const { signer } = await contractKey("of the clinic");
    const owner = new SigningKey(id("owner of the clinic"));
    const wallet = contractSigner(signer, (message) => Promise.resolve(owner.sign(digestOf(message)).serialized));
    const office = createOrganizations({ runner: world.admin, deployment: world.deployment });
    const entry = { name: "A clinic", kinds: ["clinic" as const], hpkeKey: world.hpkeKey };
    await run(office.register(signer, entry));
    const shown = await signed({}, wallet);
    await run(patientsOf(world, key).setProofing(patient, proofingOf(shown)));
    expect(await check(shown)).to.include({ ok: true });

    const forged = await signed(
      {},
      contractSigner(signer, () => Promise.resolve(`0x${"11".repeat(65)}`)),
    );
    await run(patientsOf(world, key).setProofing(patient, proofingOf(forged)));
    await refused("signatureInvalid", forged);
  });

  it("do not hold once anything in them is changed", async () => {
    for (const changes of [
      { level: "IAL3" as const },
      { by: world.specialist.address },
      { until: proofing.until + 1 },
      { proofedAt: proofing.proofedAt - 1 },
      { salt: id("another") },
      { signature: `${proofing.signature.slice(0, -2)}00` },
    ])
      await refused("notCommitted", { ...proofing, ...changes });
  });

  it("do not hold if the organization did not sign them, though the record commits to them", async () => {
    const forged = { ...proofing, level: "IAL3" as const };
    await run(patientsOf(world, key).setProofing(patient, proofingOf(forged)));
    await refused("signatureInvalid", forged);

    const self = await signed({}, await account("of the patient itself"));
    const { by } = self;
    expect(by).not.to.equal(world.clinic.address);
    await run(patientsOf(world, key).setProofing(patient, proofingOf({ ...self, by: world.clinic.address })));
    await refused("signatureInvalid", { ...self, by: world.clinic.address });
    await run(patientsOf(world, key).setProofing(patient, proofingOf(self)));
    await refused("organizationNotInStanding", self);
  });

  it("do not hold on another chain or registry", async () => {
    const elsewhere = { ...registry(), chainId: 5 };
    const { proofedAt, until } = proofing;
    const said = { patient, level: "IAL2", proofedAt, until } as const;
    const shown = await signProofing(await accountSigner(world.clinic), said, elsewhere);
    await run(patientsOf(world, key).setProofing(patient, proofingOf(shown)));

    await refused("signatureInvalid", shown);
  });

  it("do not hold for another record", async () => {
    const other = await registered(world, key);

    expect(await patientsOf(world).checkProofing(other, proofing)).to.include({ ok: false, reason: "otherPatient" });
  });

  it("do not hold once the record commits to another, or to none", async () => {
    await run(patientsOf(world, key).setProofing(patient, proofingOf(await signed())));
    await refused("notCommitted", proofing);
    await run(patientsOf(world, key).setProofing(patient, undefined));
    await refused("notCommitted", proofing);
  });

  it("do not hold once the organization is suspended", async () => {
    const office = createOrganizations({ runner: world.admin, deployment: world.deployment });
    await run(office.suspend(world.clinic.address));

    await refused("organizationNotInStanding", proofing);
  });

  it("hold until their end, and not in that second", async () => {
    await time.increaseTo(proofing.until - 1);
    expect(await check(proofing)).to.include({ ok: true });
    await time.increaseTo(proofing.until);
    await refused("expired", proofing);
  });

  it("do not hold for more than they say", async () => {
    await refused("levelTooLow", proofing, "IAL3");
  });

  it("do not hold for records that are not there any more, or never were", async () => {
    expect(await patientsOf(world).checkProofing(id("nobody"), proofing)).to.include({ reason: "patientUnknown" });
    await run(patientsOf(world, key).deactivate(patient));
    await refused("patientNotActive", proofing);
  });

  it("are no such thing if a field is missing or malformed", async () => {
    for (const changes of [
      { level: "IAL4" },
      { by: "a clinic" },
      { until: proofing.proofedAt },
      { proofedAt: "today" },
      { salt: "0x12" },
      { signature: "0x" },
      { patient: "0x12" },
    ]) {
      const shown = { ...proofing, ...changes } as SignedProofing;
      await refused("documentMalformed", shown);
      expect(() => proofingOf(shown)).to.throw();
    }
    await refused("documentMalformed", undefined as never);
    await refusal("INPUT_INVALID", signed({ until: 5 }));
    await refusal("IDENTIFIER_INVALID", signed({}, key));
    await refusal("IDENTIFIER_INVALID", patientsOf(world).checkProofing("0x12", proofing));
  });

  it("are not called unsigned because a node does not answer", async () => {
    const { signer } = await contractKey("of the clinic");
    const shown = await signed(
      {},
      contractSigner(signer, () => Promise.resolve(`0x${"11".repeat(65)}`)),
    );
    await run(patientsOf(world, key).setProofing(patient, proofingOf(shown)));
    const call: typeof ethers.provider.call = (request) =>
      (request.to as string).toLowerCase() === signer
        ? Promise.reject(Object.assign(new Error("fetch failed"), { code: "NETWORK_ERROR" }))
        : ethers.provider.call(request);
    const patients = createPatients({ runner: nodeWith({ call }), deployment: world.deployment });

    await refusal("NODE_UNREACHABLE", patients.checkProofing(patient, shown));
  });
});
