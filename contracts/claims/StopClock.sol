// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {IStopClock} from "../interfaces/IStopClock.sol";
import {StopClockLib, StopClockState} from "../libraries/StopClockLib.sol";

/// @title StopClock
/// @notice See {IStopClock}.
abstract contract StopClock is IStopClock, AccessManagedUpgradeable {
    /// @inheritdoc IStopClock
    uint256 public constant MAX_PAUSE = StopClockLib.MAX_PAUSE;
    /// @inheritdoc IStopClock
    uint256 public constant PAUSE_COOLDOWN = 7 days;

    /// @custom:storage-location erc7201:carepact.storage.StopClock
    struct StopClockStorage {
        StopClockState state;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.StopClock")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xe78f9c65961e3ba80bae5f02ea0588b03768227fb26b46460419a41cd899a000;

    /// @dev Reverts while paused.
    modifier whenNotPaused() {
        _requireNotPaused(_readStopClock());
        _;
    }

    /// @inheritdoc IStopClock
    function pause() external restricted whenNotPaused {
        StopClockState state = _readStopClock();
        uint256 endedAt = state.endedAt();
        if (endedAt != 0 && block.timestamp < endedAt + PAUSE_COOLDOWN) revert PauseTooSoon(endedAt + PAUSE_COOLDOWN);
        _stopClock().state = state.pause();
        emit Paused(msg.sender, block.timestamp + MAX_PAUSE);
    }

    /// @inheritdoc IStopClock
    function unpause() external restricted {
        if (!paused()) revert NotPaused();
        _stopClock().state = _readStopClock().unpause();
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IStopClock
    function paused() public view returns (bool) {
        return block.timestamp < _readStopClock().pausedUntil();
    }

    /// @dev Reverts while paused.
    function _requireNotPaused(StopClockState state) internal view {
        uint256 until = state.pausedUntil();
        if (block.timestamp < until) revert PausedUntil(until);
    }

    /// @dev Counts that an account lost a standing.
    function _countStandingLoss() internal {
        _stopClock().state = _readStopClock().countStandingLoss();
    }

    function _readStopClock() internal view returns (StopClockState) {
        return _stopClock().state;
    }

    function _stopClock() private pure returns (StopClockStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
