import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, id } from "ethers";
import { ethers } from "hardhat";

import type {
  GrantChainStruct,
  RepresentativeMandateStruct,
  SignedMandateStruct,
} from "../../../typechain-types/contracts/consent/ConsentRegistry";
import {
  MEDICATIONS,
  RESULTS,
  SEXUAL_HEALTH,
  TREATMENT,
  anchorOf,
  authorize,
  chainOf,
  deployWithPatient,
  epochOf,
  grantDigestOf,
  grantOf,
  mandateDigestOf,
  reasonOf,
  reasons,
  requestOf,
  rotate,
} from "../../support/consents";
import { type Key, accountKey, p256Key, passkey } from "../../support/keys";
import { DAY, kinds, register } from "../../support/system";

import type { Patient } from "./actions";

/** A child's record: the custodian's key of this record controls it, and the mother has a mandate until majority. */
async function deployWithChild() {
  const context = await deployWithPatient();
  const [custodian] = (await ethers.getSigners()).slice(10);
  await register(context.organizations, custodian!.address, kinds.clinic);
  const mother = passkey("mother", context.webAuthnVerifier);
  const majority = (await time.latest()) + 30 * DAY;
  const mandate: RepresentativeMandateStruct = {
    patient: context.patient,
    representative: mother.hash,
    custodian: custodian!.address,
    purposes: TREATMENT,
    // Without what a minor may consent to alone.
    categories: MEDICATIONS | RESULTS,
    notBefore: await time.latest(),
    end: majority,
    epoch: await epochOf(context, context.patient),
    salt: id("salt of a mandate"),
  };
  return { ...context, custodian: custodian!, mother, majority, mandate };
}

const signedBy = ({ domain }: Patient, key: Key, mandate: RepresentativeMandateStruct): SignedMandateStruct => ({
  mandate,
  signer: key.signer,
  signature: key.sign(mandateDigestOf(domain, mandate)),
});

/** A grant of the mother's, for a year, as it is brought. */
async function grantedBy(
  context: Patient,
  by: Key,
  mandate: SignedMandateStruct,
  changes: object = {},
): Promise<GrantChainStruct> {
  const grant = await grantOf(context, context.patient, { expiry: (await time.latest()) + 365 * DAY, ...changes });
  return { ...chainOf(context, by, grant), mandate };
}

describe("ConsentRegistry: personal representatives", () => {
  it("grant in the patient's name, under a mandate", async () => {
    const context = await loadFixture(deployWithChild);
    const { key, mother, mandate, patient } = context;
    const chain = await grantedBy(context, mother, signedBy(context, key, mandate));
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
  });

  it("have keys of any kind", async () => {
    const context = await loadFixture(deployWithChild);
    const { key, mandate, patient } = context;
    for (const guardian of [accountKey("guardian"), p256Key("guardian", context.p256Verifier)]) {
      const signed = signedBy(context, key, { ...mandate, representative: guardian.hash });
      const chain = await grantedBy(context, guardian, signed);
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
    }
  });

  it("lose what they granted in the second in which the mandate ends, however long the grant was meant", async () => {
    const context = await loadFixture(deployWithChild);
    const { key, mother, mandate, patient, majority } = context;
    const chain = await grantedBy(context, mother, signedBy(context, key, mandate));
    await time.increaseTo(majority - 1);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
    await time.increaseTo(majority);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("MandateExpired");
  });

  it("grant nothing in categories that a minor may consent to alone", async () => {
    const context = await loadFixture(deployWithChild);
    const { key, mother, mandate } = context;
    const chain = await grantedBy(context, mother, signedBy(context, key, mandate), {
      categories: MEDICATIONS | SEXUAL_HEALTH,
    });
    const request = requestOf(context, context.patient, { categories: SEXUAL_HEALTH });
    expect(await reasonOf(context, chain, request)).to.equal("MandateTooNarrow");
  });

  it("lose all by one act of the custodian: the young adult's own key, and the end of the epoch", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, domain, key, mother, mandate, patient } = context;
    const signed = signedBy(context, key, { ...mandate, end: 2 ** 40 - 1 });
    const chain = await grantedBy(context, mother, signed);
    // Not even what was anchored outlives it.
    await consents.anchor(anchorOf(mandateDigestOf(domain, signed.mandate), signed.signature as string));
    await consents.anchor(anchorOf(grantDigestOf(domain, chain.grant), chain.signature as string));
    const child = passkey("grown up", context.webAuthnVerifier);
    await rotate(context, patient, key, child, true);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("MandateEnded");

    // Nor can custodian and mother go on with new ones.
    const renewed = signedBy(context, key, { ...signed.mandate, epoch: await epochOf(context, patient) });
    const again = await grantedBy(context, mother, renewed);
    expect(await reasonOf(context, again, requestOf(context, patient))).to.equal("MandateNotSigned");
    const own = chainOf(context, child, await grantOf(context, patient));
    expect(await reasonOf(context, own, requestOf(context, patient))).to.equal("None");
  });

  it("lose all while the custodian is suspended", async () => {
    const context = await loadFixture(deployWithChild);
    const { organizations, admin, custodian, key, mother, mandate, patient } = context;
    const chain = await grantedBy(context, mother, signedBy(context, key, mandate));
    await organizations.connect(admin).suspend(custodian);
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("CustodianNotInStanding");
  });

  it("need no custodian where an adult gave the mandate", async () => {
    const context = await loadFixture(deployWithChild);
    const { key, mother, mandate, patient } = context;
    const signed = signedBy(context, key, { ...mandate, custodian: ZeroAddress });
    expect(await reasonOf(context, await grantedBy(context, mother, signed), requestOf(context, patient))).to.equal(
      "None",
    );
  });

  it("cannot write a mandate for themselves, nor for somebody else", async () => {
    const context = await loadFixture(deployWithChild);
    const { mother, mandate, patient } = context;
    for (const representative of [mother, accountKey("uncle")]) {
      const signed = signedBy(context, mother, { ...mandate, representative: representative.hash });
      const chain = await grantedBy(context, representative, signed);
      expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("MandateNotSigned");
    }
  });

  it("take back their own grants, without showing for whom they act", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, domain, key, mother, mandate, patient } = context;
    const chain = await grantedBy(context, mother, signedBy(context, key, mandate));
    const document = grantDigestOf(domain, chain.grant);
    const sent = await consents.revokeOwnDocument(
      document,
      authorize(domain, mother, "RevokeOwnDocument", { document }),
    );
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("Revoked");
    const receipt = (await sent.wait())!;
    for (const shown of [sent.data, ...receipt.logs.flatMap(({ topics, data }) => [...topics, data])])
      expect(shown).not.to.include(patient.slice(2));
  });

  it("act under a mandate of an earlier key if that was anchored in its time", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, domain, key, mother, mandate, patient } = context;
    const signed = signedBy(context, key, mandate);
    const chain = await grantedBy(context, mother, signed);
    const late = signedBy(context, key, { ...mandate, salt: id("later") });
    await consents.anchor(anchorOf(mandateDigestOf(domain, mandate), signed.signature as string));
    await rotate(context, patient, key, accountKey("custodian's next key"));
    expect(await reasonOf(context, chain, requestOf(context, patient))).to.equal("None");
    const other = await grantedBy(context, mother, late);
    expect(await reasonOf(context, other, requestOf(context, patient))).to.equal("MandateNotSigned");
  });
});

describe("ConsentRegistry: isRepresented", () => {
  const ask = async (
    { consents }: Patient,
    signed: SignedMandateStruct,
    purposes = TREATMENT,
    categories = MEDICATIONS,
  ): Promise<string> => {
    const [permitted, reason] = await consents.isRepresented(signed, purposes, categories);
    expect(permitted).to.equal(reason === 0n);
    return reasons[Number(reason)]!;
  };

  it("says what a representative may see, and what is hidden from it", async () => {
    const context = await loadFixture(deployWithChild);
    const signed = signedBy(context, context.key, context.mandate);
    expect(await ask(context, signed)).to.equal("None");
    expect(await ask(context, signed, TREATMENT, MEDICATIONS | RESULTS)).to.equal("None");
    expect(await ask(context, signed, TREATMENT, SEXUAL_HEALTH)).to.equal("MandateTooNarrow");
  });

  it("says why not", async () => {
    const context = await loadFixture(deployWithChild);
    const { consents, domain, key, mother, mandate, patient, majority } = context;
    const signed = signedBy(context, key, mandate);
    expect(await ask(context, signed, 0n)).to.equal("RequestInvalid");
    expect(await ask(context, signed, TREATMENT, 0n)).to.equal("RequestInvalid");
    expect(await ask(context, signedBy(context, key, { ...mandate, patient: id("nobody") }))).to.equal(
      "PatientUnknown",
    );
    expect(await ask(context, signedBy(context, mother, mandate))).to.equal("MandateNotSigned");
    expect(await ask(context, { ...signed, signer: "0x" })).to.equal("MandateNotSigned");
    expect(await ask(context, signedBy(context, key, { ...mandate, notBefore: majority - 1 }))).to.equal(
      "MandateNotYetValid",
    );
    const document = mandateDigestOf(domain, mandate);
    await consents.revokeDocument(patient, document, authorize(domain, key, "RevokeDocument", { patient, document }));
    expect(await ask(context, signed)).to.equal("MandateEnded");
  });
});
