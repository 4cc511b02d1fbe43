// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPools} from "../interfaces/IPools.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {PoolBalances} from "./PoolBalances.sol";
import {StopClock} from "./StopClock.sol";

/// @title Pools
/// @notice See {IPools}. The only part that touches tokens.
abstract contract Pools is IPools, PoolBalances, StopClock, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IPools
    function deposit(address payer, address token, uint256 amount) external nonReentrant whenNotPaused {
        _deposit(payer, token, amount);
    }

    /// @inheritdoc IPools
    function depositWithPermit(
        address payer,
        address token,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(payer, token, amount);
    }

    /// @inheritdoc IPools
    function depositWithAuthorization(
        address payer,
        address token,
        address from,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant whenNotPaused {
        uint256 held = _checkDeposit(payer, token, amount);
        bytes32 nonce = keccak256(abi.encode(payer, salt));
        IERC3009(token).receiveWithAuthorization(from, address(this), amount, validAfter, validBefore, nonce, v, r, s);
        _bookDelivered(payer, token, amount, held);
        emit Deposited(token, payer, from, amount);
    }

    /// @inheritdoc IPools
    function withdraw(address token, uint256 amount, address to) external nonReentrant {
        if (amount == 0) revert AmountZero();
        _requireAccount(to);
        _takeFree(msg.sender, token, amount);
        emit Withdrawn(token, msg.sender, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IPools
    function payout(address token, address payee) external nonReentrant returns (uint256 amount) {
        amount = _balancesIn(token)[payee].credit();
        _payout(token, payee, amount, payee);
    }

    /// @inheritdoc IPools
    function payoutTo(address token, uint256 amount, address to) external nonReentrant {
        _payout(token, msg.sender, amount, to);
    }

    /// @inheritdoc IPools
    function balancesOf(address account, address token) public view returns (uint256 free, uint256 credit) {
        Balances balances = _balancesIn(token)[account];
        return (balances.free(), balances.credit());
    }

    /// @dev Pulls tokens of the caller into `payer`'s free balance. The caller holds the reentrancy guard.
    function _pullIntoFree(address payer, address token, uint256 amount) internal {
        uint256 held = _checkDeposit(payer, token, amount);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        _bookDelivered(payer, token, amount, held);
    }

    function _deposit(address payer, address token, uint256 amount) private {
        _pullIntoFree(payer, token, amount);
        emit Deposited(token, payer, msg.sender, amount);
    }

    /// @dev Takes `amount` of the credit and transfers it; a transfer that fails reverts and leaves the credit.
    function _payout(address token, address payee, uint256 amount, address to) private {
        if (amount == 0) revert AmountZero();
        _requireAccount(to);
        _takeCredit(payee, token, amount);
        emit PaidOut(token, payee, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @dev Books what the token delivered since the escrow held `held`, if it is what was asked for.
    function _bookDelivered(address payer, address token, uint256 amount, uint256 held) private {
        uint256 delivered = Math.saturatingSub(IERC20(token).balanceOf(address(this)), held);
        if (delivered != amount) revert TokenDeliveredOther(token, amount, delivered);
        _addFree(payer, token, amount);
    }

    /// @dev Checks what can be checked before tokens move, and reads what the escrow holds.
    function _checkDeposit(address payer, address token, uint256 amount) private view returns (uint256 held) {
        _requireAccount(payer);
        if (amount == 0) revert AmountZero();
        if (amount > type(uint96).max) revert AmountTooLarge(amount);
        return IERC20(token).balanceOf(address(this));
    }

    function _requireAccount(address account) private view {
        if (account == address(0) || account == address(this)) revert AccountInvalid(account);
    }
}
