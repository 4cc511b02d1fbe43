// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {StopClockState} from "../libraries/StopClockLib.sol";
import {StopClock} from "./StopClock.sol";

/// @title RulebookClocks
/// @notice The escrow's copy of rulebooks: where each lies, and how long its settlements were stopped.
/// @dev See {RulebookListener}. Suspensions are timed on a clock that stands still while the escrow is paused, so that no second
/// counts twice.
abstract contract RulebookClocks is StopClock {
    /// @custom:storage-location erc7201:carepact.storage.RulebookClocks
    struct RulebookClocksStorage {
        address rulebooks;
        mapping(bytes32 id => RulebookClock) clocks;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.RulebookClocks")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xe7ab72e72e1d0867900236309d27c8f3bd79c0f930bc6ed8359e7324a8e0a300;

    function __RulebookClocks_init(address rulebooks) internal onlyInitializing {
        _rulebookClocks().rulebooks = rulebooks;
    }

    /// @dev The clock of a rulebook that was published.
    function _loadRulebook(bytes32 id) internal view returns (RulebookClock clock) {
        clock = _rulebookClocks().clocks[id];
        if (clock.blob() == address(0)) revert IRulebooks.RulebookUnknown(id);
    }

    /// @dev Seconds for which the escrow was paused or the rulebook suspended, up to now.
    function _stoppedSeconds(StopClockState state, RulebookClock clock) internal view returns (uint256) {
        uint256 pausedSeconds = state.pausedSeconds();
        return pausedSeconds + clock.suspendedSeconds(block.timestamp - pausedSeconds);
    }

    /// @dev The clock that stands still while the escrow is paused.
    function _runningSeconds() internal view returns (uint256) {
        return block.timestamp - _readStopClock().pausedSeconds();
    }

    function _rulebookClocks() internal pure returns (RulebookClocksStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
