import { expect } from "chai";
import {
  AbiCoder,
  Contract,
  ErrorFragment,
  Network,
  Wallet,
  type AbstractSigner,
  type TransactionRequest,
} from "ethers";

import { decodeError, type CarepactError, type ErrorCode, type Sent } from "@carepact/sdk";

import { actionOf } from "../../sdk/src/chain/action";
import { contractErrors } from "../../sdk/src/errors/contractErrors";
import { Reverter__factory } from "../../typechain-types";

import { providerAt, startAnvilNode, startHardhat, type ErrorNode } from "./errorNodes";

const CHAIN_ID = 31_337;
const GAS = 100_000n;
const GWEI = 10n ** 9n;
const reverter = Reverter__factory.createInterface();

const dataOf = (signature: string, values: readonly unknown[]): string => {
  const fragment = ErrorFragment.from(`error ${signature}`);
  return fragment.selector + AbiCoder.defaultAbiCoder().encode(fragment.inputs, values).slice(2);
};

/** What a contract does, and what comes of it. */
const refusals: Record<string, { data: string; expected: Partial<CarepactError> }> = {
  "a custom error": {
    data: reverter.encodeFunctionData("revertWith", [dataOf("ReclaimTooEarly(uint256 attestBy)", [1_800_000_000n])]),
    expected: {
      code: "CONTRACT_REVERTED",
      name: "ReclaimTooEarly",
      contract: "ClaimEscrow",
      args: { attestBy: 1_800_000_000n },
    },
  },
  "an unknown custom error": {
    data: reverter.encodeFunctionData("revertWith", ["0xdeadbeef"]),
    expected: { code: "CONTRACT_REVERTED", name: "Unknown", args: { data: "0xdeadbeef" } },
  },
  "Error(string)": {
    data: reverter.encodeFunctionData("revertWith", [dataOf("Error(string message)", ["nonce too low"])]),
    expected: { code: "CONTRACT_REVERTED", name: "Error", args: { message: "nonce too low" } },
  },
  Panic: {
    data: reverter.encodeFunctionData("revertWith", [dataOf("Panic(uint256 code)", [0x11n])]),
    expected: { code: "CONTRACT_REVERTED", name: "Panic", args: { code: 0x11n } },
  },
  "no reason": {
    data: reverter.encodeFunctionData("revertWith", ["0x"]),
    expected: { code: "CONTRACT_REVERTED", name: "Unknown", args: { data: "0x" } },
  },
  "all its gas": { data: reverter.encodeFunctionData("burnGas"), expected: { code: "OUT_OF_GAS" } },
};

async function decoded(attempt: Promise<unknown>): Promise<CarepactError> {
  try {
    await attempt;
  } catch (thrown) {
    return decodeError(thrown);
  }
  return expect.fail("nothing was thrown");
}

async function refused(code: ErrorCode, attempt: Promise<unknown>): Promise<CarepactError> {
  const error = await decoded(attempt);
  expect(error.code, error.message).to.equal(code);
  expect(JSON.parse(JSON.stringify(error))).to.include({ code, message: error.message });
  return error;
}

/** Some value of a Solidity type, as ethers gives it back. */
function valueOf(type: string): unknown {
  const [, size] = /^bytes(\d+)$/.exec(type) ?? [];
  if (size !== undefined) return `0x${"ab".repeat(Number(size))}`;
  if (type.startsWith("uint")) return 7n;
  return { address: `0x${"11".repeat(20)}`, string: "a text", bytes: "0x1234" }[type] ?? expect.fail(type);
}

/** An action of a bare call, on whatever chain the signer is. */
const actionOn = (runner: AbstractSigner, to: string, data: string) =>
  actionOf({ runner, deployment: { chainId: CHAIN_ID } as never }, () => ({
    to,
    data,
    preview: () => undefined,
    result: () => ({}),
  }));

/** Runs `work` while transactions wait for a block to be asked for. */
async function withoutMining<Result>({ provider }: ErrorNode, work: () => Promise<Result>): Promise<Result> {
  await provider.send("evm_setAutomine", [false]);
  try {
    return await work();
  } finally {
    await provider.send("evm_setAutomine", [true]);
    await provider.send("evm_mine", []);
  }
}

for (const [node, { start, signers, queues }] of Object.entries({
  Hardhat: {
    start: startHardhat,
    signers: [
      "JsonRpcProvider and Wallet",
      "BrowserProvider",
      "BrowserProvider in the same process",
      "HardhatEthersSigner",
    ],
    queues: false,
  },
  anvil: { start: startAnvilNode, signers: ["JsonRpcProvider and Wallet", "BrowserProvider"], queues: true },
}))
  describe(`SDK: errors as ${node} throws them`, () => {
    let given: ErrorNode;
    let snapshot: unknown;
    let target: string;
    let wallet: AbstractSigner;

    before(async () => {
      given = await start();
      snapshot = await given.provider.send("evm_snapshot", []);
      wallet = given.signers["JsonRpcProvider and Wallet"]!;
      const contract = await new Reverter__factory(wallet).deploy();
      await contract.waitForDeployment();
      target = await contract.getAddress();
    });

    after(async () => {
      await given.provider.send("evm_revert", [snapshot]);
      await given.stop();
    });

    it("knows every error of the contracts", async () => {
      for (const [contract, errors] of Object.entries(contractErrors))
        for (const signature of Object.keys(errors)) {
          const { name, inputs } = ErrorFragment.from(`error ${signature}`);
          const values = inputs.map(({ type }) => valueOf(type));
          const data = reverter.encodeFunctionData("revertWith", [dataOf(signature, values)]);
          const error = await refused("CONTRACT_REVERTED", given.provider.call({ to: target, data }));
          expect([error.name, error.contract]).to.deep.equal([name, contract || undefined]);
          const args = Object.entries(error.args ?? {}).map(([key, value]) => [key, String(value).toLowerCase()]);
          expect(args).to.deep.equal(inputs.map((input, i) => [input.name, String(values[i]).toLowerCase()]));
        }
    });

    for (const name of signers)
      describe(`through ${name}`, () => {
        let signer: AbstractSigner;
        let from: string;
        const sending = (request: TransactionRequest): Promise<unknown> =>
          signer.sendTransaction({ to: from, ...request });

        before(async () => {
          signer = given.signers[name]!;
          from = await signer.getAddress();
        });

        for (const [what, { data, expected }] of Object.entries(refusals)) {
          const seen = (error: CarepactError): void => {
            for (const key of ["code", "name", "contract", "args"] as const)
              expect(error[key], `${key} of ${error.message}`).to.deep.equal(
                key in expected ? expected[key] : key === "name" ? "CarepactError" : undefined,
              );
          };

          it(`sees ${what} in call, estimateGas and sendTransaction`, async () => {
            const request = { to: target, from, data, gasLimit: GAS };
            seen(await decoded(signer.call(request)));
            seen(await decoded(signer.estimateGas(request)));
            // With a limit Hardhat and wallets send at once, without it they try it out before.
            const error = await decoded(signer.sendTransaction({ to: target, data }));
            seen(error);
          });

          it(`sees ${what} once it is mined, and by which transaction`, async () => {
            const sent: Sent<object> = await withoutMining(given, () =>
              actionOn(signer, target, data).send({ overrides: { gasLimit: GAS } }),
            );
            const error = await decoded(sent.wait());
            seen(error);
            expect(error.txHash).to.equal(sent.txHash);
          });
        }

        it("knows nonces that were used", async () => {
          await refused("NONCE_CONFLICT", sending({ nonce: 0, gasLimit: GAS }));
        });

        it("knows gas that does not suffice to begin, or is too much for a block", async () => {
          await refused("OUT_OF_GAS", sending({ gasLimit: 20_000n }));
          await refused("GAS_LIMIT_TOO_HIGH", sending({ gasLimit: 200_000_000n }));
        });

        it("knows fees below what a block takes", async () => {
          await refused("FEE_TOO_LOW", sending({ gasLimit: GAS, maxFeePerGas: 1n, maxPriorityFeePerGas: 0n }));
          await refused(
            "FEE_TOO_LOW",
            sending({ gasLimit: GAS, maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: 20n * GWEI }),
          );
        });

        it("knows accounts that cannot pay", async () => {
          await refused("GAS_FUNDS_MISSING", sending({ value: 10n ** 30n }));
          await refused("GAS_FUNDS_MISSING", sending({ value: 10n ** 30n, gasLimit: GAS }));
        });

        it("knows addresses without a contract, and arguments that cannot be encoded", async () => {
          const nowhere = new Contract(from, ["function count(uint256) view returns (uint256)"], signer);
          await refused("CONTRACT_MISSING", nowhere.getFunction("count")(1));
          await refused("INPUT_INVALID", nowhere.getFunction("count")("one"));
        });

        it("knows a transaction that is not mined in time", async () => {
          await withoutMining(given, async () => {
            const response = await signer.sendTransaction({ to: from, gasLimit: GAS });
            await refused("TIMED_OUT", response.wait(1, 1));
          });
        });
      });

    it("knows transactions that are sent twice, replaced for too little, or beyond a gap", async () => {
      await withoutMining(given, async () => {
        const fee = { maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: GWEI, gasLimit: GAS };
        const nonce = await wallet.getNonce();
        const request = await wallet.populateTransaction({ to: target, nonce, ...fee });
        const raw = await wallet.signTransaction(request);
        await given.provider.broadcastTransaction(raw);
        await refused("ALREADY_SENT", given.provider.broadcastTransaction(raw));
        await refused("NONCE_CONFLICT", wallet.sendTransaction({ to: target, nonce, value: 1n, ...fee }));
      });
      // anvil keeps what comes after a gap.
      if (!queues) {
        const nonce = (await wallet.getNonce()) + 5;
        await refused("NONCE_CONFLICT", wallet.sendTransaction({ to: target, nonce, gasLimit: GAS }));
      }
    });

    it("knows a transaction that was cancelled, and by which other", async () => {
      const { sent, cancelling } = await withoutMining(given, async () => {
        const sent = await actionOn(wallet, target, "0x").send({ overrides: { gasLimit: GAS } });
        const first = (await given.provider.getTransaction(sent.txHash))!;
        const cancelling = await wallet.sendTransaction({
          to: await wallet.getAddress(),
          nonce: first.nonce,
          gasLimit: GAS,
          maxFeePerGas: first.maxFeePerGas! * 2n,
          maxPriorityFeePerGas: first.maxPriorityFeePerGas! * 2n,
        });
        return { sent, cancelling };
      });
      const error = await refused("TRANSACTION_REPLACED", sent.wait());
      expect(error.txHash).to.equal(sent.txHash);
      expect(error.details["replacedBy"]).to.equal(cancelling.hash);
    });

    it("knows accounts without any money", async () => {
      const poor = Wallet.createRandom().connect(given.provider);
      await refused("GAS_FUNDS_MISSING", poor.sendTransaction({ to: target, gasLimit: GAS }));
    });

    it("knows a wallet that is on another chain", async () => {
      const provider = providerAt(given.url, 1);
      await refused("CHAIN_MISMATCH", provider.getNetwork());
      provider.destroy();
      const request = { to: target, gasLimit: GAS, maxFeePerGas: GWEI, maxPriorityFeePerGas: 0n, type: 2 };
      const nonce = await wallet.getNonce();
      const raw = await wallet.signTransaction({ ...request, nonce, chainId: 1n });
      await refused("CHAIN_MISMATCH", given.provider.broadcastTransaction(raw));
    });
  });

describe("SDK: errors of a node that is not there", () => {
  it("are known whether it went, never was, or has no name", async () => {
    const anvil = await startAnvilNode();
    const provider = providerAt(anvil.url, Network.from(CHAIN_ID));
    expect(await provider.getBlockNumber()).to.equal(0);
    await anvil.stop();
    const nameless = providerAt("http://node.invalid", Network.from(CHAIN_ID));
    for (const runner of [provider, nameless]) {
      const attempts = [
        () => runner.getBlockNumber(),
        () => runner.call({ to: `0x${"11".repeat(20)}` }),
        () =>
          Wallet.createRandom()
            .connect(runner)
            .sendTransaction({ to: `0x${"11".repeat(20)}` }),
      ];
      for (const attempt of attempts) {
        await refused("NODE_UNREACHABLE", attempt());
      }
      runner.destroy();
    }
  });
});
