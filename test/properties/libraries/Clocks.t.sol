// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RulebookClock, RulebookClockLib} from "../../../contracts/libraries/RulebookClockLib.sol";
import {StopClockState} from "../../../contracts/libraries/StopClockLib.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice The stop clock behind calls: within one, the compiler takes block.timestamp to stay the same.
contract StopClockHarness {
    StopClockState private _state;

    function pause() external {
        _state = _state.pause();
    }

    function unpause() external {
        _state = _state.unpause();
    }

    function countStandingLoss() external {
        _state = _state.countStandingLoss();
    }

    function read() external view returns (uint256 until, uint256 sum, uint256 ended, uint256 losses) {
        return (_state.pausedUntil(), _state.pausedSeconds(), _state.endedAt(), _state.standingLosses());
    }
}

/// @notice Both clocks say what somebody with a watch and a notebook would.
contract ClocksTest is Properties {
    struct Notebook {
        uint256 time;
        uint256 until;
        uint256 sum;
        uint256 ended;
        uint256 losses;
    }

    function testFuzz_stopClock(uint256 seed) external {
        Random memory random = RandomLib.from(seed);
        StopClockHarness clock = new StopClockHarness();
        Notebook memory book;
        book.time = random.between(1, 2 ** 33);
        vm.warp(book.time);
        for (uint256 i = 0; i < 16; ++i) {
            uint256 kind = random.below(5);
            if (kind == 0 && book.time >= book.until) {
                clock.pause();
                book.until = book.time + 7 days;
            } else if (kind == 1 && book.time < book.until) {
                clock.unpause();
                (book.until, book.ended) = (0, book.time);
            } else if (kind == 2) {
                clock.countStandingLoss();
                ++book.losses;
            } else {
                _wait(book, book.time + random.edgy(1, 10 days));
            }
            _check(clock, book);
        }
    }

    /// @notice Suspended, resumed, and moved to other data in between.
    function testFuzz_rulebookClock(uint256 seed, address blob) external pure {
        Random memory random = RandomLib.from(seed);
        RulebookClock clock = RulebookClockLib.create(blob);
        uint256 running = random.between(1, 2 ** 33);
        (uint256 since, uint256 sum) = (0, 0);
        for (uint256 i = 0; i < 16; ++i) {
            if (random.oneIn(4)) {
                blob = address(uint160(random.next()));
                clock = clock.moveTo(blob);
            } else if (random.oneIn(2)) {
                uint256 passed = random.edgy(0, 90 days);
                running += passed;
                if (since != 0) sum += passed;
            } else if (since == 0) {
                (clock, since) = (clock.suspend(running), running);
            } else {
                (clock, since) = (clock.resume(running), 0);
            }
            vm.assertEq(clock.blob(), blob, "blob");
            vm.assertTrue(clock.suspended() == (since != 0), "suspended");
            vm.assertEq(clock.suspendedAt(), since, "suspendedAt");
            vm.assertEq(clock.suspendedSeconds(running), sum, "suspendedSeconds");
        }
    }

    function _wait(Notebook memory book, uint256 to) private {
        if (book.until > book.time) {
            bool lapsed = book.until <= to;
            book.sum += (lapsed ? book.until : to) - book.time;
            if (lapsed) book.ended = book.until;
        }
        book.time = to;
        vm.warp(to);
    }

    function _check(StopClockHarness clock, Notebook memory book) private view {
        (uint256 until, uint256 sum, uint256 ended, uint256 losses) = clock.read();
        vm.assertEq(until, book.until, "pausedUntil");
        vm.assertEq(sum, book.sum, "pausedSeconds");
        // While paused, the pause ends now at the earliest.
        vm.assertEq(ended, book.time < book.until ? book.time : book.ended, "endedAt");
        vm.assertEq(losses, book.losses, "standingLosses");
    }
}
