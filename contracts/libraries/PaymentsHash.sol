// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title PaymentsHash
/// @notice Hash over the payments of a claim batch. A payment is one word: payee (160 bits), amount in base units (96 bits).
library PaymentsHash {
    /// @notice The payment of `amount` to `payee`.
    function pack(address payee, uint256 amount) internal pure returns (uint256) {
        return (uint256(uint160(payee)) << 96) | amount;
    }

    /// @notice Who was paid.
    function payeeOf(uint256 payment) internal pure returns (address) {
        return address(uint160(payment >> 96));
    }

    /// @notice How much, in base units.
    function amountOf(uint256 payment) internal pure returns (uint256) {
        return uint96(payment);
    }

    /// @notice The hash after one more payment.
    function add(uint256 hash, uint256 payment) internal pure returns (uint256) {
        return uint96(uint256(Hashes.efficientKeccak256(bytes32(hash), bytes32(payment))));
    }
}
