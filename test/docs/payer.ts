import type { Claim } from "fhir/r4";
import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { createClaims, type GroupResult, type LineResult } from "@carepact/sdk/claims";

import { hl7 } from "../../examples/demo/hl7";

import { readJson } from "./json";
import type { Shell } from "./shell";
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

/** The payers' guide: what its code takes as given, and what the others do meanwhile. Its commands have a world of their own. */
export async function payersStory(world: World, terminal: World, shell: Shell): Promise<Story> {
  const { payer, office, pbm, deployment, token, pharmacy, laboratory } = world;
  await enrol(world, pharmacy.signer.address, "pharmacy", pharmacy.keys, NPI.pharmacy);
  await enrol(world, laboratory.signer.address, "laboratory", laboratory.keys, NPI.laboratory);
  await mint(world, payer.address, 1_500_000_000n);
  await enrol(terminal, terminal.payer.address, "payer", terminal.pharmacy.keys);
  await enrol(terminal, terminal.pharmacy.signer.address, "pharmacy", terminal.pharmacy.keys, NPI.pharmacy);
  await mint(terminal, terminal.payer.address, 500_000_000n);

  const sent: { payee: string; text: string }[] = [];
  const given: PayersGiven = {
    payer,
    office,
    pbm,
    deployment,
    token,
    attesters: world.attesters.map(({ address }) => address),
    fhirClaim: hl7<Claim>("Claim-760151"),
    send: (payee, text) => Promise.resolve(void sent.push({ payee, text })),
  };
  const asPharmacy = createClaims({ runner: pharmacy.signer, deployment });
  const received = (payee: string): string[] => sent.filter((one) => one.payee === payee).map(({ text }) => text);
  return {
    page: "docs/guides/payer.md",
    given,
    others: {
      json: readJson,
      sh: (block) => shell.run(block),
      text: (block) => shell.compare(block),
    },
    meanwhile: {
      "Watch it": async () => {
        const group = await openAs(pharmacy, received(pharmacy.signer.address)[0]!);
        // The fill was picked up, the other claim's item was not yet.
        const lines = group.lines.map(({ detail }): LineResult => ({
          result: detail.claimId === "A-100001" ? "met" : "pending",
        }));
        const results: GroupResult[] = [{ result: "byLine", lines }, { result: "met" }];
        await run(asPharmacy.settle(group, await attestAs(world, group, results)));
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
      "After `attestBy`": () => pass(terminal, 30 * DAY),
    },
  };
}
