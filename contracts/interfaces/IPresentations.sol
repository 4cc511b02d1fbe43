// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {Attestation, ClaimBatch, OpenedLines, Presentation} from "./ClaimTypes.sol";

/// @title IPresentations
/// @notice Settles in two steps, under rulebooks with a challenge period or a retention: an attestation is presented, and settles once
/// nobody can dispute it any more.
/// @dev Reached at the escrow's address. Amounts are in base units of the batch's token, times in unix seconds. What is presented is no
/// longer open: it can be neither reversed nor reclaimed.
interface IPresentations {
    /// @notice An attestation was presented. If {LinesPresented} does not follow, the presentation holds all lines of the groups of which
    /// `results` say one final thing, at their subtotals.
    /// @param attestation EIP-712 digest of the attestation.
    /// @param firstLine See {Presentation}.
    /// @param results As attested.
    event ResultsPresented(
        bytes32 indexed batchId,
        bytes32 indexed attestation,
        uint256 indexed firstLine,
        bytes results
    );

    /// @notice What was presented just before does not follow from its results: they differ by line, or lines were closed before.
    /// @param firstLine See {Presentation}.
    /// @param lines See {Presentation}.
    /// @param outcomes See {Presentation}.
    event LinesPresented(bytes32 indexed batchId, uint256 indexed firstLine, uint256[] lines, uint256[] outcomes);

    /// @notice A presentation settled, as the {IClaimEscrow-GroupSettled} events before this one say. They tell what is credited at once,
    /// without what is retained.
    event PresentationSettled(bytes32 indexed batchId, uint256 indexed firstLine);

    /// @notice Under this rulebook attestations settle at once: {IClaimEscrow-settle} takes them.
    error PresentationNotAsked(bytes32 rulebook);

    /// @notice There is no such presentation, or not any more: it settled, or a line of it was disputed.
    error PresentationMismatch(bytes32 batchId, uint256 firstLine);

    /// @notice The presentation can be disputed until `until`.
    error ChallengePeriodOpen(uint256 until);

    /// @notice Presents an attestation: those lines that it calls final and that are open await the end of the challenge period, or, under
    /// a rulebook without one, settle in this call. Anyone may call.
    /// @dev Never reverts because somebody else was faster: it presents what is left, if only nothing. A group of several lines whose lines
    /// have to be opened stays open: see {presentByLine}.
    /// @return presented Base units of the lines that were presented.
    function present(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation
    ) external returns (uint256 presented);

    /// @notice As {present}, for groups whose lines settle one by one as well: their amounts are opened.
    /// @param opened As for {IClaimEscrow-settleByLine}.
    function presentByLine(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened
    ) external returns (uint256 presented);

    /// @notice Settles a presentation whose challenge period is over. Anyone may call, at any time from then on.
    /// @return paid Base units that payees earned, what is retained included.
    /// @return freed Base units returned to the payer's free balance.
    function settlePresented(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Presentation calldata presentation
    ) external returns (uint256 paid, uint256 freed);

    /// @notice What the chain knows of a presentation.
    /// @return commitment The lower 214 bits of keccak256(abi.encode(keccak256(results), lines, outcomes)) or, where lines and outcomes are
    /// nothing, of keccak256(abi.encode(keccak256(results), 0)); zero: there is none.
    /// @return challengeUntil Last moment at which it can be disputed, as things stand: stops move it.
    function presentationOf(
        ClaimBatch calldata batch,
        uint256 firstLine
    ) external view returns (bytes32 commitment, uint256 challengeUntil);
}
