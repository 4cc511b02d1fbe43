import { readFileSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { parse835 } from "@carepact/sdk/x12";

import { isoTime } from "../../tasks/support/show";

import { accounts, fill, npis, type Json } from "./support";
import { attested, fundedWorld, type FundedWorld } from "./world";

const parties = { payer: { taxId: "123456789" }, payee: { name: "A pharmacy with a longer name" } };

interface Settled extends FundedWorld {
  /** Options of `remittance`. */
  asked: Record<string, string>;
  before: number;
}

/** The batch settled: one fill met, one not; and time went on. */
async function settledWorld(): Promise<Settled> {
  const world = await fundedWorld();
  const { does, record, file, address } = world;
  const before = await time.latest();
  const results = [
    {
      result: "byLine",
      lines: [
        { claimId: "F-11", result: "met" },
        { claimId: "F-12", result: "notMet" },
      ],
    },
    "pending",
  ];
  const groups = file(
    "results.json",
    address(accounts.pharmacy) < address(accounts.laboratory) ? results : results.reverse(),
  );
  const attestations = await attested(world, record, { results: groups });
  await does(accounts.pharmacy, "batch:settle", { file: record, attestations });
  await time.increase(100);
  const asked = {
    payer: address(accounts.payer),
    payee: address(accounts.pharmacy),
    from: isoTime(before),
    to: isoTime(await time.latest()),
    records: record,
    parties: file("parties.json", parties),
    finality: "latest",
  };
  return { ...world, asked, before };
}

describe("Tasks: remittance", () => {
  it("shows what was paid, and writes it as an 835 and in FHIR", async () => {
    const { does, asked, path, file } = await loadFixture(settledWorld);
    const claims = file("denied.json", [fill("13", "0", npis.pharmacy)]);
    const outputs = { x12: path("january.835"), fhir: path("january.json") };
    const json = await does("", "remittance", { ...asked, ...outputs, claims });
    expect(json).to.deep.include({ payment: "90.00", credited: "90.00", repaid: "0.00", currency: "USD", ...outputs });
    expect(json["claims"]).to.deep.equal([
      { claimId: "F-11", status: "1", charge: "90.00", paid: "90.00" },
      { claimId: "F-12", status: "4", charge: "12.34", paid: "0.00" },
      { claimId: "F-13", status: "4", charge: "0.00", paid: "0.00" },
    ]);
    for await (const { payment, payee, trace } of parse835(readFileSync(outputs.x12, "utf8"))) {
      expect(payment.amount).to.equal(9_000n);
      // The NPI is the directory's, the name that of the file.
      expect(payee).to.deep.include({ name: parties.payee.name, id: npis.pharmacy });
      expect(trace.reference).to.equal(json["reference"]);
    }
    const bundle = JSON.parse(readFileSync(outputs.fhir, "utf8")) as { entry: { resource: Json }[] };
    expect(bundle.entry.map(({ resource }) => resource["resourceType"])).to.deep.equal([
      ...["ExplanationOfBenefit", "ExplanationOfBenefit", "ExplanationOfBenefit"],
      "PaymentReconciliation",
    ]);
  });

  it("opens a payee's own file, and says what is missing", async () => {
    const { does, fails, asked, batch, pharmacy, at } = await loadFixture(settledWorld);
    const own = await does("", "remittance", { ...asked, records: batch }, pharmacy);
    expect(own["payment"]).to.equal("90.00");
    expect(own["x12"]).to.match(/^ISA\*/);
    await fails(2, undefined, "remittance", { ...asked, records: batch });
    await fails(2, undefined, "remittance", { ...asked, to: "2999-01-01", ...at });
  });

  it("carries what was reversed from remittance to remittance", async () => {
    const { does, asked, record, batchId, file } = await loadFixture(settledWorld);
    await does(accounts.pharmacy, "batch:refund", { file: record, amount: "90.00", from: "credit" });
    await time.increase(100);
    const to = isoTime(await time.latest());
    const said = file("said.json", { reversals: [{ batchId, claimId: "F-11" }] });
    const json = await does("", "remittance", { ...asked, from: asked["to"]!, to, said });
    expect(json).to.deep.include({ payment: "0.00", repaid: "90.00" });
    expect(json["claims"]).to.deep.equal([{ claimId: "F-11", status: "22", charge: "-90.00", paid: "-90.00" }]);
  });

  it("explains a payout", async () => {
    const { does, token, batchId } = await loadFixture(settledWorld);
    const { transaction } = (await does(accounts.pharmacy, "batch:payout", { token })) as { transaction: Json };
    const { payouts } = (await does("", "payout:explain", { tx: transaction.hash as string })) as { payouts: Json[] };
    expect(payouts).to.have.length(1);
    expect(payouts[0]).to.deep.include({ amount: "90.00 TUSD", left: [] });
    expect((payouts[0]!["parts"] as Json[])[0]).to.include({ kind: "settled", batchId, amount: "90.00 TUSD" });
  });
});
