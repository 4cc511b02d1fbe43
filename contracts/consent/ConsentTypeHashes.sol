// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Grant, RepresentativeMandate, SubGrant} from "../interfaces/ConsentTypes.sol";

/// @title ConsentTypeHashes
/// @notice EIP-712 hashes of the documents that are kept off chain.
abstract contract ConsentTypeHashes {
    bytes32 private constant _GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 patient,uint32 number,address grantee,uint256 purposes,uint256 categories,uint8 ceiling,uint40 notBefore,uint40 expiry,uint8 subGrants,uint48 epoch,bytes32 salt,bytes32 instrument)"
    );
    bytes32 private constant _SUB_GRANT_TYPEHASH = keccak256(
        "SubGrant(bytes32 parent,address grantee,uint256 purposes,uint256 categories,uint8 ceiling,uint40 notBefore,uint40 expiry,uint8 subGrants,bytes32 salt)"
    );
    bytes32 private constant _MANDATE_TYPEHASH = keccak256(
        "RepresentativeMandate(bytes32 patient,bytes32 representative,address custodian,uint256 purposes,uint256 categories,uint40 notBefore,uint40 end,uint48 epoch,bytes32 salt)"
    );

    function _hashGrant(Grant calldata grant) internal pure returns (bytes32) {
        return keccak256(abi.encode(_GRANT_TYPEHASH, grant));
    }

    function _hashSubGrant(SubGrant calldata subGrant) internal pure returns (bytes32) {
        return keccak256(abi.encode(_SUB_GRANT_TYPEHASH, subGrant));
    }

    function _hashMandate(RepresentativeMandate calldata mandate) internal pure returns (bytes32) {
        return keccak256(abi.encode(_MANDATE_TYPEHASH, mandate));
    }
}
