import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { gatewaysStory } from "./gateway";
import { oraclesStory } from "./oracles";
import { fencedBlocksOf, readPage, ROOT } from "./page";
import { patientsStory } from "./patient";
import { payersStory } from "./payer";
import { pharmacysStory } from "./pharmacy";
import { remittanceStory } from "./remittance";
import { severalPayersStory } from "./severalPayers";
import { startShell, type Shell } from "./shell";
import { tell } from "./story";
import { typeProblemsOf } from "./types";
import { ownFolder, startWorld, type World } from "./world";

describe("guides", () => {
  let leave: () => Promise<void>;
  let world: World;
  let terminal: World;
  let shell: Shell;
  beforeEach(async () => {
    [world, terminal] = await Promise.all([startWorld(), startWorld()]);
    leave = await ownFolder();
    shell = await startShell(terminal.anvil.url);
  });
  afterEach(async () => {
    shell.end();
    await Promise.all([world.end(), terminal.end()]);
    await leave();
  });

  it("docs/guides/payer.md runs", async () => {
    await tell(await payersStory(world, terminal, shell));
  });

  it("docs/guides/pharmacy.md runs", async () => {
    await tell(await pharmacysStory(world, terminal, shell));
  });

  it("docs/guides/gateway.md runs", async () => {
    await tell(await gatewaysStory(world, terminal, shell));
  });

  it("docs/guides/patient.md runs", async () => {
    await tell(await patientsStory(world, terminal, shell));
  });

  it("docs/guides/several-payers.md runs", async () => {
    await tell(await severalPayersStory(world));
  });

  it("docs/guides/remittance.md runs", async () => {
    await tell(await remittanceStory(world));
  });

  it("docs/oracles.md runs", async () => {
    await tell(await oraclesStory(world));
  });
});

describe("code in README and guides", () => {
  // Every guide is told above or in operator.test.ts; pages beside these have tests of their own.
  it("is all run", () => {
    const guides = [
      "gateway.md",
      "operator.md",
      "patient.md",
      "payer.md",
      "pharmacy.md",
      "remittance.md",
      "several-payers.md",
    ];
    const others = [
      "README.md",
      "benchmarks.md",
      "claim-batch.md",
      "claims.md",
      "consent-fhir.md",
      "erc-8356.md",
      "event-mapping.md",
      "invariants.md",
      "oracles.md",
      "overview.md",
      "patients.md",
      "privacy.md",
      "quick-start.md",
      "security.md",
    ];
    const pagesIn = (folder: string): string[] =>
      readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(".md"));

    expect(pagesIn("docs/guides")).to.have.members(guides);
    expect(pagesIn("docs")).to.have.members(others);
    for (const page of [
      "CONTRIBUTING.md",
      "docs/README.md",
      "docs/security.md",
      "docs/invariants.md",
      "docs/benchmarks.md",
      "docs/privacy.md",
      "docs/event-mapping.md",
    ])
      expect(fencedBlocksOf(readPage(page)), page).to.deep.equal([]);
    expect(fencedBlocksOf(readPage("docs/overview.md")).map(({ language }) => language)).to.deep.equal([
      "mermaid",
      "mermaid",
    ]);
    expect(fencedBlocksOf(readPage("docs/patients.md")).map(({ language }) => language)).to.deep.equal(["mermaid"]);
  });

  it("type-checks as it stands", () => {
    expect(
      typeProblemsOf([
        { page: "README.md", given: "readme.test#ReadmesGiven" },
        { page: "sdk/README.md", given: "sdkReadme.test#SdksGiven" },
        { page: "docs/guides/payer.md", given: "payer#PayersGiven" },
        { page: "docs/guides/pharmacy.md", given: "pharmacy#PharmacysGiven" },
        { page: "docs/guides/patient.md", given: "patient#PatientsGiven" },
        { page: "docs/guides/gateway.md", given: "gateway#GatewaysGiven" },
        { page: "docs/guides/operator.md", given: "operator#OperatorsGiven" },
        { page: "docs/guides/remittance.md", given: "remittance#RemittanceGiven" },
        { page: "docs/guides/several-payers.md", given: "severalPayers#SeveralPayersGiven" },
        { page: "docs/oracles.md", given: "oracles#OraclesGiven" },
      ]),
    ).to.deep.equal([]);
  });
});
