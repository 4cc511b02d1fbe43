import { expect } from "chai";
import { concat, keccak256, toBeHex } from "ethers";
import fc from "fast-check";

import {
  linesLeafOf,
  manifestRightOf,
  manifestRootOf,
  manifestTreeOf,
  packLineAmounts,
  verifyDetail,
  verifyLines,
  type ManifestTree,
  type PlacedLeaf,
} from "../../sdk/src/claims";

import { refused } from "./refused";

const leafAt = (position: number): string => keccak256(toBeHex(position + 1, 32));
const leavesOf = (width: number): string[] => Array.from({ length: width }, (_, position) => leafAt(position));
const hashOf = (left: string, right: string): string => keccak256(concat([left, right]));

/** The same tree, as RFC 6962 defines its shape: from the root down, the left side as large a power of two as fits. */
function rootByHalves(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0]!;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return hashOf(rootByHalves(leaves.slice(0, left)), rootByHalves(leaves.slice(left)));
}

/** Root of the other side of the manifest. */
const other = keccak256("0x0badc0de");
const foreign = keccak256("0x0ddba110");

interface Opened {
  width: number;
  root: string;
  placed: PlacedLeaf[];
  proof: string[];
}

const opened = (width: number, positions: number[]): Opened => {
  const tree = manifestTreeOf(leavesOf(width));
  return {
    width,
    root: manifestRootOf(tree.root, other),
    placed: positions.map((position) => ({ position, leaf: leafAt(position) })),
    proof: [...tree.prove(positions), other],
  };
};

/** Any leaves of a tree of 1 to 40 of them. */
const anyOpened = fc
  .integer({ min: 1, max: 40 })
  .chain((width) => fc.tuple(fc.constant(width), fc.subarray([...Array(width).keys()], { minLength: 1 })))
  .map(([width, positions]) => opened(width, positions));

describe("manifest tree", () => {
  it("hashes left and right in their order, and takes a last node without a neighbour up as it is", () => {
    const [a, b, c, d, e] = leavesOf(5) as [string, string, string, string, string];
    expect(manifestTreeOf([a]).root).to.equal(a);
    expect(manifestTreeOf([a, b]).root).to.equal(hashOf(a, b));
    expect(manifestTreeOf([b, a]).root).to.equal(hashOf(b, a));
    expect(manifestTreeOf([a, b, c]).root).to.equal(hashOf(hashOf(a, b), c));
    expect(manifestTreeOf([a, b, c, d, e]).root).to.equal(hashOf(hashOf(hashOf(a, b), hashOf(c, d)), e));
    expect(manifestRootOf(a, b)).to.equal(hashOf(a, b));
  });

  it("has the root that its shape, defined from above, gives it", () => {
    for (let width = 1; width <= 40; width++)
      expect(manifestTreeOf(leavesOf(width)).root).to.equal(rootByHalves(leavesOf(width)));
  });

  it("proves what cannot be computed, from the leaves up, from left to right", () => {
    const [a, b, c, d, e] = leavesOf(5) as [string, string, string, string, string];
    const tree = manifestTreeOf([a, b, c, d, e]);
    expect(tree.prove([4])).to.deep.equal([hashOf(hashOf(a, b), hashOf(c, d))]);
    expect(tree.prove([1, 2])).to.deep.equal([a, d, e]);
    expect(tree.prove([0, 4])).to.deep.equal([b, hashOf(c, d)]);
    expect(tree.prove([0, 1, 2, 3, 4])).to.deep.equal([]);
    expect(manifestTreeOf([a]).prove([0])).to.deep.equal([]);
  });

  it("refuses to prove positions that are missing, repeated, out of order or out of the tree", () => {
    const tree = manifestTreeOf(leavesOf(3));
    for (const positions of [[], [0, 0], [1, 0], [3], [-1], [0.5], [NaN]])
      expect(refused("INPUT_INVALID", () => tree.prove(positions)).details.path).to.equal("positions");
    refused("BATCH_EMPTY", () => manifestTreeOf([]));
  });

  it("does not change with the leaves it was made of", () => {
    const leaves = leavesOf(3);
    const tree = manifestTreeOf(leaves);
    leaves[1] = foreign;
    expect(tree.prove([0])).to.deep.equal([leafAt(1), leafAt(2)]);
  });

  it("verifies any leaves of a tree of any width, on its own side of the manifest", () => {
    fc.assert(
      fc.property(anyOpened, ({ width, root, placed, proof }) => {
        expect(verifyLines(root, placed, width, proof)).to.equal(true);
        const [first] = placed as [PlacedLeaf];
        const tree = manifestTreeOf(leavesOf(width));
        const alone = [...tree.prove([first.position]), other];
        expect(verifyDetail(manifestRootOf(other, tree.root), first, width, alone)).to.equal(true);
        expect(verifyDetail(root, first, width, alone), "a detail on the side of the lines").to.equal(false);
        expect(verifyLines(manifestRootOf(other, tree.root), placed, width, proof), "the reverse").to.equal(false);
      }),
    );
  });

  it("verifies details beside patients' keys by a proof that says so, and by no other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (width, which) => {
        const position = which % width;
        const tree = manifestTreeOf(leavesOf(width));
        const placed = { position, leaf: leafAt(position) };
        const path = tree.prove([position]);
        const [without, beside] = [undefined, foreign].map((patients) =>
          manifestRootOf(other, manifestRightOf(tree.root, patients)),
        ) as [string, string];
        expect(beside).to.equal(hashOf(other, hashOf(tree.root, foreign)));
        expect(verifyDetail(beside, placed, width, [...path, foreign, other])).to.equal(true);
        expect(verifyDetail(beside, placed, width, [...path, other])).to.equal(false);
        expect(verifyDetail(beside, placed, width, [...path, other, foreign])).to.equal(false);
        expect(verifyDetail(beside, placed, width, [...path, foreign, foreign, other])).to.equal(false);
        expect(verifyDetail(without, placed, width, [...path, foreign, other])).to.equal(false);
        expect(verifyDetail(without, placed, width, [...path, other])).to.equal(true);
      }),
    );
  });

  it("refuses any leaf in another's position", () => {
    fc.assert(
      fc.property(anyOpened, fc.nat(), fc.nat(), ({ width, root, placed, proof }, which, to) => {
        const moved = [...placed];
        const at = which % placed.length;
        const position = to % width;
        fc.pre(moved[at]!.position !== position);
        moved[at] = { ...moved[at]!, position };
        expect(verifyLines(root, moved, width, proof)).to.equal(false);
      }),
    );
  });

  it("refuses leaves that were swapped, replaced, repeated, or put out of order", () => {
    fc.assert(
      fc.property(anyOpened, fc.nat(), fc.nat(), ({ width, root, placed, proof }, one, two) => {
        const verifies = (leaves: PlacedLeaf[]): boolean => verifyLines(root, leaves, width, proof);
        const [i, j] = [one % placed.length, two % placed.length];
        const [a, b] = [placed[i]!, placed[j]!];
        expect(verifies(placed.with(i, { ...a, leaf: foreign }))).to.equal(false);
        expect(verifies([...placed, a])).to.equal(false);
        expect(verifies([])).to.equal(false);
        if (i === j) return;
        expect(verifies(placed.with(i, { ...a, leaf: b.leaf }).with(j, { ...b, leaf: a.leaf }))).to.equal(false);
        expect(verifies(placed.with(i, b).with(j, a))).to.equal(false);
      }),
    );
  });

  it("refuses a proof with any element missing, added, changed, or in another's place", () => {
    fc.assert(
      fc.property(anyOpened, fc.nat(), fc.nat(), ({ width, root, placed, proof }, one, two) => {
        const verifies = (changed: string[]): boolean => verifyLines(root, placed, width, changed);
        const [i, j] = [one % proof.length, two % proof.length];
        expect(verifies(proof.toSpliced(i, 1))).to.equal(false);
        expect(verifies(proof.toSpliced(i, 0, foreign))).to.equal(false);
        expect(verifies(proof.toSpliced(i, 0, proof[i]!))).to.equal(false);
        expect(verifies([...proof, foreign])).to.equal(false);
        expect(verifies(proof.with(i, foreign))).to.equal(false);
        expect(verifies([])).to.equal(false);
        if (i !== j) expect(verifies(proof.with(i, proof[j]!).with(j, proof[i]!))).to.equal(false);
      }),
    );
  });

  it("refuses the last leaf under any other width, so that no two widths share a tree", () => {
    for (let width = 1; width <= 40; width++) {
      const { root, placed, proof } = opened(width, [width - 1]);
      for (let claimed = 0; claimed <= 80; claimed++)
        expect(verifyLines(root, placed, claimed, proof), `${width} as ${claimed}`).to.equal(claimed === width);
    }
  });

  it("refuses positions and hashes that are none", () => {
    const { root, placed, proof } = opened(3, [1]);
    const [leaf] = placed as [PlacedLeaf];
    for (const position of [-1, 0.5, 1.5, 3, NaN, Infinity])
      expect(verifyLines(root, [{ ...leaf, position }], 3, proof), String(position)).to.equal(false);
    for (const hash of ["", "0x", "hash", proof[0]!.slice(0, -2), proof[0]! + "00"]) {
      expect(verifyLines(root, placed, 3, proof.with(0, hash)), hash).to.equal(false);
      expect(verifyLines(root, placed, 3, proof.with(-1, hash)), hash).to.equal(false);
      expect(verifyLines(root, [{ ...leaf, leaf: hash }], 3, proof), hash).to.equal(false);
    }
  });

  it("takes no leaf's preimage for two nodes", () => {
    const salt = keccak256("0x5a17");
    const leaf = linesLeafOf({ group: 0, salt, amounts: [40n, 2n] });
    const [left, right] = [toBeHex(0, 32), concat([salt, packLineAmounts([40n, 2n])])];
    expect(hashOf(left, right)).to.equal(leaf);
    const root = manifestRootOf(leaf, other);
    expect(verifyLines(root, [{ position: 0, leaf }], 1, [other])).to.equal(true);
    expect(verifyLines(root, [{ position: 0, leaf: left }], 2, [right, other])).to.equal(false);
  });
});

describe("manifest tree of a payer who commits to a second split of group 1", () => {
  const salt = keccak256("0x5a17");
  const [zero, first, two] = [
    linesLeafOf({ group: 0, salt, amounts: [5n] }),
    linesLeafOf({ group: 1, salt, amounts: [40n, 2n] }),
    linesLeafOf({ group: 2, salt, amounts: [7n] }),
  ];
  const second = linesLeafOf({ group: 1, salt, amounts: [1n, 41n] });
  const inOrder: [string, string, string] = [zero, first, two];
  const sortedPair = (a: string, b: string): string => (a < b ? hashOf(a, b) : hashOf(b, a));

  const rootsOver = (tree: ManifestTree): string => manifestRootOf(tree.root, other);
  // Of each tree, its root, and the nodes beside those that all have.
  const trees: [string, string, string[]][] = [
    ["as one more leaf", rootsOver(manifestTreeOf([...inOrder, second])), [hashOf(two, second)]],
    ["as the leaf before", rootsOver(manifestTreeOf([zero, first, second, two])), [hashOf(second, two)]],
    ["in another group's place", rootsOver(manifestTreeOf([second, first, two])), [hashOf(second, first)]],
    [
      "below its own place",
      rootsOver(manifestTreeOf([zero, hashOf(first, second), two])),
      [hashOf(first, second), hashOf(zero, hashOf(first, second))],
    ],
    ["below the last place", rootsOver(manifestTreeOf([zero, first, hashOf(two, second)])), [hashOf(two, second)]],
    [
      "as the other side of the manifest",
      manifestRootOf(manifestTreeOf(inOrder).root, second),
      [manifestTreeOf(inOrder).root],
    ],
    [
      "in a second tree on the other side",
      manifestRootOf(manifestTreeOf(inOrder).root, manifestTreeOf([zero, second, two]).root),
      [manifestTreeOf(inOrder).root, manifestTreeOf([zero, second, two]).root],
    ],
    [
      "in a tree of sorted pairs",
      sortedPair(sortedPair(sortedPair(zero, first), sortedPair(two, second)), other),
      [sortedPair(zero, first), sortedPair(two, second), sortedPair(sortedPair(zero, first), sortedPair(two, second))],
    ],
  ];

  /** Every list of up to `length` of these. */
  function* listsOf(entries: readonly string[], length: number): Generator<string[]> {
    yield [];
    if (length > 0)
      for (const rest of listsOf(entries, length - 1)) for (const entry of entries) yield [entry, ...rest];
  }

  for (const [where, root, nodes] of trees)
    it(`opens at most one split, and not the second, where that is ${where}`, () => {
      const known = [...new Set([zero, first, two, second, other, hashOf(zero, first), ...nodes])];
      const open = (leaf: string): string[][] =>
        [...listsOf(known, 3)].filter((proof) => verifyLines(root, [{ position: 1, leaf }], 3, proof));
      expect(open(second)).to.deep.equal([]);
      expect(open(first).length).to.be.at.most(1);
    });

  it("opens the second split alone, where that stands in the group's place: then the payee's file has it too", () => {
    const tree = manifestTreeOf([zero, second, two]);
    const root = rootsOver(tree);
    const proof = [...tree.prove([1]), other];
    expect(verifyLines(root, [{ position: 1, leaf: second }], 3, proof)).to.equal(true);
    expect(verifyLines(root, [{ position: 1, leaf: first }], 3, proof)).to.equal(false);
  });
});
