// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";

/// @notice Packed signatures at work (see {IAttesterConditions}).
/// @param digest What they are over.
/// @param left How many are left.
/// @param index Index of the next one.
/// @param key Attester (1 byte) and place (2 bytes) of the next one, which no attester has if none is left.
/// @param start Where in calldata the next one's signature begins.
/// @param size Its number of bytes.
/// @param end Where in calldata all of them end.
struct SignatureList {
    bytes32 digest;
    uint256 left;
    uint256 index;
    uint256 key;
    uint256 start;
    uint256 size;
    uint256 end;
}

using SignatureListLib for SignatureList global;

/// @title SignatureListLib
/// @notice Reads packed signatures one after the other.
library SignatureListLib {
    uint256 private constant _HEAD_SIZE = 5;
    /// @dev The key of no attester's signature, when there is none left.
    uint256 private constant _NONE = type(uint256).max;

    /// @notice The list of signatures over `digest`.
    function open(bytes calldata signatures, bytes32 digest) internal pure returns (SignatureList memory list) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := signatures.offset
        }
        list.digest = digest;
        list.left = uint8(signatures[0]);
        list.start = offset + 1;
        list.end = offset + signatures.length;
        _read(list);
    }

    /// @notice Whether the next signature is that of `attester` for `place`.
    function isNext(SignatureList memory self, uint256 attester, uint256 place) internal pure returns (bool) {
        return self.key == (attester << 16) | place;
    }

    /// @notice The next signature.
    function signature(SignatureList memory self) internal pure returns (bytes calldata data) {
        (uint256 start, uint256 size) = (self.start, self.size);
        assembly ("memory-safe") {
            data.offset := start
            data.length := size
        }
    }

    /// @notice Goes on to the one behind.
    function advance(SignatureList memory self) internal pure {
        // Of at most 255 signatures, each within calldata, one is next.
        unchecked {
            self.start += self.size;
            ++self.index;
            --self.left;
        }
        _read(self);
    }

    /// @notice The first `size` bytes of a signature, and the rest.
    function take(
        SignatureList memory self,
        bytes calldata data,
        uint256 size
    ) internal pure returns (bytes calldata taken, bytes calldata rest) {
        if (data.length < size) revert IClaimEscrow.SignatureInvalid(self.index);
        return (data[:size], data[size:]);
    }

    /// @notice As many items of `size` bytes as the first byte of a signature says, and the rest.
    function takeCounted(
        SignatureList memory self,
        bytes calldata data,
        uint256 size
    ) internal pure returns (bytes calldata taken, bytes calldata rest) {
        (taken, rest) = take(self, data, 1);
        return take(self, rest, uint8(taken[0]) * size);
    }

    /// @dev Reads what stands before a signature. Assembly, because a slice and three conversions cost 300 gas a signature.
    function _read(SignatureList memory self) private pure {
        if (self.left == 0) {
            self.key = _NONE;
            return;
        }
        uint256 start = self.start;
        uint256 head;
        assembly ("memory-safe") {
            head := shr(216, calldataload(start))
        }
        // Places in calldata, and sizes of 16 bits.
        unchecked {
            start += _HEAD_SIZE;
            (self.key, self.size, self.start) = (head >> 16, head & 0xffff, start);
            if (start + self.size > self.end) revert IClaimEscrow.SignatureInvalid(self.index);
        }
    }
}
