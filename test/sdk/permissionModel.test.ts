import { expect } from "chai";

import { SEED } from "../support/arbitraries";
import { answerTo, permissionCases, type PermissionCase } from "../support/permissionCases";
import { reasons } from "../support/permissionModel";
import { knownDocuments, world } from "../support/permissionWorld";

describe("model of the permission function", () => {
  const cases = permissionCases(10_000, SEED);

  it("permits at least three in ten of 10,000 cases, and gives every reason at least 200 times", () => {
    const counts = new Map<string, number>(reasons.map((reason) => [reason, 0]));
    for (const entry of cases) {
      const { reason } = answerTo(entry);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    expect(cases).to.have.lengthOf(10_000);
    expect(counts.get("None")).to.be.at.least(3_000);
    for (const [reason, count] of counts) expect(count, reason).to.be.at.least(200);
  });

  it("finds in each case the fault that was put in first, whatever follows", () => {
    for (const entry of cases) {
      const { permitted, reason } = answerTo(entry);
      expect(
        reason,
        JSON.stringify(entry, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value), 1),
      ).to.equal(entry.aim);
      expect(permitted).to.equal(reason === "None");
    }
  });

  it("is asked by representatives, through sub-grants, with anchored documents, and in emergencies", () => {
    const permitted = cases.filter(({ aim }) => aim === "None");
    const share = (of: (entry: PermissionCase) => boolean): number => permitted.filter(of).length;
    expect(share(({ chain }) => chain.mandate !== undefined)).to.be.above(500);
    for (const length of [0, 1, 2, 3])
      expect(
        share(({ chain }) => chain.subGrants.length === length),
        `${length}`,
      ).to.be.above(500);
    expect(share(({ chain }) => chain.grant.name.endsWith("/anchored/grant"))).to.be.above(100);
    expect(share(({ chain }) => chain.mandate?.name.endsWith("/anchored/mandate") ?? false)).to.be.above(50);
    expect(share(({ kind }) => kind === "breakGlass")).to.be.above(200);
    expect(share(({ kind }) => kind === "represented")).to.be.above(100);
    expect(share(({ restrictions }) => restrictions !== undefined)).to.be.above(500);
  });

  it("uses of the documents that the chain knows only those it is told of, as they are", () => {
    const byName = new Map(knownDocuments.map((document) => [document.name, document]));
    const noted = [...world.anchors.keys(), ...[...world.revocations].map((entry) => entry.split(" ")[1] ?? "")];
    for (const name of noted) expect(byName.has(name), name).to.equal(true);
    for (const { chain } of cases)
      for (const document of [chain.grant, ...(chain.mandate === undefined ? [] : [chain.mandate]), ...chain.subGrants])
        if (byName.has(document.name)) expect(document).to.deep.equal(byName.get(document.name));
  });

  it("makes the same cases of the same seed", () => {
    expect(permissionCases(200, 7)).to.deep.equal(permissionCases(200, 7));
    expect(permissionCases(200, 7)).not.to.deep.equal(permissionCases(200, 8));
  });
});
