import type { Interface } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import { rulebooksInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import type { PublicPart } from "../claims/file";
import { Rulebooks__factory } from "../generated";

import { proofOf, type Equivocation } from "./equivocation";
import { rulebookIdOf, type Rulebook } from "./rulebook";

export { isPresented, type Arbiter, type ArbitrationTerms, type RetentionTerms } from "./arbitration";
export {
  attesterRoles,
  attestersOf,
  eventKinds,
  rulebook,
  rulebookLimits,
  simpleRulebook,
  type ConditionInput,
  type RulebookAttester,
  type RulebookInput,
  type SimpleRulebook,
} from "./build";
export type { Equivocation } from "./equivocation";
export { rulebookFromJson, rulebookIdOf, rulebookToJson } from "./rulebook";
export type { AttesterGroup, Rulebook, RulebookJson, Workflow } from "./rulebook";

/** Rulebooks of one deployment. */
export interface Rulebooks {
  /** Publishes a rulebook; publishing twice changes nothing. */
  publish(rulebook: Rulebook): Action<{ id: string }, { id: string }>;
  /** Stops funding and settlement under a rulebook. Only its suspender. */
  suspend(id: string): Action<{ id: string }>;
  /** Ends a suspension. Only its suspender. */
  resume(id: string): Action<{ id: string }>;
  /**
   * Proves that an attester signed two final results of one line, observed at the same time, and suspends it for good in the batch's
   * rulebook. Anyone may. `findEquivocation` of `@carepact/sdk/oracles` finds what to prove.
   */
  proveEquivocation(batch: PublicPart, equivocation: Equivocation): Action<{ id: string }>;
  /** Suspends an attester (ERC-7913 signer), of whom it was proved elsewhere, in another rulebook that names it. Anyone may. */
  suspendAttester(id: string, attester: string): Action<{ id: string }>;
  /** Whether it was proved that an attester (ERC-7913 signer) equivocated. */
  hasEquivocated(attester: string, options?: CallOptions): Promise<boolean>;
  /** The rulebook as it was published, with all attesters, suspended or not. @throws CONTRACT_REVERTED (RulebookUnknown) */
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
    proveEquivocation: (batch, equivocation) =>
      actionOf(
        connection,
        () => ({
          to,
          data: proofOf(batch, equivocation),
          preview: () => undefined,
          result: () => ({ id: batch.terms.rulebook }),
        }),
        { relayed: true },
      ),
    suspendAttester: (id, attester) =>
      actionOf(
        connection,
        () => ({
          to,
          data: rulebooksInterface.encodeFunctionData("suspendAttester", [id, attester]),
          preview: () => undefined,
          result: () => ({ id }),
        }),
        { relayed: true },
      ),
    hasEquivocated: (attester, options) =>
      reading(
        connection,
        async (provider) => Rulebooks__factory.connect(to, provider).hasEquivocated(attester),
        options,
      ),
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
