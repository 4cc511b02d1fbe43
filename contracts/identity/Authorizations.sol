// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Authorization, IAuthorizations} from "../interfaces/IAuthorizations.sol";
import {Signers} from "../libraries/Signers.sol";

/// @title Authorizations
/// @notice Says who authorized an action: the caller, or who signed its EIP-712 message.
abstract contract Authorizations is IAuthorizations, EIP712Upgradeable {
    bytes32 private constant _DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant _VERSION_HASH = keccak256("1");

    /// @dev keccak256 of the ERC-7913 signer who authorized the action. Reverts if there is a signature and it is not good.
    /// @param message EIP-712 hash of the action's struct, deadline included.
    function _signerOf(
        bytes32 message,
        Authorization calldata authorization
    ) internal view returns (bytes32 signerHash) {
        if (authorization.signature.length == 0) return keccak256(abi.encodePacked(msg.sender));
        if (block.timestamp > authorization.deadline) revert AuthorizationExpired(authorization.deadline);
        if (!Signers.isValid(authorization.signer, _digestOf(message), authorization.signature)) {
            revert AuthorizationInvalid(authorization.signer);
        }
        return keccak256(authorization.signer);
    }

    /// @dev Reverts unless `controllerHash` authorized the action.
    function _requireController(
        bytes32 patient,
        bytes32 controllerHash,
        bytes32 message,
        Authorization calldata authorization
    ) internal view {
        if (controllerHash == 0) revert PatientUnknown(patient);
        bytes32 signerHash = _signerOf(message, authorization);
        if (signerHash != controllerHash) revert NotController(patient, signerHash);
    }

    function _digestOf(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(_domainSeparator(), structHash);
    }

    /// @dev From constants (see {ClaimTypeHashes}).
    function _domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(_DOMAIN_TYPEHASH, _domainNameHash(), _VERSION_HASH, block.chainid, this));
    }

    /// @dev keccak256 of what {_EIP712Name} returns.
    function _domainNameHash() internal pure virtual returns (bytes32);

    /// @dev A constant and not OpenZeppelin's stored string.
    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }
}
