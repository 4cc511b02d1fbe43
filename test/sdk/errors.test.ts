import { runInNewContext } from "node:vm";

import { expect } from "chai";
import { AbiCoder, concat, id, Interface, makeError, Transaction } from "ethers";

import { CarepactError, decodeError, errorCodes, isCarepactError, parseRevert, type ErrorCode } from "@carepact/sdk";

const escrow = new Interface(["error ReclaimTooEarly(uint256 attestBy)"]);
const revertData = escrow.encodeErrorResult("ReclaimTooEarly", [1_800_000_000n]);
const { selector } = escrow.getError("ReclaimTooEarly")!;

const coder = AbiCoder.defaultAbiCoder();
const errorData = (text: string): string =>
  concat([id("Error(string)").slice(0, 10), coder.encode(["string"], [text])]);
const panicData = (code: number): string =>
  concat([id("Panic(uint256)").slice(0, 10), coder.encode(["uint256"], [code])]);

const HASH = `0x${"ab".repeat(32)}`;
const OTHER_HASH = `0x${"cd".repeat(32)}`;
/** A contract's own words that look like somebody else's. */
const DECEPTIVE = ["nonce too low", "insufficient funds", "out of gas", "user rejected", "already known", "rate limit"];

describe("SDK: errors", () => {
  describe("given an error of the SDK", () => {
    const error = new CarepactError("CONTRACT_REVERTED", "Refused.", { at: 1n }, "why", {
      contract: "ClaimEscrow",
      name: "ReclaimTooEarly",
      args: { attestBy: 1_800_000_000n },
      txHash: HASH,
    });

    it("carries the contract's name for it, and arguments as they are used", () => {
      expect(error).to.include({ name: "ReclaimTooEarly", contract: "ClaimEscrow", txHash: HASH, cause: "why" });
      expect(error.args).to.deep.equal({ attestBy: 1_800_000_000n });
      expect(`${error}`).to.equal("ReclaimTooEarly: Refused.");
    });

    it("goes into a log as JSON, without bigints and without what is not known", () => {
      expect(JSON.parse(JSON.stringify(error))).to.deep.equal({
        name: "ReclaimTooEarly",
        code: "CONTRACT_REVERTED",
        message: "Refused.",
        contract: "ClaimEscrow",
        args: { attestBy: "1800000000" },
        txHash: HASH,
        details: { at: "1" },
      });
      const odd = new CarepactError("BATCH_TOO_LARGE", "Split it.", { total: 1n << 96n, f: () => 1, n: NaN });
      expect(odd.details).to.deep.equal({ total: (1n << 96n).toString(), f: "function", n: "NaN" });
      const plain = new CarepactError("ABORTED", "Stopped.");
      expect(plain.toJSON()).to.deep.equal({
        name: "CarepactError",
        code: "ABORTED",
        message: "Stopped.",
        details: {},
      });
      for (const key of ["contract", "args", "txHash", "cause"]) expect(key in plain, key).to.equal(false);
    });

    it("is known by copies of the SDK and in other realms, and nothing else is", () => {
      const copies: unknown[] = [
        error,
        Object.assign(new Error("Refused."), { [Symbol.for("carepact.error")]: true, code: "CONTRACT_REVERTED" }),
        runInNewContext(`({ [Symbol.for("carepact.error")]: true, code: "CONTRACT_REVERTED" })`),
      ];
      for (const copy of copies) {
        expect(isCarepactError(copy)).to.equal(true);
        expect(isCarepactError(copy, "CONTRACT_REVERTED")).to.equal(true);
        expect(isCarepactError(copy, "ABORTED")).to.equal(false);
        expect(decodeError(copy)).to.equal(copy);
      }
      const branded = Symbol.for("carepact.error");
      for (const other of [
        undefined,
        null,
        "CarepactError",
        { name: "CarepactError", code: "ABORTED" },
        { [branded]: true },
      ])
        expect(isCarepactError(other)).to.equal(false);
    });
  });

  describe("given the data of a revert", () => {
    it("knows Solidity's own", () => {
      expect(parseRevert(errorData("too late"))).to.deep.equal({ name: "Error", args: { message: "too late" } });
      expect(parseRevert(panicData(0x11))).to.deep.equal({ name: "Panic", args: { code: 0x11n } });
      expect(decodeError({ data: errorData("too late") }).message).to.contain("too late");
    });

    it("says in plain words what a panic means", () => {
      for (const [code, words] of [
        [0x01, "always holds"],
        [0x11, "left its range"],
        [0x12, "divided by zero"],
        [0x21, "none of those"],
        [0x22, "storage"],
        [0x31, "empty list"],
        [0x32, "end of a list"],
        [0x41, "memory"],
        [0x51, "function that was not set"],
        [0x99, "no known one"],
      ] as const) {
        const error = decodeError({ data: panicData(code) });
        expect(error.message).to.contain(words);
        expect(error).to.deep.include({ name: "Panic", args: { code: BigInt(code) } });
      }
    });

    it("hands on what no contract of ours declares, or what only looks like it", () => {
      for (const data of ["0x12345678", "0xdeadbeef01", selector, `${selector}01`, "0x", "0x1234"])
        expect(parseRevert(data)).to.deep.equal({ name: "Unknown", args: { data } });
      for (const data of [`0xdeadbeef${"00".repeat(1_000)}`, `${errorData("x").slice(0, 10)}${"ff".repeat(96)}`]) {
        const { code, name, args, message } = decodeError({ data });
        expect([code, name, args]).to.deep.equal(["CONTRACT_REVERTED", "Unknown", { data }]);
        expect(message.length).to.be.lessThan(250);
      }
    });
  });

  describe("given what nodes, wallets and libraries throw", () => {
    const shapes: Record<string, unknown> = {
      "data at the top": { data: revertData },
      "error.data": { error: { data: revertData } },
      "error.data.data": { error: { code: 3, data: { data: revertData, message: "reverted" } } },
      "data.data": { data: { data: revertData, txHash: "0x12" } },
      "data.originalError.data": { data: { originalError: { data: revertData } } },
      "info.error.data": { code: "CALL_EXCEPTION", data: null, info: { error: { code: -32603, data: revertData } } },
      "info.error.data.data": { info: { error: { data: { data: revertData } } } },
      cause: { cause: { data: revertData } },
      "causes in causes": { cause: { cause: { cause: { cause: { error: { data: revertData } } } } } },
      "empty data outside": { data: "0x", error: { data: revertData } },
      "words of a node": { error: { code: -32015, message: "VM execution error.", data: `Reverted ${revertData}` } },
      "an answer kept as text": { info: { responseBody: JSON.stringify({ error: { data: revertData } }) } },
      "an error of ethers": makeError("execution reverted", "CALL_EXCEPTION", {
        action: "call",
        data: revertData,
        reason: null,
        transaction: { to: null, data: "0xabcdef01" },
        invocation: null,
        revert: null,
      }),
    };
    for (const [where, thrown] of Object.entries(shapes))
      it(`finds the revert in ${where}`, () => {
        const { code, contract, name, args, details, cause, txHash } = decodeError(thrown);
        expect({ code, contract, name, args, details, txHash }).to.deep.equal({
          code: "CONTRACT_REVERTED",
          contract: "ClaimEscrow",
          name: "ReclaimTooEarly",
          args: { attestBy: 1_800_000_000n },
          details: {},
          txHash: undefined,
        });
        expect(cause).to.equal(thrown);
      });

    it("reads long data from a node's words, too", () => {
      const text = "a long reason ".repeat(500);
      const thrown = { code: -32015, message: "VM execution error.", data: `Reverted ${errorData(text)}` };
      expect(decodeError(thrown)).to.deep.include({ name: "Error", args: { message: text } });
    });

    it("takes no request for a revert, though its calldata looks like one", () => {
      const transaction = { to: null, data: revertData };
      for (const thrown of [
        makeError("missing revert data", "CALL_EXCEPTION", {
          action: "call",
          data: null,
          reason: null,
          transaction,
          invocation: null,
          revert: null,
          info: { error: { code: -32603, message: "Internal error" }, payload: { params: [transaction] } },
        }),
        makeError("priorityFee cannot be more than maxFee", "BAD_DATA", {
          value: Transaction.from({ data: revertData }),
        }),
        makeError("insufficient funds", "INSUFFICIENT_FUNDS", { transaction: transaction }),
      ])
        expect(decodeError(thrown).code).not.to.equal("CONTRACT_REVERTED");
    });

    it("lets no contract's words pass for another's", () => {
      for (const text of DECEPTIVE)
        for (const thrown of [
          { code: 3, message: `execution reverted: ${text}`, data: errorData(text) },
          { code: 3, message: `execution reverted: ${text}` },
          {
            code: -32603,
            message: "Internal JSON-RPC error.",
            data: { code: 3, message: `execution reverted: ${text}` },
          },
          { code: 3, message: `execution reverted: custom error 0xdeadbeef: ${text}`, data: "0xdeadbeef" },
        ])
          expect(decodeError(thrown).code, text).to.equal("CONTRACT_REVERTED");
    });

    it("reads the reason from words when a node hands on no data", () => {
      for (const [thrown, args] of [
        [{ message: "execution reverted: too late" }, { message: "too late" }],
        [{ code: -32015, message: "VM execution error.", data: "revert: too late" }, { message: "too late" }],
      ] as const)
        expect(decodeError(thrown)).to.deep.include({ name: "Error", args });
      for (const message of ["execution reverted", "execution reverted: revert", "VM execution error."]) {
        const error = decodeError({ message });
        expect(error).to.deep.include({ code: "CONTRACT_REVERTED", name: "Unknown", args: { data: "0x" } });
        expect(error.message).to.contain("without a reason");
      }
    });

    const signs: [ErrorCode, ...unknown[]][] = [
      [
        "USER_REJECTED",
        { code: 4001, message: "User rejected the request." },
        { error: { code: 4001 } },
        { code: "UNKNOWN_ERROR", info: { error: { code: 4001 } } },
        makeError("user rejected action", "ACTION_REJECTED", { action: "sendTransaction", reason: "rejected" }),
        "User rejected the transaction",
      ],
      [
        "GAS_FUNDS_MISSING",
        { code: "INSUFFICIENT_FUNDS", shortMessage: "insufficient funds" },
        { code: -32603, data: { message: "Sender doesn't have enough funds to send tx." } },
      ],
      [
        "NONCE_CONFLICT",
        makeError("nonce has already been used", "NONCE_EXPIRED", { transaction: {} }),
        makeError("replacement fee too low", "REPLACEMENT_UNDERPRICED", { transaction: {} }),
      ],
      [
        "TIMED_OUT",
        makeError("request timeout", "TIMEOUT", { operation: "request", reason: "timeout", request: {} as never }),
        new DOMException("The operation timed out.", "TimeoutError"),
      ],
      [
        "ABORTED",
        new DOMException("This operation was aborted.", "AbortError"),
        makeError("request cancelled", "CANCELLED", {}),
        AbortSignal.abort().reason,
      ],
      [
        "NODE_UNREACHABLE",
        Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } }),
        new TypeError("Failed to fetch"),
        new TypeError("NetworkError when attempting to fetch resource."),
        new TypeError("Load failed"),
        { code: "EAI_AGAIN", message: "getaddrinfo EAI_AGAIN node.example" },
        { code: 4900, message: "The provider is disconnected from all chains." },
        makeError("server response 503 Service Unavailable", "SERVER_ERROR", {
          request: {} as never,
          info: { responseStatus: "503 Service Unavailable", responseBody: "<html></html>" },
        }),
      ],
      [
        "RATE_LIMITED",
        makeError("server response 429 Too Many Requests", "SERVER_ERROR", {
          request: {} as never,
          info: { responseStatus: "429 Too Many Requests", responseBody: null },
        }),
      ],
      [
        "CHAIN_MISMATCH",
        { code: 4901, message: "The provider is not connected to the requested chain." },
        { code: 4902, message: "Unrecognized chain ID." },
        makeError("network changed: 1 => 31337", "NETWORK_ERROR", { event: "changed" }),
      ],
      [
        "RUNNER_CANNOT_SIGN",
        { code: 4100, message: "The requested account has not been authorized by the user." },
        makeError("VoidSigner cannot sign transactions", "UNSUPPORTED_OPERATION", { operation: "signTransaction" }),
      ],
      ["RUNNER_CANNOT_READ", makeError("missing provider", "UNSUPPORTED_OPERATION", { operation: "getNonce" })],
      ["INPUT_INVALID", makeError("overflow", "NUMERIC_FAULT", { operation: "x", fault: "overflow", value: 1 })],
      ["FEE_TOO_LOW", makeError("priorityFee cannot be more than maxFee", "BAD_DATA", { value: {} })],
      ["CONTRACT_MISSING", makeError("could not decode result data", "BAD_DATA", { value: "0x" })],
    ];
    for (const [code, ...all] of signs)
      it(`knows ${code} by its codes and words`, () => {
        for (const thrown of all) {
          const error = decodeError(thrown);
          expect(error.code, error.message).to.equal(code);
          expect(error.cause).to.equal(thrown);
        }
      });

    it("names the argument that cannot be encoded", () => {
      const invalid = makeError("invalid address", "INVALID_ARGUMENT", { argument: "account", value: "0x11" });
      expect(decodeError(invalid)).to.deep.include({
        code: "INPUT_INVALID",
        details: { code: "INVALID_ARGUMENT", path: "account" },
      });
    });

    it("names the transaction that was mined or replaced", () => {
      const receipt = { hash: HASH, status: 0 } as never;
      const reverted = makeError("transaction execution reverted", "CALL_EXCEPTION", {
        action: "sendTransaction",
        data: null,
        reason: null,
        invocation: null,
        revert: null,
        transaction: { to: null, data: "" },
        receipt,
      });
      expect(decodeError(reverted)).to.include({ code: "TRANSACTION_FAILED", txHash: HASH });
      for (const cancelled of [true, false]) {
        const replaced = makeError("transaction was replaced", "TRANSACTION_REPLACED", {
          cancelled,
          reason: cancelled ? "cancelled" : "repriced",
          hash: OTHER_HASH,
          replacement: { hash: OTHER_HASH } as never,
          receipt: { hash: OTHER_HASH } as never,
        });
        const { code, txHash, details, message } = decodeError(replaced);
        expect([code, txHash]).to.deep.equal(["TRANSACTION_REPLACED", undefined]);
        expect(details).to.deep.equal({ code: "TRANSACTION_REPLACED", replacedBy: OTHER_HASH });
        expect(message).to.contain(cancelled ? "will not be mined" : "sped up");
      }
      const mined = { message: "reverted", data: { txHash: HASH, data: revertData } };
      expect(decodeError(mined)).to.include({ name: "ReclaimTooEarly", txHash: HASH });
    });

    it("keeps the words of what it does not know, and the code it came with", () => {
      for (const [thrown, message, details] of [
        [new Error("the node is odd"), "the node is odd", {}],
        ["a text", "a text", {}],
        [{ code: -32005, message: "limit exceeded" }, "limit exceeded", { code: -32005 }],
        [
          { code: "UNKNOWN_ERROR", shortMessage: "could not coalesce error", error: { code: -32000, message: "odd" } },
          "odd",
          { code: "UNKNOWN_ERROR" },
        ],
        [undefined, "The call failed, and nothing says why.", {}],
        [null, "The call failed, and nothing says why.", {}],
        [{}, "The call failed, and nothing says why.", {}],
        [7, "The call failed, and nothing says why.", {}],
        [Symbol("odd"), "The call failed, and nothing says why.", {}],
        [() => "odd", "The call failed, and nothing says why.", {}],
      ] as const) {
        const error = decodeError(thrown);
        expect([error.code, error.message, error.details]).to.deep.equal(["TRANSACTION_FAILED", message, details]);
        expect(isCarepactError(error)).to.equal(true);
      }
    });
  });

  describe("given what nobody should throw", () => {
    const loop: Record<string, unknown> = { message: "round" };
    Object.assign(loop, { error: { cause: loop, info: loop }, data: loop });
    const endless = (): object => new Proxy({}, { get: () => endless(), has: () => true, ownKeys: () => ["data"] });
    let deep: unknown = { data: revertData };
    for (let depth = 0; depth < 100_000; depth += 1) deep = { cause: deep };
    const traps = new Proxy(
      {},
      {
        get: () => {
          throw new Error("get");
        },
        getPrototypeOf: () => {
          throw new Error("getPrototypeOf");
        },
        has: () => {
          throw new Error("has");
        },
        ownKeys: () => {
          throw new Error("ownKeys");
        },
      },
    );
    const { proxy: revoked, revoke } = Proxy.revocable({}, {});
    revoke();
    const getters = Object.defineProperties(
      { message: "half" },
      Object.fromEntries(
        ["data", "error", "cause", "code", "shortMessage"].map((key) => [
          key,
          {
            get: () => {
              throw new Error(key);
            },
          },
        ]),
      ),
    );
    const MEGABYTES = 4 * 1_048_576;

    for (const [what, thrown] of Object.entries({
      "a circle": loop,
      "a proxy without end": endless(),
      "causes 100,000 deep": deep,
      "a proxy that throws": traps,
      "a revoked proxy": revoked,
      "getters that throw": getters,
      "a function": () => undefined,
      "an array": [{ data: revertData }],
      "megabytes of unknown revert data": { code: 3, data: `0xdeadbeef${"ab".repeat(MEGABYTES)}` },
      "megabytes of a known error": { code: 3, data: errorData("x".repeat(MEGABYTES)) },
      "megabytes of a node's words": {
        data: "err revert: 0".repeat(MEGABYTES / 8),
        message: "wrong ".repeat(MEGABYTES / 8),
      },
      "megabytes of words": { message: "insufficient ".repeat(MEGABYTES / 8) },
      "megabytes of JSON": { responseBody: "{".repeat(MEGABYTES) },
      "wide data": { data: Array.from({ length: 100_000 }, () => ({ error: {} })) },
      "words that are none": { message: { toString: null }, code: {}, data: 7n },
    }))
      it(`makes a CarepactError of ${what}, and of that a line of a log`, () => {
        const error = decodeError(thrown);
        expect(isCarepactError(error)).to.equal(true);
        expect(error.message.length).to.be.lessThan(1_000);
        expect(JSON.stringify(error).length).to.be.lessThan(10_000);
      });
  });

  it("says for every code what it means", () => {
    for (const [code, text] of Object.entries(errorCodes)) expect(text, code).to.match(/^[A-Z].*\.$/);
  });
});
