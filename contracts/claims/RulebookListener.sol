// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRulebookListener} from "../interfaces/IRulebookListener.sol";
import {RulebookClock, RulebookClockLib} from "../libraries/RulebookClockLib.sol";
import {RulebookClocks} from "./RulebookClocks.sol";

/// @title RulebookListener
/// @notice How the rulebooks contract tells the escrow of rulebooks. See {IRulebookListener}.
abstract contract RulebookListener is IRulebookListener, RulebookClocks {
    modifier onlyRulebooks() {
        if (msg.sender != _rulebookClocks().rulebooks) revert NotRulebooks(msg.sender);
        _;
    }

    /// @inheritdoc IRulebookListener
    function onRulebookPublished(bytes32 id, address blob) external onlyRulebooks {
        mapping(bytes32 => RulebookClock) storage clocks = _rulebookClocks().clocks;
        // Told of once: later its data lies elsewhere only where attesters who lied were taken out of it.
        if (clocks[id].blob() == address(0)) clocks[id] = RulebookClockLib.create(blob);
    }

    /// @inheritdoc IRulebookListener
    function onAttesterSuspended(bytes32 id, address blob) external onlyRulebooks {
        mapping(bytes32 => RulebookClock) storage clocks = _rulebookClocks().clocks;
        clocks[id] = clocks[id].moveTo(blob);
    }

    /// @inheritdoc IRulebookListener
    function onRulebookSuspended(bytes32 id) external onlyRulebooks {
        mapping(bytes32 => RulebookClock) storage clocks = _rulebookClocks().clocks;
        clocks[id] = clocks[id].suspend(_runningSeconds());
    }

    /// @inheritdoc IRulebookListener
    function onRulebookResumed(bytes32 id) external onlyRulebooks {
        mapping(bytes32 => RulebookClock) storage clocks = _rulebookClocks().clocks;
        clocks[id] = clocks[id].resume(_runningSeconds());
    }
}
