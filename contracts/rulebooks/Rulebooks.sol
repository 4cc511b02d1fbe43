// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IRulebookListener} from "../interfaces/IRulebookListener.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {IRulebooks, Rulebook} from "../interfaces/IRulebooks.sol";
import {AttesterSuspensions} from "./AttesterSuspensions.sol";
import {RulebookChecks} from "./RulebookChecks.sol";
import {RulebookBlobLib} from "./RulebookBlobLib.sol";

/// @title Rulebooks
/// @notice See {IRulebooks}.
contract Rulebooks is IRulebooks, AttesterSuspensions, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @inheritdoc IRulebooks
    uint256 public constant MIN_GRACE = RulebookChecks.MIN_GRACE;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_GRACE = RulebookChecks.MAX_GRACE;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_ATTESTERS = RulebookChecks.MAX_ATTESTERS;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_CHALLENGE_PERIOD = RulebookChecks.MAX_CHALLENGE_PERIOD;
    /// @inheritdoc IRulebooks
    uint256 public constant MIN_ARBITER_DEADLINE = RulebookChecks.MIN_ARBITER_DEADLINE;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_ARBITER_DEADLINE = RulebookChecks.MAX_ARBITER_DEADLINE;
    /// @inheritdoc IRulebooks
    uint256 public constant MAX_LOOK_BACK = RulebookChecks.MAX_LOOK_BACK;

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

    /// @dev Locks the implementation itself; proxies have storage of their own.
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

        RulebookChecks.check(rulebook);
        address blob = RulebookBlobLib.write(rulebook, _attesterSuspensions().equivocated);
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

    /// @dev The rulebook's copy in the escrow changes with its blob; what it says, and its id, do not.
    function _suspendAttester(bytes32 id, bytes calldata attester) internal override {
        Rulebook memory rulebook = rulebookOf(id);
        if (!_names(rulebook, keccak256(attester))) revert AttesterNotNamed(id, attester);
        address blob = RulebookBlobLib.write(rulebook, _attesterSuspensions().equivocated);
        _rulebooks().states[id].blob = blob;
        emit AttesterSuspended(id, attester, blob);
        _rulebooks().listener.onAttesterSuspended(id, blob);
    }

    /// @dev The contract that is told of rulebooks is the one that settles under them.
    function _escrow() internal view override returns (IClaimEscrow) {
        return IClaimEscrow(address(_rulebooks().listener));
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    function _requireSuspender(bytes32 id) private view returns (RulebookState storage) {
        if (rulebookOf(id).suspender != msg.sender) revert NotSuspender(id, msg.sender);
        return _rulebooks().states[id];
    }

    function _names(Rulebook memory rulebook, bytes32 attesterHash) private pure returns (bool) {
        for (uint256 i = 0; i < rulebook.attesterGroups.length; ++i) {
            bytes[] memory attesters = rulebook.attesterGroups[i].attesters;
            for (uint256 j = 0; j < attesters.length; ++j) {
                if (keccak256(attesters[j]) == attesterHash) return true;
            }
        }
        return false;
    }

    function _rulebooks() private pure returns (RulebooksStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
