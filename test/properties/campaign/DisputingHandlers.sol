// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, LineOpening, Presentation} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IDisputes} from "../../../contracts/interfaces/IDisputes.sol";
import {IRulebooks} from "../../../contracts/interfaces/IRulebooks.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";
import {GhostDispute, GhostPresentation} from "./GhostCases.sol";
import {PresentingHandlers} from "./PresentingHandlers.sol";

/// @title DisputingHandlers
/// @notice Lines frozen by either side, with a result and without, and how that ends: by a ruling, or by the default.
abstract contract DisputingHandlers is PresentingHandlers {
    function disputeByPayer(uint256 seed) external counted {
        _dispute(RandomLib.from(seed), true);
    }

    function disputeByPayee(uint256 seed) external counted {
        _dispute(RandomLib.from(seed), false);
    }

    /// @dev Now and then waits until a result is missing.
    function disputeMissing(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 index = _anyMissing(random);
        GhostBatch storage batch = batches[index];
        if (clock <= batch.terms.eventBy && batch.terms.eventBy - clock < 2 days) advance(batch.terms.eventBy + 1);
        (uint256 group, uint256 line) = anyOpenLine(random, batch);
        address payee = batch.groups[group].payee();
        Reasons memory reasons;
        bool inTime = clock > batch.terms.eventBy && clock <= attestByOf(batch);
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, !inTime, IDisputes.DisputeOutsideTime.selector);
        refusedIf(reasons, !_coverBond(random, batch, payee), IDisputes.BondNotCovered.selector);
        bytes memory data = disputeMissingData(batch, group, line);
        (bool ok, bytes memory returned) = callEscrow(payee, data);
        succeededRightly(ok, returned, reasons, "disputeMissing");
        disputeMissingInGhost(index, group, line);
        touch(index);
    }

    /// @dev A result arrives after all.
    function presentDisputed(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = _anyDisputed(random);
        GhostDispute storage ended = disputes[id];
        GhostBatch storage batch = batches[ended.index];
        bytes memory results = resultsFor(random, batch, ended.group, ended.place, ended.amount);
        Attestation memory attestation = attestationOf(random, ended.index, results);
        Reasons memory reasons = reasonsOf(batch, attestation);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, presentDisputedData(ended, attestation));
        succeededRightly(ok, returned, reasons, "presentDisputed");
        ended.attested = true;
        ended.attestedAmount = attestedOf(batch, attestation.results, ended.group, ended.line, ended.amount);
        touch(ended.index);
    }

    function resolve(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = anyDispute(random, true);
        GhostDispute storage ended = disputes[id];
        GhostBatch storage batch = batches[ended.index];
        uint256 award = random.edgy(0, ended.amount);
        if (random.oneIn(8)) award = ended.attestedAmount;
        Reasons memory reasons;
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock > resolveBy(ended), IDisputes.ArbiterTooLate.selector);
        (bool ok, bytes memory returned) = callEscrow(saysOf(batch).arbiter, resolveData(ended, award));
        succeededRightly(ok, returned, reasons, "resolve");
        resolveInGhost(id, award);
        touch(ended.index);
    }

    /// @dev Ends a dispute on which nobody ruled; now and then waits until that is so.
    function resolveByDefault(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = anyDispute(random, false);
        GhostDispute storage ended = disputes[id];
        GhostBatch storage batch = batches[ended.index];
        if (clock <= resolveBy(ended) && random.oneIn(2)) advance(resolveBy(ended) + 1);
        Reasons memory reasons;
        refusedIf(reasons, isSuspendedFor(batch), IRulebooks.RulebookIsSuspended.selector);
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock <= resolveBy(ended), IDisputes.ArbiterHasTime.selector);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, resolveByDefaultData(ended));
        succeededRightly(ok, returned, reasons, "resolveByDefault");
        uint256 award = defaultOf(ended);
        vm.assertEq(abi.decode(returned, (uint256)), award, "resolveByDefault: another award");
        resolveInGhost(id, award);
        touch(ended.index);
    }

    /// @dev These results, attested now.
    function attestationOf(
        Random memory random,
        uint256 index,
        bytes memory results
    ) internal view returns (Attestation memory attestation) {
        GhostBatch storage batch = batches[index];
        (attestation.observedAt, attestation.validUntil) = (uint40(clock), uint40(clock + random.below(2 days)));
        (attestation.evidence, attestation.results) = (bytes32(random.next()), results);
        attestation.signatures = attest(random, batch.terms.rulebook, batch.id, attestation);
    }

    /// @dev What holds if the arbiter stays silent.
    function defaultOf(GhostDispute storage ended) internal view returns (uint256) {
        if (ended.attested) return ended.attestedAmount;
        return saysOf(batches[ended.index]).forPayee ? ended.amount : 0;
    }

    function disputeData(
        GhostBatch storage batch,
        uint256 group,
        uint256 line,
        Presentation memory presentation
    ) internal view returns (bytes memory) {
        return
            abi.encodeCall(
                IDisputes.dispute,
                (batch.terms, groupsOf(batch), openingOf(batch, group, line), presentation)
            );
    }

    function disputeMissingData(
        GhostBatch storage batch,
        uint256 group,
        uint256 line
    ) internal view returns (bytes memory) {
        return abi.encodeCall(IDisputes.disputeMissing, (batch.terms, groupsOf(batch), openingOf(batch, group, line)));
    }

    function presentDisputedData(
        GhostDispute storage self,
        Attestation memory attestation
    ) internal view returns (bytes memory) {
        GhostBatch storage batch = batches[self.index];
        return
            abi.encodeCall(
                IDisputes.presentDisputed,
                (batch.terms, groupsOf(batch), attestation, self.group, self.line)
            );
    }

    function resolveData(GhostDispute storage self, uint256 award) internal view returns (bytes memory) {
        GhostBatch storage batch = batches[self.index];
        return abi.encodeCall(IDisputes.resolve, (batch.terms, groupsOf(batch), self.group, self.line, award));
    }

    function resolveByDefaultData(GhostDispute storage self) internal view returns (bytes memory) {
        GhostBatch storage batch = batches[self.index];
        return abi.encodeCall(IDisputes.resolveByDefault, (batch.terms, groupsOf(batch), self.group, self.line));
    }

    /// @dev A line with its amount; that of a group of one line is known.
    function openingOf(
        GhostBatch storage batch,
        uint256 group,
        uint256 line
    ) internal view returns (LineOpening memory opening) {
        (opening.group, opening.line) = (group, line);
        if (batch.groups[group].lineCount() == 1) return opening;
        bool[] memory which = new bool[](batch.groups.length);
        which[group] = true;
        opening.opened = linesOf(batch, group);
        opening.proof = ManifestProofs.prove(leavesOf(batch), which, batch.detailsRoot);
    }

    /// @dev A dispute on which the arbiter can rule still, or cannot, if a few tries find one.
    function anyDispute(Random memory random, bool open) internal view returns (uint256 id) {
        vm.assume(liveDisputes.length != 0);
        for (uint256 i = 0; i < 6; ++i) {
            id = liveDisputes[random.below(liveDisputes.length)];
            GhostDispute storage made = disputes[id];
            if (open == (clock <= resolveBy(made)) && !isStoppedFor(batches[made.index])) return id;
        }
    }

    function anyOpenLine(
        Random memory random,
        GhostBatch storage batch
    ) internal view returns (uint256 group, uint256 line) {
        bytes memory states = batch.states;
        uint256 place = random.below(states.length);
        while (uint8(states[place]) != OPEN) place = (place + 1) % states.length;
        return lineAt(batch, place);
    }

    /// @dev Results that say something final of one line, and perhaps of others.
    function resultsFor(
        Random memory random,
        GhostBatch storage batch,
        uint256 group,
        uint256 place,
        uint256 amount
    ) internal view returns (bytes memory) {
        Outcome memory outcome = PlainResults.empty(batch.groups.length, batch.states.length);
        for (uint256 g = 0; g < outcome.groups.length; ++g) outcome.groups[g] = random.below(3);
        outcome.groups[group] = random.between(1, 3);
        outcome.lines[place] = random.between(1, amount == 1 ? 2 : 3);
        if (outcome.lines[place] == PARTED) outcome.parts[place] = random.edgy(1, amount - 1);
        return PlainResults.pack(outcome, countsOf(batch.groups));
    }

    function _dispute(Random memory random, bool byPayer) private {
        uint256 id = anyPresentation(random, true);
        GhostPresentation storage said = presentations[id];
        uint256 index = said.index;
        GhostBatch storage batch = batches[index];
        (uint256 group, uint256 line) = lineAt(batch, anyLineOf(random, said.lines));
        address by = byPayer ? batch.terms.payer : batch.groups[group].payee();
        // Who is both disputes as the payer.
        bool asPayer = by == batch.terms.payer;
        Reasons memory reasons;
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock > challengeUntil(said), IDisputes.ChallengePeriodOver.selector);
        refusedIf(reasons, !_coverBond(random, batch, by), IDisputes.BondNotCovered.selector);
        bytes memory data = disputeData(batch, group, line, presentationIn(said));
        (bool ok, bytes memory returned) = callEscrow(by, data);
        succeededRightly(ok, returned, reasons, "dispute");
        disputeInGhost(id, group, line, asPayer);
        touch(index);
    }

    /// @dev One of the lines whose bit is set.
    function anyLineOf(Random memory random, uint256[] memory lines) internal pure returns (uint256 line) {
        uint256 count = 256 * lines.length;
        line = random.below(count);
        while ((lines[line / 256] >> (line % 256)) & 1 == 0) line = (line + 1) % count;
    }

    /// @dev Sees to it, most of the time, that somebody can lock the bond, and says whether it can.
    function _coverBond(Random memory random, GhostBatch storage batch, address by) private returns (bool) {
        (address token, uint256 bond) = (batch.terms.token, saysOf(batch).bond);
        uint256 has = free[token][by] + credit[token][by];
        // One time in two the credit has to serve.
        if (has < bond && !random.oneIn(8)) topUp(by, token, random.oneIn(2) ? bond : bond - has);
        return free[token][by] + credit[token][by] >= bond;
    }

    /// @dev A batch with open lines whose results are missing, if a few tries find one.
    function _anyMissing(Random memory random) private view returns (uint256 index) {
        bool found = false;
        uint256 soonest = type(uint256).max;
        for (uint256 i = 0; i < 12; ++i) {
            uint256 tried = anyOpenBatch(random);
            GhostBatch storage batch = batches[tried];
            if (saysOf(batch).arbiter == address(0) || clock > attestByOf(batch) || isPausedFor(batch)) continue;
            if (batch.terms.eventBy >= soonest) continue;
            (index, found, soonest) = (tried, true, batch.terms.eventBy);
            if (clock > soonest) return index;
        }
        vm.assume(found);
    }

    /// @dev A dispute of a line without a result, one for which a result would be in time, if a few tries find one.
    function _anyDisputed(Random memory random) private view returns (uint256 id) {
        vm.assume(liveDisputes.length != 0);
        bool found = false;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 tried = liveDisputes[random.below(liveDisputes.length)];
            if (disputes[tried].attested) continue;
            (id, found) = (tried, true);
            GhostBatch storage batch = batches[disputes[tried].index];
            if (clock <= attestByOf(batch) && !isStoppedFor(batch)) return id;
        }
        vm.assume(found);
    }
}
