import { command } from "../support/command";

const entry = {
  account: "Account of the organization (needed)",
  file: "File with the entry as JSON, in place of what follows; - is stdin",
  name: "Name",
  kinds: "payer, pharmacy, laboratory, clinic, sponsor, gateway; several with commas",
  hpkeKey: "X25519 public key that files for it are sealed to, as keys:new shows it",
  npi: "National Provider Identifier",
  ncpdpId: "NCPDP provider id, seven digits",
  clia: "CLIA number of a laboratory",
  endpoint: "https URL of its FHIR server or API",
};
const account = { account: "Account of the organization (needed)" };

command("org:register", "Registers an organization in good standing; credentialing role", {
  level: "send",
  example:
    'org:register --account 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --name "Elm Pharmacy" --kinds pharmacy --npi 1234567893 --hpke-key 0x...',
  options: entry,
  run: () => import("./register"),
});
command("org:update", "Changes what is given of an organization's entry; credentialing role", {
  level: "send",
  example: 'org:update --account 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc --name "Elm Street Pharmacy"',
  options: entry,
  run: () => import("./update"),
});
command("org:show", "Shows an organization's entry", {
  level: "read",
  example: "org:show --npi 1234567893",
  options: { account: "Account of the organization", npi: "Its NPI, in place of the account" },
  run: () => import("./show"),
});
command("org:suspend", "Takes an organization's good standing; credentialing role", {
  level: "send",
  example: "org:suspend --account 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
  options: account,
  run: () => import("./suspend"),
});
command("org:reinstate", "Gives an organization its good standing back; credentialing role", {
  level: "send",
  example: "org:reinstate --account 0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
  options: account,
  run: () => import("./reinstate"),
});
command("org:key", "Changes the key that files for the signer are sealed to", {
  level: "send",
  example: "org:key --keystore pharmacy.json --hpke-key 0x...",
  options: { hpkeKey: "X25519 public key, as keys:new shows it (needed)" },
  run: () => import("./key"),
});
command("org:endpoint", "Changes the signer's own endpoint in the directory", {
  level: "send",
  example: "org:endpoint --keystore pharmacy.json --endpoint https://fhir.example.org",
  options: { endpoint: "https URL of its FHIR server or API; empty to have none (needed)" },
  run: () => import("./endpoint"),
});
