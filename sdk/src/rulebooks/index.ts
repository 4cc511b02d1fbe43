import type { Interface } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import { rulebooksInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { Rulebooks__factory } from "../generated";

import { rulebookIdOf, type Rulebook } from "./rulebook";

export { rulebookFromJson, rulebookIdOf, rulebookToJson } from "./rulebook";
export type { AttesterGroup, Rulebook, RulebookJson, Workflow } from "./rulebook";

/** Bits of a rulebook's event kinds. */
export const eventKinds = {
  dispense: 1,
  diagnosticReport: 2,
  procedure: 4,
  immunization: 8,
  contribution: 16,
} as const;

const UNUSED = `0x${"00".repeat(32)}`;
const NOBODY = `0x${"00".repeat(20)}`;

/** What a simple rulebook is made of. */
export interface SimpleRulebook {
  /** Accounts that attest. */
  attesters: readonly string[];
  /** How many of them have to agree. */
  threshold: number;
  /** Bit set of {@link eventKinds}. */
  eventKinds: number;
  /** Seconds after the last moment of the event in which an attestation may land: 72 hours to 90 days. */
  grace: number;
  /** Account that may suspend the rulebook. */
  suspender?: string;
  /** keccak256 of the rules as people read them. */
  documentHash?: string;
}

/** A rulebook of one group of attesters, with nothing else in use. */
export function simpleRulebook(input: SimpleRulebook): Rulebook {
  const attesters = input.attesters.map((attester) => attester.toLowerCase()).sort();
  return {
    attesterGroups: [{ threshold: input.threshold, above: 0n, attesters }],
    workflow: { id: UNUSED, owner: NOBODY, name: `0x${"00".repeat(10)}` },
    eventKinds: input.eventKinds,
    grace: input.grace,
    challengePeriod: 0,
    arbiter: NOBODY,
    arbiterDeadline: 0,
    arbiterDefault: 0,
    bond: 0n,
    retentionBps: 0,
    lookBack: 0,
    suspender: input.suspender ?? NOBODY,
    documentHash: input.documentHash ?? UNUSED,
  };
}

/** Rulebooks of one deployment. */
export interface Rulebooks {
  /** Publishes a rulebook; publishing twice changes nothing. */
  publish(rulebook: Rulebook): Action<{ id: string }, { id: string }>;
  /** Stops funding and settlement under a rulebook. Only its suspender. */
  suspend(id: string): Action<{ id: string }>;
  /** Ends a suspension. Only its suspender. */
  resume(id: string): Action<{ id: string }>;
  /** The rulebook as it was published. @throws CONTRACT_REVERTED (RulebookUnknown) */
  get(id: string, options?: CallOptions): Promise<Rulebook>;
  /** Whether a rulebook was published, and whether it is suspended. */
  status(id: string, options?: CallOptions): Promise<{ published: boolean; suspended: boolean }>;
}

export function createRulebooks(connection: Connection): Rulebooks {
  const to = deploymentOf(connection).rulebooks;
  const act = (name: "suspend" | "resume", id: string): Action<{ id: string }> =>
    actionOf(connection, () => {
      const data = (rulebooksInterface as Interface).encodeFunctionData(name, [id]);
      return { to, data, preview: () => undefined, result: () => ({ id }) };
    });
  return {
    publish: (rulebook) =>
      actionOf(connection, () => {
        const id = rulebookIdOf(rulebook);
        const data = rulebooksInterface.encodeFunctionData("publish", [rulebook]);
        return { to, data, preview: () => ({ id }), result: () => ({ id }) };
      }),
    suspend: (id) => act("suspend", id),
    resume: (id) => act("resume", id),
    get: (id, options) =>
      reading(
        connection,
        async (provider) => plainRulebook(await Rulebooks__factory.connect(to, provider).rulebookOf(id)),
        options,
      ),
    status: (id, options) =>
      reading(
        connection,
        async (provider) => {
          const [published, suspended] = await Rulebooks__factory.connect(to, provider).rulebookStatusOf(id);
          return { published, suspended };
        },
        options,
      ),
  };
}

type OnChain = Awaited<ReturnType<ReturnType<typeof Rulebooks__factory.connect>["rulebookOf"]>>;

/** The rulebook without the extras of ethers' results. */
function plainRulebook(read: OnChain): Rulebook {
  return {
    attesterGroups: read.attesterGroups.map(({ threshold, above, attesters }) => ({
      threshold: Number(threshold),
      above,
      attesters: [...attesters],
    })),
    workflow: { id: read.workflow.id, owner: read.workflow.owner, name: read.workflow.name },
    eventKinds: Number(read.eventKinds),
    grace: Number(read.grace),
    challengePeriod: Number(read.challengePeriod),
    arbiter: read.arbiter,
    arbiterDeadline: Number(read.arbiterDeadline),
    arbiterDefault: Number(read.arbiterDefault),
    bond: read.bond,
    retentionBps: Number(read.retentionBps),
    lookBack: Number(read.lookBack),
    suspender: read.suspender,
    documentHash: read.documentHash,
  };
}
