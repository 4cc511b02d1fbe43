import { expect } from "chai";

import { startAnvil, type Anvil } from "../support/anvil";

import { blocksOf, readPage } from "./page";
import { tell } from "./story";

/** What the SDK's own page takes as given. */
export interface SdksGiven {
  url: string;
}

describe("sdk/README.md", () => {
  let anvil: Anvil;
  beforeEach(async () => {
    anvil = await startAnvil();
  });
  afterEach(() => anvil.stop());

  it("runs on an empty chain", async () => {
    const given: SdksGiven = { url: anvil.url };

    await tell({ page: "sdk/README.md", given, others: { sh: () => undefined } });
  });

  // test/package/ installs the packed package like that.
  it("names the command that installs it", () => {
    expect(blocksOf(readPage("sdk/README.md"), "sh")).to.deep.equal(["npm install @carepact/sdk ethers\n"]);
  });

  it("stands alone: it links to nothing that the package does not carry", () => {
    expect(readPage("sdk/README.md")).not.to.match(/\]\((?!#)/);
  });

  it("names every entry of the package, and no other", () => {
    const { exports } = JSON.parse(readPage("sdk/package.json")) as { exports: Record<string, unknown> };
    const entries = Object.keys(exports).filter((entry) => entry !== "./package.json");
    const named = [...readPage("sdk/README.md").matchAll(/^\| `(@carepact\/sdk[\w/]*)` /gm)].map(([, entry]) => entry);

    expect(named).to.have.members(entries.map((entry) => entry.replace(/^\./, "@carepact/sdk")));
  });
});
