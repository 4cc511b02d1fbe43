import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run, type ErrorCode } from "@carepact/sdk";
import {
  parseClaimBatchFile,
  parseClaimBatchRecord,
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type ClaimBatchFile,
} from "@carepact/sdk/claims";

import { met } from "../support/batches";
import { DAY } from "../support/system";

import {
  attestations,
  deployWorld,
  fill,
  fundedBatch,
  fundInput,
  moneyOf,
  openAs,
  refusal,
  reverted,
  tests,
  usualClaims,
  type World,
} from "./support";

const UNREGISTERED = "0x00000000000000000000000000000000000000AA";

describe("SDK: bad input gets a clear typed error and loses nothing", () => {
  describe("given claims that cannot be funded", () => {
    const refused: [string, ErrorCode, (world: World) => AdjudicatedClaim[]][] = [
      ["no claims", "BATCH_EMPTY", () => []],
      ["claims for which the payer pays nothing", "BATCH_EMPTY", ({ pharmacy }) => [fill(pharmacy.address, "1", "0")]],
      ["an unregistered payee", "PAYEE_UNKNOWN", (world) => [...usualClaims(world), fill(UNREGISTERED, "1", "1.00")]],
      [
        "a payee that is no account",
        "IDENTIFIER_INVALID",
        (world) => usualClaims(world).map((claim) => ({ ...claim, payee: "the pharmacy" })),
      ],
      ["the same fill twice", "CLAIM_DUPLICATE_LINE", (world) => [...usualClaims(world), ...usualClaims(world)]],
      [
        "a decision that does not balance",
        "CLAIM_DOES_NOT_BALANCE",
        (world) => usualClaims(world).map((claim) => ({ ...claim, planPays: claim.planPays + 1n })),
      ],
      [
        "claims in two currencies",
        "CURRENCY_MISMATCH",
        (world) =>
          usualClaims(world).map((claim, i) => (i ? claim : { ...claim, currency: { code: "EUR", decimals: 2 } })),
      ],
      [
        "more lines than one transaction takes",
        "BATCH_TOO_LARGE",
        ({ laboratory }) =>
          Array.from({ length: 6 }, (_, i) => tests(laboratory.address, String(i), ...Array<number>(90).fill(1))),
      ],
    ];
    for (const [what, code, claimsOf] of refused)
      it(`${what}: ${code}`, async () => {
        const world = await loadFixture(deployWorld);
        const before = await world.payer.signer.getNonce();
        await refusal(code, world.payer.claims.fund(await fundInput(world, claimsOf(world))).send());
        expect(await world.payer.signer.getNonce()).to.equal(before);
        expect((await moneyOf(world)).pool).to.equal(0n);
      });

    it("terms that the escrow refuses show its error", async () => {
      const world = await loadFixture(deployWorld);
      const { payer, stranger } = world;
      const input = await fundInput(world);
      const simulate = (changes: object) => payer.claims.fund({ ...input, ...changes }).simulate();
      await reverted("EventByOutOfRange", simulate({ eventBy: 1 }));
      await reverted("EventByOutOfRange", simulate({ eventBy: Number(input.eventBy) + 400 * DAY }));
      await reverted("RulebookUnknown", simulate({ rulebook: `0x${"11".repeat(32)}` }));
      await refusal("BATCH_TERMS_INVALID", simulate({ eventBy: new Date(Number.NaN) }));
      await reverted("FreeBalanceTooSmall", stranger.claims.fund(input).simulate());
    });

    it("a payer that is suspended cannot fund", async () => {
      const world = await loadFixture(deployWorld);
      await run(world.admin.organizations.suspend(world.payer.address));
      const funding = world.payer.claims.fund(await fundInput(world)).simulate();
      expect(await reverted("PayerNotInStanding", funding)).to.deep.equal({ payer: world.payer.address });
    });
  });

  describe("given texts that are no claim batch file", () => {
    it("says what is wrong, and the file itself still settles and is paid", async () => {
      const world = await loadFixture(deployWorld);
      const { pharmacy, stranger } = world;
      const { file } = await fundedBatch(world);
      const text = JSON.stringify(file);
      for (const [code, given] of [
        ["FILE_MALFORMED", ""],
        ["FILE_MALFORMED", text.slice(0, -1)],
        ["FILE_MALFORMED", "null"],
        ["FILE_MALFORMED", "[]"],
        ["FILE_MALFORMED", text.replace('"version":1', '"version":"1"')],
        ["FILE_MALFORMED", text.replace('"version":1', '"version":1,"extra":true')],
        ["FILE_WRONG_DOCUMENT", "{}"],
        ["FILE_WRONG_DOCUMENT", text.replace('"claim-batch"', '"claim-batch-record"')],
        ["FILE_VERSION_UNSUPPORTED", text.replace('"version":1', '"version":2')],
        ["FILE_VERSION_UNSUPPORTED", text.replace('"version":1', '"version":99,"unknown":[1,2,3]')],
      ] as const)
        await refusal(code, () => parseClaimBatchFile(given));
      await refusal("FILE_TOO_BIG", () => parseClaimBatchFile(text, { maxBytes: 100 }));

      const opened = await openAs(pharmacy, parseClaimBatchFile(text));
      const signed = await attestations(world, opened, [met, met]);
      await run(stranger.claims.settle(opened, signed));
      expect((await moneyOf(world)).credits).to.deep.equal([10_234n, 7_500n]);
    });

    it("nothing can be done with them: every action refuses before it sends", async () => {
      const world = await loadFixture(deployWorld);
      const { stranger } = world;
      const nonce = await stranger.signer.getNonce();
      const { file } = await fundedBatch(world);
      const signed = await attestations(world, file, [met, met]);
      const future = { ...file, version: 2 } as unknown as ClaimBatchFile;
      const raised: ClaimBatchFile = {
        ...file,
        terms: { ...file.terms, total: "177350000" },
        groups: file.groups.map((group, i) => (i ? group : { ...group, subtotal: "102350000" })),
      };
      for (const [code, wrong] of [
        ["FILE_VERSION_UNSUPPORTED", future],
        ["FILE_TAMPERED", raised],
      ] as const)
        for (const attempt of [
          () => stranger.claims.settle(wrong, signed).send(),
          () => stranger.claims.settleMany([{ batch: wrong, attestations: signed }]).send(),
          () => stranger.claims.reclaim(wrong).send(),
          () => stranger.claims.refund(wrong, { amount: 1n, from: "credit" }).send(),
          () => stranger.claims.attest(wrong, [met, met]),
          () => stranger.claims.status(wrong),
        ])
          await refusal(code, attempt);
      expect(await stranger.signer.getNonce()).to.equal(nonce);
      expect(await stranger.claims.status(file)).to.include({ funded: true, open: 177_340_000n });
    });
  });

  describe("given a payer's record", () => {
    it("says what is wrong with one that was changed or is of a future version", async () => {
      const world = await loadFixture(deployWorld);
      const { record } = await fundedBatch(world);
      const text = JSON.stringify(record);
      const open = (given: string) => openClaimBatchRecord(parseClaimBatchRecord(given));
      open(text);
      for (const [code, given] of [
        ["FILE_MALFORMED", text.slice(1)],
        ["FILE_VERSION_UNSUPPORTED", text.replace('"version":1', '"version":2')],
        ["GROUPS_DO_NOT_SUM", text.replace('"90000000"', '"90000001"')],
        ["FILE_TAMPERED", text.replace('"F-11"', '"F-99"')],
      ] as const)
        await refusal(code, () => open(given));
    });
  });
});
