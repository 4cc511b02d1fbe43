// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Presentation, RefundOrder, Retention} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {IDisputes} from "../../../contracts/interfaces/IDisputes.sol";
import {IPools} from "../../../contracts/interfaces/IPools.sol";
import {IPresentations} from "../../../contracts/interfaces/IPresentations.sol";
import {IRefundOrders} from "../../../contracts/interfaces/IRefundOrders.sol";
import {IRetentions} from "../../../contracts/interfaces/IRetentions.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {DisputingHandlers} from "./DisputingHandlers.sol";
import {GhostBatch} from "./Ghost.sol";
import {GhostDispute, GhostPresentation, GhostRetention} from "./GhostCases.sol";
import {RetainingHandlers} from "./RetainingHandlers.sol";
import {ReturningHandlers} from "./ReturningHandlers.sol";

/// @title ForgingCases
/// @notice What must never work of presentations, disputes, retentions and refund orders. Each call has to fail, by the right error.
abstract contract ForgingCases is DisputingHandlers, RetainingHandlers, ReturningHandlers {
    /// @dev The right attestation, by the wrong way.
    function settleDirectly(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        bool presented = !random.oneIn(4);
        uint256 index = presented ? anyPresentable(random) : anySettleable(random);
        bool reported = random.oneIn(3);
        Plan memory plan = reported ? reportedPlan(random, index) : newPlan(random, index, random.oneIn(2));
        vm.assume(reasonsOf(batches[index], plan.settlement.attestation).count == 0);
        bytes memory data = presented ? settleData(plan.settlement) : presentData(plan.settlement);
        bytes4 err = IPresentations.PresentationNotAsked.selector;
        if (presented) {
            err = reported ? IClaimEscrow.NotReported.selector : IClaimEscrow.SignatureCountWrong.selector;
        }
        (bool ok, bytes memory returned) = callEscrow(STRANGER, data);
        refused(ok, returned, err, "settlement by the wrong way");
    }

    /// @dev A presentation that is not, or not any more, or not yet.
    function forgePresentation(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        vm.assume(presentations.length != 0);
        uint256 id = random.below(presentations.length);
        if (random.oneIn(2)) id = anyPresentation(random, random.oneIn(2));
        GhostPresentation storage said = presentations[id];
        GhostBatch storage batch = batches[said.index];
        vm.assume(!isStoppedFor(batch));
        (uint256 group, uint256 line) = lineAt(batch, anyLineOf(random, said.lines));
        if (said.live && random.oneIn(3)) {
            _misusePresentation(random, said, group, line);
            return;
        }
        // One that settled or changed since is refused as it is.
        Presentation memory forged = presentationIn(said);
        if (said.live) _forge(random, said, forged);
        bytes4 err = IPresentations.PresentationMismatch.selector;
        (bool ok, bytes memory returned) = callEscrow(STRANGER, settlePresentedData(batch, forged));
        refused(ok, returned, err, "settlement of a forged presentation");
        (ok, returned) = callEscrow(batch.terms.payer, disputeData(batch, group, line, forged));
        refused(ok, returned, err, "dispute of a forged presentation");
    }

    /// @dev Rulings by others, twice, above the amount, too late; defaults too early.
    function forgeRuling(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        vm.assume(disputes.length != 0);
        uint256 id = random.oneIn(3) ? random.below(disputes.length) : anyDispute(random, random.oneIn(2));
        GhostDispute storage made = disputes[id];
        GhostBatch storage batch = batches[made.index];
        vm.assume(!isStoppedFor(batch));
        address arbiter = saysOf(batch).arbiter;
        address other = arbiter == ARBITER ? accounts[3] : ARBITER;
        (bool ok, bytes memory returned) = callEscrow(other, resolveData(made, 0));
        refused(ok, returned, IDisputes.NotArbiter.selector, "ruling by another arbiter");
        (ok, returned) = callEscrow(batch.terms.payer, resolveData(made, 0));
        refused(ok, returned, IDisputes.NotArbiter.selector, "ruling by the payer");
        bool due = clock > resolveBy(made);
        (ok, returned) = callEscrow(arbiter, resolveData(made, made.amount + 1 + random.below(9)));
        bytes4 err = due ? IDisputes.ArbiterTooLate.selector : IDisputes.AwardTooLarge.selector;
        if (!made.live) err = IDisputes.LineNotDisputed.selector;
        refused(ok, returned, err, "ruling above the amount");
        if (!made.live || due) {
            (ok, returned) = callEscrow(arbiter, resolveData(made, random.below(made.amount + 1)));
            err = made.live ? IDisputes.ArbiterTooLate.selector : IDisputes.LineNotDisputed.selector;
            refused(ok, returned, err, "second ruling, or a late one");
        }
        if (!made.live || !due) {
            (ok, returned) = callEscrow(STRANGER, resolveByDefaultData(made));
            err = made.live ? IDisputes.ArbiterHasTime.selector : IDisputes.LineNotDisputed.selector;
            refused(ok, returned, err, "second ruling, or an early default");
        }
        _attestAgain(random, made);
    }

    /// @dev More than is retained, by another than the arbiter, too late, or too early; twice.
    function forgeRetention(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        vm.assume(retentions.length != 0);
        uint256 id = random.oneIn(3) ? random.below(retentions.length) : anyRetention(random, random.oneIn(2));
        GhostRetention storage made = retentions[id];
        GhostBatch storage batch = batches[made.index];
        vm.assume(!isPausedFor(batch));
        uint256 at = random.below(made.amounts.length);
        uint256 more = uint96(made.amounts[at]) + random.edgy(1, 1e6);
        bool due = clock > recoupUntil(made);
        bytes4 gone = IRetentions.RetentionMismatch.selector;
        (bool ok, bytes memory returned) = callEscrow(batch.terms.payer, recoupData(made, at, 1));
        refused(ok, returned, IDisputes.NotArbiter.selector, "recoupment by the payer");
        (ok, returned) = callEscrow(ARBITER, recoupData(made, at, more));
        bytes4 err = due ? IRetentions.LookBackOver.selector : IRetentions.RecoupTooLarge.selector;
        refused(ok, returned, made.live ? err : gone, "recoupment beyond the retention");
        (ok, returned) = callEscrow(ARBITER, recoupData(made, at, 0));
        err = due ? IRetentions.LookBackOver.selector : IPools.AmountZero.selector;
        refused(ok, returned, made.live ? err : gone, "recoupment of nothing");
        if (!made.live || !due) {
            (ok, returned) = callEscrow(STRANGER, releaseData(made));
            refused(ok, returned, made.live ? IRetentions.LookBackOpen.selector : gone, "second or early release");
        }
        Retention memory forged = retentionIn(made);
        if (random.oneIn(2)) forged.firstLine += 1_000;
        else forged.amounts[at] += random.between(1, 1e6);
        (ok, returned) = callEscrow(STRANGER, abi.encodeCall(IRetentions.release, (batch.terms, forged)));
        refused(ok, returned, gone, "release of a forged retention");
    }

    /// @dev Orders that another signed, that are over, for payments that never were.
    function forgeOrder(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        vm.assume(!isPaused());
        GhostBatch storage batch = paidBatch(random);
        address payee = batch.groups[random.below(batch.groups.length)].payee();
        RefundOrder memory order = RefundOrder(payee, random.edgy(1, 1e12), clock + random.below(2 days));
        (bool ok, bytes memory returned) = callEscrow(STRANGER, orderData(batch, order, random.next() >> 1));
        refused(ok, returned, IRefundOrders.RefundOrderInvalid.selector, "refund order by another");
        order.deadline = clock - random.between(1, 1 days);
        (ok, returned) = callEscrow(STRANGER, orderData(batch, order, keyOf[payee]));
        refused(ok, returned, IRefundOrders.RefundOrderExpired.selector, "refund order after its time");
        if (batch.paidInFull) return;
        order.deadline = clock;
        uint256 at = random.below(batch.payments.length);
        uint256 kept = batch.payments[at];
        batch.payments[at] = kept ^ (1 << random.below(256));
        bytes memory data = orderData(batch, order, keyOf[payee]);
        batch.payments[at] = kept;
        (ok, returned) = callEscrow(STRANGER, data);
        refused(ok, returned, IClaimEscrow.PaymentsMismatch.selector, "refund of what was never paid");
    }

    /// @dev Settled too early, disputed by others, too late, a line of it that is not in it, or beyond its group.
    function _misusePresentation(
        Random memory random,
        GhostPresentation storage said,
        uint256 group,
        uint256 line
    ) private {
        GhostBatch storage batch = batches[said.index];
        Presentation memory presentation = presentationIn(said);
        bytes memory data = disputeData(batch, group, line, presentation);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, data);
        refused(ok, returned, IDisputes.NotParty.selector, "dispute by a stranger");
        address other = batch.groups[random.below(batch.groups.length)].payee();
        if (other != batch.groups[group].payee() && other != batch.terms.payer) {
            (ok, returned) = callEscrow(other, data);
            refused(ok, returned, IDisputes.NotParty.selector, "dispute of another payee's line");
        }
        if (clock > challengeUntil(said)) {
            (ok, returned) = callEscrow(batch.terms.payer, data);
            refused(ok, returned, IDisputes.ChallengePeriodOver.selector, "dispute after the challenge period");
            return;
        }
        (ok, returned) = callEscrow(STRANGER, settlePresentedData(batch, presentation));
        refused(ok, returned, IPresentations.ChallengePeriodOpen.selector, "settlement before its time");
        uint256 place = random.below(batch.states.length);
        if ((said.lines[place / 256] >> (place % 256)) & 1 == 1) return;
        (group, line) = lineAt(batch, place);
        (ok, returned) = callEscrow(batch.terms.payer, disputeData(batch, group, line, presentation));
        refused(ok, returned, IDisputes.LineNotPresented.selector, "dispute of a line that is not presented");
    }

    /// @dev Another payment, another line, another name, or words moved between the lists.
    function _forge(Random memory random, GhostPresentation storage said, Presentation memory forged) private view {
        (forged.lines, forged.outcomes) = (said.lines, said.outcomes);
        uint256 kind = random.below(6);
        uint256 at = random.below(forged.outcomes.length);
        if (kind == 0) forged.outcomes[at] += random.oneIn(2) ? 1 : 1 << 96;
        else if (kind == 1) forged.lines[0] ^= 1 << random.below(256);
        else if (kind == 2) forged.firstLine += 1_000;
        else if (kind == 3) forged.results = bytes.concat(forged.results, hex"00");
        else if (kind == 4) _shift(forged);
        else if (said.plain)
            (forged.lines, forged.outcomes) = (new uint256[](0), new uint256[](forged.outcomes.length));
        else (forged.lines, forged.outcomes) = (new uint256[](0), new uint256[](0));
    }

    /// @dev The last word of the lines becomes the first of the outcomes.
    function _shift(Presentation memory forged) private pure {
        (uint256[] memory lines, uint256[] memory outcomes) = (forged.lines, forged.outcomes);
        forged.lines = new uint256[](lines.length - 1);
        forged.outcomes = new uint256[](outcomes.length + 1);
        for (uint256 i = 0; i < forged.lines.length; ++i) forged.lines[i] = lines[i];
        forged.outcomes[0] = lines[lines.length - 1];
        for (uint256 i = 0; i < outcomes.length; ++i) forged.outcomes[i + 1] = outcomes[i];
    }

    /// @dev A result for a line that has one, or is in dispute no more; results that say nothing of it.
    function _attestAgain(Random memory random, GhostDispute storage made) private {
        if (clock > attestByOf(batches[made.index])) return;
        bytes memory results = made.live && !made.attested ? _nothingOf(made) : _anythingOf(random, made);
        Attestation memory attestation = attestationOf(random, made.index, results);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, presentDisputedData(made, attestation));
        bytes4 err = made.attested ? IDisputes.DisputeAlreadyAttested.selector : IDisputes.ResultPending.selector;
        if (!made.live) err = IDisputes.LineNotDisputed.selector;
        refused(ok, returned, err, "result of a line that waits for none");
    }

    function _anythingOf(Random memory random, GhostDispute storage made) private view returns (bytes memory) {
        return resultsFor(random, batches[made.index], made.group, made.place, made.amount);
    }

    function _nothingOf(GhostDispute storage made) private view returns (bytes memory) {
        return new bytes((batches[made.index].groups.length + 3) / 4);
    }
}
