// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";

/// @title StoppingHandlers
/// @notice What roles can do to everybody, and time.
abstract contract StoppingHandlers is Campaign {
    function pause(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        // A pause keeps most other handlers from their work.
        vm.assume(random.oneIn(2));
        if (!isPaused() && random.oneIn(4)) advance(_nextPauseFrom());
        Reasons memory reasons;
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        refusedIf(reasons, clock < _nextPauseFrom(), IStopClock.PauseTooSoon.selector);
        (bool ok, bytes memory returned) = callEscrow(address(this), abi.encodeCall(IStopClock.pause, ()));
        succeededRightly(ok, returned, reasons, "pause");
        pausedUntil = clock + MAX_PAUSE;
    }

    /// @dev Ends a pause; now and then one that this call began.
    function unpause(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        if (!isPaused() && random.oneIn(4)) {
            advance(_nextPauseFrom());
            escrow.pause();
            pausedUntil = clock + MAX_PAUSE;
            advance(clock + random.edgy(0, MAX_PAUSE - 1));
        }
        Reasons memory reasons;
        refusedIf(reasons, !isPaused(), IStopClock.NotPaused.selector);
        (bool ok, bytes memory returned) = callEscrow(address(this), abi.encodeCall(IStopClock.unpause, ()));
        succeededRightly(ok, returned, reasons, "unpause");
        (pausedUntil, pauseEndedAt) = (0, clock);
    }

    function suspendRulebook(uint256 seed) external counted {
        bytes32 rulebook = suspendable[seed % suspendable.length];
        vm.assume(!suspended[rulebook]);
        vm.prank(SUSPENDER);
        rulebooks.suspend(rulebook);
        suspended[rulebook] = true;
    }

    function resumeRulebook(uint256 seed) external counted {
        uint256 count = suspendable.length;
        bytes32 rulebook = suspendable[seed % count];
        for (uint256 i = 0; i < count && !suspended[rulebook]; ++i) rulebook = suspendable[i];
        vm.assume(suspended[rulebook]);
        vm.prank(SUSPENDER);
        rulebooks.resume(rulebook);
        suspended[rulebook] = false;
    }

    function loseStanding(uint256 seed) external counted {
        address payer = payers[seed % payers.length];
        vm.assume(inStanding[payer]);
        registry.suspend(payer);
        inStanding[payer] = false;
    }

    function regainStanding(uint256 seed) external counted {
        address payer = payers[seed % payers.length];
        for (uint256 i = 0; i < payers.length && inStanding[payer]; ++i) payer = payers[i];
        vm.assume(!inStanding[payer]);
        registry.reinstate(payer);
        inStanding[payer] = true;
    }

    /// @dev Minutes to weeks, or to the very second at which something ends.
    function passTime(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        uint256 kind = random.below(8);
        uint256 to = clock + 1;
        if (kind < 3) to = clock + random.between(1, 12 hours);
        else if (kind < 5) to = clock + random.between(1, 3 days);
        else if (kind == 5 && random.oneIn(3)) to = clock + random.between(1, 30 days);
        else if (kind == 6 && isPaused()) to = pausedUntil - random.below(2);
        else if (kind == 7 && openBatches.length != 0) {
            GhostBatch storage batch = batches[anyOpenBatch(random)];
            if (attestByOf(batch) < clock + 20 days) to = attestByOf(batch) + random.below(2);
        }
        if (to > clock) advance(to);
    }

    /// @dev The first moment from now on at which the escrow may be paused again, if it is not paused now.
    function _nextPauseFrom() internal view returns (uint256 from) {
        uint256 ended = pausedUntil != 0 ? pausedUntil : pauseEndedAt;
        if (ended != 0 && ended + PAUSE_COOLDOWN > clock) return ended + PAUSE_COOLDOWN;
        return clock;
    }
}
