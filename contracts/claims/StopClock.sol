// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IStopClock} from "../interfaces/IStopClock.sol";

/// @title StopClock
/// @notice See {IStopClock}.
abstract contract StopClock is IStopClock, AccessManagedUpgradeable {
    /// @inheritdoc IStopClock
    uint256 public constant MAX_PAUSE = 7 days;
    /// @inheritdoc IStopClock
    uint256 public constant PAUSE_COOLDOWN = 7 days;

    /// @custom:storage-location erc7201:carepact.storage.StopClock
    struct StopClockStorage {
        /// When the last pause started; zero once it was ended.
        uint40 pausedAt;
        /// Seconds of all pauses that were ended or followed by another.
        uint40 pausedBefore;
        /// When the last of those pauses ended or lapsed.
        uint40 endedAt;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.StopClock")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xe78f9c65961e3ba80bae5f02ea0588b03768227fb26b46460419a41cd899a000;

    /// @dev Reverts while paused.
    modifier whenNotPaused() {
        _requireNotPaused();
        _;
    }

    /// @inheritdoc IStopClock
    function pause() external restricted whenNotPaused {
        StopClockStorage storage $ = _stopClock();
        _foldPause($);
        uint256 from = $.endedAt == 0 ? 0 : $.endedAt + PAUSE_COOLDOWN;
        if (block.timestamp < from) revert PauseTooSoon(from);
        $.pausedAt = uint40(block.timestamp);
        emit Paused(msg.sender, block.timestamp + MAX_PAUSE);
    }

    /// @inheritdoc IStopClock
    function unpause() external restricted {
        if (!paused()) revert NotPaused();
        _foldPause(_stopClock());
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IStopClock
    function paused() public view returns (bool) {
        uint256 pausedAt = _stopClock().pausedAt;
        return pausedAt != 0 && block.timestamp < pausedAt + MAX_PAUSE;
    }

    /// @dev Reverts while paused.
    function _requireNotPaused() internal view {
        if (paused()) revert PausedUntil(_stopClock().pausedAt + MAX_PAUSE);
    }

    /// @dev Seconds of all pauses up to now.
    function _pausedSeconds() internal view returns (uint256) {
        StopClockStorage storage $ = _stopClock();
        uint256 pausedAt = $.pausedAt;
        uint256 before = $.pausedBefore;
        return pausedAt == 0 ? before : before + Math.min(block.timestamp - pausedAt, MAX_PAUSE);
    }

    /// @dev Books the last pause, whether it is ended now or lapsed before.
    function _foldPause(StopClockStorage storage $) private {
        uint256 pausedAt = $.pausedAt;
        if (pausedAt == 0) return;
        uint256 endedAt = Math.min(block.timestamp, pausedAt + MAX_PAUSE);
        $.pausedBefore += uint40(endedAt - pausedAt);
        $.endedAt = uint40(endedAt);
        $.pausedAt = 0;
    }

    function _stopClock() private pure returns (StopClockStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
