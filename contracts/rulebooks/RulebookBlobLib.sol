// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Rulebook} from "../interfaces/IRulebooks.sol";
import {RulebookBlob} from "./RulebookBlob.sol";

/// @title RulebookBlobLib
/// @notice Writes and reads the data of rulebooks.
/// @dev What a settlement needs comes first, in words: grace (seconds, shifted left by 16 bits), threshold (by 8 bits) and number
/// of attesters; then each attester. Behind them stands the whole rulebook, ABI-encoded.
library RulebookBlobLib {
    /// @notice Lays a rulebook down.
    /// @param attesters Accounts of its one group of attesters, ascending; 255 at most.
    function write(Rulebook calldata rulebook, address[] memory attesters) internal returns (address blob) {
        uint256 head =
            (uint256(rulebook.grace) << 16) | (uint256(rulebook.attesterGroups[0].threshold) << 8) | attesters.length;
        return address(new RulebookBlob(abi.encodePacked(head, attesters, abi.encode(rulebook))));
    }

    /// @notice What a settlement needs.
    /// @dev Assembly, because Solidity copies the whole code and decodes it into further copies: that costs a settlement 1,300 gas
    /// more. `test/properties` holds this against the plain form.
    /// @return grace Seconds.
    /// @return threshold How many attesters have to sign.
    /// @return attesters Accounts, ascending.
    function read(address blob) internal view returns (uint256 grace, uint256 threshold, address[] memory attesters) {
        uint256 head;
        assembly ("memory-safe") {
            extcodecopy(blob, 0x00, 0x00, 0x20)
            head := mload(0x00)
            let count := and(head, 0xff)
            let size := shl(5, count)
            attesters := mload(0x40)
            mstore(attesters, count)
            extcodecopy(blob, add(attesters, 0x20), 0x20, size)
            mstore(0x40, add(attesters, add(0x20, size)))
        }
        return (head >> 16, uint8(head >> 8), attesters);
    }

    /// @notice The whole rulebook.
    function readWhole(address blob) internal view returns (Rulebook memory) {
        bytes memory code = blob.code;
        // Widened first: in 8 bits, 32 * (1 + 7) runs over.
        uint256 start = 32 * (1 + uint256(uint8(code[31])));
        bytes memory encoded = new bytes(code.length - start);
        for (uint256 i = 0; i < encoded.length; ++i) encoded[i] = code[start + i];
        return abi.decode(encoded, (Rulebook));
    }
}
