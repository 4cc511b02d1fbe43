// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PatientStatus} from "../interfaces/IPatientRegistry.sol";

/// @notice Status and versions of a patient's record in one slot. From the least significant bit: status (8 bits), epoch
/// (48 bits), versions of controller, HPKE key, restrictions and proofing (32 bits each), time of registration (40 bits),
/// and how many mergers lead here (8 bits). The rest is room for later features.
/// @dev One word that is read and written as a whole (see docs/decisions/0003-words-for-slots.md).
type PatientState is uint256;

using PatientStateLib for PatientState global;

/// @title PatientStateLib
/// @notice Reads and changes the parts of a {PatientState}.
library PatientStateLib {
    uint256 private constant _EPOCH_SHIFT = 8;
    uint256 private constant _EPOCH_MASK = uint256(type(uint48).max) << _EPOCH_SHIFT;
    uint256 private constant _CONTROLLER_SHIFT = 56;
    uint256 private constant _HPKE_KEY_SHIFT = 88;
    uint256 private constant _RESTRICTIONS_SHIFT = 120;
    uint256 private constant _PROOFING_SHIFT = 152;
    uint256 private constant _SINCE_SHIFT = 184;
    uint256 private constant _MERGES_SHIFT = 224;

    /// @notice State of a record that is registered now: first epoch, controller and HPKE key.
    function create() internal view returns (PatientState) {
        return
            PatientState.wrap(
                uint256(PatientStatus.Active) |
                    (1 << _EPOCH_SHIFT) |
                    (1 << _CONTROLLER_SHIFT) |
                    (1 << _HPKE_KEY_SHIFT) |
                    (uint256(uint40(block.timestamp)) << _SINCE_SHIFT)
            );
    }

    function status(PatientState self) internal pure returns (PatientStatus) {
        return PatientStatus(uint8(PatientState.unwrap(self)));
    }

    function epoch(PatientState self) internal pure returns (uint48) {
        return uint48(PatientState.unwrap(self) >> _EPOCH_SHIFT);
    }

    function controllerVersion(PatientState self) internal pure returns (uint32) {
        return uint32(PatientState.unwrap(self) >> _CONTROLLER_SHIFT);
    }

    function hpkeKeyVersion(PatientState self) internal pure returns (uint32) {
        return uint32(PatientState.unwrap(self) >> _HPKE_KEY_SHIFT);
    }

    function restrictionsVersion(PatientState self) internal pure returns (uint32) {
        return uint32(PatientState.unwrap(self) >> _RESTRICTIONS_SHIFT);
    }

    function proofingVersion(PatientState self) internal pure returns (uint32) {
        return uint32(PatientState.unwrap(self) >> _PROOFING_SHIFT);
    }

    /// @notice Unix seconds.
    function since(PatientState self) internal pure returns (uint40) {
        return uint40(PatientState.unwrap(self) >> _SINCE_SHIFT);
    }

    /// @notice Length of the longest path of mergers that ends here.
    function merges(PatientState self) internal pure returns (uint256) {
        return uint8(PatientState.unwrap(self) >> _MERGES_SHIFT);
    }

    /// @notice The state with a status that is final.
    function end(PatientState self, PatientStatus final_) internal pure returns (PatientState) {
        return PatientState.wrap((PatientState.unwrap(self) & ~uint256(0xff)) | uint256(final_));
    }

    /// @notice The state in another epoch. The caller has seen to it that it is a later one.
    function enter(PatientState self, uint48 nextEpoch) internal pure returns (PatientState) {
        return PatientState.wrap((PatientState.unwrap(self) & ~_EPOCH_MASK) | (uint256(nextEpoch) << _EPOCH_SHIFT));
    }

    // One record would have to be changed 2^32 times for a version to run into its neighbour.

    function countController(PatientState self) internal pure returns (PatientState) {
        return PatientState.wrap(PatientState.unwrap(self) + (1 << _CONTROLLER_SHIFT));
    }

    function countHpkeKey(PatientState self) internal pure returns (PatientState) {
        return PatientState.wrap(PatientState.unwrap(self) + (1 << _HPKE_KEY_SHIFT));
    }

    function countRestrictions(PatientState self) internal pure returns (PatientState) {
        return PatientState.wrap(PatientState.unwrap(self) + (1 << _RESTRICTIONS_SHIFT));
    }

    function countProofing(PatientState self) internal pure returns (PatientState) {
        return PatientState.wrap(PatientState.unwrap(self) + (1 << _PROOFING_SHIFT));
    }

    /// @notice The state with another length of paths; the caller has checked that it is not less, and fits.
    function deepen(PatientState self, uint256 length) internal pure returns (PatientState) {
        uint256 rest = PatientState.unwrap(self) & ~(uint256(0xff) << _MERGES_SHIFT);
        return PatientState.wrap(rest | (length << _MERGES_SHIFT));
    }
}
