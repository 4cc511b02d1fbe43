import { expect } from "chai";
import { AbiCoder, Interface, id, type Provider, type TransactionReceipt, type TransactionRequest } from "ethers";

import { createPatients } from "@carepact/sdk/patients";

import { askNow } from "../../sdk/src/chain/ask";
import { eventIn } from "../../sdk/src/chain/events";

import { refused } from "./refused";

const abi = new Interface([
  "function numberOf(bytes32 patient) view returns (uint256)",
  "event Numbered(bytes32 indexed patient, uint256 number)",
]);
const to = `0x${"Ab".repeat(20)}`;
const contract = { to, abi };

describe("Reading of records", () => {
  it("asks another question each time, with the same arguments, at the latest block", async () => {
    const asked: TransactionRequest[] = [];
    const call = (request: TransactionRequest): Promise<string> => {
      asked.push(request);
      return Promise.resolve(AbiCoder.defaultAbiCoder().encode(["uint256"], [7]));
    };
    for (let count = 0; count < 2; count += 1)
      expect(await askNow({ call } as unknown as Provider, contract, "numberOf", [id("patient")])).to.deep.equal([7n]);

    const [first, second] = asked as [TransactionRequest, TransactionRequest];
    expect(first.data).not.to.equal(second.data);
    for (const { data, blockTag } of asked) {
      expect(data).to.match(new RegExp(`^${abi.encodeFunctionData("numberOf", [id("patient")])}\\w{32}$`));
      expect(blockTag).to.equal("latest");
    }
  });

  it("finds what a contract said among what others said", () => {
    const log = (address: string, number: number) => ({
      address,
      ...abi.encodeEventLog("Numbered", [id("patient"), number]),
    });
    const unknown = { address: to, topics: [id("Unknown()")], data: "0x" };
    const logs = [log(`0x${"11".repeat(20)}`, 1), unknown, log(to.toLowerCase(), 2), log(to, 3)];

    expect(eventIn({ logs } as unknown as TransactionReceipt, contract, "Numbered")).to.deep.equal({
      patient: id("patient"),
      number: 2n,
    });
  });

  it("tells the transaction of a contract that said nothing", () => {
    const receipt = { logs: [], hash: id("transaction") } as unknown as TransactionReceipt;

    const error = refused("TRANSACTION_FAILED", () => eventIn(receipt, contract, "Numbered"));
    expect(error.txHash).to.equal(id("transaction"));
  });

  it("needs a deployment", () => {
    refused("INPUT_INVALID", () => createPatients({ runner: {} } as never));
  });
});
