// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Report} from "../../../contracts/interfaces/IWorkflowReceiver.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {GhostBatch} from "./Ghost.sol";
import {SettlingHandlers} from "./SettlingHandlers.sol";

/// @title ReportingHandlers
/// @notice Attestations that settle by other ways than one signature of 65 bytes behind the other: packed signatures, and a report of
/// the rulebook's workflow.
abstract contract ReportingHandlers is SettlingHandlers {
    function settlePacked(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _settle(packedPlan(random, anySettleable(random)));
    }

    function settleReported(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        _settle(reportedPlan(random, anySettleable(random)));
    }

    function packedPlan(Random memory random, uint256 index) internal returns (Plan memory plan) {
        plan = newPlan(random, index, random.oneIn(2));
        GhostBatch storage batch = batches[index];
        Attestation memory attestation = plan.settlement.attestation;
        attestation.signatures = _pack(random, batch.terms.rulebook, batch.id, attestation);
    }

    /// @dev The workflow reports an attestation, and anybody settles with it, at once or never: the newest report of a batch replaces
    /// the one before.
    function reportedPlan(Random memory random, uint256 index) internal returns (Plan memory plan) {
        plan = newPlan(random, index, random.oneIn(2));
        GhostBatch storage batch = batches[index];
        bytes32 rulebook = batch.terms.rulebook;
        Attestation memory attestation = plan.settlement.attestation;
        bytes32 digest = escrow.attestationDigestOf(batch.id, attestation);
        (, uint40 recordedAt) = receiver.reportOf(rulebook, batch.id);
        vm.prank(FORWARDER);
        receiver.onReport(metadata(), abi.encode(Report(rulebook, batch.id, digest, attestation.observedAt)));
        vm.assume(attestation.observedAt > recordedAt);
        attestation.signatures = "";
    }

    /// @dev As many of a rulebook's attesters as it asks for, packed, and sometimes something behind them.
    function _pack(
        Random memory random,
        bytes32 rulebook,
        bytes32 batchId,
        Attestation memory attestation
    ) private view returns (bytes memory packed) {
        bytes32 digest = escrow.attestationDigestOf(batchId, attestation);
        uint256[] memory keys = attesterKeys[rulebook];
        uint256 surplus = keys.length - threshold[rulebook];
        packed = abi.encodePacked(uint8(threshold[rulebook]));
        for (uint256 i = 0; i < keys.length; ++i) {
            if (surplus != 0 && random.below(keys.length - i) < surplus) --surplus;
            else packed = bytes.concat(packed, bytes1(uint8(i)), hex"00000041", sign(keys[i], digest));
        }
        if (random.oneIn(4)) packed = bytes.concat(packed, bytes32(random.next()));
    }
}
