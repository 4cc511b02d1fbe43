/** Prints what the observer of test/privacy finds, as the tables of docs/privacy.md: `npm run privacy`. */
import {
  claimsScore,
  claimsTable,
  columnsOf,
  consentsScores,
  consentsTable,
  linesPerPayeeOf,
} from "../test/privacy/table";

const print = (...cells: string[]): void => console.log(`| ${cells.join(" | ")} |`);
const head = (...cells: string[]): void => {
  print(...cells);
  print(...cells.map(() => "---"));
};

async function main(): Promise<void> {
  head("lines a payee", "claims", "right", "share (95 %)", "chance in the group", "p", "any line of the payee's month");
  for (const row of claimsTable) {
    const score = await claimsScore(row);
    const month = `${(100 * score.chanceOfPayee).toFixed(1)} %`;
    print(String(linesPerPayeeOf(row)), row.name, ...columnsOf(score), month);
  }
  console.log();
  head("how", "what is looked for", "right", "share (95 %)", "chance", "p");
  for (const row of consentsTable)
    for (const [question, , score] of await consentsScores(row)) print(row.name, question, ...columnsOf(score));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
