// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestations} from "./Attestations.sol";
import {Disputes} from "./Disputes.sol";
import {RefundOrders} from "./RefundOrders.sol";
import {RulebookListener} from "./RulebookListener.sol";
import {WorkflowReceiver} from "./WorkflowReceiver.sol";

/// @title ClaimEscrowExtension
/// @notice The part of the escrow's code for which its contract has no room: what is called rarely, or only where something goes wrong.
/// @dev Runs on the escrow's storage, by its fallback, and does nothing at its own address: nobody has a role there, no batch was ever
/// funded there, and there is neither a forwarder nor a rulebooks contract.
contract ClaimEscrowExtension is WorkflowReceiver, RulebookListener, Disputes, RefundOrders {
    /// @custom:oz-upgrades-unsafe-allow constructor
    /// @param conditions The {AttesterConditions} that were created with the escrow.
    constructor(address conditions) Attestations(conditions) {}
}
