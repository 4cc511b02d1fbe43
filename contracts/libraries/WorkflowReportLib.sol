// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The newest report of a batch: first 25 bytes of the attestation's digest, grace of its rulebook (24 bits, seconds; 90 days
/// fit), and when it was observed (32 bits, unix seconds, until the year 2106).
/// @dev 200 bits of a digest: to find another attestation with the ones of a report takes 2^200 tries. Who may choose the salt of the
/// evidence could prepare two attestations that share them, in 2^100. Grace is that of the rulebook, which never changes: here it
/// saves a settlement 2,800 gas for reading the rulebook's data.
type WorkflowReport is uint256;

using WorkflowReportLib for WorkflowReport global;

/// @title WorkflowReportLib
/// @notice Reads the parts of a {WorkflowReport}.
library WorkflowReportLib {
    uint256 private constant _GRACE_SHIFT = 32;
    uint256 private constant _DIGEST_SHIFT = 56;

    /// @notice The report of an attestation. The caller has checked that each part fits.
    function create(bytes32 digest_, uint256 grace_, uint256 observedAt_) internal pure returns (WorkflowReport) {
        uint256 digestBits = (uint256(digest_) >> _DIGEST_SHIFT) << _DIGEST_SHIFT;
        return WorkflowReport.wrap(digestBits | (grace_ << _GRACE_SHIFT) | observedAt_);
    }

    /// @notice First 25 bytes of the attestation's digest; zero: there is no report.
    function digest(WorkflowReport self) internal pure returns (bytes25) {
        return bytes25(bytes32(WorkflowReport.unwrap(self)));
    }

    /// @notice Seconds after `eventBy` in which an attestation may land.
    function grace(WorkflowReport self) internal pure returns (uint256) {
        return uint24(WorkflowReport.unwrap(self) >> _GRACE_SHIFT);
    }

    /// @notice Unix seconds.
    function observedAt(WorkflowReport self) internal pure returns (uint256) {
        return uint32(WorkflowReport.unwrap(self));
    }
}
