// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, ClaimBatch} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {System} from "../support/System.sol";

/// @notice A claim batch as whoever watched everything would remember it.
/// @param amounts Line amounts that the manifest commits to, packed, by group.
/// @param states One byte a line: {Ghost.OPEN}, {Ghost.PAID}, {Ghost.FREED} or {Ghost.PARTED}.
/// @param presented Amount of the lines in presentations.
/// @param frozen Amount of the lines in dispute.
/// @param retained What is retained of its payments.
/// @param groupPaid By group, what was paid, as its events said.
/// @param groupFreed By group, what went back to the payer.
/// @param groupHeld By group, what is presented, frozen or retained.
/// @param payments Words of payee and amount, in the order of their events.
/// @param attestations The last few that were made.
struct GhostBatch {
    bytes32 id;
    ClaimBatch terms;
    Group[] groups;
    bytes[] amounts;
    bytes32 detailsRoot;
    uint256 stoppedAtFunding;
    uint256 open;
    uint256 paid;
    uint256 freed;
    uint256 presented;
    uint256 frozen;
    uint256 retained;
    bool paidInFull;
    bytes states;
    uint256[] groupPaid;
    uint256[] groupFreed;
    uint256[] groupHeld;
    uint256[] payments;
    Attestation[] attestations;
    mapping(address payee => uint256) refunded;
}

/// @notice Money in one token that is in batches or bonds, and so nobody's.
struct Pots {
    uint256 open;
    uint256 presented;
    uint256 frozen;
    uint256 retained;
    uint256 bonds;
}

/// @notice An attestation at work on a batch.
/// @param states Of the batch's lines, as in {GhostBatch}.
/// @param firstLine At which the group at work begins.
/// @param paid By group.
/// @param freed By group.
struct Round {
    Group[] groups;
    Outcome outcome;
    bytes states;
    uint256 firstLine;
    uint256[] paid;
    uint256[] freed;
}

/// @title Ghost
/// @notice What should be true: a second set of books, kept line by line and second by second in the plainest way.
abstract contract Ghost is System {
    uint256 internal constant OPEN = 0;
    uint256 internal constant PAID = 1;
    uint256 internal constant FREED = 2;
    uint256 internal constant PARTED = 3;

    uint256 internal constant MAX_STOPPED = 60 days;
    uint256 internal constant MAX_PAUSE = 7 days;
    uint256 internal constant PAUSE_COOLDOWN = 7 days;

    /// @dev All that hold money; any can be a payee. Ascending, as groups have to be.
    address[] internal accounts;
    mapping(address account => uint256) internal keyOf;
    /// @dev Those of the accounts that are registered as payers.
    address[] internal payers;
    TestStablecoin[] internal tokens;
    bytes32[] internal rules;
    /// @dev Those of the rulebooks that have a suspender.
    bytes32[] internal suspendable;
    mapping(bytes32 rulebook => uint256[]) internal attesterKeys;
    mapping(bytes32 rulebook => uint256) internal threshold;
    mapping(bytes32 rulebook => uint256) internal grace;

    GhostBatch[] internal batches;
    /// @dev Indices of batches with open lines.
    uint256[] internal openBatches;
    /// @dev Indices of the batches that the last call changed.
    uint256[] internal touched;
    mapping(address token => mapping(address account => uint256)) internal free;
    mapping(address token => mapping(address account => uint256)) internal credit;
    mapping(address token => uint256) internal donated;
    mapping(address token => Pots) internal pots;
    mapping(address payer => bool) internal inStanding;

    /// @dev Now. Read from here, because the compiler takes block.timestamp to be the same throughout a call.
    uint256 internal clock;
    uint256 internal pausedUntil;
    uint256 internal pauseEndedAt;
    mapping(bytes32 rulebook => bool) internal suspended;
    /// @dev Seconds for which settlement under the rulebook was stopped, be it by a pause, a suspension or both at once.
    mapping(bytes32 rulebook => uint256) internal stopped;

    /// @dev Lets time pass until `to`, and counts whose settlement was stopped meanwhile.
    function advance(uint256 to) internal {
        uint256 paused = 0;
        if (pausedUntil > clock) paused = (pausedUntil < to ? pausedUntil : to) - clock;
        for (uint256 i = 0; i < rules.length; ++i) {
            bytes32 rulebook = rules[i];
            uint256 seconds_ = suspended[rulebook] ? to - clock : paused;
            if (seconds_ != 0) stopped[rulebook] += seconds_;
        }
        clock = to;
        vm.warp(to);
    }

    function isPaused() internal view returns (bool) {
        return clock < pausedUntil;
    }

    /// @dev Seconds for which settlement of the batch was stopped in its life, up to the cap.
    function stoppedOf(GhostBatch storage batch) internal view returns (uint256) {
        uint256 whole = stopped[batch.terms.rulebook] - batch.stoppedAtFunding;
        return whole < MAX_STOPPED ? whole : MAX_STOPPED;
    }

    function attestByOf(GhostBatch storage batch) internal view returns (uint256) {
        return batch.terms.eventBy + grace[batch.terms.rulebook] + stoppedOf(batch);
    }

    /// @dev Whether nobody can settle the batch for a pause's sake. Stops count only up to the cap of its life.
    function isPausedFor(GhostBatch storage batch) internal view returns (bool) {
        return isPaused() && stoppedOf(batch) < MAX_STOPPED;
    }

    /// @dev Whether nobody can settle the batch for its rulebook's sake.
    function isSuspendedFor(GhostBatch storage batch) internal view returns (bool) {
        return suspended[batch.terms.rulebook] && stoppedOf(batch) < MAX_STOPPED;
    }

    /// @dev Whether nobody can settle the batch, for whatever reason.
    function isStoppedFor(GhostBatch storage batch) internal view returns (bool) {
        return isPausedFor(batch) || isSuspendedFor(batch);
    }

    function countsOf(Group[] memory groups) internal pure returns (uint256[] memory counts) {
        counts = new uint256[](groups.length);
        for (uint256 g = 0; g < groups.length; ++g) counts[g] = groups[g].lineCount();
    }

    /// @dev Amount `index` of the `count` that stand packed in `data`. Read at once and not byte by byte, since every line of every
    /// batch passes here; {LineAmounts} is held against the plain form by a test of its own.
    function amountAt(bytes memory data, uint256 index, uint256 count) internal pure returns (uint256 amount) {
        uint256 width = data.length / count;
        assembly ("memory-safe") {
            amount := shr(sub(256, mul(8, width)), mload(add(add(data, 0x20), mul(index, width))))
        }
    }

    /// @dev Settles in the ghost what the results say of lines that are still open and whose amounts are known.
    /// @param opened By group, whether its line amounts were handed in.
    /// @return paid By group.
    /// @return freed By group.
    function settleInGhost(
        GhostBatch storage batch,
        bytes memory results,
        bool[] memory opened
    ) internal returns (uint256[] memory paid, uint256[] memory freed) {
        (paid, freed) = judgeInGhost(batch, results, opened);
        uint256 sum = 0;
        for (uint256 g = 0; g < paid.length; ++g) sum += paid[g] + freed[g];
        closeInGhost(batch, sum);
        bookInGhost(batch, paid, freed);
    }

    /// @dev Closes these lines in the ghost, and says what becomes of their amounts, which are still where they were.
    function judgeInGhost(
        GhostBatch storage batch,
        bytes memory results,
        bool[] memory opened
    ) internal returns (uint256[] memory paid, uint256[] memory freed) {
        Round memory round;
        round.groups = batch.groups;
        round.outcome = PlainResults.unpack(results, countsOf(round.groups));
        round.states = batch.states;
        (round.paid, round.freed) = (new uint256[](round.groups.length), new uint256[](round.groups.length));
        for (uint256 g = 0; g < round.groups.length; ++g) {
            if (_canSettle(round, g, opened[g])) _settleGroup(round, g, batch.amounts[g]);
            round.firstLine += round.groups[g].lineCount();
        }
        batch.states = round.states;
        return (round.paid, round.freed);
    }

    /// @dev Takes `amount` out of the batch's open lines.
    function closeInGhost(GhostBatch storage batch, uint256 amount) internal {
        batch.open -= amount;
        pots[batch.terms.token].open -= amount;
    }

    /// @dev Moves `amount`, which the group no longer holds, to the batch's payer.
    function returnInGhost(GhostBatch storage batch, uint256 group, uint256 amount) internal {
        batch.groupFreed[group] += amount;
        batch.freed += amount;
        free[batch.terms.token][batch.terms.payer] += amount;
    }

    /// @dev Moves `amount`, which the group no longer holds, to its payee.
    function payInGhost(GhostBatch storage batch, uint256 group, uint256 amount) internal {
        address payee = batch.groups[group].payee();
        batch.groupPaid[group] += amount;
        batch.paid += amount;
        credit[batch.terms.token][payee] += amount;
        batch.payments.push(wordOf(payee, amount));
    }

    /// @dev Pays and frees what one call settled, by group.
    function bookInGhost(GhostBatch storage batch, uint256[] memory paid, uint256[] memory freed) internal {
        uint256 sum = 0;
        for (uint256 g = 0; g < paid.length; ++g) {
            if (freed[g] != 0) returnInGhost(batch, g, freed[g]);
            if (paid[g] != 0) payInGhost(batch, g, paid[g]);
            sum += paid[g];
        }
        if (sum != batch.terms.total) return;
        batch.paidInFull = true;
        delete batch.payments;
    }

    /// @dev Payee and amount in one word.
    function wordOf(address payee, uint256 amount) internal pure returns (uint256) {
        return (uint256(uint160(payee)) << 96) | amount;
    }

    /// @dev Notes that the batch changed. Without open lines it leaves the list of those with.
    function touch(uint256 index) internal {
        touched.push(index);
        if (batches[index].open != 0) return;
        for (uint256 i = 0; i < openBatches.length; ++i) {
            if (openBatches[i] != index) continue;
            openBatches[i] = openBatches[openBatches.length - 1];
            openBatches.pop();
            return;
        }
    }

    /// @dev What `payee` received from the batch.
    function receivedBy(GhostBatch storage batch, address payee) internal view returns (uint256 received) {
        for (uint256 g = 0; g < batch.groups.length; ++g) {
            if (batch.groups[g].payee() == payee) received += batch.groupPaid[g];
        }
    }

    /// @dev Whether the group can settle with what was handed in: without the amounts of its lines only as a whole.
    function _canSettle(Round memory round, uint256 g, bool opened) private pure returns (bool) {
        uint256 code = round.outcome.groups[g];
        uint256 count = round.groups[g].lineCount();
        if (code == 0) return false;
        if (opened || count == 1) return true;
        if (code == 3) return false;
        for (uint256 i = 0; i < count; ++i) {
            if (uint8(round.states[round.firstLine + i]) != OPEN) return false;
        }
        return true;
    }

    function _settleGroup(Round memory round, uint256 g, bytes memory amounts) private pure {
        uint256 count = round.groups[g].lineCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 line = round.firstLine + i;
            uint256 code = round.outcome.groups[g];
            if (code == 3) code = round.outcome.lines[line];
            if (code == 0 || uint8(round.states[line]) != OPEN) continue;
            round.states[line] = bytes1(uint8(code));
            uint256 amount = amountAt(amounts, i, count);
            uint256 part = 0;
            if (code == PAID) part = amount;
            if (code == PARTED) part = round.outcome.parts[line];
            vm.assertLe(part, amount, "a line was paid more than its amount");
            round.paid[g] += part;
            round.freed[g] += amount - part;
        }
    }
}
