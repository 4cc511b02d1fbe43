// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IStandingListener
/// @notice A contract that keeps a copy of organizations' standings, because asking the registry would cost each of its users a
/// call to another contract.
interface IStandingListener {
    /// @notice Only the organization registry may tell standings.
    error NotRegistry(address caller);

    /// @notice Called by the organization registry whenever the standing of `account` changes, and again, with the same
    /// standing, whenever somebody asks the registry to.
    /// @dev If this reverts, so does the change: a copy that says "in good standing" of a suspended organization is worse than a
    /// suspension that has to be tried again.
    /// @param kinds Kinds of the organization (see {OrganizationKinds}) while in good standing, else zero.
    function onStandingChanged(address account, uint256 kinds) external;

    /// @notice Kinds of an organization in good standing, as last told; zero for any other account.
    function standingOf(address account) external view returns (uint256 kinds);
}
