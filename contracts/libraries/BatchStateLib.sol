// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The one slot of a claim batch. From the least significant bit: open amount (96 bits), amount paid (96 bits), reading
/// of the stop clock at funding (40 bits), number of lines (11 bits), whether it was funded (1 bit), whether closed lines are
/// kept (1 bit). The rest is room for later features.
/// @dev One word that is read and written as a whole; a struct of the same fields costs further reads and writes of the slot.
type BatchState is uint256;

using BatchStateLib for BatchState global;

/// @title BatchStateLib
/// @notice Reads and changes the parts of a {BatchState}.
library BatchStateLib {
    uint256 private constant _AMOUNT_MASK = type(uint96).max;
    uint256 private constant _PAID_SHIFT = 96;
    uint256 private constant _STOPPED_SHIFT = 192;
    uint256 private constant _LINES_SHIFT = 232;
    uint256 private constant _FUNDED = 1 << 243;
    uint256 private constant _TRACKED = 1 << 244;

    /// @notice State of a batch of `count` lines that was just funded, when the stop clock read `stopped`. The caller has checked
    /// that each part fits.
    function create(uint256 total, uint256 stopped, uint256 count) internal pure returns (BatchState) {
        return BatchState.wrap(total | (stopped << _STOPPED_SHIFT) | (count << _LINES_SHIFT) | _FUNDED);
    }

    /// @notice Amount of the open lines, in base units.
    function open(BatchState self) internal pure returns (uint256) {
        return BatchState.unwrap(self) & _AMOUNT_MASK;
    }

    /// @notice Amount credited to payees so far, in base units.
    function paid(BatchState self) internal pure returns (uint256) {
        return (BatchState.unwrap(self) >> _PAID_SHIFT) & _AMOUNT_MASK;
    }

    /// @notice Reading of the stop clock at funding, in seconds.
    function stoppedAtFunding(BatchState self) internal pure returns (uint256) {
        return (BatchState.unwrap(self) >> _STOPPED_SHIFT) & type(uint40).max;
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

    /// @notice The state after `amountPaid` went to payees and `amountFreed` to the payer, both out of the open amount.
    /// @dev The subtraction is checked: a batch that paid more than it holds would pay with other people's money. `paid` cannot
    /// leave its 96 bits, since open and paid together never exceed the total.
    function close(BatchState self, uint256 amountPaid, uint256 amountFreed) internal pure returns (BatchState) {
        uint256 left = self.open() - amountPaid - amountFreed;
        uint256 word = BatchState.unwrap(self) & ~_AMOUNT_MASK;
        return BatchState.wrap((word | left) + (amountPaid << _PAID_SHIFT));
    }

    /// @notice The state that says that closed lines are kept.
    function track(BatchState self) internal pure returns (BatchState) {
        return BatchState.wrap(BatchState.unwrap(self) | _TRACKED);
    }
}
