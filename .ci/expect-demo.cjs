// Reads the demo's JSON line from stdin and says whether it is what `ok` or `tampered` should end in.
const { readFileSync } = require("node:fs");

const result = JSON.parse(readFileSync(0, "utf8"));
const expected = {
  ok: () =>
    result.ok === true &&
    result.balanced === true &&
    result.dispenses.total === 31 &&
    ["granted", "read", "revoked", "refusedAfter", "majority"].every((what) => result.consent[what] === true) &&
    ["workflow", "passkey", "duplicateCaught", "equivocationProved"].every((what) => result.oracle[what] === true) &&
    ["disputed", "recouped"].every((what) => Number(result.lifecycle[what]) > 0) &&
    result.lifecycle.cob.length === 2 &&
    result.lifecycle.remittanceBalanced === true,
  tampered: () => result.ok === false,
};
if (!expected[process.argv[2]]()) {
  console.error(`This is not what the demo should end in (${process.argv[2]}).`);
  process.exitCode = 1;
}
