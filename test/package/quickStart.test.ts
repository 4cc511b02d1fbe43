import { expect } from "chai";

import { blocksOf, readPage } from "../docs/page";

import { addressIn, makeFolder, type Project } from "./project";

const page = readPage("docs/quick-start.md");

/** The page's port, which on this machine may be somebody else's. */
const PORT = /8545/;

describe("docs/quick-start.md", () => {
  let project: Project;

  after(() => project.remove());

  it("goes from an empty folder and the tarball to a settled claim, word for word", async () => {
    const [install, startChain, runIt, ...otherCommands] = blocksOf(page, "sh").map((block) => block.trim());
    const [program, ...otherPrograms] = blocksOf(page, "js");
    const [output, ...otherOutputs] = blocksOf(page, "text");
    expect([...otherCommands, ...otherPrograms, ...otherOutputs], "blocks that no test runs").to.deep.equal([]);

    project = await makeFolder({});
    await project.run(install!);
    const chain = project.start(`${startChain!} --port 0`);
    const port = await addressIn(chain, /^Listening on .*:(\d+)$/);
    expect(program).to.match(PORT);
    await project.write("claim.mjs", program!.replace(PORT, port));

    const said = await project.run(runIt!);

    expect(said.trim().replace(/\d+ gas/, "… gas")).to.equal(output!.trim());
    const again = await project.run(`${runIt!} 2>&1 || true`);
    expect(again).to.contain("CONTRACT_REVERTED");
  });
});
