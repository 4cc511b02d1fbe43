// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {P256 as P256Library} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {Signers} from "../libraries/Signers.sol";

/// @title ConditionsLib
/// @notice Reads packed conditions (see {RulebookBlobLib}).
/// @dev The data is that of a rulebook that was checked when it was published, so that nothing is checked again.
library ConditionsLib {
    /// @notice Stands for the length of an attester that is the public key (x ‖ y) of a P-256 key, without a verifier.
    uint256 internal constant P256 = 255;
    /// @notice Bytes of such a public key.
    uint256 internal constant P256_SIZE = 64;

    uint256 private constant _HEAD_SIZE = 14;

    /// @notice The condition at `cursor`, without its attesters.
    /// @return threshold How many have to sign.
    /// @return count How many attesters it names.
    /// @return above It holds only for groups above this amount, in base units.
    /// @return role What its only attester is in a batch (see {AttesterRoles}); zero: its attesters are named.
    /// @return next Where its attesters begin; of a role: behind it.
    function conditionAt(
        bytes memory conditions,
        uint256 cursor
    ) internal pure returns (uint256 threshold, uint256 count, uint256 above, uint256 role, uint256 next) {
        uint256 word = _wordAt(conditions, cursor);
        unchecked {
            next = cursor + _HEAD_SIZE;
            if (uint8(word >> 136) == 1) {
                role = uint8(word >> 128);
                next += 2;
            }
        }
        return (word >> 248, uint8(word >> 240), uint96(word >> 144), role, next);
    }

    /// @notice Where the attester behind the one at `cursor` begins.
    function nextAttester(bytes memory conditions, uint256 cursor) internal pure returns (uint256) {
        uint256 size = _wordAt(conditions, cursor) >> 248;
        unchecked {
            return cursor + 1 + (size == P256 ? P256_SIZE : size);
        }
    }

    /// @notice Whether `signature` is that of the attester at `cursor` over `digest`. Of one that was suspended nothing is left.
    function isValidAt(
        bytes memory conditions,
        uint256 cursor,
        bytes32 digest,
        bytes calldata signature
    ) internal view returns (bool) {
        uint256 size = _wordAt(conditions, cursor++) >> 248;
        uint256 word = _wordAt(conditions, cursor);
        if (size == 20) return Signers.isValidOf(address(uint160(word >> 96)), digest, signature);
        if (size == P256) {
            // As OpenZeppelin's verifier has it; the signature may be followed by a recovery id.
            if (signature.length < 64) return false;
            bytes32 y = bytes32(_wordAt(conditions, cursor + 32));
            return P256Library.verify(digest, bytes32(signature[:32]), bytes32(signature[32:64]), bytes32(word), y);
        }
        bytes memory attester = new bytes(size);
        assembly ("memory-safe") {
            mcopy(add(attester, 0x20), add(conditions, add(0x20, cursor)), size)
        }
        return Signers.isValidMemory(attester, digest, signature);
    }

    /// @dev The 32 bytes from `cursor` on; whatever lies behind the data's end is not looked at.
    function _wordAt(bytes memory conditions, uint256 cursor) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(conditions, add(0x20, cursor)))
        }
    }
}
