// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @notice The newest report of a batch: first 23 bytes of the attestation's digest, grace of its rulebook (32 bits, seconds), and when
/// it was observed (40 bits, unix seconds).
/// @dev 184 bits of a digest that nobody but the workflow's nodes chooses: who finds another attestation with the same ones has tried
/// 2^184. Grace is that of the rulebook, which never changes: here it saves a settlement 2,800 gas for reading the rulebook's data.
type WorkflowReport is uint256;

using WorkflowReportLib for WorkflowReport global;

/// @title WorkflowReportLib
/// @notice Reads the parts of a {WorkflowReport}.
library WorkflowReportLib {
    uint256 private constant _GRACE_SHIFT = 40;
    uint256 private constant _DIGEST_SHIFT = 72;

    /// @notice The report of an attestation. The caller has checked that each part fits.
    function create(bytes32 digest_, uint256 grace_, uint256 observedAt_) internal pure returns (WorkflowReport) {
        uint256 digestBits = (uint256(digest_) >> _DIGEST_SHIFT) << _DIGEST_SHIFT;
        return WorkflowReport.wrap(digestBits | (grace_ << _GRACE_SHIFT) | observedAt_);
    }

    /// @notice First 23 bytes of the attestation's digest; zero: there is no report.
    function digest(WorkflowReport self) internal pure returns (bytes23) {
        return bytes23(bytes32(WorkflowReport.unwrap(self)));
    }

    /// @notice Seconds after `eventBy` in which an attestation may land.
    function grace(WorkflowReport self) internal pure returns (uint256) {
        return uint32(WorkflowReport.unwrap(self) >> _GRACE_SHIFT);
    }

    /// @notice Unix seconds.
    function observedAt(WorkflowReport self) internal pure returns (uint256) {
        return uint40(WorkflowReport.unwrap(self));
    }
}

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

    /// @dev The newest report of a batch, or zero.
    function _loadReport(bytes32 key) internal view returns (WorkflowReport) {
        return _workflowReports().reports[key];
    }

    /// @dev Forgets the report of a batch of which nothing is open.
    function _clearReport(bytes32 key) internal {
        _workflowReports().reports[key] = WorkflowReport.wrap(0);
    }

    function _workflowReports() internal pure returns (WorkflowReportsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
