// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimBatchStatus, DisputeStatus} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Balances} from "../../../contracts/libraries/BalancesLib.sol";
import {BatchState} from "../../../contracts/libraries/BatchStateLib.sol";
import {Campaign} from "./Campaign.sol";
import {GhostBatch, Pots} from "./Ghost.sol";
import {GhostDispute, GhostPresentation, GhostRetention} from "./GhostCases.sol";

/// @title Checks
/// @notice Holds the contracts against the ghost.
abstract contract Checks is Campaign {
    /// @dev Where the escrow keeps balances, and the states of batches: see test/properties/StorageSlots.t.sol. Read there, because asking
    /// for each of them after every call took half of a campaign's time; {checkViews} and {checkBatch} ask in turn.
    bytes32 private constant _BALANCES = 0xb8b05b8e73ecb1e93e2a592caf297e26705dc86f4c3340a664833f9348dd2b00;
    uint256 private constant _STATES = 0x4512d49a592a826d16f21c34c766c3bc41b4e2c368c7ad34cd1366bab529c801;
    uint256 private constant _DIGEST_MASK = (1 << 214) - 1;

    /// @dev By token and account, the slot of its balances.
    bytes32[] private _slots;

    constructor() {
        for (uint256 t = 0; t < tokens.length; ++t) {
            bytes32 ofToken = keccak256(abi.encode(tokens[t], _BALANCES));
            for (uint256 i = 0; i < ACCOUNTS; ++i) _slots.push(keccak256(abi.encode(accounts[i], ofToken)));
        }
    }

    /// @dev Invariant 1, with every balance as the ghost has it.
    function checkMoney() internal view {
        for (uint256 t = 0; t < tokens.length; ++t) {
            address token = address(tokens[t]);
            uint256 sum = donated[token];
            for (uint256 i = 0; i < ACCOUNTS; ++i) {
                Balances balances = Balances.wrap(_load(_slots[t * ACCOUNTS + i]));
                same(balances.free(), free[token][accounts[i]], "a free balance moved");
                same(balances.credit(), credit[token][accounts[i]], "a credit moved");
                sum += balances.free() + balances.credit();
            }
            for (uint256 i = 0; i < openBatches.length; ++i) {
                GhostBatch storage batch = batches[openBatches[i]];
                if (batch.terms.token != token) continue;
                sum += BatchState.wrap(_load(keccak256(abi.encode(batch.id, _STATES)))).open();
            }
            Pots storage pot = pots[token];
            sum += pot.presented + pot.frozen + pot.retained + pot.bonds;
            same(
                tokens[t].balanceOf(address(escrow)),
                sum,
                "invariant 1: the escrow's balance is not the sum of its parts"
            );
        }
    }

    /// @dev What the escrow says when it is asked, for one account.
    function checkViews(uint256 index) internal view {
        for (uint256 t = 0; t < tokens.length; ++t) {
            address token = address(tokens[t]);
            (uint256 isFree, uint256 isCredit) = escrow.balancesOf(accounts[index], token);
            same(isFree, free[token][accounts[index]], "another free balance is told");
            same(isCredit, credit[token][accounts[index]], "another credit is told");
        }
        vm.assertTrue(escrow.paused() == isPaused(), "paused, or not, against the clock");
    }

    /// @dev Invariants 2 and 3.
    function checkBatch(GhostBatch storage batch) internal view {
        ClaimBatchStatus memory status = escrow.claimBatchStatusOf(batch.id);
        vm.assertTrue(status.funded, "a batch was forgotten");
        same(status.open, batch.open, "invariant 2: another amount is open");
        uint256 waiting = batch.open + batch.presented + batch.frozen + batch.retained;
        same(batch.paid + batch.freed + waiting, batch.terms.total, "invariant 2: the parts are not the total");
        vm.assertTrue(status.paidInFull == batch.paidInFull, "paid in full, or not");
        same(status.stoppedAtFunding, batch.stoppedAtFunding, "the stop clock at funding");
        same(escrow.attestByOf(batch.terms), attestByOf(batch), "attestBy");
        for (uint256 g = 0; g < batch.groups.length; ++g) {
            uint256 closed = batch.groupPaid[g] + batch.groupFreed[g] + batch.groupHeld[g];
            vm.assertLe(closed, batch.groups[g].subtotal(), "invariant 3: a group above its subtotal");
        }
        if (batch.open != 0) _checkLines(batch);
    }

    /// @dev What waits of a batch, as the escrow knows it.
    function checkCasesOf(uint256 index) internal view {
        for (uint256 i = 0; i < livePresentations.length; ++i) {
            GhostPresentation storage said = presentations[livePresentations[i]];
            if (said.index == index) _checkPresentation(said);
        }
        for (uint256 i = 0; i < liveDisputes.length; ++i) {
            GhostDispute storage made = disputes[liveDisputes[i]];
            if (made.index == index) _checkDispute(made);
        }
        for (uint256 i = 0; i < liveRetentions.length; ++i) {
            GhostRetention storage made = retentions[liveRetentions[i]];
            if (made.index == index) _checkRetention(made);
        }
    }

    /// @dev What waits, whichever batch it is of: one of each kind, in turn.
    function checkCasesInTurn(uint256 turn) internal view {
        uint256 count = livePresentations.length;
        if (count != 0) _checkPresentation(presentations[livePresentations[turn % count]]);
        count = liveDisputes.length;
        if (count != 0) _checkDispute(disputes[liveDisputes[turn % count]]);
        count = liveRetentions.length;
        if (count != 0) _checkRetention(retentions[liveRetentions[turn % count]]);
    }

    function same(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) vm.assertEq(actual, expected, what);
    }

    function _checkPresentation(GhostPresentation storage said) private view {
        (bytes32 digest, uint256 until) = receiver.presentationOf(batches[said.index].terms, lowestOf(said.lines));
        bytes32 results = keccak256(said.results);
        bytes memory whole =
            said.plain ? abi.encode(results, uint256(0)) : abi.encode(results, said.lines, said.outcomes);
        same(uint256(digest), uint256(keccak256(whole)) & _DIGEST_MASK, "another presentation is kept");
        same(until, challengeUntil(said), "the end of a challenge period");
    }

    function _checkDispute(GhostDispute storage made) private view {
        DisputeStatus memory status = receiver.disputeOf(batches[made.index].terms, made.place);
        same(status.amount, made.amount, "another amount is frozen");
        same(status.attestedAmount, made.attestedAmount, "another amount is attested of a line in dispute");
        vm.assertTrue(status.attested == made.attested, "a result of a line in dispute");
        vm.assertTrue(status.byPayer == made.byPayer, "disputed by the other side");
        same(status.resolveBy, resolveBy(made), "the arbiter's deadline");
    }

    function _checkRetention(GhostRetention storage made) private view {
        (bytes32 digest, uint256 until) = receiver.retentionOf(batches[made.index].terms, made.firstLine);
        bytes32 whole = keccak256(abi.encodePacked(made.amounts));
        same(uint256(digest), uint256(whole) & _DIGEST_MASK, "another retention is kept");
        same(until, recoupUntil(made), "the end of a look-back");
    }

    /// @dev Invariant 3: a line is closed exactly if the ghost closed it, which it does once.
    function _checkLines(GhostBatch storage batch) private view {
        bytes memory states = batch.states;
        for (uint256 word = 0; 256 * word < states.length; ++word) {
            uint256 expected = 0;
            for (uint256 i = 256 * word; i < 256 * (word + 1) && i < states.length; ++i) {
                if (uint8(states[i]) != OPEN) expected |= 1 << (i % 256);
            }
            same(escrow.closedLinesOf(batch.id, word), expected, "invariant 3: another line is closed");
        }
    }

    function _load(bytes32 slot) private view returns (uint256) {
        return uint256(vm.load(address(escrow), slot));
    }
}
