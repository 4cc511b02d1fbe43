// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IStopClock
/// @notice Pausing, with a clock: seconds during which settlement is stopped do not count against anybody's deadline.
interface IStopClock {
    /// @notice Everything but withdrawals and payouts stops, until `until` at the latest.
    event Paused(address indexed by, uint256 until);

    /// @notice The pause ended before it lapsed.
    event Unpaused(address indexed by);

    /// @notice The protocol is paused until `until` (unix seconds) at the latest.
    error PausedUntil(uint256 until);

    /// @notice There is no pause to end.
    error NotPaused();

    /// @notice The last pause is too short ago: a new one is possible from `from` (unix seconds) on.
    error PauseTooSoon(uint256 from);

    /// @notice Stops funding, settlement, reversal, reclaim and refund.
    /// @dev Restricted by the access manager. Lapses by itself after {MAX_PAUSE}; another can start {PAUSE_COOLDOWN} later.
    function pause() external;

    /// @notice Ends a pause. Restricted by the access manager.
    function unpause() external;

    /// @notice Whether the protocol is paused now.
    function paused() external view returns (bool);

    /// @notice Longest duration of a pause, in seconds.
    function MAX_PAUSE() external view returns (uint256);

    /// @notice Least time between the end of a pause and the next, in seconds.
    function PAUSE_COOLDOWN() external view returns (uint256);
}
