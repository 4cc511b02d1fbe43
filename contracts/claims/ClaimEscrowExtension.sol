// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RulebookListener} from "./RulebookListener.sol";
import {WorkflowReceiver} from "./WorkflowReceiver.sol";

/// @title ClaimEscrowExtension
/// @notice The part of the escrow's code for which its contract has no room: what payers and payees do not call.
/// @dev Runs on the escrow's storage, by its fallback, and does nothing at its own address: nobody has a role there, and there is
/// neither a forwarder nor a rulebooks contract.
contract ClaimEscrowExtension is WorkflowReceiver, RulebookListener {}
