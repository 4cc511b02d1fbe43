// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Authorization, IAuthorizations} from "./IAuthorizations.sol";

/// @notice Who can recover a patient's record. Kept off chain; its hash is on chain, and it is opened only when a recovery
/// begins.
/// @param contacts ERC-7913 signers, 1 to 16, in strictly ascending order of their keccak256.
/// @param threshold How many of them are enough.
/// @param delay Seconds for which the controller can veto, and once more after all contacts overrode a veto.
/// @param salt Random.
struct RecoveryContacts {
    bytes[] contacts;
    uint8 threshold;
    uint32 delay;
    bytes32 salt;
}

/// @notice Signature of a contact.
/// @param contact Index of the contact.
/// @param deadline Last second (unix) in which it is good.
/// @param signature The contact's.
struct ContactSignature {
    uint8 contact;
    uint48 deadline;
    bytes signature;
}

/// @notice Where a recovery stands. A waiting one can be carried out from `readyAt` on, for {EXECUTION_WINDOW} seconds.
enum RecoveryPhase {
    None,
    Waiting,
    Vetoed,
    Overridden,
    Executed
}

/// @notice A recovery.
/// @param contactsHash Contacts who began it. Changes of contacts do not touch it.
/// @param newController keccak256 of the ERC-7913 signer that accepted the record.
/// @param readyAt First second (unix) in which it can be carried out.
/// @param delay Seconds of its delay.
/// @param number Which of the patient's recoveries it is; the first is 1.
/// @param phase Where it stands.
struct Recovery {
    bytes32 contactsHash;
    bytes32 newController;
    uint40 readyAt;
    uint32 delay;
    uint32 number;
    RecoveryPhase phase;
}

/// @title IPatientRecovery
/// @notice Recovery contacts: M of N people or organizations of the patient's choice who together can give the record to a
/// new key.
/// @dev Contacts are one document, of which only the salted hash is here. So nobody sees them, nobody but the patient's
/// controller can add or remove one, and there is no list from which a wrong one could be removed.
interface IPatientRecovery is IAuthorizations {
    /// @notice The patient's contacts will be those of `next` from `effectiveAt` (unix seconds) on.
    event ContactsChanging(bytes32 indexed patient, bytes32 current, bytes32 next, uint256 effectiveAt);

    /// @notice The change that was under way will not happen.
    event ContactsChangeCancelled(bytes32 indexed patient, bytes32 next);

    /// @notice Contacts began to recover the record for `newController`.
    event RecoveryStarted(bytes32 indexed patient, uint256 number, bytes32 newController, uint256 readyAt);

    /// @notice The controller vetoed.
    event RecoveryVetoed(bytes32 indexed patient, uint256 number);

    /// @notice All contacts overrode the veto.
    event RecoveryOverridden(bytes32 indexed patient, uint256 number, uint256 readyAt);

    /// @notice The record has a new controller.
    event RecoveryExecuted(bytes32 indexed patient, uint256 number, bytes32 newController);

    /// @notice A change has to name the contacts that it replaces; they are `current`.
    error ContactsNotCurrent(bytes32 patient, bytes32 current);

    /// @notice No change of contacts is under way.
    error ContactsChangeMissing(bytes32 patient);

    /// @notice The contacts brought are not those of hash `contactsHash`, or the patient has none (zero).
    error ContactsMismatch(bytes32 patient, bytes32 contactsHash);

    /// @notice There have to be 1 to {MAX_CONTACTS} contacts.
    error ContactCountInvalid(uint256 count);

    /// @notice Contacts have to be in strictly ascending order of their keccak256; the one at `index` is not.
    error ContactsNotAscending(uint256 index);

    /// @notice The contact at `index` has less than 20 bytes.
    error ContactInvalid(uint256 index);

    /// @notice The threshold has to lie between 1 and the number of contacts.
    error RecoveryThresholdInvalid(uint256 threshold, uint256 contacts);

    /// @notice The delay has to lie between {MIN_DELAY} and {MAX_DELAY} seconds.
    error RecoveryDelayInvalid(uint256 delay);

    /// @notice So many contacts have to sign.
    error ContactSignaturesTooFew(uint256 needed, uint256 given);

    /// @notice Signatures have to be in strictly ascending order of contacts, of contacts that exist.
    error ContactSignaturesNotAscending(uint256 contact);

    /// @notice Another recovery is under way, or was vetoed and did not lapse yet.
    error RecoveryInProgress(bytes32 patient, uint256 number);

    /// @notice The recovery is not in the phase this needs, or lapsed.
    error RecoveryPhaseWrong(bytes32 patient, RecoveryPhase phase);

    /// @notice The recovery can be carried out from `readyAt` on.
    error RecoveryNotReady(bytes32 patient, uint256 readyAt);

    /// @notice The recovery could be carried out, or its veto overridden, before `lapsedAt`.
    error RecoveryLapsed(bytes32 patient, uint256 lapsedAt);

    /// @notice Changes the patient's contacts, {CONTACTS_DELAY} seconds from now. The first are delayed too, so that who
    /// has a key for a moment gains nothing that lasts. A change that is under way is replaced. It comes to nothing if the key
    /// that made it does not control the record until then: who rotates away from a thief need not know of it.
    /// @dev Message, of the `change`-th change:
    /// `ChangeContacts(bytes32 patient,bytes32 from,bytes32 to,uint32 change,uint48 deadline)`.
    /// @param from Hash of the contacts that hold now; zero: none.
    /// @param to Hash of the next, see {hashContacts}; zero: none.
    function changeContacts(bytes32 patient, bytes32 from, bytes32 to, Authorization calldata authorization) external;

    /// @notice Stops a change of contacts that is under way.
    /// @dev The message names the change. Message: `CancelContactsChange(bytes32 patient,uint32 change,uint48 deadline)`.
    function cancelContactsChange(bytes32 patient, Authorization calldata authorization) external;

    /// @notice Begins a recovery. Anybody may bring the signatures of as many contacts as the threshold says.
    /// @dev Not while another is under way, vetoed or not; each ends when it is carried out, or lapses. Messages name its
    /// number.
    /// Messages: `StartRecovery(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)`,
    /// signed by contacts; `AcceptRecovery(bytes32 patient,uint32 number,uint48 deadline)`, signed by the new key.
    /// @param acceptance Authorization of the new key.
    /// @param signatures In ascending order of contacts.
    function startRecovery(
        bytes32 patient,
        RecoveryContacts calldata contacts,
        Authorization calldata acceptance,
        ContactSignature[] calldata signatures
    ) external;

    /// @notice Stops a recovery, until it is carried out: once, and not after an override. Only the record's present
    /// controller.
    /// @dev Message: `VetoRecovery(bytes32 patient,uint32 number,uint48 deadline)`.
    function vetoRecovery(bytes32 patient, Authorization calldata authorization) external;

    /// @notice Sets a veto aside; the delay begins once more. Anybody may bring the signatures of all contacts.
    /// @dev Message: `OverrideVeto(bytes32 patient,uint32 number,bytes32 contactsHash,bytes32 newController,uint48 deadline)`.
    function overrideVeto(
        bytes32 patient,
        RecoveryContacts calldata contacts,
        ContactSignature[] calldata signatures
    ) external;

    /// @notice Gives the record to the new key and ends its epoch. Anybody may, after the delay.
    /// @dev Contacts are from then on those who recovered: whatever was changed meanwhile, somebody else may have.
    function executeRecovery(bytes32 patient) external;

    /// @notice Contacts of a patient: those that hold now, and those that follow.
    /// @return current Hash; zero: none.
    /// @return next Hash of those that follow.
    /// @return effectiveAt When they do, in unix seconds; zero: no change is under way.
    /// @return changes How many changes there were.
    function contactsOf(
        bytes32 patient
    ) external view returns (bytes32 current, bytes32 next, uint256 effectiveAt, uint256 changes);

    /// @notice The patient's latest recovery; empty: there was none.
    function recoveryOf(bytes32 patient) external view returns (Recovery memory);

    /// @notice keccak256(abi.encode(contacts)). Reverts if they could not be used, which nobody else tells: only the hash
    /// goes on chain.
    function hashContacts(RecoveryContacts calldata contacts) external pure returns (bytes32);

    /// @notice Most contacts.
    function MAX_CONTACTS() external view returns (uint256);

    /// @notice Least delay of a recovery, in seconds.
    function MIN_DELAY() external view returns (uint256);

    /// @notice Greatest delay of a recovery, in seconds.
    function MAX_DELAY() external view returns (uint256);

    /// @notice Delay of a change of contacts, in seconds.
    function CONTACTS_DELAY() external view returns (uint256);

    /// @notice Seconds for which a recovery can be carried out, or its veto overridden, after `readyAt`.
    function EXECUTION_WINDOW() external view returns (uint256);
}
