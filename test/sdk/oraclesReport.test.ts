import { createHash } from "node:crypto";

import { AbiCoder, concat, keccak256 } from "ethers";
import { expect } from "chai";
import fc from "fast-check";

import { decodeReport, encodeReport, workflowKeyOf, workflowNameOf } from "../../sdk/src/oracles";

import { refused } from "./refused";

const word = (byte: string): string => `0x${byte.repeat(32)}`;

describe("workflow report", () => {
  const report = { rulebook: word("a1"), batchId: word("b2"), digest: word("c3"), observedAt: 1_800_000_000 };

  it("is four words: rulebook, batch, digest and time", () => {
    const time = report.observedAt.toString(16).padStart(64, "0");
    expect(encodeReport(report)).to.equal(`0x${"a1".repeat(32)}${"b2".repeat(32)}${"c3".repeat(32)}${time}`);
  });

  it("comes back as it was encoded, and is what Solidity's abi.encode gives", () => {
    const bytes32 = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
    fc.assert(
      fc.property(
        bytes32,
        bytes32,
        bytes32,
        fc.integer({ min: 0, max: 2 ** 40 - 1 }),
        (rulebook, batchId, digest, observedAt) => {
          const payload = encodeReport({ rulebook, batchId, digest, observedAt });
          expect(decodeReport(payload)).to.deep.equal({ rulebook, batchId, digest, observedAt });
          const types = ["bytes32", "bytes32", "bytes32", "uint40"];
          expect(payload).to.equal(AbiCoder.defaultAbiCoder().encode(types, [rulebook, batchId, digest, observedAt]));
        },
      ),
    );
  });

  it("refuses what is no report", () => {
    const payload = encodeReport(report);
    for (const changed of [payload.slice(0, -2), `${payload}00`, "0x", payload.slice(2), `${payload.slice(0, -1)}g`])
      refused("INPUT_INVALID", () => decodeReport(changed));
    const late = `${payload.slice(0, -64)}${"0".repeat(53)}1${"0".repeat(10)}`;
    expect(refused("INPUT_INVALID", () => decodeReport(late)).details).to.deep.equal({ path: "report.observedAt" });
  });

  it("refuses to encode what does not fit", () => {
    const cases: [string, unknown][] = [
      ["rulebook", "0x00"],
      ["batchId", undefined],
      ["digest", `${word("c3")}00`],
      ["observedAt", -1],
      ["observedAt", 1.5],
      ["observedAt", 2 ** 40],
      ["observedAt", Number.NaN],
    ];
    for (const [name, value] of cases) {
      const error = refused("INPUT_INVALID", () => encodeReport({ ...report, [name]: value }));
      expect(error.details).to.deep.equal({ path: `report.${name}` });
    }
  });
});

describe("workflow's name and key", () => {
  it("takes the first ten hex digits of the name's SHA-256, as ASCII", () => {
    for (const name of ["claim-events", "x", "névé"]) {
      const digits = createHash("sha256").update(name, "utf8").digest("hex").slice(0, 10);
      expect(workflowNameOf(name)).to.equal(`0x${Buffer.from(digits, "ascii").toString("hex")}`);
    }
    refused("INPUT_INVALID", () => workflowNameOf(""));
  });

  it("hashes id, name and owner as they stand in the forwarder's metadata", () => {
    const workflow = {
      id: word("11"),
      name: workflowNameOf("claim-events"),
      owner: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    };
    const metadata = concat([workflow.id, workflow.name, workflow.owner, "0x0001"]);
    expect(workflowKeyOf(workflow)).to.equal(keccak256(metadata.slice(0, 2 + 62 * 2)));
    const lower = { ...workflow, owner: workflow.owner.toLowerCase() };
    expect(workflowKeyOf(lower)).to.equal(workflowKeyOf(workflow));
  });

  it("refuses a workflow whose parts are of another length", () => {
    const workflow = { id: word("11"), name: workflowNameOf("x"), owner: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8" };
    refused("INPUT_INVALID", () => workflowKeyOf({ ...workflow, id: "0x11" }));
    refused("INPUT_INVALID", () => workflowKeyOf({ ...workflow, name: "claim-events" }));
    refused("IDENTIFIER_INVALID", () => workflowKeyOf({ ...workflow, owner: "0x00" }));
  });
});
