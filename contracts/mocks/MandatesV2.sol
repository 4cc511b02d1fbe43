// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Mandates} from "../claims/Mandates.sol";

/// @title MandatesV2
/// @notice What a next version may look like: one thing more that it can say, and state in a namespace of its own.
/// @dev Without an initialiser of its own: a proxy that is upgraded was initialised before.
/// @custom:oz-upgrades-unsafe-allow missing-initializer
contract MandatesV2 is Mandates {
    /// @custom:storage-location erc7201:carepact.storage.MandatesV2
    struct MandatesV2Storage {
        uint256 edition;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.MandatesV2")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE_V2 = 0x7595db7438d548e76678f69cca0c28b1f961e022ced8d14e3a5d840e4223de00;

    function setEdition(uint256 edition_) external reinitializer(2) {
        _mandatesV2().edition = edition_;
    }

    function edition() external view returns (uint256) {
        return _mandatesV2().edition;
    }

    function _mandatesV2() private pure returns (MandatesV2Storage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE_V2
        }
    }
}
