// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {Attestation, ClaimBatch, ClaimBatchStatus, GroupLines, OpenedLines, Settlement} from "./ClaimTypes.sol";

/// @title IClaimEscrow
/// @notice Funds, settles, reverses, reclaims and refunds claim batches.
/// @dev Amounts are in base units of the batch's token, times in unix seconds.
interface IClaimEscrow {
    /// @notice `total` of `token` moved from `payer`'s free balance into the batch.
    event ClaimBatchFunded(
        bytes32 indexed batchId,
        address indexed payer,
        bytes32 indexed rulebook,
        address token,
        uint256 total
    );

    /// @notice Lines of `payee` settled: `paid` is its credit, `freed` went back to the payer's free balance.
    event GroupSettled(bytes32 indexed batchId, address indexed payee, uint256 paid, uint256 freed);

    /// @notice An attestation settled lines of the batch, as the {GroupSettled} events before this one say.
    /// @param attestation EIP-712 digest of the attestation.
    /// @param results As attested; lines that were closed before were skipped.
    event ClaimBatchSettled(bytes32 indexed batchId, bytes32 indexed attestation, bytes results);

    /// @notice Settlement `index` of a {settleMany} failed for `reason` (the revert data) and was skipped.
    event SettlementSkipped(uint256 indexed index, bytes reason);

    /// @notice `payee` gave up `lines` (indices in its group) before settlement; `amount` went back to the payer's free balance.
    event LinesReversed(bytes32 indexed batchId, address indexed payee, uint256 amount, uint256[] lines);

    /// @notice Nothing was attested in time: `amount` went back to the payer's free balance.
    event ClaimBatchReclaimed(bytes32 indexed batchId, uint256 amount);

    /// @notice `payee` paid back `amount` of what it had received from the batch, to the payer's free balance.
    /// @param fromCredit Whether it came from the payee's credit (true) or as fresh tokens (false).
    event Refunded(bytes32 indexed batchId, address indexed payee, uint256 amount, bool fromCredit);

    /// @notice Only the batch's payer may fund it this way.
    error NotPayer(address payer, address caller);

    /// @notice Only the mandates contract may fund for operators.
    error NotMandates(address caller);

    /// @notice The account is not registered, or not in good standing, as a payer or sponsor.
    error PayerNotInStanding(address payer);

    /// @notice The batch has no groups or more than {MAX_GROUPS}.
    error GroupCountOutOfRange(uint256 groups);

    /// @notice The batch has more lines than {MAX_LINES}.
    error TooManyLines(uint256 lines);

    /// @notice Group `group` has no payee, no lines, or a subtotal below one base unit a line.
    error GroupInvalid(uint256 group);

    /// @notice Groups have to be in strictly ascending order of payee; `group` is not.
    error GroupsNotAscending(uint256 group);

    /// @notice The groups' subtotals sum to `sum`, the batch says `total`.
    error GroupsDoNotSum(uint256 sum, uint256 total);

    /// @notice The groups are not those of the batch.
    error GroupsMismatch(bytes32 expected, bytes32 given);

    /// @notice `eventBy` is in the past, or further ahead than {MAX_HORIZON}.
    error EventByOutOfRange(uint256 eventBy);

    /// @notice A batch of these terms was funded before.
    error ClaimBatchAlreadyFunded(bytes32 batchId);

    /// @notice No batch of these terms was ever funded: the terms are wrong, or of another chain or escrow.
    error ClaimBatchUnknown(bytes32 batchId);

    /// @notice The payer's signature does not fit the batch.
    error FundingSignatureInvalid(address payer);

    /// @notice The payer's signature was good until `deadline`.
    error FundingSignatureExpired(uint256 deadline);

    /// @notice Nothing can be settled after `attestBy`.
    error AttestationTooLate(uint256 attestBy);

    /// @notice The attestation was valid until `validUntil`.
    error AttestationExpired(uint256 validUntil);

    /// @notice The attestation was observed at a time that is still to come.
    error AttestationFromFuture(uint256 observedAt);

    /// @notice The rulebook asks for exactly `required` signatures of 65 bytes (255: for signatures in the form for conditions; zero: only
    /// its workflow attests, or attestations have to be presented, see {IPresentations}); `length` bytes were given.
    error SignatureCountWrong(uint256 required, uint256 length);

    /// @notice Signature `index` is malformed, or not that of the attester it is said to be of.
    error SignatureInvalid(uint256 index);

    /// @notice Signatures have to be in strictly ascending order of signer; `signer` repeats or comes too late.
    error SignersNotAscending(address signer);

    /// @notice `signer` is not an attester of the rulebook: the attestation was changed after signing, is for another batch,
    /// chain or rulebook, or was signed by somebody else.
    error NotAttester(address signer);

    /// @notice The attestation has no signatures, and is not the one that the rulebook's workflow reported last of this batch.
    error NotReported(bytes32 batchId);

    /// @notice The results do not fit the groups.
    error ResultsMalformed();

    /// @notice The opened lines of `group` are of another group, or not one amount a line.
    error LinesMismatch(uint256 group);

    /// @notice The opened lines and their proof do not lead to the batch's `manifestRoot`.
    error LinesProofInvalid(bytes32 manifestRoot);

    /// @notice The amounts of `group` do not sum to its subtotal, so that it can only settle or be reclaimed as a whole.
    error LinesDoNotSum(uint256 group, uint256 sum, uint256 subtotal);

    /// @notice Line `line` of `group` is partly met with an amount of zero, or not below the line's own.
    error PartialAmountInvalid(uint256 group, uint256 line);

    /// @notice The caller is not the payee of this group.
    error NotPayee(address payee, address caller);

    /// @notice No lines were named.
    error NoLines();

    /// @notice The group has no such line, or lines are not in strictly ascending order.
    error LineInvalid(uint256 line);

    /// @notice The line was settled or reversed before.
    error LineNotOpen(uint256 line);

    /// @notice Open lines can be reclaimed only after `attestBy`.
    error ReclaimTooEarly(uint256 attestBy);

    /// @notice While stopped, nothing can be reclaimed.
    error ReclaimWhileStopped();

    /// @notice The payments handed in are not those of the batch.
    error PaymentsMismatch(bytes32 batchId);

    /// @notice The payee received `received` from the batch and refunded `refunded` before; `asked` is too much.
    error RefundTooLarge(uint256 received, uint256 refunded, uint256 asked);

    /// @notice Funds a batch from the caller's pool.
    /// @return batchId EIP-712 digest of the terms under this chain and contract.
    function fund(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId);

    /// @notice Funds a batch from its payer's pool by the payer's EIP-712 signature (EOA or ERC-1271); anyone may bring it.
    /// @dev Type: `FundingOrder(ClaimBatch batch,uint256 deadline)`. It needs no nonce, since a batch is funded once.
    /// @param deadline Last moment at which the signature is good, in unix seconds.
    function fundWithSignature(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 batchId);

    /// @notice Funds a batch from its payer's pool by an operator. Only the mandates contract, which checks the mandate.
    function fundUnderMandate(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId);

    /// @notice Settles those lines of a batch that the attestation calls final and that are still open. Anyone may call.
    /// @dev Never reverts because somebody else was faster: it settles what is left, if only nothing. A group of several lines
    /// that cannot settle as a whole, because its results are given by line or some of its lines were closed before, stays as it
    /// is: see {settleByLine}.
    /// @return paid Base units credited to payees.
    /// @return freed Base units returned to the payer's free balance.
    function settle(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation
    ) external returns (uint256 paid, uint256 freed);

    /// @notice As {settle}, for groups whose lines settle one by one as well: their amounts are opened.
    function settleByLine(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Attestation calldata attestation,
        OpenedLines calldata opened
    ) external returns (uint256 paid, uint256 freed);

    /// @notice Settles several batches; one that fails is skipped and reported by {SettlementSkipped}.
    /// @return settled Whether each was settled.
    function settleMany(Settlement[] calldata settlements) external returns (bool[] memory settled);

    /// @notice Gives up open lines of the caller's group, as a pharmacy's B2 does; their amounts return to the payer.
    /// @param group Index of the caller's group.
    /// @param lines Indices of the lines in the group, in strictly ascending order.
    /// @param opened Amounts of the group's lines. Not read when `lines` are all lines of the group.
    /// @param proof Hashes that lead from `opened` to the batch's `manifestRoot`. Not read when `lines` are all lines of the group.
    /// @return amount Base units returned to the payer's free balance.
    function reverse(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256[] calldata lines,
        GroupLines calldata opened,
        bytes32[] calldata proof
    ) external returns (uint256 amount);

    /// @notice Returns all open lines of a batch to its payer's free balance, once `attestBy` has passed. Anyone may call.
    /// @return amount Base units returned; zero when nothing was open.
    function reclaim(ClaimBatch calldata batch) external returns (uint256 amount);

    /// @notice Pays back what the caller received from a batch, to the payer's free balance. Reopens nothing.
    /// @param groups Groups of the batch.
    /// @param payments All payments of the batch so far, in the order of their {GroupSettled} events, as words of payee (160
    /// bits) and amount (96 bits). Not read when one settlement paid the batch in full: then they follow from the terms.
    /// @param amount Base units.
    /// @param fromCredit Whether to take it from the caller's credit (true) or from its tokens, approved beforehand (false).
    function refund(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256[] calldata payments,
        uint256 amount,
        bool fromCredit
    ) external;

    /// @notice Id of a batch: EIP-712 digest of its terms under this chain and contract.
    function batchIdOf(ClaimBatch calldata batch) external view returns (bytes32);

    /// @notice What the attesters of a batch sign. The attestation's signatures are not read.
    function attestationDigestOf(bytes32 batchId, Attestation calldata attestation) external view returns (bytes32);

    /// @notice Where the money of a batch is.
    function claimBatchStatusOf(bytes32 batchId) external view returns (ClaimBatchStatus memory);

    /// @notice Which lines of a batch are no longer open, 256 lines a word, the first in the lowest bit.
    /// @dev Kept only while the batch has both open and closed lines; read it together with {claimBatchStatusOf}.
    function closedLinesOf(bytes32 batchId, uint256 word) external view returns (uint256);

    /// @notice What `payee` has refunded of the batch so far, in base units.
    function refundedOf(bytes32 batchId, address payee) external view returns (uint256);

    /// @notice Last moment at which an attestation of the batch may land: `eventBy`, plus the rulebook's grace, plus the seconds
    /// for which settlement was stopped since funding ({MAX_STOPPED} at most).
    function attestByOf(ClaimBatch calldata batch) external view returns (uint256);

    /// @notice Most groups in a batch. With {MAX_LINES}, so that every batch settles in one transaction (16,777,216 gas) even if all
    /// receivers are new and all lines partly met.
    function MAX_GROUPS() external view returns (uint256);

    /// @notice Most lines in a batch.
    function MAX_LINES() external view returns (uint256);

    /// @notice Furthest that `eventBy` may lie ahead at funding, in seconds.
    function MAX_HORIZON() external view returns (uint256);

    /// @notice Most seconds for which pauses and suspensions can move a batch's deadline in its whole life.
    function MAX_STOPPED() external view returns (uint256);
}
