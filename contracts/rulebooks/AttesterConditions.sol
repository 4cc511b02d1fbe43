// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {AttesterSignature, PatientKey} from "../interfaces/ClaimTypes.sol";
import {IAttesterConditions} from "../interfaces/IAttesterConditions.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {AttesterRoles} from "../interfaces/IRulebooks.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {ManifestTree} from "../libraries/ManifestTree.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {Signers} from "../libraries/Signers.sol";
import {Condition, ConditionsLib} from "./ConditionsLib.sol";
import {RulebookBlobLib} from "./RulebookBlobLib.sol";

/// @title AttesterConditions
/// @notice See {IAttesterConditions}.
contract AttesterConditions is IAttesterConditions {
    using ConditionsLib for bytes;
    using GroupLib for Group[];
    using ResultsLib for bytes;

    /// @dev What is checked, and how far.
    struct Check {
        bytes32 digest;
        bytes32 manifestRoot;
        /// Next of the signatures, and of the patients' keys.
        uint256 nextSignature;
        uint256 nextKey;
    }

    /// @inheritdoc IAttesterConditions
    function check(
        address blob,
        bytes32 digest,
        bytes32 manifestRoot,
        Group[] calldata groups,
        bytes calldata results,
        bytes calldata signatures
    ) external view {
        bytes memory conditions = RulebookBlobLib.readConditions(blob);
        // What is encoded in words is as long as words are. A rulebook that names only a workflow takes no signatures.
        if (conditions.length == 0 || signatures.length < 0x80 || signatures.length & 0x1f != 0) {
            (, uint256 threshold) = RulebookBlobLib.readWorkflow(blob);
            revert IClaimEscrow.SignatureCountWrong(threshold, signatures.length);
        }
        if (!results.beginWith(groups.length)) revert IClaimEscrow.ResultsMalformed();
        (AttesterSignature[] calldata given, PatientKey[] calldata keys) = _decode(signatures);

        Check memory work = Check(digest, manifestRoot, 0, 0);
        uint256 cursor = 0;
        uint256 attester = 0;
        for (uint256 index = 0; cursor < conditions.length; ++index) {
            Condition memory condition;
            (condition, cursor) = conditions.conditionAt(cursor);
            uint256 first = attester;
            attester += condition.count;
            if (condition.role == AttesterRoles.PAYEE) {
                _checkPayees(work, first, condition.above, groups, results, given);
            } else if (condition.role == AttesterRoles.PATIENT) {
                _checkPatients(work, first, condition.above, groups, results, given, keys);
            } else {
                uint256 signed;
                (signed, cursor) = _countSigned(work, first, condition.count, conditions, cursor, given);
                if (signed < condition.threshold && _holds(condition.above, groups, results)) {
                    revert ConditionNotMet(index, condition.threshold, signed);
                }
            }
        }
        if (work.nextSignature != given.length) revert SignatureNotAsked(work.nextSignature);
    }

    /// @dev Checks the signatures of one condition's attesters, and counts them.
    function _countSigned(
        Check memory work,
        uint256 first,
        uint256 count,
        bytes memory conditions,
        uint256 cursor,
        AttesterSignature[] calldata given
    ) private view returns (uint256 signed, uint256 end) {
        for (uint256 i = 0; i < count; ++i) {
            bytes memory attester;
            (attester, cursor) = conditions.attesterAt(cursor);
            if (!_isNext(work, first + i, 0, given)) continue;
            uint256 index = work.nextSignature++;
            // Of one that was suspended nothing is left.
            if (!Signers.isValidMemory(attester, work.digest, given[index].signature)) {
                revert IClaimEscrow.SignatureInvalid(index);
            }
            ++signed;
        }
        return (signed, cursor);
    }

    /// @dev Checks that the payee of every group that is settled signed.
    function _checkPayees(
        Check memory work,
        uint256 attester,
        uint256 above,
        Group[] calldata groups,
        bytes calldata results,
        AttesterSignature[] calldata given
    ) private view {
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            if (results.codeAt(i) == ResultsLib.PENDING || !_isAbove(group, above)) continue;
            if (!_isNext(work, attester, i, given)) revert PayeeSignatureMissing(i);
            uint256 index = work.nextSignature++;
            if (!Signers.isValidOf(group.payee(), work.digest, given[index].signature)) {
                revert IClaimEscrow.SignatureInvalid(index);
            }
        }
    }

    /// @dev Checks that the patient of every line that is paid signed. Nobody can be asked for a yes to care that did not happen.
    function _checkPatients(
        Check memory work,
        uint256 attester,
        uint256 above,
        Group[] calldata groups,
        bytes calldata results,
        AttesterSignature[] calldata given,
        PatientKey[] calldata keys
    ) private view {
        uint256 lines = 0;
        for (uint256 i = 0; i < groups.length; ++i) lines += groups.at(i).lineCount();
        uint256 firstLine = 0;
        uint256 cursor = ResultsLib.codesLength(groups.length);
        for (uint256 i = 0; i < groups.length; ++i) {
            Group group = groups.at(i);
            uint256 count = group.lineCount();
            uint256 code = results.codeAt(i);
            bool asked = _isAbove(group, above);
            if (asked && (code == ResultsLib.MET || code == ResultsLib.BY_LINE)) {
                for (uint256 line = 0; line < count; ++line) {
                    if (code == ResultsLib.BY_LINE && !results.paysAt(cursor, line)) continue;
                    _checkPatient(work, attester, firstLine + line, lines, given, keys);
                }
            }
            if (code == ResultsLib.BY_LINE) cursor = results.endOfLines(cursor, count);
            firstLine += count;
        }
    }

    function _checkPatient(
        Check memory work,
        uint256 attester,
        uint256 line,
        uint256 lines,
        AttesterSignature[] calldata given,
        PatientKey[] calldata keys
    ) private view {
        if (!_isNext(work, attester, line, given) || work.nextKey == keys.length) revert PatientSignatureMissing(line);
        uint256 index = work.nextSignature++;
        PatientKey calldata key = keys[work.nextKey++];
        if (!_isCommitted(work.manifestRoot, line, lines, key)) revert PatientKeyUnknown(line);
        if (!Signers.isValid(key.signer, work.digest, given[index].signature)) {
            revert IClaimEscrow.SignatureInvalid(index);
        }
    }

    /// @dev Whether the batch commits to this signer for the patient of this line.
    function _isCommitted(
        bytes32 manifestRoot,
        uint256 line,
        uint256 lines,
        PatientKey calldata key
    ) private pure returns (bool) {
        bytes32 signer = keccak256(key.signer);
        uint256 i = 0;
        while (i < key.keys.length && key.keys[i] != signer) ++i;
        if (i == key.keys.length) return false;
        bytes32 leaf = keccak256(abi.encodePacked(line, key.salt, key.keys));
        (bytes32 root, uint256 used) = ManifestTree.rootOfOne(line, leaf, lines, key.proof);
        if (key.proof.length != used + 2) return false;
        root = Hashes.efficientKeccak256(key.proof[used], root);
        return Hashes.efficientKeccak256(key.proof[used + 1], root) == manifestRoot;
    }

    /// @dev Whether the next signature is that of `attester` for `place`.
    function _isNext(
        Check memory work,
        uint256 attester,
        uint256 place,
        AttesterSignature[] calldata given
    ) private pure returns (bool) {
        if (work.nextSignature == given.length) return false;
        AttesterSignature calldata next = given[work.nextSignature];
        return next.attester == attester && next.place == place;
    }

    /// @dev Whether a condition holds for any of the groups that are settled.
    function _holds(uint256 above, Group[] calldata groups, bytes calldata results) private pure returns (bool) {
        if (above == 0) return true;
        for (uint256 i = 0; i < groups.length; ++i) {
            if (results.codeAt(i) != ResultsLib.PENDING && _isAbove(groups.at(i), above)) return true;
        }
        return false;
    }

    /// @dev A group has a subtotal of at least one base unit, so that a condition above zero holds for each.
    function _isAbove(Group group, uint256 above) private pure returns (bool) {
        return group.subtotal() > above;
    }

    /// @dev Both lists where they lie. Assembly, because Solidity decodes bytes only into memory, and signatures would be copied twice.
    /// Offsets that lead elsewhere lead into the same call's data, of which no part is trusted.
    function _decode(
        bytes calldata encoded
    ) private pure returns (AttesterSignature[] calldata signatures, PatientKey[] calldata keys) {
        assembly ("memory-safe") {
            let start := encoded.offset
            let list := add(start, calldataload(start))
            signatures.offset := add(list, 0x20)
            signatures.length := calldataload(list)
            list := add(start, calldataload(add(start, 0x20)))
            keys.offset := add(list, 0x20)
            keys.length := calldataload(list)
        }
    }
}
