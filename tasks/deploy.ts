import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task, types } from "hardhat/config";

import type { SiteOptions } from "../deploy/site";

interface Options extends SiteOptions {
  json: boolean;
}

task(
  "deploy",
  "Deploys the whole system, or goes on where a run ended, and then checks everything; ends with 4 if a check says no",
)
  .addOptionalParam(
    "parameters",
    "File of parameters: who governs, who has which role, the delay, and Chainlink's forwarder, if any; deploy/parameters/<network>.json5 unless given",
    undefined,
    types.string,
  )
  .addOptionalParam(
    "journal",
    "Folder of the journal; deploy/deployments/chain-<id> unless given",
    undefined,
    types.string,
  )
  .addOptionalParam("record", "File of deployments; the SDK's unless given", undefined, types.string)
  .addOptionalParam(
    "keystore",
    "Encrypted JSON keystore of the account that signs; on a public chain CAREPACT_KEYSTORE unless given",
    undefined,
    types.string,
  )
  .addFlag("replace", "On a public chain: give up another deployment that the file of deployments has there")
  .addFlag("send", "On a public chain: send transactions, after a rehearsal without")
  .addFlag("json", "End in one line with one JSON object")
  .setAction(async ({ json, ...options }: Options, hre) => {
    await hre.run(TASK_COMPILE, { quiet: true });
    // Imported here, since it needs what compiling generates, and hre, which does not exist while tasks load.
    const { deployCarepact, planDeployment } = await import("../deploy/deploying");
    const { signingSiteOf } = await import("../deploy/signing");
    const { endOfDeploy, endOfPlan, finish } = await import("../deploy/terminal");
    const { toStderr } = await import("./support/finish");
    await finish(hre, json, async () => {
      const site = await signingSiteOf(hre, options, toStderr);
      return site.mayUse === "send" ? endOfDeploy(await deployCarepact(site)) : endOfPlan(await planDeployment(site));
    });
  });
