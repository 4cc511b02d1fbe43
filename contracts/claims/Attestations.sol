// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {Attestation, ClaimBatch, GroupLines} from "../interfaces/ClaimTypes.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {AttesterConditions} from "../rulebooks/AttesterConditions.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {Cases} from "./Cases.sol";
import {Rounds} from "./Rounds.sol";
import {WorkflowReports} from "./WorkflowReports.sol";

/// @title Attestations
/// @notice Checks attestations that do not settle at once, and reads what they say.
abstract contract Attestations is Cases, Rounds, WorkflowReports {
    using GroupLib for Group[];
    using ResultsLib for bytes;

    /// @dev Created with this code, so that no upgrade or setting changes one without the other.
    /// @custom:oz-upgrades-unsafe-allow state-variable-immutable state-variable-assignment
    address private immutable _CONDITIONS = address(new AttesterConditions());

    /// @inheritdoc Rounds
    function _conditions() internal view override returns (address) {
        return _CONDITIONS;
    }

    /// @dev Checks that an attestation comes in time, and that the attesters of its batch's rulebook signed it or the workflow
    /// reported it.
    /// @return digest What the attesters signed.
    /// @return reportKey Where the workflow's report of it is kept; zero: it was signed.
    function _checkAttestation(
        bytes32 domain,
        Case memory case_,
        ClaimBatch calldata batch,
        Attestation calldata attestation
    ) internal view returns (bytes32 digest, bytes32 reportKey) {
        digest = _attestationDigest(domain, case_.batchId, attestation);
        _requireNotStopped(case_.stopClock, case_.stopped, case_.rulebook, batch.rulebook);
        _requireInTime(batch.eventBy + case_.terms.grace + case_.stopped, attestation);
        if (attestation.signatures.length != 0) {
            _checkSigned(case_, digest, attestation.signatures);
            return (digest, 0);
        }
        reportKey =
            case_.terms.attesters == address(0)
                ? _reportKey(batch.rulebook, case_.batchId)
                : _presentedReportKey(batch.rulebook, case_.batchId);
        if (_loadReport(reportKey).digest() != bytes25(digest)) revert IClaimEscrow.NotReported(case_.batchId);
    }

    /// @dev What each group's payee would be paid and what would be freed, base units, the first shifted left by 96 bits. Closes the lines
    /// in `round`, and sums there.
    function _judgeGroups(
        Group[] calldata groups,
        bytes calldata results,
        GroupLines[] calldata opened,
        Round memory round
    ) internal pure returns (uint256[] memory outcomes) {
        if (!results.beginWith(groups.length)) revert IClaimEscrow.ResultsMalformed();
        round.cursor = ResultsLib.codesLength(groups.length);
        outcomes = new uint256[](groups.length);
        // The groups are those that were funded: at most 500 subtotals of 86 bits.
        unchecked {
            for (uint256 i = 0; i < groups.length; ++i) {
                Group group = groups.at(i);
                round.index = i;
                (uint256 paid, uint256 freed) = _settleGroup(group, results, opened, round);
                round.firstLine += group.lineCount();
                outcomes[i] = (paid << 96) | freed;
                round.paid += paid;
                round.freed += freed;
            }
        }
        if (round.cursor != results.length) revert IClaimEscrow.ResultsMalformed();
    }

    /// @dev What the payee of a line is paid by results, and whether they say anything final about it.
    /// @param amount Of the line.
    function _attestedAmount(
        bytes calldata results,
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        uint256 amount
    ) internal pure returns (bool final_, uint256 paid) {
        (uint256 code, uint256 part) = results.resultOf(groups, group, line);
        if (code == ResultsLib.PENDING) return (false, 0);
        if (code == ResultsLib.MET) return (true, amount);
        if (code == ResultsLib.NOT_MET) return (true, 0);
        if (part == 0 || part >= amount) revert IClaimEscrow.PartialAmountInvalid(group, line);
        return (true, part);
    }

    /// @dev Checks the signatures of an attestation that no workflow reported.
    function _checkSigned(Case memory case_, bytes32 digest, bytes calldata signatures) private view {
        address blob = case_.rulebook.blob();
        address apart = case_.terms.attesters;
        uint256 threshold = case_.terms.threshold;
        address[] memory attesters;
        if (apart == address(0)) {
            (, threshold, attesters) = RulebookBlobLib.read(blob);
        } else {
            attesters = RulebookBlobLib.readAccounts(blob, case_.terms.accounts);
            blob = apart;
        }
        _checkSignatures(blob, digest, threshold, attesters, signatures);
    }
}
