import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { expect } from "chai";
import hre from "hardhat";

import { readPage, ROOT } from "./page";

/** Markdown files in a folder and below it, by their paths from the root. */
function pagesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "sdk/README.md", ...pagesIn("docs")];

const withoutCode = (page: string): string => page.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");

/** Anchors of a page: of its headings, as GitHub makes them, and those set by hand. */
function anchorsOf(page: string): string[] {
  const times = new Map<string, number>();
  const ofHeadings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    const before = times.get(anchor) ?? 0;
    times.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
  return [...ofHeadings, ...[...page.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id)];
}

/** Links of a page that lead nowhere. */
function deadLinksOf(path: string): string[] {
  const text = withoutCode(readPage(path));
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  return targets.filter((target) => {
    if (/^https:/.test(target)) return false;
    const [file = "", anchor] = target.split("#");
    const found = file === "" ? path : relative(ROOT, join(ROOT, dirname(path), file));
    if (!existsSync(join(ROOT, found))) return true;
    if (anchor === undefined) return false;
    return !statSync(join(ROOT, found)).isFile() || !anchorsOf(readPage(found)).includes(anchor);
  });
}

/** Commands of a page that this repository does not have. */
function unknownCommandsOf(path: string): string[] {
  const text = readPage(path);
  const { scripts } = JSON.parse(readPage("package.json")) as { scripts: Record<string, string> };
  const asked = [...text.matchAll(/npm run ([a-z:]+)|npx hardhat ([a-z]+(?::[a-z]+(?:-[a-z]+)*)*)/g)];
  return asked
    .filter(([, script, task]) =>
      script === undefined ? !(task! in hre.tasks || task! in hre.scopes) : !(script in scripts),
    )
    .map(([command]) => command);
}

describe("documentation", () => {
  for (const page of pages) {
    it(`${page}: every link leads somewhere`, () => {
      expect(deadLinksOf(page)).to.deep.equal([]);
    });

    it(`${page}: every command is one of this repository`, () => {
      expect(unknownCommandsOf(page)).to.deep.equal([]);
    });
  }
});
