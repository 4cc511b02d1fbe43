import { readFile, writeFile } from "node:fs/promises";

import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import {
  createClaims,
  fileForPayee,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type ClaimBatchFile,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { readJson } from "./json";
import type { Shell } from "./shell";
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

/** A payer with a full pool, a rulebook, and batches that it funds. */
async function startPayer(
  world: World,
  grace: number,
  kinds: number,
): Promise<{ rulebook: string; fund: (...adjudicated: AdjudicatedClaim[]) => Promise<ClaimBatchFile> }> {
  const { payer, deployment, token } = world;
  await enrol(world, payer.address, "payer", await generateSealingKeys());
  await mint(world, payer.address, 1_000_000_000n);
  await run(createPools({ runner: payer, deployment }).depositWithPermit({ token, amount: 1_000_000_000n }));
  const attesters = world.attesters.map(({ address }) => address);
  const terms = simpleRulebook({ attesters, threshold: 2, eventKinds: kinds, grace });
  const { id: rulebook } = await run(createRulebooks({ runner: payer, deployment }).publish(terms));
  const claims = createClaims({ runner: payer, deployment });
  return {
    rulebook,
    fund: async (...adjudicated) => {
      const eventBy = Math.floor(Date.now() / 1_000) + 14 * DAY;
      const { file } = await run(claims.fund({ adjudicated, rulebook, token, eventBy }));
      return file;
    },
  };
}

const fillsOf = (payee: string): AdjudicatedClaim[] => [
  fill("100001", "90.00", payee),
  fill("100002", "12.50", payee),
  fill("100003", "45.00", payee),
];

/**
 * The guide for pharmacies and laboratories: what its code takes as given, and what the payer does meanwhile. Its commands have a world of
 * their own.
 */
export async function pharmacysStory(world: World, terminal: World, shell: Shell): Promise<Story> {
  const { office, deployment, token } = world;
  const [pharmacy, laboratory] = [world.pharmacy.signer, world.laboratory.signer];
  const { rulebook, fund } = await startPayer(world, 3 * DAY, eventKinds.dispense | eventKinds.diagnosticReport);
  const elsewhere = await startPayer(terminal, 5 * DAY, eventKinds.dispense);
  await writeFile("password.txt", "long and of this test only", { mode: 0o600 });

  const files = new Map<string, string[]>();
  const hand = (file: ClaimBatchFile): void =>
    file.groups.forEach(({ payee }) =>
      files.set(payee, [...(files.get(payee) ?? []), JSON.stringify(fileForPayee(file, payee))]),
    );
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
  return {
    page: "docs/guides/pharmacy.md",
    given,
    others: {
      json: readJson,
      sh: (block) => shell.run(block),
      text: (block) => shell.compare(block),
    },
    meanwhile: {
      "Check before you dispense": async () => hand(await fund(...fillsOf(pharmacy.address))),
      Dispense: () => finalize(world),
      Reconcile: () => finalize(world),
      "Test, and show the report": async () => {
        hand(await fund(test(laboratory.address)));
        await finalize(world);
      },
      "With a file from a payer": async () => {
        const { publicKey } = JSON.parse(await readFile("pharmacy.sealing.json", "utf8")) as { publicKey: string };
        const payee = terminal.pharmacy.signer.address;
        await enrol(terminal, payee, "pharmacy", { publicKey, privateKey: "" }, NPI.pharmacy);
        await writeFile("batch.json", JSON.stringify(fileForPayee(await elsewhere.fund(...fillsOf(payee)), payee)));
        await finalize(terminal);
      },
    },
  };
}
