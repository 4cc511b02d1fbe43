import { expect } from "chai";

import { payersStory } from "./payer";
import { pharmacysStory } from "./pharmacy";
import { tell } from "./story";
import { typeProblemsOf } from "./types";
import { startWorld, type World } from "./world";

describe("guides", () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.end());

  it("docs/guides/payer.md runs", async () => {
    await tell(await payersStory(world));
  });

  it("docs/guides/pharmacy.md runs", async () => {
    await tell(await pharmacysStory(world));
  });
});

describe("code in README and guides", () => {
  it("type-checks as it stands", () => {
    expect(
      typeProblemsOf([
        { page: "README.md", given: "readme.test#ReadmesGiven" },
        { page: "sdk/README.md", given: "sdkReadme.test#SdksGiven" },
        { page: "docs/guides/payer.md", given: "payer#PayersGiven" },
        { page: "docs/guides/pharmacy.md", given: "pharmacy#PharmacysGiven" },
        { page: "docs/guides/operator.md", given: "operator#OperatorsGiven" },
      ]),
    ).to.deep.equal([]);
  });
});
