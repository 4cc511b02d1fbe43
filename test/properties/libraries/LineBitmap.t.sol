// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LineBitmap} from "../../../contracts/libraries/LineBitmap.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice {LineBitmap} is an array of booleans.
contract LineBitmapTest is Properties {
    using LineBitmap for uint256[];

    function testFuzz_isAnArrayOfBooleans(uint256 seed) external pure {
        Random memory random = RandomLib.from(seed);
        uint256 lines = _edgyLines(random, 1, 1_023);
        uint256[] memory bitmap = new uint256[](LineBitmap.wordCount(lines));
        bool[] memory plain = new bool[](lines);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 first = _edgyLines(random, 0, lines - 1);
            uint256 count = _edgyLines(random, 0, lines - first);
            _checkRange(bitmap, plain, first, count);
            if (random.oneIn(2)) {
                vm.assertTrue(bitmap.close(first) == !plain[first], "close");
                plain[first] = true;
            } else {
                bitmap.closeRange(first, count);
                for (uint256 line = first; line < first + count; ++line) plain[line] = true;
            }
            _checkRange(bitmap, plain, first, count);
        }
        for (uint256 line = 0; line < lines; ++line) {
            if (_isClosed(bitmap, line) != plain[line]) vm.assertTrue(false, "closed");
        }
        for (uint256 line = lines; line < 256 * bitmap.length; ++line) {
            if (_isClosed(bitmap, line)) vm.assertTrue(false, "a line beyond the last was closed");
        }
    }

    function test_wordCount() external pure {
        for (uint256 lines = 0; lines <= 1_023; ++lines) {
            uint256 words = LineBitmap.wordCount(lines);
            vm.assertTrue(256 * words >= lines && (words == 0 || 256 * (words - 1) < lines), "wordCount");
        }
    }

    function _isClosed(uint256[] memory bitmap, uint256 line) private pure returns (bool any) {
        (any, ) = bitmap.closedIn(line, 1);
    }

    function _checkRange(uint256[] memory bitmap, bool[] memory plain, uint256 first, uint256 count) private pure {
        (bool expectedAny, bool expectedAll) = (false, true);
        for (uint256 line = first; line < first + count; ++line) {
            if (plain[line]) expectedAny = true;
            else expectedAll = false;
        }
        (bool any, bool all) = bitmap.closedIn(first, count);
        vm.assertTrue(any == expectedAny, "closedIn: any");
        vm.assertTrue(all == expectedAll, "closedIn: all");
    }

    /// @dev Often next to where one word ends and another begins.
    function _edgyLines(Random memory random, uint256 min, uint256 max) private pure returns (uint256 line) {
        line = random.edgy(min, max);
        uint256 border = 256 * random.between(1, 3) + random.between(0, 2) - 1;
        if (random.oneIn(2) && border >= min && border <= max) line = border;
    }
}
