// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IRulebookListener} from "../interfaces/IRulebookListener.sol";
import {AttesterGroup, IRulebooks, Rulebook} from "../interfaces/IRulebooks.sol";
import {RulebookBlobLib} from "./RulebookBlobLib.sol";

/// @title Rulebooks
/// @notice See {IRulebooks}.
contract Rulebooks is IRulebooks, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @inheritdoc IRulebooks
    uint256 public constant MIN_GRACE = 72 hours;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_GRACE = 90 days;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_ATTESTERS = 32;

    uint256 private constant _ALL_EVENT_KINDS = 31;

    struct RulebookState {
        address blob;
        bool suspended;
    }

    /// @custom:storage-location erc7201:carepact.storage.Rulebooks
    struct RulebooksStorage {
        IRulebookListener listener;
        mapping(bytes32 id => RulebookState) states;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Rulebooks")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xd1f6ec139d431ef9699d84c113e56e1308a653bd244b2b46426bdccbad918100;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @param authority AccessManager that guards settings and upgrades.
    function initialize(address authority) external initializer {
        __AccessManaged_init(authority);
    }

    /// @inheritdoc IRulebooks
    function publish(Rulebook calldata rulebook) external returns (bytes32 id) {
        id = keccak256(abi.encode(rulebook));
        RulebooksStorage storage $ = _rulebooks();
        if ($.states[id].blob != address(0)) return id;
        if (address($.listener) == address(0)) revert RulebookListenerMissing();

        address[] memory attesters = _checkedAttesters(rulebook);
        address blob = RulebookBlobLib.write(rulebook, attesters);
        $.states[id].blob = blob;
        emit RulebookPublished(id, blob);
        $.listener.onRulebookPublished(id, blob);
    }

    /// @inheritdoc IRulebooks
    function suspend(bytes32 id) external {
        RulebookState storage state = _requireSuspender(id);
        if (state.suspended) revert RulebookIsSuspended(id);
        state.suspended = true;
        emit RulebookSuspended(id);
        _rulebooks().listener.onRulebookSuspended(id);
    }

    /// @inheritdoc IRulebooks
    function resume(bytes32 id) external {
        RulebookState storage state = _requireSuspender(id);
        if (!state.suspended) revert RulebookNotSuspended(id);
        state.suspended = false;
        emit RulebookResumed(id);
        _rulebooks().listener.onRulebookResumed(id);
    }

    /// @inheritdoc IRulebooks
    function setRulebookListener(address listener) external restricted {
        RulebooksStorage storage $ = _rulebooks();
        if (address($.listener) != address(0)) revert RulebookListenerAlreadySet(address($.listener));
        $.listener = IRulebookListener(listener);
        emit RulebookListenerSet(listener);
    }

    /// @inheritdoc IRulebooks
    function rulebookOf(bytes32 id) public view returns (Rulebook memory) {
        address blob = _rulebooks().states[id].blob;
        if (blob == address(0)) revert RulebookUnknown(id);
        return RulebookBlobLib.readWhole(blob);
    }

    /// @inheritdoc IRulebooks
    function rulebookStatusOf(bytes32 id) external view returns (bool published, bool suspended) {
        RulebookState storage state = _rulebooks().states[id];
        return (state.blob != address(0), state.suspended);
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    function _requireSuspender(bytes32 id) private view returns (RulebookState storage) {
        if (rulebookOf(id).suspender != msg.sender) revert NotSuspender(id, msg.sender);
        return _rulebooks().states[id];
    }

    /// @dev Refuses a rulebook that this version could not carry out, and takes its attesters out.
    function _checkedAttesters(Rulebook calldata rulebook) private pure returns (address[] memory attesters) {
        _requireUnused(rulebook);
        if (rulebook.grace < MIN_GRACE || rulebook.grace > MAX_GRACE) revert GraceOutOfRange(rulebook.grace);
        uint256 kinds = rulebook.eventKinds;
        if (kinds == 0 || kinds > _ALL_EVENT_KINDS) revert EventKindsInvalid(kinds);

        AttesterGroup calldata group = rulebook.attesterGroups[0];
        uint256 count = group.attesters.length;
        if (group.threshold == 0 || group.threshold > count || count > MAX_ATTESTERS) {
            revert ThresholdInvalid(group.threshold, count);
        }
        attesters = new address[](count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata attester = group.attesters[i];
            if (attester.length != 20 || bytes20(attester) == 0) revert AttesterInvalid(i, attester);
            attesters[i] = address(bytes20(attester));
            if (attesters[i] <= previous) revert AttestersNotAscending(i);
            previous = attesters[i];
        }
    }

    function _requireUnused(Rulebook calldata rulebook) private pure {
        if (rulebook.attesterGroups.length != 1 || rulebook.attesterGroups[0].above != 0) {
            revert RulebookFieldUnsupported("attesterGroups");
        }
        if (rulebook.workflow.id != 0 || rulebook.workflow.owner != address(0) || rulebook.workflow.name != 0) {
            revert RulebookFieldUnsupported("workflow");
        }
        if (rulebook.challengePeriod != 0) revert RulebookFieldUnsupported("challengePeriod");
        if (rulebook.arbiter != address(0)) revert RulebookFieldUnsupported("arbiter");
        if (rulebook.arbiterDeadline != 0) revert RulebookFieldUnsupported("arbiterDeadline");
        if (rulebook.arbiterDefault != 0) revert RulebookFieldUnsupported("arbiterDefault");
        if (rulebook.bond != 0) revert RulebookFieldUnsupported("bond");
        if (rulebook.retentionBps != 0) revert RulebookFieldUnsupported("retentionBps");
        if (rulebook.lookBack != 0) revert RulebookFieldUnsupported("lookBack");
    }

    function _rulebooks() private pure returns (RulebooksStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
