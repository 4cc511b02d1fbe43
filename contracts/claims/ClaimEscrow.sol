// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IReceiver} from "@chainlink/contracts/src/v0.8/keystone/interfaces/IReceiver.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {OrganizationKinds} from "../interfaces/IOrganizationRegistry.sol";
import {IRulebooks} from "../interfaces/IRulebooks.sol";
import {ClaimBatch, GroupLines} from "../interfaces/ClaimTypes.sol";
import {Balances} from "../libraries/BalancesLib.sol";
import {BatchState, BatchStateLib} from "../libraries/BatchStateLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {StopClockState} from "../libraries/StopClockLib.sol";
import {RulebookBlobLib} from "../rulebooks/RulebookBlobLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {ManifestTree} from "../libraries/ManifestTree.sol";
import {ClaimEscrowExtension} from "./ClaimEscrowExtension.sol";
import {Settlements} from "./Settlements.sol";
import {Standings} from "./Standings.sol";

/// @title ClaimEscrow
/// @notice See {IClaimEscrow}.
/// @dev What it does not know itself it hands to {ClaimEscrowExtension}, as a proxy does: rulebooks' and workflows' side of it.
contract ClaimEscrow is Settlements, Standings, UUPSUpgradeable {
    using GroupLib for Group[];
    using LineBitmap for uint256[];

    /// @dev Kinds of organization that may fund.
    uint256 private constant _FUNDING_KINDS = OrganizationKinds.PAYER | OrganizationKinds.SPONSOR;

    /// @dev Not in storage, so that no setting changes it without the escrow's code.
    /// @custom:oz-upgrades-unsafe-allow state-variable-immutable
    address private immutable _EXTENSION;

    /// @dev Takes the extension, since both together are more code than one transaction can create. Sets only what lies in the code, which
    /// every proxy shares, and locks the implementation itself.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor(ClaimEscrowExtension newExtension) Settlements(newExtension.attesterConditions()) {
        _EXTENSION = address(newExtension);
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @dev EIP712Upgradeable's initialiser would store name and version, which here are constants (see {ClaimTypeHashes}).
    /// @custom:oz-upgrades-unsafe-allow missing-initializer-call incorrect-initializer-order
    /// @param authority AccessManager that guards pausing and upgrades.
    /// @param registry Organization registry that tells standings.
    /// @param rulebooks Rulebooks contract that tells of rulebooks.
    /// @param mandates Mandates contract through which operators fund.
    function initialize(address authority, address registry, address rulebooks, address mandates) external initializer {
        __AccessManaged_init(authority);
        __RulebookClocks_init(rulebooks);
        __Standings_init(registry);
        _claimBatches().mandates = mandates;
    }

    // To hand on what is not known takes these lines, however simple it is.
    // solhint-disable no-complex-fallback
    /// @dev What is not known here is the extension's.
    /// @custom:oz-upgrades-unsafe-allow delegatecall
    fallback() external {
        address extension = _EXTENSION;
        // As OpenZeppelin's Proxy does it, whose fallback would take ether. Solidity's own copies all data twice, for 1,000 gas.
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0x00, calldatasize())
            let succeeded := delegatecall(gas(), extension, free, calldatasize(), 0x00, 0x00)
            returndatacopy(free, 0x00, returndatasize())
            if iszero(succeeded) {
                revert(free, returndatasize())
            }
            return(free, returndatasize())
        }
    }
    // solhint-enable no-complex-fallback

    /// @notice Whether an interface is implemented (ERC-165), as the Keystone forwarder asks three times before each report.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IReceiver).interfaceId || interfaceId == type(IERC165).interfaceId;
    }

    /// @inheritdoc IClaimEscrow
    function fund(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId) {
        if (batch.payer != msg.sender) revert NotPayer(batch.payer, msg.sender);
        return _fund(_domainSeparator(), batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function fundWithSignature(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 batchId) {
        if (block.timestamp > deadline) revert FundingSignatureExpired(deadline);
        bytes32 domain = _domainSeparator();
        bytes32 digest = _fundingOrderDigest(domain, batch, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(batch.payer, digest, signature)) {
            revert FundingSignatureInvalid(batch.payer);
        }
        return _fund(domain, batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function fundUnderMandate(ClaimBatch calldata batch, Group[] calldata groups) external returns (bytes32 batchId) {
        if (msg.sender != _claimBatches().mandates) revert NotMandates(msg.sender);
        return _fund(_domainSeparator(), batch, groups);
    }

    /// @inheritdoc IClaimEscrow
    function reverse(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256[] calldata lines,
        GroupLines calldata opened,
        bytes32[] calldata proof
    ) external whenNotPaused returns (uint256 amount) {
        bytes32 batchId = _batchId(_domainSeparator(), batch);
        BatchState state = _loadState(batchId);
        _checkGroups(batch, groups);
        Group own = groups[group];
        if (own.payee() != msg.sender) revert NotPayee(own.payee(), msg.sender);
        if (lines.length == 0) revert NoLines();
        // A batch without open lines keeps no bitmap that could say which of them are closed.
        if (state.open() == 0) revert LineNotOpen(lines[0]);

        uint256[] memory closed = _loadClosed(batchId, state);
        uint256 firstLine = _firstLineOf(groups, group);
        if (lines.length == own.lineCount()) {
            _closeLines(closed, firstLine, lines, own, msg.data[:0], 0);
            amount = own.subtotal();
        } else {
            if (opened.group != group) revert LinesMismatch(group);
            (bytes32 linesRoot, uint256 used) = ManifestTree.rootOfOne(group, _leafOf(opened), groups.length, proof);
            _checkManifestRoot(batch.manifestRoot, linesRoot, proof, used);
            bytes calldata amounts = opened.amounts;
            amount = _closeLines(closed, firstLine, lines, own, amounts, _checkAmounts(group, own, amounts));
        }
        _storeState(batchId, state.close(amount), closed);
        _addFree(batch.payer, batch.token, amount);
        emit LinesReversed(batchId, msg.sender, amount, lines);
    }

    /// @inheritdoc IClaimEscrow
    function reclaim(ClaimBatch calldata batch) external returns (uint256 amount) {
        bytes32 batchId = _batchId(_domainSeparator(), batch);
        BatchState state = _loadState(batchId);
        amount = state.open();
        if (amount == 0) return 0;

        RulebookClock rulebook = _loadRulebook(batch.rulebook);
        uint256 stopped = _stoppedSince(state, _readStopClock(), rulebook);
        // A stop counts for a batch only up to its cap, so that no chain of stops locks money for ever.
        if (stopped < MAX_STOPPED && (rulebook.suspended() || paused())) revert ReclaimWhileStopped();
        (uint256 grace, , ) = RulebookBlobLib.read(rulebook.blob());
        uint256 attestBy = batch.eventBy + grace + stopped;
        if (block.timestamp <= attestBy) revert ReclaimTooEarly(attestBy);

        _claimBatches().states[batchId] = state.close(amount);
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
        bytes32 batchId = _batchId(_domainSeparator(), batch);
        _checkGroups(batch, groups);
        uint256 received = _receivedBy(msg.sender, batchId, groups, payments);
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
    ) private returns (bytes32 batchId) {
        StopClockState stopClock = _readStopClock();
        _requireNotPaused(stopClock);
        batchId = _batchId(domain, batch);
        if (_claimBatches().states[batchId].funded()) revert ClaimBatchAlreadyFunded(batchId);
        if (batch.eventBy < block.timestamp || batch.eventBy > block.timestamp + MAX_HORIZON) {
            revert EventByOutOfRange(batch.eventBy);
        }
        RulebookClock rulebook = _loadRulebook(batch.rulebook);
        if (rulebook.suspended()) revert IRulebooks.RulebookIsSuspended(batch.rulebook);

        _checkGroups(batch, groups);
        uint256 lines = _countLines(batch, groups);
        _claimBatches().states[batchId] = BatchStateLib.create(
            batch.total,
            _stoppedSeconds(stopClock, rulebook),
            lines
        );
        _takeFromPool(stopClock.standingLosses() + 1, batch.payer, batch.token, batch.total);
        emit ClaimBatchFunded(batchId, batch.payer, batch.rulebook, batch.token, batch.total);
    }

    /// @dev Takes a batch's total out of its payer's free balance, if the payer is in good standing.
    /// @param epoch One more than how often an account lost a standing up to now.
    function _takeFromPool(uint256 epoch, address payer, address token, uint256 total) private {
        mapping(address => Balances) storage balances = _balancesIn(token);
        Balances pool = balances[payer];
        if (pool.free() < total) revert FreeBalanceTooSmall(payer, token, pool.free(), total);
        if (pool.vettedUntil() != epoch) {
            if (standingOf(payer) & _FUNDING_KINDS == 0) revert PayerNotInStanding(payer);
            pool = pool.vet(epoch);
        }
        balances[payer] = pool.takeFree(total);
    }

    /// @dev Checks what can be checked of groups only once, at funding, and counts their lines.
    function _countLines(ClaimBatch calldata batch, Group[] calldata groups) private pure returns (uint256 lines) {
        if (groups.length == 0 || groups.length > MAX_GROUPS) revert GroupCountOutOfRange(groups.length);
        uint256 sum = 0;
        address previous = address(0);
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
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
    /// @param width Bytes of each of `amounts`; zero: they are not needed.
    /// @return amount Of the lines, in base units.
    function _closeLines(
        uint256[] memory closed,
        uint256 firstLine,
        uint256[] calldata lines,
        Group group,
        bytes calldata amounts,
        uint256 width
    ) private pure returns (uint256 amount) {
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 line = lines[i];
            if (line >= group.lineCount() || (i != 0 && line <= lines[i - 1])) revert LineInvalid(line);
            // Lines lie within the group, whose amounts sum to its subtotal.
            unchecked {
                if (!closed.close(firstLine + line)) revert LineNotOpen(line);
                if (width != 0) amount += LineAmounts.at(amounts, line, width);
            }
        }
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}
}
