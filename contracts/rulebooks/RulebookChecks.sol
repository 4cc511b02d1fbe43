// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AttesterGroup, AttesterRoles, IRulebooks, Rulebook, Workflow} from "../interfaces/IRulebooks.sol";

/// @title RulebookChecks
/// @notice Refuses rulebooks that could not be carried out.
library RulebookChecks {
    /// @notice Least grace, in seconds.
    uint256 internal constant MIN_GRACE = 72 hours;
    /// @notice Greatest grace, in seconds.
    uint256 internal constant MAX_GRACE = 90 days;
    /// @notice Most attesters in all groups.
    uint256 internal constant MAX_ATTESTERS = 32;

    /// @notice Longest challenge period, in seconds.
    uint256 internal constant MAX_CHALLENGE_PERIOD = 30 days;
    /// @notice Least time for an arbiter, in seconds.
    uint256 internal constant MIN_ARBITER_DEADLINE = 1 days;
    /// @notice Most time for an arbiter, in seconds.
    uint256 internal constant MAX_ARBITER_DEADLINE = 90 days;
    /// @notice Longest look-back, in seconds.
    uint256 internal constant MAX_LOOK_BACK = 730 days;

    uint256 private constant _ALL_EVENT_KINDS = 31;
    uint256 private constant _ALL_BPS = 10_000;
    uint256 private constant _ACCOUNT_SIZE = 20;
    uint256 private constant _MAX_ATTESTER_SIZE = 254;

    /// @notice Reverts if a rulebook could not be carried out.
    function check(Rulebook calldata rulebook) internal view {
        _checkArbitration(rulebook);
        if (rulebook.grace < MIN_GRACE || rulebook.grace > MAX_GRACE) revert IRulebooks.GraceOutOfRange(rulebook.grace);
        uint256 kinds = rulebook.eventKinds;
        if (kinds == 0 || kinds > _ALL_EVENT_KINDS) revert IRulebooks.EventKindsInvalid(kinds);
        bool somebody = _checkWorkflow(rulebook.workflow);
        AttesterGroup[] calldata groups = rulebook.attesterGroups;
        bool always = false;
        uint256 attesters = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            if (_checkGroup(groups[i], attesters)) always = true;
            attesters += groups[i].attesters.length;
            if (attesters > MAX_ATTESTERS) revert IRulebooks.TooManyAttesters(attesters);
        }
        // With groups that hold only for large amounts, or for lines that are paid, nobody would have to sign for the others.
        if (groups.length == 0 ? !somebody : !always) revert IRulebooks.NobodyAttests();
    }

    /// @dev Whether a workflow is named.
    function _checkWorkflow(Workflow calldata workflow) private pure returns (bool named) {
        named = workflow.id != 0;
        if (named != (workflow.owner != address(0)) || named != (workflow.name != 0)) {
            revert IRulebooks.WorkflowIncomplete();
        }
    }

    /// @dev Whether others than the patient have to sign for every group.
    function _checkGroup(AttesterGroup calldata group, uint256 first) private view returns (bool always) {
        uint256 count = group.attesters.length;
        if (group.threshold == 0 || group.threshold > count) {
            revert IRulebooks.ThresholdInvalid(group.threshold, count);
        }
        always = group.above == 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata attester = group.attesters[i];
            if (attester.length == 1) {
                bytes1 role = attester[0];
                if (role != AttesterRoles.PAYEE && role != AttesterRoles.PATIENT) {
                    revert IRulebooks.AttesterInvalid(first + i, attester);
                }
                if (count != 1) revert IRulebooks.RoleNotAlone(first + i);
                if (role == AttesterRoles.PATIENT) always = false;
            } else if (!_isSigner(attester)) {
                revert IRulebooks.AttesterInvalid(first + i, attester);
            }
            if (i != 0 && !_isBelow(group.attesters[i - 1], attester)) {
                revert IRulebooks.AttestersNotAscending(first + i);
            }
        }
    }

    /// @dev A verifier without code would never accept a signature.
    function _isSigner(bytes calldata attester) private view returns (bool) {
        if (attester.length < _ACCOUNT_SIZE || attester.length > _MAX_ATTESTER_SIZE) return false;
        address account = address(bytes20(attester));
        return attester.length == _ACCOUNT_SIZE ? account != address(0) : account.code.length != 0;
    }

    /// @dev Whether `a` comes before `b`, byte by byte; what is longer comes behind what it begins with.
    function _isBelow(bytes calldata a, bytes calldata b) private pure returns (bool) {
        for (uint256 i = 0; i < a.length && i < b.length; ++i) {
            if (a[i] != b[i]) return a[i] < b[i];
        }
        return a.length < b.length;
    }

    /// @dev Without an arbiter nobody could rule, and without its deadline nothing would ever end.
    function _checkArbitration(Rulebook calldata rulebook) private pure {
        if (rulebook.challengePeriod > MAX_CHALLENGE_PERIOD) _refuse("challengePeriod");
        if (rulebook.arbiterDefault > 1) _refuse("arbiterDefault");
        if (rulebook.retentionBps > _ALL_BPS) _refuse("retentionBps");
        if (rulebook.lookBack > MAX_LOOK_BACK || (rulebook.lookBack == 0) != (rulebook.retentionBps == 0)) {
            _refuse("lookBack");
        }
        uint256 deadline = rulebook.arbiterDeadline;
        if (rulebook.arbiter == address(0)) {
            bool asked =
                deadline != 0 ||
                    rulebook.challengePeriod != 0 ||
                    rulebook.arbiterDefault != 0 ||
                    rulebook.bond != 0 ||
                    rulebook.retentionBps != 0;
            if (asked) _refuse("arbiter");
        } else if (deadline < MIN_ARBITER_DEADLINE || deadline > MAX_ARBITER_DEADLINE) {
            _refuse("arbiterDeadline");
        }
    }

    function _refuse(string memory field) private pure {
        revert IRulebooks.RulebookFieldInvalid(field);
    }
}
