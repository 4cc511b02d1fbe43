// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vm} from "./Vm.sol";

/// @title Cheats
/// @notice What handlers and property tests share: forge's cheat codes and bounded inputs.
abstract contract Cheats {
    /// @dev The address at which forge answers cheat codes.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Maps any `value` evenly into `min`..`max` (both included); values already inside stay as they are.
    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        vm.assertLe(min, max, "bound: empty range");
        if (value >= min && value <= max) return value;
        uint256 size = max - min + 1;
        return size == 0 ? value : min + (value % size);
    }
}

/// @title Properties
/// @notice Base of the property tests. forge runs `setUp`, calls the handlers in random order with random arguments, and after
/// every call evaluates each function whose name starts with `invariant_`. Functions that start with `test` are run alone, with
/// random arguments if they take any.
/// @dev Register every handler in `setUp` with {callAtRandom}. A handler that reverts fails the run: it bounds its inputs, and
/// expects by name the errors that are right in the state it finds.
abstract contract Properties is Cheats {
    /// @dev Shape in which forge asks for what it may call.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    address[] private _handlers;
    FuzzSelector[] private _selectors;

    /// @notice Contracts that forge calls at random. Without this it would call every contract that `setUp` created.
    function targetContracts() external view returns (address[] memory) {
        return _handlers;
    }

    /// @notice Functions that forge calls at random.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _selectors;
    }

    /// @notice Lets forge call these functions of `handler`, one as often as the other; naming one twice doubles its share.
    function callAtRandom(address handler, bytes4[] memory selectors) internal {
        _handlers.push(handler);
        _selectors.push(FuzzSelector({addr: handler, selectors: selectors}));
    }
}
