import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import {
  createClaims,
  fileForPayee,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { readJson } from "./json";
import type { Story } from "./story";
import { DAY, enrol, finalize, mint, NPI, type World } from "./world";

/** What the guide for pharmacies and laboratories takes as given. */
export interface PharmacysGiven {
  pharmacy: JsonRpcSigner;
  laboratory: JsonRpcSigner;
  office: JsonRpcSigner;
  attesters: JsonRpcSigner[];
  deployment: Deployment;
  token: string;
  rulebook: string;
  received: (account: string) => string[];
}

const fill = (prescriptionReferenceNumber: string, paid: string, payee: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `A-${prescriptionReferenceNumber}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: NPI.pharmacy,
      prescriptionReferenceNumber,
      fillNumber: 0,
      dateOfService: "2030-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      unitOfMeasure: "EA",
      daysSupply: 30,
      ingredientCostPaid: paid,
      patientPayAmount: "0.00",
      totalAmountPaid: paid,
    },
    { payee },
  );

const test = (payee: string): AdjudicatedClaim =>
  readLaboratoryClaim(
    {
      kind: "laboratory",
      claimId: "L-200001",
      currency: "USD",
      claimStatusCode: "1",
      laboratoryNpi: NPI.laboratory,
      clia: "99D1234567",
      accessionNumber: "ACC-1",
      collectionDate: "2030-01-15",
      lines: [
        {
          lineNumber: 1,
          procedureCode: "00000",
          charge: "60.00",
          allowed: "45.00",
          patientResponsibility: "0.00",
          planPays: "45.00",
        },
      ],
    },
    { payee },
  );

/** The guide for pharmacies and laboratories: what its code takes as given, and what the payer does meanwhile. */
export async function pharmacysStory(world: World): Promise<Story> {
  const { payer, office, deployment, token } = world;
  const [pharmacy, laboratory] = [world.pharmacy.signer, world.laboratory.signer];
  await enrol(world, payer.address, "payer", await generateSealingKeys());
  await mint(world, payer.address, 1_000_000_000n);
  await run(createPools({ runner: payer, deployment }).depositWithPermit({ token, amount: 1_000_000_000n }));
  const attesters = world.attesters.map(({ address }) => address);
  const terms = { attesters, threshold: 2, eventKinds: eventKinds.dispense | eventKinds.diagnosticReport };
  const publishing = createRulebooks({ runner: payer, deployment });
  const { id: rulebook } = await run(publishing.publish(simpleRulebook({ ...terms, grace: 3 * DAY })));

  const files = new Map<string, string[]>();
  const fund = async (...adjudicated: AdjudicatedClaim[]): Promise<void> => {
    const eventBy = Math.floor(Date.now() / 1_000) + 14 * DAY;
    const claims = createClaims({ runner: payer, deployment });
    const { file } = await run(claims.fund({ adjudicated, rulebook, token, eventBy }));
    for (const { payee } of file.groups)
      files.set(payee, [...(files.get(payee) ?? []), JSON.stringify(fileForPayee(file, payee))]);
  };
  const given: PharmacysGiven = {
    pharmacy,
    laboratory,
    office,
    attesters: world.attesters,
    deployment,
    token,
    rulebook,
    received: (account) => files.get(account) ?? [],
  };
  let reports = 0;
  return {
    page: "docs/guides/pharmacy.md",
    given,
    others: {
      json: async (block) => {
        await readJson(block);
        // By now the laboratory is registered.
        if (block.heading === "Laboratories" && reports++ === 0) {
          await fund(test(laboratory.address));
          await finalize(world);
        }
      },
    },
    meanwhile: {
      "Check before you dispense": () =>
        fund(
          ...(
            [
              ["100001", "90.00"],
              ["100002", "12.50"],
              ["100003", "45.00"],
            ] as const
          ).map(([number, paid]) => fill(number, paid, pharmacy.address)),
        ),
      Dispense: () => finalize(world),
      Reconcile: () => finalize(world),
    },
  };
}
