import { task, types } from "hardhat/config";

task("books", "Adds up an escrow's events by itself, and holds the sums against what the chain says")
  .addParam("escrow", "Address of the escrow's proxy", undefined, types.string)
  .addOptionalParam("from", "Block of the deployment", 0, types.int)
  .addFlag("allowSurplus", "Tokens that somebody sent to the escrow by hand are no error")
  .setAction(async (options: { escrow: string; from: number; allowSurplus: boolean }, hre) => {
    const { checkBooks } = await import("../examples/demo/books");
    const { showBooks } = await import("../examples/demo/booksTable");
    const { screenOn } = await import("../examples/demo/print");
    const { from, allowSurplus } = options;
    const escrow = hre.ethers.getAddress(options.escrow);
    if ((await hre.ethers.provider.getCode(escrow)) === "0x")
      throw new Error(`There is no contract at ${escrow} on network ${hre.network.name}.`);
    const report = await checkBooks(hre.network.provider, escrow, { from, allowSurplus });
    await showBooks(
      screenOn((line) => console.log(line)),
      report,
      hre.ethers.provider,
    );
    process.exitCode = report.balanced ? 0 : 1;
  });
