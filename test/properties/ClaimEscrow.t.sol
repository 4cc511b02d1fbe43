// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Handlers} from "./campaign/Handlers.sol";
import {Properties} from "./support/Properties.sol";

/// @title Campaigns
/// @notice The invariants of `docs/invariants.md`, held after every call of a random sequence against the whole system.
abstract contract Campaigns is Properties {
    Handlers internal handlers;

    function setUp() external {
        handlers = Handlers(vm.deployCode("Handlers.sol:Handlers", abi.encode(isLarge())));
        callAtRandom(address(handlers), handlers.selectors());
    }

    /// @notice One function for all invariants, because forge would run each in a campaign of its own.
    function invariant_moneyIsWhereItShouldBe() external {
        handlers.check();
    }

    /// @notice Every run ends with every batch at zero and everybody gone.
    function afterInvariant() external {
        handlers.finish();
    }

    function isLarge() internal pure virtual returns (bool);
}

/// @notice Many batches of few lines.
/// forge-config: default.invariant.runs = 450
contract SmallBatches is Campaigns {
    function isLarge() internal pure override returns (bool) {
        return false;
    }
}

/// @notice Fewer batches, of hundreds of lines.
/// forge-config: default.invariant.runs = 60
contract LargeBatches is Campaigns {
    function isLarge() internal pure override returns (bool) {
        return true;
    }
}
