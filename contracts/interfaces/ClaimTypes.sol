// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";

/// @notice Terms of a claim batch: a payer's funded promise to pay the lines of one or more payees.
/// @dev Hashed under EIP-712 into the batch id and never stored. Whoever acts on a batch hands its terms in again.
/// @param payer Account whose pool funds the batch and to which all that is not paid returns.
/// @param token ERC-20 token of every amount in the batch.
/// @param total Sum of the groups' subtotals, in base units of `token`.
/// @param groupsHash keccak256 of the groups, each a 32-byte word (see {Group}), in order.
/// @param linesRoot Merkle root over the groups' line amounts (see {GroupLines}).
/// @param manifestRoot Merkle root over the off-chain detail of each line. The chain never reads it.
/// @param rulebook Id of the rulebook that says who attests and until when.
/// @param eventBy Last moment, in unix seconds, at which the care may happen.
/// @param salt Makes batches with otherwise equal terms distinct.
struct ClaimBatch {
    address payer;
    address token;
    uint96 total;
    bytes32 groupsHash;
    bytes32 linesRoot;
    bytes32 manifestRoot;
    bytes32 rulebook;
    uint40 eventBy;
    uint64 salt;
}

/// @notice A signed statement of what happened with the lines of one claim batch.
/// @dev EIP-712 type: `Attestation(bytes32 batchId,bytes results,uint40 observedAt,uint40 validUntil,bytes32 evidence)`.
/// @param observedAt When the attesters looked, in unix seconds. May not lie in the future.
/// @param validUntil Last moment, in unix seconds, at which this attestation may settle.
/// @param evidence Salted commitment to what the attesters saw.
/// @param results Results per group and line, packed (see {ResultsLib}).
/// @param signatures 65-byte secp256k1 signatures (r, s, v), exactly as many as the rulebook's threshold, in ascending order
/// of signer.
struct Attestation {
    uint40 observedAt;
    uint40 validUntil;
    bytes32 evidence;
    bytes results;
    bytes signatures;
}

/// @notice The line amounts of one group, opened against the batch's `linesRoot`.
/// @dev The Merkle leaf is keccak256(group as uint256 ‖ salt ‖ amounts). It cannot be mistaken for an inner node: amounts come
/// in multiples of 11 bytes, so a leaf's preimage is never 64 bytes long.
/// @param group Index of the group in the batch's groups.
/// @param salt Keeps low-entropy amounts from being guessed from the root.
/// @param amounts Amount of each line in base units, 11 bytes each, big endian, in line order.
/// @param proof Merkle proof (sorted pairs, keccak256).
struct GroupLines {
    uint256 group;
    bytes32 salt;
    bytes amounts;
    bytes32[] proof;
}

/// @notice All that a settlement of one claim batch needs.
/// @param batch Terms of the batch.
/// @param groups Groups of the batch, in order.
/// @param attestation What happened, signed.
/// @param lines Opened amounts of those groups whose results are given by line, in ascending order of group. A group that is
/// not opened although it would have to be stays open; groups of one line never have to be.
struct Settlement {
    ClaimBatch batch;
    Group[] groups;
    Attestation attestation;
    GroupLines[] lines;
}

/// @notice Where the money of a claim batch is now. `open + paid + freed = total`.
/// @param funded Whether the batch was ever funded.
/// @param open Amount of its open lines, in base units.
/// @param paid Amount credited to payees so far.
/// @param stoppedAtFunding Reading of the stop clock (seconds) when the batch was funded.
struct ClaimBatchStatus {
    bool funded;
    uint96 open;
    uint96 paid;
    uint40 stoppedAtFunding;
}

/// @notice What a payer lets an operator (its PBM or TPA) fund from its pool.
/// @dev Hashed into the mandate id; the operator hands it in with every batch it funds.
/// @param payer Account whose pool the operator may use.
/// @param operator Account that may fund under this mandate.
/// @param token The one token that may be spent.
/// @param cap Most that may be funded in one period, in base units of `token`.
/// @param period Length of a period in seconds. The first starts at `start`.
/// @param start First moment of the mandate, in unix seconds.
/// @param end First moment at which the mandate no longer holds, in unix seconds.
/// @param payeeKinds Bit set of organization kinds that may be paid (see {IOrganizationRegistry}).
/// @param rulebooks Rulebooks that may govern the batches.
/// @param payees Accounts that may be paid whatever their kind, in strictly ascending order.
/// @param salt Makes mandates with otherwise equal terms distinct.
struct Mandate {
    address payer;
    address operator;
    address token;
    uint96 cap;
    uint40 period;
    uint40 start;
    uint40 end;
    uint16 payeeKinds;
    bytes32[] rulebooks;
    address[] payees;
    bytes32 salt;
}
