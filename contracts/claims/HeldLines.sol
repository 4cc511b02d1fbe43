// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title HeldLines
/// @notice What became of lines that are neither open nor settled for good: one word each, under the lowest of their lines.
/// @dev A line is presented once, disputed once and retained once, one after the other, so that each can take the place of the one before:
/// that costs 5,000 gas, where a word of its own would cost 22,100.
abstract contract HeldLines {
    /// @custom:storage-location erc7201:carepact.storage.HeldLines
    struct HeldLinesStorage {
        mapping(bytes32 batchId => mapping(uint256 line => uint256)) held;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.HeldLines")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x20b37e10e57768112747e4ff2e1f8a919c65a7a99248f9b9bb62a86987715100;

    /// @dev What is held under a line of a batch; zero: nothing.
    function _loadHeld(bytes32 batchId, uint256 line) internal view returns (uint256) {
        return _heldLines().held[batchId][line];
    }

    /// @dev Holds something under a line of a batch; zero: nothing any more.
    function _hold(bytes32 batchId, uint256 line, uint256 word) internal {
        _heldLines().held[batchId][line] = word;
    }

    function _heldLines() private pure returns (HeldLinesStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
