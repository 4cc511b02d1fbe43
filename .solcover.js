module.exports = {
  skipFiles: ["Dependencies.sol", "mocks", "interfaces"],
  istanbulFolder: "./coverage",
  istanbulReporter: ["text", "html", "json-summary"],
};
