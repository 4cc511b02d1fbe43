// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimBatch, LineOpening} from "../../contracts/interfaces/ClaimTypes.sol";
import {OrganizationKinds} from "../../contracts/interfaces/IOrganizationRegistry.sol";
import {Rulebook} from "../../contracts/interfaces/IRulebooks.sol";
import {Group} from "../../contracts/libraries/GroupLib.sol";
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

    /// @notice A line in dispute: its word begins with its amount, and with two bits that say what it is.
    function test_heldLines() external {
        uint256 line = 2;
        uint256 amount = 5;
        bytes32 batchId = _disputeMissing(line, amount);
        bytes32 ofBatch = keccak256(abi.encode(batchId, _slotOf("carepact.storage.HeldLines")));
        uint256 held = uint256(vm.load(address(escrow), keccak256(abi.encode(line, ofBatch))));
        vm.assertEq(held % 2 ** 86, amount, "amount");
        vm.assertEq(held >> 254, 3, "a dispute");
    }

    /// @dev A payee of a batch disputes that nobody attested the one line of its group.
    function _disputeMissing(uint256 line, uint256 amount) private returns (bytes32) {
        TestStablecoin token = newToken(6);
        token.mint(address(this), amount * (line + 1));
        token.approve(address(escrow), amount * (line + 1));
        escrow.deposit(address(this), address(token), amount * (line + 1));
        register(address(this), OrganizationKinds.PAYER);

        Group[] memory groups = new Group[](line + 1);
        for (uint256 i = 0; i <= line; ++i) {
            address payee = address(uint160(_ACCOUNT) + uint160(i));
            register(payee, OrganizationKinds.PHARMACY);
            groups[i] = Group.wrap((uint256(uint160(payee)) << 96) | (1 << 86) | amount);
        }
        ClaimBatch memory batch;
        batch.payer = address(this);
        batch.token = address(token);
        batch.total = uint96(amount * groups.length);
        batch.groupsHash = keccak256(abi.encodePacked(groups));
        batch.rulebook = _publishWithArbiter();
        batch.eventBy = uint40(block.timestamp + 1);
        bytes32 batchId = escrow.fund(batch, groups);

        vm.warp(batch.eventBy + 1);
        LineOpening memory opening;
        opening.group = line;
        vm.prank(groups[line].payee());
        receiver.disputeMissing(batch, groups, opening);
        return batchId;
    }

    function _publishWithArbiter() private returns (bytes32) {
        Rulebook memory rulebook;
        rulebook.workflow = workflow();
        rulebook.eventKinds = 1;
        rulebook.grace = 3 days;
        rulebook.arbiter = _ACCOUNT;
        rulebook.arbiterDeadline = 1 days;
        return rulebooks.publish(rulebook);
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
