import { expect } from "chai";

import { findEquivocation } from "@carepact/sdk/oracles";

import { ledgerFolder, type LedgerFolder } from "../sdk/ledgers";
import { met, notMet } from "../support/batches";

import { attesting, oneFill } from "./attesterWorld";
import { refusal } from "./support";

describe("SDK: an honest attester whom somebody asks twice within one block", () => {
  let folder: LedgerFolder;
  before(() => {
    folder = ledgerFolder();
  });
  after(() => folder.remove());

  for (const [first, second] of [
    [notMet, met],
    [met, notMet],
  ] as const)
    it(`never signs ${first.result} and ${second.result} as observed at one time: nobody can prove that it lied`, async () => {
      const { attester, ...world } = await attesting(folder);
      const batch = await oneFill(world);
      const one = await attester.attest(batch, [first]);
      const two = await attester.attest(batch, [second]);
      expect(two.observedAt).to.be.greaterThan(one.observedAt);
      expect(findEquivocation(batch, [one, two])).to.equal(undefined);
    });

  it("is told from when on, where it says itself when it looked", async () => {
    const { attester, ...world } = await attesting(folder);
    const batch = await oneFill(world);
    const { observedAt } = await attester.attest(batch, [notMet]);
    const { details } = await refusal("OBSERVED_AT_TAKEN", attester.attest(batch, [met], { observedAt }));
    expect(details).to.deep.equal({ batchId: batch.batchId, observedAt, least: observedAt + 1 });
    expect((await attester.attest(batch, [met], { observedAt: observedAt + 1 })).observedAt).to.equal(observedAt + 1);
  });
});
