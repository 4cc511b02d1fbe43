import { expect } from "chai";

import { met, pending } from "../../support/batches";
import { moneyOf } from "../../support/claims";
import { given, present, soundAfterEach } from "../../support/disputes";

describe("ClaimEscrow: present, attacked", () => {
  soundAfterEach();

  it("pays no line twice under a rulebook without a challenge period", async () => {
    const context = await given("retaining", [[100n], [900n]]);
    await present(context, [met, pending]);
    await present(context, [met, pending]);
    expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 900n, free: 0n, credits: [90n, 0n] });
  });
});
