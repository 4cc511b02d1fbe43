// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManagedUpgradeable} from "@openzeppelin/contracts-upgradeable/access/manager/AccessManagedUpgradeable.sol";
import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {GatewayLog, IAccessLog} from "../interfaces/IAccessLog.sol";
import {IOrganizationRegistry, Organization, OrganizationKinds} from "../interfaces/IOrganizationRegistry.sol";

/// @title AccessLog
/// @notice See {IAccessLog}.
contract AccessLog is IAccessLog, EIP712Upgradeable, AccessManagedUpgradeable, UUPSUpgradeable {
    /// @custom:storage-location erc7201:carepact.storage.AccessLog
    struct AccessLogStorage {
        IOrganizationRegistry organizations;
        mapping(address gateway => GatewayLog) logs;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.AccessLog")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x8384ac1fc0f8c95424f1338d7c0757af9f0e7ed261318ce0d34a339c913d3300;

    /// @dev Locks the implementation itself; proxies have storage of their own.
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    /// @notice Sets up the proxy.
    /// @dev EIP712Upgradeable's initialiser would store name and version, which here are constants.
    /// @custom:oz-upgrades-unsafe-allow missing-initializer-call incorrect-initializer-order
    /// @param authority AccessManager that guards upgrades.
    /// @param organizationRegistry Organization registry that knows who is a gateway.
    function initialize(address authority, address organizationRegistry) external initializer {
        __AccessManaged_init(authority);
        _accessLog().organizations = IOrganizationRegistry(organizationRegistry);
    }

    /// @inheritdoc IAccessLog
    function append(uint256 sequence, bytes32 root) external returns (bytes32 head) {
        if (root == 0) revert RootZero();
        GatewayLog storage log = _accessLog().logs[msg.sender];
        uint64 next = log.sequence + 1;
        if (sequence != next) revert SequenceNotNext(msg.sender, next);
        if (next == 1) _requireGateway(msg.sender);
        head = keccak256(abi.encode(log.head, sequence, root, block.timestamp));
        (log.head, log.sequence, log.anchoredAt) = (head, next, uint40(block.timestamp));
        emit AccessRootAnchored(msg.sender, sequence, root, head, block.timestamp);
    }

    /// @inheritdoc IAccessLog
    function logOf(address gateway) external view returns (GatewayLog memory) {
        return _accessLog().logs[gateway];
    }

    /// @dev Only what the access manager allows, after its delay.
    function _authorizeUpgrade(address) internal override restricted {}

    /// @dev A constant and not OpenZeppelin's stored string.
    function _EIP712Name() internal pure override returns (string memory) {
        return "Carepact AccessLog";
    }

    /// @dev A constant and not OpenZeppelin's stored string.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    /// @dev The directory's entry and not the standing, which a suspended gateway has none of.
    function _requireGateway(address account) private view {
        (Organization memory organization, , ) = _accessLog().organizations.organizationOf(account);
        if (organization.kinds & OrganizationKinds.GATEWAY == 0) revert NotGateway(account);
    }

    function _accessLog() private pure returns (AccessLogStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
