// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712Upgradeable} from "@openzeppelin/contracts-upgradeable/utils/cryptography/EIP712Upgradeable.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Attestation, ClaimBatch, RefundOrder} from "../interfaces/ClaimTypes.sol";

/// @title ClaimTypeHashes
/// @notice EIP-712 hashes of what payers, payees and attesters sign.
abstract contract ClaimTypeHashes is EIP712Upgradeable {
    string private constant _NAME = "Carepact ClaimEscrow";
    string private constant _VERSION = "1";

    bytes32 private constant _NAME_HASH = keccak256("Carepact ClaimEscrow");
    bytes32 private constant _VERSION_HASH = keccak256("1");

    bytes32 private constant _DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    bytes32 private constant _CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(address payer,address token,uint96 total,bytes32 groupsHash,bytes32 manifestRoot,bytes32 rulebook,uint40 eventBy,uint64 salt)"
    );

    bytes32 private constant _FUNDING_ORDER_TYPEHASH = keccak256(
        "FundingOrder(ClaimBatch batch,uint256 deadline)ClaimBatch(address payer,address token,uint96 total,bytes32 groupsHash,bytes32 manifestRoot,bytes32 rulebook,uint40 eventBy,uint64 salt)"
    );

    bytes32 private constant _ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 batchId,bytes results,uint40 observedAt,uint40 validUntil,bytes32 evidence)"
    );

    bytes32 private constant _REFUND_ORDER_TYPEHASH = keccak256(
        "RefundOrder(bytes32 batchId,address payee,uint256 upTo,uint256 deadline)"
    );

    function _hashClaimBatch(ClaimBatch calldata batch) internal pure returns (bytes32) {
        return keccak256(abi.encode(_CLAIM_BATCH_TYPEHASH, batch));
    }

    function _batchId(bytes32 domain, ClaimBatch calldata batch) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, _hashClaimBatch(batch));
    }

    function _fundingOrderDigest(
        bytes32 domain,
        ClaimBatch calldata batch,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                domain,
                keccak256(abi.encode(_FUNDING_ORDER_TYPEHASH, _hashClaimBatch(batch), deadline))
            );
    }

    function _attestationDigest(
        bytes32 domain,
        bytes32 batchId,
        Attestation calldata attestation
    ) internal pure returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                _ATTESTATION_TYPEHASH,
                batchId,
                keccak256(attestation.results),
                attestation.observedAt,
                attestation.validUntil,
                attestation.evidence
            )
        );
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    function _refundOrderDigest(
        bytes32 domain,
        bytes32 batchId,
        RefundOrder calldata order
    ) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(_REFUND_ORDER_TYPEHASH, batchId, order)));
    }

    /// @dev What OpenZeppelin's `_domainSeparatorV4` returns, for 500 gas less: the hashes of name and version are constants.
    function _domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(_DOMAIN_TYPEHASH, _NAME_HASH, _VERSION_HASH, block.chainid, this));
    }

    /// @dev A constant and not OpenZeppelin's stored string, whose reading costs each call about 4,000 gas.
    function _EIP712Name() internal pure override returns (string memory) {
        return _NAME;
    }

    /// @dev See {_EIP712Name}.
    function _EIP712Version() internal pure override returns (string memory) {
        return _VERSION;
    }
}
