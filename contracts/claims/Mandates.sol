// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {ClaimBatch, Mandate} from "../interfaces/ClaimTypes.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IMandates} from "../interfaces/IMandates.sol";
import {IOrganizationRegistry} from "../interfaces/IOrganizationRegistry.sol";
import {Group} from "../libraries/GroupLib.sol";

/// @title Mandates
/// @notice See {IMandates}.
contract Mandates is IMandates, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @dev One slot. A mandate that was ended stays `given`, so that it cannot be given again.
    struct MandateState {
        bool given;
        bool ended;
        uint40 period;
        uint96 spent;
    }

    /// @custom:storage-location erc7201:carepact.storage.Mandates
    struct MandatesStorage {
        IOrganizationRegistry registry;
        IClaimEscrow escrow;
        mapping(bytes32 mandateId => MandateState) states;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Mandates")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x8e6ede4c908dce46ff082e658aee0bc689a1640d872b03635c862329429e3a00;

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @param authority AccessManager that guards settings and upgrades.
    /// @param registry Organization registry that knows the kinds of payees.
    function initialize(address authority, address registry) external initializer {
        __AccessManaged_init(authority);
        _mandates().registry = IOrganizationRegistry(registry);
    }

    /// @inheritdoc IMandates
    function giveMandate(Mandate calldata mandate) external returns (bytes32 mandateId) {
        if (mandate.payer != msg.sender) revert NotMandatesPayer(mandate.payer, msg.sender);
        if (
            mandate.end <= mandate.start ||
            mandate.period == 0 ||
            mandate.cap == 0 ||
            mandate.rulebooks.length == 0 ||
            (mandate.payeeKinds == 0 && mandate.payees.length == 0)
        ) revert MandateInvalid();
        for (uint256 i = 1; i < mandate.payees.length; ++i) {
            if (mandate.payees[i] <= mandate.payees[i - 1]) revert MandateInvalid();
        }
        mandateId = keccak256(abi.encode(mandate));
        MandateState storage state = _mandates().states[mandateId];
        if (state.given) revert MandateAlreadyGiven(mandateId);
        state.given = true;
        emit MandateGiven(mandateId, mandate.payer, mandate.operator, mandate);
    }

    /// @inheritdoc IMandates
    function endMandate(Mandate calldata mandate) external {
        if (mandate.payer != msg.sender) revert NotMandatesPayer(mandate.payer, msg.sender);
        bytes32 mandateId = keccak256(abi.encode(mandate));
        MandateState storage state = _mandates().states[mandateId];
        if (!state.given || state.ended) revert MandateNotInForce(mandateId);
        state.ended = true;
        emit MandateEnded(mandateId, mandate.payer);
    }

    /// @inheritdoc IMandates
    function fund(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        Mandate calldata mandate
    ) external returns (bytes32 batchId) {
        _useMandate(batch, groups, mandate);
        return _mandates().escrow.fundUnderMandate(batch, groups);
    }

    /// @inheritdoc IMandates
    function setEscrow(address escrow) external restricted {
        MandatesStorage storage $ = _mandates();
        if (address($.escrow) != address(0)) revert EscrowAlreadySet(address($.escrow));
        $.escrow = IClaimEscrow(escrow);
        emit EscrowSet(escrow);
    }

    /// @inheritdoc IMandates
    function mandateStatusOf(bytes32 mandateId) external view returns (bool inForce, uint256 period, uint256 spent) {
        MandateState storage state = _mandates().states[mandateId];
        return (state.given && !state.ended, state.period, state.spent);
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev Checks that the caller may fund the batch under the mandate, and books the total against the period's cap.
    function _useMandate(ClaimBatch calldata batch, Group[] calldata groups, Mandate calldata mandate) private {
        bytes32 mandateId = keccak256(abi.encode(mandate));
        MandateState memory state = _mandates().states[mandateId];
        if (!state.given || state.ended) revert MandateNotInForce(mandateId);
        if (mandate.operator != msg.sender) revert NotMandatesOperator(mandate.operator, msg.sender);
        if (mandate.payer != batch.payer || mandate.token != batch.token) revert MandateMismatch(mandateId);
        if (block.timestamp < mandate.start || block.timestamp >= mandate.end) {
            revert MandateOutsideTime(mandateId, mandate.start, mandate.end);
        }
        _requireRulebookNamed(mandateId, mandate.rulebooks, batch.rulebook);
        _requirePayeesNamed(mandateId, mandate, groups);

        uint40 period = uint40((block.timestamp - mandate.start) / mandate.period);
        uint256 spent = period == state.period ? state.spent : 0;
        uint256 left = mandate.cap - spent;
        if (batch.total > left) revert MandateCapExceeded(mandateId, left, batch.total);
        state.period = period;
        state.spent = uint96(spent + batch.total);
        _mandates().states[mandateId] = state;
    }

    function _requireRulebookNamed(bytes32 mandateId, bytes32[] calldata rulebooks, bytes32 rulebook) private pure {
        for (uint256 i = 0; i < rulebooks.length; ++i) {
            if (rulebooks[i] == rulebook) return;
        }
        revert MandateRulebookNotNamed(mandateId, rulebook);
    }

    /// @dev Both lists ascend, so one walk over both is enough: the escrow refuses groups that do not.
    function _requirePayeesNamed(bytes32 mandateId, Mandate calldata mandate, Group[] calldata groups) private view {
        address[] calldata payees = mandate.payees;
        IOrganizationRegistry registry = _mandates().registry;
        uint256 next = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            address payee = groups[i].payee();
            while (next < payees.length && payees[next] < payee) ++next;
            if (next < payees.length && payees[next] == payee) continue;
            if (registry.standingOf(payee) & mandate.payeeKinds == 0) revert MandatePayeeNotNamed(mandateId, payee);
        }
    }

    function _mandates() private pure returns (MandatesStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
