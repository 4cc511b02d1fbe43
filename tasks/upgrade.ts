import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task, types } from "hardhat/config";

import type { SiteOptions } from "../deploy/site";
import type * as Steps from "../deploy/upgrading";

interface Options extends SiteOptions, Steps.Wanted {
  json: boolean;
}

type Step = typeof Steps.prepareUpgrade;

/** The three steps of an upgrade differ in what they do, not in what they are told. */
const upgradeTask = (name: string, description: string, pick: (steps: typeof Steps) => Step): void => {
  task(name, description)
    .addParam(
      "proxy",
      "OrganizationRegistry, Rulebooks, Mandates, ClaimEscrow, ConsentRegistry, PatientRecovery or AccessLog",
      undefined,
      types.string,
    )
    .addOptionalParam(
      "contract",
      "Contract whose code it shall have; named as the proxy unless given",
      undefined,
      types.string,
    )
    .addOptionalParam("data", "Call in the same transaction, as hex, such as a reinitializer", undefined, types.string)
    .addOptionalParam(
      "parameters",
      "File of parameters; deploy/parameters/<network>.json5 unless given",
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
    .addFlag("send", "On a public chain: send transactions")
    .addFlag("json", "End in one line with one JSON object")
    .setAction(async ({ json, proxy, contract, data, ...options }: Options, hre) => {
      await hre.run(TASK_COMPILE, { quiet: true });
      // Imported here, since it needs what compiling generates, and hre, which does not exist while tasks load.
      const steps = await import("../deploy/upgrading");
      const { signingSiteOf } = await import("../deploy/signing");
      const { endOfUpgrade, finish } = await import("../deploy/terminal");
      const { toStderr } = await import("./support/finish");
      await finish(hre, json, async () => {
        const site = await signingSiteOf(hre, options, toStderr);
        return endOfUpgrade(await pick(steps)(site, { proxy, contract, data }));
      });
    });
};

upgradeTask(
  "upgrade:prepare",
  "Checks a new implementation against what the proxy has stored, and deploys it",
  ({ prepareUpgrade }) => prepareUpgrade,
);
upgradeTask(
  "upgrade:schedule",
  "Prepares an upgrade and schedules it; says from when on it can be carried out",
  ({ scheduleUpgrade }) => scheduleUpgrade,
);
upgradeTask(
  "upgrade:execute",
  "Carries out an upgrade that was scheduled; ends with 5 before its time",
  ({ executeUpgrade }) => executeUpgrade,
);
