// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The newest report of a batch: first 27 bytes of the attestation's digest, and when it was observed (40 bits, unix seconds).
/// @dev 216 bits of a digest that nobody but the workflow's nodes chooses: who finds another attestation with the same ones has
/// tried 2^216.
type WorkflowReport is uint256;

/// @title WorkflowReports
/// @notice What Chainlink workflows reported, as the escrow keeps it. See {IWorkflowReceiver}.
abstract contract WorkflowReports {
    uint256 internal constant _OBSERVED_AT_BITS = 40;

    /// @custom:storage-location erc7201:carepact.storage.WorkflowReports
    struct WorkflowReportsStorage {
        address forwarder;
        mapping(bytes32 rulebook => mapping(bytes32 batchId => WorkflowReport)) reports;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.WorkflowReports")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x601623442cd29f366ec224d3375fd4dbac2cdc80950fbee8cef390c280fbf600;

    /// @dev Whether the newest report of the batch is of this attestation.
    function _isReported(bytes32 rulebook, bytes32 batchId, bytes32 digest) internal view returns (bool) {
        uint256 report = WorkflowReport.unwrap(_workflowReports().reports[rulebook][batchId]);
        return report >> _OBSERVED_AT_BITS == uint256(digest) >> _OBSERVED_AT_BITS;
    }

    /// @dev Forgets the report of a batch of which nothing is open.
    function _clearReport(bytes32 rulebook, bytes32 batchId) internal {
        _workflowReports().reports[rulebook][batchId] = WorkflowReport.wrap(0);
    }

    function _workflowReports() internal pure returns (WorkflowReportsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
