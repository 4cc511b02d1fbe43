// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Held} from "../../../contracts/libraries/Held.sol";
import {Balances, BalancesLib} from "../../../contracts/libraries/BalancesLib.sol";
import {BatchState, BatchStateLib} from "../../../contracts/libraries/BatchStateLib.sol";
import {Commitment, CommitmentLib} from "../../../contracts/libraries/CommitmentLib.sol";
import {Dispute, DisputeLib} from "../../../contracts/libraries/DisputeLib.sol";
import {Group, GroupLib} from "../../../contracts/libraries/GroupLib.sol";
import {PaymentsHash} from "../../../contracts/libraries/PaymentsHash.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Libraries behind calls: groups come in calldata, and what balances refuse can be caught.
contract PackedStatesHarness {
    function at(Group[] calldata groups, uint256 index) external pure returns (Group) {
        return GroupLib.at(groups, index);
    }

    function hash(Group[] calldata groups) external pure returns (bytes32 result, bytes32 allocatedNext) {
        result = GroupLib.hash(groups);
        // What is allocated next must be clean, whatever the hash left behind.
        allocatedNext = keccak256(abi.encodePacked(new uint256[](groups.length)));
    }

    function addFree(Balances balances, uint256 amount) external pure returns (Balances) {
        return balances.addFree(amount);
    }

    function addCredit(Balances balances, uint256 amount) external pure returns (Balances) {
        return balances.addCredit(amount);
    }

    function close(BatchState state, uint256 amount) external pure returns (BatchState) {
        return state.close(amount);
    }
}

/// @notice Words that hold several values behave as structs would.
contract PackedStatesTest is Properties {
    struct PlainBatch {
        uint96 open;
        uint96 paymentsHash;
        uint40 stoppedAtFunding;
        uint16 lines;
        bool tracked;
        bool paidInFull;
    }

    struct PlainBalances {
        uint112 free;
        uint112 credit;
        uint32 vettedUntil;
        bool used;
    }

    struct PlainDispute {
        uint256 amount;
        uint256 attestedAmount;
        uint256 contestedAmount;
        uint256 start;
        bool byPayer;
        bool attested;
    }

    PackedStatesHarness private _harness = new PackedStatesHarness();

    function testFuzz_batchStateIsAStruct(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        PlainBatch memory plain;
        plain.open = uint96(random.edgy(1, type(uint96).max));
        plain.stoppedAtFunding = uint40(random.edgy(0, type(uint40).max));
        plain.lines = uint16(random.edgy(1, 2_047));
        BatchState state = BatchStateLib.create(plain.open, plain.stoppedAtFunding, plain.lines);
        _checkBatch(state, plain);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 kind = random.below(4);
            if (kind == 0) {
                uint256 amount = random.edgy(0, plain.open);
                (state, plain.open) = (state.close(amount), uint96(plain.open - amount));
            } else if (kind == 1) {
                plain.paymentsHash = uint96(random.edgy(0, type(uint96).max));
                state = state.recordPayments(plain.paymentsHash);
            } else if (kind == 2 && random.oneIn(3)) {
                (state, plain.paidInFull) = (state.payInFull(), true);
            } else if (kind == 3 && random.oneIn(3)) {
                (state, plain.tracked) = (state.track(), true);
            }
            _checkBatch(state, plain);
        }
        _checkClosesNoMore(state, plain.open + random.edgy(1, type(uint96).max));
    }

    function test_batchThatWasNeverFunded() external pure {
        vm.assertFalse(BatchState.wrap(0).funded(), "funded");
    }

    function testFuzz_balancesAreAStruct(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        PlainBalances memory plain;
        Balances balances = Balances.wrap(0);
        for (uint256 i = 0; i < 16; ++i) {
            uint256 kind = random.below(5);
            if (kind == 0) {
                uint256 amount = random.edgy(0, type(uint112).max - plain.free);
                (balances, plain.free) = (balances.addFree(amount), uint112(plain.free + amount));
            } else if (kind == 1) {
                uint256 amount = random.edgy(0, type(uint112).max - plain.credit);
                (balances, plain.credit) = (balances.addCredit(amount), uint112(plain.credit + amount));
            } else if (kind == 2) {
                uint256 amount = random.edgy(0, plain.free);
                (balances, plain.free, plain.used) = (balances.takeFree(amount), uint112(plain.free - amount), true);
            } else if (kind == 3) {
                uint256 amount = random.edgy(0, plain.credit);
                (balances, plain.credit) = (balances.takeCredit(amount), uint112(plain.credit - amount));
                plain.used = true;
            } else {
                plain.vettedUntil = uint32(random.edgy(1, type(uint32).max >> 1));
                balances = balances.vet(plain.vettedUntil);
            }
            vm.assertEq(balances.free(), uint256(plain.free), "free");
            vm.assertEq(balances.credit(), uint256(plain.credit), "credit");
            vm.assertEq(balances.vettedUntil(), uint256(plain.vettedUntil), "vettedUntil");
            vm.assertTrue((Balances.unwrap(balances) >> 255 == 1) == plain.used, "used once money left");
        }
        _checkHoldsNoMore(balances, plain, random);
    }

    function testFuzz_groupIsAStruct(address payee, uint256 lineCount, uint256 subtotal) external pure {
        lineCount = bound(lineCount, 0, 1_023);
        subtotal = bound(subtotal, 0, 2 ** 86 - 1);
        Group group = Group.wrap(uint256(uint160(payee)) * 2 ** 96 + lineCount * 2 ** 86 + subtotal);
        vm.assertEq(group.payee(), payee, "payee");
        vm.assertEq(group.lineCount(), lineCount, "lineCount");
        vm.assertEq(group.subtotal(), subtotal, "subtotal");
    }

    function testFuzz_groupAtIsTheElement(Group[] calldata groups) external view {
        for (uint256 i = 0; i < groups.length; ++i) {
            vm.assertEq(Group.unwrap(_harness.at(groups, i)), Group.unwrap(groups[i]), "at");
        }
    }

    function testFuzz_groupsHashIsOverTheirWords(Group[] calldata groups) external view {
        (bytes32 result, bytes32 allocatedNext) = _harness.hash(groups);
        vm.assertEq(result, keccak256(abi.encodePacked(groups)), "hash");
        vm.assertEq(allocatedNext, keccak256(new bytes(32 * groups.length)), "memory behind the hash");
    }

    function testFuzz_paymentIsAStruct(address payee, uint96 amount) external pure {
        uint256 payment = PaymentsHash.pack(payee, amount);
        vm.assertEq(bytes32(payment), bytes32(abi.encodePacked(payee, amount)), "pack");
        vm.assertEq(PaymentsHash.payeeOf(payment), payee, "payeeOf");
        vm.assertEq(PaymentsHash.amountOf(payment), uint256(amount), "amountOf");
    }

    function testFuzz_paymentsHashIsOverAllBefore(uint256[] calldata payments) external pure {
        (uint256 hash, uint256 expected) = (0, 0);
        for (uint256 i = 0; i < payments.length; ++i) {
            hash = PaymentsHash.add(hash, payments[i]);
            expected = uint256(keccak256(abi.encode(expected, payments[i]))) % 2 ** 96;
        }
        vm.assertEq(hash, expected, "add");
    }

    function testFuzz_commitmentIsAStruct(uint256 kind, bytes32 hash, uint256 start, uint256 bit) external pure {
        kind = bound(kind, Held.PRESENTATION, Held.RETENTION);
        start = bound(start, 0, type(uint40).max);
        Commitment commitment = CommitmentLib.create(kind, hash, start);
        vm.assertEq(commitment.kindOf(), kind, "kindOf");
        vm.assertEq(commitment.start(), start, "start");
        vm.assertEq(commitment.digest(), bytes32(uint256(hash) % 2 ** 214), "digest");
        vm.assertTrue(commitment.isTo(kind, hash), "isTo");
        vm.assertFalse(commitment.isTo(kind ^ 3, hash), "of another kind");
        // The bits of the hash for which there is no room do not matter; each of the others does.
        bit = bound(bit, 0, 255);
        bytes32 other = bytes32(uint256(hash) ^ (1 << bit));
        vm.assertTrue(commitment.isTo(kind, other) == (bit >= 214), "to another hash");
    }

    /// @notice What is held under a line is of one kind, whatever else it says.
    function testFuzz_heldIsOfOneKind(uint256 seed) external pure {
        Random memory random = RandomLib.from(seed);
        uint256 kind = random.between(Held.PRESENTATION, Held.RETENTION);
        Commitment commitment = CommitmentLib.create(kind, bytes32(random.next()), random.edgy(0, type(uint40).max));
        vm.assertFalse(Dispute.wrap(Commitment.unwrap(commitment)).exists(), "a commitment is no dispute");
        (Dispute dispute, ) = _newDispute(random);
        vm.assertEq(Commitment.wrap(Dispute.unwrap(dispute)).kindOf(), Held.DISPUTE, "kindOf");
        bytes32 digest = Commitment.wrap(Dispute.unwrap(dispute)).digest();
        vm.assertFalse(Commitment.wrap(Dispute.unwrap(dispute)).isTo(kind, digest), "a dispute is no commitment");
        vm.assertFalse(Commitment.wrap(0).isTo(kind, 0), "nothing is no commitment");
        vm.assertFalse(Dispute.wrap(0).exists(), "nothing is no dispute");
    }

    function testFuzz_disputeIsAStruct(uint256 seed) external pure {
        Random memory random = RandomLib.from(seed);
        (Dispute dispute, PlainDispute memory plain) = _newDispute(random);
        _checkDispute(dispute, plain);
        plain.attestedAmount = random.edgy(0, plain.amount);
        plain.attested = true;
        _checkDispute(dispute.attest(plain.attestedAmount), plain);
        plain.contestedAmount = plain.attestedAmount;
        _checkDispute(dispute.contest(plain.attestedAmount), plain);
    }

    function _newDispute(Random memory random) private pure returns (Dispute dispute, PlainDispute memory plain) {
        plain.amount = random.edgy(1, 2 ** 86 - 1);
        plain.start = random.edgy(0, type(uint40).max);
        plain.byPayer = random.oneIn(2);
        dispute = DisputeLib.create(plain.amount, plain.start, plain.byPayer);
    }

    function _checkDispute(Dispute dispute, PlainDispute memory plain) private pure {
        vm.assertTrue(dispute.exists(), "exists");
        vm.assertEq(dispute.amount(), plain.amount, "amount");
        vm.assertEq(dispute.attestedAmount(), plain.attestedAmount, "attestedAmount");
        vm.assertEq(dispute.contestedAmount(), plain.contestedAmount, "contestedAmount");
        vm.assertEq(dispute.start(), plain.start, "start");
        vm.assertTrue(dispute.byPayer() == plain.byPayer, "byPayer");
        vm.assertTrue(dispute.attested() == plain.attested, "attested");
    }

    function _checkBatch(BatchState state, PlainBatch memory plain) private pure {
        vm.assertTrue(state.funded(), "funded");
        vm.assertEq(state.open(), uint256(plain.open), "open");
        vm.assertEq(state.paymentsHash(), uint256(plain.paymentsHash), "paymentsHash");
        vm.assertEq(state.stoppedAtFunding(), uint256(plain.stoppedAtFunding), "stoppedAtFunding");
        vm.assertEq(state.lines(), uint256(plain.lines), "lines");
        vm.assertTrue(state.tracked() == plain.tracked, "tracked");
        vm.assertTrue(state.paidInFull() == plain.paidInFull, "paidInFull");
    }

    function _checkClosesNoMore(BatchState state, uint256 amount) private view {
        try _harness.close(state, amount) {
            vm.assertTrue(false, "closed more than was open");
        } catch {}
    }

    /// @dev One base unit more than fits is refused, and does not spill into the next value.
    function _checkHoldsNoMore(Balances balances, PlainBalances memory plain, Random memory random) private view {
        uint256 beyond = random.edgy(1, type(uint256).max / 2);
        try _harness.addFree(balances, type(uint112).max - plain.free + beyond) {
            vm.assertTrue(false, "free balance overflowed");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == BalancesLib.BalanceOverflow.selector, "BalanceOverflow");
        }
        try _harness.addCredit(balances, type(uint112).max - plain.credit + beyond) {
            vm.assertTrue(false, "credit overflowed");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == BalancesLib.BalanceOverflow.selector, "BalanceOverflow");
        }
    }
}
