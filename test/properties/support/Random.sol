// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Numbers drawn one after another from one seed, so that a handler takes a single argument and a run can be replayed.
struct Random {
    uint256 state;
}

using RandomLib for Random global;

/// @title RandomLib
/// @notice Draws from a {Random}.
library RandomLib {
    /// @notice The numbers that follow from `seed`.
    function from(uint256 seed) internal pure returns (Random memory) {
        return Random({state: seed});
    }

    /// @notice The next number, of 256 bits.
    function next(Random memory self) internal pure returns (uint256) {
        self.state = uint256(keccak256(abi.encode(self.state)));
        return self.state;
    }

    /// @notice The next number from 0 to `size` - 1.
    function below(Random memory self, uint256 size) internal pure returns (uint256) {
        return self.next() % size;
    }

    /// @notice The next number from `min` to `max`, each as likely as the others.
    function between(Random memory self, uint256 min, uint256 max) internal pure returns (uint256) {
        return min + self.below(max - min + 1);
    }

    /// @notice The next number from `min` to `max`; one time in four an end of the range, where mistakes live.
    function edgy(Random memory self, uint256 min, uint256 max) internal pure returns (uint256) {
        uint256 kind = self.below(8);
        if (kind == 0) return min;
        if (kind == 1) return max;
        return self.between(min, max);
    }

    /// @notice True one time in `times`.
    function oneIn(Random memory self, uint256 times) internal pure returns (bool) {
        return self.below(times) == 0;
    }
}
