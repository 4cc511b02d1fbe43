// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IAttesterSuspensions} from "../interfaces/IAttesterSuspensions.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {Attestation, ClaimBatch} from "../interfaces/ClaimTypes.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {ResultsLib} from "../libraries/ResultsLib.sol";
import {Signers} from "../libraries/Signers.sol";

/// @title AttesterSuspensions
/// @notice See {IAttesterSuspensions}.
/// @dev To ask on every settlement whether an attester is suspended would cost each signature 2,100 gas. Instead the rulebook's data is
/// laid down anew without the attester, and the escrow told where.
abstract contract AttesterSuspensions is IAttesterSuspensions {
    using GroupLib for Group[];
    using ResultsLib for bytes;

    uint256 private constant _ACCOUNT_SIZE = 20;

    /// @custom:storage-location erc7201:carepact.storage.AttesterSuspensions
    struct AttesterSuspensionsStorage {
        mapping(bytes32 attesterHash => bool) equivocated;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.AttesterSuspensions")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x43938c54e0226a0b04b38c9f56bf13ddc6fa2ebc8386c191fe37973bd329e400;

    /// @inheritdoc IAttesterSuspensions
    function proveEquivocation(
        bytes calldata attester,
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        Attestation calldata first,
        Attestation calldata second
    ) external {
        if (first.observedAt != second.observedAt) revert ObservedAtDiffers(first.observedAt, second.observedAt);
        _requireLine(batch, groups, group, line);
        _requireContradiction(groups, group, line, first.results, second.results);

        IClaimEscrow escrow = _escrow();
        bytes32 batchId = escrow.batchIdOf(batch);
        if (!escrow.claimBatchStatusOf(batchId).funded) revert IClaimEscrow.ClaimBatchUnknown(batchId);
        if (!_signed(escrow, batchId, attester, first)) revert AttesterDidNotSign(0);
        if (!_signed(escrow, batchId, attester, second)) revert AttesterDidNotSign(1);

        bytes32 attesterHash = keccak256(attester);
        _attesterSuspensions().equivocated[attesterHash] = true;
        emit AttesterEquivocated(attesterHash, attester, batchId, group, line);
        _suspendAttester(batch.rulebook, attester);
    }

    /// @inheritdoc IAttesterSuspensions
    function suspendAttester(bytes32 rulebook, bytes calldata attester) external {
        if (!hasEquivocated(attester)) revert AttesterHonest(attester);
        _suspendAttester(rulebook, attester);
    }

    /// @inheritdoc IAttesterSuspensions
    function hasEquivocated(bytes calldata attester) public view returns (bool) {
        return _attesterSuspensions().equivocated[keccak256(attester)];
    }

    /// @dev Takes an attester out of a rulebook that names it.
    function _suspendAttester(bytes32 rulebook, bytes calldata attester) internal virtual;

    /// @dev The escrow whose attestations count.
    function _escrow() internal view virtual returns (IClaimEscrow);

    function _attesterSuspensions() internal pure returns (AttesterSuspensionsStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }

    function _signed(
        IClaimEscrow escrow,
        bytes32 batchId,
        bytes calldata attester,
        Attestation calldata attestation
    ) private view returns (bool) {
        bytes32 digest = escrow.attestationDigestOf(batchId, attestation);
        bytes calldata signature = attestation.signatures;
        if (Signers.isValid(attester, digest, signature)) return true;
        // A list of accounts is settled by ECDSA alone. An account that gave itself code since (EIP-7702), which would disown what
        // its key signed, is held to it all the same.
        if (attester.length != _ACCOUNT_SIZE) return false;
        (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == address(bytes20(attester));
    }

    function _requireLine(
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line
    ) private pure {
        bytes32 given = groups.hash();
        if (given != batch.groupsHash) revert IClaimEscrow.GroupsMismatch(batch.groupsHash, given);
        if (group >= groups.length || line >= groups[group].lineCount()) revert LineUnknown(group, line);
    }

    function _requireContradiction(
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        bytes calldata first,
        bytes calldata second
    ) private pure {
        (uint256 firstCode, uint256 firstPart) = _resultOf(groups, group, line, first);
        (uint256 secondCode, uint256 secondPart) = _resultOf(groups, group, line, second);
        if (
            firstCode == ResultsLib.PENDING ||
            secondCode == ResultsLib.PENDING ||
            (firstCode == secondCode && firstPart == secondPart)
        ) revert ResultsAgree();
    }

    /// @dev The result of a line. A suspension is for good: what never can settle, as far as that shows without the lines' amounts,
    /// is no reason for it.
    function _resultOf(
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        bytes calldata results
    ) private pure returns (uint256 code, uint256 part) {
        (code, part) = results.resultOf(groups, group, line);
        if (code == ResultsLib.PARTLY_MET && (part == 0 || part >= groups[group].subtotal())) {
            revert IClaimEscrow.PartialAmountInvalid(group, line);
        }
    }
}
