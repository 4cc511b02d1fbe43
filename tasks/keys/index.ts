import { command } from "../support/command";

command("keys:new", "Makes new keys in encrypted keystores: to sign with, to open files with, or several", {
  level: "offline",
  example: "keys:new --signing pharmacy.json --sealing pharmacy.sealing.json",
  options: {
    signing: "Where to write the keystore of an account's key",
    p256: "Where to write the keystore of a P-256 key, with which patients, representatives, recovery contacts and attesters sign without an account",
    origin:
      "With --p256, for who acts for a record: origin of the page on which others use passkeys, such as https://records.example, which " +
      "signatures show on chain; left out for an attester's key",
    sealing: "Where to write the keystore of a sealing key (X25519), whose public half goes into the directory",
  },
  run: () => import("./new"),
});
command("keys:show", "Shows whose keys keystores hold; asks for no password, and shows no key", {
  level: "offline",
  example: "keys:show --keystores pharmacy.json,pharmacy.sealing.json",
  options: { keystores: "Files, with commas (needed)" },
  run: () => import("./show"),
});
