// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
import {Rulebook} from "../../../contracts/interfaces/IRulebooks.sol";
import {RulebookBlobLib} from "../../../contracts/rulebooks/RulebookBlobLib.sol";
import {PlainRulebooks} from "../support/PlainRulebooks.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Writes blobs, and knows who is suspended.
contract RulebookBlobHarness {
    mapping(bytes32 attesterHash => bool) private _suspended;

    function suspend(bytes memory attester) external {
        _suspended[keccak256(attester)] = true;
    }

    function write(Rulebook calldata rulebook) external returns (address) {
        return RulebookBlobLib.write(rulebook, _suspended);
    }
}

/// @notice {RulebookBlobLib} reads what the rulebook says.
contract RulebookBlobLibTest is Properties {
    uint256 private constant _NO_LIST = 255;

    /// @dev A copy of OpenZeppelin's verifier: keys are known by its code, not by where it is.
    address private _p256Verifier;
    RulebookBlobHarness private _harness;

    function setUp() external {
        _p256Verifier = address(new ERC7913P256Verifier());
        _harness = new RulebookBlobHarness();
    }

    /// @notice Of a simple rulebook, who is suspended is missing from its accounts. A general one has no accounts there.
    function testFuzz_readIsTheRulebook(uint256 seed) external {
        (Rulebook memory rulebook, bool[][] memory suspended, address blob) = _newBlob(RandomLib.from(seed));
        (uint256 grace, uint256 threshold, address[] memory attesters) = RulebookBlobLib.read(blob);
        // Whatever is allocated next must not lie on what was read.
        bytes memory next = abi.encode(rulebook);
        vm.assertEq(keccak256(next), keccak256(abi.encode(rulebook)), "memory behind the attesters");

        address[] memory expected = PlainRulebooks.accountsOf(rulebook, suspended);
        bool simple = PlainRulebooks.isSimple(rulebook);
        vm.assertEq(grace, uint256(rulebook.grace), "grace");
        vm.assertEq(threshold, simple ? uint256(rulebook.attesterGroups[0].threshold) : _NO_LIST, "threshold");
        vm.assertEq(abi.encode(attesters), abi.encode(expected), "accounts");
    }

    function testFuzz_readWorkflowIsItsHash(uint256 seed) external {
        (Rulebook memory rulebook, , address blob) = _newBlob(RandomLib.from(seed));
        (bytes32 key, uint256 grace) = RulebookBlobLib.readWorkflow(blob);
        vm.assertEq(grace, uint256(rulebook.grace), "grace");
        bytes memory packed = new bytes(62);
        for (uint256 i = 0; i < 32; ++i) packed[i] = rulebook.workflow.id[i];
        for (uint256 i = 0; i < 10; ++i) packed[32 + i] = rulebook.workflow.name[i];
        for (uint256 i = 0; i < 20; ++i) packed[42 + i] = bytes20(rulebook.workflow.owner)[i];
        vm.assertEq(key, rulebook.workflow.id == 0 ? bytes32(0) : keccak256(packed), "key");
        if (rulebook.workflow.id != 0) vm.assertEq(RulebookBlobLib.keyOf(rulebook.workflow), key, "keyOf");
    }

    /// @notice All conditions, attester by attester. Who is suspended leaves a length of zero; a P-256 key stands without a
    /// verifier that is a copy of OpenZeppelin's, and with any other.
    function testFuzz_readConditionsIsEveryAttester(uint256 seed) external {
        (Rulebook memory rulebook, bool[][] memory suspended, address blob) = _newBlob(RandomLib.from(seed));
        bytes memory expected = PlainRulebooks.packConditions(rulebook, suspended, _p256Verifier);
        vm.assertEq(RulebookBlobLib.readConditions(blob), expected, "readConditions");
    }

    /// @notice Suspended or not, the rulebook stays what it was published as.
    function testFuzz_readWholeIsTheRulebook(uint256 seed) external {
        (Rulebook memory rulebook, , address blob) = _newBlob(RandomLib.from(seed));
        vm.assertEq(abi.encode(RulebookBlobLib.readWhole(blob)), abi.encode(rulebook), "readWhole");
    }

    /// @notice Who calls a blob gets nothing, and nothing happens.
    function testFuzz_blobStopsAtOnce(uint256 seed, bytes calldata data) external {
        (, , address blob) = _newBlob(RandomLib.from(seed));
        vm.assertEq(uint256(uint8(blob.code[0])), 0, "begins with STOP");
        (bool ok, bytes memory returned) = blob.call(data);
        vm.assertTrue(ok && returned.length == 0, "stops");
    }

    function _newBlob(
        Random memory random
    ) private returns (Rulebook memory rulebook, bool[][] memory suspended, address blob) {
        rulebook = PlainRulebooks.newRulebook(random, _p256Verifier);
        suspended = new bool[][](rulebook.attesterGroups.length);
        bool any = random.oneIn(2);
        for (uint256 i = 0; i < suspended.length; ++i) {
            bytes[] memory attesters = rulebook.attesterGroups[i].attesters;
            suspended[i] = new bool[](attesters.length);
            for (uint256 j = 0; j < attesters.length; ++j) {
                // Roles sign nothing, so that none of them can be suspended.
                suspended[i][j] = any && attesters[j].length != 1 && random.oneIn(3);
                if (suspended[i][j]) _harness.suspend(attesters[j]);
            }
        }
        blob = _harness.write(rulebook);
    }
}
