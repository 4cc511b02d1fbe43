import { behavesLikeAClaimBatch } from "./claimBatch.behaviour";

// In whole tokens.
const shapes: Record<string, bigint[][]> = {
  "one line": [[90n]],
  "five lines of one payee": [[45n, 9n, 36n, 2n, 1_000_000n]],
  "one line of each of four payees": [[90n], [75n], [3n], [12_000n]],
  "ten lines of four payees": [[90n, 75n, 20n], [4n], [31n, 31n], [7n, 8n, 9n, 10_000n]],
};

describe("ClaimEscrow", () => {
  for (const [shape, lines] of Object.entries(shapes))
    for (const decimals of [0, 6, 18])
      describe(`given ${shape} in a token of ${decimals} decimals, behaves like a claim batch`, () => {
        behavesLikeAClaimBatch(lines, decimals);
      });
});
