// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {WorkflowReport} from "../libraries/WorkflowReportLib.sol";

/// @title WorkflowReports
/// @notice What Chainlink workflows reported, as the escrow keeps it. See {IWorkflowReceiver}.
abstract contract WorkflowReports {
    /// @custom:storage-location erc7201:carepact.storage.WorkflowReports
    struct WorkflowReportsStorage {
        address forwarder;
        mapping(bytes32 key => WorkflowReport) reports;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.WorkflowReports")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x601623442cd29f366ec224d3375fd4dbac2cdc80950fbee8cef390c280fbf600;

    /// @dev Under what the newest report of a batch by its rulebook's workflow is kept. One hash, where nested mappings take two.
    function _reportKey(bytes32 rulebook, bytes32 batchId) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(rulebook, batchId);
    }

    /// @dev The same under a rulebook whose attestations have to be presented: not where what settles at once would find it.
    function _presentedReportKey(bytes32 rulebook, bytes32 batchId) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(batchId, rulebook);
    }

    /// @dev The newest report of a batch, or zero.
    function _loadReport(bytes32 key) internal view returns (WorkflowReport) {
        return _workflowReports().reports[key];
    }

    /// @dev Forgets the report of a batch that it settled or presented as a whole.
    function _clearReport(bytes32 key) internal {
        _workflowReports().reports[key] = WorkflowReport.wrap(0);
    }

    function _workflowReports() internal pure returns (WorkflowReportsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
