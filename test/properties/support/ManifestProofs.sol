// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ManifestProofs
/// @notice Builds what the escrow only checks: roots and proofs of manifest trees, in the plainest form.
library ManifestProofs {
    /// @notice One level up: keccak256 of each two neighbours; a last one alone goes up as it is.
    function parents(bytes32[] memory nodes) internal pure returns (bytes32[] memory above) {
        above = new bytes32[]((nodes.length + 1) / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            bool alone = 2 * i + 1 == nodes.length;
            above[i] = alone ? nodes[2 * i] : keccak256(abi.encode(nodes[2 * i], nodes[2 * i + 1]));
        }
    }

    /// @notice Root over all leaves.
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        while (leaves.length > 1) leaves = parents(leaves);
        return leaves[0];
    }

    /// @notice The hashes that lead from the leaves that are `known` to the root, from the leaves up, from left to right,
    /// followed by `last`.
    function prove(
        bytes32[] memory leaves,
        bool[] memory known,
        bytes32 last
    ) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory found = new bytes32[](leaves.length + 1);
        uint256 count = 0;
        while (leaves.length > 1) {
            bool[] memory above = new bool[]((leaves.length + 1) / 2);
            for (uint256 i = 0; i < leaves.length; ++i) {
                uint256 neighbour = i ^ 1;
                if (known[i]) above[i / 2] = true;
                if (known[i] && neighbour < leaves.length && !known[neighbour]) found[count++] = leaves[neighbour];
            }
            (leaves, known) = (parents(leaves), above);
        }
        found[count++] = last;
        proof = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) proof[i] = found[i];
    }
}
