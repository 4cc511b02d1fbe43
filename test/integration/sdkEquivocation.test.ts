import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";

import { run } from "@carepact/sdk";
import { askChain, statementOf, type Attestation, type GroupResult } from "@carepact/sdk/claims";
import { createEvents } from "@carepact/sdk/events";
import { equivocationOf, findEquivocation, nextObservedAt } from "@carepact/sdk/oracles";
import type { RulebookInput } from "@carepact/sdk/rulebooks";

import { byLine, met, notMet, partlyMet, pending } from "../support/batches";
import { accountKey } from "../support/keys";

import { deployKeys, fundedUnder, signerOf, type Conditioned, type KeysWorld } from "./conditionsWorld";
import { CENT, fill, refusal, reverted, tests } from "./support";

interface Given extends KeysWorld {
  batch: Conditioned;
  at: number;
  /** One attester's attestations of these results, observed at the same time unless told otherwise. */
  says: (results: GroupResult[], key?: "p256" | "wallet" | "account", observedAt?: number) => Promise<Attestation>;
}

async function given(conditions?: RulebookInput["conditions"]): Promise<Given> {
  const world = await loadFixture(deployKeys);
  const { keys, attesters, pharmacy, laboratory, stranger } = world;
  const named = [keys.p256.signer, keys.wallet.signer, attesters[0].address];
  const batch = await fundedUnder(world, { conditions: conditions ?? [{ threshold: 2, attesters: named }] }, [
    fill(pharmacy.address, "11", "90.00"),
    tests(laboratory.address, "21", 60, 15),
  ]);
  const at = await time.latest();
  const says: Given["says"] = (results, key = "account", observedAt = at) =>
    key === "account"
      ? attesters[0].claims.attest(batch.file, results, { observedAt })
      : stranger.claims.attest(batch.file, results, { observedAt, signer: signerOf(keys[key]) });
  return { ...world, batch, at, says };
}

/** Id of a rulebook of another attester. */
async function rulebookWithout(world: KeysWorld): Promise<string> {
  const conditions = [{ attesters: [world.attesters[1].address] }];
  const batch = await fundedUnder(world, { conditions }, [fill(world.pharmacy.address, "14", "1.00")]);
  return batch.own.terms.rulebook;
}

describe("SDK: attesters who equivocate", () => {
  for (const key of ["account", "p256", "wallet"] as const)
    it(`finds, proves and suspends one, and leaves its signatures out: ${key}`, async () => {
      const world = await given();
      const { batch, says, stranger, keys, attesters } = world;
      const pair = [await says([met, met], key), await says([met, byLine(met, notMet)], key)] as const;
      const all = [await says([pending, pending]), ...pair, await says([met, met], "p256", world.at - 1)];
      const knowledge = await askChain(stranger.connection, batch.own, all);
      const found = findEquivocation(batch.file, all, knowledge)!;
      const attester = key === "account" ? attesters[0].address.toLowerCase() : keys[key].signer;
      expect(found).to.deep.include({ attester, group: 1, line: 1 });
      expect(equivocationOf(batch.file, pair, await askChain(stranger.connection, batch.own, pair))).to.deep.equal(
        found,
      );

      expect(await stranger.rulebooks.hasEquivocated(attester)).to.equal(false);
      await run(stranger.rulebooks.proveEquivocation(batch.own, found));
      expect(await stranger.rulebooks.hasEquivocated(attester)).to.equal(true);

      const others = (["account", "p256", "wallet"] as const).filter((other) => other !== key);
      const [one, two] = others as [(typeof others)[0], (typeof others)[0]];
      const { results, observedAt, validUntil, evidence, batchId } = pair[0];
      const statement = { results, observedAt, validUntil, evidence, batchId };
      const signing = async (who: typeof key): Promise<Attestation> =>
        who === "account"
          ? attesters[0].claims.attest(batch.file, statement)
          : stranger.claims.attest(batch.file, statement, { signer: signerOf(keys[who]) });
      const lacking = [pair[0], await signing(one)];
      const { details } = await refusal("ATTESTATION_TOO_FEW", stranger.claims.settle(batch.file, lacking).simulate());
      expect(details).to.deep.include({ given: 1, suspended: [attester] });
      const { paid } = await run(stranger.claims.settle(batch.file, [...lacking, await signing(two)]));
      expect(paid).to.equal(16_500n * CENT);
    });

  it("suspends the attester in another rulebook, too, and tells of both", async () => {
    const world = await given();
    const { batch, says, stranger, attesters, deployment, pharmacy } = world;
    const attester = attesters[0].address.toLowerCase();
    const named = [attester, attesters[1].address, attesters[2].address];
    const other = await fundedUnder(world, { conditions: [{ threshold: 2, attesters: named }] }, [
      fill(pharmacy.address, "12", "10.00"),
    ]);
    const { rulebook } = other.own.terms;
    await reverted("AttesterHonest", stranger.rulebooks.suspendAttester(rulebook, attester).simulate());
    const found = findEquivocation(batch.own, [await says([met, met]), await says([notMet, met])])!;
    await run(stranger.rulebooks.proveEquivocation(batch.own, found));
    await run(stranger.rulebooks.suspendAttester(rulebook, attester));
    const told: unknown[] = [];
    const events = createEvents({ runner: stranger.signer, deployment });
    for await (const { name, args } of events.read({ names: ["AttesterEquivocated", "AttesterSuspended"] }))
      told.push([name, args.attester, "rulebook" in args ? args.rulebook : args.batchId]);
    expect(told).to.deep.equal([
      ["AttesterEquivocated", attester, batch.own.batchId],
      ["AttesterSuspended", attester, batch.own.terms.rulebook],
      ["AttesterSuspended", attester, rulebook],
    ]);
    const unnamed = stranger.rulebooks.suspendAttester(await rulebookWithout(world), attester).simulate();
    expect(await reverted("AttesterNotNamed", unnamed)).to.include({ attester });
  });

  describe("given what is no lie, finds nothing", () => {
    const honest: Record<string, [GroupResult[], GroupResult[], number]> = {
      "from pending to final": [[pending, byLine(met, pending)], [met, byLine(met, notMet)], 0],
      "from one final result to another, later": [[notMet, met], [met, met], 1],
      "the same twice, written otherwise": [[met, met], [met, byLine(met, met)], 0],
      "the same part twice": [[byLine(partlyMet(5n)), met], [byLine(partlyMet(5n)), pending], 0],
    };
    for (const [what, [one, other, later]] of Object.entries(honest))
      it(what, async () => {
        const { batch, says, at } = await given();
        const pair = [await says(one), await says(other, "account", at + later)] as const;
        expect(findEquivocation(batch.file, pair)).to.equal(undefined);
        const { details } = await refusal("EQUIVOCATION_NOT_SHOWN", () => equivocationOf(batch.file, pair));
        expect(details).to.deep.equal({ reason: later === 0 ? "results" : "observedAt" });
      });

    it("two attesters who disagree", async () => {
      const { batch, says, stranger } = await given();
      const pair = [await says([met, met]), await says([notMet, met], "p256")] as const;
      const knowledge = await askChain(stranger.connection, batch.own, pair);
      expect(findEquivocation(batch.file, pair, knowledge)).to.equal(undefined);
      const { details } = await refusal("EQUIVOCATION_NOT_SHOWN", () => equivocationOf(batch.file, pair, knowledge));
      expect(details).to.deep.equal({ reason: "attesters" });
    });

    it("one whom the rulebook does not name, and what nobody signed", async () => {
      const { batch, says, stranger } = await given();
      const signer = signerOf(accountKey("nobody"));
      const observedAt = 1;
      const nobody = await Promise.all(
        [
          [met, met],
          [notMet, met],
        ].map((results) => stranger.claims.attest(batch.file, results, { observedAt, signer })),
      );
      const [first, second] = [await says([met, met]), await says([notMet, met])];
      const forged = { ...second, evidence: ZeroHash };
      const misread = { ...second, signature: "nothing" };
      expect(findEquivocation(batch.file, [...nobody, first, forged, misread])).to.equal(undefined);
    });
  });

  it("finds different parts of one line", async () => {
    const { batch, says } = await given();
    const pair = [await says([byLine(partlyMet(5n)), met]), await says([byLine(partlyMet(6n)), met])];
    expect(findEquivocation(batch.file, pair)).to.deep.include({ group: 0, line: 0 });
  });

  it("keeps a correction apart from what was said before", async () => {
    const { batch, says, at } = await given();
    const first = await says([met, met]);
    const again = nextObservedAt(first.observedAt, at);
    expect(again).to.equal(at + 1);
    expect(nextObservedAt(undefined, at)).to.equal(at);
    expect(nextObservedAt(at, at + 50)).to.equal(at + 50);
    expect(findEquivocation(batch.file, [first, await says([notMet, met], "account", again)])).to.equal(undefined);
    expect(statementOf(batch.file, [met, met], { observedAt: again }).observedAt).to.equal(again);
  });
});
