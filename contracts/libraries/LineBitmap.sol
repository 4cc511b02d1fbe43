// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title LineBitmap
/// @notice Which lines of a batch are closed, while a call works on them in memory: 256 lines a word, the first line in the
/// lowest bit.
library LineBitmap {
    /// @notice Words that `lines` lines take.
    function wordCount(uint256 lines) internal pure returns (uint256) {
        return (lines + 255) >> 8;
    }

    /// @notice Closes `line`.
    /// @return Whether it was open.
    function close(uint256[] memory self, uint256 line) internal pure returns (bool) {
        uint256 bit = 1 << (line & 0xff);
        uint256 word = self[line >> 8];
        if (word & bit != 0) return false;
        self[line >> 8] = word | bit;
        return true;
    }

    /// @notice Whether any, and whether all, of the `count` lines from `first` on are closed.
    function closedIn(uint256[] memory self, uint256 first, uint256 count) internal pure returns (bool any, bool all) {
        all = true;
        uint256 end = first + count;
        while (first < end) {
            (uint256 mask, uint256 next) = _mask(first, end);
            uint256 closed = self[first >> 8] & mask;
            if (closed != 0) any = true;
            if (closed != mask) all = false;
            first = next;
        }
    }

    /// @notice Closes the `count` lines from `first` on.
    function closeRange(uint256[] memory self, uint256 first, uint256 count) internal pure {
        uint256 end = first + count;
        while (first < end) {
            (uint256 mask, uint256 next) = _mask(first, end);
            self[first >> 8] |= mask;
            first = next;
        }
    }

    /// @dev Bits of the lines from `first` to `end` that lie in the word of `first`, and the line at which the next word goes on.
    function _mask(uint256 first, uint256 end) private pure returns (uint256 mask, uint256 next) {
        next = ((first >> 8) + 1) << 8;
        if (next > end) next = end;
        mask = (type(uint256).max >> (256 - (next - first))) << (first & 0xff);
    }
}
