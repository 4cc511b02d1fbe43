// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IPresentations} from "../interfaces/IPresentations.sol";
import {Attestation, ClaimBatch, GroupLines, OpenedLines, Presentation} from "../interfaces/ClaimTypes.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {Commitment, CommitmentLib} from "../libraries/CommitmentLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {Held} from "../libraries/Held.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {Attestations} from "./Attestations.sol";
import {Retentions} from "./Retentions.sol";

/// @title Presentations
/// @notice See {IPresentations}.
abstract contract Presentations is IPresentations, Attestations, Retentions {
    using GroupLib for Group[];
    using LineBitmap for uint256[];
    using ResultsLib for bytes;

    uint256 private constant _OUTCOME_SHIFT = 96;

    /// @inheritdoc IPresentations
    function present(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation
    ) external returns (uint256 presented) {
        GroupLines[] calldata none;
        // Solidity has no empty array in calldata to hand on.
        assembly ("memory-safe") {
            none.offset := 0
            none.length := 0
        }
        return _present(batch, groups, attestation, none);
    }

    /// @inheritdoc IPresentations
    function presentByLine(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened
    ) external returns (uint256 presented) {
        _checkLines(batch.manifestRoot, groups.length, opened);
        return _present(batch, groups, attestation, opened.groups);
    }

    /// @inheritdoc IPresentations
    function settlePresented(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Presentation calldata presentation
    ) external returns (uint256 paid, uint256 freed) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        _requireNotStopped(case_.stopClock, case_.stopped, case_.rulebook, batch.rulebook);
        _checkGroups(batch, groups);
        uint256 until = _challengeEndOf(case_, _loadPresentation(case_.batchId, presentation));
        if (block.timestamp <= until) revert ChallengePeriodOpen(until);

        _hold(case_.batchId, presentation.firstLine, 0);
        return _settlePresentation(case_, batch, groups, presentation);
    }

    /// @inheritdoc IPresentations
    function presentationOf(
        ClaimBatch calldata batch,
        uint256 firstLine
    ) external view returns (bytes32 commitment, uint256 challengeUntil) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        Commitment stored = Commitment.wrap(_loadHeld(case_.batchId, firstLine));
        if (stored.kindOf() != Held.PRESENTATION) return (0, 0);
        return (stored.digest(), _challengeEndOf(case_, stored));
    }

    /// @dev The commitment to a presentation that is handed in.
    function _loadPresentation(
        bytes32 batchId,
        Presentation memory presentation
    ) internal view returns (Commitment stored) {
        stored = Commitment.wrap(_loadHeld(batchId, presentation.firstLine));
        if (!stored.isTo(Held.PRESENTATION, _hashOf(presentation))) {
            revert PresentationMismatch(batchId, presentation.firstLine);
        }
    }

    /// @dev Last moment at which a presentation can be disputed.
    function _challengeEndOf(Case memory case_, Commitment stored) internal pure returns (uint256) {
        return _endOf(case_, stored.start(), case_.terms.challengePeriod);
    }

    /// @dev Commits to a presentation whose challenge period began at `start`.
    function _keep(bytes32 batchId, Presentation memory presentation, uint256 start) internal {
        Commitment kept = CommitmentLib.create(Held.PRESENTATION, _hashOf(presentation), start);
        _hold(batchId, presentation.firstLine, Commitment.unwrap(kept));
    }

    /// @dev Writes out the lines and outcomes of a presentation that says them by its results alone.
    function _writeOut(Presentation memory presentation, Group[] calldata groups, uint256 lineCount) internal pure {
        uint256[] memory lines = new uint256[](LineBitmap.wordCount(lineCount));
        uint256[] memory outcomes = new uint256[](groups.length);
        uint256 firstLine = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            outcomes[i] = _outcomeOf(presentation, group, i);
            if (outcomes[i] != 0) lines.closeRange(firstLine, group.lineCount());
            firstLine += group.lineCount();
        }
        presentation.lines = lines;
        presentation.outcomes = outcomes;
    }

    /// @dev What a group's payee is paid, and what goes back to the payer.
    function _packOutcome(uint256 paid, uint256 freed) internal pure returns (uint256) {
        return (paid << _OUTCOME_SHIFT) | freed;
    }

    /// @dev Lowest line of a presentation.
    function _lowestOf(uint256[] memory lines) internal pure returns (uint256) {
        uint256 i = 0;
        while (lines[i] == 0) ++i;
        return (i << 8) | Math.log2(lines[i] & (~lines[i] + 1));
    }

    /// @dev Pays what was presented, but for what is retained.
    function _settlePresentation(
        Case memory case_,
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Presentation memory presentation
    ) private returns (uint256 paid, uint256 freed) {
        mapping(address account => Balances) storage balances = _balancesIn(batch.token);
        uint256[] memory retained = new uint256[](groups.length);
        uint256 count = 0;
        Round memory round;
        round.payments = new uint256[](groups.length);
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            uint256 outcome = _outcomeOf(presentation, group, i);
            if (outcome == 0) continue;
            address payee = group.payee();
            uint256 credited = outcome >> _OUTCOME_SHIFT;
            uint256 groupFreed = uint96(outcome);
            paid += credited;
            freed += groupFreed;
            uint256 share = _retainedOf(case_.terms, credited);
            if (share != 0) {
                retained[count++] = PaymentsHash.pack(payee, share);
                credited -= share;
            }
            if (credited != 0) {
                round.payments[i] = PaymentsHash.pack(payee, credited);
                round.paid += credited;
                balances[payee] = balances[payee].addCredit(credited);
            }
            emit IClaimEscrow.GroupSettled(case_.batchId, payee, credited, groupFreed);
        }
        if (round.paid != 0) _claimBatches().states[case_.batchId] = _recordPayments(case_.state, batch.total, round);
        if (freed != 0) _addFree(batch.payer, batch.token, freed);
        if (count != 0) _retain(case_, presentation.firstLine, retained, count);
        emit PresentationSettled(case_.batchId, presentation.firstLine);
    }

    function _present(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        GroupLines[] calldata opened
    ) private returns (uint256 presented) {
        bytes32 domain = _domainSeparator();
        Case memory case_ = _caseOf(domain, batch);
        if (case_.terms.attesters == address(0)) revert PresentationNotAsked(batch.rulebook);
        if (case_.state.open() == 0) return 0;

        (bytes32 digest, bytes32 reportKey) = _checkAttestation(domain, case_, batch, attestation);
        _checkGroups(batch, groups);
        bytes calldata results = attestation.results;
        Presentation memory presentation;
        uint256[] memory closed;
        if (case_.state.tracked() || !_isWhole(groups, results)) {
            (presented, closed) = _judgeByLine(case_, groups, results, opened, presentation);
        } else {
            presented = _judgeWhole(groups, results, presentation);
            if (presented != case_.state.open()) closed = _closedWhole(case_, groups, results);
        }
        if (presented == 0) return 0;

        case_.state = case_.state.close(presented);
        // Settling stores the state once more.
        if (case_.state.open() != 0) case_.state = case_.state.track();
        // For a line in dispute it may be brought still.
        if (reportKey != 0 && presented == batch.total) _clearReport(reportKey);
        _storeState(case_.batchId, case_.state, closed);
        uint256 firstLine = presentation.firstLine;
        emit ResultsPresented(case_.batchId, digest, firstLine, results);
        if (presentation.outcomes.length != 0) {
            emit LinesPresented(case_.batchId, firstLine, presentation.lines, presentation.outcomes);
        }
        presentation.results = results;
        if (case_.terms.challengePeriod != 0) _keep(case_.batchId, presentation, _startOf(case_));
        else _settlePresentation(case_, batch, groups, presentation);
    }

    /// @dev What is presented by results that say one thing of each group, in the first round of a batch: they say it all.
    function _judgeWhole(
        Group[] calldata groups,
        bytes calldata results,
        Presentation memory presentation
    ) private pure returns (uint256 presented) {
        // The groups are those that were funded: at most 500 subtotals of 86 bits.
        unchecked {
            uint256 line = 0;
            for (uint256 i = 0; i < groups.length; ++i) {
                Group group = groups.at(i);
                if (results.codeAt(i) != ResultsLib.PENDING) {
                    if (presented == 0) presentation.firstLine = line;
                    presented += group.subtotal();
                }
                line += group.lineCount();
            }
        }
    }

    function _closedWhole(
        Case memory case_,
        Group[] calldata groups,
        bytes calldata results
    ) private pure returns (uint256[] memory closed) {
        closed = new uint256[](LineBitmap.wordCount(case_.state.lines()));
        _closeWholeGroups(groups, results, closed);
    }

    /// @dev What is presented by other results.
    function _judgeByLine(
        Case memory case_,
        Group[] calldata groups,
        bytes calldata results,
        GroupLines[] calldata opened,
        Presentation memory presentation
    ) private view returns (uint256 presented, uint256[] memory closed) {
        Round memory round;
        // What is presented has to be known by line, in a batch's first round, too.
        round.tracked = true;
        round.closed = _loadClosed(case_.batchId, case_.state);
        closed = round.closed;
        uint256[] memory lines = _loadClosed(case_.batchId, case_.state);
        presentation.outcomes = _judgeGroups(groups, results, opened, round);
        presented = round.paid + round.freed;
        if (presented == 0) return (0, closed);
        for (uint256 i = 0; i < closed.length; ++i) lines[i] ^= closed[i];
        presentation.lines = lines;
        presentation.firstLine = _lowestOf(lines);
    }

    /// @dev Whether results say one thing of each group.
    function _isWhole(Group[] calldata groups, bytes calldata results) private pure returns (bool) {
        if (!results.beginWith(groups.length)) revert IClaimEscrow.ResultsMalformed();
        uint256 size = ResultsLib.codesLength(groups.length);
        for (uint256 i = 0; i < size; ++i) {
            // Of a group by line both bits of its code are set.
            uint256 codes = results.fourAt(i);
            if (codes & (codes >> 1) & 0x55 != 0) return false;
        }
        if (results.length != size) revert IClaimEscrow.ResultsMalformed();
        return true;
    }

    /// @dev What a group's payee is paid by a presentation, and what goes back to the payer.
    function _outcomeOf(Presentation memory presentation, Group group, uint256 index) private pure returns (uint256) {
        if (presentation.outcomes.length != 0) return presentation.outcomes[index];
        uint256 code = (uint8(presentation.results[index >> 2]) >> ((index & 3) << 1)) & 3;
        if (code == ResultsLib.PENDING) return 0;
        return code == ResultsLib.MET ? _packOutcome(group.subtotal(), 0) : _packOutcome(0, group.subtotal());
    }

    /// @dev The part of a {Commitment} that says to what. Lengths are part of it: words of one list could else pass for those of the other.
    /// Preimages of both forms differ in length.
    function _hashOf(Presentation memory presentation) private pure returns (bytes32) {
        bytes32 resultsHash = keccak256(presentation.results);
        if (presentation.outcomes.length == 0) return Hashes.efficientKeccak256(resultsHash, 0);
        return keccak256(abi.encode(resultsHash, presentation.lines, presentation.outcomes));
    }
}
