// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IPresentations} from "../interfaces/IPresentations.sol";
import {Attestation, ClaimBatch, OpenedLines, Presentation} from "../interfaces/ClaimTypes.sol";
import {Commitment, CommitmentLib} from "../libraries/CommitmentLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {Attestations} from "./Attestations.sol";
import {Retentions} from "./Retentions.sol";

/// @title Presentations
/// @notice See {IPresentations}.
abstract contract Presentations is IPresentations, Attestations, Retentions {
    using GroupLib for Group[];

    /// @custom:storage-location erc7201:carepact.storage.Presentations
    struct PresentationsStorage {
        mapping(bytes32 batchId => mapping(uint256 firstLine => Commitment)) presentations;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Presentations")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xa10b1c695f497adce5c6b2163dd29c5eb022ff702300e51acc4bfadae0245900;

    uint256 private constant _OUTCOME_SHIFT = 96;

    /// @inheritdoc IPresentations
    function present(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened
    ) external returns (uint256 presented) {
        bytes32 domain = _domainSeparator();
        Case memory case_ = _caseOf(domain, batch);
        if (case_.terms.attesters == address(0)) revert PresentationNotAsked(batch.rulebook);
        if (case_.state.open() == 0) return 0;

        Round memory round;
        bytes32 digest = _checkAttestation(domain, case_, round, batch, attestation);
        _checkGroups(batch, groups);
        _checkLines(batch.manifestRoot, groups.length, opened);
        Presentation memory presentation = _judge(case_, groups, attestation, opened, round);
        presented = round.paid + round.freed;
        if (presented == 0) return 0;

        case_.state = case_.state.close(presented);
        _storeState(case_.batchId, case_.state, round.closed);
        if (round.reportKey != 0 && case_.state.open() == 0) _clearReport(round.reportKey);
        emit ResultsPresented(
            case_.batchId,
            digest,
            presentation.firstLine,
            presentation.results,
            presentation.lines,
            presentation.outcomes
        );
        if (case_.terms.challengePeriod == 0) {
            _settlePresentation(case_, batch, groups, presentation.firstLine, presentation.outcomes);
        } else {
            _keep(case_.batchId, presentation, _startOf(case_));
        }
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

        _forget(case_.batchId, presentation.firstLine);
        return _settlePresentation(case_, batch, groups, presentation.firstLine, presentation.outcomes);
    }

    /// @inheritdoc IPresentations
    function presentationOf(
        ClaimBatch calldata batch,
        uint256 firstLine
    ) external view returns (bytes27 commitment, uint256 challengeUntil) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        Commitment stored = _presentations().presentations[case_.batchId][firstLine];
        commitment = stored.digest();
        if (commitment != 0) challengeUntil = _challengeEndOf(case_, stored);
    }

    /// @dev The commitment to a presentation that is handed in.
    function _loadPresentation(
        bytes32 batchId,
        Presentation memory presentation
    ) internal view returns (Commitment stored) {
        stored = _presentations().presentations[batchId][presentation.firstLine];
        if (!stored.isTo(_hashOf(presentation))) revert PresentationMismatch(batchId, presentation.firstLine);
    }

    /// @dev Last moment at which a presentation can be disputed.
    function _challengeEndOf(Case memory case_, Commitment stored) internal pure returns (uint256) {
        return _endOf(case_, stored.start(), case_.terms.challengePeriod);
    }

    /// @dev Commits to a presentation whose challenge period began at `start`.
    function _keep(bytes32 batchId, Presentation memory presentation, uint256 start) internal {
        Commitment stored = CommitmentLib.create(_hashOf(presentation), start);
        _presentations().presentations[batchId][presentation.firstLine] = stored;
    }

    /// @dev Forgets a presentation of which nothing is left.
    function _forget(bytes32 batchId, uint256 firstLine) internal {
        _presentations().presentations[batchId][firstLine] = Commitment.wrap(0);
    }

    /// @dev What a group's payee is paid, and what goes back to the payer.
    function _packOutcome(uint256 paid, uint256 freed) internal pure returns (uint256) {
        return (paid << _OUTCOME_SHIFT) | freed;
    }

    /// @dev Pays what was presented, but for what is retained.
    function _settlePresentation(
        Case memory case_,
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 firstLine,
        uint256[] memory outcomes
    ) private returns (uint256 paid, uint256 freed) {
        mapping(address account => Balances) storage balances = _balancesIn(batch.token);
        uint256[] memory retained = new uint256[](groups.length);
        uint256 count = 0;
        Round memory round;
        round.payments = new uint256[](groups.length);
        for (uint256 i = 0; i < outcomes.length; ++i) {
            uint256 outcome = outcomes[i];
            if (outcome == 0) continue;
            address payee = groups.at(i).payee();
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
        if (count != 0) _retain(case_, firstLine, retained, count);
        emit PresentationSettled(case_.batchId, firstLine);
    }

    /// @dev What an attestation makes of a batch's open lines: closes them in `round`.
    function _judge(
        Case memory case_,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened,
        Round memory round
    ) private view returns (Presentation memory presentation) {
        presentation.results = attestation.results;
        presentation.lines = _loadClosed(case_.batchId, case_.state);
        round.closed = _loadClosed(case_.batchId, case_.state);
        // What is presented has to be known by line, in a batch's first round, too.
        round.tracked = true;
        presentation.outcomes = _judgeGroups(groups, attestation.results, opened.groups, round);
        bool found = false;
        for (uint256 i = 0; i < round.closed.length; ++i) {
            uint256 word = round.closed[i] ^ presentation.lines[i];
            presentation.lines[i] = word;
            if (word == 0 || found) continue;
            found = true;
            presentation.firstLine = (i << 8) | Math.log2(word & (~word + 1));
        }
    }

    /// @dev The part of a {Commitment} that says to what. Lengths are part of it: words of one list could else pass for those of the other.
    function _hashOf(Presentation memory presentation) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(presentation.results), presentation.lines, presentation.outcomes));
    }

    function _presentations() private pure returns (PresentationsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
