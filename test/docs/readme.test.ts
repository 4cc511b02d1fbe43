import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, randomBytes, type Signer } from "ethers";
import { ethers } from "hardhat";

import { run, type Deployment } from "@carepact/sdk";
import { type PharmacyClaim } from "@carepact/sdk/claims";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { DAY, deploymentOf, deploySystem, deployToken } from "../support/system";

import { blocksOf, readPage, type Block } from "./page";
import { tell } from "./story";

/** A fill of 90.00, made up but for the form. */
const answer: PharmacyClaim = {
  kind: "pharmacy",
  claimId: "A-1",
  currency: "USD",
  transactionResponseStatus: "P",
  pharmacyNpi: "1234567893",
  prescriptionReferenceNumber: "1",
  fillNumber: 0,
  dateOfService: "2030-01-15",
  productServiceId: "00000000000",
  quantityDispensed: "30",
  daysSupply: 30,
  ingredientCostPaid: "90.00",
  patientPayAmount: "0.00",
  totalAmountPaid: "90.00",
};

/** What the page's code takes as given. */
export interface ReadmesGiven {
  payer: Signer & { address: string };
  pharmacy: Signer & { address: string };
  attesters: Signer[];
  deployment: Deployment;
  token: string;
  rulebook: string;
  answer: PharmacyClaim;
  sealingKeys: SealingKeyPair;
  eventBy: number;
  pickedUpAt: number;
  evidence: string;
}

/** Everything that the page takes as given, on a deployed system. */
async function deployGiven() {
  const system = await deploySystem();
  const [, payer, pharmacy, ...attesters] = (await ethers.getSigners()).slice(0, 6);
  const deployment = await deploymentOf(system);
  const coin = await deployToken();
  await coin.mint(payer!, 90_000_000n);

  const sealingKeys = await generateSealingKeys();
  const organizations = createOrganizations({ runner: system.admin, deployment });
  const hpkeKey = sealingKeys.publicKey;
  await run(organizations.register(payer!.address, { name: "A payer", kinds: ["payer"], hpkeKey }));
  await run(organizations.register(pharmacy!.address, { name: "A pharmacy", kinds: ["pharmacy"], hpkeKey }));
  const terms = simpleRulebook({
    attesters: attesters.map(({ address }) => address),
    threshold: 2,
    eventKinds: eventKinds.dispense,
    grace: 3 * DAY,
  });
  const { id: rulebook } = await run(createRulebooks({ runner: system.admin, deployment }).publish(terms));

  const now = await time.latest();
  const given: ReadmesGiven = {
    payer: payer!,
    pharmacy: pharmacy!,
    attesters,
    deployment,
    token: await coin.getAddress(),
    rulebook,
    answer,
    sealingKeys,
    eventBy: now + 14 * DAY,
    pickedUpAt: now,
    evidence: hexlify(randomBytes(32)),
  };
  return { coin, escrow: system.escrow, given };
}

/** What is no TypeScript: the test below names the command lines and who runs them, and the picture is for people. */
const others = {
  sh: (): void => undefined,
  mermaid: ({ text }: Block): Chai.Assertion => expect(text).not.to.equal(""),
};

describe("README.md", () => {
  // .ci/run runs these two, in a clean clone.
  it("names the two command lines that do everything", () => {
    const commands = blocksOf(readPage("README.md"), "sh").map((block) => block.trim());

    expect(commands).to.deep.equal(["npm ci && npm run demo", "npm ci && npm test"]);
  });

  it("shows code that takes 90.00 from the payer's pool to the pharmacy's account", async () => {
    const { coin, escrow, given } = await loadFixture(deployGiven);

    await tell({ page: "README.md", given, others });

    expect(await coin.balanceOf(given.pharmacy)).to.equal(90_000_000n);
    expect(await coin.balanceOf(given.payer)).to.equal(0n);
    expect(await coin.balanceOf(escrow)).to.equal(0n);
  });

  it("shows code that stops before care is given when the money is not locked", async () => {
    const { coin, given } = await loadFixture(deployGiven);
    const text = readPage("README.md");
    const rulebook = `0x${"00".repeat(32)}`;
    const accepting = text.replace("acceptedRulebooks: [rulebook]", `acceptedRulebooks: ["${rulebook}"]`);
    expect(accepting).not.to.equal(text);

    const failed = await tell({ page: "README.md", given, others, text: accepting }).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );

    expect(failed).to.equal("The payee does not accept this rulebook.");
    expect(await coin.balanceOf(given.pharmacy)).to.equal(0n);
  });
});
