// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
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

    function lineCodeAt(bytes calldata data, uint256 start, uint256 line) external pure returns (uint256) {
        return ResultsLib.lineCodeAt(data, start, line);
    }

    function paysAt(bytes calldata data, uint256 start, uint256 line) external pure returns (bool) {
        return ResultsLib.paysAt(data, start, line);
    }

    function endOfLines(bytes calldata data, uint256 start, uint256 count) external pure returns (uint256) {
        return ResultsLib.endOfLines(data, start, count);
    }

    function resultOf(
        bytes calldata data,
        Group[] calldata groups,
        uint256 group,
        uint256 line
    ) external pure returns (uint256 code, uint256 part) {
        return ResultsLib.resultOf(data, groups, group, line);
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
        (Outcome memory outcome, uint256[] memory counts) = _newOutcome(RandomLib.from(seed));
        bytes memory results = PlainResults.pack(outcome, counts);
        Outcome memory back = PlainResults.unpack(results, counts);
        vm.assertEq(abi.encode(back), abi.encode(outcome), "unpack(pack(outcome))");
        for (uint256 g = 0; g < counts.length; ++g) {
            vm.assertEq(_harness.codeAt(results, 0, g), outcome.groups[g], "code of a group");
        }
    }

    /// @notice The result of every line, and where the part of every group by line ends, is what was packed.
    function testFuzz_resultOfEveryLine(uint256 seed) external view {
        (Outcome memory outcome, uint256[] memory counts) = _newOutcome(RandomLib.from(seed));
        bytes memory results = PlainResults.pack(outcome, counts);
        Group[] memory groups = _groupsOf(counts);
        uint256 cursor = (counts.length + 3) / 4;
        uint256 firstLine = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            bool byLine = outcome.groups[g] == ResultsLib.BY_LINE;
            uint256 parts = 0;
            for (uint256 i = 0; i < counts[g]; ++i) {
                uint256 expected = byLine ? outcome.lines[firstLine + i] : outcome.groups[g];
                (uint256 code, uint256 part) = _harness.resultOf(results, groups, g, i);
                vm.assertEq(code, expected, "resultOf: code");
                vm.assertEq(part, byLine ? outcome.parts[firstLine + i] : 0, "resultOf: part");
                if (!byLine) continue;
                vm.assertEq(_harness.lineCodeAt(results, cursor, i), expected, "lineCodeAt");
                vm.assertTrue(_harness.paysAt(results, cursor, i) == (expected == 1 || expected == 3), "paysAt");
                if (expected == 3) ++parts;
            }
            if (byLine) {
                uint256 end = cursor + (counts[g] + 3) / 4 + 11 * parts;
                vm.assertEq(_harness.endOfLines(results, cursor, counts[g]), end, "endOfLines");
                cursor = end;
            }
            firstLine += counts[g];
        }
        vm.assertEq(cursor, results.length, "the last part ends with the results");
    }

    /// @notice Of results that are cut off nothing is read from behind their end: a result is that of the whole, or there is none.
    function testFuzz_cutResultsAreMalformed(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        (Outcome memory outcome, uint256[] memory counts) = _newOutcome(random);
        bytes memory results = PlainResults.pack(outcome, counts);
        Group[] memory groups = _groupsOf(counts);
        bytes memory cut = new bytes(random.below(results.length));
        for (uint256 i = 0; i < cut.length; ++i) cut[i] = results[i];
        uint256 group = random.below(counts.length);
        uint256 line = random.below(counts[group]);
        (uint256 code, uint256 part) = _harness.resultOf(results, groups, group, line);
        try _harness.resultOf(cut, groups, group, line) returns (uint256 cutCode, uint256 cutPart) {
            vm.assertEq(cutCode, code, "code of cut results");
            vm.assertEq(cutPart, part, "part of cut results");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == IClaimEscrow.ResultsMalformed.selector, "ResultsMalformed");
        }
    }

    function _newOutcome(Random memory random) private pure returns (Outcome memory outcome, uint256[] memory counts) {
        counts = new uint256[](random.between(1, 9));
        uint256 lines = 0;
        for (uint256 g = 0; g < counts.length; ++g) lines += counts[g] = random.between(1, 20);
        outcome = PlainResults.empty(counts.length, lines);
        uint256 line = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            outcome.groups[g] = random.below(4);
            for (uint256 i = 0; i < counts[g]; ++i) {
                outcome.lines[line + i] = outcome.groups[g] == 3 ? random.below(4) : 0;
                if (outcome.lines[line + i] == 3) outcome.parts[line + i] = random.edgy(1, type(uint88).max);
            }
            line += counts[g];
        }
    }

    function _groupsOf(uint256[] memory counts) private pure returns (Group[] memory groups) {
        groups = new Group[](counts.length);
        for (uint256 g = 0; g < counts.length; ++g) groups[g] = Group.wrap((counts[g] << 86) | 1);
    }
}
