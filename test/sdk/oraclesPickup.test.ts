import { expect } from "chai";
import { decodeRlp, encodeRlp, id, toBeHex, toUtf8Bytes, hexlify } from "ethers";
import fc from "fast-check";

import {
  attestationDigestOf,
  buildClaimBatch,
  encodeResults,
  openClaimBatchPart,
  resultShapeOf,
  type AttestationStatement,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type GroupResult,
  type OpenedGroup,
} from "../../sdk/src/claims";
import { isCarepactError } from "../../sdk/src/errors";
import {
  checkPickup,
  confirmPickup,
  isPickupFor,
  pickedUpIn,
  pickupAnswer,
  pickupRequest,
  pickupUrl,
  readPickupAnswer,
  readPickupRequest,
  type PickupFault,
  type PickupRequest,
} from "../../sdk/src/oracles";
import { digestOf, type PatientSigner } from "../../sdk/src/signers";

import { fill, laboratory, makeClaimBatch, pharmacy, tests } from "./claimBatchFixture";
import { refused, refusedAsync } from "./refused";

const PAGE = "https://pharmacy.example/pickup/";
const NOW = 1_768_500_000;

const patient = `0x${"a1".repeat(149)}`;
const mother = `0x${"b2".repeat(149)}`;
const stranger = `0x${"c3".repeat(149)}`;

/** Signs nothing, but tells what it was given to sign. */
const signerOf = (signer: string): PatientSigner => ({ signer, sign: (message) => Promise.resolve(digestOf(message)) });

const faultOf = (action: () => unknown): PickupFault =>
  refused("PICKUP_REQUEST_INVALID", action).details.reason as PickupFault;
const faultOfAsync = async (action: Promise<unknown>): Promise<PickupFault> =>
  (await refusedAsync("PICKUP_REQUEST_INVALID", action)).details.reason as PickupFault;

describe("a request to confirm a pick-up", () => {
  let input: ClaimBatchInput;
  let built: BuiltClaimBatch;
  let group: OpenedGroup;
  /** Index in the pharmacy's group of the line that the patient has the keys of. */
  let at: number;

  const openGroup = (from: BuiltClaimBatch, payee = pharmacy): OpenedGroup =>
    openClaimBatchPart(
      from.file,
      from.record.parts.find((part) => part.payee === payee)!,
    );

  /** By line of the pharmacy's group; everything else is pending. */
  const stateOf = (
    of: OpenedGroup,
    lines: Extract<GroupResult, { result: "byLine" }>["lines"],
  ): AttestationStatement => {
    const results = of.groups.map((_, i): GroupResult =>
      i === of.group ? { result: "byLine", lines } : { result: "pending" },
    );
    return {
      batchId: of.batchId,
      results: encodeResults(results, resultShapeOf(of, [of])),
      observedAt: NOW,
      validUntil: NOW + 3600,
      evidence: id("what the pharmacy saw"),
    };
  };
  const only = (index: number, count = 2): Extract<GroupResult, { result: "byLine" }>["lines"] =>
    Array.from({ length: count }, (_, i) => ({ result: i === index ? "met" : "pending" }));

  let request: PickupRequest;
  before(async () => {
    ({ input } = await makeClaimBatch());
    built = await buildClaimBatch({ ...input, patientKeys: { "A-1": [patient, mother], "A-2": [stranger] } });
    group = openGroup(built);
    at = group.lines.findIndex(({ detail }) => detail.claimId === "A-1");
    request = pickupRequest(group, stateOf(group, only(at)));
  });
  const here = (): { escrow: { chainId: number; escrow: string }; now: number } => ({
    escrow: { chainId: input.chainId, escrow: input.escrow },
    now: NOW + 60,
  });

  it("fits a QR code, and comes back as it was", () => {
    const url = pickupUrl(request, PAGE);
    expect(url).to.match(/^https:\/\/pharmacy\.example\/pickup\/#pickup=[\w-]+$/);
    expect(url.length).to.be.lessThan(1200);
    expect(readPickupRequest(url)).to.deep.equal(request);
  });

  it("holds no key, no claim and no event: only what the batch's id and its openings say", () => {
    const shown = JSON.stringify(request, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
    const { detail, event } = group.lines[at]!;
    for (const secret of [patient.slice(2), mother.slice(2), detail.claimId, JSON.stringify(event), "1234567893"])
      expect(shown).not.to.include(secret);
  });

  it("says which lines are confirmed, in full or in part, and with what amount where that is known", () => {
    const line = group.firstLine + at;
    expect(pickedUpIn(request)).to.deep.equal([{ line, payee: pharmacy, result: "met" }]);
    const inPart = stateOf(
      group,
      only(at).map((one) => (one.result === "met" ? { result: "partlyMet", amount: 30_000_000n } : one)),
    );
    expect(pickedUpIn(pickupRequest(group, inPart))).to.deep.equal([
      { line, payee: pharmacy, result: "partlyMet", amount: 30_000_000n },
    ]);
  });

  it("says the amount of a line that is alone in its group, which the batch's id commits to", async () => {
    const claims = [fill("1", "90.00"), tests()];
    const alone = openGroup(await buildClaimBatch({ ...input, claims, patientKeys: { "A-1": [patient] } }));
    const asked = pickupRequest(alone, stateOf(alone, [{ result: "met" }]));
    expect(pickedUpIn(readPickupRequest(pickupUrl(asked, PAGE)))[0]?.amount).to.equal(90_000_000n);
  });

  it("is for the patient's own key, or for that of a representative, if asked so", () => {
    const forMother = pickupRequest(group, stateOf(group, only(at)), { signer: mother });
    const answers = [request, forMother].map((one) => [patient, mother, stranger].map((key) => isPickupFor(one, key)));
    expect(answers).to.deep.equal([
      [true, false, false],
      [false, true, false],
    ]);
  });

  it("is about all lines of a claim at once", async () => {
    const many = openGroup(await buildClaimBatch({ ...input, patientKeys: { "L-1": [patient] } }), laboratory);
    const asked = pickupRequest(many, stateOf(many, [{ result: "met" }, { result: "met" }]));
    expect(pickedUpIn(asked).map(({ line }) => line)).to.deep.equal([0, 1]);
    expect(isPickupFor(readPickupRequest(pickupUrl(asked, PAGE)), patient)).to.equal(true);
  });

  describe("is signed", () => {
    it("as the statement that it shows, whose digest is made anew", async () => {
      const signed = await confirmPickup(readPickupRequest(pickupUrl(request, PAGE)), signerOf(patient), here());

      expect(signed).to.deep.include({ ...request.statement, signer: patient });
      expect(signed.signature).to.equal(attestationDigestOf(request.statement, here().escrow));
      const { line, salt, path } = request.lines[0]!;
      expect(signed.patient).to.deep.equal([{ line, salt, proof: [...path, ...request.roots] }]);
    });

    it("and answered in a text that the terminal reads", async () => {
      const signed = await confirmPickup(request, signerOf(patient), here());
      const text = pickupAnswer(request, signed);

      expect(text).to.match(/^[\w-]+$/);
      expect(readPickupAnswer(` ${text}\n`, request)).to.deep.equal(signed);
    });
  });

  describe("is not signed", () => {
    const wrong = (changes: Partial<PickupRequest>): Promise<PickupFault> =>
      faultOfAsync(confirmPickup({ ...request, ...changes }, signerOf(patient), here()));

    it("on another chain, or for another escrow", async () => {
      for (const escrow of [
        { ...here().escrow, chainId: 1 },
        { ...here().escrow, escrow: pharmacy },
      ]) {
        const signing = confirmPickup(request, signerOf(patient), { ...here(), escrow });
        expect(await faultOfAsync(signing)).to.equal("otherEscrow");
      }
    });

    it("by another key", async () => {
      for (const key of [mother, stranger])
        expect(await faultOfAsync(confirmPickup(request, signerOf(key), here()))).to.equal("otherKey");
    });

    it("after it ran out, or about what is still to come", async () => {
      const at = (now: number): Promise<unknown> => confirmPickup(request, signerOf(patient), { ...here(), now });
      const check = (now: number): unknown => checkPickup(request, patient, { ...here(), now });
      expect(await faultOfAsync(at(NOW + 3601))).to.equal("expired");
      expect(faultOf(() => check(NOW + 3601))).to.equal("expired");
      expect(await faultOfAsync(at(NOW - 601))).to.equal("future");
      expect(check(NOW)).to.deep.equal(pickedUpIn(request));
      await at(NOW + 3600);
      await at(NOW - 600);
    });

    it("with other terms, groups, roots, lines or openings", async () => {
      const { terms, groups, roots, lines, statement } = request;
      const [line] = lines as [PickupRequest["lines"][0]];
      for (const changed of [
        { terms: { ...terms, payer: pharmacy } },
        { terms: { ...terms, manifestRoot: id("other") } },
        { terms: { ...terms, eventBy: terms.eventBy + 1 } },
        { terms: { ...terms, salt: terms.salt + 1n } },
        { groups: groups.map((one, i) => (i === 0 ? { ...one, subtotal: one.subtotal + 1n } : one)) },
        { groups: groups.map((one, i) => (i === 0 ? { ...one, lineCount: one.lineCount + 1 } : one)) },
        { statement: { ...statement, batchId: id("other") } },
      ])
        expect(await wrong(changed)).to.equal("otherBatch");
      for (const changed of [
        { lines: [{ ...line, line: line.line === 2 ? 3 : 2 }] },
        { lines: [] },
        { lines: [line, line] },
        { statement: stateOf(group, only(1 - at)) },
        {
          statement: stateOf(
            group,
            only(1 - at).map((one) => (one.result === "met" ? { result: "notMet" } : one)),
          ),
        },
        { statement: stateOf(group, [{ result: "pending" }, { result: "pending" }]) },
        { statement: stateOf(group, [{ result: "met" }, { result: "met" }]) },
      ])
        expect(await wrong(changed)).to.equal("otherLines");
      for (const changed of [
        { roots: [roots[1], roots[0]] as [string, string] },
        { lines: [{ ...line, salt: id("other") }] },
        { lines: [{ ...line, path: line.path.slice(1) }] },
      ])
        expect(await wrong(changed)).to.equal("otherKey");
    });
  });

  describe("is not made", () => {
    it("of a statement about another batch, others' lines, or nothing", async () => {
      const other = openGroup(await buildClaimBatch({ ...input, patientKeys: { "A-1": [patient] } }));
      expect(faultOf(() => pickupRequest(group, stateOf(other, only(at))))).to.equal("otherBatch");
      const tested = openGroup(built, laboratory);
      const statement = stateOf(tested, [{ result: "met" }, { result: "pending" }]);
      expect(faultOf(() => pickupRequest(group, statement))).to.equal("otherLines");
      expect(faultOf(() => pickupRequest(group, stateOf(group, only(5))))).to.equal("otherLines");
    });

    it("of lines without the key, or of two patients at once", () => {
      expect(faultOf(() => pickupRequest(group, stateOf(group, only(at)), { signer: stranger }))).to.equal("otherKey");
      const both = stateOf(group, [{ result: "met" }, { result: "met" }]);
      expect(faultOf(() => pickupRequest(group, both))).to.equal("otherKey");
      const tested = openGroup(built, laboratory);
      const statement = stateOf(tested, [{ result: "met" }, { result: "pending" }]);
      expect(faultOf(() => pickupRequest(tested, statement))).to.equal("otherKey");
    });

    it("where it would not fit a QR code", async () => {
      const lines = Array.from({ length: 20 }, (_, i) => ({
        ...{ lineNumber: i + 1, procedureCode: `T${i}`, charge: 1, allowed: 1, patientResponsibility: 0, planPays: 1 },
      }));
      const { readLaboratoryClaim } = await import("../../sdk/src/claims");
      const claim = readLaboratoryClaim({ ...(tests().resource as object), lines } as never, { payee: laboratory });
      const patientKeys = { [claim.claimId]: [patient] };
      const large = openGroup(await buildClaimBatch({ ...input, claims: [claim], patientKeys }), laboratory);
      const ask = (count: number): string =>
        pickupUrl(
          pickupRequest(
            large,
            stateOf(
              large,
              lines.map((_, i) => ({ result: i < count ? "met" : "pending" })),
            ),
          ),
          PAGE,
        );
      expect(ask(6).length).to.be.lessThan(2953);
      expect(faultOf(() => ask(20))).to.equal("tooLarge");
    });

    for (const page of [
      "http://pharmacy.example/",
      "pharmacy.example",
      `${PAGE}#`,
      "javascript:alert(1)//",
      "https://a b",
    ])
      it(`for a page at ${page}`, () => {
        refused("INPUT_INVALID", () => pickupUrl(request, page));
      });
  });

  describe("is not read", () => {
    const textOf = (): string => pickupUrl(request, PAGE).split("#pickup=")[1]!;
    const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
    const read = (text: string): PickupRequest => readPickupRequest(`${PAGE}#pickup=${text}`);

    it("where it is none", () => {
      for (const url of ["", PAGE, `${PAGE}#`, `${PAGE}#pickup=`, `${PAGE}#pickup=%20`, `${PAGE}#other=${textOf()}`, 5])
        expect(faultOf(() => readPickupRequest(url as string))).to.equal("malformed");
      for (const text of ["AA", "wA", "wYA", `${textOf()}AA`, textOf().slice(0, -4), "A".repeat(4000)])
        expect(faultOf(() => read(text))).to.equal("malformed");
    });

    it("in another spelling, of another version, or with more in it", () => {
      const values = decodeRlp(bytesOf(textOf())) as string[];
      const reencoded = (changed: unknown[]): string =>
        Buffer.from(encodeRlp(changed as never).slice(2), "hex").toString("base64url");
      expect(reencoded(values)).to.equal(textOf());
      for (const changed of [
        values.with(0, "0x02"),
        values.with(1, "0x007a69"),
        [...values, "0x"],
        values.slice(0, -1),
        values.with(4, "0x"),
        values.with(5, [hexlify(toUtf8Bytes("tUSD")), toBeHex(2n ** 64n)] as never),
        values.with(7, "0x"),
      ])
        expect(faultOf(() => read(reencoded(changed)))).to.equal("malformed");
    });

    it("with any bit changed: no request that would be signed comes of it but about another moment or what is shown", () => {
      const whole = bytesOf(textOf());
      fc.assert(
        fc.property(fc.nat(whole.length - 1), fc.nat(7), (index, bit) => {
          const changed = whole.slice();
          changed[index]! ^= 1 << bit;
          try {
            const other = read(Buffer.from(changed).toString("base64url"));
            if (!isPickupFor(other, patient)) return;
            // What the batch does not commit to is in what is signed, so that the terminal finds out; or it is how amounts look.
            const { statement, token, ...rest } = other;
            const { statement: own, token: ownToken, ...ownRest } = request;
            expect(rest).to.deep.equal(ownRest);
            const isOther = attestationDigestOf(statement, other) !== attestationDigestOf(own, request);
            expect(isOther || JSON.stringify(token) !== JSON.stringify(ownToken)).to.equal(true);
          } catch (error) {
            if (!isCarepactError(error)) throw error;
          }
        }),
        { numRuns: 600 },
      );
    });
  });

  describe("takes no answer", () => {
    let text: string;
    before(async () => {
      text = pickupAnswer(request, await confirmPickup(request, signerOf(patient), here()));
    });

    it("that is none", () => {
      for (const answer of ["", "AA", "wA", text.slice(0, -4), `${text}AA`, "A".repeat(4000), undefined])
        expect(faultOf(() => readPickupAnswer(answer as string, request))).to.equal("malformed");
    });

    it("to another request", () => {
      const later = { ...request, statement: { ...request.statement, observedAt: NOW + 1 } };
      expect(faultOf(() => readPickupAnswer(text, later))).to.equal("otherStatement");
    });

    it("from another key than the one asked for", () => {
      const signed = { ...request.statement, signer: mother, signature: "0x11" };
      expect(faultOf(() => readPickupAnswer(pickupAnswer(request, signed), request))).to.equal("otherKey");
    });
  });
});
