// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Compiled from here for its artifact: tests and the demo deploy Chainlink's forwarder as it comes.
// solhint-disable no-unused-import
import {KeystoneForwarder} from "@chainlink/contracts/src/v0.8/keystone/KeystoneForwarder.sol";
