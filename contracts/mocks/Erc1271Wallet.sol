// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Erc1271Wallet
/// @notice Stands for an organization's smart contract wallet: signs by ERC-1271 with its owner's key.
contract Erc1271Wallet is IERC1271 {
    address private immutable _OWNER;

    error NotOwner(address caller);

    constructor(address owner) {
        _OWNER = owner;
    }

    /// @notice Calls `target` as the wallet; reverts as the target does.
    function execute(address target, bytes calldata data) external returns (bytes memory returned) {
        if (msg.sender != _OWNER) revert NotOwner(msg.sender);
        return Address.functionCall(target, data);
    }

    /// @inheritdoc IERC1271
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4 magicValue) {
        (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecover(hash, signature);
        bool valid = failure == ECDSA.RecoverError.NoError && signer == _OWNER;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
