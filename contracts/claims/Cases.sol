// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {ClaimBatch} from "../interfaces/ClaimTypes.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {StopClockState} from "../libraries/StopClockLib.sol";
import {RulebookBlobLib, RulebookTerms} from "../rulebooks/RulebookBlobLib.sol";
import {ClaimBatchStates} from "./ClaimBatchStates.sol";

/// @title Cases
/// @notice A claim batch, as it stands, with what its rulebook says about challenges, disputes and retention.
abstract contract Cases is ClaimBatchStates {
    using GroupLib for Group[];

    /// @dev A claim batch at work. Periods begin at {_startOf} and end at {_endOf}, so that stops move all of them.
    struct Case {
        bytes32 batchId;
        BatchState state;
        RulebookClock rulebook;
        StopClockState stopClock;
        /// Seconds for which the batch was stopped since funding, up to the cap of its life.
        uint256 stopped;
        RulebookTerms terms;
    }

    /// @dev The case of a batch that was funded.
    function _caseOf(bytes32 domain, ClaimBatch calldata batch) internal view returns (Case memory) {
        bytes32 batchId = _batchId(domain, batch);
        BatchState state = _loadState(batchId);
        RulebookClock rulebook = _loadRulebook(batch.rulebook);
        StopClockState stopClock = _readStopClock();
        uint256 stopped = _stoppedSince(state, stopClock, rulebook);
        return Case(batchId, state, rulebook, stopClock, stopped, RulebookBlobLib.readTerms(rulebook.blob()));
    }

    /// @dev The case of a batch whose money may move now, where a suspension of its rulebook does not matter.
    function _runningCaseOf(ClaimBatch calldata batch) internal view returns (Case memory opened) {
        opened = _caseOf(_domainSeparator(), batch);
        // Beyond the cap a pause no longer moves periods, so that it must not keep anybody from what they are for.
        if (opened.stopped < _MAX_STOPPED) _requireNotPaused(opened.stopClock);
    }

    /// @dev The beginning of a period that begins now.
    function _startOf(Case memory opened) internal view returns (uint256) {
        return block.timestamp - opened.stopped;
    }

    /// @dev The last moment of a period of so many seconds.
    function _endOf(Case memory opened, uint256 start, uint256 period) internal pure returns (uint256) {
        return start + period + opened.stopped;
    }

    /// @dev Index in the batch of a line of a group.
    function _lineOf(Group[] calldata groups, uint256 group, uint256 line) internal pure returns (uint256) {
        if (line >= groups[group].lineCount()) revert IClaimEscrow.LineInvalid(line);
        return _firstLineOf(groups, group) + line;
    }
}
