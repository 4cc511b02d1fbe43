// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice One condition of a rulebook, without its attesters.
/// @param threshold How many have to sign.
/// @param count How many attesters it names.
/// @param above Holds only for groups above this amount, in base units.
/// @param role What its only attester is in a batch (see {AttesterRoles}); zero: its attesters are named.
struct Condition {
    uint256 threshold;
    uint256 count;
    uint256 above;
    bytes1 role;
}

/// @title ConditionsLib
/// @notice Reads packed conditions (see {RulebookBlobLib}).
/// @dev The data is that of a rulebook that was checked when it was published, so that nothing is checked again.
library ConditionsLib {
    uint256 private constant _HEAD_SIZE = 14;
    uint256 private constant _ABOVE_MASK = type(uint96).max;

    /// @notice The condition at `cursor`.
    /// @return condition The condition.
    /// @return next Where its attesters begin; of a role: behind it.
    function conditionAt(
        bytes memory conditions,
        uint256 cursor
    ) internal pure returns (Condition memory condition, uint256 next) {
        uint256 word = _wordAt(conditions, cursor);
        condition.threshold = word >> 248;
        condition.count = uint8(word >> 240);
        condition.above = (word >> 144) & _ABOVE_MASK;
        next = cursor + _HEAD_SIZE;
        if (uint8(word >> 136) == 1) {
            condition.role = bytes1(uint8(word >> 128));
            next += 2;
        }
    }

    /// @notice The attester at `cursor`; nothing, if it was suspended.
    /// @return attester ERC-7913 signer.
    /// @return next Behind it.
    function attesterAt(
        bytes memory conditions,
        uint256 cursor
    ) internal pure returns (bytes memory attester, uint256 next) {
        uint256 size = _wordAt(conditions, cursor) >> 248;
        attester = new bytes(size);
        next = cursor + 1 + size;
        assembly ("memory-safe") {
            mcopy(add(attester, 0x20), add(conditions, add(0x21, cursor)), size)
        }
    }

    /// @dev The 32 bytes from `cursor` on; whatever lies behind the data's end is not looked at.
    function _wordAt(bytes memory conditions, uint256 cursor) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(conditions, add(0x20, cursor)))
        }
    }
}
