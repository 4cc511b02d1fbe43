// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AttesterSignatures} from "../../../contracts/libraries/AttesterSignatures.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Verifies behind a call, so that what is refused can be caught.
contract AttesterSignaturesHarness {
    function verify(
        bytes32 digest,
        uint256 threshold,
        address[] memory attesters,
        bytes calldata signatures
    ) external pure {
        AttesterSignatures.verify(digest, threshold, attesters, signatures);
    }
}

/// @notice {AttesterSignatures} accepts exactly what a search through all attesters for each signer accepts.
contract AttesterSignaturesTest is Properties {
    AttesterSignaturesHarness private _harness = new AttesterSignaturesHarness();

    /// @notice Signers at random: attesters and strangers, in and out of order, repeated. That they are as many as have to sign is
    /// what the escrow checks by their length, before it asks.
    function testFuzz_acceptsDistinctAttestersInOrder(uint256 seed, bytes32 digest) external view {
        Random memory random = RandomLib.from(seed);
        address[] memory people = _ascending(random, random.between(1, 7));
        address[] memory attesters = _some(random, people);
        uint256[] memory signers = _picks(random, people.length);
        bytes memory signatures;
        for (uint256 i = 0; i < signers.length; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keyOf(people[signers[i]]), digest);
            signatures = bytes.concat(signatures, abi.encodePacked(r, s, v));
        }
        bool expected = true;
        for (uint256 i = 0; i < signers.length; ++i) {
            if (i != 0 && signers[i] <= signers[i - 1]) expected = false;
            if (!_isOneOf(attesters, people[signers[i]])) expected = false;
        }
        bool accepted = true;
        try _harness.verify(digest, signers.length, attesters, signatures) {} catch {
            accepted = false;
        }
        vm.assertTrue(accepted == expected, "accepts");
    }

    /// @dev Keys are small numbers, so that an account leads back to its key.
    function _keyOf(address account) private pure returns (uint256 key) {
        for (key = 1; vm.addr(key) != account;) ++key;
    }

    function _ascending(Random memory random, uint256 count) private pure returns (address[] memory people) {
        people = new address[](count);
        uint256 first = random.between(1, 20);
        for (uint256 i = 0; i < count; ++i) {
            address account = vm.addr(first + i);
            uint256 place = i;
            for (; place > 0 && people[place - 1] > account; --place) people[place] = people[place - 1];
            people[place] = account;
        }
    }

    function _some(Random memory random, address[] memory people) private pure returns (address[] memory some) {
        some = new address[](people.length);
        uint256 count = 0;
        for (uint256 i = 0; i < people.length; ++i) {
            if (!random.oneIn(5)) some[count++] = people[i];
        }
        assembly ("memory-safe") {
            mstore(some, count)
        }
    }

    /// @dev Mostly in ascending order, without repetition.
    function _picks(Random memory random, uint256 people) private pure returns (uint256[] memory picks) {
        picks = new uint256[](people);
        uint256 count = 0;
        for (uint256 i = 0; i < people && count < 4; ++i) {
            if (random.oneIn(2)) picks[count++] = random.oneIn(12) ? random.below(people) : i;
        }
        assembly ("memory-safe") {
            mstore(picks, count)
        }
    }

    function _isOneOf(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) if (list[i] == account) return true;
        return false;
    }
}
