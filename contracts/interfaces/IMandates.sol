// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {ClaimBatch, Mandate} from "./ClaimTypes.sol";

/// @title IMandates
/// @notice What payers let operators (their PBM or TPA) fund from their pools.
interface IMandates {
    /// @notice `payer` gave `operator` a mandate.
    event MandateGiven(bytes32 indexed mandateId, address indexed payer, address indexed operator, Mandate mandate);

    /// @notice `payer` ended a mandate before its time.
    event MandateEnded(bytes32 indexed mandateId, address indexed payer);

    /// @notice Batches of operators are funded in `escrow` from now on.
    event EscrowSet(address escrow);

    /// @notice The escrow is set once, and for good.
    error EscrowAlreadySet(address escrow);

    /// @notice Only the payer itself may give or end its mandates.
    error NotMandatesPayer(address payer, address caller);

    /// @notice The mandate's end is not after its start, its period or cap is zero, it names neither payees nor kinds, no
    /// rulebook, or its payees are not in strictly ascending order.
    error MandateInvalid();

    /// @notice The mandate was given before.
    error MandateAlreadyGiven(bytes32 mandateId);

    /// @notice The mandate was never given, or was ended.
    error MandateNotInForce(bytes32 mandateId);

    /// @notice The mandate holds from `start` until `end` (unix seconds), and not now.
    error MandateOutsideTime(bytes32 mandateId, uint256 start, uint256 end);

    /// @notice The mandate is for another operator.
    error NotMandatesOperator(address operator, address caller);

    /// @notice The mandate is of another payer or for another token than the batch.
    error MandateMismatch(bytes32 mandateId);

    /// @notice The mandate does not name the batch's rulebook.
    error MandateRulebookNotNamed(bytes32 mandateId, bytes32 rulebook);

    /// @notice The mandate names neither the payee nor a kind it has.
    error MandatePayeeNotNamed(bytes32 mandateId, address payee);

    /// @notice The batch would exceed the cap of the current period; `left` base units are left.
    error MandateCapExceeded(bytes32 mandateId, uint256 left, uint256 asked);

    /// @notice Gives a mandate. Only the payer it names.
    /// @return mandateId keccak256(abi.encode(mandate)).
    function giveMandate(Mandate calldata mandate) external returns (bytes32 mandateId);

    /// @notice Ends a mandate at once and for ever. Only the payer it names.
    function endMandate(Mandate calldata mandate) external;

    /// @notice Funds a batch from its payer's pool. Only the operator that the mandate names.
    /// @return batchId Id of the batch in the escrow.
    function fund(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Mandate calldata mandate
    ) external returns (bytes32 batchId);

    /// @notice Names the escrow, once and for good. Restricted by the access manager.
    function setEscrow(address escrow) external;

    /// @notice What is known of a mandate.
    /// @return inForce Whether it was given and not ended; its start and end are in the mandate itself.
    /// @return period Number of the period in which it was last used, starting at 0.
    /// @return spent Base units funded in that period.
    function mandateStatusOf(bytes32 mandateId) external view returns (bool inForce, uint256 period, uint256 spent);
}
