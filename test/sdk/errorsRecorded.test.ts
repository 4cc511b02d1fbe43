import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";
import { BrowserProvider, FetchRequest, JsonRpcProvider, Network, Transaction, Wallet } from "ethers";

import { decodeError, type ErrorCode } from "@carepact/sdk";

import besu from "./recorded/besu.json";
import erigon from "./recorded/erigon.json";
import geth from "./recorded/geth.json";
import hosted from "./recorded/hosted.json";
import nethermind from "./recorded/nethermind.json";
import reth from "./recorded/reth.json";
import wallets from "./recorded/wallets.json";

/** What somebody saw a node or wallet answer; recorded/README.md says more. */
interface Recorded {
  what: string;
  source: string;
  kind: string;
  method: string;
  /** HTTP status of the answer, 200 unless given. */
  status?: number;
  error: { code?: number; message: string; data?: unknown };
  expected: { code: string; name?: string; args?: Readonly<Record<string, string | undefined>> };
}

const nodes: Record<string, readonly Recorded[]> = {
  geth,
  Nethermind: nethermind,
  Besu: besu,
  Erigon: erigon,
  reth,
  hosted,
};
const network = Network.from(1);
const TARGET = `0x${"11".repeat(20)}`;
const quantity = (value: number): string => `0x${value.toString(16)}`;

/** What a node says of everything else. */
const usual: Record<string, unknown> = {
  eth_chainId: quantity(1),
  eth_blockNumber: quantity(1),
  eth_accounts: [TARGET],
  eth_estimateGas: quantity(21_000),
};

/** Lets ethers ask in the way in which the answer was recorded. */
const attempts: Record<string, (provider: JsonRpcProvider | BrowserProvider, raw: string) => Promise<unknown>> = {
  eth_call: (provider) => provider.call({ to: TARGET }),
  eth_estimateGas: (provider) => provider.estimateGas({ to: TARGET }),
  eth_sendRawTransaction: (provider, raw) => provider.broadcastTransaction(raw),
  eth_sendTransaction: async (provider) => (await provider.getSigner()).sendTransaction({ to: TARGET }),
};

async function thrownBy(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (thrown) {
    return thrown;
  }
  return expect.fail("nothing was thrown");
}

function expectDecoded(thrown: unknown, { expected: { code, name = "CarepactError", args } }: Recorded): void {
  const error = decodeError(thrown);
  expect([error.code, error.name], error.message).to.deep.equal([code as ErrorCode, name]);
  expect(error.toJSON().args).to.deep.equal(args);
  expect(error.cause).to.equal(thrown);
}

describe("SDK: errors as they were recorded", () => {
  let server: Server;
  let url: string;
  let answer: Recorded;
  let raw: string;

  before(async () => {
    const transaction = Transaction.from({ to: TARGET, gasLimit: 21_000, maxFeePerGas: 1, chainId: 1, type: 2 });
    raw = await Wallet.createRandom().signTransaction(transaction);
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const { id, method } = JSON.parse(body) as { id: number; method: string };
        const recorded = method === answer.method;
        response.writeHead((recorded && answer.status) || 200, { "content-type": "application/json" });
        response.end(
          JSON.stringify({ jsonrpc: "2.0", id, ...(recorded ? { error: answer.error } : { result: usual[method] }) }),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const [node, records] of Object.entries(nodes))
    describe(`from ${node}`, () => {
      for (const recorded of records)
        it(`${recorded.what} (${recorded.method}: ${recorded.expected.code})`, async () => {
          answer = recorded;
          const request = new FetchRequest(url);
          // ethers waits and asks again when a server has too much to do.
          request.setThrottleParams({ maxAttempts: 1, slotInterval: 1 });
          const options = { staticNetwork: network, batchMaxCount: 1, cacheTimeout: -1 };
          const provider = new JsonRpcProvider(request, network, options);
          expectDecoded(await thrownBy(attempts[recorded.method]!(provider, raw)), recorded);
          provider.destroy();
          // As programs see it that use no ethers.
          expectDecoded(recorded.error, recorded);
        });
    });

  describe("from wallets", () => {
    for (const recorded of wallets as readonly Recorded[])
      it(`${recorded.what} (${recorded.method}: ${recorded.expected.code})`, async () => {
        const thrown = Object.assign(new Error(recorded.error.message), recorded.error);
        const provider = new BrowserProvider(
          {
            request: ({ method }) =>
              method === recorded.method ? Promise.reject(thrown) : Promise.resolve(usual[method]),
          },
          network,
          { staticNetwork: network },
        );
        expectDecoded(await thrownBy(attempts[recorded.method]!(provider, raw)), recorded);
        provider.destroy();
        expectDecoded(thrown, recorded);
        expectDecoded(recorded.error, recorded);
      });
  });

  it("each say where they were seen", () => {
    for (const { what, source, kind } of [...Object.values(nodes).flat(), ...(wallets as readonly Recorded[])]) {
      expect(source, what).to.match(/^https:\/\/[\w./-]+$/);
      expect(kind, what).to.be.oneOf(["issue", "source file", "specification test", "documentation", "note"]);
    }
  });
});
