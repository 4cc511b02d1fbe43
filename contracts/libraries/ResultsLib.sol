// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ResultsLib
/// @notice Reads attested results.
/// @dev Results are two-bit codes, four a byte, the first in the lowest bits. First one code per group, padded to a byte. Then,
/// for each group whose code is {BY_LINE}, in order: one code per line, padded to a byte, followed by 11 bytes (big endian, base
/// units) for each line that is {PARTLY_MET}. Nothing follows.
library ResultsLib {
    /// @notice Nothing final is known yet.
    uint256 internal constant PENDING = 0;
    /// @notice The care happened: pay the full amount.
    uint256 internal constant MET = 1;
    /// @notice The care will not happen: return the full amount.
    uint256 internal constant NOT_MET = 2;
    /// @notice Of a group: results differ by line.
    uint256 internal constant BY_LINE = 3;
    /// @notice Of a line: pay a part, return the rest.
    uint256 internal constant PARTLY_MET = 3;

    /// @notice Bytes that `count` codes take.
    function codesLength(uint256 count) internal pure returns (uint256) {
        return (count + 3) >> 2;
    }

    /// @notice Whether `results` begin with `count` codes, at least one, and leave the unused bits of their last byte zero. Who reads
    /// the results later could else not tell whether they were meant for more groups.
    function beginWith(bytes calldata results, uint256 count) internal pure returns (bool) {
        // The caller has checked that there is at least one code.
        unchecked {
            uint256 last = count - 1;
            return last >> 2 < results.length && fourAt(results, last >> 2) >> ((last & 3) << 1) <= 3;
        }
    }

    /// @notice Code `index` of those that stand at the beginning of `results`. The caller has checked that they are long enough.
    function codeAt(bytes calldata results, uint256 index) internal pure returns (uint256) {
        return (fourAt(results, index >> 2) >> ((index & 3) << 1)) & 3;
    }

    /// @notice The four codes in byte `index`, the first in the lowest bits. The caller has checked that it lies within `results`.
    /// @dev Assembly spares the second check of the bound, which is a seventh of what a group settled whole costs beyond its
    /// storage and event. `test/properties` holds this against the plain form.
    function fourAt(bytes calldata results, uint256 index) internal pure returns (uint256 codes) {
        assembly ("memory-safe") {
            codes := byte(0, calldataload(add(results.offset, index)))
        }
    }
}
