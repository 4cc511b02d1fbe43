import { expect } from "chai";

import { SEED } from "../../support/arbitraries";
import { runs } from "../../support/consents";
import { bindWorld, type PermissionChain } from "../../support/permissionChain";
import { answerTo, permissionCases, type PermissionCase } from "../../support/permissionCases";
import { reasons } from "../../support/permissionModel";

const textOf = (entry: PermissionCase): string =>
  JSON.stringify(entry, (_, value: unknown) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value), 1);

describe("ConsentRegistry: agreement with the model", () => {
  const count = runs(10_000);
  const cases = permissionCases(count, SEED);
  let chain: PermissionChain;

  before(async () => {
    chain = await bindWorld();
  });
  after(() => chain.leave());

  it(`answers ${count} requests as the model does: three in ten permitted, each reason in two of a hundred`, async function () {
    // A minute on two cores that are busy; machines that build are slower.
    this.timeout(600_000);
    const counts = new Map<string, number>(reasons.map((reason) => [reason, 0]));
    for (const entry of cases) {
      const given = await chain.ask(entry);
      expect(given, textOf(entry)).to.deep.equal(answerTo(entry));
      counts.set(given.reason, (counts.get(given.reason) ?? 0) + 1);
    }
    expect(counts.get("None")).to.be.at.least(0.3 * count);
    for (const [reason, times] of counts) expect(times, reason).to.be.at.least(0.02 * count);
  });
});
