// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The slot that every funding and settlement reads. From the least significant bit: when the last pause began (40 bits,
/// zero once it was ended), seconds of the pauses before it (40 bits), when the last of these ended or lapsed (40 bits), and how
/// often an account lost a standing (31 bits, see {Standings}).
/// @dev One word that is read once; fields of a struct are read one by one.
type StopClockState is uint256;

using StopClockLib for StopClockState global;

/// @title StopClockLib
/// @notice Reads and changes the parts of a {StopClockState}. Times are unix seconds.
library StopClockLib {
    /// @notice Longest duration of a pause, in seconds.
    uint256 internal constant MAX_PAUSE = 7 days;

    uint256 private constant _PAUSED_BEFORE_SHIFT = 40;
    uint256 private constant _ENDED_AT_SHIFT = 80;
    uint256 private constant _LOSSES_SHIFT = 120;
    uint256 private constant _LOSSES_MASK = (1 << 31) - 1;

    /// @notice When the last pause lapses or lapsed, unless it was ended: then zero.
    function pausedUntil(StopClockState self) internal pure returns (uint256) {
        uint256 pausedAt = _pausedAt(self);
        return pausedAt == 0 ? 0 : pausedAt + MAX_PAUSE;
    }

    /// @notice Seconds of all pauses up to now.
    function pausedSeconds(StopClockState self) internal view returns (uint256 sum) {
        uint256 pausedAt = _pausedAt(self);
        sum = uint40(StopClockState.unwrap(self) >> _PAUSED_BEFORE_SHIFT);
        if (pausedAt != 0) sum += _end(pausedAt) - pausedAt;
    }

    /// @notice When the last pause that is over ended or lapsed; zero: there was none.
    function endedAt(StopClockState self) internal view returns (uint256) {
        uint256 pausedAt = _pausedAt(self);
        return pausedAt == 0 ? uint40(StopClockState.unwrap(self) >> _ENDED_AT_SHIFT) : _end(pausedAt);
    }

    /// @notice How often an account lost a standing.
    function standingLosses(StopClockState self) internal pure returns (uint256) {
        return (StopClockState.unwrap(self) >> _LOSSES_SHIFT) & _LOSSES_MASK;
    }

    /// @notice The state when a pause begins now.
    function pause(StopClockState self) internal view returns (StopClockState) {
        return StopClockState.wrap(StopClockState.unwrap(self.unpause()) | block.timestamp);
    }

    /// @notice The state when the last pause is over, be it ended now or lapsed before.
    function unpause(StopClockState self) internal view returns (StopClockState) {
        return
            StopClockState.wrap(
                (self.pausedSeconds() << _PAUSED_BEFORE_SHIFT) |
                    (self.endedAt() << _ENDED_AT_SHIFT) |
                    (self.standingLosses() << _LOSSES_SHIFT)
            );
    }

    /// @notice The state when one more account lost a standing.
    function countStandingLoss(StopClockState self) internal pure returns (StopClockState) {
        return StopClockState.wrap(StopClockState.unwrap(self) + (1 << _LOSSES_SHIFT));
    }

    function _pausedAt(StopClockState self) private pure returns (uint256) {
        return uint40(StopClockState.unwrap(self));
    }

    function _end(uint256 pausedAt) private view returns (uint256) {
        uint256 lapse = pausedAt + MAX_PAUSE;
        return block.timestamp < lapse ? block.timestamp : lapse;
    }
}
