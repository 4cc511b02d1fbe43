// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";
import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Signers
/// @notice Checks signatures of ERC-7913 signers: accounts by ECDSA or ERC-1271, keys by their verifier contract.
/// @dev OpenZeppelin's SignatureChecker, but for three things. A contract that is asked gets a bounded amount of gas, and
/// what it answers is not copied, so that it can only deny. A verifier has to have code: SignatureChecker takes any
/// signature of a signer whose verifier is the identity precompile (0x04), which answers with its input, and that begins
/// with the magic value.
library Signers {
    /// @dev A P-256 check in Solidity, where a chain lacks the precompile, takes about a third of it.
    uint256 private constant _GAS = 1_000_000;

    uint256 private constant _ACCOUNT_SIZE = 20;

    /// @notice Whether `signature` is `signer`'s over `digest`, now.
    function isValid(bytes calldata signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signer.length < _ACCOUNT_SIZE) return false;
        address account = address(bytes20(signer));
        if (signer.length == _ACCOUNT_SIZE) return isValidOf(account, digest, signature);
        if (account.code.length == 0) return false;
        bytes calldata key = signer[_ACCOUNT_SIZE:];
        return
            _answers(
                account,
                abi.encodeCall(IERC7913SignatureVerifier.verify, (key, digest, signature)),
                IERC7913SignatureVerifier.verify.selector
            );
    }

    /// @notice As {isValid}, of a signer in memory.
    function isValidMemory(bytes memory signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (signer.length < _ACCOUNT_SIZE) return false;
        address account = address(bytes20(signer));
        if (signer.length == _ACCOUNT_SIZE) return isValidOf(account, digest, signature);
        if (account.code.length == 0) return false;
        bytes memory key = Bytes.slice(signer, _ACCOUNT_SIZE);
        return
            _answers(
                account,
                abi.encodeCall(IERC7913SignatureVerifier.verify, (key, digest, signature)),
                IERC7913SignatureVerifier.verify.selector
            );
    }

    /// @notice Whether `signature` is that of `account` over `digest`, now.
    function isValidOf(address account, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        if (account.code.length == 0) {
            (address recovered, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
            return failure == ECDSA.RecoverError.NoError && recovered == account;
        }
        return
            _answers(
                account,
                abi.encodeCall(IERC1271.isValidSignature, (digest, signature)),
                IERC1271.isValidSignature.selector
            );
    }

    /// @dev Whether `target` answers `question` with a word that is `magic` and nothing else.
    function _answers(address target, bytes memory question, bytes4 magic) private view returns (bool answered) {
        assembly ("memory-safe") {
            let success := staticcall(_GAS, target, add(question, 0x20), mload(question), 0x00, 0x20)
            answered := and(success, and(gt(returndatasize(), 0x1f), eq(mload(0x00), magic)))
        }
    }
}
