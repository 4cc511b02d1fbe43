// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The one slot of a claim batch. From the least significant bit: open amount (96 bits), hash over its payments (96 bits),
/// reading of the stop clock at funding (40 bits), number of lines (11 bits), and one bit each: funded, closed lines are kept,
/// paid in full by one round. The rest is room for later features.
/// @dev One word that is read and written as a whole; a struct of the same fields costs further reads and writes of the slot.
type BatchState is uint256;

using BatchStateLib for BatchState global;

/// @title BatchStateLib
/// @notice Reads and changes the parts of a {BatchState}.
library BatchStateLib {
    uint256 private constant _OPEN_MASK = type(uint96).max;
    uint256 private constant _PAYMENTS_SHIFT = 96;
    uint256 private constant _PAYMENTS_MASK = uint256(type(uint96).max) << _PAYMENTS_SHIFT;
    uint256 private constant _STOPPED_SHIFT = 192;
    uint256 private constant _LINES_SHIFT = 232;
    uint256 private constant _FUNDED = 1 << 243;
    uint256 private constant _TRACKED = 1 << 244;
    uint256 private constant _PAID_IN_FULL = 1 << 245;

    /// @notice State of a batch of `count` lines that was just funded, when the stop clock read `stopped`. The caller has checked
    /// that each part fits.
    function create(uint256 total, uint256 stopped, uint256 count) internal pure returns (BatchState) {
        return BatchState.wrap(total | (stopped << _STOPPED_SHIFT) | (count << _LINES_SHIFT) | _FUNDED);
    }

    /// @notice Amount of the open lines, in base units.
    function open(BatchState self) internal pure returns (uint256) {
        return BatchState.unwrap(self) & _OPEN_MASK;
    }

    /// @notice Hash over all payments so far, in order; zero: there were none, or one round paid the batch in full.
    /// @dev 96 bits in this slot in place of 256 in another, which would cost a batch settled in parts 22,100 gas. Who forged a
    /// list of payments could refund more than it received, out of its own pocket.
    function paymentsHash(BatchState self) internal pure returns (uint256) {
        return (BatchState.unwrap(self) & _PAYMENTS_MASK) >> _PAYMENTS_SHIFT;
    }

    /// @notice Reading of the stop clock at funding, in seconds.
    function stoppedAtFunding(BatchState self) internal pure returns (uint256) {
        return uint40(BatchState.unwrap(self) >> _STOPPED_SHIFT);
    }

    /// @notice Number of lines in all groups.
    function lines(BatchState self) internal pure returns (uint256) {
        return (BatchState.unwrap(self) >> _LINES_SHIFT) & 0x7ff;
    }

    /// @notice Whether the batch was ever funded.
    function funded(BatchState self) internal pure returns (bool) {
        return BatchState.unwrap(self) & _FUNDED != 0;
    }

    /// @notice Whether some lines were closed while others stayed open, so that the closed ones are kept in a bitmap.
    function tracked(BatchState self) internal pure returns (bool) {
        return BatchState.unwrap(self) & _TRACKED != 0;
    }

    /// @notice Whether one round paid every line in full.
    function paidInFull(BatchState self) internal pure returns (bool) {
        return BatchState.unwrap(self) & _PAID_IN_FULL != 0;
    }

    /// @notice The state after `amount` of the open amount went to payees or the payer.
    /// @dev Checked: a batch that paid more than it holds would pay with other people's money.
    function close(BatchState self, uint256 amount) internal pure returns (BatchState) {
        uint256 left = self.open() - amount;
        return BatchState.wrap((BatchState.unwrap(self) & ~_OPEN_MASK) | left);
    }

    /// @notice The state with another hash over its payments.
    function recordPayments(BatchState self, uint256 hash) internal pure returns (BatchState) {
        return BatchState.wrap((BatchState.unwrap(self) & ~_PAYMENTS_MASK) | (hash << _PAYMENTS_SHIFT));
    }

    /// @notice The state of a batch that one round paid in full.
    function payInFull(BatchState self) internal pure returns (BatchState) {
        return BatchState.wrap(BatchState.unwrap(self) | _PAID_IN_FULL);
    }

    /// @notice The state that says that closed lines are kept.
    function track(BatchState self) internal pure returns (BatchState) {
        return BatchState.wrap(BatchState.unwrap(self) | _TRACKED);
    }
}
