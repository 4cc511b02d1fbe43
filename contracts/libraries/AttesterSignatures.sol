// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";

/// @title AttesterSignatures
/// @notice Checks that as many attesters as a rulebook asks for signed.
library AttesterSignatures {
    /// @notice Bytes of a signature.
    uint256 internal constant SIZE = 65;

    /// @notice Reverts unless `signatures` are `threshold` secp256k1 signatures of different `attesters` over `digest`. The caller has
    /// checked that they are as long as that.
    /// @dev Signers and attesters both ascend, so one walk over the attesters is enough: who repeats, comes too late or is a
    /// stranger is not found in the rest of it.
    function verify(
        bytes32 digest,
        uint256 threshold,
        address[] memory attesters,
        bytes calldata signatures
    ) internal pure {
        address previous = address(0);
        uint256 next = 0;
        // The length was checked, and thresholds stay below 256.
        unchecked {
            for (uint256 i = 0; i < threshold; ++i) {
                uint256 start = i * SIZE;
                (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(
                    digest,
                    signatures[start:start + SIZE]
                );
                if (failure != ECDSA.RecoverError.NoError) revert IClaimEscrow.SignatureInvalid(i);
                do {
                    if (next == attesters.length) _refuse(signer, previous);
                } while (attesters[next++] != signer);
                previous = signer;
            }
        }
    }

    function _refuse(address signer, address previous) private pure {
        if (signer <= previous) revert IClaimEscrow.SignersNotAscending(signer);
        revert IClaimEscrow.NotAttester(signer);
    }
}
