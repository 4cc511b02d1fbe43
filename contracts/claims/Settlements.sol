// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {Attestation, ClaimBatch, GroupLines, OpenedLines, Settlement} from "../interfaces/ClaimTypes.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {WorkflowReport} from "../libraries/WorkflowReportLib.sol";
import {ClaimBatches} from "./ClaimBatches.sol";
import {Pools} from "./Pools.sol";
import {Rounds} from "./Rounds.sol";
import {WorkflowReports} from "./WorkflowReports.sol";

/// @title Settlements
/// @notice How an attestation turns open lines of a claim batch into credits and free balance.
abstract contract Settlements is ClaimBatches, Rounds, Pools, WorkflowReports {
    using GroupLib for Group[];
    using LineBitmap for uint256[];
    using ResultsLib for bytes;

    /// @dev Not in storage, so that no setting changes it without the escrow's code.
    /// @custom:oz-upgrades-unsafe-allow state-variable-immutable
    address private immutable _CONDITIONS;

    /// @dev Sets only what lies in the code, which every proxy shares.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor(address attesterConditions) {
        _CONDITIONS = attesterConditions;
    }

    /// @inheritdoc IClaimEscrow
    function settleMany(Settlement[] calldata settlements) external returns (bool[] memory settled) {
        settled = new bool[](settlements.length);
        for (uint256 i = 0; i < settlements.length; ++i) {
            Settlement calldata one = settlements[i];
            try this.settleByLine(one.batch, one.groups, one.attestation, one.opened) {
                settled[i] = true;
            } catch (bytes memory reason) {
                emit SettlementSkipped(i, reason);
            }
        }
    }

    /// @inheritdoc IClaimEscrow
    function settle(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation
    ) external returns (uint256 paid, uint256 freed) {
        GroupLines[] calldata none;
        // Solidity has no empty array in calldata to hand on.
        assembly ("memory-safe") {
            none.offset := 0
            none.length := 0
        }
        return _settle(batch, groups, attestation, none);
    }

    /// @inheritdoc IClaimEscrow
    function settleByLine(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened
    ) external returns (uint256 paid, uint256 freed) {
        _checkLines(batch.manifestRoot, groups.length, opened);
        return _settle(batch, groups, attestation, opened.groups);
    }

    function _settle(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        GroupLines[] calldata opened
    ) private returns (uint256 paid, uint256 freed) {
        bytes32 domain = _domainSeparator();
        Round memory round;
        round.batchId = _batchId(domain, batch);
        BatchState state = _loadState(round.batchId);
        if (state.open() == 0) return (0, 0);

        bytes32 digest = _checkAttestation(domain, round, state, batch, attestation);
        _checkGroups(batch, groups);
        round.tracked = state.tracked();
        round.closed = _loadClosed(round.batchId, state);
        round.payments = new uint256[](groups.length);
        _settleGroups(_balancesIn(batch.token), groups, attestation.results, opened, round);
        (paid, freed) = (round.paid, round.freed);
        if (paid + freed == 0) return (0, 0);

        state = _recordPayments(state.close(paid + freed), batch.total, round);
        if (state.open() != 0 && !round.tracked) _closeWholeGroups(groups, attestation.results, round.closed);
        _storeState(round.batchId, state, round.closed);
        // What is stored is given back for a refund of gas, when nobody can need it again.
        if (round.reportKey != 0 && state.open() == 0) _clearReport(round.reportKey);
        if (freed != 0) _addFree(batch.payer, batch.token, freed);
        emit ClaimBatchSettled(round.batchId, digest, attestation.results);
    }

    /// @inheritdoc Rounds
    function _conditions() internal view override returns (address) {
        return _CONDITIONS;
    }

    /// @dev Checks that the batch can be settled now, and that its rulebook's attesters signed.
    function _checkAttestation(
        bytes32 domain,
        Round memory round,
        BatchState state,
        ClaimBatch calldata batch,
        Attestation calldata attestation
    ) private view returns (bytes32 digest) {
        digest = _attestationDigest(domain, round.batchId, attestation);
        RulebookClock rulebook = _loadRulebook(batch.rulebook);
        bytes calldata signatures = attestation.signatures;
        uint256 grace;
        uint256 threshold;
        address[] memory attesters;
        if (signatures.length != 0) {
            (grace, threshold, attesters) = RulebookBlobLib.read(rulebook.blob());
        } else {
            grace = _checkReport(batch.rulebook, round, state, digest);
        }
        _checkTime(rulebook, grace, state, batch, attestation);
        // What was reported has no signatures, and needs none: its threshold is zero, which no rulebook's is.
        _checkSignatures(rulebook.blob(), digest, threshold, attesters, signatures);
    }

    /// @dev Checks that the rulebook's workflow reported the attestation, and returns the rulebook's grace.
    function _checkReport(
        bytes32 rulebook,
        Round memory round,
        BatchState state,
        bytes32 digest
    ) private view returns (uint256 grace) {
        bytes32 key = _reportKey(rulebook, round.batchId);
        WorkflowReport report = _loadReport(key);
        if (report.digest() != bytes25(digest)) revert NotReported(round.batchId);
        // Of lines that were closed before, one may be in dispute, for which the report can be brought still.
        if (!state.tracked()) round.reportKey = key;
        return report.grace();
    }

    /// @dev Settles all groups into `round`, credits payees and reports each of them.
    function _settleGroups(
        mapping(address account => Balances) storage balances,
        Group[] calldata groups,
        bytes calldata results,
        GroupLines[] calldata opened,
        Round memory round
    ) private {
        if (!results.beginWith(groups.length)) revert ResultsMalformed();
        round.cursor = ResultsLib.codesLength(groups.length);
        uint256[] memory payments = round.payments;
        bytes32 batchId = round.batchId;
        // The groups are those that were funded: at most MAX_GROUPS subtotals of 86 bits.
        unchecked {
            for (uint256 i = 0; i < groups.length; ++i) {
                Group group = groups.at(i);
                round.index = i;
                (uint256 paid, uint256 freed) = _settleGroup(group, results, opened, round);
                round.firstLine += group.lineCount();
                if ((paid | freed) == 0) continue;
                address payee = group.payee();
                if (paid != 0) {
                    payments[i] = PaymentsHash.pack(payee, paid);
                    round.paid += paid;
                    balances[payee] = balances[payee].addCredit(paid);
                }
                if (freed != 0) round.freed += freed;
                emit GroupSettled(batchId, payee, paid, freed);
            }
        }
        if (round.cursor != results.length) revert ResultsMalformed();
    }
}
