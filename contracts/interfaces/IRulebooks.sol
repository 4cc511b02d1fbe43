// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Who says that care happened, until when, and what happens when somebody disagrees. Immutable, named by its content.
/// @dev A field of a feature that is not used is zero.
/// @param attesterGroups Conditions that all have to hold. Those that hold for every group have to be met by others than the patient,
/// whom nobody asks about care that did not happen.
/// @param workflow Chainlink workflow whose reported digest settles in place of signatures.
/// @param eventKinds Bit set of the kinds of event this rulebook is for: dispense 1, diagnostic report 2, procedure 4,
/// immunization 8, contribution to a study 16.
/// @param grace Seconds after `eventBy` in which an attestation may still land; 72 hours at least, for outages.
/// @param challengePeriod Seconds for which a presented result can be disputed before it settles; zero: it settles at once.
/// @param arbiter Account that rules on disputes and recoups what is retained.
/// @param arbiterDeadline Seconds the arbiter has for a ruling; afterwards the default holds.
/// @param arbiterDefault Side that gets the money where no result is attested: 0 the payer, 1 the payee.
/// @param bond Base units that whoever disputes a line locks.
/// @param retentionBps Share of a payment that stays retained during the look-back, in hundredths of a percent, rounded down.
/// @param lookBack Seconds for which the retained share can be recouped.
/// @param suspender Account that may suspend this rulebook at once.
/// @param documentHash keccak256 of the rules as people read them.
struct Rulebook {
    AttesterGroup[] attesterGroups;
    Workflow workflow;
    uint32 eventKinds;
    uint32 grace;
    uint32 challengePeriod;
    address arbiter;
    uint32 arbiterDeadline;
    uint8 arbiterDefault;
    uint96 bond;
    uint16 retentionBps;
    uint32 lookBack;
    address suspender;
    bytes32 documentHash;
}

/// @notice One condition of a rulebook: `threshold` of `attesters` have to sign.
/// @param threshold How many.
/// @param above The condition holds only for groups above this amount, in base units; zero: always.
/// @param attesters ERC-7913 signers, in strictly ascending order. 20 bytes are an account (secp256k1, or ERC-1271 where it is a
/// contract); more are the address of a verifier and a key. One byte is a role that a batch fills in, and is alone in its group:
/// 0x01 the payee of each group that is settled, 0x02 the patient of each line that is paid (see {AttesterRoles}).
struct AttesterGroup {
    uint8 threshold;
    uint96 above;
    bytes[] attesters;
}

/// @notice Attesters that a rulebook names by what they are in a batch.
library AttesterRoles {
    /// @notice The payee of a group.
    bytes1 internal constant PAYEE = 0x01;
    /// @notice The patient of a line, or a personal representative, by a one-time key to which the batch's manifest commits.
    bytes1 internal constant PATIENT = 0x02;
}

/// @notice A Chainlink workflow, as the Keystone forwarder names it.
/// @param id Hash of its code and configuration.
/// @param owner Account that deployed it.
/// @param name First 10 hexadecimal digits of the SHA-256 of its name, as text.
struct Workflow {
    bytes32 id;
    address owner;
    bytes10 name;
}

/// @title IRulebooks
/// @notice Rulebooks, stored as code blobs under the hash of their content, and their suspension.
interface IRulebooks {
    /// @notice `rulebook` was published; its blob lies at `blob`.
    event RulebookPublished(bytes32 indexed rulebook, address blob);

    /// @notice Settlement under `rulebook` stopped.
    event RulebookSuspended(bytes32 indexed rulebook);

    /// @notice Settlement under `rulebook` goes on.
    event RulebookResumed(bytes32 indexed rulebook);

    /// @notice `listener` is told of rulebooks from now on.
    event RulebookListenerSet(address listener);

    /// @notice The listener is set once, and for good.
    error RulebookListenerAlreadySet(address listener);

    /// @notice Rulebooks can be published only once there is a listener.
    error RulebookListenerMissing();

    /// @notice No rulebook of this id was published here.
    error RulebookUnknown(bytes32 rulebook);

    /// @notice The rulebook is suspended: nothing can be funded or settled under it.
    error RulebookIsSuspended(bytes32 rulebook);

    /// @notice The rulebook is not suspended.
    error RulebookNotSuspended(bytes32 rulebook);

    /// @notice Only the rulebook's suspender may do this.
    error NotSuspender(bytes32 rulebook, address caller);

    /// @notice Grace has to lie between {MIN_GRACE} and {MAX_GRACE} seconds.
    error GraceOutOfRange(uint256 grace);

    /// @notice The rulebook names no kind of event, or one that does not exist.
    error EventKindsInvalid(uint256 eventKinds);

    /// @notice The threshold of a group of attesters is zero or above their number.
    error ThresholdInvalid(uint256 threshold, uint256 attesters);

    /// @notice The rulebook names more than {MAX_ATTESTERS} attesters.
    error TooManyAttesters(uint256 attesters);

    /// @notice Attesters of a group have to be in strictly ascending order; the one at `index` is not. Indices count the attesters of
    /// all groups.
    error AttestersNotAscending(uint256 index);

    /// @notice The attester at `index` is neither an account other than zero, nor a key whose verifier is a contract, nor a role.
    error AttesterInvalid(uint256 index, bytes attester);

    /// @notice A role has to be the only attester of its group; the one at `index` is not.
    error RoleNotAlone(uint256 index);

    /// @notice The rulebook names neither a workflow nor attesters, other than the patient, who have to sign for every group.
    error NobodyAttests();

    /// @notice Id, owner and name of the workflow have to be given together.
    error WorkflowIncomplete();

    /// @notice `field` is out of range ({MAX_CHALLENGE_PERIOD}, {MIN_ARBITER_DEADLINE}, {MAX_ARBITER_DEADLINE}, {MAX_LOOK_BACK}), or missing
    /// beside the others: challenge period, default, bond and retention need an arbiter, an arbiter its deadline, a retention its
    /// look-back.
    error RulebookFieldInvalid(string field);

    /// @notice Publishes a rulebook. Anyone may; publishing twice changes nothing.
    /// @return id keccak256(abi.encode(rulebook)): the same on every chain.
    function publish(Rulebook calldata rulebook) external returns (bytes32 id);

    /// @notice Stops funding and settlement under a rulebook. Only its suspender.
    /// @dev For a batch that is funded, stops count only up to {IClaimEscrow-MAX_STOPPED} seconds in its life, and move its deadlines
    /// by as much; after that it settles in spite of them.
    function suspend(bytes32 id) external;

    /// @notice Ends the suspension. Only its suspender.
    function resume(bytes32 id) external;

    /// @notice Names the contract that keeps a copy for cheap reading, once and for good. Restricted by the access manager.
    function setRulebookListener(address listener) external;

    /// @notice The rulebook as it was published.
    function rulebookOf(bytes32 id) external view returns (Rulebook memory);

    /// @notice Whether a rulebook was published here, and whether it is suspended now.
    function rulebookStatusOf(bytes32 id) external view returns (bool published, bool suspended);

    /// @notice Least grace, in seconds.
    function MIN_GRACE() external view returns (uint256);

    /// @notice Greatest grace, in seconds.
    function MAX_GRACE() external view returns (uint256);

    /// @notice Most attesters a rulebook can name.
    function MAX_ATTESTERS() external view returns (uint256);

    /// @notice Longest challenge period, in seconds.
    function MAX_CHALLENGE_PERIOD() external view returns (uint256);

    /// @notice Least time for an arbiter, in seconds.
    function MIN_ARBITER_DEADLINE() external view returns (uint256);

    /// @notice Most time for an arbiter, in seconds.
    function MAX_ARBITER_DEADLINE() external view returns (uint256);

    /// @notice Longest look-back, in seconds.
    function MAX_LOOK_BACK() external view returns (uint256);
}
