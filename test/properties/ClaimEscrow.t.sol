// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Handlers} from "./campaign/Handlers.sol";
import {Properties} from "./support/Properties.sol";

/// @title Campaigns
/// @notice The invariants of `docs/invariants.md`, held after every call of a random sequence against the whole system.
abstract contract Campaigns is Properties {
    /// @dev Calls of a run that forge did not cut short to find out which of them made it fail.
    uint256 private constant _WHOLE_RUN = 300;
    uint256 private constant _TRIES = 100;
    /// @dev What `vm.assume(false)` reverts with.
    bytes32 private constant _DISCARDED = keccak256("FOUNDRY::ASSUME");

    Handlers internal handlers;

    function setUp() external {
        handlers = Handlers(vm.deployCode("Handlers.sol:Handlers", abi.encode(isLarge())));
        callAtRandom(address(handlers), handlers.selectors());
    }

    /// @notice One function for all invariants, because forge would run each in a campaign of its own.
    function invariant_moneyIsWhereItShouldBe() external {
        handlers.check();
    }

    /// @notice Every run ends with every batch at zero and everybody gone, and in every run every handler did what it is for:
    /// one that did not by chance is called until it does.
    function afterInvariant() external {
        if (handlers.calls() >= _WHOLE_RUN) {
            bytes4[] memory selectors = handlers.selectors();
            for (uint256 i = 0; i < selectors.length; ++i) _insist(selectors[i]);
            handlers.check();
        }
        handlers.finish();
    }

    function _insist(bytes4 selector) private {
        for (uint256 i = 0; handlers.successes(selector) == 0; ++i) {
            vm.assertLt(
                i,
                _TRIES,
                string.concat("a handler never succeeded: ", vm.toString(abi.encodePacked(selector)))
            );
            (bool ok, bytes memory reason) = address(handlers).call(
                abi.encodeWithSelector(selector, keccak256(abi.encode(i)))
            );
            if (!ok && keccak256(reason) != _DISCARDED) _bubble(reason);
            if (!ok) handlers.passTime(uint256(keccak256(abi.encode(selector, i))));
        }
    }

    function _bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    function isLarge() internal pure virtual returns (bool);
}

/// @notice Many batches of few lines.
/// forge-config: default.invariant.runs = 96
contract SmallBatches is Campaigns {
    function isLarge() internal pure override returns (bool) {
        return false;
    }
}

/// @notice Fewer batches, of hundreds of lines.
/// forge-config: default.invariant.runs = 44
contract LargeBatches is Campaigns {
    function isLarge() internal pure override returns (bool) {
        return true;
    }
}
