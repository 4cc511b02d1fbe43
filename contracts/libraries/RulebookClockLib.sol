// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The escrow's slot of a rulebook. From the least significant bit: where its data lies (160 bits), when its present
/// suspension began (40 bits, zero: not suspended), and for how long it was suspended before (40 bits). Both times are seconds of
/// a clock that stands still while the escrow is paused.
/// @dev One word that is read as a whole; a struct of the same fields is copied to memory first.
type RulebookClock is uint256;

using RulebookClockLib for RulebookClock global;

/// @title RulebookClockLib
/// @notice Reads and changes the parts of a {RulebookClock}.
library RulebookClockLib {
    uint256 private constant _SUSPENDED_AT_SHIFT = 160;
    uint256 private constant _SUSPENDED_BEFORE_SHIFT = 200;

    /// @notice The clock of a rulebook that was just published.
    function create(address where) internal pure returns (RulebookClock) {
        return RulebookClock.wrap(uint160(where));
    }

    /// @notice The same clock of a rulebook whose data lies elsewhere now.
    function moveTo(RulebookClock self, address where) internal pure returns (RulebookClock) {
        return
            RulebookClock.wrap(
                ((RulebookClock.unwrap(self) >> _SUSPENDED_AT_SHIFT) << _SUSPENDED_AT_SHIFT) | uint160(where)
            );
    }

    /// @notice Where the rulebook's data lies; zero: it was never published.
    function blob(RulebookClock self) internal pure returns (address) {
        return address(uint160(RulebookClock.unwrap(self)));
    }

    /// @notice Whether the rulebook is suspended.
    function suspended(RulebookClock self) internal pure returns (bool) {
        return self.suspendedAt() != 0;
    }

    /// @notice When the present suspension began; zero: there is none.
    function suspendedAt(RulebookClock self) internal pure returns (uint256) {
        return uint40(RulebookClock.unwrap(self) >> _SUSPENDED_AT_SHIFT);
    }

    /// @notice Seconds of all suspensions up to `running`.
    function suspendedSeconds(RulebookClock self, uint256 running) internal pure returns (uint256 sum) {
        sum = uint40(RulebookClock.unwrap(self) >> _SUSPENDED_BEFORE_SHIFT);
        if (self.suspended()) sum += running - self.suspendedAt();
    }

    /// @notice The clock of a rulebook whose suspension begins at `running`.
    function suspend(RulebookClock self, uint256 running) internal pure returns (RulebookClock) {
        return RulebookClock.wrap(RulebookClock.unwrap(self) | (running << _SUSPENDED_AT_SHIFT));
    }

    /// @notice The clock of a rulebook whose suspension ends at `running`.
    function resume(RulebookClock self, uint256 running) internal pure returns (RulebookClock) {
        uint256 sum = self.suspendedSeconds(running);
        return RulebookClock.wrap(uint160(self.blob()) | (sum << _SUSPENDED_BEFORE_SHIFT));
    }
}
