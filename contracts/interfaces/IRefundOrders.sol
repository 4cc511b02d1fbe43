// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {ClaimBatch, RefundOrder} from "./ClaimTypes.sol";

/// @title IRefundOrders
/// @notice Refunds that a payee agreed to have taken out of its later credits.
/// @dev Reached at the escrow's address. An order secures nothing: a payee can have its credits paid out before somebody brings it.
interface IRefundOrders {
    /// @notice The order was good until `deadline`.
    error RefundOrderExpired(uint256 deadline);

    /// @notice The signature is not the payee's over this order.
    error RefundOrderInvalid(address payee);

    /// @notice Refunds out of the payee's credit what its order still allows and the credit covers, if only nothing. Anyone may bring it,
    /// any number of times. Reported by {IClaimEscrow-Refunded}.
    /// @param groups Groups of the batch.
    /// @param payments As for {IClaimEscrow-refund}.
    /// @param signature The payee's (EOA or ERC-1271) over the order.
    /// @return amount Base units that went back to the payer's free balance.
    function refundByOrder(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256[] calldata payments,
        RefundOrder calldata order,
        bytes calldata signature
    ) external returns (uint256 amount);
}
