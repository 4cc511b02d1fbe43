// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
import {AttesterGroup, Rulebook} from "../../../contracts/interfaces/IRulebooks.sol";
import {ConditionsLib} from "../../../contracts/rulebooks/ConditionsLib.sol";
import {PlainRulebooks} from "../support/PlainRulebooks.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Hands signatures in calldata to the library.
contract ConditionsHarness {
    function isValidAt(
        bytes memory conditions,
        uint256 cursor,
        bytes32 digest,
        bytes calldata signature
    ) external view returns (bool) {
        return ConditionsLib.isValidAt(conditions, cursor, digest, signature);
    }
}

/// @notice {ConditionsLib} reads the conditions that were packed.
contract ConditionsLibTest is Properties {
    uint256 private constant _HALF_ORDER = 0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8;
    uint256 private constant _ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;

    ERC7913P256Verifier private _p256Verifier = new ERC7913P256Verifier();
    ConditionsHarness private _harness = new ConditionsHarness();

    /// @notice Walking from condition to condition, and from attester to attester, meets each one and ends with the data.
    function testFuzz_walkMeetsEveryAttester(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        Rulebook memory rulebook = PlainRulebooks.newRulebook(random, address(_p256Verifier));
        bool[][] memory suspended = _someSuspended(random, rulebook);
        bytes memory conditions = PlainRulebooks.packConditions(rulebook, suspended, address(_p256Verifier));
        uint256 cursor = 0;
        for (uint256 i = 0; i < rulebook.attesterGroups.length; ++i) {
            AttesterGroup memory group = rulebook.attesterGroups[i];
            bool isRole = group.attesters[0].length == 1;
            cursor = _head(conditions, cursor, group);
            for (uint256 j = 0; !isRole && j < group.attesters.length; ++j) {
                uint256 size = _sizeOf(group.attesters[j], suspended[i][j]);
                cursor = _step(conditions, cursor, size);
            }
        }
        vm.assertEq(cursor, conditions.length, "the walk ends with the data");
    }

    /// @notice An account's signature counts for that account and digest only, and for nobody who was suspended.
    function testFuzz_isValidAtOfAccounts(uint256 key, uint256 other, bytes32 digest) external view {
        key = bound(key, 1, type(uint128).max);
        other = bound(other, 1, type(uint128).max);
        bytes memory conditions = bytes.concat(hex"14", bytes20(vm.addr(key)), hex"00");
        vm.assertTrue(_harness.isValidAt(conditions, 0, digest, _sign(key, digest)), "the attester's");
        vm.assertFalse(_harness.isValidAt(conditions, 0, ~digest, _sign(key, digest)), "over something else");
        vm.assertFalse(_harness.isValidAt(conditions, 21, digest, _sign(key, digest)), "a suspended one's");
        vm.assertTrue(_harness.isValidAt(conditions, 0, digest, _sign(other, digest)) == (key == other), "another's");
    }

    /// @notice A P-256 key without its verifier says what OpenZeppelin's verifier says of it, whatever the signature.
    /// forge-config: default.fuzz.runs = 64
    function testFuzz_isValidAtOfP256IsTheVerifier(uint256 key, bytes32 digest, uint256 change) external view {
        key = bound(key, 1, _ORDER - 1);
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        (bytes32 r, bytes32 s) = vm.signP256(key, digest);
        if (uint256(s) > _HALF_ORDER) s = bytes32(_ORDER - uint256(s));
        bytes memory signature = abi.encodePacked(r, s);
        if (change % 4 == 1) signature[(change >> 2) % 64] ^= 0x01;
        if (change % 4 == 2) signature = abi.encodePacked(r, bytes32(_ORDER - uint256(s)));
        if (change % 4 == 3) signature = change & 4 == 0 ? bytes.concat(signature, hex"1b") : bytes.concat(r);
        bytes memory conditions = abi.encodePacked(uint8(ConditionsLib.P256), x, y);
        bool expected =
            _p256Verifier.verify(abi.encodePacked(x, y), digest, signature) == ERC7913P256Verifier.verify.selector;
        vm.assertTrue(_harness.isValidAt(conditions, 0, digest, signature) == expected, "as the verifier says");
        if (change % 4 == 0) vm.assertTrue(expected, "the attester's");
        // Behind its verifier, as where that is another contract's copy of the same.
        bytes memory whole = abi.encodePacked(uint8(84), address(_p256Verifier), x, y);
        vm.assertTrue(_harness.isValidAt(whole, 0, digest, signature) == expected, "through the verifier");
    }

    /// @dev Goes on behind the head of a condition, and its role if it is one.
    function _head(
        bytes memory conditions,
        uint256 cursor,
        AttesterGroup memory group
    ) private pure returns (uint256 behind) {
        (uint256 threshold, uint256 count, uint256 above, uint256 role, uint256 next) = ConditionsLib.conditionAt(
            conditions,
            cursor
        );
        bool isRole = group.attesters[0].length == 1;
        vm.assertEq(threshold, uint256(group.threshold), "threshold");
        vm.assertEq(count, group.attesters.length, "count");
        vm.assertEq(above, uint256(group.above), "above");
        vm.assertEq(role, isRole ? uint256(uint8(group.attesters[0][0])) : 0, "role");
        vm.assertEq(next, cursor + (isRole ? 16 : 14), "next");
        return next;
    }

    /// @dev Goes on by an attester of this size in the data, its length included.
    function _step(bytes memory conditions, uint256 cursor, uint256 size) private pure returns (uint256 next) {
        next = ConditionsLib.nextAttester(conditions, cursor);
        vm.assertEq(next, cursor + size, "nextAttester");
    }

    function _sizeOf(bytes memory attester, bool isSuspended) private view returns (uint256) {
        if (isSuspended) return 1;
        bool inlined = attester.length == 84 && address(bytes20(attester)) == address(_p256Verifier);
        return 1 + (inlined ? 64 : attester.length);
    }

    function _someSuspended(
        Random memory random,
        Rulebook memory rulebook
    ) private pure returns (bool[][] memory suspended) {
        suspended = new bool[][](rulebook.attesterGroups.length);
        for (uint256 i = 0; i < suspended.length; ++i) {
            bytes[] memory attesters = rulebook.attesterGroups[i].attesters;
            suspended[i] = new bool[](attesters.length);
            for (uint256 j = 0; j < attesters.length; ++j) {
                suspended[i][j] = attesters[j].length != 1 && random.oneIn(4);
            }
        }
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
