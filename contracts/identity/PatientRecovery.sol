// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Authorization} from "../interfaces/IAuthorizations.sol";
import {
    ContactSignature,
    IPatientRecovery,
    Recovery,
    RecoveryContacts,
    RecoveryPhase
} from "../interfaces/IPatientRecovery.sol";
import {IPatientRegistry, PatientStatus} from "../interfaces/IPatientRegistry.sol";
import {Signers} from "../libraries/Signers.sol";
import {Authorizations} from "./Authorizations.sol";

/// @title PatientRecovery
/// @notice See {IPatientRecovery}.
contract PatientRecovery is IPatientRecovery, Authorizations, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @inheritdoc IPatientRecovery
    uint256 public constant MAX_CONTACTS = 16;
    /// @inheritdoc IPatientRecovery
    uint256 public constant MIN_DELAY = 3 days;
    /// @inheritdoc IPatientRecovery
    uint256 public constant MAX_DELAY = 90 days;
    /// @inheritdoc IPatientRecovery
    uint256 public constant CONTACTS_DELAY = 7 days;
    /// @inheritdoc IPatientRecovery
    uint256 public constant EXECUTION_WINDOW = 30 days;

    /// @dev Contacts of a patient. `next` holds from `effectiveAt` on without anybody doing anything, if `changedBy`, the
    /// controller that wants it, is the controller until then.
    struct ContactBook {
        bytes32 current;
        bytes32 next;
        uint40 effectiveAt;
        uint32 changes;
        bytes32 changedBy;
    }

    /// @custom:storage-location erc7201:carepact.storage.PatientRecovery
    struct PatientRecoveryStorage {
        IPatientRegistry patients;
        mapping(bytes32 patient => ContactBook) books;
        mapping(bytes32 patient => Recovery) recoveries;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.PatientRecovery")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0xe6443574b5360ffbbb85c8868c35d65f8facb04e57b31c666e99788171ec9600;

    bytes32 private constant _NAME_HASH = keccak256("Carepact PatientRecovery");

    // The number of changes grows with each.
    bytes32 private constant _CHANGE_CONTACTS = keccak256(
        "ChangeContacts(bytes32 patient,bytes32 from,bytes32 to,uint32 change,uint48 deadline)"
    );
    // A change that was cancelled is not under way any more, and the next has another number.
    bytes32 private constant _CANCEL_CONTACTS_CHANGE = keccak256(
        "CancelContactsChange(bytes32 patient,uint32 change,uint48 deadline)"
    );
    // The number of recoveries grows with each that begins.
    bytes32 private constant _START = keccak256(
        "StartRecovery(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)"
    );
    bytes32 private constant _ACCEPT = keccak256("AcceptRecovery(bytes32 patient,uint32 number,uint48 deadline)");
    // There is one veto, and one override of it, to each number.
    bytes32 private constant _VETO = keccak256("VetoRecovery(bytes32 patient,uint32 number,uint48 deadline)");
    bytes32 private constant _OVERRIDE = keccak256(
        "OverrideVeto(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)"
    );

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @dev EIP712Upgradeable's initialiser would store name and version, which here are constants (see {Authorizations}).
    /// @custom:oz-upgrades-unsafe-allow missing-initializer-call incorrect-initializer-order
    /// @param authority AccessManager that guards upgrades.
    /// @param patients Consent registry, which holds the patients and lets this contract recover their controllers.
    function initialize(address authority, address patients) external initializer {
        __AccessManaged_init(authority);
        _recoveries().patients = IPatientRegistry(patients);
    }

    /// @inheritdoc IPatientRecovery
    function changeContacts(bytes32 patient, bytes32 from, bytes32 to, Authorization calldata authorization) external {
        ContactBook memory book = _currentBook(patient);
        ++book.changes;
        bytes32 message = keccak256(
            abi.encode(_CHANGE_CONTACTS, patient, from, to, book.changes, authorization.deadline)
        );
        book.changedBy = _requireActiveController(patient, message, authorization);
        if (from != book.current) revert ContactsNotCurrent(patient, book.current);
        book.next = to;
        book.effectiveAt = uint40(block.timestamp + CONTACTS_DELAY);
        _recoveries().books[patient] = book;
        emit ContactsChanging(patient, from, to, book.effectiveAt);
    }

    /// @inheritdoc IPatientRecovery
    function cancelContactsChange(bytes32 patient, Authorization calldata authorization) external {
        ContactBook memory book = _currentBook(patient);
        bytes32 message = keccak256(abi.encode(_CANCEL_CONTACTS_CHANGE, patient, book.changes, authorization.deadline));
        _requireActiveController(patient, message, authorization);
        if (book.effectiveAt == 0) revert ContactsChangeMissing(patient);
        emit ContactsChangeCancelled(patient, book.next);
        (book.next, book.effectiveAt) = (0, 0);
        _recoveries().books[patient] = book;
    }

    /// @inheritdoc IPatientRecovery
    function startRecovery(
        bytes32 patient,
        RecoveryContacts calldata contacts,
        Authorization calldata acceptance,
        ContactSignature[] calldata signatures
    ) external {
        _requireActive(patient);
        Recovery memory recovery = _recoveries().recoveries[patient];
        // A vetoed one too: who stole the controller's key would veto, bring in contacts of its own, and begin before all
        // could override.
        bool open = recovery.phase != RecoveryPhase.None && recovery.phase != RecoveryPhase.Executed;
        if (open && block.timestamp < _lapseOf(recovery)) revert RecoveryInProgress(patient, recovery.number);
        bytes32 contactsHash = hashContacts(contacts);
        bytes32 current = _currentBook(patient).current;
        if (contactsHash != current) revert ContactsMismatch(patient, current);

        uint32 number = recovery.number + 1;
        recovery = Recovery({
            contactsHash: contactsHash,
            newController: _signerOf(keccak256(abi.encode(_ACCEPT, patient, number, acceptance.deadline)), acceptance),
            readyAt: uint40(block.timestamp + contacts.delay),
            delay: contacts.delay,
            number: number,
            phase: RecoveryPhase.Waiting
        });
        _checkSignatures(_START, patient, recovery, contacts.contacts, contacts.threshold, signatures);
        _recoveries().recoveries[patient] = recovery;
        emit RecoveryStarted(patient, number, recovery.newController, recovery.readyAt);
    }

    /// @inheritdoc IPatientRecovery
    function vetoRecovery(bytes32 patient, Authorization calldata authorization) external {
        Recovery storage recovery = _recoveries().recoveries[patient];
        bytes32 message = keccak256(abi.encode(_VETO, patient, recovery.number, authorization.deadline));
        _requireActiveController(patient, message, authorization);
        if (recovery.phase != RecoveryPhase.Waiting) revert RecoveryPhaseWrong(patient, recovery.phase);
        recovery.phase = RecoveryPhase.Vetoed;
        emit RecoveryVetoed(patient, recovery.number);
    }

    /// @inheritdoc IPatientRecovery
    function overrideVeto(
        bytes32 patient,
        RecoveryContacts calldata contacts,
        ContactSignature[] calldata signatures
    ) external {
        Recovery memory recovery = _recoveries().recoveries[patient];
        if (recovery.phase != RecoveryPhase.Vetoed) revert RecoveryPhaseWrong(patient, recovery.phase);
        if (block.timestamp >= _lapseOf(recovery)) revert RecoveryLapsed(patient, _lapseOf(recovery));
        if (hashContacts(contacts) != recovery.contactsHash) revert ContactsMismatch(patient, recovery.contactsHash);
        _checkSignatures(_OVERRIDE, patient, recovery, contacts.contacts, contacts.contacts.length, signatures);
        recovery.phase = RecoveryPhase.Overridden;
        recovery.readyAt = uint40(block.timestamp + recovery.delay);
        _recoveries().recoveries[patient] = recovery;
        emit RecoveryOverridden(patient, recovery.number, recovery.readyAt);
    }

    /// @inheritdoc IPatientRecovery
    function executeRecovery(bytes32 patient) external {
        PatientRecoveryStorage storage $ = _recoveries();
        Recovery memory recovery = $.recoveries[patient];
        if (recovery.phase != RecoveryPhase.Waiting && recovery.phase != RecoveryPhase.Overridden) {
            revert RecoveryPhaseWrong(patient, recovery.phase);
        }
        if (block.timestamp < recovery.readyAt) revert RecoveryNotReady(patient, recovery.readyAt);
        if (block.timestamp >= _lapseOf(recovery)) revert RecoveryLapsed(patient, _lapseOf(recovery));
        $.recoveries[patient].phase = RecoveryPhase.Executed;
        ContactBook storage book = $.books[patient];
        (book.current, book.next, book.effectiveAt) = (recovery.contactsHash, 0, 0);
        emit RecoveryExecuted(patient, recovery.number, recovery.newController);
        $.patients.recover(patient, recovery.newController);
    }

    /// @inheritdoc IPatientRecovery
    function contactsOf(
        bytes32 patient
    ) external view returns (bytes32 current, bytes32 next, uint256 effectiveAt, uint256 changes) {
        ContactBook memory book = _currentBook(patient);
        return (book.current, book.next, book.effectiveAt, book.changes);
    }

    /// @inheritdoc IPatientRecovery
    function recoveryOf(bytes32 patient) external view returns (Recovery memory) {
        return _recoveries().recoveries[patient];
    }

    /// @inheritdoc IPatientRecovery
    function hashContacts(RecoveryContacts calldata contacts) public pure returns (bytes32) {
        uint256 count = contacts.contacts.length;
        if (count == 0 || count > MAX_CONTACTS) revert ContactCountInvalid(count);
        if (contacts.threshold == 0 || contacts.threshold > count) {
            revert RecoveryThresholdInvalid(contacts.threshold, count);
        }
        if (contacts.delay < MIN_DELAY || contacts.delay > MAX_DELAY) revert RecoveryDelayInvalid(contacts.delay);
        bytes32 previous = 0;
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata contact = contacts.contacts[i];
            if (contact.length < 20) revert ContactInvalid(i);
            bytes32 hash = keccak256(contact);
            if (hash <= previous) revert ContactsNotAscending(i);
            previous = hash;
        }
        return keccak256(abi.encode(contacts));
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev A constant and not OpenZeppelin's stored string.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Carepact PatientRecovery";
    }

    /// @inheritdoc Authorizations
    function _domainNameHash() internal pure override returns (bytes32) {
        return _NAME_HASH;
    }

    /// @dev Reverts unless `needed` contacts or more signed for this recovery.
    /// @param typeHash Of the message, whose fields are those of {_START} and {_OVERRIDE}.
    function _checkSignatures(
        bytes32 typeHash,
        bytes32 patient,
        Recovery memory recovery,
        bytes[] calldata contacts,
        uint256 needed,
        ContactSignature[] calldata signatures
    ) private view {
        if (signatures.length < needed) revert ContactSignaturesTooFew(needed, signatures.length);
        uint256 next = 0;
        for (uint256 i = 0; i < signatures.length; ++i) {
            ContactSignature calldata signed = signatures[i];
            if (signed.contact < next || signed.contact >= contacts.length) {
                revert ContactSignaturesNotAscending(signed.contact);
            }
            next = uint256(signed.contact) + 1;
            if (block.timestamp > signed.deadline) revert AuthorizationExpired(signed.deadline);
            bytes32 message = keccak256(
                abi.encode(
                    typeHash,
                    patient,
                    recovery.number,
                    recovery.contactsHash,
                    recovery.newController,
                    signed.deadline
                )
            );
            bytes calldata contact = contacts[signed.contact];
            if (!Signers.isValid(contact, _digestOf(message), signed.signature)) revert AuthorizationInvalid(contact);
        }
    }

    function _requireActiveController(
        bytes32 patient,
        bytes32 message,
        Authorization calldata authorization
    ) private view returns (bytes32 controllerHash) {
        controllerHash = _requireActive(patient);
        _requireController(patient, controllerHash, message, authorization);
    }

    /// @dev Reverts unless the record is active.
    function _requireActive(bytes32 patient) private view returns (bytes32 controllerHash) {
        PatientStatus status;
        (controllerHash, status) = _recoveries().patients.controllerOf(patient);
        if (status == PatientStatus.Unknown) revert PatientUnknown(patient);
        if (status != PatientStatus.Active) revert IPatientRegistry.PatientNotActive(patient, status);
    }

    /// @dev The patient's contacts as they are now.
    function _currentBook(bytes32 patient) private view returns (ContactBook memory book) {
        PatientRecoveryStorage storage $ = _recoveries();
        book = $.books[patient];
        if (book.effectiveAt == 0) return book;
        (uint256 endedAt, ) = $.patients.controllerEndOf(patient, book.changedBy);
        // Who rotates away from a thief need not know that the thief named contacts. A key that was recovered may have ended
        // once before.
        if (endedAt >= book.effectiveAt - CONTACTS_DELAY && endedAt < book.effectiveAt) {
            (book.next, book.effectiveAt) = (0, 0);
        } else if (block.timestamp >= book.effectiveAt) {
            (book.current, book.next, book.effectiveAt) = (book.next, 0, 0);
        }
    }

    /// @dev First second in which a recovery can no longer be carried out, or its veto overridden.
    function _lapseOf(Recovery memory recovery) private pure returns (uint256) {
        return recovery.readyAt + EXECUTION_WINDOW;
    }

    function _recoveries() private pure returns (PatientRecoveryStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
