// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title FallbackToken
/// @notice Stands for a token such as WETH, whose fallback swallows every call it does not know: permits and authorizations seem
/// to succeed, and nothing happened.
contract FallbackToken is ERC20 {
    constructor() ERC20("Fallback", "FALL") {}

    fallback() external {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
