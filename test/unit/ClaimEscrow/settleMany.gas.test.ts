import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet } from "../../support/batches";
import { attested, deployClaims, eventsOf, fundedBatch } from "../../support/claims";

describe("ClaimEscrow: settleMany, given too little gas for the last", () => {
  it("skips it without a reason, keeps the others, and settles it the next time", async () => {
    const claims = await loadFixture(deployClaims);
    const small = await fundedBatch(claims, [[100n], [200n]]);
    const many = Array.from({ length: 500 }, () => 5n);
    const large = await fundedBatch(claims, [many]);
    const settlements = [
      await attested(claims, small, [notMet, met]),
      await attested(claims, large, [byLine(...many.map(() => partlyMet(2n)))]),
    ];
    const creditsOf = () =>
      Promise.all(
        claims.payees.slice(0, 2).map(async (payee) => (await claims.escrow.balancesOf(payee, claims.token)).credit),
      );
    const starved = claims.escrow.settleMany(settlements, { gasLimit: 850_000 });
    const skipped = (await eventsOf(claims, starved)).find(([name]) => name === "SettlementSkipped");
    expect(skipped).to.deep.equal(["SettlementSkipped", 1n, "0x"]);
    expect(await creditsOf()).to.deep.equal([0n, 200n]);
    expect((await claims.escrow.claimBatchStatusOf(large.id)).open).to.equal(2_500n);

    await claims.escrow.settleMany(settlements);
    expect(await creditsOf()).to.deep.equal([1_000n, 200n]);
  });
});
