// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Authorizations} from "../identity/Authorizations.sol";
import {
    Grant,
    GrantChain,
    Reason,
    RepresentativeMandate,
    Request,
    Restrictions,
    SignedMandate,
    SignedSubGrant,
    SubGrant
} from "../interfaces/ConsentTypes.sol";
import {IConsentRegistry} from "../interfaces/IConsentRegistry.sol";
import {IOrganizationRegistry, OrganizationKinds} from "../interfaces/IOrganizationRegistry.sol";
import {PatientStatus} from "../interfaces/IPatientRegistry.sol";
import {Signers} from "../libraries/Signers.sol";
import {ConsentTypeHashes} from "./ConsentTypeHashes.sol";
import {Grants} from "./Grants.sol";

/// @title ConsentRegistry
/// @notice See {IConsentRegistry}.
contract ConsentRegistry is Grants, ConsentTypeHashes, UUPSUpgradeable {
    /// @inheritdoc IConsentRegistry
    uint256 public constant MAX_LINKS = 4;

    /// @dev What a link lets who holds it do, and what it is.
    struct Link {
        bytes32 document;
        address grantee;
        uint256 purposes;
        uint256 categories;
        uint256 ceiling;
        uint256 notBefore;
        uint256 expiry;
        uint256 subGrants;
    }

    /// @custom:storage-location erc7201:carepact.storage.ConsentRegistry
    struct ConsentRegistryStorage {
        IOrganizationRegistry organizations;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.ConsentRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x02fed56d571d9dbe722d78d3631a6c201ab1581c184528eae3870b203dfc3e00;

    bytes32 private constant _NAME_HASH = keccak256("Carepact ConsentRegistry");

    /// @dev Confidentiality V, the highest.
    uint256 private constant _VERY_RESTRICTED = 5;

    /// @dev Kinds of organization that give care, and so may meet an emergency.
    uint256 private constant _CARE_KINDS =
        OrganizationKinds.CLINIC | OrganizationKinds.LABORATORY | OrganizationKinds.PHARMACY;

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @dev EIP712Upgradeable's initialiser would store name and version, which here are constants (see {Authorizations}).
    /// @custom:oz-upgrades-unsafe-allow missing-initializer-call incorrect-initializer-order
    /// @param authority AccessManager that guards upgrades and the choice of the recovery contract.
    /// @param organizationRegistry Organization registry that knows who is in good standing.
    function initialize(address authority, address organizationRegistry) external initializer {
        __AccessManaged_init(authority);
        _consents().organizations = IOrganizationRegistry(organizationRegistry);
    }

    /// @inheritdoc IConsentRegistry
    function isPermitted(
        GrantChain calldata chain,
        Restrictions calldata restrictions,
        Request calldata request
    ) external view returns (bool permitted, Reason reason) {
        reason = _checkRequest(request);
        if (reason == Reason.None && chain.subGrants.length >= MAX_LINKS) reason = Reason.ChainTooLong;
        if (reason == Reason.None) reason = _checkPatient(request.patient);
        if (reason == Reason.None)
            reason = _checkRestrictions(chain.grant.grantee, chain.subGrants, restrictions, request);
        if (reason == Reason.None) reason = _checkGrantUnderMandate(chain);
        if (reason == Reason.None) reason = _checkLinks(chain, request);
        permitted = reason == Reason.None;
    }

    /// @inheritdoc IConsentRegistry
    function isBreakGlassPermitted(
        Restrictions calldata restrictions,
        Request calldata request
    ) external view returns (bool permitted, Reason reason) {
        reason = _checkRequest(request);
        if (reason == Reason.None) reason = _checkPatient(request.patient);
        if (reason == Reason.None) {
            SignedSubGrant[] calldata none;
            assembly ("memory-safe") {
                none.offset := 0
                none.length := 0
            }
            reason = _checkRestrictions(request.organization, none, restrictions, request);
            // What is not current may never have allowed it.
            if (reason != Reason.RestrictionsNotCurrent && restrictions.breakGlass) reason = Reason.None;
        }
        if (reason == Reason.None && _standingOf(request.organization) & _CARE_KINDS == 0) {
            reason = Reason.BreakGlassNotForOrganization;
        }
        permitted = reason == Reason.None;
    }

    /// @inheritdoc IConsentRegistry
    function isRepresented(
        SignedMandate calldata signed,
        uint256 purposes,
        uint256 categories
    ) external view returns (bool permitted, Reason reason) {
        if (purposes == 0 || categories == 0) return (false, Reason.RequestInvalid);
        reason = _checkPatient(signed.mandate.patient);
        if (reason == Reason.None) reason = _checkMandate(signed, purposes, categories);
        permitted = reason == Reason.None;
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev A constant and not OpenZeppelin's stored string.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Carepact ConsentRegistry";
    }

    /// @inheritdoc Authorizations
    function _domainNameHash() internal pure override returns (bytes32) {
        return _NAME_HASH;
    }

    /// @dev An empty set is part of every set: nobody may ask for nothing and be told yes.
    function _checkRequest(Request calldata request) private pure returns (Reason) {
        bool valid = request.purposes != 0 && request.categories != 0 && request.confidentiality <= _VERY_RESTRICTED;
        return valid ? Reason.None : Reason.RequestInvalid;
    }

    function _checkPatient(bytes32 patient) private view returns (Reason) {
        PatientStatus status = _record(patient).state.status();
        if (status == PatientStatus.Active) return Reason.None;
        if (status == PatientStatus.Unknown) return Reason.PatientUnknown;
        return status == PatientStatus.Deactivated ? Reason.PatientDeactivated : Reason.PatientMerged;
    }

    function _checkRestrictions(
        address grantee,
        SignedSubGrant[] calldata subGrants,
        Restrictions calldata restrictions,
        Request calldata request
    ) private view returns (Reason) {
        bytes32 current = _restrictionsHashOf(request.patient);
        if (current == 0) return Reason.None;
        if (keccak256(abi.encode(restrictions)) != current) return Reason.RestrictionsNotCurrent;
        address[] calldata organizations = restrictions.organizations;
        for (uint256 i = 0; i < organizations.length; ++i) {
            address refused = organizations[i];
            bool found = refused == request.organization || refused == grantee;
            for (uint256 j = 0; j < subGrants.length; ++j) found = found || refused == subGrants[j].subGrant.grantee;
            if (found) return Reason.OrganizationRestricted;
        }
        if (restrictions.categories & request.categories != 0) return Reason.CategoryRestricted;
        if (restrictions.purposes & request.purposes != 0) return Reason.PurposeRestricted;
        return Reason.None;
    }

    /// @dev Checks the mandate of a grant that a representative signed; of another, nothing.
    function _checkGrantUnderMandate(GrantChain calldata chain) private view returns (Reason) {
        if (chain.mandate.signer.length == 0) return Reason.None;
        RepresentativeMandate calldata mandate = chain.mandate.mandate;
        Grant calldata grant = chain.grant;
        if (mandate.patient != grant.patient || mandate.representative != keccak256(chain.signer)) {
            return Reason.MandateMismatch;
        }
        return _checkMandate(chain.mandate, grant.purposes, grant.categories);
    }

    /// @dev Checks all of a mandate, and that it covers purposes and categories.
    function _checkMandate(
        SignedMandate calldata signed,
        uint256 purposes,
        uint256 categories
    ) private view returns (Reason) {
        RepresentativeMandate calldata mandate = signed.mandate;
        bytes32 patient = mandate.patient;
        bytes32 document = _digestOf(_hashMandate(mandate));
        if (
            mandate.epoch != _record(patient).state.epoch() ||
            isDocumentRevoked(patient, document) ||
            isDocumentRevoked(mandate.representative, document)
        ) return Reason.MandateEnded;
        if (block.timestamp < mandate.notBefore) return Reason.MandateNotYetValid;
        if (block.timestamp >= mandate.end) return Reason.MandateExpired;
        if (
            _checkController(patient, document, keccak256(signed.signer), signed.signature) != Reason.None ||
            !Signers.isValid(signed.signer, document, signed.signature)
        ) return Reason.MandateNotSigned;
        if (mandate.custodian != address(0) && _standingOf(mandate.custodian) == 0) {
            return Reason.CustodianNotInStanding;
        }
        bool covered = _isWithin(purposes, mandate.purposes) && _isWithin(categories, mandate.categories);
        return covered ? Reason.None : Reason.MandateTooNarrow;
    }

    /// @dev Checks grant and sub-grants one by one, and the request against the last.
    function _checkLinks(GrantChain calldata chain, Request calldata request) private view returns (Reason reason) {
        Link memory link;
        (reason, link) = _checkGrant(chain, request.patient);
        for (uint256 i = 0; i < chain.subGrants.length && reason == Reason.None; ++i) {
            (reason, link) = _checkSubGrant(chain, i, link, request.patient);
        }
        if (reason != Reason.None) return reason;
        if (request.organization != link.grantee) return Reason.RequesterNotGrantee;
        if (!_isWithin(request.purposes, link.purposes)) return Reason.PurposeNotGranted;
        if (!_isWithin(request.categories, link.categories)) return Reason.CategoryNotGranted;
        if (request.confidentiality > link.ceiling) return Reason.CeilingExceeded;
    }

    function _checkGrant(
        GrantChain calldata chain,
        bytes32 patient
    ) private view returns (Reason reason, Link memory link) {
        Grant calldata grant = chain.grant;
        if (grant.patient != patient) return (Reason.PatientMismatch, link);
        if (grant.epoch != _record(patient).state.epoch()) return (Reason.EpochEnded, link);
        reason = _checkTime(grant.notBefore, grant.expiry);
        if (reason != Reason.None) return (reason, link);

        link = Link({
            document: _digestOf(_hashGrant(grant)),
            grantee: grant.grantee,
            purposes: grant.purposes,
            categories: grant.categories,
            ceiling: grant.ceiling,
            notBefore: grant.notBefore,
            expiry: grant.expiry,
            subGrants: grant.subGrants
        });
        bytes calldata signer = chain.signer;
        bytes32 signerHash = keccak256(signer);
        if (
            isGrantRevoked(patient, grant.number) ||
            isDocumentRevoked(patient, link.document) ||
            isDocumentRevoked(signerHash, link.document)
        ) return (Reason.Revoked, link);
        if (chain.mandate.signer.length == 0) {
            reason = _checkController(patient, link.document, signerHash, chain.signature);
            if (reason != Reason.None) return (reason, link);
        }
        if (!Signers.isValid(signer, link.document, chain.signature)) return (Reason.SignatureInvalid, link);
        if (_standingOf(grant.grantee) == 0) return (Reason.OrganizationNotInStanding, link);
    }

    /// @param index Of the sub-grant.
    /// @param parent The link before.
    function _checkSubGrant(
        GrantChain calldata chain,
        uint256 index,
        Link memory parent,
        bytes32 patient
    ) private view returns (Reason reason, Link memory link) {
        SubGrant calldata subGrant = chain.subGrants[index].subGrant;
        reason = _checkNarrowing(chain, index, parent);
        if (reason == Reason.None) reason = _checkTime(subGrant.notBefore, subGrant.expiry);
        if (reason != Reason.None) return (reason, link);

        link = Link({
            document: _digestOf(_hashSubGrant(subGrant)),
            grantee: subGrant.grantee,
            purposes: subGrant.purposes,
            categories: subGrant.categories,
            ceiling: subGrant.ceiling,
            notBefore: subGrant.notBefore,
            expiry: subGrant.expiry,
            subGrants: subGrant.subGrants
        });
        if (
            isDocumentRevoked(patient, link.document) ||
            isDocumentRevoked(keccak256(abi.encodePacked(parent.grantee)), link.document)
        ) return (Reason.Revoked, link);
        if (!Signers.isValidOf(parent.grantee, link.document, chain.subGrants[index].signature)) {
            return (Reason.SignatureInvalid, link);
        }
        if (_standingOf(subGrant.grantee) == 0) return (Reason.OrganizationNotInStanding, link);
    }

    /// @dev Whether a sub-grant is under the link before and takes nothing that this has not.
    function _checkNarrowing(
        GrantChain calldata chain,
        uint256 index,
        Link memory parent
    ) private pure returns (Reason) {
        SubGrant calldata subGrant = chain.subGrants[index].subGrant;
        if (subGrant.subGrants >= parent.subGrants) return Reason.SubGrantNotAllowed;
        if (subGrant.parent != parent.document) return Reason.SubGrantMismatch;
        bool cyclic = subGrant.grantee == chain.grant.grantee;
        for (uint256 i = 0; i < index; ++i) cyclic = cyclic || subGrant.grantee == chain.subGrants[i].subGrant.grantee;
        if (cyclic) return Reason.ChainCyclic;
        bool narrower =
            _isWithin(subGrant.purposes, parent.purposes) &&
                _isWithin(subGrant.categories, parent.categories) &&
                subGrant.ceiling <= parent.ceiling &&
                subGrant.notBefore >= parent.notBefore &&
                subGrant.expiry <= parent.expiry;
        return narrower ? Reason.None : Reason.SubGrantWider;
    }

    /// @dev Whether who signed a document of the present epoch is the controller, or was when it was anchored.
    function _checkController(
        bytes32 patient,
        bytes32 document,
        bytes32 signerHash,
        bytes calldata signature
    ) private view returns (Reason) {
        Record storage record = _record(patient);
        if (signerHash == record.controllerHash) return Reason.None;
        ControllerEnd memory end = record.controllerEnds[signerHash];
        if (end.at == 0) return Reason.SignerNotController;
        // In another epoch than the one in which the key ended, it never had a say.
        if (end.epoch != record.state.epoch()) return Reason.SignerReplaced;
        uint256 anchored = anchoredAt(keccak256(abi.encode(document, keccak256(signature))));
        // Not in the very block of the rotation: which came first is not known any more.
        return anchored != 0 && anchored < end.at ? Reason.None : Reason.SignerReplaced;
    }

    function _checkTime(uint256 notBefore, uint256 expiry) private view returns (Reason) {
        if (block.timestamp < notBefore) return Reason.NotYetValid;
        return block.timestamp < expiry ? Reason.None : Reason.Expired;
    }

    function _standingOf(address organization) private view returns (uint256 kinds) {
        return _consents().organizations.standingOf(organization);
    }

    function _isWithin(uint256 part, uint256 whole) private pure returns (bool) {
        return part & ~whole == 0;
    }

    function _consents() private pure returns (ConsentRegistryStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
