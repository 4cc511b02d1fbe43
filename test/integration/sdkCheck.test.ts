import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  buildClaimBatch,
  checkReasons,
  fileForPayee,
  packGroup,
  type CheckOptions,
  type CheckReason,
  type ClaimBatchFile,
  type ClaimBatchInput,
} from "@carepact/sdk/claims";
import { findEquivocation } from "@carepact/sdk/oracles";
import { eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { met, notMet, pending } from "../support/batches";
import { DAY } from "../support/system";

import {
  attestations,
  deployWorld,
  fill,
  fundInput,
  fundedBatch,
  nodeWith,
  openAs,
  refusal,
  sdkFor,
  type Party,
  type World,
} from "./support";

const OTHER = "0x00000000000000000000000000000000000000AA";
const whatever = { acceptedRulebooks: "any", acceptedTokens: "any" } as const;

/** Why the pharmacy's check of a file fails, as JSON has it. */
async function reasonFor(
  { pharmacy }: World,
  file: unknown,
  options: Partial<CheckOptions> = {},
  as: Pick<Party, "claims"> = pharmacy,
): Promise<CheckReason> {
  const own = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey, ...whatever };
  const checked = await as.claims.check(file as ClaimBatchFile, { ...own, ...options });
  if (checked.ok) return expect.fail("the check passed");
  expect(JSON.parse(JSON.stringify(checked))).to.deep.equal(checked);
  expect(checked.reason.message).not.to.equal("");
  return checked.reason;
}

/** A batch that says whatever its payer wants of its token, funded without the SDK's help. */
async function fundedAs(world: World, token: Pick<ClaimBatchInput["token"], "symbol" | "decimals">) {
  const { payer, pharmacy, deployment } = world;
  const built = await buildClaimBatch({
    chainId: deployment.chainId,
    escrow: deployment.claimEscrow,
    payer: payer.address,
    token: { address: world.tokenAddress, ...token },
    rulebook: await payer.rulebooks.get(world.rulebook),
    eventBy: (await time.latest()) + 30 * DAY,
    claims: [fill(pharmacy.address, "11", "90.00")],
    payeeKeys: { [pharmacy.address]: { publicKey: pharmacy.keys.publicKey, version: 1 } },
  });
  await world.escrow.connect(payer.signer).fund(built.terms, built.groups.map(packGroup));
  return built.file;
}

/** How each reason comes about. */
const causes: Record<keyof typeof checkReasons, (world: World) => Promise<CheckReason>> = {
  OTHER_ESCROW: async (world) => {
    const { file } = await fundedBatch(world);
    const elsewhere = sdkFor(world.pharmacy.signer, { ...world.deployment, claimEscrow: OTHER });
    return reasonFor(world, file, {}, elsewhere);
  },
  NOT_FUNDED: async (world) => {
    const before = await takeSnapshot();
    const { file } = await fundedBatch(world);
    await before.restore();
    return reasonFor(world, file);
  },
  NOT_FINAL: async (world) => {
    const { file } = await fundedBatch(world);
    const final = (await ethers.provider.getBlockNumber()) - 1;
    const node = nodeWith({
      call: (request) =>
        ethers.provider.call({ ...request, ...(request.blockTag === "finalized" && { blockTag: final }) }),
    });
    return reasonFor(world, file, {}, sdkFor(node, world.deployment));
  },
  LINES_CLOSED: async (world) => {
    const { file } = await fundedBatch(world);
    await run(world.pharmacy.claims.reverse(await openAs(world.pharmacy, file), [1]));
    const reason = await reasonFor(world, file);
    expect(reason.details).to.deep.equal({ lines: [1] });
    // The other line's money is locked still.
    const lines = [0];
    const { privateKey } = world.pharmacy.keys;
    const accepted = { acceptedRulebooks: "any", acceptedTokens: "any" } as const;
    const result = await world.pharmacy.claims.check(file, {
      payee: world.pharmacy.address,
      privateKey,
      ...accepted,
      finality: "latest",
      lines,
    });
    expect(result.ok && result.lines.map(({ index }) => index)).to.deep.equal(lines);
    expect((await reasonFor(world, file, { lines: [7] })).code).to.equal("INPUT_INVALID");
    return reason;
  },
  TOO_LATE: async (world) => {
    const { file } = await fundedBatch(world);
    expect((await reasonFor(world, file, { minimumSeconds: 31 * DAY })).code).to.equal("TOO_LATE");
    await time.increaseTo(file.terms.eventBy + 1);
    return reasonFor(world, file);
  },
  RULEBOOK_NOT_ACCEPTED: async (world) => {
    const { file } = await fundedBatch(world);
    // Nothing is accepted that nobody accepted.
    const silent = { acceptedRulebooks: undefined } as unknown as CheckOptions;
    expect((await reasonFor(world, file, silent)).code).to.equal("RULEBOOK_NOT_ACCEPTED");
    return reasonFor(world, file, { acceptedRulebooks: [`0x${"11".repeat(32)}`] });
  },
  PAYER_DECIDES: async (world) => {
    const { payer, stranger } = world;
    const attesters = [payer.address, stranger.address];
    const byBoth = simpleRulebook({ attesters, threshold: 2, eventKinds: eventKinds.dispense, grace: 3 * DAY });
    const { id: rulebook } = await run(payer.rulebooks.publish(byBoth));
    const { file } = await run(payer.claims.fund({ ...(await fundInput(world)), rulebook }));
    // Whoever named this rulebook knows what it says.
    expect(
      (await reasonFor(world, file, { acceptedRulebooks: [rulebook], minimumSeconds: 1_000 * DAY })).code,
    ).to.equal("TOO_LATE");
    const alone = simpleRulebook({ attesters, threshold: 1, eventKinds: eventKinds.dispense, grace: 3 * DAY });
    const { id: lone } = await run(payer.rulebooks.publish(alone));
    const { file: other } = await run(payer.claims.fund({ ...(await fundInput(world)), rulebook: lone }));
    expect((await reasonFor(world, other)).code).to.equal("PAYER_DECIDES");
    return reasonFor(world, file);
  },
  RULEBOOK_SUSPENDED: async (world) => {
    const { file } = await fundedBatch(world);
    await run(world.suspender.rulebooks.suspend(world.rulebook));
    return reasonFor(world, file);
  },
  ATTESTERS_SUSPENDED: async (world) => {
    const { attesters, stranger, pharmacy } = world;
    const { file } = await fundedBatch(world);
    const batch = await openAs(pharmacy, file);
    const lying = async ({ claims }: Party): Promise<void> => {
      const observedAt = await time.latest();
      const pair = [
        await claims.attest(file, [met, met], { observedAt }),
        await claims.attest(file, [notMet, met], { observedAt }),
      ];
      await run(stranger.rulebooks.proveEquivocation(batch, findEquivocation(file, pair)!));
    };
    await lying(attesters[0]);
    const own = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey, ...whatever };
    // Two of three are enough still.
    expect(await pharmacy.claims.check(file, own)).to.have.property("ok", true);
    await lying(attesters[1]);
    const reason = await reasonFor(world, file);
    const gone = attesters.slice(0, 2).map(({ address }) => address.toLowerCase());
    expect(reason.details).to.have.property("condition", 0);
    expect(reason.details["attesters"]).to.have.members(gone);
    return reason;
  },
  TOKEN_NOT_ACCEPTED: async (world) => reasonFor(world, (await fundedBatch(world)).file, { acceptedTokens: [OTHER] }),
  TOKEN_DIFFERS: async (world) => {
    expect((await reasonFor(world, await fundedAs(world, { symbol: "USDC", decimals: 6 }))).code).to.equal(
      "TOKEN_DIFFERS",
    );
    // 90.00 with two decimals are 0.009 of the token.
    return reasonFor(world, await fundedAs(world, { symbol: "TUSD", decimals: 2 }));
  },
};

describe("SDK: checking a claim batch before care is given", () => {
  describe("given a batch that is funded", () => {
    it("is a guarantee when it is final, and rulebook, token and time are what the payee accepts", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, rulebook, tokenAddress } = world;
      const { file, batchId } = await fundedBatch(world);
      for (const finality of [undefined, "finalized", "safe", "latest"] as const) {
        const checked = await pharmacy.claims.check(fileForPayee(file, pharmacy.address), {
          payee: pharmacy.address.toLowerCase(),
          privateKey: pharmacy.keys.privateKey,
          ...(finality && { finality }),
          acceptedRulebooks: [OTHER, rulebook.toUpperCase().replace("0X", "0x")],
          acceptedTokens: [tokenAddress.toLowerCase()],
          minimumSeconds: 29 * DAY,
        });
        expect(checked).to.have.property("ok", true);
        expect(checked).to.have.nested.property("batch.batchId", batchId);
      }
    });

    it("can be checked with nothing but a provider", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, deployment } = world;
      const { file } = await fundedBatch(world);
      const { claims } = sdkFor(ethers.provider, deployment);
      const own = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey, ...whatever };
      expect(await claims.check(file, own)).to.have.property("ok", true);
    });

    it("is one for a payee as long as only others' lines are closed", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy } = world;
      const { file } = await fundedBatch(world);
      await run(world.stranger.claims.settle(file, await attestations(world, file, [pending, met])));
      const own = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey, ...whatever };
      expect(await pharmacy.claims.check(file, own)).to.have.property("ok", true);
    });

    it("is none at the first block in which it is not final, and one as soon as that is", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const funding = await ethers.provider.getBlockNumber();
      let final = funding - 1;
      const node = nodeWith({
        call: (request) =>
          ethers.provider.call({ ...request, ...(request.blockTag === "finalized" && { blockTag: final }) }),
      });
      const { claims } = sdkFor(node, world.deployment);
      expect(await reasonFor(world, file, {}, { claims })).to.deep.include({
        code: "NOT_FINAL",
        details: { batchId: file.batchId, finality: "finalized" },
      });
      final = funding;
      const own = { payee: world.pharmacy.address, privateKey: world.pharmacy.keys.privateKey, ...whatever };
      expect(await claims.check(file, own)).to.have.property("ok", true);
    });
  });

  describe("given a batch that is no guarantee, it says why", () => {
    for (const [code, cause] of Object.entries(causes))
      it(code, async () => {
        const reason = await cause(await loadFixture(deployWorld));
        expect(reason.code).to.equal(code);
        expect(reason.message).to.equal(checkReasons[code as keyof typeof checkReasons]);
      });
  });

  describe("given a file or key that is wrong, it says so and does not throw", () => {
    const changed = (file: ClaimBatchFile, change: (copy: ClaimBatchFile) => void): ClaimBatchFile => {
      const copy = JSON.parse(JSON.stringify(file)) as ClaimBatchFile;
      change(copy);
      return copy;
    };

    it("names what was changed in a file", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const cases: [string, ClaimBatchFile][] = [
        ["FILE_TAMPERED", changed(file, (copy) => (copy.terms.eventBy += DAY))],
        ["FILE_TAMPERED", changed(file, (copy) => (copy.chainId = 1))],
        ["FILE_TAMPERED", changed(file, (copy) => (copy.rulebook.grace += 1))],
        ["FILE_TAMPERED", changed(file, (copy) => (copy.groups[0]!.lineCount = 3))],
        ["GROUPS_DO_NOT_SUM", changed(file, (copy) => (copy.groups[0]!.subtotal = "1000000000"))],
        ["SEALED_UNREADABLE", changed(file, (copy) => (copy.sealed[0]!.enc = copy.sealed[1]!.enc))],
      ];
      for (const [code, tampered] of cases) expect((await reasonFor(world, tampered)).code).to.equal(code);
    });

    it("names what is wrong with a document", async () => {
      const world = await loadFixture(deployWorld);
      const { file, record } = await fundedBatch(world);
      for (const [code, document] of [
        ["FILE_MALFORMED", null],
        ["FILE_MALFORMED", undefined],
        ["FILE_MALFORMED", "{}"],
        ["FILE_MALFORMED", { ...file, sealed: undefined }],
        ["FILE_WRONG_DOCUMENT", {}],
        ["FILE_WRONG_DOCUMENT", record],
        ["FILE_VERSION_UNSUPPORTED", { ...file, version: 2 }],
        ["FILE_NOT_FOR_PAYEE", fileForPayee(file, world.laboratory.address)],
      ] as const)
        expect((await reasonFor(world, document)).code).to.equal(code);
    });

    it("names conditions that would let everything pass", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      for (const [path, options] of [
        ["lines", { lines: [] }],
        ["minimumSeconds", { minimumSeconds: NaN }],
        ["minimumSeconds", { minimumSeconds: -1 }],
        ["minimumSeconds", { minimumSeconds: "60" as unknown as number }],
      ] as const) {
        const { code, details } = await reasonFor(world, file, { finality: "latest", ...options });
        expect([code, details["path"]]).to.deep.equal(["INPUT_INVALID", path]);
      }
    });

    it("names what is wrong with the reader", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const { privateKey } = world.laboratory.keys;
      for (const [code, options] of [
        ["SEALED_UNREADABLE", { privateKey }],
        ["KEY_INVALID", { privateKey: "secret" }],
        ["IDENTIFIER_INVALID", { payee: "pharmacy" }],
        ["FILE_NOT_FOR_PAYEE", { payee: world.stranger.address }],
      ] as const) {
        const reason = await reasonFor(world, file, options);
        expect(reason.code).to.equal(code);
        expect(JSON.stringify(reason)).not.to.contain("secret");
      }
    });
  });

  describe("given a chain that does not answer as it should, it says so and does not throw", () => {
    it("on another chain than the deployment's", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const elsewhere = sdkFor(world.pharmacy.signer, { ...world.deployment, chainId: 1 });
      expect((await reasonFor(world, file, {}, elsewhere)).code).to.equal("CHAIN_MISMATCH");
    });

    it("where nothing is deployed", async () => {
      const world = await loadFixture(deployWorld);
      const { file } = await fundedBatch(world);
      const elsewhere = sdkFor(world.pharmacy.signer, { ...world.deployment, rulebooks: OTHER });
      expect((await reasonFor(world, file, {}, elsewhere)).code).to.equal("CONTRACT_MISSING");
      await refusal("CONTRACT_MISSING", elsewhere.rulebooks.get(world.rulebook));
    });

    for (const broken of ["call", "getNetwork", "getBlock"] as const)
      it(`from a node that fails at ${broken}`, async () => {
        const world = await loadFixture(deployWorld);
        const { file } = await fundedBatch(world);
        const node = nodeWith({ [broken]: () => Promise.reject(new Error("the node is down")) });
        const reason = await reasonFor(world, file, {}, sdkFor(node, world.deployment));
        expect(reason).to.deep.equal({ code: "TRANSACTION_FAILED", message: "the node is down", details: {} });
      });
  });
});
