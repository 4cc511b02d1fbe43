// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Settlement} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {IRulebooks} from "../../../contracts/interfaces/IRulebooks.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {Vm} from "../support/Vm.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";

/// @title SettlingHandlers
/// @notice Attestations in every form: first and later ones, in agreement and in conflict, stale, for many batches at once.
abstract contract SettlingHandlers is Campaign {
    /// @dev One settlement before it is sent.
    /// @param index Of the batch.
    /// @param opened By group, whether its line amounts are handed in.
    struct Plan {
        uint256 index;
        bool[] opened;
        Settlement settlement;
    }

    /// @dev Results as they are drawn. One pointer, so that the compiler's stack suffices wherever it puts this code.
    /// @param firstLine At which the group at work begins.
    struct Drawing {
        Random random;
        Outcome outcome;
        uint256 firstLine;
    }

    /// @dev Attestations kept of a batch, to be brought again later.
    uint256 private constant _KEPT = 3;

    function settle(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _settle(newPlan(random, anySettleable(random), false));
    }

    function settleByLine(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _settle(newPlan(random, anySettleable(random), true));
    }

    /// @dev Brings an attestation that was made before: what it settled then is closed, and it may have been overtaken since.
    function settleStale(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _settle(stalePlan(random, false));
    }

    /// @dev Settles up to four batches, some of them twice, some of them in vain.
    function settleMany(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        Plan[] memory plans = new Plan[](random.between(1, 4));
        bool[] memory forged = new bool[](plans.length);
        Settlement[] memory settlements = new Settlement[](plans.length);
        for (uint256 i = 0; i < plans.length; ++i) {
            uint256 index = i != 0 && random.oneIn(3) ? plans[i - 1].index : _anyFor(random);
            plans[i] = newPlan(random, index, random.oneIn(2));
            settlements[i] = plans[i].settlement;
            forged[i] = random.oneIn(4);
            if (forged[i]) settlements[i].attestation.evidence = ~settlements[i].attestation.evidence;
        }
        vm.recordLogs();
        bool[] memory settled = escrow.settleMany(settlements);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 cursor = 0;
        bool any = false;
        for (uint256 i = 0; i < plans.length; ++i) {
            GhostBatch storage batch = batches[plans[i].index];
            bool good = !forged[i] && !isPresented(batch.terms.rulebook);
            bool expected = batch.open == 0 || (good && reasonsOf(batch, plans[i].settlement.attestation).count == 0);
            vm.assertTrue(settled[i] == expected, "settleMany: settled or skipped wrongly");
            if (!settled[i]) continue;
            any = true;
            (cursor, , ) = _settledInGhost(plans[i], logs, cursor);
        }
        vm.assertEq(nextGroupSettled(logs, cursor), logs.length, "settleMany: an event too many");
        vm.assume(any);
    }

    /// @dev Mostly one that settles at once; the others have to be skipped.
    function _anyFor(Random memory random) private view returns (uint256 index) {
        return random.oneIn(8) ? anyOpenBatch(random) : anySettleable(random);
    }

    /// @dev An attestation that was made before, of a batch that may have no open lines.
    function stalePlan(Random memory random, bool presented) internal view returns (Plan memory plan) {
        vm.assume(batches.length != 0);
        uint256 index = random.below(batches.length);
        for (uint256 i = 0; i < 6; ++i) {
            if (!random.oneIn(4)) index = presented ? anyPresentable(random) : anySettleable(random);
            if (batches[index].attestations.length != 0) break;
        }
        GhostBatch storage batch = batches[index];
        vm.assume(batch.attestations.length != 0 && isPresented(batch.terms.rulebook) == presented);
        plan = _planOf(random, index, random.oneIn(2));
        plan.settlement.attestation = batch.attestations[random.below(batch.attestations.length)];
    }

    /// @dev Results for a random batch, signed by its attesters, and whatever line amounts a caller might hand in.
    function newPlan(Random memory random, uint256 index, bool byLine) internal returns (Plan memory plan) {
        plan = _planOf(random, index, byLine);
        GhostBatch storage batch = batches[index];
        Attestation memory attestation = plan.settlement.attestation;
        attestation.observedAt = uint40(clock - random.edgy(0, 2 days));
        attestation.validUntil = uint40(clock + random.edgy(0, 40 days));
        attestation.evidence = bytes32(random.next());
        attestation.results = _newResults(random, batch);
        attestation.signatures = attest(random, batch.terms.rulebook, batch.id, attestation);
        if (batch.attestations.length < _KEPT) batch.attestations.push(attestation);
        else batch.attestations[random.below(_KEPT)] = attestation;
    }

    /// @dev A settlement of the batch without its attestation.
    function _planOf(Random memory random, uint256 index, bool byLine) internal view returns (Plan memory plan) {
        GhostBatch storage batch = batches[index];
        plan.index = index;
        plan.opened = new bool[](batch.groups.length);
        if (byLine) {
            uint256 share = random.between(1, 4);
            for (uint256 g = 0; g < plan.opened.length; ++g) plan.opened[g] = random.below(4) < share;
        }
        Settlement memory settlement = plan.settlement;
        (settlement.batch, settlement.groups) = (batch.terms, groupsOf(batch));
        settlement.opened = open(batch, plan.opened);
    }

    /// @dev Why an attestation should not settle the batch, besides being forged.
    function reasonsOf(
        GhostBatch storage batch,
        Attestation memory attestation
    ) internal view returns (Reasons memory reasons) {
        refusedIf(reasons, isSuspendedFor(batch), IRulebooks.RulebookIsSuspended.selector);
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock > attestByOf(batch), IClaimEscrow.AttestationTooLate.selector);
        refusedIf(reasons, clock > attestation.validUntil, IClaimEscrow.AttestationExpired.selector);
        refusedIf(reasons, clock < attestation.observedAt, IClaimEscrow.AttestationFromFuture.selector);
    }

    function settleData(Settlement memory settlement) internal pure returns (bytes memory) {
        if (settlement.opened.groups.length == 0) {
            return abi.encodeCall(IClaimEscrow.settle, (settlement.batch, settlement.groups, settlement.attestation));
        }
        return
            abi.encodeCall(
                IClaimEscrow.settleByLine,
                (settlement.batch, settlement.groups, settlement.attestation, settlement.opened)
            );
    }

    function _settle(Plan memory plan) internal {
        GhostBatch storage batch = batches[plan.index];
        Reasons memory reasons;
        if (batch.open != 0) reasons = reasonsOf(batch, plan.settlement.attestation);
        vm.recordLogs();
        (bool ok, bytes memory returned) = callEscrow(STRANGER, settleData(plan.settlement));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        succeededRightly(ok, returned, reasons, "settle");
        (uint256 cursor, uint256 paid, uint256 freed) = _settledInGhost(plan, logs, 0);
        vm.assertEq(nextGroupSettled(logs, cursor), logs.length, "settle: an event too many");
        (uint256 saidPaid, uint256 saidFreed) = abi.decode(returned, (uint256, uint256));
        vm.assertEq(saidPaid, paid, "settle: paid another amount");
        vm.assertEq(saidFreed, freed, "settle: freed another amount");
    }

    /// @dev Settles in the ghost what the plan should have settled, and holds the events from `cursor` on against it.
    function _settledInGhost(
        Plan memory plan,
        Vm.Log[] memory logs,
        uint256 cursor
    ) private returns (uint256, uint256, uint256) {
        GhostBatch storage batch = batches[plan.index];
        if (batch.open == 0) return (cursor, 0, 0);
        (uint256[] memory paid, uint256[] memory freed) = settleInGhost(
            batch,
            plan.settlement.attestation.results,
            plan.opened
        );
        touch(plan.index);
        return matchEvents(batch, paid, freed, logs, cursor);
    }

    /// @dev Holds the events from `cursor` on against what each group was paid and freed of.
    function matchEvents(
        GhostBatch storage batch,
        uint256[] memory paid,
        uint256[] memory freed,
        Vm.Log[] memory logs,
        uint256 cursor
    ) internal view returns (uint256 next, uint256 allPaid, uint256 allFreed) {
        next = cursor;
        for (uint256 g = 0; g < paid.length; ++g) {
            if (paid[g] + freed[g] == 0) continue;
            (allPaid, allFreed) = (allPaid + paid[g], allFreed + freed[g]);
            next = nextGroupSettled(logs, next);
            vm.assertLt(next, logs.length, "settle: an event too few");
            Vm.Log memory log = logs[next++];
            (uint256 saidPaid, uint256 saidFreed) = abi.decode(log.data, (uint256, uint256));
            vm.assertEq(log.topics[1], batch.id, "settle: event of another batch");
            vm.assertEq(address(uint160(uint256(log.topics[2]))), batch.groups[g].payee(), "settle: another payee");
            vm.assertEq(saidPaid, paid[g], "settle: group was paid another amount");
            vm.assertEq(saidFreed, freed[g], "settle: group was freed of another amount");
        }
    }

    function nextGroupSettled(Vm.Log[] memory logs, uint256 from) internal pure returns (uint256 next) {
        for (next = from; next < logs.length; ++next) {
            if (logs[next].topics[0] == IClaimEscrow.GroupSettled.selector) return next;
        }
    }

    function _newResults(Random memory random, GhostBatch storage batch) private view returns (bytes memory) {
        Group[] memory groups = batch.groups;
        Drawing memory drawing = Drawing(random, PlainResults.empty(groups.length, batch.states.length), 0);
        bool allMet = random.oneIn(5);
        for (uint256 g = 0; g < groups.length; ++g) {
            uint256 code = allMet ? 1 : random.below(5);
            // By line twice as often as the rest.
            drawing.outcome.groups[g] = code < 3 ? code : 3;
            if (code >= 3) _addLineResults(drawing, batch.amounts[g], groups[g].lineCount());
            drawing.firstLine += groups[g].lineCount();
        }
        return PlainResults.pack(drawing.outcome, countsOf(groups));
    }

    function _addLineResults(Drawing memory drawing, bytes memory amounts, uint256 count) private pure {
        // Some attestations know most lines, some only a few.
        uint256 pendingShare = drawing.random.below(16);
        for (uint256 i = 0; i < count; ++i) {
            if (drawing.random.below(16) < pendingShare) continue;
            _addLineResult(drawing, drawing.firstLine + i, amountAt(amounts, i, count));
        }
    }

    function _addLineResult(Drawing memory drawing, uint256 line, uint256 amount) private pure {
        uint256 code = drawing.random.between(1, 3);
        if (code == 3 && amount == 1) code = 1;
        if (code == 3) drawing.outcome.parts[line] = drawing.random.edgy(1, amount - 1);
        drawing.outcome.lines[line] = code;
    }
}
