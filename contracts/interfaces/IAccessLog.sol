// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What a gateway has anchored so far.
/// @param head keccak256(abi.encode(previous head, sequence, root, unix seconds of its block)) of the latest root, the first
/// one's previous head being zero: one word that commits to all roots, their order and their times.
/// @param sequence How many roots there are; the first has number 1.
/// @param anchoredAt Unix seconds at which the latest was anchored.
struct GatewayLog {
    bytes32 head;
    uint64 sequence;
    uint40 anchoredAt;
}

/// @title IAccessLog
/// @notice Roots of the gateways' records of who asked for patients' data, allowed and refused. A gateway numbers the
/// entries of each patient and signs a receipt for each; a root commits to every patient's last number, so that what is
/// removed, altered, reordered or back-dated afterwards contradicts it.
/// @dev Entries, patients, and how many there are of either, are not here: a root says nothing but that a gateway anchored.
/// There is no function by which anybody, the gateway, an administrator or a patient, takes back or replaces a root.
/// The ERC-5267 domain of this contract is the one under which gateways sign receipts off chain.
interface IAccessLog {
    /// @notice `gateway` anchored its `sequence`-th root, at `anchoredAt` (unix seconds), and `head` commits to it.
    /// @dev With the time, so that who replays a gateway's events into its head need not ask for a block for each.
    event AccessRootAnchored(
        address indexed gateway,
        uint256 indexed sequence,
        bytes32 root,
        bytes32 head,
        uint256 anchoredAt
    );

    /// @notice The account is not registered as a gateway.
    error NotGateway(address account);

    /// @notice The gateway's next root has number `next`.
    error SequenceNotNext(address gateway, uint256 next);

    /// @notice A root of zero commits to nothing.
    error RootZero();

    /// @notice Anchors the caller's next root. To begin, an account has to be registered as a gateway, whatever its status;
    /// who has begun goes on, even if it is suspended or is no gateway any more.
    /// @dev A gateway owes the patients the record of what it did. To refuse it would help only who wants it gone.
    /// Reverts with {RootZero}, {SequenceNotNext} or {NotGateway}.
    /// @param sequence Number of the root, one more than the last: a retry, or a second instance of the gateway that does not
    /// know of the first, changes nothing.
    /// @param root Root of the Merkle tree over the heads of all of the gateway's trails.
    /// @return head See {GatewayLog}.
    function append(uint256 sequence, bytes32 root) external returns (bytes32 head);

    /// @notice What `gateway` has anchored so far; all zero: nothing.
    function logOf(address gateway) external view returns (GatewayLog memory);
}
