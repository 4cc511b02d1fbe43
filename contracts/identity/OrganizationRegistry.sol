// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {
    IOrganizationRegistry,
    Organization,
    OrganizationKinds,
    OrganizationStatus
} from "../interfaces/IOrganizationRegistry.sol";
import {IStandingListener} from "../interfaces/IStandingListener.sol";

/// @title OrganizationRegistry
/// @notice See {IOrganizationRegistry}.
contract OrganizationRegistry is IOrganizationRegistry, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @dev The fields of {Organization} lie flat, so that it can gain one without moving those behind it. All that
    /// {standingOf} reads is in the first slot.
    struct Entry {
        uint16 kinds;
        uint40 npi;
        uint24 ncpdpId;
        bytes10 clia;
        OrganizationStatus status;
        uint32 hpkeKeyVersion;
        bytes32 hpkeKey;
        string name;
        string endpoint;
    }

    /// @custom:storage-location erc7201:carepact.storage.OrganizationRegistry
    struct OrganizationRegistryStorage {
        address standingListener;
        mapping(address account => Entry entry) entries;
        mapping(uint256 npi => address account) accountOfNpi;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.OrganizationRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE_LOCATION = 0x652da95d8f04eba1e88c3a6a1bd9217a8f9e94a1ba7bad26327a3c1e491a0e00;

    uint256 private constant _LEAST_TEN_DIGITS = 1_000_000_000;
    uint256 private constant _MOST_TEN_DIGITS = 9_999_999_999;
    uint256 private constant _MOST_SEVEN_DIGITS = 9_999_999;

    /// @dev An NPI's check digit covers the card issuer prefix 80840, whose digits add 8 + 0 + 8 + 0 + 8 to the Luhn sum.
    uint256 private constant _LUHN_SUM_OF_NPI_PREFIX = 24;

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets the access manager, once.
    /// @param initialAuthority AccessManager that says who has the credentialing role and who administers.
    function initialize(address initialAuthority) external initializer {
        __AccessManaged_init(initialAuthority);
    }

    /// @inheritdoc IOrganizationRegistry
    function register(address account, Organization calldata organization) external restricted {
        if (account == address(0)) revert OrganizationAccountZero();
        if (organization.hpkeKey == 0) revert HpkeKeyZero();
        Entry storage entry = _storage().entries[account];
        if (entry.status != OrganizationStatus.Unknown) revert OrganizationAlreadyRegistered(account);

        entry.status = OrganizationStatus.Active;
        _setDirectoryFields(account, entry, organization);
        emit OrganizationRegistered(account, organization);
        _changeHpkeKey(account, entry, organization.hpkeKey);
        _tellStanding(account, entry);
    }

    /// @inheritdoc IOrganizationRegistry
    function update(address account, Organization calldata organization) external restricted {
        Entry storage entry = _registered(account);
        if (organization.hpkeKey != entry.hpkeKey) revert HpkeKeyNotCurrent(account, entry.hpkeKey);

        uint256 standingBefore = _standing(entry);
        _setDirectoryFields(account, entry, organization);
        emit OrganizationUpdated(account, organization);
        if (_standing(entry) != standingBefore) _tellStanding(account, entry);
    }

    /// @inheritdoc IOrganizationRegistry
    function suspend(address account) external restricted {
        Entry storage entry = _changeStatus(account, OrganizationStatus.Active, OrganizationStatus.Suspended);
        emit OrganizationSuspended(account);
        _tellStanding(account, entry);
    }

    /// @inheritdoc IOrganizationRegistry
    function reinstate(address account) external restricted {
        Entry storage entry = _changeStatus(account, OrganizationStatus.Suspended, OrganizationStatus.Active);
        emit OrganizationReinstated(account);
        _tellStanding(account, entry);
    }

    /// @inheritdoc IOrganizationRegistry
    function setHpkeKey(bytes32 hpkeKey) external {
        address account = _msgSender();
        Entry storage entry = _registered(account);
        if (hpkeKey == 0) revert HpkeKeyZero();
        if (hpkeKey == entry.hpkeKey) revert HpkeKeyUnchanged(hpkeKey);
        _changeHpkeKey(account, entry, hpkeKey);
    }

    /// @inheritdoc IOrganizationRegistry
    function setEndpoint(string calldata endpoint) external {
        address account = _msgSender();
        Entry storage entry = _registered(account);
        _checkEndpoint(endpoint);
        entry.endpoint = endpoint;
        emit EndpointChanged(account, endpoint);
    }

    /// @inheritdoc IOrganizationRegistry
    function setStandingListener(address listener) external restricted {
        if (listener != address(0) && listener.code.length == 0) revert StandingListenerWithoutCode(listener);
        _storage().standingListener = listener;
        emit StandingListenerChanged(listener);
    }

    /// @inheritdoc IOrganizationRegistry
    function tellStandings(address[] calldata accounts) external {
        for (uint256 i = 0; i < accounts.length; ++i) {
            _tellStanding(accounts[i], _storage().entries[accounts[i]]);
        }
    }

    /// @inheritdoc IOrganizationRegistry
    function organizationOf(
        address account
    ) external view returns (Organization memory organization, OrganizationStatus status, uint256 hpkeKeyVersion) {
        Entry storage entry = _storage().entries[account];
        organization = Organization({
            kinds: entry.kinds,
            npi: entry.npi,
            ncpdpId: entry.ncpdpId,
            clia: entry.clia,
            hpkeKey: entry.hpkeKey,
            name: entry.name,
            endpoint: entry.endpoint
        });
        return (organization, entry.status, entry.hpkeKeyVersion);
    }

    /// @inheritdoc IOrganizationRegistry
    function standingOf(address account) external view returns (uint256 kinds) {
        return _standing(_storage().entries[account]);
    }

    /// @inheritdoc IOrganizationRegistry
    function standingListener() external view returns (address listener) {
        return _storage().standingListener;
    }

    /// @inheritdoc IOrganizationRegistry
    function byNpi(uint256 npi) external view returns (address account) {
        return _storage().accountOfNpi[npi];
    }

    /// @inheritdoc UUPSUpgradeable
    // Reached only through upgradeToAndCall, whose selector is the one that `restricted` then asks about.
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev Everything the credentialing role vouches for; the key has its own way in.
    function _setDirectoryFields(address account, Entry storage entry, Organization calldata organization) private {
        uint256 kinds = organization.kinds;
        if (kinds == 0 || kinds > OrganizationKinds.ALL) revert OrganizationKindsInvalid(kinds);
        if (bytes(organization.name).length == 0) revert OrganizationNameEmpty();
        if (organization.ncpdpId > _MOST_SEVEN_DIGITS) revert NcpdpIdInvalid(organization.ncpdpId);
        _checkClia(organization.clia);
        _checkEndpoint(organization.endpoint);
        _moveNpi(account, entry.npi, organization.npi);

        entry.kinds = organization.kinds;
        entry.npi = organization.npi;
        entry.ncpdpId = organization.ncpdpId;
        entry.clia = organization.clia;
        entry.name = organization.name;
        entry.endpoint = organization.endpoint;
    }

    function _moveNpi(address account, uint256 from, uint256 to) private {
        if (from == to) return;
        mapping(uint256 npi => address account) storage accountOfNpi = _storage().accountOfNpi;
        if (to != 0) {
            if (!_isNpi(to)) revert NpiInvalid(to);
            if (accountOfNpi[to] != address(0)) revert NpiTaken(to, accountOfNpi[to]);
            accountOfNpi[to] = account;
        }
        // Entry zero of the map stays empty: `from` is zero for an organization without an NPI.
        delete accountOfNpi[from];
    }

    function _changeHpkeKey(address account, Entry storage entry, bytes32 hpkeKey) private {
        entry.hpkeKey = hpkeKey;
        emit HpkeKeyChanged(account, hpkeKey, ++entry.hpkeKeyVersion);
    }

    function _changeStatus(
        address account,
        OrganizationStatus from,
        OrganizationStatus to
    ) private returns (Entry storage entry) {
        entry = _registered(account);
        if (entry.status != from) revert OrganizationStatusWrong(account, entry.status);
        entry.status = to;
    }

    /// @dev Comes last in every function, so that a listener that calls back finds everything done.
    function _tellStanding(address account, Entry storage entry) private {
        address listener = _storage().standingListener;
        if (listener == address(0)) return;
        IStandingListener(listener).onStandingChanged(account, _standing(entry));
    }

    function _registered(address account) private view returns (Entry storage entry) {
        entry = _storage().entries[account];
        if (entry.status == OrganizationStatus.Unknown) revert OrganizationUnknown(account);
    }

    function _standing(Entry storage entry) private view returns (uint256 kinds) {
        return entry.status == OrganizationStatus.Active ? entry.kinds : 0;
    }

    function _isNpi(uint256 npi) private pure returns (bool) {
        if (npi < _LEAST_TEN_DIGITS || npi > _MOST_TEN_DIGITS) return false;
        uint256 sum = _LUHN_SUM_OF_NPI_PREFIX;
        for (uint256 rest = npi; rest != 0; rest /= 100) {
            uint256 doubled = 2 * ((rest / 10) % 10);
            sum += (rest % 10) + (doubled > 9 ? doubled - 9 : doubled);
        }
        return sum % 10 == 0;
    }

    function _checkClia(bytes10 clia) private pure {
        if (clia == 0) return;
        for (uint256 i = 0; i < 10; ++i) {
            bytes1 char = clia[i];
            bool isDigit = char >= "0" && char <= "9";
            bool isCapital = char >= "A" && char <= "Z";
            if (!isDigit && !isCapital) revert CliaInvalid(clia);
        }
    }

    function _checkEndpoint(string calldata endpoint) private pure {
        bytes calldata url = bytes(endpoint);
        if (url.length == 0) return;
        // bytes8 pads a shorter one with zeros, so that it cannot match.
        if (bytes8(url) != "https://" || url.length == 8) revert EndpointInvalid(endpoint);
    }

    function _storage() private pure returns (OrganizationRegistryStorage storage $) {
        assembly {
            $.slot := _STORAGE_LOCATION
        }
    }
}
