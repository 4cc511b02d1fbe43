// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";

/// @title IAttesterConditions
/// @notice Checks attestations under rulebooks that ask for more than a number of accounts: several conditions, keys of other kinds,
/// wallet contracts, the payee, the patient.
/// @dev Keeps nothing. The escrow asks it only for signatures in the form of {Attestation} that needs it, and costs nobody else.
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
    /// @param blob Where the rulebook's data lies.
    /// @param digest What attesters sign.
    /// @param manifestRoot Of the batch.
    /// @param groups Of the batch.
    /// @param results As attested.
    /// @param signatures As in {Attestation}.
    function check(
        address blob,
        bytes32 digest,
        bytes32 manifestRoot,
        Group[] calldata groups,
        bytes calldata results,
        bytes calldata signatures
    ) external view;
}
