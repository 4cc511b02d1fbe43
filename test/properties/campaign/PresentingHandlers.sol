// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Presentation, Settlement} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IPresentations} from "../../../contracts/interfaces/IPresentations.sol";
import {IRulebooks} from "../../../contracts/interfaces/IRulebooks.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Vm} from "../support/Vm.sol";
import {Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";
import {GhostPresentation} from "./GhostCases.sol";
import {ReportingHandlers} from "./ReportingHandlers.sol";

/// @title PresentingHandlers
/// @notice Settlement in two steps: attestations in every form presented, and settled when nobody can dispute them any more.
abstract contract PresentingHandlers is ReportingHandlers {
    function present(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _present(newPlan(random, anyPresentable(random), random.oneIn(2)));
    }

    function presentStale(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _present(stalePlan(random, true));
    }

    function presentPacked(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _present(packedPlan(random, anyPresentable(random)));
    }

    function presentReported(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _present(reportedPlan(random, anyPresentable(random)));
    }

    /// @dev Settles what is due; now and then waits until something is.
    function settlePresented(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = anyPresentation(random, false);
        GhostPresentation storage said = presentations[id];
        GhostBatch storage batch = batches[said.index];
        if (clock <= challengeUntil(said) && random.oneIn(2)) advance(challengeUntil(said) + 1);
        Reasons memory reasons;
        refusedIf(reasons, isSuspendedFor(batch), IRulebooks.RulebookIsSuspended.selector);
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock <= challengeUntil(said), IPresentations.ChallengePeriodOpen.selector);
        vm.recordLogs();
        (bool ok, bytes memory returned) = callEscrow(STRANGER, settlePresentedData(batch, presentationIn(said)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        succeededRightly(ok, returned, reasons, "settlePresented");
        (uint256[] memory credited, uint256[] memory freed, uint256 retained) = settlePresentedInGhost(id);
        touch(said.index);
        (uint256 cursor, uint256 paid, uint256 back) = matchEvents(batch, credited, freed, logs, 0);
        vm.assertEq(nextGroupSettled(logs, cursor), logs.length, "settlePresented: an event too many");
        (uint256 saidPaid, uint256 saidFreed) = abi.decode(returned, (uint256, uint256));
        vm.assertEq(saidPaid, paid + retained, "settlePresented: paid another amount");
        vm.assertEq(saidFreed, back, "settlePresented: freed another amount");
    }

    function presentData(Settlement memory settlement) internal pure returns (bytes memory) {
        if (settlement.opened.groups.length == 0) {
            return
                abi.encodeCall(IPresentations.present, (settlement.batch, settlement.groups, settlement.attestation));
        }
        return
            abi.encodeCall(
                IPresentations.presentByLine,
                (settlement.batch, settlement.groups, settlement.attestation, settlement.opened)
            );
    }

    function settlePresentedData(
        GhostBatch storage batch,
        Presentation memory presentation
    ) internal view returns (bytes memory) {
        return abi.encodeCall(IPresentations.settlePresented, (batch.terms, groupsOf(batch), presentation));
    }

    /// @dev A presentation that can be disputed still, or that cannot, if a few tries find one.
    function anyPresentation(Random memory random, bool open) internal view returns (uint256 id) {
        vm.assume(livePresentations.length != 0);
        for (uint256 i = 0; i < 6; ++i) {
            id = livePresentations[random.below(livePresentations.length)];
            GhostPresentation storage said = presentations[id];
            if (open == (clock <= challengeUntil(said)) && !isStoppedFor(batches[said.index])) return id;
        }
    }

    function _present(Plan memory plan) internal {
        GhostBatch storage batch = batches[plan.index];
        bool any = batch.open != 0;
        Reasons memory reasons;
        if (any) reasons = reasonsOf(batch, plan.settlement.attestation);
        vm.recordLogs();
        (bool ok, bytes memory returned) = callEscrow(STRANGER, presentData(plan.settlement));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        succeededRightly(ok, returned, reasons, "present");
        uint256 sum = any ? presentInGhost(plan.index, plan.settlement.attestation.results, plan.opened) : 0;
        vm.assertEq(abi.decode(returned, (uint256)), sum, "present: another amount");
        touch(plan.index);
        if (sum == 0) {
            vm.assertEq(logs.length, 0, "present: an event of nothing");
            return;
        }
        uint256 id = presentations.length - 1;
        uint256 events = _matchPresented(batch, presentationIn(presentations[id]), logs);
        if (saysOf(batch).challengePeriod != 0) {
            vm.assertEq(logs.length, events, "present: an event too many");
            return;
        }
        (uint256[] memory credited, uint256[] memory freed, ) = settlePresentedInGhost(id);
        (uint256 cursor, , ) = matchEvents(batch, credited, freed, logs, 0);
        vm.assertEq(nextGroupSettled(logs, cursor), logs.length, "present: an event too many");
    }

    /// @return count Events that say what was presented.
    function _matchPresented(
        GhostBatch storage batch,
        Presentation memory presentation,
        Vm.Log[] memory logs
    ) private view returns (uint256 count) {
        vm.assertEq(logs[0].topics[0], IPresentations.ResultsPresented.selector, "present: another event");
        vm.assertEq(logs[0].topics[1], batch.id, "present: event of another batch");
        vm.assertEq(uint256(logs[0].topics[3]), presentation.firstLine, "present: another first line");
        vm.assertEq(logs[0].data, abi.encode(presentation.results), "present: other results");
        if (presentation.outcomes.length == 0) return 1;
        vm.assertEq(logs[1].topics[0], IPresentations.LinesPresented.selector, "present: another second event");
        vm.assertEq(uint256(logs[1].topics[2]), presentation.firstLine, "present: another first line");
        bytes memory data = abi.encode(presentation.lines, presentation.outcomes);
        vm.assertEq(logs[1].data, data, "present: other lines");
        return 2;
    }
}
