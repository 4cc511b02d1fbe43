// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStandingListener} from "../interfaces/IStandingListener.sol";
import {StopClock} from "./StopClock.sol";

/// @title Standings
/// @notice See {IStandingListener}. Asking the registry behind its proxy would cost each funding 9,500 gas.
/// @dev Even this copy is read only by a payer's first funding after somebody lost a standing: the payer's balance remembers up to
/// which loss the payer was found in good standing, which saves the other fundings 2,200 gas.
abstract contract Standings is IStandingListener, StopClock {
    /// @custom:storage-location erc7201:carepact.storage.Standings
    struct StandingsStorage {
        address registry;
        mapping(address account => uint256 kinds) standing;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Standings")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x789fffa77ddd8c47e449f22670cd1888bcdc7ec8b0abedb5a166fa5d096d3d00;

    /// @inheritdoc IStandingListener
    function onStandingChanged(address account, uint256 kinds) external {
        StandingsStorage storage $ = _standings();
        if (msg.sender != $.registry) revert NotRegistry(msg.sender);
        if ($.standing[account] & ~kinds != 0) _countStandingLoss();
        $.standing[account] = kinds;
    }

    /// @inheritdoc IStandingListener
    function standingOf(address account) public view returns (uint256 kinds) {
        return _standings().standing[account];
    }

    function __Standings_init(address registry) internal onlyInitializing {
        _standings().registry = registry;
    }

    function _standings() private pure returns (StandingsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
