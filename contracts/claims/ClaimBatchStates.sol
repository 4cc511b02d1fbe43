// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IClaimEscrow} from "../interfaces/IClaimEscrow.sol";
import {ClaimBatch, GroupLines} from "../interfaces/ClaimTypes.sol";
import {BatchState} from "../libraries/BatchStateLib.sol";
import {RulebookClock} from "../libraries/RulebookClockLib.sol";
import {StopClockState} from "../libraries/StopClockLib.sol";
import {Group, GroupLib} from "../libraries/GroupLib.sol";
import {LineAmounts} from "../libraries/LineAmounts.sol";
import {LineBitmap} from "../libraries/LineBitmap.sol";
import {PaymentsHash} from "../libraries/PaymentsHash.sol";
import {ClaimTypeHashes} from "./ClaimTypeHashes.sol";
import {RulebookClocks} from "./RulebookClocks.sol";

/// @title ClaimBatchStates
/// @notice What the chain keeps of claim batches, and how terms, groups and lines that are handed in are held against it.
abstract contract ClaimBatchStates is RulebookClocks, ClaimTypeHashes {
    using GroupLib for Group[];

    /// @dev See {IClaimEscrow-MAX_STOPPED}.
    uint256 internal constant _MAX_STOPPED = 60 days;

    /// @dev Closed lines are kept only of a batch that has both open and closed ones.
    /// @custom:storage-location erc7201:carepact.storage.ClaimBatches
    struct ClaimBatchesStorage {
        address mandates;
        mapping(bytes32 batchId => BatchState) states;
        mapping(bytes32 batchId => mapping(uint256 word => uint256)) closedLines;
        mapping(bytes32 batchId => mapping(address payee => uint256)) refunded;
    }

    // keccak256(abi.encode(uint256(keccak256("carepact.storage.ClaimBatches")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _STORAGE = 0x4512d49a592a826d16f21c34c766c3bc41b4e2c368c7ad34cd1366bab529c800;

    /// @dev State of a batch that was funded.
    function _loadState(bytes32 batchId) internal view returns (BatchState state) {
        state = _claimBatches().states[batchId];
        if (!state.funded()) revert IClaimEscrow.ClaimBatchUnknown(batchId);
    }

    /// @dev Closed lines of a batch that has open ones.
    function _loadClosed(bytes32 batchId, BatchState state) internal view returns (uint256[] memory closed) {
        closed = new uint256[](LineBitmap.wordCount(state.lines()));
        if (!state.tracked()) return closed;
        mapping(uint256 => uint256) storage words = _claimBatches().closedLines[batchId];
        for (uint256 i = 0; i < closed.length; ++i) closed[i] = words[i];
    }

    /// @dev Stores what became of a batch. The bitmap matters only while lines are open.
    function _storeState(bytes32 batchId, BatchState state, uint256[] memory closed) internal {
        ClaimBatchesStorage storage $ = _claimBatches();
        if (state.open() != 0) {
            state = state.track();
            mapping(uint256 => uint256) storage words = $.closedLines[batchId];
            for (uint256 i = 0; i < closed.length; ++i) {
                uint256 word = closed[i];
                // Bits are only ever set: a word of zero was zero before.
                if (word != 0) words[i] = word;
            }
        }
        $.states[batchId] = state;
    }

    /// @dev What `payee` received from a batch.
    function _receivedBy(
        address payee,
        bytes32 batchId,
        Group[] calldata groups,
        uint256[] calldata payments
    ) internal view returns (uint256 received) {
        BatchState state = _loadState(batchId);
        if (state.paidInFull()) {
            for (uint256 i = 0; i < groups.length; ++i) {
                if (groups[i].payee() == payee) return groups[i].subtotal();
            }
            return 0;
        }
        uint256 hash = 0;
        for (uint256 i = 0; i < payments.length; ++i) {
            hash = PaymentsHash.add(hash, payments[i]);
            if (PaymentsHash.payeeOf(payments[i]) == payee) received += PaymentsHash.amountOf(payments[i]);
        }
        if (hash != state.paymentsHash()) revert IClaimEscrow.PaymentsMismatch(batchId);
    }

    /// @dev Seconds for which settlement of the batch was stopped since funding, up to the cap of its life.
    function _stoppedSince(
        BatchState state,
        StopClockState stopClock,
        RulebookClock rulebook
    ) internal view returns (uint256) {
        return Math.min(_stoppedSeconds(stopClock, rulebook) - state.stoppedAtFunding(), _MAX_STOPPED);
    }

    /// @dev Checks that the groups are those of the batch.
    function _checkGroups(ClaimBatch calldata batch, Group[] calldata groups) internal pure {
        bytes32 given = groups.hash();
        if (given != batch.groupsHash) revert IClaimEscrow.GroupsMismatch(batch.groupsHash, given);
    }

    /// @dev Merkle leaf of a group's opened amounts.
    function _leafOf(GroupLines calldata opened) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(opened.group, opened.salt, opened.amounts));
    }

    /// @dev Checks that the root over line amounts, to which the first `used` hashes of the proof led, is that of the batch; the
    /// last hash of the proof is the root over details.
    function _checkManifestRoot(
        bytes32 manifestRoot,
        bytes32 linesRoot,
        bytes32[] calldata proof,
        uint256 used
    ) internal pure {
        if (proof.length != used + 1 || Hashes.efficientKeccak256(linesRoot, proof[used]) != manifestRoot) {
            revert IClaimEscrow.LinesProofInvalid(manifestRoot);
        }
    }

    /// @dev Checks that there is one amount a line, and that they sum to the group's subtotal, since a line would else be paid
    /// with the money of other groups.
    /// @return width Bytes of each amount.
    function _checkAmounts(uint256 index, Group group, bytes calldata amounts) internal pure returns (uint256 width) {
        // A funded group has lines, and a width of 11 bytes times 500 of them does not overflow.
        unchecked {
            uint256 count = group.lineCount();
            width = amounts.length / count;
            if (width == 0 || width > LineAmounts.MAX_WIDTH || width * count != amounts.length) {
                revert IClaimEscrow.LinesMismatch(index);
            }
        }
        uint256 sum = LineAmounts.sum(amounts, width);
        if (sum != group.subtotal()) revert IClaimEscrow.LinesDoNotSum(index, sum, group.subtotal());
    }

    /// @dev Line of the batch at which a group begins. The groups are those that were funded: at most MAX_LINES lines.
    function _firstLineOf(Group[] calldata groups, uint256 index) internal pure returns (uint256 firstLine) {
        unchecked {
            for (uint256 i = 0; i < index; ++i) firstLine += groups.at(i).lineCount();
        }
    }

    function _claimBatches() internal pure returns (ClaimBatchesStorage storage $) {
        assembly ("memory-safe") {
            $.slot := _STORAGE
        }
    }
}
