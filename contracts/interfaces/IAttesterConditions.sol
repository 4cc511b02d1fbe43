// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {Attestation, ClaimBatch} from "./ClaimTypes.sol";

/// @title IAttesterConditions
/// @notice Checks attestations under rulebooks that ask for more than a number of accounts: several conditions, keys of other kinds,
/// wallet contracts, the payee, the patient.
/// @dev Keeps nothing. The escrow asks it only for signatures in the form that needs it, so that it costs nobody else. In that form
/// `signatures` are packed: their number (1 byte), then each one, in strictly ascending order of attester and place; what follows
/// is not read.
///
/// | bytes | of a signature |
/// |---|---|
/// | 1 | attester: index among the attesters of all groups of the rulebook |
/// | 2 | place: for the payee the index of its group, for the patient that of the line in the batch, else zero |
/// | 2 | size of what follows |
/// | | signature, as the attester's kind of key signs (ERC-7913, ERC-1271, ECDSA) |
///
/// A patient's signature stands behind its opening against the batch's `manifestRoot`:
///
/// | bytes | of an opening |
/// |---|---|
/// | 32 | salt of the leaf |
/// | 1 + 32 each | number of hashes of the proof, and the hashes: from the leaf to the root over patients' keys (OpenZeppelin's MerkleProof), then the root over details, then the root over line amounts |
/// | 1 + size | size of the ERC-7913 signer, and the signer: the patient's one-time key, or that of a personal representative |
///
/// A leaf is keccak256(line as uint256 ‖ salt ‖ signer), one for each signer that may sign for a line: longer than the preimage of an
/// inner node. Under a batch with such keys the right part of `manifestRoot` is keccak256(root over details ‖ root over keys).
interface IAttesterConditions {
    /// @notice Of condition `condition`, `required` attesters have to sign; `given` did.
    error ConditionNotMet(uint256 condition, uint256 required, uint256 given);

    /// @notice The rulebook asks for the signature of the payee of `group`.
    error PayeeSignatureMissing(uint256 group);

    /// @notice The rulebook asks for the signature of the patient of `line`, by its index in the batch.
    error PatientSignatureMissing(uint256 line);

    /// @notice The batch commits to other keys for the patient of `line`.
    error PatientKeyUnknown(uint256 line);

    /// @notice Signature `index` is not asked for: it is of no attester, of one who signed already, or out of order.
    error SignatureNotAsked(uint256 index);

    /// @notice Reverts unless every condition of a rulebook is met.
    /// @dev Behind the arguments, which are those of {IClaimEscrow-settle} as they came, stand two words: where the rulebook's data
    /// lies, and the digest that attesters sign. To encode all arguments anew would cost a settlement 1,000 gas.
    function check(ClaimBatch calldata batch, Group[] calldata groups, Attestation calldata attestation) external view;
}
