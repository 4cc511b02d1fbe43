import { getAddress } from "ethers";

import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { schemaReader } from "../claims/schema";
import { CarepactError } from "../errors";

import { anchoredRootsOf, momentOf, type AnchoredRoot } from "./anchors";
import historySchema from "./access-history.schema.json";
import proofSchema from "./access-proof.schema.json";
import { readHistory } from "./history";
import {
  compartments,
  entryHashOf,
  headAfter,
  linkOf,
  recordLeafOf,
  trailLeafOf,
  trailOf,
  type Compartment,
} from "./trail";
import { rootFromLeaf } from "./tree";
import { requireStatement, type AccessEntry, type AccessStatement } from "./types";

/**
 * Shows that one entry is in a gateway's log under an anchored root (`access-proof.schema.json`), and of the others only
 * how many there were. It does not say in which of the patient's trails the entry is.
 */
export interface AccessProof {
  carepact: "access-proof";
  version: 1;
  chainId: number;
  accessLog: string;
  /** Number of the root. */
  sequence: number;
  number: number;
  statement: AccessStatement;
  salt: string;
  trail: string;
  /** Head before the entry. */
  previous: string;
  /** Of the entries after it, up to the root. */
  links: string[];
  blind: string;
  /** Leaf of the patient's other trail. */
  other: string;
  position: number;
  width: number;
  proof: string[];
}

const readJson = schemaReader<AccessProof>(proofSchema, "ACCESS_PROOF_INVALID", "proof of an access", [historySchema]);

/**
 * A proof of one entry, under the first root that covers it.
 * @throws ACCESS_PROOF_INVALID if the history has no such entry, or no root that covers it; what {@link readHistory} throws
 */
export function proveEntry(
  value: unknown,
  { compartment = "shared", number }: { compartment?: Compartment; number: number },
): AccessProof {
  const history = readHistory(value);
  const { chainId, accessLog, gateway, patient, roots } = history;
  const { salt: trailSalt, entries } = history.trails[compartment] ?? { salt: "", entries: [] };
  const root = [...roots]
    .sort((a, b) => a.sequence - b.sequence)
    .find(({ trails }) => (trails[compartment]?.count ?? 0) > number);
  const found = entries[number];
  const count = root?.trails[compartment]?.count ?? 0;
  if (root === undefined || found?.number !== number || count > entries.length)
    throw new CarepactError("ACCESS_PROOF_INVALID", "The history proves no such entry: it may not be anchored yet.", {
      path: "number",
      compartment,
      number,
    });
  const leafOf = (one: Compartment): string => {
    const { count: length = 0, blind = "" } = root.trails[one] ?? {};
    const { salt = "", entries: all = [] } = history.trails[one] ?? {};
    const trail = trailOf({ gateway, patient, compartment: one, salt });
    const head = all.slice(0, length).reduce((before, entry) => headAfter(before, linkIn(entry)), trail);
    return trailLeafOf({ trail, count: length, head }, blind);
  };
  const [hidden] = compartments.filter((one) => one !== compartment) as [Compartment];
  const trail = trailOf({ gateway, patient, compartment, salt: trailSalt });
  return {
    carepact: "access-proof",
    version: 1,
    chainId,
    accessLog,
    sequence: root.sequence,
    number,
    statement: found.statement,
    salt: found.salt,
    trail,
    previous: entries.slice(0, number).reduce((before, entry) => headAfter(before, linkIn(entry)), trail),
    links: entries.slice(number + 1, count).map(linkIn),
    blind: root.trails[compartment]?.blind as string,
    other: root.other ?? leafOf(hidden),
    position: root.position,
    width: root.width,
    proof: root.proof,
  };
}

const linkIn = ({ number, salt, statement }: Pick<AccessProof, "number" | "salt" | "statement">): string =>
  linkOf(number, entryHashOf(salt, statement));

/**
 * Checks a proof against the chain, and gives what it proves: the gateway that the entry names noted it, before its root
 * was anchored.
 * @throws ACCESS_PROOF_INVALID, CODE_UNKNOWN, ACCESS_ENTRY_MALFORMED, NODE_INCONSISTENT, and what reading throws
 */
export function verifyEntry(
  connection: Connection,
  value: unknown,
  options?: CallOptions,
): Promise<{ entry: AccessEntry; root: AnchoredRoot }> {
  return reading(
    connection,
    async (provider, signal) => {
      const { chainId, accessLog } = deploymentOf(connection);
      const shown = readJson(value);
      const statement = requireStatement(shown.statement);
      const must = (holds: boolean, path: string, problem: string): void => {
        if (!holds) throw new CarepactError("ACCESS_PROOF_INVALID", `The proof ${problem}.`, { path });
      };
      must(shown.chainId === chainId, "$.chainId", "is of another chain");
      must(getAddress(shown.accessLog) === getAddress(accessLog), "$.accessLog", "is of another access log");
      const { number, trail, previous, links, blind, other, sequence } = shown;
      const head = [linkIn({ ...shown, statement }), ...links].reduce(headAfter, previous);
      const leaf = trailLeafOf({ trail, count: number + 1 + links.length, head }, blind);
      const computed = rootFromLeaf(recordLeafOf(leaf, other), shown);
      const { block } = await momentOf(provider);
      const root = (await anchoredRootsOf(connection, provider, statement.gateway, block, signal))[sequence - 1];
      must(root !== undefined && computed === root.root, "$.sequence", "leads to no root that the gateway anchored");
      return { entry: { ...statement, number }, root: root as AnchoredRoot };
    },
    options,
  );
}
