module.exports = {
  // Instrumented, the escrow is too deep in the stack for the optimizer's full sequence, and without any it is three times as large and
  // compiles in twice the time. This is the part before its loops; what removes stores would remove the marks.
  configureYulOptimizer: true,
  solcOptimizerDetails: {
    peephole: true,
    jumpdestRemover: true,
    orderLiterals: true,
    deduplicate: true,
    inliner: false,
    cse: false,
    constantOptimizer: false,
    yul: true,
    yulDetails: { stackAllocation: true, optimizerSteps: "dhfoDgvulfnTUtnIf" },
  },
  // Lines and branches are what counts; to mark statements as well takes as long again. The report's column of them means nothing.
  measureStatementCoverage: false,
  skipFiles: ["Dependencies.sol", "mocks", "interfaces"],
  istanbulFolder: "./coverage",
  istanbulReporter: ["text", "html", "json-summary"],
};
