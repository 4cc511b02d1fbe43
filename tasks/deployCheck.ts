import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task, types } from "hardhat/config";

import type { SiteOptions } from "../deploy/site";

interface Options extends SiteOptions {
  json: boolean;
}

task(
  "deploy:check",
  "Holds a deployment against the sources and parameters: code, links, and who may do what; ends with 4 if something differs",
)
  .addOptionalParam(
    "parameters",
    "File of parameters; deploy/parameters/<network>.json5 unless given",
    undefined,
    types.string,
  )
  .addOptionalParam("record", "File of deployments; the SDK's unless given", undefined, types.string)
  .addFlag("json", "End in one line with one JSON object")
  .setAction(async ({ json, ...options }: Options, hre) => {
    await hre.run(TASK_COMPILE, { quiet: true });
    // Imported here, since it needs what compiling generates, and hre, which does not exist while tasks load.
    const { checkDeployment, deploymentAt, parametersOf } = await import("../deploy/deploying");
    const { siteOf } = await import("../deploy/site");
    const { endOfCheck, finish } = await import("../deploy/terminal");
    const { toStderr } = await import("./support/finish");
    await finish(hre, json, async () => {
      const site = await siteOf(hre, options, toStderr);
      const deployment = await deploymentAt(site);
      return endOfCheck(deployment, await checkDeployment(site, deployment, await parametersOf(site)));
    });
  });
