import { expect } from "chai";
import hre from "hardhat";

import { createConsents } from "@carepact/sdk/consents";

import { readPage, rowsOf } from "./page";

const page = readPage("docs/erc-8356.md");

/** All that is in code in a cell. */
const namesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

/** Fields of the structs that are signed. */
function fieldsOf(struct: string): string[] {
  const types = readPage("contracts/interfaces/ConsentTypes.sol");
  const [, body = ""] = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(types) ?? [];
  return [...body.matchAll(/(\w+);/g)].map(([, name = ""]) => `${struct}.${name}`);
}

describe("docs/erc-8356.md", () => {
  it("names on Carepact's side only what there is", async () => {
    const { abi } = await hre.artifacts.readArtifact("ConsentRegistry");
    const functions = (abi as { type: string; name?: string }[]).flatMap(({ type, name }) =>
      type === "function" && name !== undefined ? [name] : [],
    );
    const deployment = { consentRegistry: "" } as never;
    const methods = Object.keys(createConsents({ runner: {} as never, deployment })).map((name) => `consents.${name}`);
    const known = [...functions, ...methods, "SubGrant", ...fieldsOf("Grant")];
    const cells = rowsOf(page, "ERC-8356", "here", "what differs").map(([, here]) => here);
    const verbs = [...page.matchAll(/^\|[^|]*\|([^|]*)\|[^|]*\|$/gm)].map(([, here = ""]) => here);

    expect(verbs.length).to.be.greaterThan(cells.length);
    const ofTheDraft = ["QUERY", "DERIVE", "EXPORT", "TRAIN"];
    const named = verbs.flatMap(namesIn).filter((name) => !ofTheDraft.includes(name));
    expect(named.filter((name) => !known.includes(name))).to.deep.equal([]);
    expect(named.length).to.be.greaterThan(15);
  });
});
