// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {IAttesterConditions} from "../interfaces/IAttesterConditions.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {Attestation, ClaimBatch, GroupLines, OpenedLines} from "../interfaces/ClaimTypes.sol";
import {AttesterSignatures} from "../libraries/AttesterSignatures.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {ManifestTree} from "../libraries/ManifestTree.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {StopClockState} from "../libraries/StopClockLib.sol";
import {ClaimBatchStates} from "./ClaimBatchStates.sol";

/// @title Rounds
/// @notice What one attestation makes of the open lines of a claim batch, before money moves.
abstract contract Rounds is ClaimBatchStates {
    using GroupLib for Group[];
    using LineBitmap for uint256[];
    using LineAmounts for bytes;
    using ResultsLib for bytes;

    /// @dev One attestation at work on a batch.
    struct Round {
        bytes32 batchId;
        uint256 paid;
        uint256 freed;
        /// Where the workflow's report of the attestation is kept, if it can be forgotten when nothing is open any more; else zero.
        bytes32 reportKey;
        /// Whether lines of the batch were closed before this round.
        bool tracked;
        /// Closed lines of the batch, as in {LineBitmap}.
        uint256[] closed;
        /// Per group, what it was paid, as in {PaymentsHash}; zero: nothing.
        uint256[] payments;
        /// Index of the group at work, and the line of the batch at which it begins.
        uint256 index;
        uint256 firstLine;
        /// Next byte of the results to read.
        uint256 cursor;
        /// Next of the opened groups to look at, and bytes of each amount in the one that was opened last.
        uint256 nextOpened;
        uint256 width;
        /// Amount of the last line that was partly met.
        uint256 part;
    }

    /// @dev Checks that nothing is stopped, and that the attestation comes in time.
    function _checkTime(
        RulebookClock rulebook,
        uint256 grace,
        BatchState state,
        ClaimBatch calldata batch,
        Attestation calldata attestation
    ) internal view {
        StopClockState stopClock = _readStopClock();
        uint256 stopped = _stoppedSince(state, stopClock, rulebook);
        _requireNotStopped(stopClock, stopped, rulebook, batch.rulebook);

        _requireInTime(batch.eventBy + grace + stopped, attestation);
    }

    /// @dev Checks that an attestation comes in time.
    function _requireInTime(uint256 attestBy, Attestation calldata attestation) internal view {
        if (block.timestamp > attestBy) revert IClaimEscrow.AttestationTooLate(attestBy);
        if (block.timestamp > attestation.validUntil) revert IClaimEscrow.AttestationExpired(attestation.validUntil);
        if (block.timestamp < attestation.observedAt) revert IClaimEscrow.AttestationFromFuture(attestation.observedAt);
    }

    /// @dev Checks that neither the escrow is paused nor the rulebook suspended.
    function _requireNotStopped(
        StopClockState stopClock,
        uint256 stopped,
        RulebookClock rulebook,
        bytes32 id
    ) internal view {
        // A stop counts for a batch only up to the cap of its life: who may suspend a rulebook could else defeat every payment
        // that was earned under it.
        if (stopped < _MAX_STOPPED) {
            if (rulebook.suspended()) revert IRulebooks.RulebookIsSuspended(id);
            _requireNotPaused(stopClock);
        }
    }

    /// @dev Checks that the attesters of a rulebook signed.
    /// @param blob Where the rulebook's data lies, of which the caller has read `threshold` and `attesters`.
    function _checkSignatures(
        address blob,
        bytes32 digest,
        uint256 threshold,
        address[] memory attesters,
        bytes calldata signatures
    ) internal view {
        if (signatures.length == threshold * AttesterSignatures.SIZE) {
            AttesterSignatures.verify(digest, threshold, attesters, signatures);
        } else {
            // Its arguments are the first of those of this call, whichever it is.
            bytes memory question = abi.encodePacked(
                IAttesterConditions.check.selector,
                msg.data[4:],
                uint256(uint160(blob)),
                digest
            );
            if (!LowLevelCall.staticcallNoReturn(_conditions(), question)) LowLevelCall.bubbleRevert();
        }
    }

    /// @dev Closes those lines of a group that the results call final and that are open.
    function _settleGroup(
        Group group,
        bytes calldata results,
        GroupLines[] calldata opened,
        Round memory round
    ) internal pure returns (uint256 paid, uint256 freed) {
        uint256 code = results.codeAt(round.index);
        if (code == ResultsLib.MET) {
            paid = _closeGroup(group, opened, round);
        } else if (code == ResultsLib.NOT_MET) {
            freed = _closeGroup(group, opened, round);
        } else if (code == ResultsLib.BY_LINE) {
            (paid, freed) = _closeByLine(group, results, _amountsOf(group, opened, round), round);
        }
    }

    /// @dev Amount of a group's open lines, which are closed, in base units. In the first round of a batch that is the subtotal,
    /// and the bitmap is left to {_closeWholeGroups}. Later, where some lines were closed before, the amounts of the others are
    /// needed; without them the group stays as it is.
    function _closeGroup(
        Group group,
        GroupLines[] calldata opened,
        Round memory round
    ) private pure returns (uint256 amount) {
        if (!round.tracked) return group.subtotal();
        uint256 count = group.lineCount();
        (bool any, bool all) = round.closed.closedIn(round.firstLine, count);
        if (all) return 0;
        if (any) {
            bytes calldata amounts = _amountsOf(group, opened, round);
            if (round.width == 0) return 0;
            for (uint256 i = 0; i < count; ++i) {
                if (round.closed.close(round.firstLine + i)) amount += amounts.at(i, round.width);
            }
            return amount;
        }
        round.closed.closeRange(round.firstLine, count);
        return group.subtotal();
    }

    /// @dev Marks the lines of the groups that the first round of a batch settled whole. Needed only if other lines stay open.
    function _closeWholeGroups(Group[] calldata groups, bytes calldata results, uint256[] memory closed) internal pure {
        uint256 firstLine = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            uint256 count = groups.at(i).lineCount();
            uint256 code = results.codeAt(i);
            if (code == ResultsLib.MET || code == ResultsLib.NOT_MET) closed.closeRange(firstLine, count);
            firstLine += count;
        }
    }

    /// @dev Closes the lines of a group by their own results, and moves the cursor behind these.
    /// @param amounts Of the group's lines. Where they are missing from a group of several lines, it stays as it is.
    function _closeByLine(
        Group group,
        bytes calldata results,
        bytes calldata amounts,
        Round memory round
    ) private pure returns (uint256 paid, uint256 freed) {
        uint256 start = round.cursor;
        uint256 end = start + ResultsLib.codesLength(group.lineCount());
        if (results.length < end) revert IClaimEscrow.ResultsMalformed();
        round.cursor = end;
        // Amounts are those of a funded batch, and lines stay below MAX_LINES.
        unchecked {
            for (uint256 i = start; i < end; ++i) {
                uint256 codes = results.fourAt(i);
                for (uint256 line = (i - start) << 2; codes != 0; ++line) {
                    uint256 code = codes & 3;
                    codes >>= 2;
                    if (code == ResultsLib.PENDING) continue;
                    if (code == ResultsLib.PARTLY_MET) _readPart(results, round);
                    (uint256 linePaid, uint256 lineFreed) = _closeLine(group, amounts, round, line, code);
                    paid += linePaid;
                    freed += lineFreed;
                }
            }
        }
    }

    /// @dev Closes one line, if it is open and its amount is known.
    function _closeLine(
        Group group,
        bytes calldata amounts,
        Round memory round,
        uint256 line,
        uint256 code
    ) private pure returns (uint256 paid, uint256 freed) {
        if (line >= group.lineCount()) revert IClaimEscrow.ResultsMalformed();
        uint256 width = round.width;
        if (width == 0 && group.lineCount() != 1) return (0, 0);
        if (!round.closed.close(round.firstLine + line)) return (0, 0);
        uint256 amount = width == 0 ? group.subtotal() : amounts.at(line, width);
        if (code == ResultsLib.MET) return (amount, 0);
        if (code == ResultsLib.NOT_MET) return (0, amount);
        paid = round.part;
        if (paid == 0 || paid >= amount) revert IClaimEscrow.PartialAmountInvalid(round.index, line);
        freed = amount - paid;
    }

    /// @dev Notes the amount of the next line that is partly met, and moves the cursor behind it.
    function _readPart(bytes calldata results, Round memory round) private pure {
        uint256 start = round.cursor;
        round.cursor = start + LineAmounts.MAX_WIDTH;
        if (results.length < round.cursor) revert IClaimEscrow.ResultsMalformed();
        round.part = LineAmounts.at(results[start:], 0, LineAmounts.MAX_WIDTH);
    }

    /// @dev The amounts of the group at work, whose width is noted, if it is opened, else nothing.
    function _amountsOf(
        Group group,
        GroupLines[] calldata opened,
        Round memory round
    ) private pure returns (bytes calldata amounts) {
        amounts = msg.data[:0];
        round.width = 0;
        uint256 next = round.nextOpened;
        for (; next < opened.length; ++next) {
            GroupLines calldata candidate = opened[next];
            if (candidate.group < round.index) continue;
            if (candidate.group == round.index) {
                amounts = candidate.amounts;
                round.width = _checkAmounts(round.index, group, amounts);
            }
            break;
        }
        round.nextOpened = next;
    }

    /// @dev Checks that the opened amounts are those of the batch.
    function _checkLines(bytes32 manifestRoot, uint256 groupCount, OpenedLines calldata opened) internal pure {
        GroupLines[] calldata groups = opened.groups;
        if (groups.length == 0) return;
        uint256[] memory positions = new uint256[](groups.length);
        bytes32[] memory leaves = new bytes32[](groups.length);
        for (uint256 i = 0; i < groups.length; ++i) {
            GroupLines calldata group = groups[i];
            positions[i] = group.group;
            leaves[i] = _leafOf(group);
        }
        (bytes32 linesRoot, uint256 used) = ManifestTree.rootOf(positions, leaves, groupCount, opened.proof);
        _checkManifestRoot(manifestRoot, linesRoot, opened.proof, used);
    }

    /// @dev The {AttesterConditions} that are asked.
    function _conditions() internal view virtual returns (address);

    /// @dev The state with the round's payments, so that a refund can prove what its payee received.
    function _recordPayments(BatchState state, uint256 total, Round memory round) internal pure returns (BatchState) {
        if (round.paid == total) return state.payInFull();
        uint256[] memory payments = round.payments;
        uint256 hash = state.paymentsHash();
        for (uint256 i = 0; i < payments.length; ++i) {
            if (payments[i] != 0) hash = PaymentsHash.add(hash, payments[i]);
        }
        return state.recordPayments(hash);
    }
}
