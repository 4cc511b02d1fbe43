import {
  deploy,
  DeploymentResultType,
  IgnitionError,
  type ArtifactResolver,
  type DeployConfig,
  type DeploymentResult,
  type EIP1193Provider,
  type ExecutionEventListener,
  type IgnitionModule,
  type ModuleParameters,
} from "@nomicfoundation/ignition-core";

import { Failure } from "./failure";
import { openJournal, progressOf } from "./journal";
import { LOCAL_CHAIN } from "./parameters";

/** How a module is carried out. */
export interface Run {
  node: EIP1193Provider;
  chainId: number;
  /** The first one sends. */
  accounts: string[];
  artifacts: ArtifactResolver;
  /** Folder to resume from; without one nothing outlives the run. */
  journal?: string | undefined;
  config?: Partial<DeployConfig> | undefined;
  /** Takes a line of progress. */
  tell: (line: string) => void;
}

/** What a run led to. */
export interface Outcome {
  /** Addresses of contracts, by Ignition's ids. */
  addresses: Record<string, string>;
  /** Hashes of all transactions so far, by Ignition's ids. */
  mined: Record<string, string>;
  /** Transactions that this run sent. */
  sent: number;
}

/** Local chains mine at once; Ignition's own second would only be waited for. */
const LOCAL_POLLING_MS = 20;

/** Carries a module out, or what is left of it. @throws Failure that says what to do */
export async function runModule(module: IgnitionModule, parameters: ModuleParameters, run: Run): Promise<Outcome> {
  const { node: provider, chainId, accounts, artifacts, journal, tell } = run;
  let sent = 0;
  const mined: Record<string, string> = {};
  const executionEventListener = listenTo({
    transactionSend: ({ futureId, hash }) => {
      sent++;
      tell(`  sent     ${futureId} ${hash}`);
    },
    transactionConfirm: ({ futureId, hash }) => {
      mined[futureId] = hash;
      tell(`  mined    ${futureId}`);
    },
    onchainInteractionBumpFees: ({ futureId }) => tell(`  sent     ${futureId} again, for a higher fee`),
    onchainInteractionDropped: ({ futureId }) => tell(`  dropped  ${futureId}, which is sent again`),
  });
  try {
    if (journal !== undefined) await openJournal(journal, provider, tell);
    const result = await deploy({
      ignitionModule: module,
      deploymentParameters: { [module.id]: parameters },
      provider,
      accounts,
      artifactResolver: artifacts,
      executionEventListener,
      config: { ...(chainId === LOCAL_CHAIN && { blockPollingInterval: LOCAL_POLLING_MS }), ...run.config },
      ...(journal !== undefined && { deploymentDir: journal }),
    });
    if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) throw failureOf(result);
    const addresses = Object.values(result.contracts).map(({ id, address }) => [id, address] as const);
    const { mined: all } = journal === undefined ? { mined } : await progressOf(journal);
    return { addresses: Object.fromEntries(addresses), mined: all, sent };
  } catch (thrown) {
    if (thrown instanceof IgnitionError) throw new Failure(thrown.message);
    throw thrown;
  }
}

/** Ignition wants a listener of everything. */
const listenTo = (listener: Partial<ExecutionEventListener>): ExecutionEventListener =>
  new Proxy(listener, {
    get: (target, event): unknown => Reflect.get(target, event) ?? (() => undefined),
  }) as ExecutionEventListener;

type Failed = Exclude<DeploymentResult, { type: DeploymentResultType.SUCCESSFUL_DEPLOYMENT }>;

function failureOf(result: Failed): Failure {
  const listed = (errors: Record<string, string[]>): string =>
    Object.entries(errors)
      .map(([future, texts]) => `${future}: ${texts.join("; ")}`)
      .join("\n");
  switch (result.type) {
    case DeploymentResultType.VALIDATION_ERROR:
      return new Failure(`Nothing was sent. The module cannot be carried out:\n${listed(result.errors)}`);
    case DeploymentResultType.RECONCILIATION_ERROR:
      return new Failure(
        "Nothing was sent. The contracts or parameters are not those with which this deployment was begun. Go on from the same " +
          "commit and parameters; what is deployed changes by upgrades, and by governance." +
          `\n${listed(result.errors)}`,
        "input",
      );
    case DeploymentResultType.PREVIOUS_RUN_ERROR:
      return new Failure(
        "Nothing was sent. An earlier run failed for good; `npx hardhat ignition wipe <deployment> <id>` lets it be tried again:" +
          `\n${listed(result.errors)}`,
      );
    case DeploymentResultType.EXECUTION_ERROR: {
      const failed = result.failed.map(({ futureId, error }) => `${futureId}: ${error}`);
      const late = result.timedOut.map(({ futureId }) => `${futureId}: not mined in time`);
      return new Failure(
        `The deployment stopped after ${result.successful.length} steps:\n${[...failed, ...late].join("\n")}`,
        failed.length === 0 && late.length > 0 ? "unknown" : "refused",
      );
    }
  }
}
