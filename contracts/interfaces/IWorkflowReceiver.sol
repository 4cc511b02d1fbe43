// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReceiver} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IReceiver.sol";

/// @notice That a workflow's nodes agreed on an attestation. What they sign is one or more of these, ABI-encoded, one behind the
/// other.
/// @param rulebook Rulebook that names the workflow.
/// @param batchId Claim batch that was attested.
/// @param digest EIP-712 digest of the attestation.
/// @param observedAt When the nodes looked, in unix seconds, as in the attestation.
struct Report {
    bytes32 rulebook;
    bytes32 batchId;
    bytes32 digest;
    uint40 observedAt;
}

/// @title IWorkflowReceiver
/// @notice Records which attestation a rulebook's Chainlink workflow reported last of a claim batch. Settles nothing: whoever has the
/// attestation settles with it, without signatures (see {IClaimEscrow}).
/// @dev Reached at the escrow's address, whose storage a settlement reads for 2,100 gas; asking another contract would cost 9,500.
interface IWorkflowReceiver is IReceiver {
    /// @notice The workflow of `rulebook` reported an attestation of `batchId`.
    /// @param digest EIP-712 digest of the attestation.
    event AttestationReported(bytes32 indexed batchId, bytes32 indexed rulebook, bytes32 digest, uint256 observedAt);

    /// @notice A report was not recorded: one that was observed at `recordedAt`, not earlier than this one, is.
    event ReportOutdated(bytes32 indexed batchId, bytes32 indexed rulebook, uint256 observedAt, uint256 recordedAt);

    /// @notice Reports are taken from `forwarder` from now on.
    event ForwarderSet(address forwarder);

    /// @notice Only the Keystone forwarder may report.
    error NotForwarder(address caller);

    /// @notice The report is not of the workflow that `rulebook` names, or the rulebook names none.
    error WorkflowForeign(bytes32 rulebook);

    /// @notice The report is not made of {Report}s, or its metadata not what a Keystone forwarder passes on.
    error ReportMalformed();

    /// @notice The report was observed at a time that is still to come.
    error ReportFromFuture(uint256 observedAt);

    /// @notice Names the Keystone forwarder whose reports are taken; zero: none. Restricted by the access manager.
    function setForwarder(address newForwarder) external;

    /// @notice The Keystone forwarder whose reports are taken; zero: none.
    function forwarder() external view returns (address);

    /// @notice The newest report of a batch by its rulebook's workflow, until it settled or presented the whole batch at once.
    /// @return digest First 25 bytes of the attestation's digest; zero: there is no report.
    /// @return observedAt Unix seconds.
    function reportOf(bytes32 rulebook, bytes32 batchId) external view returns (bytes25 digest, uint40 observedAt);
}
