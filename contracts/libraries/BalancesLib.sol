// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Money of one account in one token. From the least significant bit: free balance (112 bits), credit (112 bits), the
/// standing epoch up to which the account was found in good standing (31 bits, see {Standings}), and one bit at the top that is
/// set when money leaves, so that the slot never returns to zero: the next credit then costs 5,000 gas and not 22,100.
/// @dev One word that is read and written as a whole; a struct of the same fields reads the slot once more for each write.
type Balances is uint256;

using BalancesLib for Balances global;

/// @title BalancesLib
/// @notice Reads and changes the parts of {Balances}, in base units of the token.
library BalancesLib {
    uint256 private constant _BITS = 112;
    uint256 private constant _MASK = (1 << _BITS) - 1;
    uint256 private constant _VETTED_SHIFT = 224;
    uint256 private constant _VETTED_MASK = ((1 << 31) - 1) << _VETTED_SHIFT;
    uint256 private constant _USED = 1 << 255;

    /// @notice The sum would not fit 112 bits, which no honest token reaches.
    error BalanceOverflow(uint256 balance, uint256 added);

    /// @notice What the account can withdraw, or fund batches with.
    function free(Balances self) internal pure returns (uint256) {
        return Balances.unwrap(self) & _MASK;
    }

    /// @notice What the account earned and can be paid out.
    function credit(Balances self) internal pure returns (uint256) {
        return (Balances.unwrap(self) >> _BITS) & _MASK;
    }

    /// @notice Standing epoch up to which the account was found in good standing; zero: never.
    function vettedUntil(Balances self) internal pure returns (uint256) {
        return (Balances.unwrap(self) & _VETTED_MASK) >> _VETTED_SHIFT;
    }

    /// @notice Remembers that the account was found in good standing in `epoch`.
    function vet(Balances self, uint256 epoch) internal pure returns (Balances) {
        return Balances.wrap((Balances.unwrap(self) & ~_VETTED_MASK) | (epoch << _VETTED_SHIFT));
    }

    /// @notice Adds to the free balance.
    function addFree(Balances self, uint256 amount) internal pure returns (Balances) {
        if (amount > _MASK - self.free()) revert BalanceOverflow(self.free(), amount);
        // Just checked.
        unchecked {
            return Balances.wrap(Balances.unwrap(self) + amount);
        }
    }

    /// @notice Adds to the credit.
    function addCredit(Balances self, uint256 amount) internal pure returns (Balances) {
        if (amount > _MASK - self.credit()) revert BalanceOverflow(self.credit(), amount);
        // Just checked.
        unchecked {
            return Balances.wrap(Balances.unwrap(self) + (amount << _BITS));
        }
    }

    /// @notice Takes from the free balance. The caller has checked that it covers the amount.
    function takeFree(Balances self, uint256 amount) internal pure returns (Balances) {
        return Balances.wrap((Balances.unwrap(self) - amount) | _USED);
    }

    /// @notice Takes from the credit. The caller has checked that it covers the amount.
    function takeCredit(Balances self, uint256 amount) internal pure returns (Balances) {
        return Balances.wrap((Balances.unwrap(self) - (amount << _BITS)) | _USED);
    }
}
