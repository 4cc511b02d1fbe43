// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice All lines of one payee in a claim batch, in one word: payee (160 bits), number of lines (10 bits), subtotal in base
/// units (86 bits), from the most significant bit down.
/// @dev 86 bits hold 77 million tokens of 18 decimals. One word instead of three saves 256 gas of calldata a group, and the
/// groups of a batch hash as one run of bytes.
type Group is uint256;

using GroupLib for Group global;

/// @title GroupLib
/// @notice Reads the parts of a {Group}.
library GroupLib {
    uint256 private constant _SUBTOTAL_BITS = 86;
    uint256 private constant _LINE_COUNT_BITS = 10;

    /// @notice Account that is paid for the lines of this group.
    function payee(Group self) internal pure returns (address) {
        return address(uint160(Group.unwrap(self) >> (_SUBTOTAL_BITS + _LINE_COUNT_BITS)));
    }

    /// @notice Number of lines in this group.
    function lineCount(Group self) internal pure returns (uint256) {
        return (Group.unwrap(self) >> _SUBTOTAL_BITS) & ((1 << _LINE_COUNT_BITS) - 1);
    }

    /// @notice Sum of the amounts of this group's lines, in base units.
    function subtotal(Group self) internal pure returns (uint256) {
        return Group.unwrap(self) & ((1 << _SUBTOTAL_BITS) - 1);
    }

    /// @notice Group `index`. The caller has checked that there are more.
    /// @dev Assembly spares the second check of the bound, for 40 gas a group. `test/properties` holds this against the plain form.
    function at(Group[] calldata groups, uint256 index) internal pure returns (Group group) {
        assembly ("memory-safe") {
            group := calldataload(add(groups.offset, shl(5, index)))
        }
    }

    /// @notice keccak256 of the groups, each as a 32-byte word.
    /// @dev Assembly copies them at once: `abi.encodePacked` goes word by word, for 64 gas more each. `test/properties` holds this
    /// against that plain form.
    function hash(Group[] calldata groups) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let size := shl(5, groups.length)
            let start := mload(0x40)
            calldatacopy(start, groups.offset, size)
            result := keccak256(start, size)
        }
    }
}
