import { expect } from "chai";

import { measureX12, x12LimitsMissed, x12Line } from "../../bench/x12";

describe("bench of x12", () => {
  it("measures what it wrote and read back", async () => {
    const measured = await measureX12(50);
    expect(measured.claims).to.equal(50);
    expect(measured.bytes).to.be.greaterThan(10_000);
    expect(measured.peakBytes).to.be.greaterThan(0);
  });

  it("names the limits that are missed", () => {
    const measured = { claims: 10_000, bytes: 1, writeMs: 2_001, parseMs: 1_000, peakBytes: 400 * 1024 * 1024 };
    const missed = x12LimitsMissed(measured);
    expect(missed).to.have.length(2);
    expect(missed[0]).to.contain("writeMs").and.contain("2001");
    expect(x12Line(measured)).to.contain("10,000 claims").and.contain("2001 ms").and.contain("400.0 MiB");
  });
});
