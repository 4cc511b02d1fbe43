import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { id } from "ethers";
import { ethers } from "hardhat";

import type {
  GrantChainStruct,
  GrantStruct,
  RepresentativeMandateStruct,
  RequestStruct,
  RestrictionsStruct,
  SubGrantStruct,
} from "../../../typechain-types/contracts/consent/ConsentRegistry";
import {
  MEDICATIONS,
  NORMAL,
  NO_MANDATE,
  RESULTS,
  SEXUAL_HEALTH,
  RESEARCH,
  TREATMENT,
  type ReasonName,
  authorize,
  deployWithPatient,
  documents,
  epochOf,
  grantDigestOf,
  grantOf,
  mandateDigestOf,
  reasons,
  requestOf,
  restrictionsHashOf,
  subGrantDigestOf,
} from "../../support/consents";
import { type Key, accountKey, typesOf } from "../../support/keys";
import { DAY, kinds, register } from "../../support/system";

import { type Patient, neighbourOf } from "./actions";

/**
 * A request that is permitted, of every part there can be, and still to be signed: a representative grants to the clinic, which passes
 * on to the specialist, who passes on to the laboratory, which asks; the patient has restrictions. Tests change one thing.
 */
export interface Scenario extends Patient {
  neighbour: { key: Key; patient: string };
  representative: Key;
  mandate: RepresentativeMandateStruct;
  /** Who signs the mandate, and who is said to have. */
  mandateSigner: Key;
  mandateClaimed: Key;
  /** The patient signs the grant, and there is no mandate. */
  withoutMandate: boolean;
  grant: GrantStruct;
  grantSigner: Key;
  grantClaimed: Key;
  /** `parent` is filled in when it is empty. */
  subGrants: SubGrantStruct[];
  subGrantSigners: HardhatEthersSigner[];
  restrictions: RestrictionsStruct;
  /** What is brought, where it is not what is on chain. */
  brought: RestrictionsStruct | undefined;
  request: RequestStruct;
  /** What happens on chain after everything was signed. */
  after: ((chain: GrantChainStruct) => Promise<unknown>)[];
}

export async function deployScenario(): Promise<Scenario> {
  const context = await deployWithPatient();
  const { patient, key, clinic, specialist, laboratory } = context;
  const neighbour = await neighbourOf(context);
  const representative = accountKey("representative");
  const custodian = (await ethers.getSigners())[10]!;
  await register(context.organizations, custodian.address, kinds.clinic);
  const now = await time.latest();
  const grant = await grantOf(context, patient, { subGrants: 3, expiry: now + 100 * DAY });
  const passedOn = { ...grant, notBefore: now, parent: "" } as unknown as SubGrantStruct;
  return {
    ...context,
    neighbour,
    representative,
    mandate: {
      patient,
      representative: representative.hash,
      custodian: custodian.address,
      purposes: TREATMENT,
      categories: MEDICATIONS | RESULTS,
      notBefore: now,
      end: now + 100 * DAY,
      epoch: await epochOf(context, patient),
      salt: id("salt of a mandate"),
    },
    mandateSigner: key,
    mandateClaimed: key,
    withoutMandate: false,
    grant,
    grantSigner: representative,
    grantClaimed: representative,
    subGrants: [
      { ...passedOn, grantee: specialist.address, subGrants: 2 },
      { ...passedOn, grantee: laboratory.address, subGrants: 1 },
    ],
    subGrantSigners: [clinic, specialist, laboratory],
    restrictions: {
      salt: id("salt of restrictions"),
      organizations: [context.stranger.address],
      purposes: RESEARCH,
      categories: SEXUAL_HEALTH,
      breakGlass: false,
    },
    brought: undefined,
    request: requestOf(context, patient, { organization: laboratory.address }),
    after: [],
  };
}

/** A copy to change: the fixture's is shared by all tests. */
export const draftOf = (scenario: Scenario): Scenario => ({
  ...scenario,
  mandate: { ...scenario.mandate },
  grant: { ...scenario.grant },
  subGrants: scenario.subGrants.map((subGrant) => ({ ...subGrant })),
  subGrantSigners: [...scenario.subGrantSigners],
  restrictions: { ...scenario.restrictions },
  request: { ...scenario.request },
  after: [],
});

/** Signs all, lets happen what happens afterwards, and asks. */
export async function ask(scenario: Scenario): Promise<ReasonName> {
  const { consents, domain, key, patient } = scenario;
  const restrictionsHash = restrictionsHashOf(scenario.restrictions);
  const { restrictionsVersion } = await consents.patientOf(patient);
  await consents.setRestrictions(
    patient,
    restrictionsHash,
    authorize(domain, key, "SetRestrictions", { patient, restrictionsVersion, restrictionsHash }),
  );
  const chain = await sign(scenario);
  for (const happens of scenario.after) await happens(chain);
  const brought = scenario.brought ?? scenario.restrictions;
  const [permitted, reason] = await consents.isPermitted(chain, brought, scenario.request);
  const name = reasons[Number(reason)]!;
  if (permitted !== (name === "None")) throw new Error(`permitted is ${permitted} with the reason ${name}`);
  return name;
}

export async function sign(scenario: Scenario): Promise<GrantChainStruct> {
  const { domain, mandate, grant } = scenario;
  const signed = {
    mandate,
    signer: scenario.mandateClaimed.signer,
    signature: scenario.mandateSigner.sign(mandateDigestOf(domain, mandate)),
  };
  const chain: GrantChainStruct = {
    grant,
    signer: scenario.grantClaimed.signer,
    signature: scenario.grantSigner.sign(grantDigestOf(domain, grant)),
    mandate: scenario.withoutMandate ? NO_MANDATE : signed,
    subGrants: [],
  };
  let parent = grantDigestOf(domain, grant);
  for (const [index, open] of scenario.subGrants.entries()) {
    const subGrant = { ...open, parent: open.parent || parent };
    const signature = await scenario.subGrantSigners[index]!.signTypedData(
      domain,
      typesOf(documents.subGrant),
      subGrant,
    );
    chain.subGrants.push({ subGrant, signature });
    parent = subGrantDigestOf(domain, subGrant);
  }
  return chain;
}

/** One thing that is wrong. */
export interface Fault {
  reason: ReasonName;
  what: string;
  apply: (scenario: Scenario) => unknown;
  /** Faults of equal names cannot both be. */
  only?: string;
}

/** Lets the patient sign the grant. */
function byPatient(scenario: Scenario): void {
  scenario.withoutMandate = true;
  scenario.grantSigner = scenario.grantClaimed = scenario.key;
}

const later = async (): Promise<number> => (await time.latest()) + 50 * DAY;

/** Everything that can be wrong, in the order in which it is found. */
export async function faults(): Promise<Fault[]> {
  const future = await later();
  const past = future - 50 * DAY - 10;
  const fault = (reason: ReasonName, what: string, apply: Fault["apply"], only?: string): Fault => ({
    reason,
    what,
    apply,
    ...(only && { only }),
  });
  const suspend = (who: "clinic" | "specialist" | "laboratory") => (scenario: Scenario) => {
    scenario.after.push(() => scenario.organizations.connect(scenario.admin).suspend(scenario[who]));
  };
  const revoked = (index: number) => (scenario: Scenario) => {
    const { consents, domain, key, patient } = scenario;
    scenario.after.push((chain) => {
      const document = subGrantDigestOf(domain, chain.subGrants[index]!.subGrant);
      return consents.revokeDocument(
        patient,
        document,
        authorize(domain, key, "RevokeDocument", { patient, document }),
      );
    });
  };
  const withdrawn = (index: number) => (scenario: Scenario) => {
    const { consents, domain } = scenario;
    scenario.after.push((chain) =>
      consents
        .connect(index === 0 ? scenario.clinic : scenario.specialist)
        .revokeOwnDocument(subGrantDigestOf(domain, chain.subGrants[index]!.subGrant), {
          signer: "0x",
          deadline: 0,
          signature: "0x",
        }),
    );
  };
  const ofSubGrant = (index: number, who: string, standing: Fault["apply"]): Fault[] => [
    fault(
      "SubGrantNotAllowed",
      `${who} passes on what may not be passed on`,
      ({ subGrants, grant }) => {
        (subGrants[index - 1] ?? grant).subGrants = 0;
      },
      `depth ${index}`,
    ),
    fault(
      "SubGrantNotAllowed",
      `${who} allows as many sub-grants as it has`,
      ({ subGrants, grant }) => {
        subGrants[index]!.subGrants = (subGrants[index - 1] ?? grant).subGrants;
      },
      `depth ${index}`,
    ),
    fault("SubGrantMismatch", `${who} passes on under another grant`, ({ subGrants }) => {
      subGrants[index]!.parent = id("another grant");
    }),
    fault(
      "ChainCyclic",
      `${who} passes back to the clinic`,
      (scenario) => {
        scenario.subGrants[index]!.grantee = scenario.clinic.address;
        scenario.subGrantSigners[index + 1] = scenario.clinic;
      },
      `cycle ${index}`,
    ),
    ...(
      [
        ["purposes", { purposes: TREATMENT | RESEARCH }],
        ["categories", { categories: MEDICATIONS | RESULTS | SEXUAL_HEALTH }],
        ["a ceiling", { ceiling: NORMAL + 1 }],
        ["time before", { notBefore: past - 1 }],
        ["time afterwards", { expiry: 2 ** 40 - 1 }],
      ] as const
    ).map(([what, change]) =>
      fault(
        "SubGrantWider",
        `${who} passes on ${what} it has not`,
        ({ subGrants }) => {
          Object.assign(subGrants[index]!, change);
        },
        `width ${index} ${what}`,
      ),
    ),
    fault(
      "NotYetValid",
      `${who} passed on for later`,
      ({ subGrants }) => {
        subGrants[index]!.notBefore = future;
      },
      `width ${index} time before`,
    ),
    fault(
      "Expired",
      `what ${who} passed on is over`,
      ({ subGrants }) => {
        subGrants[index]!.expiry = past;
      },
      `width ${index} time afterwards`,
    ),
    fault("Revoked", `the patient revoked what ${who} passed on`, revoked(index)),
    fault("Revoked", `${who} took back what it passed on`, withdrawn(index)),
    fault(
      "SignatureInvalid",
      `somebody else signed for ${who}`,
      (scenario) => {
        scenario.subGrantSigners[index] = scenario.stranger;
      },
      `cycle ${index - 1}`,
    ),
    fault("OrganizationNotInStanding", `whom ${who} passed on to is suspended`, standing),
  ];
  return [
    fault("RequestInvalid", "no purpose", ({ request }) => (request.purposes = 0), "purpose asked"),
    fault("RequestInvalid", "no category", ({ request }) => (request.categories = 0), "category asked"),
    fault("RequestInvalid", "no such confidentiality", ({ request }) => (request.confidentiality = 6), "level asked"),
    fault("ChainTooLong", "five links", ({ subGrants, subGrantSigners, laboratory }) => {
      subGrants.push({ ...subGrants[1]!, parent: "" }, { ...subGrants[1]!, parent: "" });
      subGrantSigners.push(laboratory);
    }),
    fault("PatientUnknown", "nobody by this id", ({ request }) => (request.patient = id("nobody")), "patient"),
    fault(
      "PatientDeactivated",
      "a record that was deactivated",
      (scenario) => {
        const { consents, domain, key, patient } = scenario;
        scenario.after.push(() =>
          consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient })),
        );
      },
      "patient",
    ),
    fault(
      "PatientMerged",
      "a record that was merged",
      (scenario) => {
        const { consents, domain, key, patient, neighbour } = scenario;
        const message = { from: patient, into: neighbour.patient };
        scenario.after.push(() =>
          consents.mergePatients(
            patient,
            neighbour.patient,
            authorize(domain, key, "MergePatients", message),
            authorize(domain, neighbour.key, "MergePatients", message),
          ),
        );
      },
      "patient",
    ),
    fault("RestrictionsNotCurrent", "restrictions of another salt", (scenario) => {
      scenario.brought = { ...scenario.restrictions, salt: id("old salt") };
    }),
    ...(["clinic", "specialist", "laboratory"] as const).map((who) =>
      fault(
        "OrganizationRestricted",
        `never the ${who}`,
        (scenario) => {
          scenario.restrictions.organizations = [scenario.stranger.address, scenario[who].address];
        },
        // What is passed back to the clinic does not reach the specialist.
        who === "specialist" ? "cycle 0" : undefined,
      ),
    ),
    fault("CategoryRestricted", "never medications", ({ restrictions }) => (restrictions.categories = MEDICATIONS)),
    fault("PurposeRestricted", "never treatment", ({ restrictions }) => (restrictions.purposes = TREATMENT)),
    fault(
      "MandateMismatch",
      "a mandate for somebody else",
      (scenario) => {
        scenario.mandate.representative = scenario.neighbour.key.hash;
      },
      "mandate",
    ),
    fault(
      "MandateMismatch",
      "a mandate of somebody else",
      (scenario) => {
        scenario.mandate.patient = scenario.neighbour.patient;
      },
      "mandate",
    ),
    fault("MandateEnded", "a mandate of another epoch", ({ mandate }) => (mandate.epoch = 2)),
    fault("MandateEnded", "a mandate that the patient revoked", (scenario) => {
      const { consents, domain, key, patient } = scenario;
      scenario.after.push((chain) => {
        const document = mandateDigestOf(domain, chain.mandate.mandate);
        return consents.revokeDocument(
          patient,
          document,
          authorize(domain, key, "RevokeDocument", { patient, document }),
        );
      });
    }),
    fault("MandateEnded", "a mandate that the representative laid down", (scenario) => {
      const { consents, domain, representative } = scenario;
      scenario.after.push((chain) => {
        const document = mandateDigestOf(domain, chain.mandate.mandate);
        return consents.revokeOwnDocument(
          document,
          authorize(domain, representative, "RevokeOwnDocument", { document }),
        );
      });
    }),
    fault("MandateNotYetValid", "a mandate for later", ({ mandate }) => (mandate.notBefore = future)),
    fault("MandateExpired", "a mandate that is over", ({ mandate }) => (mandate.end = past)),
    fault(
      "MandateNotSigned",
      "a mandate signed by a stranger",
      (scenario) => {
        scenario.mandateSigner = scenario.mandateClaimed = scenario.neighbour.key;
      },
      "mandate signer",
    ),
    fault(
      "MandateNotSigned",
      "a mandate that the representative wrote for itself",
      (scenario) => {
        scenario.mandateSigner = scenario.mandateClaimed = scenario.representative;
      },
      "mandate signer",
    ),
    fault(
      "MandateNotSigned",
      "a mandate whose signature was forged",
      (scenario) => {
        scenario.mandateSigner = scenario.neighbour.key;
      },
      "mandate signer",
    ),
    fault("CustodianNotInStanding", "a custodian who is none", ({ mandate, stranger }) => {
      mandate.custodian = stranger.address;
    }),
    fault("MandateTooNarrow", "a category that the mandate has not", ({ mandate }) => {
      mandate.categories = MEDICATIONS;
    }),
    fault("MandateTooNarrow", "a purpose that the mandate has not", ({ mandate }) => (mandate.purposes = RESEARCH)),
    fault(
      "PatientMismatch",
      "a grant of somebody else",
      (scenario) => {
        byPatient(scenario);
        scenario.grant.patient = scenario.neighbour.patient;
      },
      "mandate",
    ),
    fault("EpochEnded", "a grant of another epoch", ({ grant }) => (grant.epoch = 0)),
    fault("NotYetValid", "a grant for later", ({ grant }) => (grant.notBefore = future)),
    fault("Expired", "a grant that is over", ({ grant }) => (grant.expiry = past)),
    fault("Revoked", "a number that was revoked", (scenario) => {
      const { consents, domain, key, patient } = scenario;
      scenario.after.push(() =>
        consents.revokeGrant(patient, 7, authorize(domain, key, "RevokeGrant", { patient, number: 7 })),
      );
    }),
    fault("Revoked", "a grant that the representative took back", (scenario) => {
      const { consents, domain } = scenario;
      scenario.after.push((chain) => {
        const document = grantDigestOf(domain, chain.grant);
        return consents.revokeOwnDocument(
          document,
          authorize(domain, scenario.grantClaimed, "RevokeOwnDocument", { document }),
        );
      });
    }),
    fault(
      "SignerNotController",
      "a grant of somebody who is nobody here",
      (scenario) => {
        byPatient(scenario);
        scenario.grantSigner = scenario.grantClaimed = scenario.neighbour.key;
      },
      "mandate",
    ),
    fault(
      "SignerNotController",
      "a grant of the representative without the mandate",
      (scenario) => {
        scenario.withoutMandate = true;
      },
      "mandate",
    ),
    fault(
      "SignatureInvalid",
      "a grant whose signature was forged",
      (scenario) => {
        scenario.grantSigner = scenario.neighbour.key;
      },
      "mandate",
    ),
    fault("OrganizationNotInStanding", "a clinic that is suspended", suspend("clinic")),
    ...ofSubGrant(0, "the clinic", suspend("specialist")),
    ...ofSubGrant(1, "the specialist", suspend("laboratory")),
    fault("RequesterNotGrantee", "somebody else asks", (scenario) => {
      scenario.request.organization = scenario.clinic.address;
    }),
    fault("PurposeNotGranted", "a purpose beyond the last link", ({ subGrants }) => (subGrants[1]!.purposes = 0b100n)),
    fault("CategoryNotGranted", "a category beyond the last link", ({ subGrants }) => {
      subGrants[1]!.categories = RESULTS;
    }),
    fault("CeilingExceeded", "a sensitivity above the last ceiling", ({ subGrants }) => (subGrants[1]!.ceiling = 2)),
  ];
}
