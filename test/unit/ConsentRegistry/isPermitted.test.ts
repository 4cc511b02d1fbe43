import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import fc from "fast-check";

import { reasons, runs } from "../../support/consents";

import { type Fault, ask, deployScenario, draftOf, faults } from "./scenario";

describe("ConsentRegistry: isPermitted, every reason", () => {
  it("permits a chain of every part there can be", async () => {
    expect(await ask(await loadFixture(deployScenario))).to.equal("None");
  });

  it("refuses whatever is wrong, with its reason", async () => {
    await loadFixture(deployScenario);
    for (const { what, reason, apply } of await faults()) {
      const scenario = await loadFixture(deployScenario);
      const changed = draftOf(scenario);
      apply(changed);
      expect(await ask(changed), what).to.equal(reason);
    }
  });

  it("has a test of every reason", async () => {
    await loadFixture(deployScenario);
    const tested = new Set((await faults()).map(({ reason }) => reason));
    // The first is no refusal; the others have tests of their own (revoke.test.ts, breakGlass.test.ts).
    const elsewhere = ["None", "SignerReplaced", "BreakGlassNotForOrganization"] as const;
    expect([...tested, ...elsewhere]).to.have.members([...reasons]);
  });

  it("tells the first in the documented order when two things are wrong", async () => {
    await loadFixture(deployScenario);
    const all = await faults();
    const index = fc.integer({ min: 0, max: all.length - 1 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(index, { minLength: 2, maxLength: 2 }), async (pair) => {
        const [first, second] = pair.sort((a, b) => a - b).map((at) => all[at]!) as [Fault, Fault];
        fc.pre(!first.only || first.only !== second.only);
        const scenario = draftOf(await loadFixture(deployScenario));
        second.apply(scenario);
        first.apply(scenario);
        // What is wrong with a mandate is not found where there is none.
        fc.pre(!scenario.withoutMandate || !/Mandate|Custodian/.test(first.reason));
        expect(await ask(scenario), `${first.what}; ${second.what}`).to.equal(first.reason);
      }),
      { numRuns: runs(400) },
    );
  });
});
