// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GrantChain, Reason, Request, Restrictions, SignedMandate} from "./ConsentTypes.sol";
import {Authorization} from "./IAuthorizations.sol";
import {IPatientRegistry} from "./IPatientRegistry.sol";

/// @title IConsentRegistry
/// @notice What patients took back, and the answer whether a grant counts. Grants themselves stay off chain.
/// @dev There is no cache: each answer is that of the state at the moment, so that a revocation counts in the block it
/// lands in. A document is a grant, a sub-grant or a mandate; it is named by its EIP-712 digest under this contract's
/// domain.
interface IConsentRegistry is IPatientRegistry {
    /// @notice The patient revoked the grant of this number.
    event GrantRevoked(bytes32 indexed patient, uint256 number);

    /// @notice `revoker` revoked a document: a patient one of its record, or who signed (keccak256 of the ERC-7913 signer)
    /// its own.
    event DocumentRevoked(bytes32 indexed revoker, bytes32 indexed document);

    /// @notice The patient's restrictions are now the document of this hash; zero: none.
    event RestrictionsChanged(bytes32 indexed patient, bytes32 restrictionsHash, uint256 version);

    /// @notice `anchor` existed at the time of this block.
    event Anchored(bytes32 indexed anchor);

    /// @notice Revokes the patient's grant of this number, and with it all that was passed on. For ever, from this block on.
    /// @dev A record that was deactivated or merged can still revoke. Changes nothing the second time.
    /// Message: `RevokeGrant(bytes32 patient,uint32 number,uint48 deadline)`.
    function revokeGrant(bytes32 patient, uint32 number, Authorization calldata authorization) external;

    /// @notice Ends the record's epoch: all grants and mandates that were ever signed for it, known or forgotten.
    /// @dev The next epoch's number cannot be foreseen, so that nothing can be signed for it beforehand. The message names
    /// the epoch that it ends. Reverts with {EpochNotCurrent}. Message:
    /// `RevokeAll(bytes32 patient,uint48 epoch,uint48 deadline)`.
    function revokeAll(bytes32 patient, uint48 epoch, Authorization calldata authorization) external;

    /// @notice Revokes a document of the patient's record: a mandate, a sub-grant, or a grant. For ever.
    /// @dev Whether there is such a document, the chain cannot know. Changes nothing the second time.
    /// Message: `RevokeDocument(bytes32 patient,bytes32 document,uint48 deadline)`.
    /// @param document EIP-712 digest of the document.
    function revokeDocument(bytes32 patient, bytes32 document, Authorization calldata authorization) external;

    /// @notice Revokes a document that one signed oneself: a representative its grants, a grantee its sub-grants. A
    /// representative lays down its mandate so, too. For ever. Anybody may, and does so for its own documents only.
    /// @dev Changes nothing the second time. Message: `RevokeOwnDocument(bytes32 document,uint48 deadline)`.
    /// @param document EIP-712 digest of the document.
    function revokeOwnDocument(bytes32 document, Authorization calldata authorization) external;

    /// @notice Sets the hash of the patient's restrictions; zero: none any more.
    /// @dev Who asks has to bring the document from then on. The message names the version that it replaces.
    /// Message: `SetRestrictions(bytes32 patient,uint32 restrictionsVersion,bytes32 restrictionsHash,uint48 deadline)`.
    /// @param restrictionsHash keccak256(abi.encode(restrictions)).
    function setRestrictions(bytes32 patient, bytes32 restrictionsHash, Authorization calldata authorization) external;

    /// @notice Writes down when a signed document existed, so that it outlives the key that signed it. Anybody may.
    /// @dev The time that was written down first stays.
    /// @param anchor_ keccak256(abi.encode(document, keccak256(signature))), the document being its EIP-712 digest. With
    /// the signature, so that who finds a key later cannot sign what was anchored unsigned.
    function anchor(bytes32 anchor_) external;

    /// @notice Whether a request is covered by a grant, at this moment.
    /// @dev Never reverts for what is well-formed calldata. Signers and wallets that burn gas (each has 1,000,000), revert
    /// or answer something else only make the answer a no. It says nothing about legal bases other than a grant.
    /// @param chain The grant, and how it came to who asks.
    /// @param restrictions The patient's restrictions; not looked at where there are none on chain.
    /// @param request What is asked.
    /// @return permitted Whether it is.
    /// @return reason The first reason why not, in the order of {Reason}; `None` if it is.
    function isPermitted(
        GrantChain calldata chain,
        Restrictions calldata restrictions,
        Request calldata request
    ) external view returns (bool permitted, Reason reason);

    /// @notice Whether an emergency may override a missing grant: asked by a clinic, laboratory or pharmacy in good
    /// standing, and not against restrictions, unless these allow it. What follows (log, notice, review) is the gateway's.
    function isBreakGlassPermitted(
        Restrictions calldata restrictions,
        Request calldata request
    ) external view returns (bool permitted, Reason reason);

    /// @notice Whether a representative may grant, and see, these purposes and categories in the patient's name.
    /// @return permitted Whether it may.
    /// @return reason The first reason why not: `RequestInvalid`, one of the patient's, or one of the mandate's.
    function isRepresented(
        SignedMandate calldata signed,
        uint256 purposes,
        uint256 categories
    ) external view returns (bool permitted, Reason reason);

    /// @notice Whether the patient revoked the grant of this number.
    function isGrantRevoked(bytes32 patient, uint256 number) external view returns (bool);

    /// @notice Whether a document was revoked by `revoker`: the id of a patient, or keccak256 of an ERC-7913 signer.
    function isDocumentRevoked(bytes32 revoker, bytes32 document) external view returns (bool);

    /// @notice Hash of the patient's restrictions, and how often it was set; zero: none.
    function restrictionsOf(bytes32 patient) external view returns (bytes32 restrictionsHash, uint256 version);

    /// @notice When `anchor_` was written down first, in unix seconds; zero: never.
    function anchoredAt(bytes32 anchor_) external view returns (uint256);

    /// @notice Most links of a chain: a grant and its sub-grants.
    function MAX_LINKS() external view returns (uint256);
}
