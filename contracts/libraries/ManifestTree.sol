// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title ManifestTree
/// @notice Merkle tree in which each leaf has one place. A parent is keccak256(left ‖ right); a last node without a right
/// neighbour goes up as it is.
/// @dev OpenZeppelin's MerkleProof hashes sorted pairs and so proves that a leaf is in a tree, not where: a payer could commit to
/// two different lists of amounts for one group and choose later which one to open (docs/decisions/0005).
library ManifestTree {
    /// @notice The positions do not ascend, or lie outside the tree, or the proof is too short or too long.
    error ManifestProofMalformed();

    /// @notice Root of the tree of `width` leaves that has `node` at `position`.
    /// @param proof As in {rootOf}.
    function rootOfOne(
        uint256 position,
        bytes32 node,
        uint256 width,
        bytes32[] calldata proof
    ) internal pure returns (bytes32 root, uint256 used) {
        if (position >= width) revert ManifestProofMalformed();
        // Positions stay below the width, and `used` below the proof's length.
        unchecked {
            for (; width > 1; width = (width + 1) >> 1) {
                if (position ^ 1 < width) {
                    if (used == proof.length) revert ManifestProofMalformed();
                    bytes32 other = proof[used++];
                    node =
                        position & 1 == 0
                            ? Hashes.efficientKeccak256(node, other)
                            : Hashes.efficientKeccak256(other, node);
                }
                position >>= 1;
            }
        }
        return (node, used);
    }

    /// @notice Root of the tree of `width` leaves that has these leaves at these positions. Changes both arrays.
    /// @param positions Of the leaves, strictly ascending, from 0.
    /// @param nodes Hashes of the leaves, at least one.
    /// @param proof Hashes of the nodes that cannot be computed, from the leaves up, from left to right, followed by more than this
    /// function reads.
    /// @return root The root.
    /// @return used How many hashes of the proof were read.
    function rootOf(
        uint256[] memory positions,
        bytes32[] memory nodes,
        uint256 width,
        bytes32[] calldata proof
    ) internal pure returns (bytes32 root, uint256 used) {
        uint256 count = positions.length;
        // Indices stay below the arrays' lengths, and positions below the width.
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                if (positions[i] >= width || (i != 0 && positions[i] <= positions[i - 1])) {
                    revert ManifestProofMalformed();
                }
            }
            for (; width > 1; width = (width + 1) >> 1) {
                uint256 parents = 0;
                for (uint256 i = 0; i < count; ++parents) {
                    uint256 position = positions[i];
                    bytes32 node = nodes[i++];
                    uint256 neighbour = position ^ 1;
                    if (i < count && positions[i] == neighbour) {
                        node = Hashes.efficientKeccak256(node, nodes[i++]);
                    } else if (neighbour < width) {
                        if (used == proof.length) revert ManifestProofMalformed();
                        bytes32 other = proof[used++];
                        node =
                            position & 1 == 0
                                ? Hashes.efficientKeccak256(node, other)
                                : Hashes.efficientKeccak256(other, node);
                    }
                    positions[parents] = position >> 1;
                    nodes[parents] = node;
                }
                count = parents;
            }
        }
        return (nodes[0], used);
    }
}
