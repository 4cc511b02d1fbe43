// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Campaign} from "./Campaign.sol";
import {Checks} from "./Checks.sol";
import {ForgingCases} from "./ForgingCases.sol";
import {ForgingHandlers} from "./ForgingHandlers.sol";
import {FundingHandlers} from "./FundingHandlers.sol";
import {GhostBatch, Pots} from "./Ghost.sol";
import {GhostDispute, GhostPresentation, GhostRetention} from "./GhostCases.sol";
import {PoolHandlers} from "./PoolHandlers.sol";
import {StoppingHandlers} from "./StoppingHandlers.sol";

/// @title Handlers
/// @notice All handlers of a campaign, and what has to hold after each of their calls.
contract Handlers is PoolHandlers, FundingHandlers, ForgingHandlers, ForgingCases, StoppingHandlers, Checks {
    /// @notice Everybody could take all of their money out: a trial that is taken back.
    error EverybodyLeft();

    constructor(bool large) Campaign(large) {}

    /// @notice Handlers for forge to call; those that come twice are called twice as often.
    function selectors() external pure returns (bytes4[] memory list) {
        list = new bytes4[](96);
        uint256 i = 0;
        (list[i++], list[i++], list[i++]) = (this.fund.selector, this.fund.selector, this.fundBySignature.selector);
        (list[i++], list[i++]) = (this.fundUnderMandate.selector, this.fundBySignature.selector);
        (list[i++], list[i++], list[i++]) = (this.fund.selector, this.settle.selector, this.settleMany.selector);
        (list[i++], list[i++]) = (this.settleByLine.selector, this.settleByLine.selector);
        (list[i++], list[i++]) = (this.settleStale.selector, this.settleForged.selector);
        (list[i++], list[i++]) = (this.settlePacked.selector, this.settleReported.selector);
        (list[i++], list[i++]) = (this.present.selector, this.present.selector);
        (list[i++], list[i++], list[i++]) = (this.present.selector, this.presentStale.selector, this.present.selector);
        (list[i++], list[i++]) = (this.presentPacked.selector, this.presentReported.selector);
        (list[i++], list[i++]) = (this.settlePresented.selector, this.settlePresented.selector);
        (list[i++], list[i++]) = (this.disputeByPayer.selector, this.disputeByPayee.selector);
        (list[i++], list[i++]) = (this.disputeMissing.selector, this.disputeMissing.selector);
        (list[i++], list[i++]) = (this.presentDisputed.selector, this.disputeByPayee.selector);
        (list[i++], list[i++]) = (this.resolve.selector, this.resolveByDefault.selector);
        (list[i++], list[i++]) = (this.recoup.selector, this.release.selector);
        (list[i++], list[i++]) = (this.settleDirectly.selector, this.forgePresentation.selector);
        (list[i++], list[i++]) = (this.forgeRuling.selector, this.forgeRetention.selector);
        (list[i++], list[i++]) = (this.forgeOrder.selector, this.refundByOrder.selector);
        (list[i++], list[i++]) = (this.overreach.selector, this.overreach.selector);
        (list[i++], list[i++]) = (this.reverse.selector, this.reclaim.selector);
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
        checkMoney();
        for (uint256 i = 0; i < touched.length; ++i) {
            checkBatch(batches[touched[i]]);
            checkCasesOf(touched[i]);
        }
        // What no call touched is looked at in turn; its amounts, by the sum, every time.
        if (batches.length != 0) checkBatch(batches[calls % batches.length]);
        checkCasesInTurn(calls);
        checkViews(calls % ACCOUNTS);
        _tryToLeave(calls % ACCOUNTS, 1);
    }

    /// @notice What has to hold at the end of a run: whatever was done, everybody can bring every batch to zero and leave.
    function finish() external {
        _checkAll();
        _tryToLeave(0, ACCOUNTS);
        // The roles do their worst, from now on for ever.
        for (uint256 i = 0; i < suspendable.length; ++i) {
            if (suspended[suspendable[i]]) continue;
            vm.prank(SUSPENDER);
            rulebooks.suspend(suspendable[i]);
            suspended[suspendable[i]] = true;
        }
        uint256 since = clock;
        while (openBatches.length != 0) _finishBatch(openBatches[0], since);
        while (livePresentations.length != 0) _finishPresentation(livePresentations[0], since);
        while (liveDisputes.length != 0) _finishDispute(liveDisputes[0], since);
        while (liveRetentions.length != 0) _finishRetention(liveRetentions[0], since);
        _checkAll();
        _letEverybodyLeave(0, ACCOUNTS);
        for (uint256 t = 0; t < tokens.length; ++t) {
            Pots storage pot = pots[address(tokens[t])];
            same(pot.open + pot.presented + pot.frozen + pot.retained + pot.bonds, 0, "finish: something waits");
            same(tokens[t].balanceOf(address(escrow)), donated[address(tokens[t])], "finish: money of nobody");
        }
    }

    /// @notice Tries whether `count` accounts from `first` on can take all of their money out; always reverts.
    function tryToLeave(uint256 first, uint256 count) external {
        _letEverybodyLeave(first, count);
        revert EverybodyLeft();
    }

    function _checkAll() private view {
        checkMoney();
        for (uint256 i = 0; i < batches.length; ++i) checkBatch(batches[i]);
        uint256 most = livePresentations.length;
        if (liveDisputes.length > most) most = liveDisputes.length;
        if (liveRetentions.length > most) most = liveRetentions.length;
        for (uint256 i = 0; i < most; ++i) checkCasesInTurn(i);
        for (uint256 i = 0; i < ACCOUNTS; ++i) checkViews(i);
    }

    function _finishBatch(uint256 index, uint256 since) private {
        GhostBatch storage batch = batches[index];
        _waitFor(batch, batch.terms.eventBy + grace[batch.terms.rulebook], since);
        vm.prank(STRANGER);
        same(escrow.reclaim(batch.terms), batch.open, "finish: reclaimed another amount");
        reclaimInGhost(index);
    }

    function _finishPresentation(uint256 id, uint256 since) private {
        GhostPresentation storage said = presentations[id];
        GhostBatch storage batch = batches[said.index];
        _waitFor(batch, said.start + saysOf(batch).challengePeriod, since);
        vm.prank(STRANGER);
        receiver.settlePresented(batch.terms, groupsOf(batch), presentationIn(said));
        settlePresentedInGhost(id);
    }

    function _finishDispute(uint256 id, uint256 since) private {
        GhostDispute storage made = disputes[id];
        GhostBatch storage batch = batches[made.index];
        _waitFor(batch, made.start + saysOf(batch).arbiterDeadline, since);
        vm.prank(STRANGER);
        uint256 award = receiver.resolveByDefault(batch.terms, groupsOf(batch), made.group, made.line);
        same(award, defaultOf(made), "finish: another award");
        resolveInGhost(id, award);
    }

    function _finishRetention(uint256 id, uint256 since) private {
        GhostRetention storage made = retentions[id];
        GhostBatch storage batch = batches[made.index];
        _waitFor(batch, made.start + saysOf(batch).lookBack, since);
        vm.prank(STRANGER);
        uint256 amount = receiver.release(batch.terms, retentionIn(made));
        same(amount, releaseInGhost(id), "finish: released another amount");
    }

    /// @dev Waits until anybody can end what was due at `due`: invariant 5 says how long that takes at most.
    function _waitFor(GhostBatch storage batch, uint256 due, uint256 since) private {
        if (due < since) due = since;
        if (clock <= due + MAX_STOPPED) _waitPausing(due + MAX_STOPPED + 1);
        // A suspension that reached the cap stands in nobody's way. A pause lapses, and the next may not follow at once.
        if (isPausedFor(batch)) advance(pausedUntil);
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
}
