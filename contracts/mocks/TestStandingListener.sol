// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStandingListener} from "../interfaces/IStandingListener.sol";

/// @title TestStandingListener
/// @notice Stands for whoever listens to the organization registry, so that the registry can be tested without the escrow.
contract TestStandingListener is IStandingListener {
    mapping(address account => uint256 kinds) public standingOf;

    bool private _refusing;

    event StandingTold(address indexed registry, address indexed account, uint256 kinds);

    error Refused();

    function setRefusing(bool refusing) external {
        _refusing = refusing;
    }

    /// @inheritdoc IStandingListener
    function onStandingChanged(address account, uint256 kinds) external {
        if (_refusing) revert Refused();
        standingOf[account] = kinds;
        emit StandingTold(msg.sender, account, kinds);
    }
}
