import type { ErrorCode } from "./codes";

/** How a failure shows itself: in the codes that libraries and wallets give it, or in the words of nodes. */
export interface Sign {
  code: ErrorCode;
  /** Codes of ethers (text), EIP-1193 and JSON-RPC (numbers), sockets (text). */
  codes?: readonly (string | number)[];
  words?: RegExp;
  message: string;
}

/** Before all others: whoever refused to sign sees no other reason. */
export const REJECTED: Sign = {
  code: "USER_REJECTED",
  // EIP-1193; WalletConnect's CAIP-25 codes.
  codes: ["ACTION_REJECTED", 4001, 5000, 5001, 5002, 5003],
  words: /\buser (rejected|denied|refused|cancell?ed|declined)|denied by the user|rejected by user/i,
  message: "The signature was refused in the wallet.",
};

/** What Ledger's devices say when the button for no is pressed. */
export const LEDGER_DENIED = 0x6985;

/**
 * In the order in which they are looked for: words that say more come first, and those of a node before those of what
 * carried them. Words are compared only when no contract spoke: a contract may say anything.
 */
export const SIGNS: readonly Sign[] = [
  {
    code: "GAS_FUNDS_MISSING",
    codes: ["INSUFFICIENT_FUNDS"],
    words:
      /insufficient ?(funds|balance|sender balance|maxfeepergas)|(doesn't|does not) have enough funds|not enough funds|upfront cost exceeds/i,
    message: "The account cannot pay for gas.",
  },
  {
    code: "ALREADY_SENT",
    words: /already ?known|known transaction|already imported|already in mempool|existing txn? with same hash/i,
    message: "The node has this very transaction already: wait for it, and do not send it again.",
  },
  {
    code: "NONCE_CONFLICT",
    codes: ["NONCE_EXPIRED", "REPLACEMENT_UNDERPRICED"],
    words:
      /\bnonce\b|OldNonce|NonceGap|replacement (transaction|fee)|ReplacementNotAllowed|(could not|tries to) replace|in-flight transaction limit/i,
    message:
      "Another transaction of the account has this nonce, or one before it is missing: wait for the others, then try again.",
  },
  {
    code: "FEE_TOO_LOW",
    words:
      /underpriced|fee ?too ?low|(less than|below) (the )?(block|current) base fee|gas price (is )?(too low|below)|is too low for the next block|miner premium|priority ?fee.*(higher|more|bigger|exceeds)/i,
    message: "The fee is below what the network takes now: raise it, or leave it to the wallet.",
  },
  {
    code: "OUT_OF_GAS",
    words:
      /intrinsic ?gas (too low|exceeds)|^(err: |INTERNAL_ERROR: )?IntrinsicGas|CallGasCostMoreThanGasLimit|below intrinsic gas|requires at least \d+ gas|(ran )?out ?of ?gas|OOG\b|gas required exceeds|floor data gas/i,
    message: "The gas limit does not suffice: raise it, or leave it to the wallet.",
  },
  {
    code: "GAS_LIMIT_TOO_HIGH",
    words:
      /gas limit (is )?too high|gas ?limit ?(cap )?(exceeded|reached)|exceeds (the )?(block|transaction) gas (limit|cap)|gas limit exceeds|tx\.gas_limit >|greater than.*gas (limit|cap)/i,
    message: "The gas limit is above what a transaction or block may use: lower it, or split the batch.",
  },
  {
    code: "CHAIN_MISMATCH",
    // EIP-1193: not connected to the chain; EIP-3326: the wallet does not know it.
    codes: [4901, 4902],
    words:
      /(wrong|invalid|incompatible|unsupported).*chain ?-?id|chain ?id.*(mismatch|not match)|^invalid sender|another chain|network changed/i,
    message: "The wallet or node is on another chain: switch the network.",
  },
  {
    code: "RATE_LIMITED",
    codes: [429],
    words:
      /rate.?limit|too many requests|request (limit|count)|requests per (second|day)|compute units|capacity limit|credits limited/i,
    message: "The node takes no more requests for now: wait, or ask less often.",
  },
  {
    code: "RUNNER_CANNOT_SIGN",
    // EIP-1193: the page may not use the account.
    codes: [4100],
    words: /cannot sign|does not support sending transactions/i,
    message: "This connection cannot sign: connect with a wallet, and let it use the account.",
  },
  { code: "RUNNER_CANNOT_READ", words: /^missing provider/i, message: "The signer is not connected to a provider." },
  {
    code: "ABORTED",
    codes: ["ABORT_ERR", "CANCELLED"],
    words: /^AbortError/,
    message: "The call was aborted by its signal.",
  },
  { code: "TIMED_OUT", codes: ["TIMEOUT"], words: /^TimeoutError/, message: "The call took longer than it was given." },
  {
    code: "NODE_UNREACHABLE",
    codes: [
      "NETWORK_ERROR",
      "SERVER_ERROR",
      "ECONNREFUSED",
      "ECONNRESET",
      "ECONNABORTED",
      "EHOSTUNREACH",
      "ENETUNREACH",
      "ENOTFOUND",
      "EAI_AGAIN",
      "EPIPE",
      "ETIMEDOUT",
      "UND_ERR_CONNECT_TIMEOUT",
      "UND_ERR_HEADERS_TIMEOUT",
      "UND_ERR_SOCKET",
      // EIP-1193: the wallet has no connection.
      4900,
    ],
    words:
      /fetch failed|failed to fetch|^networkerror|^load failed|socket hang up|other side closed|bad gateway|service unavailable/i,
    message: "The node does not answer: look at the connection, or use another node.",
  },
];
