import { AbiCoder, assertArgument, getAddress, isHexString, keccak256 } from "ethers";

import { CarepactError } from "../errors";

/** One condition of a rulebook, of which all have to hold: `threshold` of `attesters` have to sign. */
export interface AttesterGroup {
  threshold: number;
  /** The condition counts only where a group that is settled has a subtotal above this, in base units; zero: always. */
  above: bigint;
  /** ERC-7913 signers in strictly ascending order; 20 bytes are an account. One byte is a role, alone in its condition. */
  attesters: string[];
}

/** A Chainlink workflow, as the Keystone forwarder names it. Unused: all zero. */
export interface Workflow {
  id: string;
  owner: string;
  name: string;
}

/** A rulebook (`Rulebook` of IRulebooks.sol). Times in seconds, amounts in base units. */
export interface Rulebook {
  attesterGroups: AttesterGroup[];
  workflow: Workflow;
  /** Bit set: dispense 1, diagnostic report 2, procedure 4, immunization 8, contribution to a study 16. */
  eventKinds: number;
  grace: number;
  challengePeriod: number;
  arbiter: string;
  arbiterDeadline: number;
  arbiterDefault: number;
  bond: bigint;
  retentionBps: number;
  lookBack: number;
  suspender: string;
  documentHash: string;
}

/** A rulebook in a document: amounts as decimal strings. */
export type RulebookJson = Omit<Rulebook, "attesterGroups" | "bond"> & {
  attesterGroups: (Omit<AttesterGroup, "above"> & { above: string })[];
  bond: string;
};

const RULEBOOK_TYPE =
  "tuple(tuple(uint8 threshold,uint96 above,bytes[] attesters)[] attesterGroups," +
  "tuple(bytes32 id,address owner,bytes10 name) workflow,uint32 eventKinds,uint32 grace,uint32 challengePeriod," +
  "address arbiter,uint32 arbiterDeadline,uint8 arbiterDefault,uint96 bond,uint16 retentionBps,uint32 lookBack," +
  "address suspender,bytes32 documentHash)";

const ADDRESS_BYTES = 20;

/**
 * Id of a rulebook: keccak256(abi.encode(rulebook)), the same on every chain.
 * @throws BATCH_TERMS_INVALID when a field does not fit its Solidity type
 */
export function rulebookIdOf(rulebook: Rulebook): string {
  const { attesterGroups, workflow, arbiter, suspender } = rulebook;
  try {
    // ethers would take accounts in other forms than hex.
    for (const account of [workflow.owner, arbiter, suspender])
      assertArgument(isHexString(account, ADDRESS_BYTES), "not an address", "rulebook", account);
    for (const attester of attesterGroups.flatMap(({ attesters }) => attesters))
      assertArgument(isHexString(attester), "not in hex", "rulebook", attester);
    return keccak256(AbiCoder.defaultAbiCoder().encode([RULEBOOK_TYPE], [rulebook]));
  } catch (cause) {
    throw new CarepactError(
      "BATCH_TERMS_INVALID",
      "The rulebook has a field that does not fit its Solidity type.",
      { path: "rulebook" },
      cause,
    );
  }
}

/** The rulebook as JSON carries it: addresses checksummed, other bytes in lower case. */
export function rulebookToJson(rulebook: Rulebook): RulebookJson {
  return {
    attesterGroups: rulebook.attesterGroups.map(({ threshold, above, attesters }) => ({
      threshold,
      above: above.toString(),
      attesters: attesters.map((attester) => attester.toLowerCase()),
    })),
    workflow: {
      id: rulebook.workflow.id.toLowerCase(),
      owner: getAddress(rulebook.workflow.owner),
      name: rulebook.workflow.name.toLowerCase(),
    },
    eventKinds: rulebook.eventKinds,
    grace: rulebook.grace,
    challengePeriod: rulebook.challengePeriod,
    arbiter: getAddress(rulebook.arbiter),
    arbiterDeadline: rulebook.arbiterDeadline,
    arbiterDefault: rulebook.arbiterDefault,
    bond: rulebook.bond.toString(),
    retentionBps: rulebook.retentionBps,
    lookBack: rulebook.lookBack,
    suspender: getAddress(rulebook.suspender),
    documentHash: rulebook.documentHash.toLowerCase(),
  };
}

/** The rulebook of a document whose schema was checked. */
export function rulebookFromJson(json: RulebookJson): Rulebook {
  return {
    ...json,
    attesterGroups: json.attesterGroups.map((group) => ({ ...group, above: BigInt(group.above) })),
    bond: BigInt(json.bond),
  };
}
