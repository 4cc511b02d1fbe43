// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {IPools} from "../interfaces/IPools.sol";
import {IRetentions} from "../interfaces/IRetentions.sol";
import {ClaimBatch, Retention} from "../interfaces/ClaimTypes.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {Commitment, CommitmentLib} from "../libraries/CommitmentLib.sol";
import {Held} from "../libraries/Held.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {RulebookTerms} from "../rulebooks/RulebookBlobLib.sol";
import {Cases} from "./Cases.sol";
import {HeldLines} from "./HeldLines.sol";
import {PoolBalances} from "./PoolBalances.sol";

/// @title Retentions
/// @notice See {IRetentions}.
abstract contract Retentions is IRetentions, Cases, HeldLines, PoolBalances {
    uint256 private constant _ALL_BPS = 10_000;

    /// @inheritdoc IRetentions
    function recoup(ClaimBatch calldata batch, Retention calldata retention, uint256 index, uint256 amount) external {
        Case memory case_ = _runningCaseOf(batch);
        _requireArbiter(case_);
        Commitment stored = _loadRetention(case_.batchId, retention);
        uint256 until = _endOf(case_, stored.start(), case_.terms.lookBack);
        if (block.timestamp > until) revert LookBackOver(until);
        uint256[] memory amounts = retention.amounts;
        uint256 retained = PaymentsHash.amountOf(amounts[index]);
        if (amount == 0) revert IPools.AmountZero();
        if (amount > retained) revert RecoupTooLarge(retained, amount);

        amounts[index] -= amount;
        _commit(case_.batchId, retention.firstLine, amounts, stored.start());
        _addFree(batch.payer, batch.token, amount);
        emit Recouped(case_.batchId, PaymentsHash.payeeOf(amounts[index]), retention.firstLine, amount);
    }

    /// @inheritdoc IRetentions
    function release(ClaimBatch calldata batch, Retention calldata retention) external returns (uint256 amount) {
        Case memory case_ = _runningCaseOf(batch);
        Commitment stored = _loadRetention(case_.batchId, retention);
        uint256 until = _endOf(case_, stored.start(), case_.terms.lookBack);
        if (block.timestamp <= until) revert LookBackOpen(until);

        _hold(case_.batchId, retention.firstLine, 0);
        mapping(address account => Balances) storage balances = _balancesIn(batch.token);
        uint256 hash = case_.state.paymentsHash();
        for (uint256 i = 0; i < retention.amounts.length; ++i) {
            uint256 payment = retention.amounts[i];
            uint256 left = PaymentsHash.amountOf(payment);
            if (left == 0) continue;
            address payee = PaymentsHash.payeeOf(payment);
            amount += left;
            hash = PaymentsHash.add(hash, payment);
            balances[payee] = balances[payee].addCredit(left);
            emit RetentionReleased(case_.batchId, payee, retention.firstLine, left);
        }
        _claimBatches().states[case_.batchId] = case_.state.recordPayments(hash);
    }

    /// @inheritdoc IRetentions
    function retentionOf(
        ClaimBatch calldata batch,
        uint256 firstLine
    ) external view returns (bytes32 commitment, uint256 recoupUntil) {
        Case memory case_ = _caseOf(_domainSeparator(), batch);
        Commitment stored = Commitment.wrap(_loadHeld(case_.batchId, firstLine));
        if (stored.kindOf() != Held.RETENTION) return (0, 0);
        return (stored.digest(), _endOf(case_, stored.start(), case_.terms.lookBack));
    }

    /// @dev Only the arbiter of the batch's rulebook.
    function _requireArbiter(Case memory case_) internal view {
        if (msg.sender != case_.terms.arbiter) revert IDisputes.NotArbiter(case_.terms.arbiter, msg.sender);
    }

    /// @dev What is retained of a payment, rounded down: for the payee.
    function _retainedOf(RulebookTerms memory terms, uint256 paid) internal pure returns (uint256) {
        return (paid * terms.retentionBps) / _ALL_BPS;
    }

    /// @dev Retains the first `count` of `amounts` from now on.
    function _retain(Case memory case_, uint256 firstLine, uint256[] memory amounts, uint256 count) internal {
        assembly ("memory-safe") {
            mstore(amounts, count)
        }
        _commit(case_.batchId, firstLine, amounts, _startOf(case_));
        emit PaymentsRetained(case_.batchId, firstLine, amounts);
    }

    function _commit(bytes32 batchId, uint256 firstLine, uint256[] memory amounts, uint256 start) private {
        Commitment kept = CommitmentLib.create(Held.RETENTION, _hashOf(amounts), start);
        _hold(batchId, firstLine, Commitment.unwrap(kept));
    }

    function _loadRetention(bytes32 batchId, Retention calldata retention) private view returns (Commitment stored) {
        stored = Commitment.wrap(_loadHeld(batchId, retention.firstLine));
        if (!stored.isTo(Held.RETENTION, _hashOf(retention.amounts))) {
            revert RetentionMismatch(batchId, retention.firstLine);
        }
    }

    function _hashOf(uint256[] memory amounts) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(amounts));
    }
}
