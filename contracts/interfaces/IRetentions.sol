// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimBatch, Retention} from "./ClaimTypes.sol";

/// @title IRetentions
/// @notice The share of a settlement's payments that is kept back during the rulebook's look-back, so that an audit can take it.
/// @dev Reached at the escrow's address. Amounts are in base units of the batch's token, times in unix seconds. What an arbiter awarded
/// is not retained.
interface IRetentions {
    /// @notice The rulebook's share of the payments of a settlement is retained: it was paid to nobody yet.
    /// @param firstLine Presentation that was settled, which names the retention within its batch.
    /// @param amounts See {Retention}.
    event PaymentsRetained(bytes32 indexed batchId, uint256 indexed firstLine, uint256[] amounts);

    /// @notice The arbiter returned `amount` of what is retained of `payee`'s payment to the payer's free balance.
    event Recouped(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount);

    /// @notice The look-back is over: `amount`, what is left of what was retained of `payee`'s payment, is its credit.
    event RetentionReleased(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount);

    /// @notice There is no such retention, or not any more: it was released, or a part of it recouped.
    error RetentionMismatch(bytes32 batchId, uint256 firstLine);

    /// @notice The look-back ended at `until`: what was retained is the payees'.
    error LookBackOver(uint256 until);

    /// @notice The look-back lasts until `until`.
    error LookBackOpen(uint256 until);

    /// @notice `retained` is left of what was retained of this payment; `asked` is too much. More than that only the payee can refund.
    error RecoupTooLarge(uint256 retained, uint256 asked);

    /// @notice Returns a part of what is retained to the payer's free balance. Only the arbiter of the batch's rulebook, within the
    /// look-back.
    /// @param index Whose, as an index in the retention's amounts.
    /// @param amount Base units.
    function recoup(ClaimBatch calldata batch, Retention calldata retention, uint256 index, uint256 amount) external;

    /// @notice Credits the payees with what is left of what was retained, once the look-back is over. Anyone may call.
    /// @return amount Base units credited.
    function release(ClaimBatch calldata batch, Retention calldata retention) external returns (uint256 amount);

    /// @notice What the chain knows of a retention.
    /// @return commitment The lower 214 bits of keccak256 of the amounts, each as a 32-byte word; zero: there is none.
    /// @return recoupUntil Last moment of the look-back, as things stand: stops move it.
    function retentionOf(
        ClaimBatch calldata batch,
        uint256 firstLine
    ) external view returns (bytes32 commitment, uint256 recoupUntil);
}
