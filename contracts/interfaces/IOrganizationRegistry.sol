// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Standing of an organization.
enum OrganizationStatus {
    Unknown,
    Active,
    Suspended
}

/// @notice What the directory says of an organization. Directory ids are public by nature and stand in the clear.
/// @param kinds Bit set: payer 1, pharmacy 2, laboratory 4, clinic 8, sponsor 16, gateway 32.
/// @param npi National Provider Identifier, ten digits with a valid check digit; zero: none.
/// @param ncpdpId NCPDP provider id, seven digits; zero: none.
/// @param clia CLIA number of a laboratory, ten ASCII characters; zero: none.
/// @param hpkeKey X25519 public key (RFC 9180, DHKEM(X25519, HKDF-SHA256)) to which files for this organization are sealed.
/// @param name Legal business name.
/// @param endpoint Where its FHIR server or API answers, an https URL; empty: none.
struct Organization {
    uint16 kinds;
    uint40 npi;
    uint24 ncpdpId;
    bytes10 clia;
    bytes32 hpkeKey;
    string name;
    string endpoint;
}

/// @title IOrganizationRegistry
/// @notice Directory of payers, pharmacies, laboratories, clinics, sponsors and gateways, vetted by a credentialing role.
/// @dev Suspension blocks new funding and new sign-offs, never settlement or payout of what was earned.
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
    event HpkeKeyChanged(address indexed account, bytes32 hpkeKey, uint256 version);

    /// @notice `account` now answers at `endpoint`.
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

    /// @notice Not ten digits with a valid check digit.
    error NpiInvalid(uint256 npi);

    /// @notice Another account holds this NPI.
    error NpiTaken(uint256 npi, address account);

    /// @notice Not seven digits.
    error NcpdpIdInvalid(uint256 ncpdpId);

    /// @notice Not ten characters of digits and capital letters.
    error CliaInvalid(bytes10 clia);

    /// @notice A key of zero opens nothing.
    error HpkeKeyZero();

    /// @notice Registers an organization in good standing. Restricted to the credentialing role.
    function register(address account, Organization calldata organization) external;

    /// @notice Replaces the entry of an organization, whatever its status. Restricted to the credentialing role.
    function update(address account, Organization calldata organization) external;

    /// @notice Takes an organization's good standing. Restricted to the credentialing role.
    function suspend(address account) external;

    /// @notice Gives it back. Restricted to the credentialing role.
    function reinstate(address account) external;

    /// @notice Changes the caller's own HPKE key.
    function setHpkeKey(bytes32 hpkeKey) external;

    /// @notice Changes the caller's own endpoint.
    function setEndpoint(string calldata endpoint) external;

    /// @notice Names the contract that keeps a copy of standings for cheap reading. Restricted to the admin.
    function setStandingListener(address listener) external;

    /// @notice The entry of an organization, its status, and the version of its HPKE key (1 is the first).
    function organizationOf(
        address account
    )
        external
        view
        returns (Organization memory organization, OrganizationStatus status, uint256 hpkeKeyVersion);

    /// @notice Kinds of an organization in good standing; zero for any other account.
    function standingOf(address account) external view returns (uint256 kinds);

    /// @notice Account that holds this NPI; zero: none.
    function byNpi(uint256 npi) external view returns (address account);
}
