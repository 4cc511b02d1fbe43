import { expect } from "chai";

import {
  completionOf,
  eventKeyOf,
  readPharmacyClaim,
  requireCompletion,
  type AdjudicatedClaim,
  type PartFill,
  type PharmacyClaim,
} from "../../sdk/src/claims";
import type { ErrorCode } from "../../sdk/src/errors";

import { answerOf, fillOf, groupOf, plan } from "./coordinationFixture";
import { refused } from "./refused";

const test = { charge: "60", allowed: "60", patientResponsibility: "0", planPays: "60" };
const later = { claimId: "F-2", dateOfService: "2026-01-20" };
const part = (value: string, paid: bigint): PartFill => ({ quantity: { value, unit: "EA" }, paid });

describe("the completion of a partly filled prescription", () => {
  const claim = fillOf("60.00", "30.00");

  it("bills what is left as a new line with an event of its own", () => {
    const rest = completionOf(claim, 1, [part("18", 3_600n)], later);
    expect(rest).to.include({ claimId: "F-2", charge: 3_600n, planPays: 2_400n, payee: claim.payee });
    expect(rest.lines).to.deep.equal([
      {
        lineNumber: 1,
        event: {
          kind: "dispense",
          pharmacyNpi: "1234567893",
          prescriptionReferenceNumber: "7700001",
          fillNumber: 0,
          partialFillNumber: 2,
          dateOfService: "2026-01-20",
        },
        quantity: { value: "12", unit: "EA" },
        charge: 3_600n,
        allowed: 3_600n,
        patientShare: 1_200n,
        otherPayers: 0n,
        adjustments: [{ group: "PR", reason: "3", amount: 1_200n }],
        planPays: 2_400n,
      },
    ]);
    expect(eventKeyOf(rest.lines[0]!.event)).not.to.equal(eventKeyOf(claim.lines[0]!.event));
  });

  it("goes on to a third part, and from a completion that was filled in part itself", () => {
    const third = completionOf(claim, 1, [part("18", 3_600n), part("6.5", 1_300n)], later);
    expect(third.lines[0]).to.deep.include({ quantity: { value: "5.5", unit: "EA" }, planPays: 1_100n });
    expect(third.lines[0]!.event).to.include({ partialFillNumber: 3 });
    const second = completionOf(claim, 1, [part("18", 3_600n)], later);
    const last = completionOf(second, 1, [part("6", 1_200n)], { claimId: "F-3", dateOfService: "2026-01-25" });
    expect(last.lines[0]!.event).to.include({ partialFillNumber: 3, dateOfService: "2026-01-25" });
    expect(last.planPays).to.equal(1_200n);
  });

  it("may be billed by the pharmacy itself, and stands in a batch beside nothing else of its fill", async () => {
    const resource = claim.resource as unknown as PharmacyClaim;
    const billed = readPharmacyClaim({ ...resource, partialFillNumber: 2 }, { payee: claim.payee });
    expect(billed.lines[0]!.event).to.include({ partialFillNumber: 2 });
    const [line] = (await groupOf(plan, [completionOf(claim, 1, [part("18", 3_600n)], later)])).lines;
    expect(line?.event).to.include({ partialFillNumber: 2 });
    for (const partialFillNumber of [1, 0, 2.5])
      refused("INPUT_INVALID", () => readPharmacyClaim({ ...resource, partialFillNumber }, { payee: claim.payee }));
  });

  it("refuses parts that come to the quantity billed or more", () => {
    for (const fills of [[part("30", 6_000n)], [part("30.5", 6_000n)], [part("18", 3_600n), part("12", 2_400n)]])
      expect(refused("FILLS_EXCEED_QUANTITY", () => completionOf(claim, 1, fills, later)).details).to.include({
        path: "lines[0]",
        equation: "sum of fills < quantity billed",
        right: "30",
      });
  });

  it("refuses more paid than the line holds, and what no part can be told of", () => {
    expect(
      refused("CLAIM_DOES_NOT_BALANCE", () => completionOf(claim, 1, [part("18", 6_001n)], later)).details,
    ).to.include({ equation: "sum of fills paid <= planPays", left: "60.01", right: "60.00" });

    const path = (code: ErrorCode, action: () => unknown): unknown => refused(code, action).details.path;
    const fills = [part("18", 3_600n)];
    const without = {
      ...claim,
      lines: claim.lines.map(({ quantity: _, ...line }) => line),
    };
    const laboratorys = answerOf([test]);
    const cases: [ErrorCode, string, () => unknown][] = [
      ["INPUT_INVALID", "lineNumber", () => completionOf(claim, 2, fills, later)],
      ["INPUT_INVALID", "lines[0].quantity", () => completionOf(without, 1, fills, later)],
      ["INPUT_INVALID", "lines[0].event", () => completionOf(laboratorys, 1, fills, later)],
      ["INPUT_INVALID", "fills", () => completionOf(claim, 1, [], later)],
      [
        "INPUT_INVALID",
        "fills[0].quantity.unit",
        () => completionOf(claim, 1, [{ quantity: { value: "18", unit: "ML" }, paid: 1n }], later),
      ],
      ["INPUT_INVALID", "fills[0].paid", () => completionOf(claim, 1, [part("18", -1n)], later)],
      ["AMOUNT_INVALID", "fills[0].quantity.value", () => completionOf(claim, 1, [part("some", 1n)], later)],
      [
        "INPUT_INVALID",
        "dateOfService",
        () => completionOf(claim, 1, fills, { claimId: "F-2", dateOfService: "2026-02-30" }),
      ],
    ];
    for (const [code, at, action] of cases) expect(path(code, action)).to.equal(at);
  });

  it("may be billed by the pharmacy in other words, but not for more, and only as the next part", () => {
    const fills = [part("18", 3_600n)];
    const rest = completionOf(claim, 1, fills, later);
    const billed = (change: object): AdjudicatedClaim => ({
      ...rest,
      lines: rest.lines.map((line) => ({ ...line, ...change })),
    });
    requireCompletion(claim, 1, fills, rest);
    requireCompletion(claim, 1, fills, billed({ quantity: { value: "11.75", unit: "EA" } }));
    const { details } = refused("FILLS_EXCEED_QUANTITY", () =>
      requireCompletion(claim, 1, fills, billed({ quantity: { value: "12.25", unit: "EA" } })),
    );
    expect(details).to.include({ equation: "sum of fills <= quantity billed", left: "12.25", right: "12" });

    const dear = fillOf("24.01", "65.99");
    const paidMore = { ...dear, lines: dear.lines.map((line) => ({ ...line, event: rest.lines[0]!.event })) };
    refused("FILLS_EXCEED_QUANTITY", () => requireCompletion(claim, 1, fills, paidMore));
    const less = {
      ...paidMore,
      lines: paidMore.lines.map((line) => ({ ...line, quantity: { value: "12", unit: "EA" } })),
    };
    const { equation, left } = refused("CLAIM_DOES_NOT_BALANCE", () =>
      requireCompletion(claim, 1, fills, less),
    ).details;
    expect([equation, left]).to.deep.equal(["sum of fills paid <= planPays", "60.01"]);

    const event = rest.lines[0]!.event;
    for (const other of [
      { event: { ...event, partialFillNumber: 3 } },
      { event: { ...event, fillNumber: 1 } },
      { event: claim.lines[0]!.event },
    ])
      refused("INPUT_INVALID", () => requireCompletion(claim, 1, fills, billed(other)));
    for (const quantity of [undefined, { value: "12", unit: "ML" }])
      refused("INPUT_INVALID", () => requireCompletion(claim, 1, fills, billed({ quantity })));
    const two = { ...answerOf([test, test]), payee: rest.payee };
    refused("INPUT_INVALID", () => requireCompletion(claim, 1, fills, two));
  });
});
