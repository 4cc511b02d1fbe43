import { command } from "../support/command";

const membership = {
  role: "admin, upgrader, pauser, credentialing, or the id of another role (needed)",
  account: "The account (needed)",
};
const delay = {
  delay: "How long the member waits before each call, such as 14d; 0s unless given, and needed for admin and upgrader",
};
const call = {
  call: "grant, revoke, forwarder, pause, unpause; or leave it out and give --target and --data (needed)",
  role: "For grant and revoke: the role",
  account: "For grant and revoke: the account. For forwarder: Chainlink's Keystone forwarder, or none",
  delay: "For grant: how long the member waits before each call",
  target: "Address of a contract to call",
  data: "Selector and encoded arguments of the call, hex",
};
const operation = { operation: "Id of what was scheduled, as roles:pending shows it (needed)" };

command("roles:list", "Lists the roles: members, delays, and what each may call", {
  level: "read",
  example: "roles:list",
  run: () => import("./list"),
});
command("roles:pending", "Lists what was scheduled, and when it can be executed", {
  level: "read",
  example: "roles:pending",
  run: () => import("./pending"),
});
command("roles:grant", "Gives an account a role; an admin that has to wait schedules it first", {
  level: "send",
  example: "roles:grant --role pauser --account 0x... --keystore governance.json",
  options: { ...membership, ...delay },
  run: () => import("./grant"),
});
command("roles:revoke", "Takes a role from an account; an admin that has to wait schedules it first", {
  level: "send",
  example: "roles:revoke --role pauser --account 0x... --keystore governance.json",
  options: membership,
  run: () => import("./revoke"),
});
command("roles:schedule", "Announces what the signer may do only after its delay", {
  level: "send",
  example: "roles:schedule --call grant --role pauser --account 0x... --keystore governance.json",
  options: { ...call, when: "First moment to execute it at, if later than has to be: 2026-12-31T18:00:00Z, or 20d" },
  run: () => import("./schedule"),
});
command("roles:execute", "Does what the signer scheduled, once its time has come; ends with 5 before", {
  level: "send",
  example: "roles:execute --operation 0x... --keystore governance.json",
  options: operation,
  run: () => import("./execute"),
});
command("roles:cancel", "Takes back what was scheduled: who scheduled it, the admin, or the role's guardian", {
  level: "send",
  example: "roles:cancel --operation 0x... --keystore governance.json",
  options: operation,
  run: () => import("./cancel"),
});
command("roles:pause", "Pauses funding and settlement; withdrawals and payouts go on; pauser", {
  level: "send",
  example: "roles:pause --keystore pauser.json",
  run: () => import("./pause"),
});
command("roles:unpause", "Ends a pause; pauser", {
  level: "send",
  example: "roles:unpause --keystore pauser.json",
  run: () => import("./unpause"),
});
