import type { Provider } from "ethers";

import { askNow } from "../chain/ask";
import { deploymentOf, type Connection } from "../chain/deployment";
import { consentRegistryInterface, registryInterface } from "../chain/interfaces";
import { CarepactError } from "../errors";
import { recordOf, type PatientRecord } from "../patients/record";

import type { RegistryRef } from "./types";

/** Where a connection's grants are. @throws INPUT_INVALID */
export function registryOf(connection: Connection): { chainId: number; registry: string } {
  const { chainId, consentRegistry } = deploymentOf(connection);
  return { chainId, registry: consentRegistry };
}

/**
 * Asks the consent registry at the latest block. There is no cache here, and none may come between: a revocation counts
 * from the block it lands in, and an answer that was kept would let somebody in after it.
 */
export const ask = (provider: Provider, { registry }: RegistryRef, name: string, args: unknown[]): Promise<unknown[]> =>
  askNow(provider, { to: registry, abi: consentRegistryInterface }, name, args);

/** Whether an organization is registered and not suspended. */
export async function isInStanding(provider: Provider, connection: Connection, account: string): Promise<boolean> {
  const contract = { to: deploymentOf(connection).organizationRegistry, abi: registryInterface };
  const [kinds] = await askNow(provider, contract, "standingOf", [account]);
  return kinds !== 0n;
}

/** A record whatever its standing: what was granted for one that ended can still be revoked. @throws PATIENT_UNKNOWN */
export async function knownRecordOf(
  provider: Provider,
  connection: Connection,
  patient: string,
): Promise<PatientRecord> {
  const record = await recordOf(provider, deploymentOf(connection), patient);
  if (record === undefined)
    throw new CarepactError("PATIENT_UNKNOWN", "No patient of this id is registered here: is it the right chain?", {
      patient,
    });
  return record;
}
