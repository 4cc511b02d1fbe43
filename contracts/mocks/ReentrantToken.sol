// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title ReentrantToken
/// @notice Stands for a token with hooks, such as ERC-777: whoever is told of a transfer may call back before it is over.
contract ReentrantToken is ERC20 {
    /// @notice When the callback goes out: never, before balances change (ERC-777 `tokensToSend`), or after
    /// (`tokensReceived`).
    enum Moment {
        Never,
        Before,
        After
    }

    Moment private _moment;
    address private _target;
    bytes private _data;

    uint256 public callbacks;
    bool public lastSucceeded;
    bytes public lastReturned;

    constructor() ERC20("Reentrant", "RE") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Arms one callback, made by the token itself during the next transfer: what that leads to is not called back again.
    function setCallback(Moment moment, address target, bytes calldata data) external {
        _moment = moment;
        _target = target;
        _data = data;
    }

    /// @notice Calls `callee` as the token, so that the token can hold and move money of its own elsewhere.
    function execute(address callee, bytes calldata callData) external {
        Address.functionCall(callee, callData);
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool moves = from != address(0) && to != address(0);
        if (moves && _moment == Moment.Before) _callBack();
        super._update(from, to, amount);
        if (moves && _moment == Moment.After) _callBack();
    }

    function _callBack() private {
        _moment = Moment.Never;
        ++callbacks;
        (lastSucceeded, lastReturned) = _target.call(_data);
    }
}
