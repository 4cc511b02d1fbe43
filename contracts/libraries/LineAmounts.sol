// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title LineAmounts
/// @notice Reads amounts that stand packed in bytes, 11 big-endian bytes each.
library LineAmounts {
    /// @notice Bytes of one amount.
    uint256 internal constant SIZE = 11;

    /// @notice The amount whose first byte is `data[start]`.
    /// @dev The caller has checked that `start + SIZE <= data.length`. A slice converted to bytes11 costs 3 times as much, which a
    /// settlement by line pays for every line; `test/properties` holds this against that plain form.
    function at(bytes calldata data, uint256 start) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := shr(168, calldataload(add(data.offset, start)))
        }
    }
}
