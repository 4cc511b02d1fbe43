import { type Attestation, type BatchSource, type GroupResult } from "@carepact/sdk/claims";
import { randomSalt, saltedHashOf, systemRandom } from "@carepact/sdk/encryption";

import type { World } from "./world";

const WEEK = 7 * 24 * 60 * 60;

/**
 * Two of the three attesters look at the same evidence, judge each for itself, and sign. The third one need not: two are
 * enough.
 * @param seen What they looked at; only its salted hash goes on chain.
 * @param judge What an attester makes of it.
 */
export async function attestTogether(
  world: World,
  batch: BatchSource,
  seen: unknown,
  judge: () => GroupResult[],
): Promise<Attestation[]> {
  const observedAt = await world.now();
  const evidence = saltedHashOf(randomSalt(systemRandom), seen);
  const statement = { observedAt, validUntil: observedAt + WEEK, evidence };
  return Promise.all(world.attesters.slice(0, 2).map(({ claims }) => claims.attest(batch, judge(), statement)));
}
