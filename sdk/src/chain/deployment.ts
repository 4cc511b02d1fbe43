import type { ContractRunner, Provider, TransactionReceipt } from "ethers";

import { CarepactError } from "../errors";

/** Where Carepact is deployed on one chain: addresses of the proxies, and of two verifiers. */
export interface Deployment {
  chainId: number;
  /** OpenZeppelin's AccessManager, which says who may do what. */
  accessManager: string;
  organizationRegistry: string;
  rulebooks: string;
  mandates: string;
  claimEscrow: string;
  /** Patients, their grants and restrictions. */
  consentRegistry: string;
  /** Recovery contacts of patients. */
  patientRecovery: string;
  /** Roots of the gateways' access logs. */
  accessLog: string;
  /** OpenZeppelin's ERC-7913 verifier of P-256 keys: the first 20 bytes of such a signer. No proxy, and nobody can change it. */
  p256Verifier: string;
  /** The same of passkeys (WebAuthn). */
  webAuthnVerifier: string;
  /** Verifier of passkeys that were made for one web page, as patients use at pick-up; no proxy either. */
  webAuthnOriginVerifier: string;
  /** Block of the first transaction of the deployment: no event is older. */
  startBlock: number;
}

/**
 * What every area of the SDK works with.
 * @property runner An ethers v6 signer to write, or a provider to read only. Known by what it can do, never by its class.
 */
export interface Connection {
  runner: ContractRunner;
  deployment: Deployment;
}

/** Where the connection's contracts are. @throws INPUT_INVALID, as plain JavaScript and `deployments` may have none */
export function deploymentOf({ deployment }: Partial<Connection>): Deployment {
  if (deployment === undefined)
    throw new CarepactError(
      "INPUT_INVALID",
      "The connection has no deployment: `deployments` knows none on this chain, so name the addresses yourself.",
      { path: "deployment" },
    );
  return deployment;
}

/** The account that signs. @throws RUNNER_CANNOT_SIGN */
export async function accountOf(runner: ContractRunner): Promise<string> {
  const signer = runner as { getAddress?: () => Promise<string> };
  if (typeof signer.getAddress !== "function" || typeof runner.sendTransaction !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This needs a signer: connect with a wallet, not with a provider.");
  return signer.getAddress();
}

/** What reads the chain. @throws RUNNER_CANNOT_READ */
export function providerOf(runner: ContractRunner): Provider {
  if (!runner.provider)
    throw new CarepactError("RUNNER_CANNOT_READ", "This needs a provider: connect the signer to one.");
  return runner.provider;
}

/** Refuses to work on another chain than the deployment's. @throws CHAIN_MISMATCH */
export async function requireChain({ runner, deployment }: Connection): Promise<void> {
  const { chainId } = await providerOf(runner).getNetwork();
  if (chainId !== BigInt(deployment.chainId))
    throw new CarepactError(
      "CHAIN_MISMATCH",
      `The wallet is on chain ${chainId}, the deployment on ${deployment.chainId}: switch the network.`,
      { wallet: chainId, deployment: deployment.chainId },
    );
}

/** Time of the newest block, unix seconds: the chain's own clock, by which its deadlines go. */
export async function chainTimeOf(provider: Provider): Promise<number> {
  const block = await provider.getBlock("latest");
  if (block === null) throw new CarepactError("TRANSACTION_FAILED", "The node knows no newest block.");
  return block.timestamp;
}

/** When a transaction was mined, unix seconds. @throws NODE_INCONSISTENT when the node gives no block for its own receipt */
export async function blockTimeOf(
  { runner }: Connection,
  { blockNumber }: Pick<TransactionReceipt, "blockNumber">,
): Promise<number> {
  const block = await providerOf(runner).getBlock(blockNumber);
  if (block === null)
    throw new CarepactError("NODE_INCONSISTENT", "The node does not know a block of which it gave a receipt.", {
      number: blockNumber,
    });
  return block.timestamp;
}
