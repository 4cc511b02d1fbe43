// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Disputes} from "./Disputes.sol";
import {RefundOrders} from "./RefundOrders.sol";
import {RulebookListener} from "./RulebookListener.sol";
import {WorkflowReceiver} from "./WorkflowReceiver.sol";

/// @title ClaimEscrowExtension
/// @notice The part of the escrow's code for which its contract has no room: what is called rarely, or only where something goes wrong.
/// @dev Runs on the escrow's storage, by its fallback, and does nothing at its own address: nobody has a role there, no batch was ever
/// funded there, and there is neither a forwarder nor a rulebooks contract.
contract ClaimEscrowExtension is WorkflowReceiver, RulebookListener, Disputes, RefundOrders {
    /// @dev Of this code, whichever contract runs it: so it says where it lies when the escrow is asked.
    /// @custom:oz-upgrades-unsafe-allow state-variable-immutable state-variable-assignment
    address private immutable _SELF = address(this);

    /// @notice Where this code lies: of an escrow, that of its extension.
    function extension() external view returns (address) {
        return _SELF;
    }

    /// @notice The {AttesterConditions} that are asked, by the escrow as well.
    function attesterConditions() external view returns (address) {
        return _conditions();
    }
}
