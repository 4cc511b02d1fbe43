// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {ClaimBatch, GroupLines} from "../interfaces/ClaimTypes.sol";
import {BatchState, BatchStateLib} from "../libraries/BatchStateLib.sol";
import {Group} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {Settlements} from "./Settlements.sol";
import {Standings} from "./Standings.sol";

/// @title ClaimEscrow
/// @notice See {IClaimEscrow}.
contract ClaimEscrow is Settlements, Standings, UUPSUpgradeable {
    using LineBitmap for uint256[];

    /// @dev Kinds of organization that may fund: payer (1) and sponsor (16).
    uint256 private constant _FUNDING_KINDS = 17;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @param authority AccessManager that guards pausing and upgrades.
    /// @param registry Organization registry that tells standings.
    /// @param rulebooks Rulebooks contract that tells of rulebooks.
    /// @param mandates Mandates contract through which operators fund.
    function initialize(
        address authority,
        address registry,
        address rulebooks,
        address mandates
    ) external initializer {
        __AccessManaged_init(authority);
        __Standings_init(registry);
        __RulebookClocks_init(rulebooks);
        _claimBatches().mandates = mandates;
    }

    /// @inheritdoc IClaimEscrow
    function fund(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId) {
        if (batch.payer != msg.sender) revert NotPayer(batch.payer, msg.sender);
        return _fund(_domainSeparatorV4(), batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function fundWithSignature(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 batchId) {
        if (block.timestamp > deadline) revert FundingSignatureExpired(deadline);
        bytes32 domain = _domainSeparatorV4();
        bytes32 digest = _fundingOrderDigest(domain, batch, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(batch.payer, digest, signature)) {
            revert FundingSignatureInvalid(batch.payer);
        }
        return _fund(domain, batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function fundUnderMandate(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId) {
        if (msg.sender != _claimBatches().mandates) revert NotMandates(msg.sender);
        return _fund(_domainSeparatorV4(), batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function reverse(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256[] calldata lines,
        GroupLines calldata opened
    ) external whenNotPaused returns (uint256 amount) {
        bytes32 batchId = _batchId(_domainSeparatorV4(), batch);
        BatchState state = _loadState(batchId);
        _checkGroups(batch, groups);
        if (groups[group].payee() != msg.sender) revert NotPayee(groups[group].payee(), msg.sender);
        if (lines.length == 0) revert NoLines();
        // A batch without open lines keeps no bitmap that could say which of them are closed.
        if (state.open() == 0) revert LineNotOpen(lines[0]);

        uint256[] memory closed = _loadClosed(batchId, state);
        amount = _reverseLines(batch, groups, group, lines, opened, closed);
        _storeState(batchId, state.close(0, amount), closed);
        _addFree(batch.payer, batch.token, amount);
        emit LinesReversed(batchId, msg.sender, amount, lines);
    }

    /// @inheritdoc IClaimEscrow
    function reclaim(ClaimBatch calldata batch) external returns (uint256 amount) {
        bytes32 batchId = _batchId(_domainSeparatorV4(), batch);
        BatchState state = _loadState(batchId);
        amount = state.open();
        if (amount == 0) return 0;

        RulebookClock memory rulebook = _loadRulebook(batch.rulebook);
        uint256 stopped = _stoppedSince(state, rulebook);
        // A stop counts for a batch only up to its cap, so that no chain of stops locks money for ever.
        if (stopped < MAX_STOPPED && (rulebook.suspendedAt != 0 || paused())) revert ReclaimWhileStopped();
        (uint256 grace, , ) = _readRulebook(rulebook);
        uint256 attestBy = batch.eventBy + grace + stopped;
        if (block.timestamp <= attestBy) revert ReclaimTooEarly(attestBy);

        _claimBatches().states[batchId] = state.close(0, amount);
        _addFree(batch.payer, batch.token, amount);
        emit ClaimBatchReclaimed(batchId, amount);
    }

    /// @inheritdoc IClaimEscrow
    function refund(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256[] calldata payments,
        uint256 amount,
        bool fromCredit
    ) external nonReentrant whenNotPaused {
        bytes32 batchId = _batchId(_domainSeparatorV4(), batch);
        _checkGroups(batch, groups);
        uint256 received = _receivedBy(msg.sender, batchId, batch, groups, payments);
        uint256 before = _claimBatches().refunded[batchId][msg.sender];
        if (amount == 0) revert AmountZero();
        if (amount > received - before) revert RefundTooLarge(received, before, amount);

        _claimBatches().refunded[batchId][msg.sender] = before + amount;
        emit Refunded(batchId, msg.sender, amount, fromCredit);
        if (fromCredit) {
            _takeCredit(msg.sender, batch.token, amount);
            _addFree(batch.payer, batch.token, amount);
        } else {
            _pullIntoFree(batch.payer, batch.token, amount);
        }
    }

    /// @dev Moves a batch's total from the payer's free balance into the batch. The caller has checked who asks.
    function _fund(
        bytes32 domain,
        ClaimBatch calldata batch,
        Group[] calldata groups
    ) private whenNotPaused returns (bytes32 batchId) {
        batchId = _batchId(domain, batch);
        if (_claimBatches().states[batchId].funded()) revert ClaimBatchAlreadyFunded(batchId);
        if (standingOf(batch.payer) & _FUNDING_KINDS == 0) revert PayerNotInStanding(batch.payer);
        if (batch.eventBy < block.timestamp || batch.eventBy > block.timestamp + MAX_HORIZON) {
            revert EventByOutOfRange(batch.eventBy);
        }
        RulebookClock memory rulebook = _loadRulebook(batch.rulebook);
        if (rulebook.suspendedAt != 0) revert IRulebooks.RulebookIsSuspended(batch.rulebook);

        _checkGroups(batch, groups);
        uint256 lines = _countLines(batch, groups);
        _claimBatches().states[batchId] = BatchStateLib.create(batch.total, _stoppedSeconds(rulebook), lines);
        _takeFree(batch.payer, batch.token, batch.total);
        emit ClaimBatchFunded(batchId, batch.payer, batch.rulebook, batch.token, batch.total);
    }

    /// @dev Checks what can be checked of groups only once, at funding, and counts their lines.
    function _countLines(ClaimBatch calldata batch, Group[] calldata groups) private pure returns (uint256 lines) {
        if (groups.length == 0 || groups.length > MAX_GROUPS) revert GroupCountOutOfRange(groups.length);
        uint256 sum = 0;
        address previous = address(0);
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups[i];
            address payee = group.payee();
            uint256 count = group.lineCount();
            uint256 subtotal = group.subtotal();
            if (payee == address(0) || count == 0 || subtotal < count) revert GroupInvalid(i);
            if (payee <= previous) revert GroupsNotAscending(i);
            previous = payee;
            lines += count;
            sum += subtotal;
        }
        if (lines > MAX_LINES) revert TooManyLines(lines);
        if (sum != batch.total) revert GroupsDoNotSum(sum, batch.total);
    }

    /// @dev Closes lines of a group in `closed`.
    /// @return amount Of these lines, in base units.
    function _reverseLines(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 index,
        uint256[] calldata lines,
        GroupLines calldata opened,
        uint256[] memory closed
    ) private pure returns (uint256 amount) {
        Group group = groups[index];
        uint256 count = group.lineCount();
        uint256 firstLine = 0;
        for (uint256 i = 0; i < index; ++i) firstLine += groups[i].lineCount();

        bool whole = lines.length == count;
        if (!whole) {
            if (opened.group != index) revert LinesMismatch(index);
            _checkOpened(batch.linesRoot, group, opened);
        }
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 line = lines[i];
            if (line >= count || (i != 0 && line <= lines[i - 1])) revert LineInvalid(line);
            if (closed.isClosed(firstLine + line)) revert LineNotOpen(line);
            closed.close(firstLine + line);
            if (!whole) amount += LineAmounts.at(opened.amounts, line * LineAmounts.SIZE);
        }
        if (whole) amount = group.subtotal();
    }

    /// @dev What `payee` received from a batch.
    function _receivedBy(
        address payee,
        bytes32 batchId,
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256[] calldata payments
    ) private view returns (uint256 received) {
        uint256 paid = _loadState(batchId).paid();
        if (groups.length == 1 || paid == batch.total) {
            for (uint256 i = 0; i < groups.length; ++i) {
                if (groups[i].payee() == payee) return Math.min(groups[i].subtotal(), paid);
            }
            return 0;
        }
        bytes32 paymentsHash = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            paymentsHash = Hashes.efficientKeccak256(paymentsHash, bytes32(payments[i]));
            if (address(uint160(payments[i] >> 96)) == payee) received += uint96(payments[i]);
        }
        if (paymentsHash != _claimBatches().paymentsHash[batchId]) revert PaymentsMismatch(batchId);
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}
}
