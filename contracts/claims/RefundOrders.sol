// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IRefundOrders} from "../interfaces/IRefundOrders.sol";
import {ClaimBatch, RefundOrder} from "../interfaces/ClaimTypes.sol";
import {Group} from "../libraries/GroupLib.sol";
import {ClaimBatchStates} from "./ClaimBatchStates.sol";
import {PoolBalances} from "./PoolBalances.sol";

/// @title RefundOrders
/// @notice See {IRefundOrders}.
abstract contract RefundOrders is IRefundOrders, ClaimBatchStates, PoolBalances {
    /// @inheritdoc IRefundOrders
    function refundByOrder(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256[] calldata payments,
        RefundOrder calldata order,
        bytes calldata signature
    ) external whenNotPaused returns (uint256 amount) {
        if (block.timestamp > order.deadline) revert RefundOrderExpired(order.deadline);
        bytes32 domain = _domainSeparator();
        bytes32 batchId = _batchId(domain, batch);
        bytes32 digest = _refundOrderDigest(domain, batchId, order);
        if (!SignatureChecker.isValidSignatureNowCalldata(order.payee, digest, signature)) {
            revert RefundOrderInvalid(order.payee);
        }
        _checkGroups(batch, groups);
        uint256 received = _receivedBy(order.payee, batchId, groups, payments);
        mapping(address payee => uint256) storage refunded = _claimBatches().refunded[batchId];
        uint256 before = refunded[order.payee];
        uint256 credit = _balancesIn(batch.token)[order.payee].credit();
        amount = Math.min(credit, Math.saturatingSub(Math.min(order.upTo, received), before));
        if (amount == 0) return 0;

        refunded[order.payee] = before + amount;
        _takeCredit(order.payee, batch.token, amount);
        _addFree(batch.payer, batch.token, amount);
        emit IClaimEscrow.Refunded(batchId, order.payee, amount, true);
    }
}
