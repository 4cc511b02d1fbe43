// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {LineAmounts} from "../../../contracts/libraries/LineAmounts.sol";
import {Properties} from "../support/Properties.sol";

/// @notice Hands slices of calldata to the library, with whatever stands before and behind them.
contract LineAmountsHarness {
    function at(
        bytes calldata data,
        uint256 from,
        uint256 to,
        uint256 index,
        uint256 width
    ) external pure returns (uint256) {
        return LineAmounts.at(data[from:to], index, width);
    }

    function sum(bytes calldata data, uint256 from, uint256 to, uint256 width) external pure returns (uint256) {
        return LineAmounts.sum(data[from:to], width);
    }
}

/// @notice {LineAmounts} reads what slices converted to numbers say.
contract LineAmountsTest is Properties {
    LineAmountsHarness private _harness = new LineAmountsHarness();

    function testFuzz_atIsTheSlice(bytes calldata data, uint256 start, uint256 width, uint256 index) external view {
        (uint256 from, uint256 count) = _place(data, start, width = bound(width, 1, 11));
        if (count == 0) return;
        index = bound(index, 0, count - 1);
        uint256 amount = _harness.at(data, from, from + count * width, index, width);
        vm.assertEq(amount, _plain(data[from + index * width:from + (index + 1) * width]), "at");
    }

    function testFuzz_sumIsTheSumOfSlices(bytes calldata data, uint256 start, uint256 width) external view {
        (uint256 from, uint256 count) = _place(data, start, width = bound(width, 1, 11));
        uint256 expected = 0;
        for (uint256 i = 0; i < count; ++i) expected += _plain(data[from + i * width:from + (i + 1) * width]);
        vm.assertEq(_harness.sum(data, from, from + count * width, width), expected, "sum");
    }

    /// @notice The most that a group can have: no sum of it overflows.
    function test_sumOfTheLargestGroup() external view {
        bytes memory data = new bytes(1_023 * 11 + 64);
        for (uint256 i = 0; i < data.length; ++i) data[i] = 0xff;
        uint256 sum = _harness.sum(data, 7, 7 + 1_023 * 11, 11);
        vm.assertEq(sum, 1_023 * uint256(type(uint88).max), "sum of 1,023 amounts of 88 bits");
    }

    /// @dev Where `data` has room for amounts of this width, and for how many.
    function _place(
        bytes calldata data,
        uint256 start,
        uint256 width
    ) private pure returns (uint256 from, uint256 count) {
        from = bound(start, 0, data.length);
        count = (data.length - from) / width;
    }

    function _plain(bytes calldata slice) private pure returns (uint256) {
        return uint256(bytes32(slice)) / 256 ** (32 - slice.length);
    }
}
