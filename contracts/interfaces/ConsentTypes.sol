// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice A patient's consent, signed under EIP-712 and kept off chain by who received it. On chain it costs and shows
/// nothing.
/// @dev Sets of purposes and categories are bit sets over the code tables of the SDK. A set of purposes contains all that
/// lie below each (HL7 v3 PurposeOfUse is a hierarchy: who grants TREAT grants ETREAT), so that the contract only compares
/// sets.
/// @param patient Id of the record.
/// @param number The patient's own count of grants, for revocation.
/// @param grantee Organization that may use the grant.
/// @param purposes Bit set of purposes.
/// @param categories Bit set of categories.
/// @param ceiling Highest sensitivity, HL7 v3 Confidentiality in its order: U 0, L 1, M 2, N 3, R 4, V 5.
/// @param notBefore First second (unix) in which the grant counts.
/// @param expiry First second (unix) in which it no longer counts.
/// @param subGrants How many sub-grants may follow one another; zero: none.
/// @param epoch The record's epoch when the grant was signed.
/// @param salt Random.
/// @param instrument keccak256 of the document as people read it (FHIR Consent).
struct Grant {
    bytes32 patient;
    uint32 number;
    address grantee;
    uint256 purposes;
    uint256 categories;
    uint8 ceiling;
    uint40 notBefore;
    uint40 expiry;
    uint8 subGrants;
    uint48 epoch;
    bytes32 salt;
    bytes32 instrument;
}

/// @notice What a grantee passes on. It can only narrow what it received.
/// @param parent EIP-712 digest of the grant or sub-grant that this one is under.
/// @param subGrants Less than the parent's.
/// @dev The other fields are as in {Grant}.
struct SubGrant {
    bytes32 parent;
    address grantee;
    uint256 purposes;
    uint256 categories;
    uint8 ceiling;
    uint40 notBefore;
    uint40 expiry;
    uint8 subGrants;
    bytes32 salt;
}

/// @notice What a personal representative (parent, guardian, power of attorney) may grant in the patient's name. Kept off
/// chain, so that nobody reads a birthday out of its end.
/// @param patient Id of the record.
/// @param representative keccak256 of the representative's ERC-7913 signer.
/// @param custodian Organization that holds a minor's record; the mandate counts only while it is in good standing. Zero: none.
/// @param purposes Purposes the representative may grant.
/// @param categories Categories it may grant and see; those to which a minor may consent alone are left out.
/// @param notBefore First second (unix) in which the mandate counts.
/// @param end First second (unix) in which it, and what was granted under it, no longer counts.
/// @param epoch The record's epoch when the mandate was signed.
/// @param salt Random.
struct RepresentativeMandate {
    bytes32 patient;
    bytes32 representative;
    address custodian;
    uint256 purposes;
    uint256 categories;
    uint40 notBefore;
    uint40 end;
    uint48 epoch;
    bytes32 salt;
}

/// @notice A mandate with the signature of the patient's controller.
/// @param signer ERC-7913 signer; empty: there is no mandate.
struct SignedMandate {
    RepresentativeMandate mandate;
    bytes signer;
    bytes signature;
}

/// @notice A sub-grant with the signature of the grantee before it (ECDSA or ERC-1271).
struct SignedSubGrant {
    SubGrant subGrant;
    bytes signature;
}

/// @notice All that who asks has to bring: a grant, who signed it and by what right, and what was passed on.
/// @param grant What the patient, or a representative for the patient, granted.
/// @param signer ERC-7913 signer of the grant.
/// @param signature Its signature over the grant.
/// @param mandate Mandate of the representative who signed the grant; with an empty signer where the patient did.
/// @param subGrants What was passed on, from the grant's grantee to who asks; at most 3.
struct GrantChain {
    Grant grant;
    bytes signer;
    bytes signature;
    SignedMandate mandate;
    SignedSubGrant[] subGrants;
}

/// @notice What a patient refuses, whatever is granted. One document per patient, kept off chain; its hash is on chain.
/// @param salt Random.
/// @param organizations Never these, neither to ask nor to pass on.
/// @param purposes Never for one of these.
/// @param categories Never one of these.
/// @param breakGlass Whether an emergency may override all this.
struct Restrictions {
    bytes32 salt;
    address[] organizations;
    uint256 purposes;
    uint256 categories;
    bool breakGlass;
}

/// @notice What is asked.
/// @param patient Id of the record.
/// @param organization Who asks.
/// @param purposes Bit of the purpose; several: all of them have to be granted.
/// @param categories Bits of all categories of what is asked for: of its resource type and its labels.
/// @param confidentiality Highest sensitivity of what is asked for, 0 to 5 as in {Grant}.
struct Request {
    bytes32 patient;
    address organization;
    uint256 purposes;
    uint256 categories;
    uint8 confidentiality;
}

/// @notice Why a request is refused; in the order in which it is checked, except that grant and sub-grants are gone through
/// one by one, each for all reasons from `PatientMismatch` to `OrganizationNotInStanding`, a sub-grant first for those from
/// `SubGrantNotAllowed` to `SubGrantWider`.
enum Reason {
    /// @dev Permitted.
    None,
    /// @dev The request names no purpose, no category, or a confidentiality above 5.
    RequestInvalid,
    /// @dev More than 3 sub-grants.
    ChainTooLong,
    /// @dev No such patient.
    PatientUnknown,
    /// @dev The record was deactivated.
    PatientDeactivated,
    /// @dev The record was merged into another, for which to ask.
    PatientMerged,
    /// @dev The patient has restrictions, and these are not they.
    RestrictionsNotCurrent,
    /// @dev The restrictions name who asks, or a grantee on the way.
    OrganizationRestricted,
    /// @dev The restrictions name a category asked for.
    CategoryRestricted,
    /// @dev The restrictions name a purpose asked for.
    PurposeRestricted,
    /// @dev The mandate is for another patient than the grant, or another representative than the grant's signer.
    MandateMismatch,
    /// @dev The mandate's epoch is over, or it was revoked, or laid down by the representative.
    MandateEnded,
    /// @dev The mandate does not count yet.
    MandateNotYetValid,
    /// @dev The mandate does not count any more: neither do grants under it.
    MandateExpired,
    /// @dev Not signed by the patient's controller, or by a former one and not anchored in its time.
    MandateNotSigned,
    /// @dev The mandate's custodian is suspended.
    CustodianNotInStanding,
    /// @dev The grant goes beyond the mandate's purposes or categories.
    MandateTooNarrow,
    /// @dev The link before does not let this one follow: it allows no sub-grants, or not so many.
    SubGrantNotAllowed,
    /// @dev The sub-grant is under another grant than the link before.
    SubGrantMismatch,
    /// @dev The chain comes back to a grantee.
    ChainCyclic,
    /// @dev The sub-grant has purposes, categories, a ceiling or a time that the link before has not.
    SubGrantWider,
    /// @dev The grant is for another patient.
    PatientMismatch,
    /// @dev The grant's epoch is over, or never was.
    EpochEnded,
    /// @dev Not valid yet.
    NotYetValid,
    /// @dev Not valid any more.
    Expired,
    /// @dev Revoked: by its number, by the patient under its hash, or by who signed it.
    Revoked,
    /// @dev The signer never was the patient's controller.
    SignerNotController,
    /// @dev The signer was the patient's controller, and the grant was not anchored in that time.
    SignerReplaced,
    /// @dev Not the signer's signature.
    SignatureInvalid,
    /// @dev The grantee is not registered, or suspended.
    OrganizationNotInStanding,
    /// @dev Who asks is not the grantee of the last link.
    RequesterNotGrantee,
    /// @dev The last link has not all purposes asked for.
    PurposeNotGranted,
    /// @dev The last link has not all categories asked for.
    CategoryNotGranted,
    /// @dev What is asked for is above the ceiling of the last link.
    CeilingExceeded,
    /// @dev Only for break-glass: who asks is not a registered clinic, laboratory or pharmacy in good standing.
    BreakGlassNotForOrganization
}
