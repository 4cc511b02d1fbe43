// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ManifestTree} from "../../../contracts/libraries/ManifestTree.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Roots behind a call: the library reads proofs from calldata.
contract ManifestTreeHarness {
    function rootOf(
        uint256[] memory positions,
        bytes32[] memory nodes,
        uint256 width,
        bytes32[] calldata proof
    ) external pure returns (bytes32 root, uint256 used) {
        return ManifestTree.rootOf(positions, nodes, width, proof);
    }

    function rootOfOne(
        uint256 position,
        bytes32 node,
        uint256 width,
        bytes32[] calldata proof
    ) external pure returns (bytes32 root, uint256 used) {
        return ManifestTree.rootOfOne(position, node, width, proof);
    }
}

/// @notice {ManifestTree} leads from leaves in their places, and from nothing else, to the root over all leaves.
contract ManifestTreeTest is Properties {
    struct Opening {
        uint256[] positions;
        bytes32[] nodes;
        uint256 width;
        bytes32[] proof;
        bytes32 root;
    }

    ManifestTreeHarness private _harness = new ManifestTreeHarness();

    function testFuzz_rootIsTheRootOverAllLeaves(uint256 seed) external view {
        Opening memory opening = _newOpening(RandomLib.from(seed));
        (bytes32 root, uint256 used) = _rootOf(opening);
        vm.assertEq(root, opening.root, "root");
        // The last is for whoever puts two trees under one root.
        vm.assertEq(used, opening.proof.length - 1, "used");
    }

    /// @notice A leaf has one place: nothing else that is said of it leads to the root.
    function testFuzz_nothingElseLeadsToTheRoot(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        Opening memory opening = _newOpening(random);
        uint256 i = random.below(opening.positions.length);
        uint256 kind = random.below(3);
        if (kind == 0) {
            opening.nodes[i] = bytes32(random.next());
        } else if (kind == 1 && opening.proof.length > 1) {
            opening.proof[random.below(opening.proof.length - 1)] = bytes32(random.next());
        } else {
            uint256 other = random.below(opening.width + 2);
            if (other == opening.positions[i]) return;
            opening.positions[i] = other;
        }
        try _harness.rootOf(opening.positions, opening.nodes, opening.width, opening.proof) returns (
            bytes32 root,
            uint256
        ) {
            vm.assertNotEq(root, opening.root, "another opening led to the root");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == ManifestTree.ManifestProofMalformed.selector, "ManifestProofMalformed");
        }
    }

    /// @notice The short way for one leaf says what the long one says, also when it refuses.
    function testFuzz_oneLeafIsAsManyOfOne(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        Opening memory opening = _newOpening(random);
        (opening.positions, opening.nodes) = (new uint256[](1), new bytes32[](1));
        (opening.positions[0], opening.nodes[0]) = (random.below(opening.width + 1), bytes32(random.next()));
        bytes memory many = _answerOf(
            abi.encodeCall(_harness.rootOf, (opening.positions, opening.nodes, opening.width, opening.proof))
        );
        bytes memory one = _answerOf(
            abi.encodeCall(_harness.rootOfOne, (opening.positions[0], opening.nodes[0], opening.width, opening.proof))
        );
        vm.assertEq(one, many, "rootOfOne");
    }

    function _answerOf(bytes memory call) private view returns (bytes memory answer) {
        (, answer) = address(_harness).staticcall(call);
    }

    function _rootOf(Opening memory opening) private view returns (bytes32 root, uint256 used) {
        return _harness.rootOf(opening.positions, opening.nodes, opening.width, opening.proof);
    }

    /// @dev Some leaves of a tree, at least one, with their proof.
    function _newOpening(Random memory random) private pure returns (Opening memory opening) {
        bytes32[] memory leaves = new bytes32[](random.between(1, 40));
        bool[] memory known = new bool[](leaves.length);
        uint256 share = random.between(1, 6);
        uint256 count = 0;
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = bytes32(random.next());
            known[i] = random.oneIn(share);
            if (known[i]) ++count;
        }
        if (count == 0) (known[random.below(leaves.length)], count) = (true, 1);
        opening.width = leaves.length;
        opening.positions = new uint256[](count);
        opening.nodes = new bytes32[](count);
        count = 0;
        for (uint256 i = 0; i < leaves.length; ++i) {
            if (known[i]) (opening.positions[count], opening.nodes[count++]) = (i, leaves[i]);
        }
        opening.proof = ManifestProofs.prove(leaves, known, bytes32(random.next()));
        opening.root = ManifestProofs.rootOf(leaves);
    }
}
