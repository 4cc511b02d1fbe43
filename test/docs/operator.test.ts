import { expect } from "chai";

import { startAnvil, type Anvil } from "../support/anvil";

import { operatorsStory } from "./operator";
import { startShell, type Shell } from "./shell";
import { tell } from "./story";
import { ownFolder } from "./world";

describe("docs/guides/operator.md", () => {
  let node: Anvil;
  let publicNode: Anvil;
  let shell: Shell;
  let leave: () => Promise<void>;
  beforeEach(async () => {
    [node, publicNode] = await Promise.all([startAnvil(), startAnvil(["--chain-id", "11155111"])]);
    leave = await ownFolder();
    shell = await startShell(node.url);
  });
  afterEach(async () => {
    shell.end();
    await leave();
    await Promise.all([node.stop(), publicNode.stop()]);
  });

  it("runs on an empty chain", async () => {
    const { provider } = node;
    const pass = async (seconds: number): Promise<void> => {
      await provider.send("evm_increaseTime", [seconds]);
      await provider.send("evm_mine", []);
    };

    const alerts: string[] = [];
    await tell(await operatorsStory({ provider, pass }, publicNode.url, shell, alerts));

    expect(alerts).to.include.members([
      "AccessManager.OperationScheduled",
      "AccessManager.OperationCanceled",
      "AccessManager.RoleRevoked",
      "Mandates.Upgraded",
      "ClaimEscrow.Paused",
      "OrganizationRegistry.OrganizationSuspended",
    ]);
  });
});
