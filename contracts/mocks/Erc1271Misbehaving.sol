// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title Erc1271Misbehaving
/// @notice Stands for a broken or hostile wallet contract that is asked for its ERC-1271 signature.
contract Erc1271Misbehaving {
    /// @notice What it answers: a revert, another word than the magic one, the magic value with dirt behind it, nothing at all,
    /// the magic value cut to its four bytes, 64 KiB, or nothing after all gas is gone.
    enum Mode {
        Reverts,
        ReturnsJunk,
        ReturnsDirtyMagic,
        ReturnsNothing,
        ReturnsShortMagic,
        ReturnsHuge,
        BurnsGas
    }

    Mode public mode;

    error Misbehaved();

    constructor(Mode mode_) {
        mode = mode_;
    }

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    /// @notice Never a valid signature.
    function isValidSignature(bytes32, bytes calldata) external view {
        if (mode == Mode.Reverts) revert Misbehaved();
        if (mode == Mode.ReturnsJunk) _return(bytes32(uint256(1)), 32);
        bytes32 magic = bytes32(IERC1271.isValidSignature.selector);
        if (mode == Mode.ReturnsDirtyMagic) _return(magic | bytes32(uint256(1)), 32);
        if (mode == Mode.ReturnsShortMagic) _return(magic, 4);
        if (mode == Mode.ReturnsHuge) _return(bytes32(type(uint256).max), 65_536);
        if (mode == Mode.BurnsGas) _burn();
    }

    function _return(bytes32 word, uint256 length) private pure {
        assembly {
            mstore(0, word)
            return(0, length)
        }
    }

    function _burn() private pure {
        assembly {
            invalid()
        }
    }
}
