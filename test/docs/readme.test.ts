import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, randomBytes } from "ethers";
import { ethers } from "hardhat";
import ts from "typescript";

import { run } from "@carepact/sdk";
import { type PharmacyClaim } from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { DAY, deploymentOf, deploySystem, deployToken } from "../support/system";

import { blocksOf, readPage } from "./page";

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

/** Everything that the sample takes as given, by the names it has there, on a deployed system. */
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
  const given = {
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

/** Runs a block of TypeScript as the body of an async function whose parameters are the names that it takes as given. */
async function runBlock(block: string, given: Record<string, unknown>): Promise<void> {
  const { outputText } = ts.transpileModule(block, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
  });
  const names = Object.keys(given);
  const body = runInThisContext(`(async (require, exports, ${names.join(", ")}) => {\n${outputText}\n})`, {
    filename: "README.md",
  }) as (...args: unknown[]) => Promise<void>;
  await body(createRequire(__filename), {}, ...Object.values(given));
}

describe("README.md", () => {
  it("names the two command lines that do everything", () => {
    const commands = blocksOf(readPage("README.md"), "sh").map((block) => block.trim());

    expect(commands).to.deep.equal(["npm ci && npm run demo", "npm ci && npm test"]);
  });

  it("shows code that takes 90.00 from the payer's pool to the pharmacy's account", async () => {
    const { coin, escrow, given } = await loadFixture(deployGiven);
    const blocks = blocksOf(readPage("README.md"), "ts");
    expect(blocks).to.have.lengthOf(1);

    await runBlock(blocks[0]!, given);

    expect(await coin.balanceOf(given.pharmacy)).to.equal(90_000_000n);
    expect(await coin.balanceOf(given.payer)).to.equal(0n);
    expect(await coin.balanceOf(escrow)).to.equal(0n);
  });

  it("shows code that stops before care is given when the money is not locked", async () => {
    const { coin, given } = await loadFixture(deployGiven);
    const [block] = blocksOf(readPage("README.md"), "ts");
    const rulebook = `0x${"00".repeat(32)}`;
    const accepting = block!.replace("acceptedRulebooks: [rulebook]", `acceptedRulebooks: ["${rulebook}"]`);
    expect(accepting).not.to.equal(block);

    const failed = await runBlock(accepting, given).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );

    expect(failed).to.equal("The payee does not accept this rulebook.");
    expect(await coin.balanceOf(given.pharmacy)).to.equal(0n);
  });
});
