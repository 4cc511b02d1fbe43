// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {Authorization} from "../interfaces/IAuthorizations.sol";
import {IPatientRegistry, Patient, PatientStatus} from "../interfaces/IPatientRegistry.sol";
import {PatientState, PatientStateLib} from "../libraries/PatientStateLib.sol";
import {Authorizations} from "./Authorizations.sol";

/// @title PatientRegistry
/// @notice See {IPatientRegistry}.
abstract contract PatientRegistry is IPatientRegistry, Authorizations, AccessManagedUpgradeable {
    /// @inheritdoc IPatientRegistry
    uint256 public constant MAX_MERGES = 8;

    /// @dev When a controller stopped being one, and in which epoch.
    struct ControllerEnd {
        uint48 at;
        uint48 epoch;
    }

    /// @dev Registration writes the first three slots.
    struct Record {
        bytes32 controllerHash;
        PatientState state;
        bytes32 hpkeKey;
        bytes32 proofing;
        bytes32 mergedInto;
        mapping(bytes32 controllerHash => ControllerEnd) controllerEnds;
    }

    /// @custom:storage-location erc7201:carepact.storage.PatientRegistry
    struct PatientRegistryStorage {
        address recovery;
        mapping(bytes32 patient => Record) records;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.PatientRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x164adb22b3e5b098c94f3bd3a52fd4b2e6455768d4ff74a2f1bc925aff9f1c00;

    // The id is taken once.
    bytes32 private constant _REGISTER = keccak256("Register(bytes32 patient,bytes32 hpkeKey,uint48 deadline)");
    // The version grows with each rotation and recovery.
    bytes32 private constant _ROTATE = keccak256(
        "RotateController(bytes32 patient,uint32 controllerVersion,bytes32 newController,bool endEpoch,uint48 deadline)"
    );
    bytes32 private constant _ACCEPT = keccak256(
        "AcceptControl(bytes32 patient,uint32 controllerVersion,uint48 deadline)"
    );
    // The version grows with each key.
    bytes32 private constant _SET_HPKE_KEY = keccak256(
        "SetPatientHpkeKey(bytes32 patient,uint32 hpkeKeyVersion,bytes32 hpkeKey,uint48 deadline)"
    );
    // The version grows with each commitment.
    bytes32 private constant _SET_PROOFING = keccak256(
        "SetProofing(bytes32 patient,uint32 proofingVersion,bytes32 proofing,uint48 deadline)"
    );
    // Merged is final.
    bytes32 private constant _MERGE = keccak256("MergePatients(bytes32 from,bytes32 into,uint48 deadline)");
    // Deactivated is final.
    bytes32 private constant _DEACTIVATE = keccak256("DeactivatePatient(bytes32 patient,uint48 deadline)");

    /// @inheritdoc IPatientRegistry
    function register(
        bytes32 salt,
        bytes32 hpkeKey,
        Authorization calldata authorization
    ) external returns (bytes32 patient) {
        if (hpkeKey == 0) revert HpkeKeyZero();
        bytes32 controllerHash =
            authorization.signature.length == 0
                ? keccak256(abi.encodePacked(msg.sender))
                : keccak256(authorization.signer);
        patient = keccak256(abi.encode(controllerHash, salt));
        Record storage record = _record(patient);
        if (record.controllerHash != 0) revert PatientAlreadyRegistered(patient);
        // Reverts if who is in the id did not sign; returns who is.
        _signerOf(keccak256(abi.encode(_REGISTER, patient, hpkeKey, authorization.deadline)), authorization);

        record.controllerHash = controllerHash;
        record.state = PatientStateLib.create();
        record.hpkeKey = hpkeKey;
        emit PatientRegistered(patient, controllerHash, hpkeKey);
    }

    /// @inheritdoc IPatientRegistry
    function rotateController(
        bytes32 patient,
        Authorization calldata acceptance,
        bool endEpoch,
        Authorization calldata authorization
    ) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        uint32 version = state.controllerVersion();
        bytes32 newController = _signerOf(
            keccak256(abi.encode(_ACCEPT, patient, version, acceptance.deadline)),
            acceptance
        );
        bytes32 message = keccak256(
            abi.encode(_ROTATE, patient, version, newController, endEpoch, authorization.deadline)
        );
        _requireController(patient, record.controllerHash, message, authorization);
        if (newController == record.controllerHash || record.controllerEnds[newController].at != 0) {
            revert ControllerUsedBefore(patient, newController);
        }
        state = _changeController(patient, record, state, newController);
        record.state = endEpoch ? _nextEpoch(patient, state) : state;
    }

    /// @inheritdoc IPatientRegistry
    function setPatientHpkeKey(bytes32 patient, bytes32 hpkeKey, Authorization calldata authorization) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        bytes32 message = keccak256(
            abi.encode(_SET_HPKE_KEY, patient, state.hpkeKeyVersion(), hpkeKey, authorization.deadline)
        );
        _requireController(patient, record.controllerHash, message, authorization);
        if (hpkeKey == 0) revert HpkeKeyZero();
        if (hpkeKey == record.hpkeKey) revert HpkeKeyUnchanged(hpkeKey);
        state = state.countHpkeKey();
        record.state = state;
        record.hpkeKey = hpkeKey;
        emit PatientHpkeKeyChanged(patient, hpkeKey, state.hpkeKeyVersion());
    }

    /// @inheritdoc IPatientRegistry
    function setProofing(bytes32 patient, bytes32 proofing, Authorization calldata authorization) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        bytes32 message = keccak256(
            abi.encode(_SET_PROOFING, patient, state.proofingVersion(), proofing, authorization.deadline)
        );
        _requireController(patient, record.controllerHash, message, authorization);
        state = state.countProofing();
        record.state = state;
        record.proofing = proofing;
        emit ProofingChanged(patient, proofing, state.proofingVersion());
    }

    /// @inheritdoc IPatientRegistry
    function mergePatients(
        bytes32 from,
        bytes32 into,
        Authorization calldata ofFrom,
        Authorization calldata ofInto
    ) external {
        if (from == into) revert MergeWithItself(from);
        (Record storage source, PatientState sourceState) = _activeRecord(from);
        (Record storage target, PatientState targetState) = _activeRecord(into);
        _requireController(
            from,
            source.controllerHash,
            keccak256(abi.encode(_MERGE, from, into, ofFrom.deadline)),
            ofFrom
        );
        _requireController(
            into,
            target.controllerHash,
            keccak256(abi.encode(_MERGE, from, into, ofInto.deadline)),
            ofInto
        );
        // A merged record is never merged again nor merged into, so that paths cannot close to a circle.
        uint256 length = sourceState.merges() + 1;
        if (length > MAX_MERGES) revert MergeTooDeep(from, into);
        source.state = sourceState.end(PatientStatus.Merged);
        source.mergedInto = into;
        if (length > targetState.merges()) target.state = targetState.deepen(length);
        emit PatientMerged(from, into);
    }

    /// @inheritdoc IPatientRegistry
    function deactivatePatient(bytes32 patient, Authorization calldata authorization) external {
        (Record storage record, PatientState state) = _activeRecord(patient);
        bytes32 message = keccak256(abi.encode(_DEACTIVATE, patient, authorization.deadline));
        _requireController(patient, record.controllerHash, message, authorization);
        record.state = state.end(PatientStatus.Deactivated);
        emit PatientDeactivated(patient);
    }

    /// @inheritdoc IPatientRegistry
    function recover(bytes32 patient, bytes32 newController) external {
        if (msg.sender != _patients().recovery) revert NotRecovery(msg.sender);
        (Record storage record, PatientState state) = _activeRecord(patient);
        // The epoch ends with it, so that not even a former key that comes back brings a former grant back.
        record.state = _nextEpoch(patient, _changeController(patient, record, state, newController));
    }

    /// @inheritdoc IPatientRegistry
    function setRecovery(address recovery_) external restricted {
        PatientRegistryStorage storage $ = _patients();
        if ($.recovery != address(0)) revert RecoveryAlreadySet($.recovery);
        if (recovery_.code.length == 0) revert RecoveryWithoutCode(recovery_);
        $.recovery = recovery_;
        emit RecoverySet(recovery_);
    }

    /// @inheritdoc IPatientRegistry
    function patientOf(bytes32 patient) external view returns (Patient memory) {
        Record storage record = _record(patient);
        PatientState state = record.state;
        return
            Patient({
                status: state.status(),
                controllerHash: record.controllerHash,
                controllerVersion: state.controllerVersion(),
                epoch: state.epoch(),
                hpkeKey: record.hpkeKey,
                hpkeKeyVersion: state.hpkeKeyVersion(),
                proofing: record.proofing,
                proofingVersion: state.proofingVersion(),
                restrictionsVersion: state.restrictionsVersion(),
                since: state.since(),
                mergedInto: record.mergedInto
            });
    }

    /// @inheritdoc IPatientRegistry
    function controllerOf(bytes32 patient) external view returns (bytes32 controllerHash, PatientStatus status) {
        Record storage record = _record(patient);
        return (record.controllerHash, record.state.status());
    }

    /// @inheritdoc IPatientRegistry
    function controllerEndOf(
        bytes32 patient,
        bytes32 controllerHash
    ) external view returns (uint256 endedAt, uint256 epoch) {
        ControllerEnd storage end = _record(patient).controllerEnds[controllerHash];
        return (end.at, end.epoch);
    }

    /// @inheritdoc IPatientRegistry
    function resolvePatient(bytes32 patient) external view returns (bytes32) {
        // Bounded: no path of mergers is longer than MAX_MERGES.
        for (bytes32 into = _record(patient).mergedInto; into != 0; into = _record(patient).mergedInto) patient = into;
        return patient;
    }

    /// @inheritdoc IPatientRegistry
    function recovery() external view returns (address) {
        return _patients().recovery;
    }

    /// @dev The state in the next epoch. By how much the number grows cannot be known beforehand: a grant that somebody had
    /// signed for an epoch to come would otherwise wait for {IConsentRegistry-revokeAll} to bring it to life.
    function _nextEpoch(bytes32 patient, PatientState state) internal returns (PatientState) {
        uint48 epoch = state.epoch();
        bytes32 chance = keccak256(abi.encode(block.prevrandao, blockhash(block.number - 1), patient, epoch));
        uint48 next = epoch + 1 + uint24(uint256(chance));
        emit EpochEnded(patient, epoch, next);
        return state.enter(next);
    }

    /// @dev Reverts unless the record is active.
    function _activeRecord(bytes32 patient) internal view returns (Record storage record, PatientState state) {
        record = _record(patient);
        state = record.state;
        PatientStatus status = state.status();
        if (status == PatientStatus.Active) return (record, state);
        if (status == PatientStatus.Unknown) revert PatientUnknown(patient);
        revert PatientNotActive(patient, status);
    }

    function _record(bytes32 patient) internal view returns (Record storage) {
        return _patients().records[patient];
    }

    /// @dev Writes all but the state, which is returned.
    function _changeController(
        bytes32 patient,
        Record storage record,
        PatientState state,
        bytes32 newController
    ) private returns (PatientState changed) {
        record.controllerEnds[record.controllerHash] = ControllerEnd(uint48(block.timestamp), state.epoch());
        record.controllerHash = newController;
        changed = state.countController();
        emit ControllerChanged(patient, newController, changed.controllerVersion());
    }

    function _patients() private pure returns (PatientRegistryStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
