import { expect } from "chai";
import { AbiCoder, concat, id, keccak256, toUtf8Bytes, TypedDataEncoder, ZeroAddress, ZeroHash } from "ethers";
import fc from "fast-check";

import {
  accessTypes,
  entryHashOf,
  headAfter,
  historyMessage,
  linkOf,
  placeOf,
  receiptMessage,
  recordLeafOf,
  requireStatement,
  reviewMessage,
  trailLeafOf,
  trailOf,
  type AccessStatement,
} from "../../sdk/src/access";
import { leafBlindOf, paddingOf } from "../../sdk/src/access/trail";
import { recordTreeOf, rootFromLeaf, type RecordState } from "../../sdk/src/access/tree";
import { canonicalJson } from "../../sdk/src/encryption";
import { SEED } from "../support/arbitraries";
import { accountOf } from "../support/consentArbitraries";

import { refused } from "./refused";

const coder = AbiCoder.defaultAbiCoder();
/** The hashes of the log, written down a second time. */
const tagged = (kind: string, types: string[], values: unknown[]): string =>
  keccak256(coder.encode(["bytes32", ...types], [id(`carepact access ${kind} v1`), ...values]));

/** Of a trail, its head after one entry, and an entry. */
const PINNED = [
  "0xa6721bc2519aa83bdc407e4e060e4753f4e351540621a79ed1008be576515252",
  "0x5d89b9f13c5d2512f45ab286bb6d40bcb9792e466fae5f10a752bae1e478ae2f",
  "0x9d0768d1128477a17e4fbacddaebb862cab849088bfa70ad4cd749b24ca44595",
];

const gateway = accountOf("gateway");
const patient = id("patient");
const salt = id("salt");

const statement: AccessStatement = {
  patient,
  gateway,
  at: 2_000_000_000,
  who: accountOf("clinic"),
  action: "read",
  resourceTypes: ["Observation"],
  sensitivities: [],
  purposes: ["TREAT"],
  basis: { kind: "policy", policy: "urn:x" },
  outcome: { result: "allowed" },
};

const recordOf = (name: string, count = 1): RecordState => ({
  shared: { trail: id(`${name} shared`), count, head: id(`${name} shared ${count}`) },
  own: { trail: id(`${name} own`), count: 0, head: id(`${name} own`) },
});
const records = (count: number): RecordState[] => Array.from({ length: count }, (_, i) => recordOf(`patient ${i}`));

/** Leaf of a record under a seed. */
const leafOf = ({ shared, own }: RecordState, seed: string): string =>
  recordLeafOf(trailLeafOf(shared, leafBlindOf(seed, shared.trail)), trailLeafOf(own, leafBlindOf(seed, own.trail)));

describe("Access log: hashes", () => {
  it("are those that are written down", () => {
    const trail = trailOf({ gateway, patient, compartment: "own", salt });
    expect(trail).to.equal(tagged("trail", ["address", "bytes32", "uint8", "bytes32"], [gateway, patient, 1, salt]));
    const entryHash = entryHashOf(salt, statement);
    expect(entryHash).to.equal(keccak256(concat([salt, toUtf8Bytes(canonicalJson(statement))])));
    const link = linkOf(7, entryHash);
    expect(link).to.equal(tagged("link", ["uint48", "bytes32"], [7, entryHash]));
    const head = headAfter(trail, link);
    expect(head).to.equal(tagged("head", ["bytes32", "bytes32"], [trail, link]));
    const blind = id("blind");
    expect(placeOf(trail, 7, head, blind)).to.equal(
      tagged("place", ["bytes32", "uint48", "bytes32", "bytes32"], [trail, 7, head, blind]),
    );
    const leaf = trailLeafOf({ trail, count: 8, head }, blind);
    expect(leaf).to.equal(tagged("leaf", ["bytes32", "uint48", "bytes32", "bytes32"], [trail, 8, head, blind]));
    const [low, high] = [leaf, ZeroHash].sort();
    expect(recordLeafOf(leaf, ZeroHash)).to.equal(tagged("record", ["bytes32", "bytes32"], [low, high]));
    expect(paddingOf(salt, 3)).to.equal(tagged("padding", ["bytes32", "uint256"], [salt, 3]));
    expect(leafBlindOf(salt, trail)).to.equal(tagged("leaf blind", ["bytes32", "bytes32"], [salt, trail]));
  });

  it("do not change when these tests do: pinned", () => {
    const trail = trailOf({ gateway: ZeroAddress, patient: ZeroHash, compartment: "shared", salt: ZeroHash });
    expect([trail, headAfter(trail, linkOf(0, ZeroHash)), entryHashOf(ZeroHash, statement)]).to.deep.equal(PINNED);
  });

  it("are the same however an entry is spelt", () => {
    const spelt: AccessStatement = {
      ...statement,
      who: statement.who.toLowerCase(),
      patient: patient.toUpperCase().replace("0X", "0x"),
      resourceTypes: ["Observation", "Observation"],
    };
    expect(entryHashOf(salt, spelt)).to.equal(entryHashOf(salt, statement));
    expect(requireStatement(spelt)).to.deep.equal(statement);
    refused("ACCESS_ENTRY_MALFORMED", () => entryHashOf(salt, { ...statement, who: "nobody" }));
  });

  it("are of words only", () => {
    for (const word of ["", "0x", "0x12", `${salt}00`, "word"])
      for (const make of [
        () => linkOf(0, word),
        () => headAfter(salt, word),
        () => placeOf(salt, 0, salt, word),
        () => trailLeafOf({ trail: salt, count: 0, head: word }, salt),
        () => trailOf({ gateway, patient, compartment: "own", salt: word }),
      ])
        refused("INPUT_INVALID", make);
  });

  it("do not tell which of two trails is which", () => {
    expect(recordLeafOf(id("a"), id("b"))).to.equal(recordLeafOf(id("b"), id("a")));
  });

  it("are signed under these EIP-712 types, for one chain and contract", () => {
    const ref = { chainId: 31_337, accessLog: accountOf("log") };
    const types = (name: keyof typeof accessTypes): string =>
      TypedDataEncoder.from({ [name]: accessTypes[name] }).encodeType(name);
    expect(types("AccessReceipt")).to.equal("AccessReceipt(address gateway,bytes32 place,uint40 at,bytes32 entryHash)");
    expect(types("AccessReview")).to.equal("AccessReview(address gateway,bytes32 of,bool justified,string text)");
    expect(types("AccessHistory")).to.equal("AccessHistory(address gateway,bytes32 patient,uint40 at,bytes32 content)");
    const terms = { gateway, place: salt, at: 1, entryHash: salt };
    const messages = [
      receiptMessage(ref, terms),
      reviewMessage(ref, { gateway, of: salt, justified: true, text: "x" }),
      historyMessage(ref, { gateway, patient, at: 1, content: salt }),
    ];
    for (const { domain, message } of messages) {
      expect(domain).to.deep.equal({
        name: "Carepact AccessLog",
        version: "1",
        chainId: 31_337,
        verifyingContract: ref.accessLog,
      });
      expect(message).to.include({ gateway });
    }
  });
});

describe("Access log: tree of a root", () => {
  it("gives each record one place, and proves it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 }), fc.nat(), (count, n) => {
        const seed = id(`seed ${n}`);
        const all = records(count);
        const tree = recordTreeOf(all, seed);
        for (const record of all.slice(0, 5)) {
          const leaf = leafOf(record, seed);
          const proof = tree.prove(record.own.trail)!;
          expect(tree.prove(record.shared.trail)).to.deep.equal(proof);
          expect(rootFromLeaf(leaf, proof)).to.equal(tree.root);
          expect(rootFromLeaf(leaf, { ...proof, position: proof.position ^ 1 })).not.to.equal(tree.root);
          expect(rootFromLeaf(leaf, { ...proof, proof: [...proof.proof, salt] })).to.equal(undefined);
          expect(rootFromLeaf(leaf, { ...proof, proof: proof.proof.slice(1) })).to.equal(undefined);
          expect(rootFromLeaf(leafOf(record, id("another seed")), proof)).not.to.equal(tree.root);
        }
        expect(tree.prove(id("no trail"))).to.equal(undefined);
      }),
      { numRuns: 20, seed: SEED },
    );
  });

  it("has one of few widths, and one more leaf than records at least", () => {
    const widths = [1, 2, 63, 64, 65, 127, 128].map(
      (count) => recordTreeOf(records(count), salt).prove(id("patient 0 shared"))?.width,
    );
    expect(widths).to.deep.equal([64, 64, 64, 128, 128, 128, 256]);
  });

  it("has another root, other leaves and another order under another seed", () => {
    const all = records(40);
    const [one, other] = [recordTreeOf(all, id("a")), recordTreeOf(all, id("b"))];
    expect(one.root).not.to.equal(other.root);
    const positions = (tree: typeof one): (number | undefined)[] =>
      all.map(({ shared }) => tree.prove(shared.trail)?.position);
    expect(positions(one)).not.to.deep.equal(positions(other));
    expect(recordTreeOf(all, id("a")).root).to.equal(one.root);
    expect(recordTreeOf([...all].reverse(), id("a")).root).to.equal(one.root);
  });

  it("has another root when any trail grew", () => {
    const [first, ...others] = records(10) as [RecordState, ...RecordState[]];
    const roots = new Set([
      recordTreeOf([first, ...others], salt).root,
      recordTreeOf([recordOf("patient 0", 2), ...others], salt).root,
      recordTreeOf([{ ...first, own: { ...first.own, count: 1 } }, ...others], salt).root,
      recordTreeOf(others, salt).root,
      recordTreeOf([], salt).root,
    ]);
    expect(roots.size).to.equal(5);
  });
});
