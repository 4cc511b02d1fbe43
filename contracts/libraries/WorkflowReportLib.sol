// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

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
