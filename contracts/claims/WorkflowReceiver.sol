// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReceiver} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IReceiver.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IWorkflowReceiver, Report} from "../interfaces/IWorkflowReceiver.sol";
import {WorkflowReport, WorkflowReportLib} from "../libraries/WorkflowReportLib.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {RulebookClocks} from "./RulebookClocks.sol";
import {WorkflowReports} from "./WorkflowReports.sol";

/// @title WorkflowReceiver
/// @notice See {IWorkflowReceiver}.
abstract contract WorkflowReceiver is IWorkflowReceiver, RulebookClocks, WorkflowReports {
    /// @dev Workflow id (32 bytes), name (10) and owner (20), followed by an id of the report that means nothing here.
    uint256 private constant _WORKFLOW_SIZE = 62;
    uint256 private constant _REPORT_SIZE = 128;

    /// @inheritdoc IReceiver
    function onReport(bytes calldata metadata, bytes calldata report) external {
        if (msg.sender != _workflowReports().forwarder) revert NotForwarder(msg.sender);
        if (metadata.length < _WORKFLOW_SIZE || report.length == 0 || report.length % _REPORT_SIZE != 0) {
            revert ReportMalformed();
        }
        bytes32 workflow = keccak256(metadata[:_WORKFLOW_SIZE]);
        for (uint256 start = 0; start < report.length; start += _REPORT_SIZE) {
            _record(workflow, abi.decode(report[start:start + _REPORT_SIZE], (Report)));
        }
    }

    /// @inheritdoc IWorkflowReceiver
    function setForwarder(address newForwarder) external restricted {
        _workflowReports().forwarder = newForwarder;
        emit ForwarderSet(newForwarder);
    }

    /// @inheritdoc IWorkflowReceiver
    function forwarder() external view returns (address) {
        return _workflowReports().forwarder;
    }

    /// @inheritdoc IWorkflowReceiver
    function reportOf(bytes32 rulebook, bytes32 batchId) external view returns (bytes25 digest, uint40 observedAt) {
        WorkflowReport report = _loadReport(_reportKey(rulebook, batchId));
        // A rulebook's reports stand all in one place or all in the other.
        if (report.digest() == 0) report = _loadReport(_presentedReportKey(rulebook, batchId));
        return (report.digest(), uint40(report.observedAt()));
    }

    /// @notice Whether an interface is implemented (ERC-165). The Keystone forwarder asks before each report.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IReceiver).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    function _record(bytes32 workflow, Report memory report) private {
        address blob = _loadRulebook(report.rulebook).blob();
        (bytes32 named, uint256 grace) = RulebookBlobLib.readWorkflow(blob);
        bytes32 key = _reportKey(report.rulebook, report.batchId);
        if (workflow != named) {
            _requirePresented(workflow, blob, report.rulebook);
            key = _presentedReportKey(report.rulebook, report.batchId);
        }
        uint256 observedAt = report.observedAt;
        if (observedAt > block.timestamp) revert ReportFromFuture(observedAt);
        uint256 recordedAt = _loadReport(key).observedAt();
        // To revert would keep the others of this report away, and have the nodes try again what never can succeed.
        if (observedAt <= recordedAt) {
            emit ReportOutdated(report.batchId, report.rulebook, observedAt, recordedAt);
            return;
        }
        _workflowReports().reports[key] = WorkflowReportLib.create(report.digest, grace, observedAt);
        emit AttestationReported(report.batchId, report.rulebook, report.digest, observedAt);
    }

    /// @dev Checks that the rulebook is one under which attestations are presented, and that its workflow is this one.
    function _requirePresented(bytes32 workflow, address blob, bytes32 rulebook) private view {
        address apart = RulebookBlobLib.readTerms(blob).attesters;
        bytes32 named;
        if (apart != address(0)) (named, ) = RulebookBlobLib.readWorkflow(apart);
        if (workflow != named) revert WorkflowForeign(rulebook);
    }
}
