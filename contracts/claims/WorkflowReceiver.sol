// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReceiver} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IReceiver.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IWorkflowReceiver, Report} from "../interfaces/IWorkflowReceiver.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {RulebookClocks} from "./RulebookClocks.sol";
import {WorkflowReport, WorkflowReports} from "./WorkflowReports.sol";

/// @title WorkflowReceiver
/// @notice See {IWorkflowReceiver}.
abstract contract WorkflowReceiver is IWorkflowReceiver, RulebookClocks, WorkflowReports {
    /// @dev Workflow id (32 bytes), name (10) and owner (20), followed by an id of the report that means nothing here.
    uint256 private constant _WORKFLOW_SIZE = 62;
    uint256 private constant _REPORT_SIZE = 128;

    /// @inheritdoc IReceiver
    function onReport(bytes calldata metadata, bytes calldata report) external {
        WorkflowReportsStorage storage $ = _workflowReports();
        if (msg.sender != $.forwarder) revert NotForwarder(msg.sender);
        if (metadata.length < _WORKFLOW_SIZE || report.length != _REPORT_SIZE) revert ReportMalformed();
        Report memory reported = abi.decode(report, (Report));
        (bytes32 workflow, ) = RulebookBlobLib.readWorkflow(_loadRulebook(reported.rulebook).blob());
        if (workflow == 0 || workflow != keccak256(metadata[:_WORKFLOW_SIZE])) {
            revert WorkflowForeign(reported.rulebook);
        }
        uint256 observedAt = reported.observedAt;
        if (observedAt > block.timestamp) revert ReportFromFuture(observedAt);
        mapping(bytes32 => WorkflowReport) storage reports = $.reports[reported.rulebook];
        uint256 recordedAt = uint40(WorkflowReport.unwrap(reports[reported.batchId]));
        if (observedAt <= recordedAt) revert ReportStale(observedAt, recordedAt);

        uint256 digest = uint256(reported.digest) >> _OBSERVED_AT_BITS << _OBSERVED_AT_BITS;
        reports[reported.batchId] = WorkflowReport.wrap(digest | observedAt);
        emit AttestationReported(reported.batchId, reported.rulebook, reported.digest, observedAt);
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
    function reportOf(bytes32 rulebook, bytes32 batchId) external view returns (bytes27 digest, uint40 observedAt) {
        uint256 report = WorkflowReport.unwrap(_workflowReports().reports[rulebook][batchId]);
        return (bytes27(bytes32(report)), uint40(report));
    }

    /// @notice Whether an interface is implemented, as the Keystone forwarder asks before its first report (ERC-165).
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IReceiver).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
