// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Attestation, Settlement} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IAttesterConditions} from "../../../contracts/interfaces/IAttesterConditions.sol";
import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {IPools} from "../../../contracts/interfaces/IPools.sol";
import {IRulebookListener} from "../../../contracts/interfaces/IRulebookListener.sol";
import {IRulebooks} from "../../../contracts/interfaces/IRulebooks.sol";
import {IStandingListener} from "../../../contracts/interfaces/IStandingListener.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {Outcome, PlainResults} from "../support/PlainResults.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {GhostBatch} from "./Ghost.sol";
import {ReturningHandlers} from "./ReturningHandlers.sol";
import {SettlingHandlers} from "./SettlingHandlers.sol";

/// @title ForgingHandlers
/// @notice What must never work. Each call has to fail, by the right error; the checks after it see that nothing moved.
abstract contract ForgingHandlers is SettlingHandlers, ReturningHandlers {
    function settleForged(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 index = anySettleable(random);
        GhostBatch storage batch = batches[index];
        Plan memory plan = newPlan(random, index, true);
        Settlement memory settlement = plan.settlement;
        vm.assume(reasonsOf(batch, settlement.attestation).count == 0);
        bytes4 err =
            random.oneIn(2)
                ? _forgeSignatures(random, batch, settlement.attestation)
                : _forgeContent(random, batch, settlement);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, settleData(settlement));
        refused(ok, returned, err, "a forged attestation");
    }

    /// @dev More than is one's own, earlier than is due, or in somebody else's name.
    function overreach(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        vm.assume(batches.length != 0);
        GhostBatch storage batch = batches[random.below(batches.length)];
        uint256 kind = random.below(6);
        if (kind == 0) _overreachPools(random);
        else if (kind == 1) _overreachRoles(random, batch);
        else if (kind == 2) _overreachFunding(random, batch);
        else if (kind == 3) _overreachReverse(random, batch);
        else if (kind == 4) _overreachRefund(random, batch);
        else _overreachReclaim(batch);
    }

    function _forgeSignatures(
        Random memory random,
        GhostBatch storage batch,
        Attestation memory attestation
    ) private returns (bytes4) {
        bytes32 rulebook = batch.terms.rulebook;
        uint256[] memory keys = attesterKeys[rulebook];
        uint256 needed = threshold[rulebook];
        bytes32 digest = escrow.attestationDigestOf(batch.id, attestation);
        bytes memory good = sign(keys[0], digest);
        uint256 kind = random.below(6);
        if (kind == 0) {
            // A stranger beside an attester.
            uint256 key = random.next() >> 1;
            attestation.signatures = needed == 1 ? sign(key, digest) : bytes.concat(good, sign(key, digest));
            bool late = needed == 2 && vm.addr(key) <= vm.addr(keys[0]);
            return late ? IClaimEscrow.SignersNotAscending.selector : IClaimEscrow.NotAttester.selector;
        }
        // Of another length they are no list of accounts' signatures: nothing is a report, anything else packed signatures.
        if (kind == 1) {
            attestation.signatures = needed == 1 ? bytes("") : good;
            return needed == 1 ? IClaimEscrow.NotReported.selector : _packedError(batch, attestation);
        }
        if (kind == 2) {
            attestation.signatures = bytes.concat(attestation.signatures, good);
            return _packedError(batch, attestation);
        }
        if (kind == 3 && needed == 2) {
            // The same one twice, or the right ones in the wrong order.
            bytes memory first = random.oneIn(2) ? good : sign(keys[1], digest);
            attestation.signatures = bytes.concat(first, good);
            return IClaimEscrow.SignersNotAscending.selector;
        }
        if (kind == 4) {
            attestation.signatures[64] = 0x00;
            return IClaimEscrow.SignatureInvalid.selector;
        }
        // Signed for another batch, by the right attesters.
        attestation.signatures = attest(random, rulebook, bytes32(random.next()), attestation);
        (, bytes memory returned) = callEscrow(
            STRANGER,
            abi.encodeCall(IClaimEscrow.settle, (batch.terms, groupsOf(batch), attestation))
        );
        return _strangerError(returned);
    }

    /// @dev What signatures that are not packed look like when they are read as if they were, nobody can say beforehand.
    function _packedError(GhostBatch storage batch, Attestation memory attestation) private returns (bytes4 err) {
        (, bytes memory returned) = callEscrow(
            STRANGER,
            abi.encodeCall(IClaimEscrow.settle, (batch.terms, groupsOf(batch), attestation))
        );
        err = bytes4(returned);
        bool known =
            err == IAttesterConditions.ConditionNotMet.selector ||
                err == IAttesterConditions.SignatureNotAsked.selector;
        return known ? err : IClaimEscrow.SignatureInvalid.selector;
    }

    /// @dev A signature over something else recovers to anybody: it may stand before or behind the one before it.
    function _strangerError(bytes memory returned) private pure returns (bytes4) {
        bytes4 err = bytes4(returned);
        return err == IClaimEscrow.SignersNotAscending.selector ? err : IClaimEscrow.NotAttester.selector;
    }

    function _forgeContent(
        Random memory random,
        GhostBatch storage batch,
        Settlement memory settlement
    ) private returns (bytes4) {
        Attestation memory attestation = settlement.attestation;
        uint256 kind = random.below(8);
        if (kind == 0) return _changeTerms(random, settlement);
        if (kind == 1) {
            settlement.groups[0] = Group.wrap(Group.unwrap(settlement.groups[0]) ^ (1 << random.below(256)));
            return IClaimEscrow.GroupsMismatch.selector;
        }
        if (kind == 2 && settlement.opened.groups.length != 0) {
            bytes memory amounts = settlement.opened.groups[0].amounts;
            amounts[random.below(amounts.length)] ^= 0x01;
            return IClaimEscrow.LinesProofInvalid.selector;
        }
        if (kind == 3) {
            attestation.validUntil = uint40(clock - 1);
            return _signAgain(random, batch, attestation, IClaimEscrow.AttestationExpired.selector);
        }
        if (kind == 4) {
            attestation.observedAt = uint40(clock + 1);
            return _signAgain(random, batch, attestation, IClaimEscrow.AttestationFromFuture.selector);
        }
        if (kind == 5) {
            uint256 beyond = batch.groups.length % 4;
            // A byte too many, or a code for a group that there is not.
            if (beyond == 0 || random.oneIn(2)) attestation.results = bytes.concat(attestation.results, hex"00");
            else attestation.results[batch.groups.length / 4] |= bytes1(uint8(1 << (2 * beyond)));
            return _signAgain(random, batch, attestation, IClaimEscrow.ResultsMalformed.selector);
        }
        if (kind == 6) return _pay(random, batch, settlement);
        // Something that was attested, changed afterwards.
        uint256 bit = random.below(8 * attestation.results.length);
        attestation.results[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (, bytes memory returned) = callEscrow(STRANGER, settleData(settlement));
        return _strangerError(returned);
    }

    function _changeTerms(Random memory random, Settlement memory settlement) private view returns (bytes4) {
        uint256 kind = random.below(6);
        if (kind == 0) settlement.batch.payer = STRANGER;
        if (kind == 1) settlement.batch.total += 1;
        if (kind == 2) settlement.batch.eventBy += 1;
        if (kind == 3) settlement.batch.rulebook = rules[2] == settlement.batch.rulebook ? rules[0] : rules[2];
        if (kind == 4) settlement.batch.salt ^= 1;
        if (kind == 5) settlement.batch.token = STRANGER;
        return IClaimEscrow.ClaimBatchUnknown.selector;
    }

    /// @dev Attested: a part of an open line that is nothing, or all of it, or more.
    function _pay(
        Random memory random,
        GhostBatch storage batch,
        Settlement memory settlement
    ) private view returns (bytes4) {
        (uint256 group, uint256 firstLine) = _groupWithOpenLines(random, batch);
        uint256 line = 0;
        while (uint8(batch.states[firstLine + line]) != OPEN) ++line;
        Outcome memory outcome = PlainResults.empty(batch.groups.length, batch.states.length);
        (outcome.groups[group], outcome.lines[firstLine + line]) = (3, 3);
        uint256 amount = amountAt(batch.amounts[group], line, batch.groups[group].lineCount());
        outcome.parts[firstLine + line] = random.oneIn(2) ? 0 : amount + random.below(2);
        settlement.attestation.results = PlainResults.pack(outcome, countsOf(batch.groups));
        bool[] memory which = new bool[](batch.groups.length);
        which[group] = true;
        settlement.opened = open(batch, which);
        return _signAgain(random, batch, settlement.attestation, IClaimEscrow.PartialAmountInvalid.selector);
    }

    function _signAgain(
        Random memory random,
        GhostBatch storage batch,
        Attestation memory attestation,
        bytes4 err
    ) private view returns (bytes4) {
        attestation.signatures = attest(random, batch.terms.rulebook, batch.id, attestation);
        return err;
    }

    function _overreachPools(Random memory random) private {
        (address account, address token) = (anyAccount(random), address(anyToken(random)));
        uint256 more = random.edgy(1, type(uint96).max);
        bytes memory data = abi.encodeCall(IPools.payoutTo, (token, credit[token][account] + more, account));
        (bool ok, bytes memory returned) = callEscrow(account, data);
        refused(ok, returned, IPools.CreditTooSmall.selector, "payout above the credit");
        data = abi.encodeCall(IPools.withdraw, (token, free[token][account] + more, account));
        (ok, returned) = callEscrow(account, data);
        refused(ok, returned, IPools.FreeBalanceTooSmall.selector, "withdrawal above the free balance");
    }

    function _overreachRoles(Random memory random, GhostBatch storage batch) private {
        address caller = random.oneIn(2) ? STRANGER : anyAccount(random);
        bytes4 err = IAccessManaged.AccessManagedUnauthorized.selector;
        bytes memory data = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (STRANGER, ""));
        (bool ok, bytes memory returned) = callEscrow(caller, data);
        refused(ok, returned, err, "upgrade by anybody");
        (ok, returned) = callEscrow(caller, abi.encodeCall(IStopClock.pause, ()));
        refused(ok, returned, err, "pause by anybody");
        (ok, returned) = callEscrow(caller, abi.encodeCall(IStandingListener.onStandingChanged, (caller, 1)));
        refused(ok, returned, IStandingListener.NotRegistry.selector, "standing told by anybody");
        data = abi.encodeCall(IRulebookListener.onRulebookPublished, (batch.terms.rulebook, caller));
        (ok, returned) = callEscrow(caller, data);
        refused(ok, returned, IRulebookListener.NotRulebooks.selector, "rulebook told by anybody");
        (ok, returned) = callAs(caller, address(rulebooks), abi.encodeCall(IRulebooks.suspend, (batch.terms.rulebook)));
        refused(ok, returned, IRulebooks.NotSuspender.selector, "suspension by anybody");
    }

    function _overreachFunding(Random memory random, GhostBatch storage batch) private {
        Group[] memory groups = groupsOf(batch);
        bytes4 err = isPaused() ? IStopClock.PausedUntil.selector : IClaimEscrow.ClaimBatchAlreadyFunded.selector;
        (bool ok, bytes memory returned) = callEscrow(
            batch.terms.payer,
            abi.encodeCall(IClaimEscrow.fund, (batch.terms, groups))
        );
        refused(ok, returned, err, "second funding");
        (ok, returned) = callEscrow(STRANGER, abi.encodeCall(IClaimEscrow.fund, (batch.terms, groups)));
        refused(ok, returned, IClaimEscrow.NotPayer.selector, "funding by another");
        (ok, returned) = callEscrow(OPERATOR, abi.encodeCall(IClaimEscrow.fundUnderMandate, (batch.terms, groups)));
        refused(ok, returned, IClaimEscrow.NotMandates.selector, "funding without a mandate");
        bytes memory signature = sign(random.next() >> 1, bytes32(random.next()));
        (ok, returned) = callEscrow(
            STRANGER,
            abi.encodeCall(IClaimEscrow.fundWithSignature, (batch.terms, groups, clock, signature))
        );
        refused(ok, returned, IClaimEscrow.FundingSignatureInvalid.selector, "funding by a stranger's signature");
    }

    function _overreachReverse(Random memory random, GhostBatch storage batch) private {
        uint256 group = random.below(batch.groups.length);
        uint256 count = batch.groups[group].lineCount();
        uint256 firstLine = 0;
        for (uint256 g = 0; g < group; ++g) firstLine += batch.groups[g].lineCount();
        uint256[] memory lines = new uint256[](1);
        lines[0] = random.below(count);
        bytes memory data = _reverseData(batch, group, lines, true);
        bytes4 pausedErr = isPaused() ? IStopClock.PausedUntil.selector : bytes4(0);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, data);
        refused(ok, returned, _either(pausedErr, IClaimEscrow.NotPayee.selector), "reversal by a stranger");
        address payee = batch.groups[group].payee();
        if (uint8(batch.states[firstLine + lines[0]]) != OPEN) {
            (ok, returned) = callEscrow(payee, data);
            refused(ok, returned, _either(pausedErr, IClaimEscrow.LineNotOpen.selector), "reversal of a closed line");
        } else if (count != 1) {
            lines[0] = count + random.below(300);
            (ok, returned) = callEscrow(payee, _reverseData(batch, group, lines, true));
            refused(ok, returned, _either(pausedErr, IClaimEscrow.LineInvalid.selector), "reversal beyond the group");
        }
    }

    function _overreachRefund(Random memory random, GhostBatch storage batch) private {
        uint256 group = random.below(batch.groups.length);
        address payee = batch.groups[group].payee();
        uint256 more = receivedBy(batch, payee) - batch.refunded[payee] + random.edgy(1, 1e6);
        bytes4 pausedErr = isPaused() ? IStopClock.PausedUntil.selector : bytes4(0);
        (bool ok, bytes memory returned) = callEscrow(payee, refundData(batch, more, random.oneIn(2)));
        refused(
            ok,
            returned,
            _either(pausedErr, IClaimEscrow.RefundTooLarge.selector),
            "refund above what was received"
        );
        if (batch.paidInFull) return;
        // A list of payments that never were.
        uint256[] memory payments = new uint256[](batch.payments.length + 1);
        for (uint256 i = 0; i < payments.length; ++i)
            payments[i] = (uint256(uint160(payee)) << 96) | random.between(1, 1e9);
        (ok, returned) = callEscrow(
            payee,
            abi.encodeCall(IClaimEscrow.refund, (batch.terms, groupsOf(batch), payments, 1, false))
        );
        refused(
            ok,
            returned,
            _either(pausedErr, IClaimEscrow.PaymentsMismatch.selector),
            "refund of what was never paid"
        );
    }

    function _overreachReclaim(GhostBatch storage batch) private {
        vm.assume(batch.open != 0 && clock <= attestByOf(batch));
        bytes4 err =
            isPausedFor(batch) || isSuspendedFor(batch)
                ? IClaimEscrow.ReclaimWhileStopped.selector
                : IClaimEscrow.ReclaimTooEarly.selector;
        (bool ok, bytes memory returned) = callEscrow(
            batch.terms.payer,
            abi.encodeCall(IClaimEscrow.reclaim, (batch.terms))
        );
        refused(ok, returned, err, "reclaim before its time");
    }

    function _either(bytes4 first, bytes4 second) private pure returns (bytes4) {
        return first == 0 ? second : first;
    }
}
