// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
// Compiled from here for its artifact.
// solhint-disable-next-line no-unused-import
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ClaimEscrow} from "../../../contracts/claims/ClaimEscrow.sol";
import {ClaimEscrowExtension} from "../../../contracts/claims/ClaimEscrowExtension.sol";
import {Mandates} from "../../../contracts/claims/Mandates.sol";
import {OrganizationRegistry} from "../../../contracts/identity/OrganizationRegistry.sol";
import {Organization} from "../../../contracts/interfaces/IOrganizationRegistry.sol";
import {AttesterGroup, Rulebook, Workflow} from "../../../contracts/interfaces/IRulebooks.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {Rulebooks} from "../../../contracts/rulebooks/Rulebooks.sol";
import {Cheats} from "./Properties.sol";

/// @title System
/// @notice The whole system behind its proxies, linked as `deploy/` links it. This contract is the access manager's admin.
abstract contract System is Cheats {
    /// @dev Hands on what workflows report.
    address internal constant FORWARDER = address(0xf04);

    AccessManager internal accessManager;
    OrganizationRegistry internal registry;
    Rulebooks internal rulebooks;
    Mandates internal mandates;
    ClaimEscrow internal escrow;
    /// @dev The escrow's extension, at the escrow's address.
    ClaimEscrowExtension internal receiver;

    /// @dev From their artifacts, as they are deployed: `new` would compile the system once more into each test that holds it.
    function deploySystem() internal {
        accessManager = AccessManager(vm.deployCode("AccessManager.sol:AccessManager", abi.encode(address(this))));
        address authority = address(accessManager);
        registry = OrganizationRegistry(
            _deploy(
                "OrganizationRegistry.sol:OrganizationRegistry",
                abi.encodeCall(OrganizationRegistry.initialize, (authority))
            )
        );
        rulebooks = Rulebooks(_deploy("Rulebooks.sol:Rulebooks", abi.encodeCall(Rulebooks.initialize, (authority))));
        mandates = Mandates(
            _deploy("Mandates.sol:Mandates", abi.encodeCall(Mandates.initialize, (authority, address(registry))))
        );
        escrow = ClaimEscrow(
            _deployWith(
                "ClaimEscrow.sol:ClaimEscrow",
                abi.encode(vm.deployCode("ClaimEscrowExtension.sol:ClaimEscrowExtension", "")),
                abi.encodeCall(
                    ClaimEscrow.initialize,
                    (authority, address(registry), address(rulebooks), address(mandates))
                )
            )
        );
        registry.setStandingListener(address(escrow));
        rulebooks.setRulebookListener(address(escrow));
        mandates.setEscrow(address(escrow));
        receiver = ClaimEscrowExtension(address(escrow));
        receiver.setForwarder(FORWARDER);
    }

    /// @notice The workflow that every rulebook of {publish} names beside its attesters.
    function workflow() internal pure returns (Workflow memory) {
        return Workflow(keccak256("workflow"), address(0x0feed), "0123456789");
    }

    /// @notice How the forwarder names that workflow, before an id of the report.
    function metadata() internal pure returns (bytes memory) {
        return abi.encodePacked(workflow().id, workflow().name, workflow().owner, bytes2(0x0001));
    }

    function newToken(uint256 decimals) internal returns (TestStablecoin) {
        bytes memory arguments = abi.encode("Test Dollar", "TUSD", uint8(decimals));
        return TestStablecoin(vm.deployCode("TestStablecoin.sol:TestStablecoin", arguments));
    }

    /// @notice Registers `account` in good standing.
    function register(address account, uint256 kinds) internal {
        registry.register(
            account,
            Organization({
                kinds: uint16(kinds),
                npi: 0,
                ncpdpId: 0,
                clia: 0,
                hpkeKey: bytes32(uint256(1)),
                name: "An organization",
                endpoint: ""
            })
        );
    }

    /// @notice Publishes `rulebook` with `threshold` of the attesters with these keys, which ascend by account, or {workflow}.
    function publish(uint256[] memory keys, uint256 threshold, Rulebook memory rulebook) internal returns (bytes32 id) {
        bytes[] memory attesters = new bytes[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) attesters[i] = abi.encodePacked(vm.addr(keys[i]));
        rulebook.attesterGroups = new AttesterGroup[](1);
        rulebook.attesterGroups[0] = AttesterGroup({threshold: uint8(threshold), above: 0, attesters: attesters});
        rulebook.workflow = workflow();
        rulebook.eventKinds = 1;
        return rulebooks.publish(rulebook);
    }

    /// @notice `count` private keys that follow from `name`, in ascending order of their accounts.
    function keysOf(string memory name, uint256 count) internal pure returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode(name, i))) >> 1;
            uint256 place = i;
            for (; place > 0 && vm.addr(keys[place - 1]) > vm.addr(key); --place) keys[place] = keys[place - 1];
            keys[place] = key;
        }
    }

    /// @notice 65 bytes: r, s, v.
    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev A proxy in front of a new implementation.
    function _deploy(string memory artifact, bytes memory initialize) private returns (address) {
        return _deployWith(artifact, "", initialize);
    }

    function _deployWith(
        string memory artifact,
        bytes memory arguments,
        bytes memory initialize
    ) private returns (address) {
        address implementation = vm.deployCode(artifact, arguments);
        return vm.deployCode("ERC1967Proxy.sol:ERC1967Proxy", abi.encode(implementation, initialize));
    }
}
