// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPools} from "../../../contracts/interfaces/IPools.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";

/// @title PoolHandlers
/// @notice Money in and out: deposit, withdraw, payout, and tokens sent by hand.
abstract contract PoolHandlers is Campaign {
    bytes32 private constant _PERMIT_TYPEHASH = keccak256(
        "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant _RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    function deposit(uint256 seed) external counted {
        (Random memory random, address payer, TestStablecoin token, address from, uint256 amount) = _newDeposit(seed);
        random;
        _deposited(from, abi.encodeCall(IPools.deposit, (payer, address(token), amount)), payer, token, amount);
    }

    function depositWithPermit(uint256 seed) external counted {
        (Random memory random, address payer, TestStablecoin token, address from, uint256 amount) = _newDeposit(seed);
        uint256 deadline = clock + random.below(1 days);
        bytes32 permit = keccak256(
            abi.encode(_PERMIT_TYPEHASH, from, address(escrow), amount, token.nonces(from), deadline)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[from], _digest(token, permit));
        // Without an allowance only the permit can serve; with one, somebody may have used the permit before.
        vm.prank(from);
        token.approve(address(escrow), 0);
        if (random.oneIn(4)) token.permit(from, address(escrow), amount, deadline, v, r, s);
        _deposited(
            from,
            abi.encodeCall(IPools.depositWithPermit, (payer, address(token), amount, deadline, v, r, s)),
            payer,
            token,
            amount
        );
        vm.prank(from);
        token.approve(address(escrow), type(uint256).max);
    }

    function depositWithAuthorization(uint256 seed) external counted {
        (Random memory random, address payer, TestStablecoin token, address from, uint256 amount) = _newDeposit(seed);
        // Even if forge calls twice with one seed, an authorization is good once.
        bytes32 salt = keccak256(abi.encode(random.next(), calls));
        bytes32 authorization = keccak256(
            abi.encode(
                _RECEIVE_TYPEHASH,
                from,
                address(escrow),
                amount,
                clock - 1,
                clock + 1 days,
                keccak256(abi.encode(payer, salt))
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf[from], _digest(token, authorization));
        bytes memory data = abi.encodeCall(
            IPools.depositWithAuthorization,
            (payer, address(token), from, amount, clock - 1, clock + 1 days, salt, v, r, s)
        );
        // Whoever brings the authorization, it cannot credit another than the payer that it was signed for.
        bytes memory stolen = abi.encodeCall(
            IPools.depositWithAuthorization,
            (STRANGER, address(token), from, amount, clock - 1, clock + 1 days, salt, v, r, s)
        );
        (bool ok, ) = callEscrow(STRANGER, stolen);
        vm.assertFalse(ok, "depositWithAuthorization: credited another payer");
        _deposited(STRANGER, data, payer, token, amount);
    }

    /// @dev Tokens sent by hand belong to nobody and disturb nobody.
    function donate(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        TestStablecoin token = anyToken(random);
        uint256 amount = random.edgy(1, 1e9);
        token.mint(STRANGER, amount);
        vm.prank(STRANGER);
        token.transfer(address(escrow), amount);
        donated[address(token)] += amount;
    }

    function withdraw(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        (address account, address token) = anyRich(random, free);
        uint256 amount = random.edgy(1, free[token][account]);
        // Most keep most of it, so that there is something to fund batches with.
        if (!random.oneIn(4)) amount = 1 + amount / 16;
        uint256 before = TestStablecoin(token).balanceOf(account);
        (bool ok, bytes memory returned) = callEscrow(
            account,
            abi.encodeCall(IPools.withdraw, (token, amount, account))
        );
        succeededAlways(ok, returned);
        free[token][account] -= amount;
        vm.assertEq(TestStablecoin(token).balanceOf(account), before + amount, "withdraw: another amount arrived");
    }

    function payout(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        (address account, address token) = anyRich(random, credit);
        uint256 before = TestStablecoin(token).balanceOf(account);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, abi.encodeCall(IPools.payout, (token, account)));
        succeededAlways(ok, returned);
        uint256 arrived = TestStablecoin(token).balanceOf(account) - before;
        vm.assertEq(arrived, credit[token][account], "payout: another amount arrived");
        credit[token][account] = 0;
    }

    function payoutTo(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        (address account, address token) = anyRich(random, credit);
        uint256 amount = random.edgy(1, credit[token][account]);
        address to = anyAccount(random);
        uint256 before = TestStablecoin(token).balanceOf(to);
        (bool ok, bytes memory returned) = callEscrow(account, abi.encodeCall(IPools.payoutTo, (token, amount, to)));
        succeededAlways(ok, returned);
        credit[token][account] -= amount;
        vm.assertEq(TestStablecoin(token).balanceOf(to), before + amount, "payoutTo: another amount arrived");
    }

    /// @dev No pause, suspension or role stands between people and their own money.
    function succeededAlways(bool ok, bytes memory returned) internal pure {
        if (!ok) bubble(returned);
    }

    function _newDeposit(
        uint256 seed
    ) private returns (Random memory random, address payer, TestStablecoin token, address from, uint256 amount) {
        random = RandomLib.from(seed);
        (payer, token, from) = (anyPayer(random), anyToken(random), anyAccount(random));
        amount = random.edgy(1, 10_000 * 10 ** token.decimals());
        token.mint(from, amount);
    }

    function _deposited(
        address caller,
        bytes memory data,
        address payer,
        TestStablecoin token,
        uint256 amount
    ) private {
        Reasons memory reasons;
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        (bool ok, bytes memory returned) = callEscrow(caller, data);
        succeededRightly(ok, returned, reasons, "deposit");
        free[address(token)][payer] += amount;
    }

    function _digest(TestStablecoin token, bytes32 structHash) private view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
    }
}
