// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Standing of an organization.
enum OrganizationStatus {
    Unknown,
    Active,
    Suspended
}

/// @notice What the directory says of an organization. Directory ids are public by nature and stand in the clear.
/// @param kinds Bit set, see {OrganizationKinds}; at least one.
/// @param npi National Provider Identifier (45 CFR 162.406), ten digits with a valid check digit; zero: none.
/// @param ncpdpId NCPDP provider id of a pharmacy as a number; zero: none. The id itself has seven digits, so one that begins
/// with zeros (California's begin with 05) is padded when it is written out.
/// @param clia CLIA number of a laboratory, ten ASCII digits and capital letters; zero: none.
/// @param hpkeKey X25519 public key (RFC 9180, DHKEM(X25519, HKDF-SHA256)) to which files for this organization are sealed.
/// @param name Legal business name; not empty.
/// @param endpoint Where its FHIR server or API answers, a URL that begins with `https://`; empty: none.
struct Organization {
    uint16 kinds;
    uint40 npi;
    uint24 ncpdpId;
    bytes10 clia;
    bytes32 hpkeKey;
    string name;
    string endpoint;
}

/// @title OrganizationKinds
/// @notice Bits of `kinds`.
library OrganizationKinds {
    uint256 internal constant PAYER = 1;
    uint256 internal constant PHARMACY = 2;
    uint256 internal constant LABORATORY = 4;
    uint256 internal constant CLINIC = 8;
    uint256 internal constant SPONSOR = 16;
    uint256 internal constant GATEWAY = 32;
    uint256 internal constant ALL = 63;
}

/// @title IOrganizationRegistry
/// @notice Directory of payers, pharmacies, laboratories, clinics, sponsors and gateways, vetted by a credentialing role.
/// @dev Suspension blocks new funding and new sign-offs, never settlement or payout of what was earned. Nothing is ever deleted:
/// an organization that ceased stays suspended.
interface IOrganizationRegistry {
    /// @notice The credentialing role registered `account`.
    event OrganizationRegistered(address indexed account, Organization organization);

    /// @notice The credentialing role changed the entry of `account`.
    event OrganizationUpdated(address indexed account, Organization organization);

    /// @notice `account` was suspended.
    event OrganizationSuspended(address indexed account);

    /// @notice `account` is in good standing again.
    event OrganizationReinstated(address indexed account);

    /// @notice `account` now reads files sealed to `hpkeKey`, version `version`.
    /// @dev Also emitted for version 1, at registration: this event alone tells every key an organization ever had.
    event HpkeKeyChanged(address indexed account, bytes32 hpkeKey, uint256 version);

    /// @notice `account` changed where it answers: now at `endpoint`.
    event EndpointChanged(address indexed account, string endpoint);

    /// @notice `listener` is told of changed standings from now on.
    event StandingListenerChanged(address listener);

    /// @notice The account is not registered.
    error OrganizationUnknown(address account);

    /// @notice The account is registered already.
    error OrganizationAlreadyRegistered(address account);

    /// @notice The organization is not in the status this needs.
    error OrganizationStatusWrong(address account, OrganizationStatus status);

    /// @notice The zero address cannot be an organization.
    error OrganizationAccountZero();

    /// @notice No kind, or one that does not exist.
    error OrganizationKindsInvalid(uint256 kinds);

    /// @notice An organization has a name.
    error OrganizationNameEmpty();

    /// @notice Not ten digits with a valid check digit.
    error NpiInvalid(uint256 npi);

    /// @notice Another account holds this NPI. It becomes free when that account's entry is updated to another one or to none.
    error NpiTaken(uint256 npi, address account);

    /// @notice Not seven digits.
    error NcpdpIdInvalid(uint256 ncpdpId);

    /// @notice Not ten characters of digits and capital letters.
    error CliaInvalid(bytes10 clia);

    /// @notice A URL of patients' data has to begin with `https://`.
    error EndpointInvalid(string endpoint);

    /// @notice A key of zero opens nothing.
    error HpkeKeyZero();

    /// @notice This is the key the organization has: nothing was rotated.
    error HpkeKeyUnchanged(bytes32 hpkeKey);

    /// @notice An update has to bring the organization's present key, `current`: only the organization itself changes it.
    error HpkeKeyNotCurrent(address account, bytes32 current);

    /// @notice Nobody would listen at `listener`: there is no contract.
    error StandingListenerWithoutCode(address listener);

    /// @notice Registers an organization in good standing. Restricted to the credentialing role.
    /// @dev Reverts with {OrganizationAccountZero}, {OrganizationAlreadyRegistered}, {HpkeKeyZero} or an error of its fields.
    function register(address account, Organization calldata organization) external;

    /// @notice Replaces the entry of an organization, whatever its status. Restricted to the credentialing role.
    /// @dev The key has to be the present one. Otherwise an update that was prepared before the organization rotated a stolen
    /// key would bring the stolen one back, and the role could have other people's files sealed to a key of its own.
    /// Reverts with {OrganizationUnknown}, {HpkeKeyNotCurrent} or an error of its fields.
    function update(address account, Organization calldata organization) external;

    /// @notice Takes an organization's good standing. Restricted to the credentialing role.
    /// @dev Reverts with {OrganizationUnknown} or {OrganizationStatusWrong}.
    function suspend(address account) external;

    /// @notice Gives it back. Restricted to the credentialing role.
    /// @dev Reverts with {OrganizationUnknown} or {OrganizationStatusWrong}.
    function reinstate(address account) external;

    /// @notice Changes the caller's own HPKE key. Any registered organization may.
    /// @dev A suspended one too: it still receives what it earned, with files sealed to it, and a stolen key has to be replaced at
    /// once, whatever the standing. Reverts with {OrganizationUnknown}, {HpkeKeyZero} or {HpkeKeyUnchanged}.
    function setHpkeKey(bytes32 hpkeKey) external;

    /// @notice Changes the caller's own endpoint. Any registered organization may, a suspended one too (see {setHpkeKey}).
    /// @dev Reverts with {OrganizationUnknown} or {EndpointInvalid}.
    function setEndpoint(string calldata endpoint) external;

    /// @notice Names the contract that keeps a copy of standings for cheap reading; zero: none. Restricted to the admin.
    /// @dev A new listener knows nothing yet: follow with {tellStandings}. Reverts with {StandingListenerWithoutCode}.
    function setStandingListener(address listener) external;

    /// @notice Tells the listener the present standings of `accounts` once more; anyone may call.
    /// @dev For a listener that was set after the organizations were registered. Does nothing without a listener.
    function tellStandings(address[] calldata accounts) external;

    /// @notice The entry of an organization, its status, and the version of its HPKE key (1 is the first).
    /// @dev Of an account that is not registered: an empty entry, `Unknown`, and 0.
    function organizationOf(
        address account
    ) external view returns (Organization memory organization, OrganizationStatus status, uint256 hpkeKeyVersion);

    /// @notice Kinds of an organization in good standing; zero for any other account.
    function standingOf(address account) external view returns (uint256 kinds);

    /// @notice Contract that is told of changed standings; zero: none.
    function standingListener() external view returns (address listener);

    /// @notice Account that holds this NPI; zero: none.
    function byNpi(uint256 npi) external view returns (address account);
}
