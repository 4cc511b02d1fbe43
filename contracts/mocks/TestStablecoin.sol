// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

/// @title TestStablecoin
/// @notice Stands for a regulated stablecoin such as USDC: ERC-2612 permits, ERC-3009 authorizations, and an issuer's blacklist.
contract TestStablecoin is ERC20, ERC20Permit, ERC3009 {
    uint8 private immutable _DECIMALS;
    mapping(address account => bool listed) private _blacklisted;

    /// @notice The issuer lets `account` neither send nor receive.
    error Blacklisted(address account);

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) ERC20Permit(name_) {
        _DECIMALS = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function blacklist(address account) external {
        _blacklisted[account] = true;
    }

    function unBlacklist(address account) external {
        _blacklisted[account] = false;
    }

    function decimals() public view override returns (uint8) {
        return _DECIMALS;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (_blacklisted[from]) revert Blacklisted(from);
        if (_blacklisted[to]) revert Blacklisted(to);
        super._update(from, to, amount);
    }
}
