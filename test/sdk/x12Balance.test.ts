import { expect } from "chai";

import { balance835, parse835, stream835 } from "../../sdk/src/x12";

import { refused, refusedAsync } from "./refused";
import { allOf, claimOf, only835, ownFiles, publicFiles, remittanceOf, serviceOf, x12Text } from "./x12Files";

describe("x12.balance835", () => {
  it("finds that every file balances, and gives its sums", async () => {
    for (const [name, text] of [...ownFiles("835"), ...publicFiles("835")])
      for await (const transaction of parse835(text, { balance: false })) {
        const { paid, withheld, payment } = balance835(transaction);
        expect(paid - withheld, name)
          .to.equal(payment)
          .and.to.equal(transaction.payment.amount);
      }
    expect(balance835(await only835(x12Text("provider-adjustments.835")))).to.deep.equal({
      charged: 15000n,
      paid: 15000n,
      withheld: 6160n,
      payment: 8840n,
    });
  });

  it("takes adjustments of claim and services together", () => {
    const services = [serviceOf(800n, 500n), serviceOf(100n, 100n)];
    const adjustments = [{ group: "CO", reason: "A2", amount: 50n }];
    expect(balance835(remittanceOf([claimOf(900n, 550n, { adjustments, services })])).payment).to.equal(550n);
  });

  it("takes reversals, whose signs are inverted", () => {
    const reversal = claimOf(-900n, -500n, { status: "22", services: [serviceOf(-900n, -500n)] });
    expect(balance835(remittanceOf([reversal, claimOf(900n, 600n)])).paid).to.equal(100n);
    const error = refused("X12_DOES_NOT_BALANCE", () =>
      balance835(remittanceOf([claimOf(900n, 500n, { status: "22" })])),
    );
    expect(error.details["equation"]).to.equal("CLP03 <= 0 where CLP02 is 22");
  });

  it("names the sum that fails, the claim, the service and both figures", () => {
    const service = { ...serviceOf(800n, 500n), paid: 499n };
    expect(
      refused("X12_DOES_NOT_BALANCE", () =>
        balance835(remittanceOf([claimOf(900n, 599n, { services: [serviceOf(100n, 100n), service] })])),
      ).details,
    ).to.deep.equal({
      equation: "SVC02 - sum of CAS = SVC03",
      stated: "4.99",
      computed: "5.00",
      claimId: "SYN-CLAIM-1",
      service: 2,
    });
    expect(
      refused("X12_DOES_NOT_BALANCE", () =>
        balance835(remittanceOf([claimOf(900n, 500n, { services: [serviceOf(800n, 500n)] })])),
      ).details,
    ).to.deep.equal({ equation: "sum of SVC02 = CLP03", stated: "9.00", computed: "8.00", claimId: "SYN-CLAIM-1" });
    expect(
      refused("X12_DOES_NOT_BALANCE", () => balance835(remittanceOf([claimOf(900n, 500n, { adjustments: [] })])))
        .details,
    ).to.deep.equal({
      equation: "CLP03 - sum of CAS = CLP04",
      stated: "5.00",
      computed: "9.00",
      claimId: "SYN-CLAIM-1",
    });
    const remittance = remittanceOf([claimOf(900n, 500n)]);
    const whole = refused("X12_DOES_NOT_BALANCE", () =>
      balance835({ ...remittance, payment: { ...remittance.payment, amount: 501n } }),
    );
    expect(whole.details).to.deep.equal({
      equation: "sum of CLP04 - sum of PLB = BPR02",
      stated: "5.01",
      computed: "5.00",
    });
    expect(whole.message).to.contain("5.01").and.contain("5.00");
  });

  it("is asked of every claim that is read, unless told otherwise", async () => {
    const text = x12Text("primary.835").replace("*400*255.5*", "*400*255.51*");
    const error = await refusedAsync("X12_DOES_NOT_BALANCE", allOf(parse835(text)));
    expect(error.details).to.include({ segment: 17, id: "CLP", claimId: "SYN-CLAIM-1", stated: "255.51" });
    expect(await allOf(parse835(text, { balance: false }))).to.have.length(1);
    const total = x12Text("primary.835").replace("*305.5*", "*305.51*");
    expect((await refusedAsync("X12_DOES_NOT_BALANCE", allOf(stream835(total)))).details["id"]).to.equal("SE");
  });
});
