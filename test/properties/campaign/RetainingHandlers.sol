// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRetentions} from "../../../contracts/interfaces/IRetentions.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";
import {GhostRetention} from "./GhostCases.sol";

/// @title RetainingHandlers
/// @notice What is retained of payments, taken back after an audit, or paid after the look-back.
abstract contract RetainingHandlers is Campaign {
    function recoup(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = anyRetention(random, true);
        GhostRetention storage from = retentions[id];
        GhostBatch storage batch = batches[from.index];
        uint256 at = random.below(from.amounts.length);
        uint256 left = uint96(from.amounts[at]);
        vm.assume(left != 0);
        uint256 amount = random.edgy(1, left);
        Reasons memory reasons;
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock > recoupUntil(from), IRetentions.LookBackOver.selector);
        (bool ok, bytes memory returned) = callEscrow(saysOf(batch).arbiter, recoupData(from, at, amount));
        succeededRightly(ok, returned, reasons, "recoup");
        recoupInGhost(id, at, amount);
        touch(from.index);
    }

    /// @dev Releases what is due; now and then waits until something is.
    function release(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 id = anyRetention(random, false);
        GhostRetention storage ended = retentions[id];
        GhostBatch storage batch = batches[ended.index];
        if (clock <= recoupUntil(ended) && random.oneIn(3)) advance(recoupUntil(ended) + 1);
        Reasons memory reasons;
        refusedIf(reasons, isPausedFor(batch), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock <= recoupUntil(ended), IRetentions.LookBackOpen.selector);
        (bool ok, bytes memory returned) = callEscrow(STRANGER, releaseData(ended));
        succeededRightly(ok, returned, reasons, "release");
        vm.assertEq(abi.decode(returned, (uint256)), releaseInGhost(id), "release: another amount");
        touch(ended.index);
    }

    function recoupData(GhostRetention storage self, uint256 at, uint256 amount) internal view returns (bytes memory) {
        return abi.encodeCall(IRetentions.recoup, (batches[self.index].terms, retentionIn(self), at, amount));
    }

    function releaseData(GhostRetention storage self) internal view returns (bytes memory) {
        return abi.encodeCall(IRetentions.release, (batches[self.index].terms, retentionIn(self)));
    }

    /// @dev A retention within its look-back, or after it, if a few tries find one.
    function anyRetention(Random memory random, bool open) internal view returns (uint256 id) {
        vm.assume(liveRetentions.length != 0);
        for (uint256 i = 0; i < 6; ++i) {
            id = liveRetentions[random.below(liveRetentions.length)];
            GhostRetention storage made = retentions[id];
            if (open == (clock <= recoupUntil(made)) && !isPausedFor(batches[made.index])) return id;
        }
    }
}
