import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { claimEscrowAbi, claimEscrowExtensionAbi } from "@carepact/sdk/abis";
import * as claims from "@carepact/sdk/claims";
import * as fhir from "@carepact/sdk/fhir";
import * as x12 from "@carepact/sdk/x12";

import { readPage, ROOT } from "./page";

const page = readPage("docs/claims.md");

interface Arrow {
  from: string;
  to: string;
  function: string;
}

/** The picture that stands before a table, and the states that it greys. */
function pictureBefore(name: string): { arrows: Arrow[]; grey: string[] } {
  const before = page.slice(0, page.indexOf(`<!-- arrows: ${name} -->`));
  const picture = before.slice(before.lastIndexOf("```mermaid"));
  const arrows = [...picture.matchAll(/^ +(\S+) --> (\S+): (.+)$/gm)].map(([, from = "", to = "", label = ""]) => ({
    from,
    to,
    function: label,
  }));
  const [, grey = ""] = /^ +class (.+) later$/m.exec(picture) ?? [];
  return { arrows, grey: grey === "" ? [] : grey.split(", ") };
}

/** The rows of a table: the arrow, and the test that shows it. */
function tableOf(name: string): (Arrow & { title: string; file: string })[] {
  const table = page.slice(page.indexOf(`<!-- arrows: ${name} -->`)).split("\n\n")[1] ?? "";
  const rows = table.trimEnd().split("\n").slice(2);
  return rows.map((row) => {
    const [from = "", to = "", made = "", , shown = ""] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [, title = "", file = ""] = /^\[(.+)\]\(\.\.\/(.+)\)$/.exec(shown) ?? [];
    return { from, to, function: made.replaceAll("`", ""), title, file };
  });
}

/** What makes arrows outside the protocol: messages and deeds that no function stands for. */
const outside = ["B1", "ServiceRequest", "specimen"];

const functionsOf = (abi: readonly { type: string; name?: string }[]): string[] =>
  abi.flatMap(({ type, name }) => (type === "function" && name !== undefined ? [name] : []));
const known = new Set([
  ...functionsOf(claimEscrowAbi),
  ...functionsOf(claimEscrowExtensionAbi),
  ...[claims, fhir, x12].flatMap((area) => Object.keys(area)),
  // Of the object that createClaims makes: the type checker holds these names.
  ...(["check", "attest", "remittance"] satisfies (keyof claims.Claims)[]),
]);

describe("docs/claims.md", () => {
  for (const name of ["money", "pharmacy", "laboratory"])
    describe(`the arrows of ${name}`, () => {
      it("are the same in picture and table", () => {
        const arrows = tableOf(name).map(({ from, to, function: made }) => ({ from, to, function: made }));
        expect(arrows).to.deep.equal(pictureBefore(name).arrows);
      });

      it("are made by functions that exist, or grey, or outside", () => {
        const { grey } = pictureBefore(name);
        for (const { to, function: made } of tableOf(name)) {
          expect(made === "later", `${to} by ${made}`).to.equal(grey.includes(to));
          if (made !== "later" && !outside.includes(made)) expect([...known], made).to.include(made);
        }
      });

      it("have a test each, of the title that is given", () => {
        for (const { function: made, title, file } of tableOf(name)) {
          if (made === "later" || outside.includes(made)) {
            expect(title, made).to.equal("");
            continue;
          }
          expect(existsSync(join(ROOT, file)), `${made}: ${file}`).to.equal(true);
          expect(readFileSync(join(ROOT, file), "utf8"), `${made}: ${file}`).to.include(`"${title}"`);
        }
      });
    });
});
