import { getAddress, isAddress } from "ethers";

import { deploymentOf, type Connection } from "../chain/deployment";
import type { PatientSigner } from "../signers";
import { CarepactError, type Json } from "../errors";
import { OrganizationRegistry__factory } from "../generated";
import type { Provider } from "ethers";

import { requireText } from "./attempt";
import type { LogEnd, Placed, TrailLog } from "./log";
import { reviewMessage } from "./messages";
import { isSignatureOf } from "./signatures";
import type { AccessStore } from "./store";
import type { Compartment } from "./trail";
import type { AccessStatement } from "./types";

/** What a reviewer hands in. */
export interface SignedReview {
  /** Account of the reviewer. */
  who: string;
  /** Entry hash of the access. */
  of: string;
  justified: boolean;
  text: string;
  signature: string;
}

/** An access in an emergency that nobody reviewed yet. */
export interface Unreviewed {
  /** Entry hash, for {@link signReview}. */
  of: string;
  statement: AccessStatement;
  /** Unix seconds until which it is to be reviewed. */
  due: number;
  overdue: boolean;
}

/** An access in an emergency that is under way, or done; written before the entry, so that none is forgotten. */
export interface Emergency {
  /** Salt of the entry: it names the entry before there is one. */
  salt: string;
  patient: string;
  compartment: Compartment;
  /** Where the trail ended then: the entry is behind it. Absent if it had not begun. */
  behind?: LogEnd;
}

/** `policy` of entries that are reviews. */
export const REVIEW_POLICY = "urn:carepact:break-glass-review";

const PREFIX = "emergency/";

/** Emergencies of a gateway. */
export interface Emergencies {
  begin(emergency: Emergency): Promise<void>;
  /** All that are open and whose entry there is; one without was interrupted before anything was given out. */
  entries(): Promise<{ emergency: Emergency; placed: Placed; reviewed: boolean }[]>;
  /** Says that one was reported and reviewed, so that nobody has to look for it again. */
  close(emergency: Emergency): Promise<void>;
}

export function emergenciesOf(store: AccessStore, log: TrailLog): Emergencies {
  return {
    begin: async (emergency) => {
      await store.put(`${PREFIX}${emergency.salt}`, emergency as unknown as Json);
    },
    entries: async () => {
      const found: Awaited<ReturnType<Emergencies["entries"]>> = [];
      for (const key of await store.list(PREFIX)) {
        const emergency = (await store.get(key))?.value as (Emergency & { closed?: boolean }) | undefined;
        if (emergency === undefined || emergency.closed === true) continue;
        let placed: Placed | undefined;
        let reviewed = false;
        for await (const one of log.entries(emergency.patient, emergency.compartment, emergency.behind)) {
          if (one.entry.salt === emergency.salt) placed = one;
          if (placed !== undefined && one.entry.statement.review?.of === placed.entryHash) reviewed = true;
        }
        if (placed !== undefined) found.push({ emergency, placed, reviewed });
      }
      return found;
    },
    close: async (emergency) => {
      const key = `${PREFIX}${emergency.salt}`;
      const stored = await store.get(key);
      await store.put(key, { ...emergency, closed: true } as unknown as Json, stored?.version);
    },
  };
}

/**
 * Signs what one says of an access in an emergency. The gateway notes it.
 * @throws INPUT_INVALID, and what the signer throws
 */
export async function signReview(
  connection: Connection,
  review: { gateway: string; of: string; justified: boolean; text: string },
  signer: PatientSigner,
): Promise<SignedReview> {
  const { gateway, of, justified } = review;
  const text = requireText(review.text, "text");
  const message = reviewMessage(deploymentOf(connection), { gateway, of, justified, text });
  return { who: getAddress(signer.signer), of, justified, text, signature: await signer.sign(message) };
}

/** @internal @throws ACCESS_REVIEW_INVALID, INPUT_INVALID */
export async function requireReview(
  connection: Connection,
  provider: Provider,
  { who, of, justified, text, signature }: SignedReview,
  access: AccessStatement,
): Promise<void> {
  const must = (holds: boolean, path: string, problem: string): void => {
    if (!holds) throw new CarepactError("ACCESS_REVIEW_INVALID", `The review ${problem}.`, { path });
  };
  requireText(text, "text");
  must(isAddress(who) && getAddress(who) !== access.who, "who", "is by who asked");
  must(getAddress(who) !== access.gateway, "who", "is by who let it happen");
  const deployment = deploymentOf(connection);
  const registry = OrganizationRegistry__factory.connect(deployment.organizationRegistry, provider);
  const [, status] = await registry.organizationOf(who);
  must(Number(status) === 1, "who", "is by no organization in good standing");
  const message = reviewMessage(deployment, { gateway: access.gateway, of, justified, text });
  must(await isSignatureOf(provider, getAddress(who), message, signature), "signature", "was not signed like this");
}
