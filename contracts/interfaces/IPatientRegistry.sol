// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Authorization, IAuthorizations} from "./IAuthorizations.sol";

/// @notice Standing of a patient's record. `Deactivated` and `Merged` are final.
enum PatientStatus {
    Unknown,
    Active,
    Deactivated,
    Merged
}

/// @notice What the chain knows of a patient: nothing about the person.
/// @param status Standing of the record.
/// @param controllerHash keccak256 of the ERC-7913 signer that acts for the record.
/// @param controllerVersion How many controllers there were; the first is 1.
/// @param epoch Number that a grant has to name to count. It only grows, by steps that nobody can foresee.
/// @param hpkeKey X25519 public key (RFC 9180, DHKEM(X25519, HKDF-SHA256)) to which files for the patient are sealed.
/// @param hpkeKeyVersion How many of these there were; the first is 1.
/// @param proofing Commitment to a proofing document: keccak256(abi.encode(keccak256(document), salt)); zero: none.
/// @param proofingVersion How often that was set.
/// @param restrictionsVersion How often restrictions were set (see {IConsentRegistry-restrictionsOf}).
/// @param since When the record was registered, in unix seconds.
/// @param mergedInto Record into which this one was merged; zero: none.
struct Patient {
    PatientStatus status;
    bytes32 controllerHash;
    uint32 controllerVersion;
    uint48 epoch;
    bytes32 hpkeKey;
    uint32 hpkeKeyVersion;
    bytes32 proofing;
    uint32 proofingVersion;
    uint32 restrictionsVersion;
    uint40 since;
    bytes32 mergedInto;
}

/// @title IPatientRegistry
/// @notice Patients under random ids, each controlled by an ERC-7913 signer: a passkey, a P-256 key, a wallet contract, an
/// account.
/// @dev A child's record is like any other on chain: its controller is a key that a credentialed organization, the
/// custodian, made for this one record. A parent acts under a {RepresentativeMandate} and never controls. At majority the
/// custodian calls {rotateController} to the young adult's own key and ends the epoch, and with it all mandates; the parent
/// is not asked. On chain, all of this looks as when somebody changes phones, so that it tells no age.
interface IPatientRegistry is IAuthorizations {
    /// @notice A patient was registered.
    event PatientRegistered(bytes32 indexed patient, bytes32 controllerHash, bytes32 hpkeKey);

    /// @notice The record has another controller, its `controllerVersion`-th: by rotation or recovery.
    event ControllerChanged(bytes32 indexed patient, bytes32 controllerHash, uint256 controllerVersion);

    /// @notice All grants and mandates of `epoch` ended; new ones name `nextEpoch`.
    event EpochEnded(bytes32 indexed patient, uint256 epoch, uint256 nextEpoch);

    /// @notice Files for the patient are now sealed to `hpkeKey`, version `version`. Version 1 is told by {PatientRegistered}.
    event PatientHpkeKeyChanged(bytes32 indexed patient, bytes32 hpkeKey, uint256 version);

    /// @notice The patient now has this proofing commitment; zero: none any more.
    event ProofingChanged(bytes32 indexed patient, bytes32 proofing, uint256 version);

    /// @notice `from` was a duplicate of `into`, as the controllers of both say.
    event PatientMerged(bytes32 indexed from, bytes32 indexed into);

    /// @notice Nothing is permitted any more for this patient.
    event PatientDeactivated(bytes32 indexed patient);

    /// @notice Controllers are recovered by `recovery` from now on.
    event RecoverySet(address recovery);

    /// @notice The record is deactivated or merged.
    error PatientNotActive(bytes32 patient, PatientStatus status);

    /// @notice The id is taken; by the same controller, since an id commits to it.
    error PatientAlreadyRegistered(bytes32 patient);

    /// @notice A key of zero opens nothing.
    error HpkeKeyZero();

    /// @notice This is the key the patient has: nothing was rotated.
    error HpkeKeyUnchanged(bytes32 hpkeKey);

    /// @notice This key controls the record, or did before: a key that was given up does not come back.
    error ControllerUsedBefore(bytes32 patient, bytes32 controllerHash);

    /// @notice The epoch that was to be ended is not the present one, `current`.
    error EpochNotCurrent(bytes32 patient, uint256 current);

    /// @notice A record cannot be merged into itself.
    error MergeWithItself(bytes32 patient);

    /// @notice Whoever looks for `from` would have to follow more than {MAX_MERGES} mergers.
    error MergeTooDeep(bytes32 from, bytes32 into);

    /// @notice Only the recovery contract may recover a controller.
    error NotRecovery(address caller);

    /// @notice The recovery contract is set once, and for good.
    error RecoveryAlreadySet(address recovery);

    /// @notice There is no contract at `recovery`.
    error RecoveryWithoutCode(address recovery);

    /// @notice Registers a patient whose controller is who authorizes this.
    /// @dev Nobody can take an id first with another key, or the right key with another HPKE key: the id commits to the
    /// controller, and the controller signs for the id and the HPKE key. Who copies the call registers the very same
    /// patient, and the second call reverts. A replay reverts with {PatientAlreadyRegistered}.
    /// Message: `Register(bytes32 patient,bytes32 hpkeKey,uint48 deadline)`.
    /// @param salt Random. A custodian takes keccak256(abi.encode(organization, random)), so that the id commits to it.
    /// @param hpkeKey X25519 public key to which files for the patient are sealed.
    /// @return patient keccak256(abi.encode(keccak256(signer), salt)).
    function register(
        bytes32 salt,
        bytes32 hpkeKey,
        Authorization calldata authorization
    ) external returns (bytes32 patient);

    /// @notice Gives the record to another key, which has to accept: nobody rotates to a key that does not work.
    /// @dev Grants and mandates that the former key signed count from now on only if they were anchored before, in an
    /// earlier second (see {IConsentRegistry-anchor}). Reverts with {ControllerUsedBefore}. Messages name the controller's
    /// version, which this changes.
    /// Messages:
    /// `RotateController(bytes32 patient,uint32 controllerVersion,bytes32 newController,bool endEpoch,uint48 deadline)`,
    /// signed by the controller of that version; `AcceptControl(bytes32 patient,uint32 controllerVersion,uint48 deadline)`,
    /// signed by the new key.
    /// @param acceptance Authorization of the new key, which becomes the controller.
    /// @param endEpoch Whether to end all grants and mandates too. So does a custodian at majority, or who lost a phone.
    function rotateController(
        bytes32 patient,
        Authorization calldata acceptance,
        bool endEpoch,
        Authorization calldata authorization
    ) external;

    /// @notice Changes the key to which files are sealed.
    /// @dev The message names the version it replaces, which this changes.
    /// Message: `SetPatientHpkeKey(bytes32 patient,uint32 hpkeKeyVersion,bytes32 hpkeKey,uint48 deadline)`.
    function setPatientHpkeKey(bytes32 patient, bytes32 hpkeKey, Authorization calldata authorization) external;

    /// @notice Sets the commitment to a document in which an organization says how, by whom and until when the patient's
    /// identity was proofed (NIST SP 800-63A). Zero: none any more.
    /// @dev Nobody else sees the document: who is shown it and its salt compares. The message names the version it replaces.
    /// Message: `SetProofing(bytes32 patient,uint32 proofingVersion,bytes32 proofing,uint48 deadline)`.
    /// @param proofing keccak256(abi.encode(keccak256(document), salt)).
    function setProofing(bytes32 patient, bytes32 proofing, Authorization calldata authorization) external;

    /// @notice Says that `from` is a duplicate of `into`. Both controllers have to. Final; nothing is deleted.
    /// @dev For `from` nothing is permitted any more: who held a grant asks for one for `into`. Can be done only once.
    /// Message, signed by both: `MergePatients(bytes32 from,bytes32 into,uint48 deadline)`.
    function mergePatients(
        bytes32 from,
        bytes32 into,
        Authorization calldata ofFrom,
        Authorization calldata ofInto
    ) external;

    /// @notice Ends the record: nothing is permitted any more. Final; revocations are still possible, nothing is deleted.
    /// @dev Can be done only once. Message: `DeactivatePatient(bytes32 patient,uint48 deadline)`.
    function deactivatePatient(bytes32 patient, Authorization calldata authorization) external;

    /// @notice Gives the record to the key that recovery contacts named, and ends the epoch. Only the recovery contract.
    function recover(bytes32 patient, bytes32 newController) external;

    /// @notice Names the recovery contract, once and for good. Restricted by the access manager.
    function setRecovery(address recovery_) external;

    /// @notice What the chain knows of a patient; all zero for an id that was not registered.
    function patientOf(bytes32 patient) external view returns (Patient memory);

    /// @notice Controller and standing of a patient, for contracts.
    function controllerOf(bytes32 patient) external view returns (bytes32 controllerHash, PatientStatus status);

    /// @notice When a former controller stopped being one.
    /// @return endedAt Unix seconds; zero: it is the controller, or never was.
    /// @return epoch The epoch at that moment, in which alone its anchored grants count.
    function controllerEndOf(
        bytes32 patient,
        bytes32 controllerHash
    ) external view returns (uint256 endedAt, uint256 epoch);

    /// @notice The record that this one was merged into, through at most {MAX_MERGES} mergers; the patient itself if it was
    /// not.
    function resolvePatient(bytes32 patient) external view returns (bytes32);

    /// @notice Contract that recovers controllers; zero: not set yet.
    function recovery() external view returns (address);

    /// @notice Most mergers that lie between a record and the one that it was merged into in the end.
    function MAX_MERGES() external view returns (uint256);
}
