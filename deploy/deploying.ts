import type { Deployment } from "@carepact/sdk";

import { artifactsOf } from "./artifacts";
import Carepact from "./Carepact";
import { checkContracts, type Finding } from "./checkContracts";
import { checkRoles } from "./checkRoles";
import { Failure } from "./failure";
import { recordLayouts } from "./layouts";
import { LOCAL_CHAIN, parametersFileOf, readParameters, requireForwarder, type Parameters } from "./parameters";
import { addressesIn } from "./journal";
import { otherDeployment, recordDeployment, recordedDeployment, requireNoOther } from "./record";
import { rehearse, type Rehearsal } from "./rehearsal";
import { runModule, type Outcome } from "./run";
import { deployerOf, type Site } from "./site";
import { proxyNames } from "./system";

/** What became of a deployment. */
export interface Deployed {
  deployment: Deployment;
  /** Transactions that this run sent. */
  sent: number;
  findings: Finding[];
  /** Whether the file of deployments was changed. */
  recorded: boolean;
}

/** What a deployment would do. */
export interface Planned extends Rehearsal {
  deployer: string;
  parameters: Parameters;
}

/** Parameters of the site's network, with which nothing is wrong. */
export async function parametersOf({ hre, provider, options, chainId, accounts }: Site): Promise<Parameters> {
  const parameters = await readParameters(parametersFileOf(hre, options.parameters), {
    chainId,
    deployer: accounts[0],
  });
  await requireForwarder(provider, parameters);
  return parameters;
}

/** Tries the deployment out where nothing is lost. Sends nothing. */
export async function planDeployment(site: Site): Promise<Planned> {
  const deployer = deployerOf(site);
  const parameters = await parametersOf(site);
  const rehearsal = await rehearse(site, deployer, parameters);
  if (!mayReplace(site)) await requireNoOther(site.record, rehearsal.deployment);
  return { deployer, parameters, ...rehearsal };
}

/** Deploys, or goes on deploying, and then looks at everything. Where all is done already it sends nothing. */
export async function deployCarepact(site: Site): Promise<Deployed> {
  const { hre, node, chainId, accounts, journal, tell } = site;
  if (site.mayUse !== "send") throw new Failure("This is a public chain: say --send to deploy in earnest.", "input");
  deployerOf(site);
  const parameters = await parametersOf(site);
  await requireOnlyOne(site);
  const outcome = await runModule(
    Carepact,
    { ...parameters },
    { node, chainId, accounts, artifacts: artifactsOf(hre), journal, config: hre.config.ignition, tell },
  );
  const deployment = await deploymentIn(site, outcome);
  const implementations = proxyNames.map((name) => [name, addressIn(outcome, `${name}Implementation`)] as const);
  if (journal !== undefined) await recordLayouts(hre, journal, Object.fromEntries(implementations));
  const findings = await checkDeployment(site, deployment, parameters);
  const recorded = isSound(findings) && (await record(site, deployment));
  return { deployment, sent: outcome.sent, findings, recorded };
}

/** Looks at a deployment: the contracts, the links between them, and who may do what. */
export async function checkDeployment(
  { hre, provider }: Pick<Site, "hre" | "provider">,
  deployment: Deployment,
  parameters: Parameters,
): Promise<Finding[]> {
  const contracts = await checkContracts(provider, deployment, hre.artifacts, parameters);
  // Where there is no AccessManager, nothing answers for it.
  if (contracts[0]!.wrong.length > 0) return contracts;
  return [...contracts, ...(await checkRoles(provider, deployment, hre.artifacts, parameters))];
}

export const isSound = (findings: readonly Finding[]): boolean => findings.every(({ wrong }) => wrong.length === 0);

/** The deployment that is recorded for the site's chain. */
export async function deploymentAt({ record: file, chainId }: Site): Promise<Deployment> {
  const deployment = await recordedDeployment(file, chainId);
  if (deployment === undefined) throw new Failure(`No deployment on chain ${chainId} is recorded in ${file}.`, "input");
  return deployment;
}

function addressIn({ addresses }: Outcome, name: string): string {
  const address = addresses[`${Carepact.id}#${name}`];
  if (address === undefined) throw new Error(`Ignition deployed no ${name}.`);
  return address;
}

/** Where a run has put everything. */
export async function deploymentIn(
  { provider, chainId }: Pick<Site, "provider" | "chainId">,
  outcome: Outcome,
): Promise<Deployment> {
  // It has the deployment's first nonce.
  const receipt = await provider.getTransactionReceipt(outcome.mined[`${Carepact.id}#AccessManager`] ?? "");
  if (receipt === null)
    throw new Failure("The node does not know the deployment's first transaction: is it in sync?", "network");
  return {
    chainId,
    accessManager: addressIn(outcome, "AccessManager"),
    organizationRegistry: addressIn(outcome, "OrganizationRegistry"),
    rulebooks: addressIn(outcome, "Rulebooks"),
    mandates: addressIn(outcome, "Mandates"),
    claimEscrow: addressIn(outcome, "ClaimEscrow"),
    consentRegistry: addressIn(outcome, "ConsentRegistry"),
    patientRecovery: addressIn(outcome, "PatientRecovery"),
    accessLog: addressIn(outcome, "AccessLog"),
    p256Verifier: addressIn(outcome, "ERC7913P256Verifier"),
    webAuthnVerifier: addressIn(outcome, "ERC7913WebAuthnVerifier"),
    webAuthnOriginVerifier: addressIn(outcome, "WebAuthnOriginVerifier"),
    startBlock: receipt.blockNumber,
  };
}

/** Chain 31337 in the SDK's own file is the devnet: another local chain is recorded only in a file that was named. */
async function record(site: Site, deployment: Deployment): Promise<boolean> {
  if (site.chainId === LOCAL_CHAIN && site.options.record === undefined) return false;
  return recordDeployment(site.record, deployment, mayReplace(site));
}

/** Local chains vanish, and their deployments with them. */
const mayReplace = ({ chainId, options }: Site): boolean => chainId === LOCAL_CHAIN || options.replace === true;

/** Refuses, before anything is sent, a deployment beside the one that is recorded. */
async function requireOnlyOne(site: Site): Promise<void> {
  const known = mayReplace(site) ? undefined : await recordedDeployment(site.record, site.chainId);
  if (known === undefined) return;
  const addresses = site.journal === undefined ? {} : await addressesIn(site.journal);
  if (addresses[`${Carepact.id}#AccessManager`] !== known.accessManager) throw otherDeployment(site.record, known);
}
