import type { HardhatRuntimeEnvironment } from "hardhat/types";

import type { Mined } from "@carepact/sdk";
import type { Workflow } from "@carepact/sdk/rulebooks";

import { deployForwarder, donOf, signReport, workflowOf } from "../../test/support/keystone";

/** A network of four nodes of which one may be faulty, and Chainlink's own forwarder that knows it. */
export interface OracleNetwork {
  /** Address of the forwarder. */
  forwarder: string;
  /** A workflow that the network runs, as a rulebook names it. */
  workflow: (name: string) => Workflow;
  /** Has as many nodes as it takes sign a workflow's report, and brings it to the escrow through the forwarder. */
  report: (workflow: Workflow, report: string, escrow: string) => Promise<Mined>;
}

/**
 * Deploys the forwarder. The nodes' keys stand in for a real network's; who runs one never has them in one place.
 */
export async function oracleNetworkOn({ ethers }: HardhatRuntimeEnvironment): Promise<OracleNetwork> {
  const [owner] = await ethers.getSigners();
  if (owner === undefined) throw new Error("The node has no accounts.");
  const don = donOf(1, 4, 1);
  const forwarder = await deployForwarder(owner, don);
  return {
    forwarder: await forwarder.getAddress(),
    workflow: workflowOf,
    report: async (workflow, report, escrow) => {
      const { timestamp = 0 } = (await ethers.provider.getBlock("latest")) ?? {};
      const signed = signReport(don, { executionId: report, workflow, report, timestamp });
      const sent = await forwarder.report(escrow, signed.rawReport, signed.reportContext, signed.signatures);
      const receipt = await sent.wait();
      if (receipt === null) throw new Error("The chains of this demo mine at once.");
      return { txHash: receipt.hash, blockNumber: receipt.blockNumber, gasUsed: receipt.gasUsed };
    },
  };
}
