module.exports = {
  skipFiles: ["mocks", "interfaces"],
  istanbulFolder: "./coverage",
  istanbulReporter: ["text", "html", "json-summary"],
};
