// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRulebookListener} from "../interfaces/IRulebookListener.sol";
import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {StopClock} from "./StopClock.sol";

/// @title RulebookClocks
/// @notice The escrow's copy of rulebooks: where each lies, and how long its settlements were stopped.
/// @dev See {IRulebookListener}. Suspensions are timed on a clock that stands still while the escrow is paused, so that no second
/// counts twice.
abstract contract RulebookClocks is IRulebookListener, StopClock {
    /// @dev One slot. Both times are readings of the running clock, in seconds.
    struct RulebookClock {
        address blob;
        uint40 suspendedAt;
        uint40 suspendedBefore;
    }

    /// @custom:storage-location erc7201:carepact.storage.RulebookClocks
    struct RulebookClocksStorage {
        address rulebooks;
        mapping(bytes32 id => RulebookClock) clocks;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.RulebookClocks")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xe7ab72e72e1d0867900236309d27c8f3bd79c0f930bc6ed8359e7324a8e0a300;

    modifier onlyRulebooks() {
        if (msg.sender != _rulebookClocks().rulebooks) revert NotRulebooks(msg.sender);
        _;
    }

    /// @inheritdoc IRulebookListener
    function onRulebookPublished(bytes32 id, address blob) external onlyRulebooks {
        _rulebookClocks().clocks[id].blob = blob;
    }

    /// @inheritdoc IRulebookListener
    function onRulebookSuspended(bytes32 id) external onlyRulebooks {
        _rulebookClocks().clocks[id].suspendedAt = _runningSeconds();
    }

    /// @inheritdoc IRulebookListener
    function onRulebookResumed(bytes32 id) external onlyRulebooks {
        RulebookClock storage clock = _rulebookClocks().clocks[id];
        clock.suspendedBefore += _runningSeconds() - clock.suspendedAt;
        clock.suspendedAt = 0;
    }

    // solhint-disable-next-line func-name-mixedcase -- OpenZeppelin's name for the initialiser of a part
    function __RulebookClocks_init(address rulebooks) internal onlyInitializing {
        _rulebookClocks().rulebooks = rulebooks;
    }

    /// @dev The clock of a rulebook that was published.
    function _loadRulebook(bytes32 id) internal view returns (RulebookClock memory clock) {
        clock = _rulebookClocks().clocks[id];
        if (clock.blob == address(0)) revert IRulebooks.RulebookUnknown(id);
    }

    /// @dev What a settlement needs of a rulebook. See {Rulebooks-publish} for how it lies there.
    function _readRulebook(
        RulebookClock memory clock
    ) internal view returns (uint256 grace, uint256 threshold, address[] memory attesters) {
        return abi.decode(clock.blob.code, (uint256, uint256, address[]));
    }

    /// @dev Seconds for which the escrow was paused or the rulebook suspended, up to now.
    function _stoppedSeconds(RulebookClock memory clock) internal view returns (uint256 stopped) {
        uint256 pausedSeconds = _pausedSeconds();
        stopped = pausedSeconds + clock.suspendedBefore;
        if (clock.suspendedAt != 0) stopped += block.timestamp - pausedSeconds - clock.suspendedAt;
    }

    function _runningSeconds() private view returns (uint40) {
        return uint40(block.timestamp - _pausedSeconds());
    }

    function _rulebookClocks() private pure returns (RulebookClocksStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
