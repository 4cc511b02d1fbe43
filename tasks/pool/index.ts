import { command } from "../support/command";

const token = { token: "Address of the ERC-20 token (needed)" };
const amount = { amount: "Amount in the token's own units, such as 90.00 (needed)" };

command("pool:approve", "Lets the escrow take the signer's tokens, for pool:deposit or a refund in tokens", {
  level: "send",
  example: "pool:approve --token 0x... --amount 6000.00 --keystore payer.json",
  options: { ...token, ...amount },
  run: () => import("./approve"),
});
command("pool:deposit", "Adds the signer's tokens, approved before or under a permit, to a payer's pool", {
  level: "send",
  example: "pool:deposit --token 0x... --amount 6000.00 --permit --keystore payer.json",
  options: { ...token, ...amount, payer: "Account whose pool is filled; the signer unless given" },
  flags: { permit: "Sign an ERC-2612 permit, so that pool:approve is not needed" },
  run: () => import("./deposit"),
});
command("pool:withdraw", "Takes tokens out of the signer's pool; works while all else is paused", {
  level: "send",
  example: "pool:withdraw --token 0x... --amount 100.00 --keystore payer.json",
  options: { ...token, ...amount, to: "Account that gets them; the signer unless given" },
  run: () => import("./withdraw"),
});
command("pool:balances", "Shows what an account has in the escrow: free balance and credit", {
  level: "read",
  example: "pool:balances --token 0x... --account 0x...",
  options: { ...token, account: "The account (needed)" },
  run: () => import("./balances"),
});
