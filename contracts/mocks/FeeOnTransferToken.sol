// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FeeOnTransferToken
/// @notice Stands for a token that keeps a share of every transfer, or, like USDT, may begin to.
contract FeeOnTransferToken is ERC20 {
    uint256 private _feeBps;

    /// @param feeBps Share kept, in hundredths of a percent.
    constructor(uint256 feeBps) ERC20("Fee on transfer", "FEE") {
        _feeBps = feeBps;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFeeBps(uint256 feeBps) external {
        _feeBps = feeBps;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(to, address(0), (amount * _feeBps) / 10_000);
    }
}
