// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TestStablecoin} from "../../contracts/mocks/TestStablecoin.sol";
import {Properties} from "./support/Properties.sol";
import {System} from "./support/System.sol";

/// @notice State lies where ERC-7201 puts it: the slot of each namespace, computed here from its name, holds what it should.
contract StorageSlotsTest is System, Properties {
    address private constant _ACCOUNT = address(0xacc);

    function setUp() external {
        vm.warp(1_800_000_000);
        deploySystem();
    }

    function test_organizationRegistry() external view {
        bytes32 slot = _slotOf("carepact.storage.OrganizationRegistry");
        vm.assertEq(_accountAt(address(registry), slot), address(escrow), "standing listener");
    }

    function test_rulebooks() external view {
        bytes32 slot = _slotOf("carepact.storage.Rulebooks");
        vm.assertEq(_accountAt(address(rulebooks), slot), address(escrow), "rulebook listener");
    }

    function test_mandates() external view {
        bytes32 slot = _slotOf("carepact.storage.Mandates");
        vm.assertEq(_accountAt(address(mandates), slot), address(registry), "registry");
        vm.assertEq(_accountAt(address(mandates), _next(slot)), address(escrow), "escrow");
    }

    function test_claimBatches() external view {
        bytes32 slot = _slotOf("carepact.storage.ClaimBatches");
        vm.assertEq(_accountAt(address(escrow), slot), address(mandates), "mandates");
    }

    function test_rulebookClocks() external view {
        bytes32 slot = _slotOf("carepact.storage.RulebookClocks");
        vm.assertEq(_accountAt(address(escrow), slot), address(rulebooks), "rulebooks");
    }

    function test_workflowReports() external view {
        bytes32 slot = _slotOf("carepact.storage.WorkflowReports");
        vm.assertEq(_accountAt(address(escrow), slot), FORWARDER, "forwarder");
    }

    function test_standings() external {
        bytes32 slot = _slotOf("carepact.storage.Standings");
        vm.assertEq(_accountAt(address(escrow), slot), address(registry), "registry");
        register(_ACCOUNT, 17);
        bytes32 standing = keccak256(abi.encode(_ACCOUNT, _next(slot)));
        vm.assertEq(uint256(vm.load(address(escrow), standing)), 17, "standing");
    }

    function test_stopClock() external {
        bytes32 slot = _slotOf("carepact.storage.StopClock");
        vm.assertEq(uint256(vm.load(address(escrow), slot)), 0, "before the first pause");
        escrow.pause();
        vm.assertEq(uint256(vm.load(address(escrow), slot)), block.timestamp, "paused at");
    }

    function test_pools() external {
        TestStablecoin token = newToken(6);
        token.mint(address(this), 5);
        token.approve(address(escrow), 5);
        escrow.deposit(_ACCOUNT, address(token), 5);
        bytes32 balances = keccak256(abi.encode(address(token), _slotOf("carepact.storage.Pools")));
        bytes32 balance = keccak256(abi.encode(_ACCOUNT, balances));
        vm.assertEq(uint256(vm.load(address(escrow), balance)), 5, "free balance");
    }

    /// @dev The formula of ERC-7201.
    function _slotOf(string memory namespace) private pure returns (bytes32) {
        return keccak256(abi.encode(uint256(keccak256(bytes(namespace))) - 1)) & ~bytes32(uint256(0xff));
    }

    function _next(bytes32 slot) private pure returns (bytes32) {
        return bytes32(uint256(slot) + 1);
    }

    function _accountAt(address where, bytes32 slot) private view returns (address) {
        return address(uint160(uint256(vm.load(where, slot))));
    }
}
