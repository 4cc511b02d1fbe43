// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {Attestation, ClaimBatch, DisputeStatus, LineOpening, Presentation} from "./ClaimTypes.sol";

/// @title IDisputes
/// @notice Lines about which payer and payee disagree: frozen, until the rulebook's arbiter or, when that is silent, its default decides.
/// @dev Reached at the escrow's address. Amounts are in base units of the batch's token, times in unix seconds. A line can be disputed
/// once: it is in dispute or it is decided.
interface IDisputes {
    /// @notice A line was frozen. Who disputes it locked `bond`.
    /// @param line Index of the line in the batch.
    /// @param by The batch's payer, or the line's payee.
    /// @param firstLine Presentation that the line was in; the greatest number: no result was attested.
    /// @param amount Of the line.
    /// @param attestedAmount What its payee is paid by the attested result.
    event LineDisputed(
        bytes32 indexed batchId,
        address indexed by,
        uint256 indexed line,
        uint256 firstLine,
        uint256 amount,
        uint256 attestedAmount,
        uint256 bond
    );

    /// @notice A result was attested of a line in dispute that had none. It is what holds if the arbiter stays silent.
    /// @param attestation EIP-712 digest of the attestation.
    event DisputeAttested(
        bytes32 indexed batchId,
        uint256 indexed line,
        bytes32 indexed attestation,
        uint256 attestedAmount
    );

    /// @notice A dispute ended: `award` is `payee`'s credit, `returned` went back to the payer's free balance.
    /// @param byArbiter Whether the arbiter ruled, else the default held.
    /// @param bond Went to `bondTo`: to the payee's credit, or to the payer's free balance.
    event DisputeResolved(
        bytes32 indexed batchId,
        address indexed payee,
        uint256 indexed line,
        uint256 award,
        uint256 returned,
        bool byArbiter,
        address bondTo,
        uint256 bond
    );

    /// @notice Only the batch's payer and the line's payee may dispute it.
    error NotParty(address caller);

    /// @notice The rulebook names no arbiter, so that nothing can be disputed under it.
    error ArbiterMissing(bytes32 rulebook);

    /// @notice The presentation could be disputed until `until`.
    error ChallengePeriodOver(uint256 until);

    /// @notice The presentation does not hold this line: it was closed before, disputed, or its result is still to come.
    error LineNotPresented(uint256 line);

    /// @notice A missing result can be disputed after `eventBy` and until `attestBy`.
    error DisputeOutsideTime(uint256 eventBy, uint256 attestBy);

    /// @notice Free balance and credit of `account` do not cover the bond.
    error BondNotCovered(address account, address token, uint256 available, uint256 bond);

    /// @notice The line is not in dispute.
    error LineNotDisputed(bytes32 batchId, uint256 line);

    /// @notice The attestation says nothing final about the line.
    error ResultPending(uint256 line);

    /// @notice A result of this line is attested already.
    error DisputeAlreadyAttested(uint256 line);

    /// @notice Only the arbiter that the batch's rulebook names may do this.
    error NotArbiter(address arbiter, address caller);

    /// @notice The arbiter could rule until `resolveBy`; now only the default can hold.
    error ArbiterTooLate(uint256 resolveBy);

    /// @notice The arbiter can rule until `resolveBy`; only later the default can hold.
    error ArbiterHasTime(uint256 resolveBy);

    /// @notice The line is worth `amount`.
    error AwardTooLarge(uint256 amount, uint256 award);

    /// @notice Freezes a line of a presentation within its challenge period. The batch's payer, or the payee of the line.
    /// @dev Locks the rulebook's bond out of the caller's free balance, and what that lacks out of its credit.
    function dispute(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        LineOpening calldata line,
        Presentation calldata presentation
    ) external;

    /// @notice Freezes an open line of the caller's group whose result nobody attested, between `eventBy` and `attestBy`. Only its payee:
    /// the payer's side of it is {IClaimEscrow-reclaim}.
    /// @dev Locks the rulebook's bond as {dispute} does.
    function disputeMissing(ClaimBatch calldata batch, Group[] calldata groups, LineOpening calldata line) external;

    /// @notice Brings an attestation for a line that was disputed because there was none. Anyone may call, until `attestBy`.
    /// @param group Index of the line's group in the batch.
    /// @param line Index of the line in the group.
    function presentDisputed(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        uint256 group,
        uint256 line
    ) external;

    /// @notice Rules on a dispute. Only the arbiter of the batch's rulebook, within its time.
    /// @dev Whoever disputed the line gets the bond back if the award is better for it than the result that it disputed, or than nothing
    /// where none was attested at that time; else it goes to the other side.
    /// @param group Index of the line's group in the batch.
    /// @param line Index of the line in the group.
    /// @param award What the payee gets, at most the line's amount. The rest goes back to the payer.
    function resolve(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        uint256 award
    ) external;

    /// @notice Ends a dispute on which the arbiter did not rule in time: by the attested result or, where none is attested, for the side
    /// that the rulebook names. Anyone may call.
    /// @param group Index of the line's group in the batch.
    /// @param line Index of the line in the group.
    /// @return award What the payee got.
    function resolveByDefault(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line
    ) external returns (uint256 award);

    /// @notice What the chain knows of a dispute.
    /// @param line Index of the line in the batch.
    function disputeOf(ClaimBatch calldata batch, uint256 line) external view returns (DisputeStatus memory);
}
