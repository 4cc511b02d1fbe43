// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice Who acts: the caller, or a signer whose EIP-712 message of this very action anybody may bring.
/// @dev Messages have no nonces. Each names the state that it acts on (a version, an epoch, a number), or can only be
/// carried out once, or changes nothing the second time. So any number of them can be under way at once, in any order, and
/// a replay changes nothing.
/// @param signer ERC-7913 signer. 20 bytes: an account, by ECDSA or ERC-1271; longer: a verifier contract and a key. Not
/// looked at where the signature is empty.
/// @param deadline Last second (unix) in which the message is good; not looked at where the signature is empty.
/// @param signature The signer's, over the EIP-712 message of the action; empty: the caller is the signer.
struct Authorization {
    bytes signer;
    uint48 deadline;
    bytes signature;
}

/// @title IAuthorizations
/// @notice What contracts in which patients act without a wallet have in common.
interface IAuthorizations {
    /// @notice The message was good until `deadline`, and no longer.
    error AuthorizationExpired(uint256 deadline);

    /// @notice Not `signer`'s signature over this action in the present state of the record: another key, another action,
    /// another chain, another contract, or a message for a state that is past.
    error AuthorizationInvalid(bytes signer);

    /// @notice Who authorized this, keccak256 of the ERC-7913 signer being `signerHash`, is not the patient's controller.
    error NotController(bytes32 patient, bytes32 signerHash);

    /// @notice No patient of this id was registered.
    error PatientUnknown(bytes32 patient);
}
