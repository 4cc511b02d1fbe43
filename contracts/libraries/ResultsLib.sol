// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {Group} from "./GroupLib.sol";
import {LineAmounts} from "./LineAmounts.sol";

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

    /// @notice Where the part of a group by line ends that begins at `start`: behind the codes of its `count` lines and the amounts of
    /// those that are partly met.
    function endOfLines(bytes calldata results, uint256 start, uint256 count) internal pure returns (uint256 end) {
        end = start + codesLength(count);
        if (end > results.length) revert IClaimEscrow.ResultsMalformed();
        uint256 parts = 0;
        for (uint256 line = 0; line < count; ++line) {
            if (lineCodeAt(results, start, line) == PARTLY_MET) ++parts;
        }
        end += parts * LineAmounts.MAX_WIDTH;
        if (end > results.length) revert IClaimEscrow.ResultsMalformed();
    }

    /// @notice Code of a line of a group by line, whose part begins at `start`.
    function lineCodeAt(bytes calldata results, uint256 start, uint256 line) internal pure returns (uint256) {
        uint256 index = start + (line >> 2);
        if (index >= results.length) revert IClaimEscrow.ResultsMalformed();
        return (fourAt(results, index) >> ((line & 3) << 1)) & 3;
    }

    /// @notice Whether a line of a group by line, whose part begins at `start`, is paid in full or in part.
    function paysAt(bytes calldata results, uint256 start, uint256 line) internal pure returns (bool) {
        uint256 code = lineCodeAt(results, start, line);
        return code == MET || code == PARTLY_MET;
    }

    /// @notice The result of one line of a batch: its code, and what is paid if it is {PARTLY_MET}, in base units.
    /// @dev Takes only results that a settlement would take for well-formed as a whole.
    function resultOf(
        bytes calldata results,
        Group[] calldata groups,
        uint256 group,
        uint256 line
    ) internal pure returns (uint256 code, uint256 part) {
        if (!beginWith(results, groups.length)) revert IClaimEscrow.ResultsMalformed();
        code = codeAt(results, group);
        uint256 start = codesLength(groups.length);
        for (uint256 i = 0; i < groups.length; ++i) {
            if (codeAt(results, i) != BY_LINE) continue;
            uint256 count = groups[i].lineCount();
            uint256 end = endOfLines(results, start, count);
            if (!beginWith(results[start:], count)) revert IClaimEscrow.ResultsMalformed();
            if (i == group) (code, part) = _resultAt(results, start, count, line);
            start = end;
        }
        if (start != results.length) revert IClaimEscrow.ResultsMalformed();
    }

    /// @dev The result of a line of a group of `count` lines by line, whose part begins at `start`.
    function _resultAt(
        bytes calldata results,
        uint256 start,
        uint256 count,
        uint256 line
    ) private pure returns (uint256 code, uint256 part) {
        code = lineCodeAt(results, start, line);
        if (code != PARTLY_MET) return (code, 0);
        uint256 place = start + codesLength(count);
        for (uint256 i = 0; i < line; ++i) {
            if (lineCodeAt(results, start, i) == PARTLY_MET) place += LineAmounts.MAX_WIDTH;
        }
        part = LineAmounts.at(results[place:], 0, LineAmounts.MAX_WIDTH);
    }
}
