// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PatientStatus} from "../../../contracts/interfaces/IPatientRegistry.sol";
import {PatientState, PatientStateLib} from "../../../contracts/libraries/PatientStateLib.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice The word of a patient's state behaves as a struct would.
contract PatientStateTest is Properties {
    struct Plain {
        PatientStatus status;
        uint48 epoch;
        uint32 controllerVersion;
        uint32 hpkeKeyVersion;
        uint32 restrictionsVersion;
        uint32 proofingVersion;
        uint40 since;
        uint8 merges;
    }

    function testFuzz_patientStateIsAStruct(uint256 seed) external {
        Random memory random = RandomLib.from(seed);
        Plain memory plain = Plain({
            status: PatientStatus.Active,
            epoch: 1,
            controllerVersion: 1,
            hpkeKeyVersion: 1,
            restrictionsVersion: 0,
            proofingVersion: 0,
            since: uint40(random.edgy(0, type(uint40).max)),
            merges: 0
        });
        vm.warp(plain.since);
        PatientState state = PatientStateLib.create();
        _check(state, plain);
        for (uint256 i = 0; i < 24; ++i) {
            uint256 kind = random.below(7);
            if (kind == 0) {
                plain.epoch = uint48(random.edgy(0, type(uint48).max));
                state = state.enter(plain.epoch);
            } else if (kind == 1) {
                (state, plain.controllerVersion) = (state.countController(), plain.controllerVersion + 1);
            } else if (kind == 2) {
                (state, plain.hpkeKeyVersion) = (state.countHpkeKey(), plain.hpkeKeyVersion + 1);
            } else if (kind == 3) {
                (state, plain.restrictionsVersion) = (state.countRestrictions(), plain.restrictionsVersion + 1);
            } else if (kind == 4) {
                (state, plain.proofingVersion) = (state.countProofing(), plain.proofingVersion + 1);
            } else if (kind == 5) {
                plain.merges = uint8(random.edgy(0, type(uint8).max));
                state = state.deepen(plain.merges);
            } else {
                plain.status = PatientStatus(random.between(1, 3));
                state = state.end(plain.status);
            }
            _check(state, plain);
        }
    }

    function test_patientThatWasNeverRegistered() external pure {
        Plain memory plain;
        _check(PatientState.wrap(0), plain);
    }

    function _check(PatientState state, Plain memory plain) private pure {
        vm.assertTrue(state.status() == plain.status, "status");
        vm.assertEq(uint256(state.epoch()), plain.epoch, "epoch");
        vm.assertEq(uint256(state.controllerVersion()), plain.controllerVersion, "controllerVersion");
        vm.assertEq(uint256(state.hpkeKeyVersion()), plain.hpkeKeyVersion, "hpkeKeyVersion");
        vm.assertEq(uint256(state.restrictionsVersion()), plain.restrictionsVersion, "restrictionsVersion");
        vm.assertEq(uint256(state.proofingVersion()), plain.proofingVersion, "proofingVersion");
        vm.assertEq(uint256(state.since()), plain.since, "since");
        vm.assertEq(state.merges(), plain.merges, "merges");
    }
}
