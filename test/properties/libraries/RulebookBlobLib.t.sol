// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AttesterGroup, Rulebook} from "../../../contracts/interfaces/IRulebooks.sol";
import {RulebookBlobLib} from "../../../contracts/rulebooks/RulebookBlobLib.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Writes blobs, whose library takes rulebooks from calldata.
contract RulebookBlobHarness {
    function write(Rulebook calldata rulebook, address[] memory attesters) external returns (address) {
        return RulebookBlobLib.write(rulebook, attesters);
    }
}

/// @notice {RulebookBlobLib} reads what the rulebook says.
contract RulebookBlobLibTest is Properties {
    RulebookBlobHarness private _harness = new RulebookBlobHarness();

    function testFuzz_readIsTheRulebook(uint256 seed) external {
        Random memory random = RandomLib.from(seed);
        (Rulebook memory rulebook, address[] memory expected) = _newRulebook(random);
        address blob = _harness.write(rulebook, expected);

        (uint256 grace, uint256 threshold, address[] memory attesters) = RulebookBlobLib.read(blob);
        // Whatever is allocated next must not lie on what was read.
        bytes memory next = abi.encode(rulebook);
        vm.assertEq(keccak256(next), keccak256(abi.encode(rulebook)), "memory behind the attesters");
        Rulebook memory plain = _plain(blob);
        vm.assertEq(grace, uint256(plain.grace), "grace");
        vm.assertEq(threshold, uint256(plain.attesterGroups[0].threshold), "threshold");
        vm.assertEq(attesters.length, plain.attesterGroups[0].attesters.length, "number of attesters");
        for (uint256 i = 0; i < attesters.length; ++i) {
            vm.assertEq(attesters[i], address(bytes20(plain.attesterGroups[0].attesters[i])), "attester");
        }
        vm.assertEq(abi.encode(RulebookBlobLib.readWhole(blob)), abi.encode(rulebook), "readWhole");
        vm.assertEq(abi.encode(plain), abi.encode(rulebook), "the whole rulebook");
    }

    /// @notice Who calls a blob gets nothing, and nothing happens.
    function testFuzz_blobStopsAtOnce(uint256 seed, bytes calldata data) external {
        (Rulebook memory rulebook, address[] memory attesters) = _newRulebook(RandomLib.from(seed));
        address blob = _harness.write(rulebook, attesters);
        vm.assertEq(uint256(uint8(blob.code[0])), 0, "begins with STOP");
        (bool ok, bytes memory returned) = blob.call(data);
        vm.assertTrue(ok && returned.length == 0, "stops");
    }

    /// @dev The data decoded as it is written down: three numbers in a word, the attesters, the whole rulebook.
    function _plain(address blob) private view returns (Rulebook memory rulebook) {
        bytes memory code = blob.code;
        uint256 start = 32 + 32 * uint256(uint8(code[31]));
        bytes memory rest = new bytes(code.length - start);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = code[start + i];
        return abi.decode(rest, (Rulebook));
    }

    function _newRulebook(
        Random memory random
    ) private pure returns (Rulebook memory rulebook, address[] memory accounts) {
        accounts = new address[](random.edgy(1, 32));
        bytes[] memory attesters = new bytes[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            accounts[i] = address(uint160(random.next()));
            attesters[i] = abi.encodePacked(accounts[i]);
        }
        rulebook.attesterGroups = new AttesterGroup[](1);
        rulebook.attesterGroups[0].threshold = uint8(random.between(1, accounts.length));
        rulebook.attesterGroups[0].attesters = attesters;
        rulebook.eventKinds = uint32(random.between(1, 31));
        rulebook.grace = uint32(random.edgy(0, type(uint32).max));
        rulebook.suspender = address(uint160(random.next()));
        rulebook.documentHash = bytes32(random.next());
    }
}
