// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Settlement} from "../../contracts/interfaces/ClaimTypes.sol";
import {Campaign} from "./campaign/Campaign.sol";
import {FundingHandlers} from "./campaign/FundingHandlers.sol";
import {GhostBatch} from "./campaign/Ghost.sol";
import {PresentingHandlers} from "./campaign/PresentingHandlers.sol";
import {RetainingHandlers} from "./campaign/RetainingHandlers.sol";
import {Outcome, PlainResults} from "./support/PlainResults.sol";
import {Random, RandomLib} from "./support/Random.sol";

/// @title OrderIndependence
/// @notice Invariant 7: attestations that do not conflict and land in time give everybody the same, in whatever order they land,
/// one by one or all in one call, each once or some of them again; and so they do where they are presented, in whatever order that
/// is settled and released.
contract OrderIndependence is FundingHandlers, PresentingHandlers, RetainingHandlers {
    /// @dev Whether attestations of the batches that are funded have to be presented.
    bool private _presented;

    constructor() Campaign(false) {}

    function testFuzz_orderGroupingAndBatchingDoNotMatter(uint256 seed) external {
        Random memory random = RandomLib.from(seed);
        uint256 index = _newBatch(random);
        Settlement[] memory settlements = _compatible(random, index);

        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < settlements.length; ++i) _settleOne(settlements[i]);
        bytes memory expected = _whoHasWhat(index);

        vm.revertToState(snapshot);
        snapshot = vm.snapshotState();
        _shuffle(random, settlements);
        for (uint256 i = 0; i < settlements.length; ++i) _settleOne(settlements[i]);
        vm.assertEq(_whoHasWhat(index), expected, "another order");
        for (uint256 i = 0; i < settlements.length; ++i) _settleOne(settlements[i]);
        vm.assertEq(_whoHasWhat(index), expected, "all of them once more");

        vm.revertToState(snapshot);
        _shuffle(random, settlements);
        bool[] memory settled = escrow.settleMany(settlements);
        for (uint256 i = 0; i < settled.length; ++i) vm.assertTrue(settled[i], "settleMany skipped one");
        vm.assertEq(_whoHasWhat(index), expected, "all in one call");
    }

    function testFuzz_orderOfPresentationsDoesNotMatter(uint256 seed) external {
        Random memory random = RandomLib.from(seed);
        _presented = true;
        uint256 index = _newBatch(random);
        Settlement[] memory settlements = _compatible(random, index);

        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < settlements.length; ++i) _presentOne(index, settlements[i]);
        _waitForAll(random);
        bytes memory expected = _whoHasWhat(index);

        vm.revertToState(snapshot);
        _shuffle(random, settlements);
        for (uint256 i = 0; i < settlements.length; ++i) _presentOne(index, settlements[i]);
        // Once more, in another order: there is nothing left to present.
        _shuffle(random, settlements);
        for (uint256 i = 0; i < settlements.length; ++i) _presentOne(index, settlements[i]);
        _waitForAll(random);
        vm.assertEq(_whoHasWhat(index), expected, "another order of presentations");
    }

    /// @inheritdoc FundingHandlers
    function anyRulebook(Random memory random) internal view override returns (bytes32 rulebook) {
        do rulebook = super.anyRulebook(random); while (isPresented(rulebook) != _presented);
    }

    function _presentOne(uint256 index, Settlement memory settlement) private {
        bool[] memory all = new bool[](settlement.groups.length);
        for (uint256 g = 0; g < all.length; ++g) all[g] = true;
        _present(Plan(index, all, settlement));
    }

    /// @dev Waits until nothing can be disputed or recouped any more, and settles and releases it in random order.
    function _waitForAll(Random memory random) private {
        advance(clock + 30 days);
        while (livePresentations.length != 0) {
            uint256 id = livePresentations[random.below(livePresentations.length)];
            GhostBatch storage batch = batches[presentations[id].index];
            receiver.settlePresented(batch.terms, groupsOf(batch), presentationIn(presentations[id]));
            settlePresentedInGhost(id);
        }
        advance(clock + 30 days);
        while (liveRetentions.length != 0) {
            uint256 id = liveRetentions[random.below(liveRetentions.length)];
            receiver.release(batches[retentions[id].index].terms, retentionIn(retentions[id]));
            releaseInGhost(id);
        }
    }

    /// @dev Two to four attestations of one truth, each of which knows a part of it, with all line amounts opened.
    function _compatible(Random memory random, uint256 index) private returns (Settlement[] memory settlements) {
        GhostBatch storage batch = batches[index];
        uint256[] memory counts = countsOf(batch.groups);
        Outcome memory truth = _newTruth(random, batch, counts);
        settlements = new Settlement[](random.between(2, 4));
        for (uint256 i = 0; i < settlements.length; ++i) {
            settlements[i] = newPlan(random, index, true).settlement;
            bool[] memory all = new bool[](counts.length);
            for (uint256 g = 0; g < all.length; ++g) all[g] = true;
            settlements[i].opened = open(batch, all);
            Attestation memory attestation = settlements[i].attestation;
            attestation.results = PlainResults.pack(_partOf(random, truth, counts), counts);
            attestation.signatures = attest(random, batch.terms.rulebook, batch.id, attestation);
        }
    }

    function _newTruth(
        Random memory random,
        GhostBatch storage batch,
        uint256[] memory counts
    ) private view returns (Outcome memory truth) {
        truth = PlainResults.empty(counts.length, batch.states.length);
        uint256 line = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            // 1 or 2: the same for all lines of the group. 3: each has its own.
            truth.groups[g] = random.between(1, 3);
            for (uint256 i = 0; i < counts[g]; ++i) {
                uint256 amount = amountAt(batch.amounts[g], i, counts[g]);
                uint256 code = truth.groups[g] == 3 ? random.between(1, 3) : truth.groups[g];
                if (code == 3 && amount == 1) code = 2;
                if (code == 3) truth.parts[line] = random.edgy(1, amount - 1);
                truth.lines[line++] = code;
            }
        }
    }

    /// @dev Of each group: nothing, all of it in one word where that is the truth, or some of its lines.
    function _partOf(
        Random memory random,
        Outcome memory truth,
        uint256[] memory counts
    ) private pure returns (Outcome memory part) {
        part = PlainResults.empty(counts.length, truth.lines.length);
        uint256 line = 0;
        for (uint256 g = 0; g < counts.length; ++g) {
            uint256 kind = random.below(3);
            if (kind == 1) part.groups[g] = truth.groups[g];
            if (kind == 2) part.groups[g] = 3;
            for (uint256 i = 0; i < counts[g]; ++i) {
                if (part.groups[g] == 3 && random.oneIn(2)) {
                    (part.lines[line], part.parts[line]) = (truth.lines[line], truth.parts[line]);
                }
                ++line;
            }
        }
    }

    function _newBatch(Random memory random) private returns (uint256 index) {
        index = batches.length;
        this.fund(random.next());
    }

    function _settleOne(Settlement memory settlement) private {
        escrow.settleByLine(settlement.batch, settlement.groups, settlement.attestation, settlement.opened);
    }

    /// @dev Everybody's balances, and what is open.
    function _whoHasWhat(uint256 index) private view returns (bytes memory all) {
        address token = batches[index].terms.token;
        for (uint256 i = 0; i < accounts.length; ++i) {
            (uint256 isFree, uint256 isCredit) = escrow.balancesOf(accounts[i], token);
            all = bytes.concat(all, abi.encode(isFree, isCredit));
        }
        return bytes.concat(all, abi.encode(escrow.claimBatchStatusOf(batches[index].id).open));
    }

    function _shuffle(Random memory random, Settlement[] memory settlements) private pure {
        for (uint256 i = settlements.length; i > 1; --i) {
            uint256 j = random.below(i);
            (settlements[i - 1], settlements[j]) = (settlements[j], settlements[i - 1]);
        }
    }
}
