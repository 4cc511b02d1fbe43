// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {Attestation, ClaimBatch, DisputeStatus, LineOpening, Presentation} from "../interfaces/ClaimTypes.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {Commitment} from "../libraries/CommitmentLib.sol";
import {Dispute, DisputeLib} from "../libraries/DisputeLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {ManifestTree} from "../libraries/ManifestTree.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {Presentations} from "./Presentations.sol";

/// @title Disputes
/// @notice See {IDisputes}.
abstract contract Disputes is IDisputes, Presentations {
    using GroupLib for Group[];
    using LineAmounts for bytes;
    using LineBitmap for uint256[];

    /// @dev Stands for the presentation of a line that nobody attested.
    uint256 private constant _NOT_PRESENTED = type(uint256).max;

    /// @inheritdoc IDisputes
    function dispute(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        LineOpening calldata line,
        Presentation calldata presentation
    ) external {
        Case memory case_ = _runningCaseOf(batch);
        _checkGroups(batch, groups);
        bool byPayer = msg.sender == batch.payer;
        if (!byPayer && msg.sender != groups[line.group].payee()) revert NotParty(msg.sender);
        Commitment stored = _loadPresentation(case_.batchId, presentation);
        uint256 until = _challengeEndOf(case_, stored);
        if (block.timestamp > until) revert ChallengePeriodOver(until);

        uint256 index = _lineOf(groups, line.group, line.line);
        uint256 amount = _amountOf(batch, groups, line);
        (, uint256 paid) = _attestedAmount(presentation.results, groups, line.group, line.line, amount);
        Presentation memory left = presentation;
        if (left.outcomes.length == 0) _writeOut(left, groups, case_.state.lines());
        bool empty = _takeOut(left, index, line.group, _packOutcome(paid, amount - paid));
        // The dispute takes the place of a presentation that was named by this line.
        if (!empty) _keep(case_.batchId, left, stored.start());
        Dispute opened = DisputeLib.create(amount, _startOf(case_), byPayer).contest(paid);
        _freeze(case_, batch.token, index, presentation.firstLine, opened);
    }

    /// @inheritdoc IDisputes
    function disputeMissing(ClaimBatch calldata batch, Group[] calldata groups, LineOpening calldata line) external {
        Case memory case_ = _runningCaseOf(batch);
        if (case_.terms.arbiter == address(0)) revert ArbiterMissing(batch.rulebook);
        _checkGroups(batch, groups);
        address payee = groups[line.group].payee();
        if (msg.sender != payee) revert IClaimEscrow.NotPayee(payee, msg.sender);
        uint256 attestBy = batch.eventBy + case_.terms.grace + case_.stopped;
        if (block.timestamp <= batch.eventBy || block.timestamp > attestBy) {
            revert DisputeOutsideTime(batch.eventBy, attestBy);
        }

        uint256 index = _lineOf(groups, line.group, line.line);
        uint256[] memory closed = _loadClosed(case_.batchId, case_.state);
        // A batch without open lines keeps no bitmap that could say which of them are closed.
        if (case_.state.open() == 0 || !closed.close(index)) revert IClaimEscrow.LineNotOpen(index);
        uint256 amount = _amountOf(batch, groups, line);
        _storeState(case_.batchId, case_.state.close(amount), closed);
        _freeze(case_, batch.token, index, _NOT_PRESENTED, DisputeLib.create(amount, _startOf(case_), false));
    }

    /// @inheritdoc IDisputes
    function presentDisputed(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        uint256 group,
        uint256 line
    ) external {
        bytes32 domain = _domainSeparator();
        Case memory case_ = _caseOf(domain, batch);
        (bytes32 digest, ) = _checkAttestation(domain, case_, batch, attestation);
        _checkGroups(batch, groups);
        uint256 index = _lineOf(groups, group, line);
        Dispute opened = _loadDispute(case_.batchId, index);
        if (opened.attested()) revert DisputeAlreadyAttested(index);
        (bool final_, uint256 paid) = _attestedAmount(attestation.results, groups, group, line, opened.amount());
        if (!final_) revert ResultPending(index);

        _hold(case_.batchId, index, Dispute.unwrap(opened.attest(paid)));
        emit DisputeAttested(case_.batchId, index, digest, paid);
    }

    /// @inheritdoc IDisputes
    function resolve(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        uint256 award
    ) external {
        Case memory case_ = _runningCaseOf(batch);
        _requireArbiter(case_);
        _checkGroups(batch, groups);
        uint256 index = _lineOf(groups, group, line);
        Dispute ended = _loadDispute(case_.batchId, index);
        uint256 resolveBy = _resolveBy(case_, ended);
        if (block.timestamp > resolveBy) revert ArbiterTooLate(resolveBy);
        if (award > ended.amount()) revert AwardTooLarge(ended.amount(), award);
        _resolve(case_, batch, Ruling(groups[group].payee(), index, award, true), ended);
    }

    /// @inheritdoc IDisputes
    function resolveByDefault(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line
    ) external returns (uint256 award) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        _requireNotStopped(case_.stopClock, case_.stopped, case_.rulebook, batch.rulebook);
        _checkGroups(batch, groups);
        uint256 index = _lineOf(groups, group, line);
        Dispute ended = _loadDispute(case_.batchId, index);
        uint256 resolveBy = _resolveBy(case_, ended);
        if (block.timestamp <= resolveBy) revert ArbiterHasTime(resolveBy);
        if (ended.attested()) award = ended.attestedAmount();
        else if (case_.terms.arbiterDefault != 0) award = ended.amount();
        _resolve(case_, batch, Ruling(groups[group].payee(), index, award, false), ended);
    }

    /// @inheritdoc IDisputes
    function disputeOf(ClaimBatch calldata batch, uint256 line) external view returns (DisputeStatus memory status) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        Dispute stored = Dispute.wrap(_loadHeld(case_.batchId, line));
        if (!stored.exists()) return status;
        status.amount = uint96(stored.amount());
        status.byPayer = stored.byPayer();
        status.attested = stored.attested();
        status.attestedAmount = uint96(stored.attestedAmount());
        status.resolveBy = uint40(_resolveBy(case_, stored));
    }

    /// @dev How a dispute ends.
    struct Ruling {
        address payee;
        uint256 line;
        uint256 award;
        bool byArbiter;
    }

    /// @dev Takes a line with its outcome out of a presentation.
    /// @return empty Whether that was the last one.
    function _takeOut(
        Presentation memory presentation,
        uint256 line,
        uint256 group,
        uint256 outcome
    ) private pure returns (bool empty) {
        uint256[] memory lines = presentation.lines;
        uint256 bit = 1 << (line & 0xff);
        if (lines[line >> 8] & bit == 0) revert LineNotPresented(line);
        lines[line >> 8] ^= bit;
        presentation.outcomes[group] -= outcome;
        uint256 left = 0;
        for (uint256 i = 0; i < lines.length; ++i) left |= lines[i];
        if (left == 0) return true;
        presentation.firstLine = _lowestOf(lines);
    }

    /// @dev Notes a dispute, and locks the caller's bond.
    function _freeze(Case memory case_, address token, uint256 line, uint256 firstLine, Dispute opened) private {
        uint256 bond = case_.terms.bond;
        if (bond != 0) _lockBond(token, bond);
        _hold(case_.batchId, line, Dispute.unwrap(opened));
        emit LineDisputed(case_.batchId, msg.sender, line, firstLine, opened.amount(), opened.attestedAmount(), bond);
    }

    /// @dev Takes a bond out of the caller's free balance, and what that lacks out of its credit: a payee has earned before it has
    /// deposited anything.
    function _lockBond(address token, uint256 bond) private {
        mapping(address account => Balances) storage balances = _balancesIn(token);
        Balances before = balances[msg.sender];
        uint256 free = Math.min(before.free(), bond);
        if (before.credit() < bond - free) {
            revert BondNotCovered(msg.sender, token, before.free() + before.credit(), bond);
        }
        balances[msg.sender] = before.takeFree(free).takeCredit(bond - free);
    }

    /// @dev Pays what a dispute came to, and the bond to who won it.
    function _resolve(Case memory case_, ClaimBatch calldata batch, Ruling memory ruling, Dispute ended) private {
        _hold(case_.batchId, ruling.line, 0);
        uint256 credited = ruling.award;
        uint256 freed = ended.amount() - credited;
        emit DisputeResolved(
            case_.batchId,
            ruling.payee,
            ruling.line,
            credited,
            freed,
            ruling.byArbiter,
            _payerWins(ended, credited) ? batch.payer : ruling.payee,
            case_.terms.bond
        );
        if (credited != 0) {
            uint256 hash = PaymentsHash.add(case_.state.paymentsHash(), PaymentsHash.pack(ruling.payee, credited));
            _claimBatches().states[case_.batchId] = case_.state.recordPayments(hash);
        }
        if (_payerWins(ended, credited)) freed += case_.terms.bond;
        else credited += case_.terms.bond;
        if (credited != 0) _addCredit(ruling.payee, batch.token, credited);
        if (freed != 0) _addFree(batch.payer, batch.token, freed);
    }

    /// @dev Whether the payer gets the bond: what who disputed did not gain by it, it loses.
    function _payerWins(Dispute ended, uint256 award) private pure returns (bool) {
        uint256 undisputed = ended.contestedAmount();
        return ended.byPayer() ? award < undisputed : award <= undisputed;
    }

    /// @dev Amount of a line, opened against the batch's `manifestRoot` where its group has others.
    function _amountOf(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        LineOpening calldata line
    ) private pure returns (uint256) {
        Group own = groups[line.group];
        if (own.lineCount() == 1) return own.subtotal();
        if (line.opened.group != line.group) revert IClaimEscrow.LinesMismatch(line.group);
        (bytes32 linesRoot, uint256 used) = ManifestTree.rootOfOne(
            line.group,
            _leafOf(line.opened),
            groups.length,
            line.proof
        );
        _checkManifestRoot(batch.manifestRoot, linesRoot, line.proof, used);
        bytes calldata amounts = line.opened.amounts;
        return amounts.at(line.line, _checkAmounts(line.group, own, amounts));
    }

    /// @dev Last moment for the arbiter.
    function _resolveBy(Case memory case_, Dispute opened) private pure returns (uint256) {
        return _endOf(case_, opened.start(), case_.terms.arbiterDeadline);
    }

    function _loadDispute(bytes32 batchId, uint256 line) private view returns (Dispute opened) {
        opened = Dispute.wrap(_loadHeld(batchId, line));
        if (!opened.exists()) revert LineNotDisputed(batchId, line);
    }
}
