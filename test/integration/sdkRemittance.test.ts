import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import {
  createClaims,
  openClaimBatchRecord,
  unpaidPartOf,
  type OpenedGroup,
  type OpenedRecord,
  type RemittanceQuery,
} from "@carepact/sdk/claims";
import { readExplanationOfBenefit, readPaymentReconciliation } from "@carepact/sdk/fhir";
import { balance835, parse835, type Transaction835 } from "@carepact/sdk/x12";

import { met, notMet, partlyMet } from "../support/batches";

import {
  attestations,
  byClaim,
  CENT,
  deployWorld,
  fill,
  fundedBatch,
  nodeWith,
  openAs,
  refusal,
  usualClaims,
  type World,
} from "./support";

const DOLLAR = 100n * CENT;

const parties = {
  payer: { name: "Example Health Plan", taxId: "123456789" },
  payee: { name: "Example Pharmacy", npi: "1234567893" },
};

/** The 835 that stands in a text. */
async function parsed(x12: string): Promise<Transaction835> {
  const sets: Transaction835[] = [];
  for await (const transaction of parse835(x12)) sets.push(transaction);
  expect(sets).to.have.length(1);
  return sets[0]!;
}

/** What is asked about the pharmacy, from `from` to this moment. */
async function queryOf(
  world: World,
  from: number,
  batches: (OpenedGroup | OpenedRecord)[],
  more: Partial<RemittanceQuery> = {},
): Promise<RemittanceQuery> {
  const to = (await time.latest()) + 1;
  await time.increase(10);
  return { payer: world.payer.address, payee: world.pharmacy.address, from, to, batches, parties, ...more };
}

describe("SDK: remittance of a payer to a payee", () => {
  describe("given a batch that settled by line", () => {
    async function deploySettled() {
      const world = await deployWorld();
      const from = await time.latest();
      const claims = [
        ...usualClaims(world),
        fill(world.pharmacy.address, "13", "20.00"),
        fill(world.pharmacy.address, "14", "0"),
      ];
      const { record, file } = await fundedBatch(world, claims);
      const opened = openClaimBatchRecord(record);
      const [fills] = opened.opened as [OpenedGroup, OpenedGroup];
      const results = [byClaim(fills, { "F-11": met, "F-12": partlyMet(10n * DOLLAR), "F-13": notMet }), met];
      await run(world.payer.claims.settle(opened, await attestations(world, opened, results)));
      return { world, from, claims, opened, file };
    }

    it("tells each line as events paid it, and balances to the cent", async () => {
      const { world, from, claims, opened } = await loadFixture(deploySettled);
      const statements = claims.flatMap((claim) => unpaidPartOf(claim) ?? []);
      const query = await queryOf(world, from, [opened], { statements });
      const { remittance, x12, eob, reconciliation, transaction } = await world.stranger.claims.remittance(query, {
        finality: "latest",
      });
      expect(remittance).to.deep.include({ credited: 10_000n, repaid: 0n, payment: 10_000n, remainder: 0n });
      expect(
        remittance.claims.map(({ claimId, status, charge, paid }) => [claimId, status, charge, paid]),
      ).to.deep.equal([
        ["F-11", "1", 9_000n, 9_000n],
        ["F-12", "1", 1_234n, 1_000n],
        ["F-13", "4", 2_000n, 0n],
        ["F-14", "4", 0n, 0n],
      ]);
      const [, partly, denied] = remittance.claims;
      expect(partly!.lines[0]!.adjustments).to.deep.equal([{ group: "CO", reason: "112", amount: 234n }]);
      expect(denied!.lines[0]!.adjustments).to.deep.equal([{ group: "CO", reason: "112", amount: 2_000n }]);

      const back = await parsed(x12);
      expect(back).to.deep.equal(transaction);
      expect(balance835(back)).to.deep.include({ charged: 12_234n, paid: 10_000n, payment: 10_000n });
      expect(back.trace.reference).to.equal(remittance.reference).and.to.have.length(30);
      const explained = eob.map((one) => readExplanationOfBenefit(one));
      expect(explained.map(({ paid }) => paid)).to.deep.equal([9_000n, 1_000n, 0n, 0n]);
      expect(readPaymentReconciliation(reconciliation).paymentAmount).to.equal(10_000n);
    });

    it("is the same from the payee's own file, and the same again", async () => {
      const { world, from, opened, file } = await loadFixture(deploySettled);
      const own = await openAs(world.pharmacy, file);
      const query = await queryOf(world, from, [opened]);
      const first = await world.payer.claims.remittance(query, { finality: "latest" });
      const second = await world.pharmacy.claims.remittance({ ...query, batches: [own] }, { finality: "latest" });
      expect(second).to.deep.equal(first);
    });

    it("has nothing in a period in which nothing happened", async () => {
      const { world, from, opened } = await loadFixture(deploySettled);
      const query = await queryOf(world, from - 100, [opened], { to: from });
      const { remittance, x12 } = await world.payer.claims.remittance(query, { finality: "latest" });
      expect(remittance).to.deep.include({ claims: [], payment: 0n });
      expect((await parsed(x12)).payment).to.include({ handling: "H", method: "NON", amount: 0n });
    });

    it("refuses a batch that is missing, and a period that is not over", async () => {
      const { world, from, opened } = await loadFixture(deploySettled);
      const query = await queryOf(world, from, [], { token: world.tokenAddress });
      const error = await refusal(
        "REMITTANCE_BATCH_MISSING",
        world.payer.claims.remittance(query, { finality: "latest" }),
      );
      expect(error.details).to.deep.equal({ batchIds: [opened.batchId] });
      const early = { ...query, batches: [opened], to: (await time.latest()) + 1_000 };
      await refusal("INPUT_INVALID", world.payer.claims.remittance(early, { finality: "latest" }));
    });

    it("is refused when a node reports another amount than lines come to", async () => {
      const { world, from, opened } = await loadFixture(deploySettled);
      const query = await queryOf(world, from, [opened]);
      const { interface: abi } = world.escrow;
      const topic = abi.getEvent("GroupSettled").topicHash;
      const send = world.payer.signer.provider.send.bind(world.payer.signer.provider);
      const lying = nodeWith({
        send: async (method: string, params: unknown[]): Promise<unknown> => {
          const answer: unknown = await send(method, params);
          if (method !== "eth_getLogs") return answer;
          return (answer as { topics: string[]; data: string }[]).map((log) => {
            if (log.topics[0] !== topic) return log;
            const [paid, freed] = abi.decodeEventLog("GroupSettled", log.data, log.topics).slice(2) as unknown as [
              bigint,
              bigint,
            ];
            const { data } = abi.encodeEventLog("GroupSettled", [
              opened.batchId,
              world.payer.address,
              paid - CENT,
              freed,
            ]);
            return { ...log, data };
          });
        },
      } as never);
      const claims = createClaims({ runner: lying, deployment: world.deployment });
      const error = await refusal("REMITTANCE_MISMATCH", claims.remittance(query, { finality: "latest" }));
      expect(error.details).to.include({ batchId: opened.batchId, what: "paid", lines: "100.00", reported: "99.99" });
      expect(error.txHash).to.be.a("string");
    });
  });
});
