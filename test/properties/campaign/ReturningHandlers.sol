// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GroupLines, RefundOrder} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {IRefundOrders} from "../../../contracts/interfaces/IRefundOrders.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";

/// @title ReturningHandlers
/// @notice Money on its way back to payers: reverse, reclaim, refund, refund by order.
abstract contract ReturningHandlers is Campaign {
    bytes32 private constant _REFUND_ORDER_TYPEHASH = keccak256(
        "RefundOrder(bytes32 batchId,address payee,uint256 upTo,uint256 deadline)"
    );

    function reverse(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 index = anyOpenBatch(random);
        GhostBatch storage batch = batches[index];
        (uint256 group, uint256 firstLine) = _groupWithOpenLines(random, batch);
        uint256 count = batch.groups[group].lineCount();
        uint256[] memory lines = _someOpenLines(random, batch.states, firstLine, count);
        Reasons memory reasons;
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        (bool ok, bytes memory returned) = callEscrow(
            batch.groups[group].payee(),
            _reverseData(batch, group, lines, lines.length != count || random.oneIn(4))
        );
        succeededRightly(ok, returned, reasons, "reverse");
        uint256 said = abi.decode(returned, (uint256));
        vm.assertEq(said, _freeInGhost(batch, group, firstLine, lines), "reverse: another amount");
        touch(index);
    }

    /// @dev Reclaims what is due; now and then waits until something is.
    function reclaim(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 index = anyOpenBatch(random);
        for (uint256 i = 0; i < 6 && clock <= attestByOf(batches[index]); ++i) index = anyOpenBatch(random);
        GhostBatch storage batch = batches[index];
        if (clock <= attestByOf(batch) && random.oneIn(3)) advance(attestByOf(batch) + 1);
        bool isStopped = isPausedFor(batch) || isSuspendedFor(batch);
        Reasons memory reasons;
        refusedIf(reasons, clock <= attestByOf(batch), IClaimEscrow.ReclaimTooEarly.selector);
        refusedIf(reasons, isStopped, IClaimEscrow.ReclaimWhileStopped.selector);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, abi.encodeCall(IClaimEscrow.reclaim, (batch.terms)));
        succeededRightly(ok, returned, reasons, "reclaim");
        vm.assertEq(abi.decode(returned, (uint256)), batch.open, "reclaim: another amount");
        reclaimInGhost(index);
    }

    function refundFromCredit(uint256 seed) external counted {
        _refund(RandomLib.from(seed), true);
    }

    function refundWithTokens(uint256 seed) external counted {
        _refund(RandomLib.from(seed), false);
    }

    /// @dev A payee signs that its credits repay, now and later; anybody brings it.
    function refundByOrder(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        GhostBatch storage batch = paidBatch(random);
        address payee = batch.groups[random.below(batch.groups.length)].payee();
        uint256 received = receivedBy(batch, payee);
        RefundOrder memory order = RefundOrder(payee, random.edgy(1, 2 * received + 1), clock + random.below(2 days));
        Reasons memory reasons;
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, orderData(batch, order, keyOf[payee]));
        succeededRightly(ok, returned, reasons, "refundByOrder");
        uint256 most = order.upTo < received ? order.upTo : received;
        uint256 amount = most > batch.refunded[payee] ? most - batch.refunded[payee] : 0;
        if (amount > credit[batch.terms.token][payee]) amount = credit[batch.terms.token][payee];
        vm.assertEq(abi.decode(returned, (uint256)), amount, "refundByOrder: another amount");
        vm.assume(amount != 0);
        batch.refunded[payee] += amount;
        credit[batch.terms.token][payee] -= amount;
        free[batch.terms.token][batch.terms.payer] += amount;
    }

    /// @dev What brings a refund order that the holder of `key` signed.
    function orderData(
        GhostBatch storage batch,
        RefundOrder memory order,
        uint256 key
    ) internal view returns (bytes memory) {
        bytes32 digest = digestOf(keccak256(abi.encode(_REFUND_ORDER_TYPEHASH, batch.id, order)));
        return
            abi.encodeCall(
                IRefundOrders.refundByOrder,
                (batch.terms, groupsOf(batch), batch.payments, order, sign(key, digest))
            );
    }

    /// @dev Frees these lines of a group in the ghost.
    function _freeInGhost(
        GhostBatch storage batch,
        uint256 group,
        uint256 firstLine,
        uint256[] memory lines
    ) private returns (uint256 amount) {
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 line = firstLine + lines[i];
            vm.assertEq(uint256(uint8(batch.states[line])), OPEN, "reverse: handler chose a closed line");
            batch.states[line] = bytes1(uint8(FREED));
        }
        uint256 count = batch.groups[group].lineCount();
        for (uint256 i = 0; i < lines.length; ++i) amount += amountAt(batch.amounts[group], lines[i], count);
        closeInGhost(batch, amount);
        returnInGhost(batch, group, amount);
    }

    /// @dev Frees every open line of the batch in the ghost.
    function reclaimInGhost(uint256 index) internal {
        GhostBatch storage batch = batches[index];
        bytes memory states = batch.states;
        for (uint256 i = 0; i < states.length; ++i) if (uint8(states[i]) == OPEN) states[i] = bytes1(uint8(FREED));
        batch.states = states;
        closeInGhost(batch, batch.open);
        for (uint256 g = 0; g < batch.groups.length; ++g) {
            uint256 gone = batch.groupPaid[g] + batch.groupFreed[g] + batch.groupHeld[g];
            returnInGhost(batch, g, batch.groups[g].subtotal() - gone);
        }
        touch(index);
    }

    function _refund(Random memory random, bool fromCredit) private {
        GhostBatch storage batch = paidBatch(random);
        address payee = batch.groups[random.below(batch.groups.length)].payee();
        address token = batch.terms.token;
        uint256 most = receivedBy(batch, payee) - batch.refunded[payee];
        if (fromCredit && credit[token][payee] < most) most = credit[token][payee];
        vm.assume(most != 0);
        uint256 amount = random.edgy(1, most);
        if (!fromCredit) TestStablecoin(token).mint(payee, amount);
        Reasons memory reasons;
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        (bool ok, bytes memory returned) = callEscrow(payee, refundData(batch, amount, fromCredit));
        succeededRightly(ok, returned, reasons, "refund");
        batch.refunded[payee] += amount;
        if (fromCredit) credit[token][payee] -= amount;
        free[token][batch.terms.payer] += amount;
    }

    function refundData(
        GhostBatch storage batch,
        uint256 amount,
        bool fromCredit
    ) internal view returns (bytes memory) {
        return abi.encodeCall(IClaimEscrow.refund, (batch.terms, groupsOf(batch), batch.payments, amount, fromCredit));
    }

    /// @dev A batch that paid somebody; discards the call if a few tries find none.
    function paidBatch(Random memory random) internal view returns (GhostBatch storage batch) {
        vm.assume(batches.length != 0);
        batch = batches[random.below(batches.length)];
        for (uint256 i = 0; i < 8 && batch.paid == 0; ++i) batch = batches[random.below(batches.length)];
        vm.assume(batch.paid != 0);
    }

    function _groupWithOpenLines(
        Random memory random,
        GhostBatch storage batch
    ) internal view returns (uint256 group, uint256 firstLine) {
        bytes memory states = batch.states;
        uint256 skip = random.below(batch.groups.length);
        for (uint256 round = 0; round < 2; ++round) {
            firstLine = 0;
            for (group = 0; group < batch.groups.length; ++group) {
                uint256 count = batch.groups[group].lineCount();
                if (group >= skip) {
                    for (uint256 i = 0; i < count; ++i)
                        if (uint8(states[firstLine + i]) == OPEN) return (group, firstLine);
                }
                firstLine += count;
            }
            skip = 0;
        }
        vm.assertTrue(false, "a batch with an open amount has no open line");
    }

    /// @dev At least one of the group's open lines; all of them one time in three.
    function _someOpenLines(
        Random memory random,
        bytes memory states,
        uint256 firstLine,
        uint256 count
    ) private pure returns (uint256[] memory lines) {
        lines = new uint256[](count);
        uint256 found = 0;
        bool all = random.oneIn(3);
        for (uint256 i = 0; i < count; ++i) {
            if (uint8(states[firstLine + i]) != OPEN) continue;
            if (all || found == 0 || random.oneIn(3)) lines[found++] = i;
        }
        assembly ("memory-safe") {
            mstore(lines, found)
        }
    }

    function _reverseData(
        GhostBatch storage batch,
        uint256 group,
        uint256[] memory lines,
        bool opened
    ) internal view returns (bytes memory) {
        GroupLines memory amounts;
        bytes32[] memory proof;
        if (opened) {
            bool[] memory which = new bool[](batch.groups.length);
            which[group] = true;
            amounts = linesOf(batch, group);
            proof = ManifestProofs.prove(leavesOf(batch), which, batch.detailsRoot);
        }
        Group[] memory groups = groupsOf(batch);
        return abi.encodeCall(IClaimEscrow.reverse, (batch.terms, groups, group, lines, amounts, proof));
    }
}
