// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {Attestation, ClaimBatch, ClaimBatchStatus} from "../interfaces/ClaimTypes.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {ClaimBatchStates} from "./ClaimBatchStates.sol";

/// @title ClaimBatches
/// @notice What the chain tells of claim batches.
abstract contract ClaimBatches is IClaimEscrow, ClaimBatchStates {
    /// @inheritdoc IClaimEscrow
    uint256 public constant MAX_GROUPS = 500;
    /// @inheritdoc IClaimEscrow
    uint256 public constant MAX_LINES = 500;
    /// @inheritdoc IClaimEscrow
    uint256 public constant MAX_HORIZON = 366 days;
    /// @inheritdoc IClaimEscrow
    uint256 public constant MAX_STOPPED = _MAX_STOPPED;

    /// @inheritdoc IClaimEscrow
    function batchIdOf(ClaimBatch calldata batch) external view returns (bytes32) {
        return _batchId(_domainSeparator(), batch);
    }

    /// @inheritdoc IClaimEscrow
    function attestationDigestOf(bytes32 batchId, Attestation calldata attestation) external view returns (bytes32) {
        return _attestationDigest(_domainSeparator(), batchId, attestation);
    }

    /// @inheritdoc IClaimEscrow
    function claimBatchStatusOf(bytes32 batchId) external view returns (ClaimBatchStatus memory) {
        BatchState state = _claimBatches().states[batchId];
        return
            ClaimBatchStatus({
                funded: state.funded(),
                paidInFull: state.paidInFull(),
                open: uint96(state.open()),
                stoppedAtFunding: uint40(state.stoppedAtFunding())
            });
    }

    /// @inheritdoc IClaimEscrow
    function closedLinesOf(bytes32 batchId, uint256 word) external view returns (uint256) {
        return _claimBatches().closedLines[batchId][word];
    }

    /// @inheritdoc IClaimEscrow
    function refundedOf(bytes32 batchId, address payee) external view returns (uint256) {
        return _claimBatches().refunded[batchId][payee];
    }

    /// @inheritdoc IClaimEscrow
    function attestByOf(ClaimBatch calldata batch) external view returns (uint256) {
        BatchState state = _loadState(_batchId(_domainSeparator(), batch));
        RulebookClock rulebook = _loadRulebook(batch.rulebook);
        (uint256 grace, , ) = RulebookBlobLib.read(rulebook.blob());
        return batch.eventBy + grace + _stoppedSince(state, _readStopClock(), rulebook);
    }
}
