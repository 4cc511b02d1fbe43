// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Attestation, ClaimBatch} from "../interfaces/ClaimTypes.sol";
import {IAttesterConditions} from "../interfaces/IAttesterConditions.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {AttesterRoles} from "../interfaces/IRulebooks.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {Signers} from "../libraries/Signers.sol";
import {ConditionsLib} from "./ConditionsLib.sol";
import {RulebookBlobLib} from "./RulebookBlobLib.sol";
import {SignatureList, SignatureListLib} from "./SignatureListLib.sol";

/// @title AttesterConditions
/// @notice See {IAttesterConditions}.
contract AttesterConditions is IAttesterConditions {
    using ConditionsLib for bytes;
    using GroupLib for Group[];
    using ResultsLib for bytes;

    uint256 private constant _PAYEE = uint8(AttesterRoles.PAYEE);

    /// @inheritdoc IAttesterConditions
    function check(ClaimBatch calldata batch, Group[] calldata groups, Attestation calldata attestation) external view {
        (address blob, bytes32 digest) = _tail();
        bytes memory conditions = RulebookBlobLib.readConditions(blob);
        // A rulebook that names only a workflow takes no signatures, and one under which attestations are presented none here.
        if (conditions.length == 0) revert IClaimEscrow.SignatureCountWrong(0, attestation.signatures.length);
        if (!attestation.results.beginWith(groups.length)) revert IClaimEscrow.ResultsMalformed();

        SignatureList memory list = SignatureListLib.open(attestation.signatures, digest);
        uint256 cursor = 0;
        uint256 first = 0;
        for (uint256 index = 0; cursor < conditions.length; ++index) {
            (uint256 threshold, uint256 count, uint256 above, uint256 role, uint256 next) = conditions.conditionAt(
                cursor
            );
            cursor = next;
            if (role == 0) {
                uint256 signed;
                (signed, cursor) = _countSigned(list, first, count, conditions, cursor);
                if (signed < threshold && _holds(above, groups, attestation.results)) {
                    revert ConditionNotMet(index, threshold, signed);
                }
            } else if (role == _PAYEE) {
                _checkPayees(list, first, above, groups, attestation.results);
            } else {
                _checkPatients(list, first, _paidLines(above, groups, attestation.results), batch.manifestRoot);
            }
            first += count;
        }
        if (list.left != 0) revert SignatureNotAsked(list.index);
    }

    /// @dev Checks the signatures of one condition's attesters, and counts them.
    function _countSigned(
        SignatureList memory list,
        uint256 first,
        uint256 count,
        bytes memory conditions,
        uint256 cursor
    ) private view returns (uint256 signed, uint256 end) {
        for (uint256 i = 0; i < count; ++i) {
            uint256 next = conditions.nextAttester(cursor);
            if (list.isNext(first + i, 0)) {
                if (!conditions.isValidAt(cursor, list.digest, list.signature())) {
                    revert IClaimEscrow.SignatureInvalid(list.index);
                }
                list.advance();
                ++signed;
            }
            cursor = next;
        }
        return (signed, cursor);
    }

    /// @dev Checks that the payee of every group that is settled signed.
    function _checkPayees(
        SignatureList memory list,
        uint256 attester,
        uint256 above,
        Group[] calldata groups,
        bytes calldata results
    ) private view {
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            if (results.codeAt(i) == ResultsLib.PENDING || group.subtotal() <= above) continue;
            if (!list.isNext(attester, i)) revert PayeeSignatureMissing(i);
            if (!Signers.isValidOf(group.payee(), list.digest, list.signature())) {
                revert IClaimEscrow.SignatureInvalid(list.index);
            }
            list.advance();
        }
    }

    /// @dev Checks that the patient of every line that is paid signed. Nobody can be asked for a yes to care that did not happen.
    function _checkPatients(
        SignatureList memory list,
        uint256 attester,
        uint256[] memory paid,
        bytes32 manifestRoot
    ) private view {
        for (uint256 i = 0; i < paid.length; ++i) {
            if (!list.isNext(attester, paid[i])) revert PatientSignatureMissing(paid[i]);
            _checkPatient(list, paid[i], manifestRoot);
            list.advance();
        }
    }

    /// @dev Indices in the batch of the lines that are paid, of groups above an amount.
    function _paidLines(
        uint256 above,
        Group[] calldata groups,
        bytes calldata results
    ) private pure returns (uint256[] memory paid) {
        paid = new uint256[](_countLines(groups));
        uint256 count = 0;
        uint256 line = 0;
        uint256 cursor = ResultsLib.codesLength(groups.length);
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            uint256 size = group.lineCount();
            uint256 code = results.codeAt(i);
            bool asked = group.subtotal() > above && code != ResultsLib.PENDING && code != ResultsLib.NOT_MET;
            for (uint256 j = 0; asked && j < size; ++j) {
                if (code == ResultsLib.MET || results.paysAt(cursor, j)) paid[count++] = line + j;
            }
            if (code == ResultsLib.BY_LINE) cursor = results.endOfLines(cursor, size);
            line += size;
        }
        assembly ("memory-safe") {
            mstore(paid, count)
        }
    }

    /// @dev Checks the next signature, which is the patient's of this line, behind its opening.
    function _checkPatient(SignatureList memory list, uint256 line, bytes32 manifestRoot) private view {
        bytes calldata salt;
        bytes calldata proof;
        bytes calldata signer;
        bytes calldata rest;
        (salt, rest) = list.take(list.signature(), 32);
        (proof, rest) = list.takeCounted(rest, 32);
        (signer, rest) = list.takeCounted(rest, 1);
        bytes32 leaf = keccak256(abi.encodePacked(line, salt, signer));
        if (!_isCommitted(manifestRoot, leaf, proof)) revert PatientKeyUnknown(line);
        if (!Signers.isValid(signer, list.digest, rest)) revert IClaimEscrow.SignatureInvalid(list.index);
    }

    /// @dev Whether a batch commits to a patient's key. Its leaf says of which line, so that only that it is there has to be proved.
    function _isCommitted(bytes32 manifestRoot, bytes32 leaf, bytes calldata packedProof) private pure returns (bool) {
        bytes32[] calldata proof;
        assembly ("memory-safe") {
            proof.offset := packedProof.offset
            proof.length := shr(5, packedProof.length)
        }
        uint256 length = proof.length;
        if (length < 2) return false;
        bytes32 root = MerkleProof.processProofCalldata(proof[:length - 2], leaf);
        root = Hashes.efficientKeccak256(proof[length - 2], root);
        return Hashes.efficientKeccak256(proof[length - 1], root) == manifestRoot;
    }

    /// @dev What the escrow put behind the arguments. Assembly, because to slice and decode it costs 150 gas.
    function _tail() private pure returns (address blob, bytes32 digest) {
        assembly ("memory-safe") {
            blob := calldataload(sub(calldatasize(), 0x40))
            digest := calldataload(sub(calldatasize(), 0x20))
        }
    }

    function _countLines(Group[] calldata groups) private pure returns (uint256 lines) {
        for (uint256 i = 0; i < groups.length; ++i) lines += groups.at(i).lineCount();
    }

    /// @dev Whether a condition holds for any of the groups that are settled.
    function _holds(uint256 above, Group[] calldata groups, bytes calldata results) private pure returns (bool) {
        if (above == 0) return true;
        for (uint256 i = 0; i < groups.length; ++i) {
            if (results.codeAt(i) != ResultsLib.PENDING && groups.at(i).subtotal() > above) return true;
        }
        return false;
    }
}
