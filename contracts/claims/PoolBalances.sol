// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPools} from "../interfaces/IPools.sol";
import {Balances} from "../libraries/BalancesLib.sol";

/// @title PoolBalances
/// @notice Free balances and credits, as the escrow keeps them. See {IPools}.
abstract contract PoolBalances {
    /// @custom:storage-location erc7201:carepact.storage.Pools
    struct PoolsStorage {
        mapping(address token => mapping(address account => Balances)) balances;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Pools")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xb8b05b8e73ecb1e93e2a592caf297e26705dc86f4c3340a664833f9348dd2b00;

    /// @dev Balances of all accounts in `token`.
    function _balancesIn(address token) internal view returns (mapping(address account => Balances) storage) {
        return _pools().balances[token];
    }

    /// @dev Adds to the free balance of `payer`.
    function _addFree(address payer, address token, uint256 amount) internal {
        mapping(address => Balances) storage balances = _balancesIn(token);
        balances[payer] = balances[payer].addFree(amount);
    }

    /// @dev Adds to the credit of `payee`.
    function _addCredit(address payee, address token, uint256 amount) internal {
        mapping(address => Balances) storage balances = _balancesIn(token);
        balances[payee] = balances[payee].addCredit(amount);
    }

    /// @dev Takes from the free balance of `payer`.
    function _takeFree(address payer, address token, uint256 amount) internal {
        mapping(address => Balances) storage balances = _balancesIn(token);
        Balances before = balances[payer];
        if (before.free() < amount) revert IPools.FreeBalanceTooSmall(payer, token, before.free(), amount);
        balances[payer] = before.takeFree(amount);
    }

    /// @dev Takes from the credit of `payee`.
    function _takeCredit(address payee, address token, uint256 amount) internal {
        mapping(address => Balances) storage balances = _balancesIn(token);
        Balances before = balances[payee];
        if (before.credit() < amount) revert IPools.CreditTooSmall(payee, token, before.credit(), amount);
        balances[payee] = before.takeCredit(amount);
    }

    function _pools() private pure returns (PoolsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
