import type { Claim } from "fhir/r4";
import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import { hl7 } from "../../examples/demo/hl7";

import { readJson } from "./json";
import type { Story } from "./story";
import { attestAs, DAY, enrol, finalize, mint, NPI, openAs, pass, type World } from "./world";

/** What the payers' guide takes as given. */
export interface PayersGiven {
  payer: JsonRpcSigner;
  office: JsonRpcSigner;
  pbm: JsonRpcSigner;
  deployment: Deployment;
  token: string;
  attesters: string[];
  fhirClaim: Claim;
  send: (payee: string, text: string) => Promise<void>;
}

/** The payers' guide: what its code takes as given, and what the others do meanwhile. */
export async function payersStory(world: World): Promise<Story> {
  const { payer, office, pbm, deployment, token, pharmacy, laboratory } = world;
  await enrol(world, pharmacy.signer.address, "pharmacy", pharmacy.keys, NPI.pharmacy);
  await enrol(world, laboratory.signer.address, "laboratory", laboratory.keys, NPI.laboratory);
  await mint(world, payer.address, 1_500_000_000n);

  const sent: { payee: string; text: string }[] = [];
  const given: PayersGiven = {
    payer,
    office,
    pbm,
    deployment,
    token,
    attesters: world.attesters.map(({ address }) => address),
    fhirClaim: hl7<Claim>("Claim-760151"),
    send: async (payee, text) => void sent.push({ payee, text }),
  };
  const asPharmacy = createClaims({ runner: pharmacy.signer, deployment });
  const received = (payee: string): string[] => sent.filter((one) => one.payee === payee).map(({ text }) => text);
  return {
    page: "docs/guides/payer.md",
    given,
    others: { json: readJson },
    meanwhile: {
      "Watch it": async () => {
        const group = await openAs(pharmacy, received(pharmacy.signer.address)[0]!);
        const results = [{ result: "byLine" as const, lines: [{ result: "met" }, { result: "pending" }] as const }];
        const attestations = await attestAs(world, group, [
          { result: "byLine", lines: [...results[0]!.lines] },
          { result: "met" },
        ]);
        await run(asPharmacy.settle(group, attestations));
      },
      "Take back what did not happen": async () => {
        const [first, second] = await Promise.all(
          received(pharmacy.signer.address).map((text) => openAs(pharmacy, text)),
        );
        await run(asPharmacy.reverse(second!, [0]));
        await run(asPharmacy.refund(first!, { amount: 20_000_000n, from: "credit" }));
        await pass(world, 30 * DAY);
      },
      "Close the books": () => finalize(world),
    },
  };
}
