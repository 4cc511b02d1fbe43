import { command } from "../support/command";

const id = { id: "Id of the rulebook (needed)" };

command("rulebook:publish", "Publishes a rulebook; one that was published stays as it is", {
  level: "send",
  example: "rulebook:publish --file rulebook.json --keystore payer.json",
  options: {
    file:
      "JSON: attesters, threshold, eventKinds, grace such as 3d, suspender, documentHash; or all fields, as rulebook:show --out " +
      "writes them; - is stdin (needed)",
  },
  run: () => import("./publish"),
});
command("rulebook:show", "Shows a rulebook, and whether it is suspended", {
  level: "read",
  example: "rulebook:show --id 0x... --out rulebook.json",
  options: { ...id, out: "File to write it to as JSON" },
  flags: { force: "Write over the file" },
  run: () => import("./show"),
});
command("rulebook:suspend", "Stops funding and settlement under a rulebook; its suspender", {
  level: "send",
  example: "rulebook:suspend --id 0x... --keystore suspender.json",
  options: id,
  run: () => import("./suspend"),
});
command("rulebook:resume", "Ends the suspension of a rulebook; its suspender", {
  level: "send",
  example: "rulebook:resume --id 0x... --keystore suspender.json",
  options: id,
  run: () => import("./resume"),
});
