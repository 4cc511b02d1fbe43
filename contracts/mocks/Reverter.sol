// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Reverter
/// @notice Stands for any contract that refuses: it reverts with the bytes that it is given.
contract Reverter {
    /// @notice Reverts with exactly `data`.
    function revertWith(bytes calldata data) external pure {
        bytes memory reason = data;
        assembly {
            revert(add(reason, 32), mload(reason))
        }
    }

    /// @notice Asks for more memory than any gas pays for, and so uses up all it is given.
    function burnGas() external pure {
        assembly {
            revert(0, shl(64, 1))
        }
    }
}
