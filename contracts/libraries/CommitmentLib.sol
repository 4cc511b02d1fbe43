// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Money that waits for the end of a period, in one word. From the most significant bit down: what for (2 bits, see {Held}), the
/// lower 214 bits of a hash over whose it is, and when the period began (40 bits, unix seconds, less the seconds for which the batch
/// was stopped before).
/// @dev To find another list of amounts with the hash of one takes 2^214 tries; who prepares both, 2^107.
type Commitment is uint256;

using CommitmentLib for Commitment global;

/// @title CommitmentLib
/// @notice Reads the parts of a {Commitment}.
library CommitmentLib {
    uint256 private constant _START_BITS = 40;
    uint256 private constant _HASH_MASK = (1 << 214) - 1;
    uint256 private constant _KIND_SHIFT = 254;

    /// @notice The commitment to what `hash` is over, whose period begins at `start_`.
    function create(uint256 kind, bytes32 hash, uint256 start_) internal pure returns (Commitment) {
        return Commitment.wrap((kind << _KIND_SHIFT) | ((uint256(hash) & _HASH_MASK) << _START_BITS) | start_);
    }

    /// @notice Whether this is a commitment of that kind to what `hash` is over.
    function isTo(Commitment self, uint256 kind, bytes32 hash) internal pure returns (bool) {
        return Commitment.unwrap(self) == Commitment.unwrap(create(kind, hash, self.start()));
    }

    /// @notice What for; zero: there is no commitment.
    function kindOf(Commitment self) internal pure returns (uint256) {
        return Commitment.unwrap(self) >> _KIND_SHIFT;
    }

    /// @notice The lower 214 bits of the hash.
    function digest(Commitment self) internal pure returns (bytes32) {
        return bytes32((Commitment.unwrap(self) >> _START_BITS) & _HASH_MASK);
    }

    /// @notice When the period began.
    function start(Commitment self) internal pure returns (uint256) {
        return uint40(Commitment.unwrap(self));
    }
}
