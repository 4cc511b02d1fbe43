// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IRulebookListener
/// @notice A contract that keeps a copy of where rulebooks lie and whether they are suspended, because asking {IRulebooks} would
/// cost each of its users a call to another contract.
interface IRulebookListener {
    /// @notice Only the rulebooks contract may tell of rulebooks.
    error NotRulebooks(address caller);

    /// @notice Called when a rulebook is published; `blob` is where its data lies.
    function onRulebookPublished(bytes32 id, address blob) external;

    /// @notice Called when an attester of a rulebook is suspended; `blob` is where the rulebook's data lies without it.
    function onAttesterSuspended(bytes32 id, address blob) external;

    /// @notice Called when a rulebook is suspended.
    function onRulebookSuspended(bytes32 id) external;

    /// @notice Called when the suspension of a rulebook ends.
    function onRulebookResumed(bytes32 id) external;
}
