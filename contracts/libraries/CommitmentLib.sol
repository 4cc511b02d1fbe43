// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Money that waits for the end of a period, in one word: first 216 bits of a hash over whose it is, and when the period began
/// (40 bits, unix seconds, less the seconds for which the batch was stopped before).
/// @dev To find another list of amounts with the hash of one takes 2^216 tries; who prepares both, 2^108.
type Commitment is uint256;

using CommitmentLib for Commitment global;

/// @title CommitmentLib
/// @notice Reads the parts of a {Commitment}.
library CommitmentLib {
    uint256 private constant _START_BITS = 40;

    /// @notice The commitment to what `hash` is over, whose period begins at `start_`.
    function create(bytes32 hash, uint256 start_) internal pure returns (Commitment) {
        return Commitment.wrap(((uint256(hash) >> _START_BITS) << _START_BITS) | start_);
    }

    /// @notice Whether this is a commitment to what `hash` is over.
    function isTo(Commitment self, bytes32 hash) internal pure returns (bool) {
        return (Commitment.unwrap(self) ^ uint256(hash)) >> _START_BITS == 0;
    }

    /// @notice First 27 bytes of the hash; zero: there is no commitment.
    function digest(Commitment self) internal pure returns (bytes27) {
        return bytes27(bytes32(Commitment.unwrap(self)));
    }

    /// @notice When the period began.
    function start(Commitment self) internal pure returns (uint256) {
        return uint40(Commitment.unwrap(self));
    }
}
