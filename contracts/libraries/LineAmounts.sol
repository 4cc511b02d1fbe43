// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title LineAmounts
/// @notice Reads amounts that stand packed in bytes, big endian, each in the same number of bytes.
/// @dev Assembly, because every line of a settlement by line passes here: a slice converted to a number costs three times as much
/// a line. `test/properties` holds both functions against that plain form.
library LineAmounts {
    /// @notice Most bytes of one amount: no line exceeds a subtotal's 86 bits.
    uint256 internal constant MAX_WIDTH = 11;

    /// @notice Amount `index`, in base units. The caller has checked that it lies within `data`.
    /// @param width Bytes of each amount, 1 to {MAX_WIDTH}.
    function at(bytes calldata data, uint256 index, uint256 width) internal pure returns (uint256 amount) {
        assembly ("memory-safe") {
            amount := shr(sub(256, shl(3, width)), calldataload(add(data.offset, mul(index, width))))
        }
    }

    /// @notice Sum of all amounts, in base units. At most 1,023 amounts of 88 bits, so that it cannot overflow.
    /// @dev Four at a time, which takes 40 gas off each line. Past the end of `data` there may be anything, so the rest goes one by
    /// one.
    /// @param width Bytes of each amount, 1 to {MAX_WIDTH}. The caller has checked that it divides the length.
    function sum(bytes calldata data, uint256 width) internal pure returns (uint256 total) {
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            let next := data.offset
            let end := add(next, data.length)
            let double := shl(1, width)
            let triple := add(double, width)
            let quadruple := shl(2, width)
            for {
                let last := sub(end, triple)
            } lt(next, last) {
                next := add(next, quadruple)
            } {
                total := add(
                    add(total, add(shr(shift, calldataload(next)), shr(shift, calldataload(add(next, width))))),
                    add(shr(shift, calldataload(add(next, double))), shr(shift, calldataload(add(next, triple))))
                )
            }
            for {} lt(next, end) {
                next := add(next, width)
            } {
                total := add(total, shr(shift, calldataload(next)))
            }
        }
    }
}
