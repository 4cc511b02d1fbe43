import { expect } from "chai";
import { AbiCoder, concat, id, makeError, type ErrorFragment, type Interface, type ParamType } from "ethers";

import { CarepactError, isCarepactError, parseRevert, decodeError } from "@carepact/sdk";

import {
  ClaimEscrow__factory,
  IERC20Errors__factory,
  Mandates__factory,
  OrganizationRegistry__factory,
  Rulebooks__factory,
} from "../../typechain-types";

const sources = {
  ClaimEscrow: ClaimEscrow__factory.createInterface(),
  Rulebooks: Rulebooks__factory.createInterface(),
  Mandates: Mandates__factory.createInterface(),
  OrganizationRegistry: OrganizationRegistry__factory.createInterface(),
  "ERC-20 token": IERC20Errors__factory.createInterface(),
};

const errorsOf = (source: Interface): ErrorFragment[] =>
  source.fragments.filter((fragment): fragment is ErrorFragment => fragment.type === "error");

/** Some value of a Solidity type. */
function valueOf({ type }: ParamType, i: number): unknown {
  const bytes = /^bytes(\d+)$/.exec(type);
  if (bytes) return `0x${"ab".repeat(Number(bytes[1]))}`;
  if (type.startsWith("uint")) return BigInt(i + 1);
  if (type === "address") return `0x${"00".repeat(19)}0${i + 1}`;
  return { string: "a text", bytes: "0x1234", bool: true }[type] ?? expect.fail(`no value for ${type}`);
}

const { selector } = sources.ClaimEscrow.getError("ReclaimTooEarly")!;
const revertData = sources.ClaimEscrow.encodeErrorResult("ReclaimTooEarly", [1_800_000_000n]);
const reclaimTooEarly = { contract: "ClaimEscrow", name: "ReclaimTooEarly", args: { attestBy: "1800000000" } };

describe("SDK: what is thrown, as typed errors", () => {
  describe("given the data of a revert", () => {
    for (const [contract, source] of Object.entries(sources))
      it(`knows every error of ${contract} by name, arguments and contract`, () => {
        const errors = errorsOf(source);
        expect(errors).not.to.have.length(0);
        for (const fragment of errors) {
          const values = fragment.inputs.map(valueOf);
          const thrown = Object.assign(new Error("reverted"), { data: source.encodeErrorResult(fragment, values) });
          const { code, details, message, cause } = decodeError(thrown);
          expect([code, details["name"], cause]).to.deep.equal(["CONTRACT_REVERTED", fragment.name, thrown]);
          expect(message).to.contain(fragment.name);
          // Argument names are part of what callers read: none is missing.
          const expected = fragment.inputs.map(({ name }, i) => [
            name || expect.fail(`${fragment.name} has an argument without a name`),
            typeof values[i] === "bigint" ? values[i].toString() : values[i],
          ]);
          expect(details["args"]).to.deep.equal(Object.fromEntries(expected));
          // An error that several contracts share goes by the first that declares it.
          const named = sources[details["contract"] as keyof typeof sources];
          expect(named.getError(fragment.selector)?.format()).to.equal(fragment.format());
          expect(JSON.parse(JSON.stringify(details))).to.deep.equal(details);
        }
      });

    it("knows Solidity's own", () => {
      const coder = AbiCoder.defaultAbiCoder();
      const error = concat([id("Error(string)").slice(0, 10), coder.encode(["string"], ["too late"])]);
      const panic = concat([id("Panic(uint256)").slice(0, 10), coder.encode(["uint256"], [0x11])]);
      expect(parseRevert(error)).to.deep.equal({ name: "Error", args: { message: "too late" } });
      expect(parseRevert(panic)).to.deep.equal({ name: "Panic", args: { code: 0x11n } });
      expect(decodeError({ data: error }).message).to.contain("too late");
      expect(decodeError({ data: panic }).details).to.deep.equal({ name: "Panic", args: { code: "17" } });
    });

    it("hands on what no interface knows, or what only looks like something known", () => {
      for (const data of ["0x12345678", "0xdeadbeef01", selector, `${selector}01`, "0x", "0x1234"])
        expect(parseRevert(data)).to.deep.equal({ name: "Unknown", args: { data } });
      const { code, message, details } = decodeError({ data: `0xdeadbeef${"00".repeat(1000)}` });
      expect([code, details["name"]]).to.deep.equal(["CONTRACT_REVERTED", "Unknown"]);
      expect(message.length).to.be.lessThan(250);
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
      "an error of ethers": makeError("execution reverted", "CALL_EXCEPTION", {
        action: "call",
        data: revertData,
        reason: null,
        transaction: { to: null, data: "0xabcdef01" },
        invocation: null,
        revert: null,
      }),
    };
    for (const [name, thrown] of Object.entries(shapes))
      it(`finds the revert in ${name}`, () => {
        const error = decodeError(thrown);
        expect([error.code, error.details]).to.deep.equal(["CONTRACT_REVERTED", reclaimTooEarly]);
        expect(error.cause).to.equal(thrown);
      });

    it("does not run in circles", () => {
      const loop: Record<string, unknown> = { message: "round" };
      loop["error"] = { cause: loop, info: loop };
      loop["data"] = loop;
      expect(decodeError(loop)).to.include({ code: "TRANSACTION_FAILED", message: "round" });
    });

    it("knows that somebody refused to sign", () => {
      for (const thrown of [
        { code: 4001, message: "User rejected the request." },
        { error: { code: 4001 } },
        { code: "UNKNOWN_ERROR", info: { error: { code: 4001 } } },
        makeError("user rejected action", "ACTION_REJECTED", { action: "sendTransaction", reason: "rejected" }),
      ])
        expect(decodeError(thrown).code).to.equal("USER_REJECTED");
    });

    it("knows that an account cannot pay for gas", () => {
      for (const thrown of [
        { code: "INSUFFICIENT_FUNDS", shortMessage: "insufficient funds" },
        { code: -32000, message: "insufficient funds for gas * price + value: balance 0" },
        { code: -32603, data: { message: "Sender doesn't have enough funds to send tx." } },
        new Error("Sender doesn't have enough funds to send tx."),
      ])
        expect(decodeError(thrown).code).to.equal("GAS_FUNDS_MISSING");
    });

    it("knows input that cannot be encoded, and answers that are none", () => {
      const invalid = makeError("invalid address", "INVALID_ARGUMENT", { argument: "account", value: "0x11" });
      expect(decodeError(invalid)).to.deep.include({
        code: "INPUT_INVALID",
        details: { code: "INVALID_ARGUMENT", path: "account" },
      });
      const empty = makeError("could not decode result data", "BAD_DATA", { value: "0x" });
      expect(decodeError(empty).code).to.equal("CONTRACT_MISSING");
    });

    it("keeps the words of what it does not know", () => {
      for (const [thrown, message, details] of [
        [new Error("the node is down"), "the node is down", {}],
        ["a text", "a text", {}],
        [
          { code: "TIMEOUT", shortMessage: "too slow", message: "too slow (version=6)" },
          "too slow",
          { code: "TIMEOUT" },
        ],
        [{ code: -32005, message: "limit exceeded" }, "limit exceeded", { code: -32005 }],
        [undefined, "The call failed, and nothing says why.", {}],
        [null, "The call failed, and nothing says why.", {}],
        [{}, "The call failed, and nothing says why.", {}],
        [7, "The call failed, and nothing says why.", {}],
      ] as const) {
        const error = decodeError(thrown);
        expect([error.code, error.message, error.details]).to.deep.equal(["TRANSACTION_FAILED", message, details]);
        expect(isCarepactError(error)).to.equal(true);
      }
    });

    it("leaves the SDK's own errors as they are, and others' copies of them", () => {
      const own = new CarepactError("FILE_MALFORMED", "Not JSON.", { at: 1n });
      expect(decodeError(own)).to.equal(own);
      const copy = { name: "CarepactError", code: "FILE_MALFORMED", message: "Not JSON.", details: {} };
      expect(decodeError(copy)).to.equal(copy);
    });
  });
});
