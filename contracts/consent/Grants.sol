// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PatientRegistry} from "../identity/PatientRegistry.sol";
import {Authorization} from "../interfaces/IAuthorizations.sol";
import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {PatientState} from "../libraries/PatientStateLib.sol";

/// @title Grants
/// @notice What is on chain of grants, mandates and restrictions: revocations, anchors, hashes. See {IConsentRegistry}.
/// @dev In one contract with patients: to ask who controls a record behind another proxy would cost each revocation about
/// 10,000 gas.
abstract contract Grants is IConsentRegistry, PatientRegistry {
    /// @custom:storage-location erc7201:carepact.storage.Grants
    struct GrantsStorage {
        mapping(bytes32 patient => mapping(uint256 word => uint256 bits)) revokedGrants;
        mapping(bytes32 revoker => mapping(bytes32 document => bool)) revokedDocuments;
        mapping(bytes32 patient => bytes32) restrictions;
        mapping(bytes32 anchor => uint256) anchoredAt;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.Grants")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x337ec2e60652727b411ef83b0938d604c2c1f7db9fca693cd4a98cf3d94d4600;

    // A bit that is set stays set.
    bytes32 private constant _REVOKE_GRANT = keccak256("RevokeGrant(bytes32 patient,uint32 number,uint48 deadline)");
    // An epoch ends once, and the number of the next is higher.
    bytes32 private constant _REVOKE_ALL = keccak256("RevokeAll(bytes32 patient,uint48 epoch,uint48 deadline)");
    // What is revoked stays revoked.
    bytes32 private constant _REVOKE_DOCUMENT = keccak256(
        "RevokeDocument(bytes32 patient,bytes32 document,uint48 deadline)"
    );
    bytes32 private constant _REVOKE_OWN_DOCUMENT = keccak256("RevokeOwnDocument(bytes32 document,uint48 deadline)");
    // The version grows with each setting.
    bytes32 private constant _SET_RESTRICTIONS = keccak256(
        "SetRestrictions(bytes32 patient,uint32 restrictionsVersion,bytes32 restrictionsHash,uint48 deadline)"
    );

    /// @inheritdoc IConsentRegistry
    function revokeGrant(bytes32 patient, uint32 number, Authorization calldata authorization) external {
        bytes32 message = keccak256(abi.encode(_REVOKE_GRANT, patient, number, authorization.deadline));
        _requireController(patient, _record(patient).controllerHash, message, authorization);
        mapping(uint256 => uint256) storage words = _grants().revokedGrants[patient];
        uint256 before = words[number >> 8];
        uint256 bits = before | (1 << (number & 0xff));
        if (bits == before) return;
        words[number >> 8] = bits;
        emit GrantRevoked(patient, number);
    }

    /// @inheritdoc IConsentRegistry
    function revokeAll(bytes32 patient, uint48 epoch, Authorization calldata authorization) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        bytes32 message = keccak256(abi.encode(_REVOKE_ALL, patient, epoch, authorization.deadline));
        _requireController(patient, record.controllerHash, message, authorization);
        if (epoch != state.epoch()) revert EpochNotCurrent(patient, state.epoch());
        record.state = _nextEpoch(patient, state);
    }

    /// @inheritdoc IConsentRegistry
    function revokeDocument(bytes32 patient, bytes32 document, Authorization calldata authorization) external {
        bytes32 message = keccak256(abi.encode(_REVOKE_DOCUMENT, patient, document, authorization.deadline));
        _requireController(patient, _record(patient).controllerHash, message, authorization);
        _revokeDocument(patient, document);
    }

    /// @inheritdoc IConsentRegistry
    function revokeOwnDocument(bytes32 document, Authorization calldata authorization) external {
        bytes32 message = keccak256(abi.encode(_REVOKE_OWN_DOCUMENT, document, authorization.deadline));
        _revokeDocument(_signerOf(message, authorization), document);
    }

    /// @inheritdoc IConsentRegistry
    function setRestrictions(bytes32 patient, bytes32 restrictionsHash, Authorization calldata authorization) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        bytes32 message = keccak256(
            abi.encode(
                _SET_RESTRICTIONS,
                patient,
                state.restrictionsVersion(),
                restrictionsHash,
                authorization.deadline
            )
        );
        _requireController(patient, record.controllerHash, message, authorization);
        state = state.countRestrictions();
        record.state = state;
        _grants().restrictions[patient] = restrictionsHash;
        emit RestrictionsChanged(patient, restrictionsHash, state.restrictionsVersion());
    }

    /// @inheritdoc IConsentRegistry
    function anchor(bytes32 anchor_) external {
        GrantsStorage storage $ = _grants();
        if ($.anchoredAt[anchor_] != 0) return;
        $.anchoredAt[anchor_] = block.timestamp;
        emit Anchored(anchor_);
    }

    /// @inheritdoc IConsentRegistry
    function restrictionsOf(bytes32 patient) external view returns (bytes32 restrictionsHash, uint256 version) {
        return (_restrictionsHashOf(patient), _record(patient).state.restrictionsVersion());
    }

    /// @inheritdoc IConsentRegistry
    function isGrantRevoked(bytes32 patient, uint256 number) public view returns (bool) {
        return _grants().revokedGrants[patient][number >> 8] & (1 << (number & 0xff)) != 0;
    }

    /// @inheritdoc IConsentRegistry
    function isDocumentRevoked(bytes32 revoker, bytes32 document) public view returns (bool) {
        return _grants().revokedDocuments[revoker][document];
    }

    /// @inheritdoc IConsentRegistry
    function anchoredAt(bytes32 anchor_) public view returns (uint256) {
        return _grants().anchoredAt[anchor_];
    }

    function _restrictionsHashOf(bytes32 patient) internal view returns (bytes32) {
        return _grants().restrictions[patient];
    }

    function _revokeDocument(bytes32 revoker, bytes32 document) private {
        mapping(bytes32 => bool) storage revoked = _grants().revokedDocuments[revoker];
        if (revoked[document]) return;
        revoked[document] = true;
        emit DocumentRevoked(revoker, document);
    }

    function _grants() private pure returns (GrantsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
