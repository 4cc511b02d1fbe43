// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";
import {Attestation, ClaimBatch} from "./ClaimTypes.sol";

/// @title IAttesterSuspensions
/// @notice Suspends attesters who signed two different final results for one line, observed at the same time: one of them is a lie.
/// @dev From pending to final, and from one final result to another that was observed later, is what happens in honest care, and
/// never counts. A suspension is for good, in every rulebook that names the attester: whoever it is comes back with another key, in
/// another rulebook.
interface IAttesterSuspensions {
    /// @notice `attester` signed two different final results for one line of a batch, observed at the same time.
    /// @param line Index of the line in its group.
    event AttesterEquivocated(
        bytes32 indexed attesterHash,
        bytes attester,
        bytes32 indexed batchId,
        uint256 group,
        uint256 line
    );

    /// @notice Signatures of `attester` count no longer under `rulebook`, whose data lies at `blob` now.
    event AttesterSuspended(bytes32 indexed rulebook, bytes attester, address blob);

    /// @notice The rulebook does not name this attester.
    error AttesterNotNamed(bytes32 rulebook, bytes attester);

    /// @notice Nobody proved that this attester equivocated.
    error AttesterHonest(bytes attester);

    /// @notice Attestation `index` (0 or 1) was not signed by this attester as it stands.
    error AttesterDidNotSign(uint256 index);

    /// @notice The attestations were observed at different times: what was true may have changed.
    error ObservedAtDiffers(uint256 first, uint256 second);

    /// @notice One of the attestations leaves the line pending, or both say the same of it.
    error ResultsAgree();

    /// @notice There is no such line in the group.
    error LineUnknown(uint256 group, uint256 line);

    /// @notice Proves by two attestations of one batch that an attester equivocated, and suspends it in the batch's rulebook. Anyone
    /// may.
    /// @param attester ERC-7913 signer, as the rulebook names it.
    /// @param batch Terms of a batch that was funded.
    /// @param groups Its groups.
    /// @param group Index of the line's group.
    /// @param line Index of the line in the group.
    /// @param first One attestation; its signatures are the attester's alone, as its kind of key signs.
    /// @param second Another, which says something else of the line.
    function proveEquivocation(
        bytes calldata attester,
        ClaimBatch calldata batch,
        Group[] calldata groups,
        uint256 group,
        uint256 line,
        Attestation calldata first,
        Attestation calldata second
    ) external;

    /// @notice Suspends an attester that equivocated in another rulebook that names it. Anyone may.
    function suspendAttester(bytes32 rulebook, bytes calldata attester) external;

    /// @notice Whether it was proved that this attester equivocated.
    function hasEquivocated(bytes calldata attester) external view returns (bool);
}
