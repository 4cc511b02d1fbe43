import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import {
  createClaims,
  openClaimBatchRecord,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type ClaimBatchRecord,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import type { Story } from "./story";
import { attestAs, DAY, enrol, mint, NPI, pass, type World } from "./world";

/** What the guide to remittances takes as given. */
export interface RemittanceGiven {
  payer: JsonRpcSigner;
  pharmacy: JsonRpcSigner;
  deployment: Deployment;
  token: string;
  record: ClaimBatchRecord;
  from: number;
  to: number;
}

const fill = (number: string, paid: string, payee: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `F-${number}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: NPI.pharmacy,
      prescriptionReferenceNumber: number,
      fillNumber: 0,
      dateOfService: "2030-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: paid,
      patientPayAmount: "0",
      totalAmountPaid: paid,
    },
    { payee },
  );

/** The guide to remittances. */
export async function remittanceStory(world: World): Promise<Story> {
  const { payer, pharmacy, deployment, token, provider } = world;
  const amount = 1_000_000_000n;
  await enrol(world, payer.address, "payer", await generateSealingKeys());
  await enrol(world, pharmacy.signer.address, "pharmacy", pharmacy.keys, NPI.pharmacy);
  await mint(world, payer.address, amount);
  await run(createPools({ runner: payer, deployment }).depositWithPermit({ token, amount }));
  const terms = simpleRulebook({
    attesters: world.attesters.slice(0, 2).map(({ address }) => address),
    threshold: 2,
    eventKinds: eventKinds.dispense,
    grace: 3 * DAY,
    suspender: payer.address,
  });
  const { id: rulebook } = await run(createRulebooks({ runner: payer, deployment }).publish(terms));
  const time = async (): Promise<number> => (await provider.getBlock("latest"))?.timestamp ?? 0;

  const from = await time();
  const claims = createClaims({ runner: payer, deployment });
  const payee = pharmacy.signer.address;
  const adjudicated = [fill("1", "90.00", payee), fill("2", "12.34", payee)];
  const { record } = await run(claims.fund({ adjudicated, rulebook, token, eventBy: from + 14 * DAY }));
  const batch = openClaimBatchRecord(record);
  const lines = (batch.opened[0]?.lines ?? []).map(
    ({ detail }) => ({ result: detail.claimId === "F-1" ? "met" : "notMet" }) as const,
  );
  await run(claims.settle(batch, await attestAs(world, batch, [{ result: "byLine", lines }])));
  await pass(world, DAY);
  const to = await time();
  const given: RemittanceGiven = { payer, pharmacy: pharmacy.signer, deployment, token, record, from, to };
  // What happens at the moment that ends a period belongs to the next one, which has to be over as well.
  const meanwhile = { "Refunds and reversals": () => pass(world, 60), "The next remittance": () => pass(world, 60) };
  return { page: "docs/guides/remittance.md", given, meanwhile };
}
