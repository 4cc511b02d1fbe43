import { expect } from "chai";
import { concat, keccak256, toBeHex } from "ethers";
import fc from "fast-check";

import {
  buildClaimBatch,
  manifestRightOf,
  manifestRootOf,
  openClaimBatchPart,
  openClaimBatchRecord,
  openedLinesOf,
  patientLeafOf,
  readLaboratoryClaim,
  readPharmacyClaim,
  verifyLines,
  verifyPatientKey,
  linesLeafOf,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type ClaimBatchPart,
  type OpenedGroup,
  type PatientKey,
  type PharmacyClaim,
} from "../../sdk/src/claims";

import { fill, laboratory, makeClaimBatch, mutate, pharmacy, rulebook, tests } from "./claimBatchFixture";
import { refused, refusedAsync } from "./refused";

const hashOf = (left: string, right: string): string => keccak256(concat([left, right]));
const sortedPair = (a: string, b: string): string => (a < b ? hashOf(a, b) : hashOf(b, a));

/** A signer of this many bytes, each like the others. */
const signerOf = (byte: string, size = 149): string => `0x${byte.repeat(size)}`;
const [own, mother, guardian, other] = ["a1", "b2", "c3", "d4"].map((byte) => signerOf(byte)) as [
  string,
  string,
  string,
  string,
];

const asking = {
  ...rulebook,
  attesterGroups: [...rulebook.attesterGroups, { threshold: 1, above: 0n, attesters: ["0x02"] }],
};

describe("patients' keys in a claim batch", () => {
  let input: ClaimBatchInput;
  let built: BuiltClaimBatch;

  const buildWith = (changes: Partial<ClaimBatchInput>): Promise<BuiltClaimBatch> =>
    buildClaimBatch({ ...input, ...changes });
  const partOf = ({ record }: BuiltClaimBatch, payee: string): ClaimBatchPart =>
    structuredClone(record.parts.find((part) => part.payee === payee)!);
  const opened = (from: BuiltClaimBatch, payee: string): OpenedGroup =>
    openClaimBatchPart(from.file, partOf(from, payee));
  const lineOf = (from: BuiltClaimBatch, claimId: string): OpenedGroup["lines"][0] =>
    opened(from, pharmacy).lines.find(({ detail }) => detail.claimId === claimId)!;
  const signersOf = (from: BuiltClaimBatch, claimId: string): string[] | undefined =>
    lineOf(from, claimId).patient?.signers.map(({ signer }) => signer);

  before(async () => {
    ({ input } = await makeClaimBatch());
    built = await buildWith({ patientKeys: { "A-1": [own, mother], "L-1": [other] } });
  });

  it("are told the payee alone, each with its proof, the patient's own first", () => {
    expect(signersOf(built, "A-1")).to.deep.equal([own, mother]);
    expect(signersOf(built, "A-2")).to.equal(undefined);
    for (const { patient } of opened(built, laboratory).lines)
      expect(patient?.signers.map(({ signer }) => signer)).to.deep.equal([other]);
    expect(JSON.stringify({ ...built.file, sealed: [] })).not.to.include(own.slice(2));
  });

  it("stand under keccak256(line ‖ salt ‖ signer) in a tree of sorted pairs, beside the roots over details and amounts", () => {
    for (const payee of [pharmacy, laboratory])
      for (const { leaf, patient } of opened(built, payee).lines)
        for (const { signer, salt, proof } of patient?.signers ?? []) {
          const hash = keccak256(concat([toBeHex(leaf.line, 32), salt, signer]));
          expect(patientLeafOf(leaf.line, { signer, salt })).to.equal(hash);
          const [details, lines] = proof.slice(-2) as [string, string];
          const right = hashOf(details, proof.slice(0, -2).reduce(sortedPair, hash));
          expect(hashOf(lines, right)).to.equal(built.terms.manifestRoot);
          expect(manifestRootOf(lines, manifestRightOf(details, proof.slice(0, -2).reduce(sortedPair, hash)))).to.equal(
            built.terms.manifestRoot,
          );
        }
  });

  it("leave line amounts provable, by their payee and by the payer's record", () => {
    const record = openClaimBatchRecord(built.record);
    for (const payee of [pharmacy, laboratory]) {
      const group = opened(built, payee);
      const placed = [{ position: group.group, leaf: linesLeafOf(group.groupLines) }];
      for (const source of [group, record]) {
        const { proof } = openedLinesOf(source, [group.group]);
        expect(verifyLines(built.terms.manifestRoot, placed, 2, proof)).to.equal(true);
      }
    }
  });

  it("change nothing where there are none", async () => {
    const without = await buildWith({});
    const { lines } = opened(without, pharmacy);
    for (const { patient, proof } of lines) {
      expect(patient).to.equal(undefined);
      expect(proof).to.have.length(3);
    }
    expect(JSON.stringify(without.record)).not.to.include('"patient"');
    const [{ linesProof }] = without.record.parts as [ClaimBatchPart];
    const [firstLine] = lines as [OpenedGroup["lines"][0]];
    expect(manifestRootOf(firstLine.proof.at(-1)!, linesProof.at(-1)!)).to.equal(without.terms.manifestRoot);
  });

  it("show by no proof how many there are, of a line or in all", async () => {
    const few = await buildWith({ patientKeys: { "A-1": [own] } });
    const many = await buildWith({
      patientKeys: { "A-1": [own, mother, guardian], "A-2": [signerOf("e5")], "L-1": [other, signerOf("f6", 20)] },
    });
    const lengths = [few, built, many].flatMap((one) =>
      [pharmacy, laboratory].flatMap((payee) =>
        opened(one, payee).lines.flatMap(({ patient }) => patient?.signers.map(({ proof }) => proof.length) ?? []),
      ),
    );
    // Four places for each of four lines, then both roots.
    expect(new Set(lengths)).to.deep.equal(new Set([4 + 2]));
  });

  it("have a salt of their own each, so that one opening leads to no other", () => {
    const salts = [pharmacy, laboratory].flatMap((payee) =>
      opened(built, payee).lines.flatMap(({ patient }) => patient?.signers.map(({ salt }) => salt) ?? []),
    );
    expect(new Set(salts).size).to.equal(4);
  });

  it("all open, however many lines have however many", async () => {
    const anyKeys = fc.array(fc.integer({ min: 0, max: 16 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(anyKeys, async (counts) => {
        const claims = counts.map((_, i) => fill(String(i + 1), "1.00"));
        const patientKeys = Object.fromEntries(
          counts.flatMap((count, i) =>
            count === 0
              ? []
              : [[`A-${i + 1}`, Array.from({ length: count }, (_, j) => toBeHex(1 + i * 16 + j, 20 + (j % 200)))]],
          ),
        );
        const { payeeKeys } = input;
        const one = await buildWith({ claims, patientKeys, payeeKeys });
        for (const { detail, patient } of opened(one, pharmacy).lines)
          expect(patient?.signers.map(({ signer }) => signer)).to.deep.equal(patientKeys[detail.claimId]);
      }),
      { numRuns: 25 },
    );
  });

  describe("are refused when a part is opened", () => {
    /** Opens the pharmacy's part after its line with keys was changed. */
    const openChanged = (change: (signers: PatientKey[], part: ClaimBatchPart) => void): OpenedGroup => {
      const part = partOf(built, pharmacy);
      change(part.lines.find(({ patient }) => patient !== undefined)!.patient!.signers, part);
      return openClaimBatchPart(built.file, part);
    };

    for (const name of ["signer", "salt"] as const)
      it(`with another ${name}`, () => {
        const error = refused("FILE_TAMPERED", () =>
          openChanged(([first]) => void (first![name] = mutate(first![name]) as string)),
        );
        expect(error.details.path).to.match(/^part\.lines\[\d\]\.patient\.signers\[0\]$/);
      });

    it("with any hash of the proof changed, missing, repeated or in another's place", () => {
      const { length } = lineOf(built, "A-1").patient!.signers[1]!.proof;
      for (let i = 0; i < length; i++) {
        const changes: ((proof: string[]) => string[])[] = [
          (proof) => proof.with(i, mutate(proof[i]) as string),
          (proof) => proof.toSpliced(i, 1),
          (proof) => proof.toSpliced(i, 0, proof[i]!),
          (proof) => proof.with(i, proof[(i + 1) % length]!).with((i + 1) % length, proof[i]!),
        ];
        for (const change of changes)
          refused("FILE_TAMPERED", () => openChanged(([, second]) => void (second!.proof = change(second!.proof))));
      }
    });

    it("with a key twice, or that of another line", () => {
      refused("FILE_TAMPERED", () => openChanged((signers) => void signers.push(signers[0]!)));
      const foreign = opened(built, laboratory).lines[0]!.patient!.signers[0]!;
      refused("FILE_TAMPERED", () => openChanged((signers) => void signers.push(foreign)));
      refused("FILE_TAMPERED", () =>
        openChanged((signers, part) => {
          const [from, to] = [part.lines.find(({ patient }) => patient)!, part.lines.find(({ patient }) => !patient)!];
          to.patient = { signers };
          delete from.patient;
        }),
      );
    });

    it("in another shape than the schema's", () => {
      refused("FILE_MALFORMED", () => openChanged((signers) => void signers.splice(0)));
      refused("FILE_MALFORMED", () => openChanged(([first]) => void (first!.signer = signerOf("a1", 19))));
      refused("FILE_MALFORMED", () => openChanged(([first]) => void (first!.signer = own.toUpperCase())));
      refused("FILE_MALFORMED", () => openChanged(([first]) => void Object.assign(first!, { name: "A patient" })));
    });

    it("where the rulebook asks for the patient and the part tells of none", async () => {
      const patientKeys = { "A-1": [own], "A-2": [mother], "L-1": [other] };
      const asked = await buildWith({ rulebook: asking, patientKeys });
      expect(signersOf(asked, "A-2")).to.deep.equal([mother]);
      const part = partOf(asked, pharmacy);
      delete part.lines[1]!.patient;
      const error = refused("PATIENT_SIGNER_MISSING", () => openClaimBatchPart(asked.file, part));
      expect(error.details.path).to.equal("part.lines[1].patient");
    });
  });

  it("verify for their own line only, and never by a proof that is none", () => {
    const { leaf, patient } = lineOf(built, "A-1");
    const [key] = patient!.signers as [PatientKey];
    const root = built.terms.manifestRoot;
    expect(verifyPatientKey(root, leaf.line, key)).to.equal(true);
    for (const line of [0, 1, 2, 3].filter((line) => line !== leaf.line))
      expect(verifyPatientKey(root, line, key)).to.equal(false);
    for (const proof of [[], key.proof.slice(-1), key.proof.with(0, "0x"), key.proof.with(0, "word")])
      expect(verifyPatientKey(root, leaf.line, { ...key, proof })).to.equal(false);
    expect(verifyPatientKey(root, leaf.line, { ...key, salt: "0x00" })).to.equal(false);
    for (const signer of ["somebody", "", `${own}0`])
      expect(verifyPatientKey(root, leaf.line, { ...key, signer })).to.equal(false);
  });

  describe("come from", () => {
    const [first, second] = [fill("1", "90.00"), fill("2", "12.34")] as const;

    it("the claim, the line in its place, and what is given for the batch in the place of both", async () => {
      const withLine: AdjudicatedClaim = {
        ...first,
        patientKeys: [own],
        lines: first.lines.map((line) => ({ ...line, patientKeys: [mother] })),
      };
      const claims = [withLine, { ...second, patientKeys: [guardian.toUpperCase().replace("0X", "0x")] }];
      const one = await buildWith({ claims });
      expect([signersOf(one, "A-1"), signersOf(one, "A-2")]).to.deep.equal([[mother], [guardian]]);
      const two = await buildWith({ claims, patientKeys: { "A-1": [other] } });
      expect([signersOf(two, "A-1"), signersOf(two, "A-2")]).to.deep.equal([[other], [guardian]]);
    });

    it("the plain JSON of a pharmacy's and a laboratory's claim", () => {
      const plain = first.resource as unknown as PharmacyClaim;
      const read = readPharmacyClaim({ ...plain, patientKeys: [own, mother] }, { payee: pharmacy });
      expect(read.patientKeys).to.deep.equal([own, mother]);
      const results = { ...(tests().resource as object), patientKeys: [own] };
      expect(readLaboratoryClaim(results as never, { payee: laboratory }).patientKeys).to.deep.equal([own]);
      for (const patientKeys of [[], ["0x02"], ["alice"], own, [signerOf("a1", 255)]])
        refused("INPUT_INVALID", () => readPharmacyClaim({ ...plain, patientKeys } as never, { payee: pharmacy }));
    });
  });

  describe("are refused before anything is built", () => {
    const refusedWith = (keys: unknown): Promise<unknown> => buildWith({ patientKeys: { "A-1": keys as string[] } });

    it("where they are no signers, none, too many, or twice the same", async () => {
      for (const keys of [["0x02"], [signerOf("a1", 19)], [signerOf("a1", 255)], ["alice.eth"], [5], [own, `${own}0`]])
        await refusedAsync("IDENTIFIER_INVALID", refusedWith(keys));
      const many = Array.from({ length: 17 }, (_, i) => toBeHex(i + 1, 20));
      for (const keys of [[], many, [own, own], [own, own.toUpperCase().replace("0X", "0x")], own, {}])
        await refusedAsync("INPUT_INVALID", refusedWith(keys));
    });

    it("where they are given for a claim that is not there", async () => {
      const error = await refusedAsync("INPUT_INVALID", buildWith({ patientKeys: { "A-9": [own] } }));
      expect(error.details.path).to.equal("patientKeys.A-9");
    });

    it("where two claims share one: the chain would show that both are of one patient", async () => {
      const error = await refusedAsync(
        "PATIENT_KEY_REUSED",
        buildWith({ patientKeys: { "A-1": [own, mother], "A-2": [guardian, mother] } }),
      );
      expect(error.details).to.deep.include({ claimId: "A-2", earlier: "A-1" });
    });

    it("where the rulebook asks for a patient of whom none is known, above its amount", async () => {
      const patientKeys = { "A-1": [own], "A-2": [mother] };
      await refusedAsync("PATIENT_SIGNER_MISSING", buildWith({ rulebook: asking, patientKeys }));
      // The laboratory's tests come to 105.00, the pharmacy's fills to 102.34.
      const above = (amount: bigint): ClaimBatchInput["rulebook"] => ({
        ...asking,
        attesterGroups: [asking.attesterGroups[0]!, { ...asking.attesterGroups[1]!, above: amount }],
      });
      await buildWith({ rulebook: above(105_000_000n) });
      await refusedAsync("PATIENT_SIGNER_MISSING", buildWith({ rulebook: above(104_999_999n) }));
      await buildWith({ rulebook: above(102_340_000n), patientKeys: { "L-1": [other] } });
    });
  });
});
