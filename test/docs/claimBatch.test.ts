import { loadFixture, setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, randomBytes } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  attestationDigestOf,
  createClaims,
  openClaimBatchFile,
  openClaimBatchRecord,
  packGroup,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks } from "@carepact/sdk/rulebooks";

import type { ClaimEscrow } from "../../typechain-types";
import { deployImplementation } from "../support/implementations";
import { DAY, deploymentOf, deploySystem, deployToken } from "../support/system";

import {
  ATTESTERS,
  buildExample,
  computeValues,
  CHAIN_ID,
  ESCROW,
  EVIDENCE,
  OBSERVED_AT,
  PAYER,
  PHARMACY_A,
  PHARMACY_B,
  resultsOf,
  rulebook,
  textsOf,
  TOKEN,
  VALID_UNTIL,
} from "./example";
import { blocksOf, codeIn, readPage, rowsOf } from "./page";

const page = readPage("docs/claim-batch.md");

/** The page's values by name. */
const shown = (): Record<string, string> =>
  Object.fromEntries(rowsOf(page, "what", "value").map(([name, value]) => [name ?? "", codeIn(value)]));

const signerOf = (account: string) => ethers.getSigner(account);

describe("docs/claim-batch.md", () => {
  it("shows what the SDK computes", async () => {
    expect(shown()).to.deep.equal(await computeValues(await buildExample()));
  });

  it("shows the texts that are hashed, and the terms", async () => {
    const built = await buildExample();

    expect(blocksOf(page, "text").map((block) => block.trim())).to.deep.equal(textsOf(built));
    expect(blocksOf(page, "json").map((block) => JSON.parse(block) as unknown)).to.deep.equal([built.file.terms]);
  });

  it("shows no other hash, and the times that were hashed", async () => {
    const built = await buildExample();
    const known = [
      ...Object.values(await computeValues(built)),
      ESCROW,
      ...Object.values(built.file.terms),
      ...ATTESTERS,
    ];
    const hexes = page.match(/0x[0-9a-fA-F]{8,}/g) ?? [];

    expect(hexes.filter((hex) => !known.includes(hex))).to.deep.equal([]);
    expect(page).to.include(`\`observedAt\` is ${OBSERVED_AT}, \`validUntil\` ${VALID_UNTIL}`);
  });

  it("shows the batch id and attestation digest of the contract at that address", async () => {
    const escrow = await loadFixture(escrowAtItsAddress);
    const { terms, batchId } = await buildExample();
    const { results, digest } = shown();
    const attestation = { observedAt: OBSERVED_AT, validUntil: VALID_UNTIL, evidence: EVIDENCE, results: results! };

    expect(await escrow.batchIdOf(terms))
      .to.equal(batchId)
      .and.to.equal(shown()["batchId"]);
    expect(await escrow.attestationDigestOf(batchId, { ...attestation, signatures: "0x" })).to.equal(digest);
    expect(attestationDigestOf({ ...attestation, batchId }, { chainId: CHAIN_ID, escrow: ESCROW })).to.equal(digest);
  });

  it("shows where the money goes when these results settle the same lines", async () => {
    const { escrow, token, deployment, publicKey, privateKey } = await loadFixture(deployExample);
    // Under the page's salts, since lines come in their order.
    const { file, record, batchId, terms, groups } = await buildExample({
      escrow: await escrow.getAddress(),
      token: { ...TOKEN, address: token },
      eventBy: (await time.latest()) + DAY,
      payeeKeys: Object.fromEntries([PHARMACY_A, PHARMACY_B].map((payee) => [payee, { publicKey, version: 1 }])),
    });
    await escrow.connect(await signerOf(PAYER)).fund(terms, groups.map(packGroup));

    // What the payer knows decides the results; what Pharmacy A knows is enough to settle them.
    const statement = { observedAt: await time.latest(), evidence: hexlify(randomBytes(32)) };
    const results = resultsOf(openClaimBatchRecord(record));
    const opened = await openClaimBatchFile(file, { payee: PHARMACY_A, privateKey });
    const attestations = await Promise.all(
      ATTESTERS.slice(0, 2).map(async (attester) =>
        createClaims({ runner: await signerOf(attester), deployment }).attest(opened, results, statement),
      ),
    );
    expect(attestations[0]!.results).to.equal(shown()["results"]);
    await run(createClaims({ runner: await signerOf(PHARMACY_A), deployment }).settle(opened, attestations));

    const money = {
      "credit of Pharmacy A": (await escrow.balancesOf(PHARMACY_A, token)).credit,
      "credit of Pharmacy B": (await escrow.balancesOf(PHARMACY_B, token)).credit,
      "freed for the payer": (await escrow.balancesOf(PAYER, token)).free,
      "open in the batch": (await escrow.claimBatchStatusOf(batchId)).open,
    };
    const rows = rowsOf(page, "after the settlement", "base units");
    expect(Object.fromEntries(rows.map(([name, amount]) => [name, amount?.replaceAll(",", "")]))).to.deep.equal(
      Object.fromEntries(Object.entries(money).map(([name, amount]) => [name, amount.toString()])),
    );
  });
});

/** The escrow's code where the example has its proxy: ids and digests need no state. */
async function escrowAtItsAddress(): Promise<ClaimEscrow> {
  await setCode(ESCROW, await ethers.provider.getCode(await deployImplementation("ClaimEscrow")));
  return ethers.getContractAt("ClaimEscrow", ESCROW);
}

/** The example's payer, with just enough in its pool, its pharmacies and its rulebook, on a deployed system. */
async function deployExample() {
  const system = await deploySystem();
  const runner = await signerOf(PAYER);
  const deployment = await deploymentOf(system);
  const connection = { runner, deployment };
  const { publicKey: hpkeKey, privateKey } = await generateSealingKeys();
  const organizations = createOrganizations(connection);
  await run(organizations.register(PAYER, { name: "A payer", kinds: ["payer"], hpkeKey }));
  await run(organizations.register(PHARMACY_A, { name: "Pharmacy A", kinds: ["pharmacy"], hpkeKey }));
  await run(organizations.register(PHARMACY_B, { name: "Pharmacy B", kinds: ["pharmacy"], hpkeKey }));
  await run(createRulebooks(connection).publish(rulebook));

  const coin = await deployToken();
  const token = await coin.getAddress();
  await coin.mint(PAYER, 147_500_000n);
  await run(createPools(connection).depositWithPermit({ token, amount: 147_500_000n }));
  return { escrow: system.escrow, token, deployment, publicKey: hpkeKey, privateKey };
}
