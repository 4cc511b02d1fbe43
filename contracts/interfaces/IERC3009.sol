// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IERC3009
/// @notice The part of ERC-3009 (Transfer With Authorization) that a receiver of tokens needs.
interface IERC3009 {
    /// @notice Moves `value` from `from` to the caller, which has to be `to`, under `from`'s signature.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}
