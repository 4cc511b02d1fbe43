// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ResultsLib} from "../../../contracts/libraries/ResultsLib.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Hands slices of calldata to the library.
contract ResultsLibHarness {
    function codeAt(bytes calldata data, uint256 from, uint256 index) external pure returns (uint256) {
        return ResultsLib.codeAt(data[from:], index);
    }

    function fourAt(bytes calldata data, uint256 from, uint256 index) external pure returns (uint256) {
        return ResultsLib.fourAt(data[from:], index);
    }

    function beginWith(bytes calldata data, uint256 from, uint256 count) external pure returns (bool) {
        return ResultsLib.beginWith(data[from:], count);
    }

    function codesLength(uint256 count) external pure returns (uint256) {
        return ResultsLib.codesLength(count);
    }
}

/// @notice {ResultsLib} reads what the format of results says.
contract ResultsLibTest is Properties {
    ResultsLibHarness private _harness = new ResultsLibHarness();

    function testFuzz_fourAtIsTheByte(bytes calldata data, uint256 start, uint256 index) external view {
        if (data.length == 0) return;
        uint256 from = bound(start, 0, data.length - 1);
        index = bound(index, 0, data.length - from - 1);
        vm.assertEq(_harness.fourAt(data, from, index), uint256(uint8(data[from + index])), "fourAt");
    }

    function testFuzz_codeAtIsTwoBitsOfTheByte(bytes calldata data, uint256 start, uint256 index) external view {
        if (data.length == 0) return;
        uint256 from = bound(start, 0, data.length - 1);
        index = bound(index, 0, 4 * (data.length - from) - 1);
        uint256 expected = (uint8(data[from + index / 4]) / (4 ** (index % 4))) % 4;
        vm.assertEq(_harness.codeAt(data, from, index), expected, "codeAt");
    }

    function testFuzz_codesLengthIsFourAByte(uint256 count) external view {
        count = bound(count, 0, 1_023);
        uint256 expected = count / 4 + (count % 4 == 0 ? 0 : 1);
        vm.assertEq(_harness.codesLength(count), expected, "codesLength");
    }

    /// @notice Codes are all there, and in the last byte nothing stands beyond them.
    function testFuzz_beginWithCodesAndNothingBeyond(bytes memory data, uint256 start, uint256 count) external view {
        uint256 from = bound(start, 0, data.length);
        count = bound(count, 1, 4 * (data.length - from) + 4);
        uint256 size = count / 4 + (count % 4 == 0 ? 0 : 1);
        bool expected = data.length - from >= size;
        if (expected && count % 4 != 0) {
            uint256 last = from + size - 1;
            // Every other time it should say yes.
            if (start % 2 == 0) data[last] = bytes1(uint8(uint8(data[last]) % 4 ** (count % 4)));
            expected = uint8(data[last]) < 4 ** (count % 4);
        }
        vm.assertTrue(_harness.beginWith(data, from, count) == expected, "beginWith");
    }

    /// @notice What the campaign packs reads back the same, by its own reader and, as to group codes, by the escrow's.
    function testFuzz_packedResultsReadBackTheSame(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        uint256[] memory counts = new uint256[](random.between(1, 9));
        uint256 lines = 0;
        for (uint256 g = 0; g < counts.length; ++g) lines += counts[g] = random.between(1, 20);
        Outcome memory outcome = PlainResults.empty(counts.length, lines);
        uint256 line = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            outcome.groups[g] = random.below(4);
            for (uint256 i = 0; i < counts[g]; ++i) {
                outcome.lines[line + i] = outcome.groups[g] == 3 ? random.below(4) : 0;
                if (outcome.lines[line + i] == 3) outcome.parts[line + i] = random.edgy(1, type(uint88).max);
            }
            line += counts[g];
        }
        bytes memory results = PlainResults.pack(outcome, counts);
        Outcome memory back = PlainResults.unpack(results, counts);
        vm.assertEq(abi.encode(back), abi.encode(outcome), "unpack(pack(outcome))");
        for (uint256 g = 0; g < counts.length; ++g) {
            vm.assertEq(_harness.codeAt(results, 0, g), outcome.groups[g], "code of a group");
        }
    }
}
