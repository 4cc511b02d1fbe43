// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {ClaimBatch, GroupLines, Settlement} from "../interfaces/ClaimTypes.sol";
import {AttesterSignatures} from "../libraries/AttesterSignatures.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {Group} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {ClaimBatches} from "./ClaimBatches.sol";
import {Pools} from "./Pools.sol";

/// @title Settlements
/// @notice How an attestation turns open lines of a claim batch into credits and free balance.
abstract contract Settlements is ClaimBatches, Pools {
    using LineBitmap for uint256[];
    using LineAmounts for bytes;
    using ResultsLib for bytes;

    /// @dev One attestation at work on a batch.
    struct Round {
        bytes32 batchId;
        uint256 paid;
        uint256 freed;
        /// Closed lines of the batch, as in {LineBitmap}.
        uint256[] closed;
        /// Index of the group at work, and the line of the batch at which it begins.
        uint256 index;
        uint256 firstLine;
        /// Per group, payee (160 bits) and amount (96 bits) if it was paid anything.
        uint256[] payments;
        /// Next byte of the results to read.
        uint256 cursor;
        /// Next of the opened groups to look at.
        uint256 nextOpened;
    }

    /// @inheritdoc IClaimEscrow
    function settleMany(Settlement[] calldata settlements) external returns (bool[] memory settled) {
        settled = new bool[](settlements.length);
        for (uint256 i = 0; i < settlements.length; ++i) {
            try this.settle(settlements[i]) {
                settled[i] = true;
            } catch (bytes memory reason) {
                emit SettlementSkipped(i, reason);
            }
        }
    }

    /// @inheritdoc IClaimEscrow
    function settle(Settlement calldata settlement) external returns (uint256 paid, uint256 freed) {
        bytes32 domain = _domainSeparatorV4();
        Round memory round;
        round.batchId = _batchId(domain, settlement.batch);
        BatchState state = _loadState(round.batchId);
        if (state.open() == 0) return (0, 0);

        bytes32 digest = _checkAttestation(domain, round.batchId, state, settlement);
        _checkGroups(settlement.batch, settlement.groups);
        round.closed = _loadClosed(round.batchId, state);
        round.payments = new uint256[](settlement.groups.length);
        _settleGroups(settlement, round);
        (paid, freed) = (round.paid, round.freed);
        if (paid + freed == 0) return (0, 0);

        _recordPayments(settlement.batch.total, round);
        _storeState(round.batchId, state.close(paid, freed), round.closed);
        if (freed != 0) _addFree(settlement.batch.payer, settlement.batch.token, freed);
        emit ClaimBatchSettled(round.batchId, digest, paid, freed, settlement.attestation.results);
    }

    /// @dev Checks that the batch can be settled now, and that its rulebook's attesters signed.
    function _checkAttestation(
        bytes32 domain,
        bytes32 batchId,
        BatchState state,
        Settlement calldata settlement
    ) private view returns (bytes32 digest) {
        (uint256 threshold, address[] memory attesters) = _checkTime(state, settlement);
        digest = _attestationDigest(domain, batchId, settlement.attestation);
        AttesterSignatures.verify(digest, threshold, attesters, settlement.attestation.signatures);
    }

    /// @dev Checks that nothing is stopped, and that the attestation comes in time.
    function _checkTime(
        BatchState state,
        Settlement calldata settlement
    ) private view returns (uint256 threshold, address[] memory attesters) {
        RulebookClock memory rulebook = _loadRulebook(settlement.batch.rulebook);
        if (rulebook.suspendedAt != 0) revert IRulebooks.RulebookIsSuspended(settlement.batch.rulebook);
        uint256 stopped = _stoppedSince(state, rulebook);
        // A pause counts for a batch only up to the cap of its life.
        if (stopped < MAX_STOPPED) _requireNotPaused();

        uint256 attestBy;
        (attestBy, threshold, attesters) = _readRulebook(rulebook);
        attestBy += settlement.batch.eventBy + stopped;
        if (block.timestamp > attestBy) revert AttestationTooLate(attestBy);
        uint256 validUntil = settlement.attestation.validUntil;
        if (block.timestamp > validUntil) revert AttestationExpired(validUntil);
        uint256 observedAt = settlement.attestation.observedAt;
        if (block.timestamp < observedAt) revert AttestationFromFuture(observedAt);
    }

    /// @dev Settles all groups into `round`, credits payees and reports each of them.
    function _settleGroups(Settlement calldata settlement, Round memory round) private {
        bytes calldata results = settlement.attestation.results;
        Group[] calldata groups = settlement.groups;
        round.cursor = ResultsLib.codesLength(groups.length);
        if (results.length < round.cursor) revert ResultsMalformed();
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups[i];
            round.index = i;
            (uint256 paid, uint256 freed) = _settleGroup(settlement, round, group, results.codeAt(0, i));
            round.firstLine += group.lineCount();
            if (paid + freed == 0) continue;
            address payee = group.payee();
            if (paid != 0) {
                round.payments[i] = (uint256(uint160(payee)) << 96) | paid;
                round.paid += paid;
                _addCredit(payee, settlement.batch.token, paid);
            }
            round.freed += freed;
            emit GroupSettled(round.batchId, payee, paid, freed);
        }
        if (round.cursor != results.length) revert ResultsMalformed();
    }

    function _settleGroup(
        Settlement calldata settlement,
        Round memory round,
        Group group,
        uint256 code
    ) private pure returns (uint256 paid, uint256 freed) {
        if (code == ResultsLib.MET) {
            paid = _closeGroup(settlement, round, group);
        } else if (code == ResultsLib.NOT_MET) {
            freed = _closeGroup(settlement, round, group);
        } else if (code == ResultsLib.BY_LINE) {
            bytes calldata amounts = group.lineCount() == 1
                ? settlement.attestation.results[:0]
                : _findOpened(settlement, round, group);
            (paid, freed) = _closeByLine(settlement.attestation.results, amounts, round, group);
        }
    }

    /// @dev Closes all open lines of a group. Where some were closed before, the amounts of the others are needed; without them
    /// the group stays as it is.
    /// @return amount Of the lines closed, in base units.
    function _closeGroup(
        Settlement calldata settlement,
        Round memory round,
        Group group
    ) private pure returns (uint256 amount) {
        uint256 count = group.lineCount();
        (bool any, bool all) = round.closed.closedIn(round.firstLine, count);
        if (all) return 0;
        if (any) {
            bytes calldata amounts = _findOpened(settlement, round, group);
            if (amounts.length == 0) return 0;
            for (uint256 i = 0; i < count; ++i) {
                if (!round.closed.isClosed(round.firstLine + i)) amount += amounts.at(i * LineAmounts.SIZE);
            }
        } else {
            amount = group.subtotal();
        }
        round.closed.closeRange(round.firstLine, count);
    }

    /// @dev Closes the lines of a group by their own results, and moves the cursor behind these.
    /// @param amounts Of the group's lines. Where they are missing from a group of several lines, it stays as it is.
    function _closeByLine(
        bytes calldata results,
        bytes calldata amounts,
        Round memory round,
        Group group
    ) private pure returns (uint256 paid, uint256 freed) {
        uint256 count = group.lineCount();
        uint256 partials = round.cursor + ResultsLib.codesLength(count);
        if (results.length < partials) revert ResultsMalformed();
        for (uint256 i = 0; i < count; ++i) {
            uint256 code = results.codeAt(round.cursor, i);
            if (code == ResultsLib.PENDING) continue;
            if (code == ResultsLib.PARTLY_MET) {
                partials += LineAmounts.SIZE;
                if (results.length < partials) revert ResultsMalformed();
            }
            if (count != 1 && amounts.length == 0) continue;
            if (round.closed.isClosed(round.firstLine + i)) continue;
            round.closed.close(round.firstLine + i);

            uint256 amount = count == 1 ? group.subtotal() : amounts.at(i * LineAmounts.SIZE);
            if (code == ResultsLib.MET) {
                paid += amount;
            } else if (code == ResultsLib.NOT_MET) {
                freed += amount;
            } else {
                uint256 part = results.at(partials - LineAmounts.SIZE);
                if (part == 0 || part >= amount) revert PartialAmountInvalid(round.index, i);
                paid += part;
                freed += amount - part;
            }
        }
        round.cursor = partials;
    }

    /// @dev The amounts of the group at work, if the settlement opens it, else nothing.
    function _findOpened(
        Settlement calldata settlement,
        Round memory round,
        Group group
    ) private pure returns (bytes calldata amounts) {
        GroupLines[] calldata lines = settlement.lines;
        uint256 next = round.nextOpened;
        while (next < lines.length && lines[next].group < round.index) ++next;
        round.nextOpened = next;
        if (next == lines.length || lines[next].group != round.index) return settlement.attestation.results[:0];
        _checkOpened(settlement.batch.linesRoot, group, lines[next]);
        return lines[next].amounts;
    }

    /// @dev Adds the round's payments to the hash over all payments of the batch, so that a refund can prove what its payee
    /// received. A batch of one group, or one that a single round pays in full, needs none.
    function _recordPayments(uint256 total, Round memory round) private {
        uint256[] memory payments = round.payments;
        if (round.paid == 0 || payments.length == 1 || round.paid == total) return;
        bytes32 paymentsHash = _claimBatches().paymentsHash[round.batchId];
        for (uint256 i = 0; i < payments.length; ++i) {
            if (payments[i] == 0) continue;
            paymentsHash = Hashes.efficientKeccak256(paymentsHash, bytes32(payments[i]));
        }
        _claimBatches().paymentsHash[round.batchId] = paymentsHash;
    }
}
