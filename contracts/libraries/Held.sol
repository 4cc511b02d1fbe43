// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Held
/// @notice What is held of a batch's lines: two bits of the word of each.
library Held {
    /// @notice A presentation: results that can be disputed still.
    uint256 internal constant PRESENTATION = 1;
    /// @notice A retention: a part of payments that can be recouped still.
    uint256 internal constant RETENTION = 2;
    /// @notice A line in dispute.
    uint256 internal constant DISPUTE = 3;
}
