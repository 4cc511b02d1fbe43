// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Presentation, Retention} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {Ghost, GhostBatch} from "./Ghost.sol";

/// @notice What a rulebook says of challenges, disputes and retention, as it was published.
/// @param forPayee Whether the default is for the payee where no result is attested.
struct RulebookSays {
    uint256 challengePeriod;
    address arbiter;
    uint256 arbiterDeadline;
    bool forPayee;
    uint256 bond;
    uint256 retentionBps;
    uint256 lookBack;
}

/// @notice A presentation as it stands, or stood until it settled or a line of it was disputed.
/// @param index Of the batch.
/// @param start When its period began, less the seconds for which the batch was stopped before.
/// @param plain Whether it is handed in without lines and outcomes, because its results say them.
struct GhostPresentation {
    uint256 index;
    bool live;
    uint256 start;
    bool plain;
    bytes results;
    uint256[] lines;
    uint256[] outcomes;
}

/// @notice A line in dispute, or one that was.
/// @param line In its group.
/// @param place In the batch.
/// @param contested What its payee would have been paid, had nobody disputed it.
struct GhostDispute {
    uint256 index;
    bool live;
    uint256 start;
    uint256 group;
    uint256 line;
    uint256 place;
    uint256 amount;
    bool byPayer;
    bool attested;
    uint256 attestedAmount;
    uint256 contested;
}

/// @notice A retention as it stands, or stood until it was released or a part of it recouped.
struct GhostRetention {
    uint256 index;
    bool live;
    uint256 start;
    uint256 firstLine;
    uint256[] amounts;
}

/// @title GhostCases
/// @notice The second set of books where something waits: presentations, disputes, retentions.
abstract contract GhostCases is Ghost {
    mapping(bytes32 rulebook => RulebookSays) internal says;

    GhostPresentation[] internal presentations;
    GhostDispute[] internal disputes;
    GhostRetention[] internal retentions;
    /// @dev Indices of those that still wait.
    uint256[] internal livePresentations;
    uint256[] internal liveDisputes;
    uint256[] internal liveRetentions;

    /// @dev Whether attestations under the rulebook have to be presented.
    function isPresented(bytes32 rulebook) internal view returns (bool) {
        return says[rulebook].challengePeriod != 0 || says[rulebook].retentionBps != 0;
    }

    function saysOf(GhostBatch storage batch) internal view returns (RulebookSays storage) {
        return says[batch.terms.rulebook];
    }

    function challengeUntil(GhostPresentation storage self) internal view returns (uint256) {
        GhostBatch storage batch = batches[self.index];
        return self.start + saysOf(batch).challengePeriod + stoppedOf(batch);
    }

    function resolveBy(GhostDispute storage self) internal view returns (uint256) {
        GhostBatch storage batch = batches[self.index];
        return self.start + saysOf(batch).arbiterDeadline + stoppedOf(batch);
    }

    function recoupUntil(GhostRetention storage self) internal view returns (uint256) {
        GhostBatch storage batch = batches[self.index];
        return self.start + saysOf(batch).lookBack + stoppedOf(batch);
    }

    /// @dev The presentation as it is handed in.
    function presentationIn(GhostPresentation storage self) internal view returns (Presentation memory said) {
        said.firstLine = lowestOf(self.lines);
        said.results = self.results;
        if (!self.plain) (said.lines, said.outcomes) = (self.lines, self.outcomes);
    }

    function retentionIn(GhostRetention storage self) internal view returns (Retention memory) {
        return Retention(self.firstLine, self.amounts);
    }

    /// @dev Lowest line of those whose bit is set.
    function lowestOf(uint256[] memory lines) internal pure returns (uint256 line) {
        while (lines[line / 256] == 0) line += 256;
        while ((lines[line / 256] >> (line % 256)) & 1 == 0) ++line;
    }

    /// @dev Presents in the ghost what the results say of lines that are still open and whose amounts are known.
    /// @return sum What was presented. If that is nothing, there is no presentation.
    function presentInGhost(uint256 index, bytes memory results, bool[] memory opened) internal returns (uint256 sum) {
        GhostBatch storage batch = batches[index];
        bytes memory before = batch.states;
        (uint256[] memory paid, uint256[] memory freed) = judgeInGhost(batch, results, opened);
        uint256[] memory outcomes = new uint256[](paid.length);
        for (uint256 g = 0; g < paid.length; ++g) {
            outcomes[g] = (paid[g] << 96) | freed[g];
            sum += paid[g] + freed[g];
        }
        if (sum == 0) return 0;
        GhostPresentation storage made = presentations.push();
        (made.index, made.live, made.start) = (index, true, clock - stoppedOf(batch));
        made.results = results;
        made.outcomes = outcomes;
        made.lines = _changed(before, batch.states);
        made.plain = batch.open == batch.terms.total && !_anyByLine(results, paid.length);
        livePresentations.push(presentations.length - 1);
        for (uint256 g = 0; g < paid.length; ++g) {
            if (outcomes[g] != 0) batch.groupHeld[g] += paid[g] + freed[g];
        }
        batch.presented += sum;
        pots[batch.terms.token].presented += sum;
        closeInGhost(batch, sum);
    }

    /// @dev Settles a presentation in the ghost.
    /// @return credited By group, without what is retained.
    /// @return freed By group.
    function settlePresentedInGhost(
        uint256 id
    ) internal returns (uint256[] memory credited, uint256[] memory freed, uint256 retained) {
        GhostPresentation storage ended = presentations[id];
        GhostBatch storage batch = batches[ended.index];
        uint256[] memory outcomes = ended.outcomes;
        (credited, freed) = (new uint256[](outcomes.length), new uint256[](outcomes.length));
        uint256[] memory amounts = new uint256[](outcomes.length);
        uint256 count = 0;
        uint256 sum = 0;
        for (uint256 g = 0; g < outcomes.length; ++g) {
            if (outcomes[g] == 0) continue;
            (uint256 paid, uint256 back) = (outcomes[g] >> 96, uint96(outcomes[g]));
            uint256 share = (paid * saysOf(batch).retentionBps) / 10_000;
            (credited[g], freed[g]) = (paid - share, back);
            batch.groupHeld[g] -= paid - share + back;
            if (share != 0) amounts[count++] = wordOf(batch.groups[g].payee(), share);
            retained += share;
            sum += paid + back;
        }
        batch.presented -= sum;
        pots[batch.terms.token].presented -= sum;
        bookInGhost(batch, credited, freed);
        _endPresentation(id);
        if (count != 0) {
            assembly ("memory-safe") {
                mstore(amounts, count)
            }
            batch.retained += retained;
            pots[batch.terms.token].retained += retained;
            _keepRetention(ended.index, lowestOf(ended.lines), clock - stoppedOf(batch), amounts);
        }
    }

    /// @dev Takes a line out of a presentation, and freezes it.
    function disputeInGhost(uint256 id, uint256 group, uint256 line, bool byPayer) internal {
        GhostPresentation storage from = presentations[id];
        GhostBatch storage batch = batches[from.index];
        GhostDispute storage made = _freeze(from.index, group, line, byPayer);
        uint256 paid = attestedOf(batch, from.results, group, line, made.amount);
        (made.attested, made.attestedAmount, made.contested) = (true, paid, paid);
        batch.presented -= made.amount;
        pots[batch.terms.token].presented -= made.amount;
        _endPresentation(id);

        uint256[] memory lines = from.lines;
        lines[made.place / 256] ^= 1 << (made.place % 256);
        uint256 left = 0;
        for (uint256 i = 0; i < lines.length; ++i) left |= lines[i];
        if (left == 0) return;
        GhostPresentation storage next = presentations.push();
        (next.index, next.live, next.start) = (from.index, true, from.start);
        next.results = from.results;
        next.outcomes = from.outcomes;
        next.lines = lines;
        next.outcomes[group] -= (paid << 96) | (made.amount - paid);
        livePresentations.push(presentations.length - 1);
    }

    /// @dev Freezes an open line.
    function disputeMissingInGhost(uint256 index, uint256 group, uint256 line) internal {
        GhostBatch storage batch = batches[index];
        GhostDispute storage made = _freeze(index, group, line, false);
        batch.states[made.place] = bytes1(uint8(FREED));
        batch.groupHeld[group] += made.amount;
        closeInGhost(batch, made.amount);
    }

    /// @dev Ends a dispute.
    /// @return payerWins Whether the payer gets the bond.
    function resolveInGhost(uint256 id, uint256 award) internal returns (bool payerWins) {
        GhostDispute storage ended = disputes[id];
        GhostBatch storage batch = batches[ended.index];
        address token = batch.terms.token;
        ended.live = false;
        _remove(liveDisputes, id);
        batch.frozen -= ended.amount;
        pots[token].frozen -= ended.amount;
        batch.groupHeld[ended.group] -= ended.amount;
        if (award != 0) payInGhost(batch, ended.group, award);
        returnInGhost(batch, ended.group, ended.amount - award);
        bool better = ended.byPayer ? award < ended.contested : award > ended.contested;
        payerWins = ended.byPayer == better;
        pots[token].bonds -= saysOf(batch).bond;
        if (payerWins) free[token][batch.terms.payer] += saysOf(batch).bond;
        else credit[token][batch.groups[ended.group].payee()] += saysOf(batch).bond;
    }

    /// @dev Returns a part of what is retained.
    function recoupInGhost(uint256 id, uint256 at, uint256 amount) internal {
        GhostRetention storage from = retentions[id];
        GhostBatch storage batch = batches[from.index];
        uint256[] memory amounts = from.amounts;
        amounts[at] -= amount;
        uint256 group = groupOf(batch, address(uint160(amounts[at] >> 96)));
        _unhold(batch, group, amount);
        returnInGhost(batch, group, amount);
        _endRetention(id);
        _keepRetention(from.index, from.firstLine, from.start, amounts);
    }

    /// @dev Pays what is left of what was retained.
    function releaseInGhost(uint256 id) internal returns (uint256 sum) {
        GhostRetention storage ended = retentions[id];
        GhostBatch storage batch = batches[ended.index];
        for (uint256 i = 0; i < ended.amounts.length; ++i) {
            uint256 amount = uint96(ended.amounts[i]);
            if (amount == 0) continue;
            uint256 group = groupOf(batch, address(uint160(ended.amounts[i] >> 96)));
            _unhold(batch, group, amount);
            payInGhost(batch, group, amount);
            sum += amount;
        }
        _endRetention(id);
    }

    /// @dev What the payee of a line is paid by results.
    function attestedOf(
        GhostBatch storage batch,
        bytes memory results,
        uint256 group,
        uint256 line,
        uint256 amount
    ) internal view returns (uint256) {
        Outcome memory outcome = PlainResults.unpack(results, countsOf(batch.groups));
        uint256 code = outcome.groups[group];
        uint256 place = firstLineOf(batch, group) + line;
        if (code == 3) code = outcome.lines[place];
        if (code == PAID) return amount;
        return code == PARTED ? outcome.parts[place] : 0;
    }

    function firstLineOf(GhostBatch storage batch, uint256 group) internal view returns (uint256 firstLine) {
        for (uint256 g = 0; g < group; ++g) firstLine += batch.groups[g].lineCount();
    }

    /// @dev The group and the line in it that is at this place in the batch.
    function lineAt(GhostBatch storage batch, uint256 place) internal view returns (uint256 group, uint256 line) {
        line = place;
        for (; line >= batch.groups[group].lineCount(); ++group) line -= batch.groups[group].lineCount();
    }

    function groupOf(GhostBatch storage batch, address payee) internal view returns (uint256 group) {
        while (batch.groups[group].payee() != payee) ++group;
    }

    function _freeze(
        uint256 index,
        uint256 group,
        uint256 line,
        bool byPayer
    ) private returns (GhostDispute storage made) {
        GhostBatch storage batch = batches[index];
        made = disputes.push();
        (made.index, made.live, made.start) = (index, true, clock - stoppedOf(batch));
        (made.group, made.line, made.byPayer) = (group, line, byPayer);
        made.place = firstLineOf(batch, group) + line;
        made.amount = amountAt(batch.amounts[group], line, batch.groups[group].lineCount());
        liveDisputes.push(disputes.length - 1);
        batch.frozen += made.amount;
        pots[batch.terms.token].frozen += made.amount;
        _lockBond(batch, byPayer ? batch.terms.payer : batch.groups[group].payee());
    }

    /// @dev Out of the free balance, and what that lacks out of the credit.
    function _lockBond(GhostBatch storage batch, address by) private {
        address token = batch.terms.token;
        uint256 bond = saysOf(batch).bond;
        uint256 fromFree = bond < free[token][by] ? bond : free[token][by];
        free[token][by] -= fromFree;
        credit[token][by] -= bond - fromFree;
        pots[token].bonds += bond;
    }

    function _keepRetention(uint256 index, uint256 firstLine, uint256 start, uint256[] memory amounts) private {
        GhostRetention storage made = retentions.push();
        (made.index, made.live, made.start) = (index, true, start);
        (made.firstLine, made.amounts) = (firstLine, amounts);
        liveRetentions.push(retentions.length - 1);
    }

    function _unhold(GhostBatch storage batch, uint256 group, uint256 amount) private {
        batch.groupHeld[group] -= amount;
        batch.retained -= amount;
        pots[batch.terms.token].retained -= amount;
    }

    function _endPresentation(uint256 id) private {
        presentations[id].live = false;
        _remove(livePresentations, id);
    }

    function _endRetention(uint256 id) private {
        retentions[id].live = false;
        _remove(liveRetentions, id);
    }

    function _remove(uint256[] storage list, uint256 id) private {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] != id) continue;
            list[i] = list[list.length - 1];
            list.pop();
            return;
        }
    }

    function _anyByLine(bytes memory results, uint256 groupCount) private pure returns (bool any) {
        for (uint256 g = 0; g < groupCount; ++g) any = any || PlainResults.codeOf(results, g) == 3;
    }

    /// @dev Bits of the lines that were open and are no longer.
    function _changed(bytes memory before, bytes memory now_) private pure returns (uint256[] memory lines) {
        lines = new uint256[]((before.length + 255) / 256);
        for (uint256 i = 0; i < before.length; ++i) {
            if (before[i] != now_[i]) lines[i / 256] |= 1 << (i % 256);
        }
    }
}
