module.exports = {
  // Instrumented, the escrow is too deep in the stack for the optimizer's full sequence.
  irMinimum: true,
  skipFiles: ["Dependencies.sol", "mocks", "interfaces"],
  istanbulFolder: "./coverage",
  istanbulReporter: ["text", "html", "json-summary"],
};
