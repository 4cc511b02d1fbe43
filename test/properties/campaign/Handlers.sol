// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimBatchStatus} from "../../../contracts/interfaces/ClaimTypes.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {Campaign} from "./Campaign.sol";
import {ForgingHandlers} from "./ForgingHandlers.sol";
import {FundingHandlers} from "./FundingHandlers.sol";
import {GhostBatch} from "./Ghost.sol";
import {PoolHandlers} from "./PoolHandlers.sol";
import {ReportingHandlers} from "./ReportingHandlers.sol";
import {StoppingHandlers} from "./StoppingHandlers.sol";

/// @title Handlers
/// @notice All handlers of a campaign, and what has to hold after each of their calls.
contract Handlers is PoolHandlers, FundingHandlers, ForgingHandlers, ReportingHandlers, StoppingHandlers {
    /// @notice Everybody could take all of their money out: a trial that is taken back.
    error EverybodyLeft();

    constructor(bool large) Campaign(large) {}

    /// @notice Handlers for forge to call; those that come twice are called twice as often.
    function selectors() external pure returns (bytes4[] memory list) {
        list = new bytes4[](48);
        uint256 i = 0;
        (list[i++], list[i++], list[i++]) = (this.fund.selector, this.fund.selector, this.fundBySignature.selector);
        (list[i++], list[i++]) = (this.fundUnderMandate.selector, this.fundBySignature.selector);
        (list[i++], list[i++], list[i++]) = (this.settle.selector, this.settle.selector, this.settleMany.selector);
        (list[i++], list[i++]) = (this.settleByLine.selector, this.settleByLine.selector);
        (list[i++], list[i++]) = (this.settleStale.selector, this.settleForged.selector);
        (list[i++], list[i++]) = (this.settlePacked.selector, this.settleReported.selector);
        (list[i++], list[i++]) = (this.overreach.selector, this.overreach.selector);
        (list[i++], list[i++], list[i++]) = (this.reverse.selector, this.reclaim.selector, this.reclaim.selector);
        (list[i++], list[i++]) = (this.refundFromCredit.selector, this.refundWithTokens.selector);
        (list[i++], list[i++]) = (this.deposit.selector, this.depositWithPermit.selector);
        (list[i++], list[i++]) = (this.depositWithAuthorization.selector, this.donate.selector);
        (list[i++], list[i++], list[i++]) = (this.withdraw.selector, this.payout.selector, this.payoutTo.selector);
        (list[i++], list[i++]) = (this.pause.selector, this.unpause.selector);
        (list[i++], list[i++]) = (this.suspendRulebook.selector, this.resumeRulebook.selector);
        (list[i++], list[i++]) = (this.loseStanding.selector, this.regainStanding.selector);
        (list[i++], list[i++]) = (this.passTime.selector, this.passTime.selector);
        assembly ("memory-safe") {
            mstore(list, i)
        }
    }

    /// @notice What has to hold at every moment.
    function check() external {
        _checkMoney();
        for (uint256 i = 0; i < touched.length; ++i) _checkBatch(batches[touched[i]]);
        // What no call touched is looked at in turn; its open amount, by the sum, every time.
        if (batches.length != 0) _checkBatch(batches[calls % batches.length]);
        vm.assertTrue(escrow.paused() == isPaused(), "paused, or not, against the clock");
        _tryToLeave(calls % ACCOUNTS, 1);
    }

    /// @notice What has to hold at the end of a run: whatever was done, everybody can bring every batch to zero and leave.
    function finish() external {
        for (uint256 i = 0; i < batches.length; ++i) _checkBatch(batches[i]);
        _tryToLeave(0, ACCOUNTS);
        // The roles do their worst, from now on for ever.
        for (uint256 i = 0; i < 2; ++i) {
            if (suspended[rules[i]]) continue;
            vm.prank(SUSPENDER);
            rulebooks.suspend(rules[i]);
            suspended[rules[i]] = true;
        }
        uint256 since = clock;
        while (openBatches.length != 0) {
            uint256 index = openBatches[0];
            GhostBatch storage batch = batches[index];
            uint256 due = batch.terms.eventBy + grace[batch.terms.rulebook];
            if (due < since) due = since;
            if (clock <= due + MAX_STOPPED) _waitPausing(due + MAX_STOPPED + 1);
            // A suspension that reached the cap stands in nobody's way. A pause lapses, and the next may not follow at once.
            if (isPausedFor(batch)) advance(pausedUntil);
            vm.prank(STRANGER);
            uint256 amount = escrow.reclaim(batch.terms);
            vm.assertEq(amount, batch.open, "finish: reclaimed another amount");
            reclaimInGhost(index);
        }
        for (uint256 i = 0; i < batches.length; ++i) _checkBatch(batches[i]);
        _checkMoney();
        _letEverybodyLeave(0, ACCOUNTS);
        for (uint256 t = 0; t < tokens.length; ++t) {
            uint256 left = tokens[t].balanceOf(address(escrow));
            vm.assertEq(left, donated[address(tokens[t])], "finish: money of nobody");
        }
    }

    /// @notice Tries whether `count` accounts from `first` on can take all of their money out; always reverts.
    function tryToLeave(uint256 first, uint256 count) external {
        _letEverybodyLeave(first, count);
        revert EverybodyLeft();
    }

    function _tryToLeave(uint256 first, uint256 count) private {
        try this.tryToLeave(first, count) {} catch (bytes memory reason) {
            if (bytes4(reason) != EverybodyLeft.selector) bubble(reason);
        }
    }

    /// @dev Free balances leave by their owners, credits by anybody.
    function _letEverybodyLeave(uint256 first, uint256 count) private {
        for (uint256 i = first; i < first + count; ++i) {
            address account = accounts[i % ACCOUNTS];
            for (uint256 t = 0; t < tokens.length; ++t) {
                address token = address(tokens[t]);
                if (free[token][account] != 0) {
                    vm.prank(account);
                    escrow.withdraw(token, free[token][account], account);
                }
                if (credit[token][account] != 0) escrow.payout(token, account);
            }
        }
    }

    /// @dev Waits until `to`, paused as often and as long as can be, and paused at the end if that can be.
    function _waitPausing(uint256 to) private {
        uint256 step = MAX_PAUSE + PAUSE_COOLDOWN;
        while (clock < to) {
            if (!isPaused() && clock >= _nextPauseFrom()) {
                escrow.pause();
                pausedUntil = clock + MAX_PAUSE;
            }
            advance(clock + step < to ? clock + step : to);
        }
    }

    /// @dev Invariant 1, with every balance as the ghost has it.
    function _checkMoney() private view {
        for (uint256 t = 0; t < tokens.length; ++t) {
            TestStablecoin token = tokens[t];
            uint256 sum = donated[address(token)];
            for (uint256 i = 0; i < accounts.length; ++i) {
                (uint256 isFree, uint256 isCredit) = escrow.balancesOf(accounts[i], address(token));
                _same(isFree, free[address(token)][accounts[i]], "a free balance moved");
                _same(isCredit, credit[address(token)][accounts[i]], "a credit moved");
                sum += isFree + isCredit;
            }
            for (uint256 i = 0; i < openBatches.length; ++i) {
                GhostBatch storage batch = batches[openBatches[i]];
                if (batch.terms.token == address(token)) sum += escrow.claimBatchStatusOf(batch.id).open;
            }
            _same(
                token.balanceOf(address(escrow)),
                sum,
                "invariant 1: the escrow's balance is not the sum of its parts"
            );
        }
    }

    /// @dev Invariants 2 and 3.
    function _checkBatch(GhostBatch storage batch) private view {
        ClaimBatchStatus memory status = escrow.claimBatchStatusOf(batch.id);
        vm.assertTrue(status.funded, "a batch was forgotten");
        _same(status.open, batch.open, "invariant 2: another amount is open");
        _same(
            batch.paid + batch.freed + batch.open,
            batch.terms.total,
            "invariant 2: paid + freed + open is not the total"
        );
        vm.assertTrue(status.paidInFull == batch.paidInFull, "paid in full, or not");
        _same(status.stoppedAtFunding, batch.stoppedAtFunding, "the stop clock at funding");
        _same(escrow.attestByOf(batch.terms), attestByOf(batch), "attestBy");
        for (uint256 g = 0; g < batch.groups.length; ++g) {
            uint256 closed = batch.groupPaid[g] + batch.groupFreed[g];
            vm.assertLe(closed, batch.groups[g].subtotal(), "invariant 3: a group above its subtotal");
        }
        if (batch.open != 0) _checkLines(batch);
    }

    /// @dev Invariant 3: a line is closed exactly if the ghost closed it, which it does once.
    function _checkLines(GhostBatch storage batch) private view {
        bytes memory states = batch.states;
        for (uint256 word = 0; 256 * word < states.length; ++word) {
            uint256 expected = 0;
            for (uint256 i = 256 * word; i < 256 * (word + 1) && i < states.length; ++i) {
                if (uint8(states[i]) != OPEN) expected |= 1 << (i % 256);
            }
            _same(escrow.closedLinesOf(batch.id, word), expected, "invariant 3: another line is closed");
        }
    }

    function _same(uint256 actual, uint256 expected, string memory what) private pure {
        if (actual != expected) vm.assertEq(actual, expected, what);
    }
}
