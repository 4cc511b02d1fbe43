// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What an attestation says, spelled out: codes as in {ResultsLib}, one a group and one a line of the batch.
/// @param groups 0 pending, 1 met, 2 not met, 3 by line.
/// @param lines Where the group is by line: 0 pending, 1 met, 2 not met, 3 partly met.
/// @param parts Where the line is partly met: its amount.
struct Outcome {
    uint256[] groups;
    uint256[] lines;
    uint256[] parts;
}

/// @title PlainResults
/// @notice Packs results and reads them back, one item at a time, as their format is written down. The campaign's ghost reads
/// attestations by this and not by the library that the escrow uses.
library PlainResults {
    /// @notice Room for the results of a batch.
    function empty(uint256 groupCount, uint256 lineCount) internal pure returns (Outcome memory) {
        return Outcome(new uint256[](groupCount), new uint256[](lineCount), new uint256[](lineCount));
    }

    /// @param counts Lines of each group.
    function pack(Outcome memory outcome, uint256[] memory counts) internal pure returns (bytes memory results) {
        results = new bytes((counts.length + 3) / 4 + 13 * outcome.lines.length + 32);
        uint256 end = (counts.length + 3) / 4;
        uint256 firstLine = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            _putCode(results, 0, g, outcome.groups[g]);
            if (outcome.groups[g] == 3) end = _packLines(results, end, outcome, firstLine, counts[g]);
            firstLine += counts[g];
        }
        // Cut off what was not needed.
        assembly ("memory-safe") {
            mstore(results, end)
        }
    }

    /// @param counts Lines of each group.
    function unpack(bytes memory results, uint256[] memory counts) internal pure returns (Outcome memory outcome) {
        uint256 lineCount = 0;
        for (uint256 g = 0; g < counts.length; ++g) lineCount += counts[g];
        outcome = empty(counts.length, lineCount);
        uint256 cursor = (counts.length + 3) / 4;
        uint256 firstLine = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            outcome.groups[g] = _code(results, 0, g);
            if (outcome.groups[g] == 3) {
                uint256 codes = cursor;
                cursor += (counts[g] + 3) / 4;
                for (uint256 i = 0; i < counts[g]; ++i) {
                    outcome.lines[firstLine + i] = _code(results, codes, i);
                    if (outcome.lines[firstLine + i] != 3) continue;
                    for (uint256 end = cursor + 11; cursor < end; ++cursor) {
                        outcome.parts[firstLine + i] = outcome.parts[firstLine + i] * 256 + uint8(results[cursor]);
                    }
                }
            }
            firstLine += counts[g];
        }
    }

    /// @notice What results say of a group as a whole.
    function codeOf(bytes memory results, uint256 group) internal pure returns (uint256) {
        return _code(results, 0, group);
    }

    function _packLines(
        bytes memory results,
        uint256 start,
        Outcome memory outcome,
        uint256 firstLine,
        uint256 count
    ) private pure returns (uint256 end) {
        end = start + (count + 3) / 4;
        for (uint256 i = 0; i < count; ++i) {
            _putCode(results, start, i, outcome.lines[firstLine + i]);
            if (outcome.lines[firstLine + i] != 3) continue;
            // As 32 bytes, of which the next part, or the end, overwrites all but the first 11.
            bytes32 part = bytes32(bytes11(uint88(outcome.parts[firstLine + i])));
            assembly ("memory-safe") {
                mstore(add(add(results, 0x20), end), part)
            }
            end += 11;
        }
    }

    function _code(bytes memory results, uint256 start, uint256 index) private pure returns (uint256) {
        return (uint8(results[start + index / 4]) / (4 ** (index % 4))) % 4;
    }

    function _putCode(bytes memory results, uint256 start, uint256 index, uint256 code) private pure {
        results[start + index / 4] |= bytes1(uint8(code * 4 ** (index % 4)));
    }
}
