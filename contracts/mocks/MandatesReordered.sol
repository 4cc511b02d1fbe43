// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @title MandatesReordered
/// @notice A next version of Mandates that must never be: it takes the escrow for the registry, and the registry for the escrow.
/// @dev Never initialised: it is only held against the layout of what is deployed.
/// @custom:oz-upgrades-unsafe-allow missing-initializer
contract MandatesReordered is AccessManagedUpgradeable, UUPSUpgradeable {
    /// @custom:storage-location erc7201:carepact.storage.Mandates
    struct MandatesStorage {
        address escrow;
        address registry;
        mapping(bytes32 mandateId => uint256 state) states;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Mandates")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x8e6ede4c908dce46ff082e658aee0bc689a1640d872b03635c862329429e3a00;

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    function stateOf(bytes32 mandateId) external view returns (uint256) {
        return _mandates().states[mandateId];
    }

    function _authorizeUpgrade(address) internal override restricted {}

    function _mandates() private pure returns (MandatesStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
