// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AttesterGroup, Rulebook, Workflow} from "../../../contracts/interfaces/IRulebooks.sol";
import {Random} from "./Random.sol";

/// @title PlainRulebooks
/// @notice Rulebooks at random, and their conditions packed byte by byte, as their format is written down.
library PlainRulebooks {
    uint256 private constant _MOST = 32;

    /// @notice Any rulebook: every other one a list of accounts, the others of several groups, with keys of every kind and roles.
    /// Attesters of all groups differ, save for roles.
    function newRulebook(Random memory random, address p256Verifier) internal pure returns (Rulebook memory rulebook) {
        bool simple = random.oneIn(2);
        uint256 groups = simple ? 1 : random.between(0, 4);
        rulebook.attesterGroups = new AttesterGroup[](groups);
        for (uint256 i = 0; i < groups; ++i) {
            AttesterGroup memory group = rulebook.attesterGroups[i];
            bool role = !simple && random.oneIn(4);
            group.attesters = new bytes[](role ? 1 : random.edgy(1, groups == 1 ? _MOST : _MOST / 4));
            group.threshold = uint8(random.between(1, group.attesters.length));
            group.above = simple || random.oneIn(2) ? 0 : uint96(random.edgy(1, type(uint96).max));
            for (uint256 j = 0; j < group.attesters.length; ++j) {
                if (role) group.attesters[j] = random.oneIn(2) ? bytes(hex"01") : bytes(hex"02");
                else if (simple) group.attesters[j] = _bytesOf(random, 20);
                else group.attesters[j] = _newAttester(random, p256Verifier);
            }
        }
        if (groups == 0 || random.oneIn(2)) {
            rulebook.workflow = Workflow(
                bytes32(random.next() | 1),
                address(uint160(random.next())),
                bytes10(bytes32(random.next()))
            );
        }
        rulebook.eventKinds = uint32(random.between(1, 31));
        rulebook.grace = uint32(random.edgy(0, type(uint32).max));
        rulebook.suspender = address(uint160(random.next()));
        rulebook.documentHash = bytes32(random.next());
    }

    /// @notice Gives a rulebook an arbiter, and terms of disputes and retention.
    /// @param presented Whether attestations have to be presented, because of a challenge period, a retention or both.
    function addTerms(Rulebook memory rulebook, Random memory random, bool presented) internal pure {
        rulebook.arbiter = address(uint160(random.next()));
        rulebook.arbiterDeadline = uint32(random.edgy(0, type(uint32).max));
        rulebook.arbiterDefault = uint8(random.edgy(0, type(uint8).max));
        rulebook.bond = uint96(random.edgy(0, type(uint96).max));
        rulebook.lookBack = uint32(random.edgy(0, type(uint32).max));
        if (!presented) return;
        uint256 kind = random.below(3);
        if (kind != 0) rulebook.challengePeriod = uint32(random.edgy(1, type(uint32).max));
        if (kind != 1) rulebook.retentionBps = uint16(random.edgy(1, type(uint16).max));
    }

    /// @notice Whether one list of accounts says it all.
    function isSimple(Rulebook memory rulebook) internal pure returns (bool) {
        if (rulebook.attesterGroups.length != 1 || rulebook.attesterGroups[0].above != 0) return false;
        bytes[] memory attesters = rulebook.attesterGroups[0].attesters;
        for (uint256 i = 0; i < attesters.length; ++i) if (attesters[i].length != 20) return false;
        return true;
    }

    /// @notice The accounts of a simple rulebook that are not suspended; none of another.
    function accountsOf(
        Rulebook memory rulebook,
        bool[][] memory suspended
    ) internal pure returns (address[] memory accounts) {
        if (!isSimple(rulebook)) return new address[](0);
        bytes[] memory attesters = rulebook.attesterGroups[0].attesters;
        uint256 count = 0;
        for (uint256 i = 0; i < attesters.length; ++i) if (!suspended[0][i]) ++count;
        accounts = new address[](count);
        count = 0;
        for (uint256 i = 0; i < attesters.length; ++i) {
            if (!suspended[0][i]) accounts[count++] = address(bytes20(attesters[i]));
        }
    }

    /// @notice All conditions as a blob has them.
    function packConditions(
        Rulebook memory rulebook,
        bool[][] memory suspended,
        address p256Verifier
    ) internal pure returns (bytes memory packed) {
        for (uint256 i = 0; i < rulebook.attesterGroups.length; ++i) {
            AttesterGroup memory group = rulebook.attesterGroups[i];
            packed = bytes.concat(packed, bytes1(group.threshold), bytes1(uint8(group.attesters.length)));
            packed = bytes.concat(packed, bytes12(group.above));
            for (uint256 j = 0; j < group.attesters.length; ++j) {
                bytes memory attester = group.attesters[j];
                if (suspended[i][j]) {
                    packed = bytes.concat(packed, hex"00");
                } else if (attester.length == 84 && address(bytes20(attester)) == p256Verifier) {
                    packed = bytes.concat(packed, hex"ff", _from(attester, 20));
                } else {
                    packed = bytes.concat(packed, bytes1(uint8(attester.length)), attester);
                }
            }
        }
    }

    /// @dev An account, or a key of a length that keys have, behind OpenZeppelin's verifier of P-256 or another address.
    function _newAttester(Random memory random, address p256Verifier) private pure returns (bytes memory) {
        uint256 kind = random.below(4);
        if (kind == 0) return _bytesOf(random, 20);
        if (kind == 1) return bytes.concat(bytes20(p256Verifier), _bytesOf(random, 64));
        if (kind == 2) return _bytesOf(random, 84);
        // Of another length a key is no P-256 key, whoever its verifier is.
        address verifier = random.oneIn(2) ? p256Verifier : address(uint160(random.next()));
        uint256 size = random.edgy(1, 254 - 20);
        return bytes.concat(bytes20(verifier), _bytesOf(random, size == 64 ? 65 : size));
    }

    function _bytesOf(Random memory random, uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i = 0; i < size; i += 32) {
            bytes32 word = bytes32(random.next());
            for (uint256 j = 0; j < 32 && i + j < size; ++j) data[i + j] = word[j];
        }
    }

    function _from(bytes memory data, uint256 start) private pure returns (bytes memory rest) {
        rest = new bytes(data.length - start);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = data[start + i];
    }
}
