// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
import {AttesterGroup, Rulebook, Workflow} from "../interfaces/IRulebooks.sol";
import {ConditionsLib} from "./ConditionsLib.sol";
import {RulebookBlob} from "./RulebookBlob.sol";

/// @notice What a rulebook says of challenges, disputes and retention (see {Rulebook}).
/// @param grace Seconds.
/// @param challengePeriod Seconds.
/// @param arbiterDeadline Seconds.
/// @param arbiterDefault Side that the default holds for: 0 the payer, 1 the payee.
/// @param bond Base units.
/// @param retentionBps Hundredths of a percent.
/// @param lookBack Seconds.
/// @param arbiter Account.
/// @param attesters Where the data lies by which attestations are checked, if they have to be presented; zero: they settle at once.
/// @param threshold How many of `accounts` have to sign; 255: a list of accounts does not say it all, or attestations settle at once.
/// @param accounts How many accounts stand before these terms.
struct RulebookTerms {
    uint256 grace;
    uint256 challengePeriod;
    uint256 arbiterDeadline;
    uint256 arbiterDefault;
    uint256 bond;
    uint256 retentionBps;
    uint256 lookBack;
    address arbiter;
    address attesters;
    uint256 threshold;
    uint256 accounts;
}

/// @title RulebookBlobLib
/// @notice Writes and reads the data of rulebooks.
/// @dev First, in words, what a settlement by accounts needs: grace (seconds, shifted left by 16 bits), threshold (by 8 bits) and
/// number of accounts; then each account. Where one list of accounts does not say it all, the threshold is 255 and there is no
/// account, so that no signatures fit. Then the workflow's key (zero: there is none) and the number of bytes of the conditions, in
/// words; the conditions, packed; the whole rulebook, ABI-encoded; and at the end its {RulebookTerms}, ABI-encoded.
///
/// Of a rulebook whose attestations have to be presented, this says that nobody attests: no threshold, no account, no workflow, no
/// condition. So what settles at once refuses it, and asks nothing more of other rulebooks. Its attesters lie in data of their own, which
/// its terms name, and accounts, where these say it all, once more before its terms, where they cost a presentation 2,500 gas less.
///
/// A packed condition is its threshold (1 byte), the number of its attesters (1 byte) and the amount above which it holds (12
/// bytes), followed by each attester: its length (1 byte) and itself. A P-256 key whose verifier is a copy of OpenZeppelin's stands
/// without it, so that nobody has to call it, behind 255 for its length. Of an attester that was suspended the length is zero, which leaves the others where
/// they were.
library RulebookBlobLib {
    uint256 private constant _WORD = 32;
    uint256 private constant _ACCOUNT_SIZE = 20;
    uint256 private constant _NO_THRESHOLD = 255;
    uint256 private constant _TERMS_SIZE = 352;

    /// @notice Lays a rulebook down, without the attesters that `suspended` names by the hash of each.
    /// @dev The caller has checked the rulebook: fewer than 256 attesters of fewer than 256 bytes.
    function write(
        Rulebook memory rulebook,
        mapping(bytes32 attesterHash => bool) storage suspended
    ) internal returns (address blob) {
        AttesterGroup[] memory groups = rulebook.attesterGroups;
        bytes memory conditions;
        for (uint256 i = 0; i < groups.length; ++i) {
            bytes[] memory attesters = groups[i].attesters;
            conditions = abi.encodePacked(conditions, groups[i].threshold, uint8(attesters.length), groups[i].above);
            for (uint256 j = 0; j < attesters.length; ++j) {
                bytes memory attester = attesters[j];
                if (suspended[keccak256(attester)]) {
                    conditions = abi.encodePacked(conditions, uint8(0));
                } else if (_isP256(attester)) {
                    bytes memory key = Bytes.slice(attester, _ACCOUNT_SIZE);
                    conditions = abi.encodePacked(conditions, uint8(ConditionsLib.P256), key);
                } else {
                    conditions = abi.encodePacked(conditions, uint8(attester.length), attester);
                }
            }
        }
        bytes memory head = _head(rulebook, suspended);
        bytes memory data = abi.encodePacked(head, keyOf(rulebook.workflow), conditions.length, conditions);
        RulebookTerms memory terms = _termsOf(rulebook);
        bytes memory accounts;
        if (isPresented(rulebook)) {
            terms.attesters = address(new RulebookBlob(data));
            terms.threshold = uint8(head[30]);
            terms.accounts = uint8(head[31]);
            accounts = Bytes.slice(head, _WORD);
            data = abi.encode(_noAccounts(rulebook), bytes32(0), 0);
        }
        return address(new RulebookBlob(abi.encodePacked(data, abi.encode(rulebook), accounts, abi.encode(terms))));
    }

    /// @notice Whether attestations under a rulebook have to be presented.
    function isPresented(Rulebook memory rulebook) internal pure returns (bool) {
        return rulebook.challengePeriod != 0 || rulebook.retentionBps != 0;
    }

    /// @notice What a settlement needs.
    /// @dev Assembly, because Solidity copies the whole code and decodes it into further copies: that costs a settlement 1,300 gas
    /// more. `test/properties` holds this against the plain form.
    /// @return grace Seconds.
    /// @return threshold How many attesters have to sign.
    /// @return attesters Accounts, ascending.
    function read(address blob) internal view returns (uint256 grace, uint256 threshold, address[] memory attesters) {
        uint256 head;
        assembly ("memory-safe") {
            extcodecopy(blob, 0x00, 0x00, 0x20)
            head := mload(0x00)
            let count := and(head, 0xff)
            let size := shl(5, count)
            attesters := mload(0x40)
            mstore(attesters, count)
            extcodecopy(blob, add(attesters, 0x20), 0x20, size)
            mstore(0x40, add(attesters, add(0x20, size)))
        }
        return (head >> 16, uint8(head >> 8), attesters);
    }

    /// @notice What a rulebook says of challenges, disputes and retention.
    /// @dev Assembly, because Solidity copies only whole code. All terms are words, and so are the fields of a struct in memory.
    function readTerms(address blob) internal view returns (RulebookTerms memory terms) {
        assembly ("memory-safe") {
            extcodecopy(blob, terms, sub(extcodesize(blob), _TERMS_SIZE), _TERMS_SIZE)
        }
    }

    /// @notice The accounts that stand before a rulebook's terms, ascending.
    function readAccounts(address blob, uint256 count) internal view returns (address[] memory accounts) {
        accounts = new address[](count);
        assembly ("memory-safe") {
            let size := shl(5, count)
            extcodecopy(blob, add(accounts, 0x20), sub(extcodesize(blob), add(_TERMS_SIZE, size)), size)
        }
    }

    /// @notice Key of the rulebook's workflow (see {keyOf}), and its grace in seconds.
    function readWorkflow(address blob) internal view returns (bytes32 key, uint256 grace) {
        uint256 head = _wordAt(blob, 0);
        return (bytes32(_wordAt(blob, _startOf(head))), head >> 16);
    }

    /// @notice All conditions, packed.
    function readConditions(address blob) internal view returns (bytes memory) {
        uint256 start;
        uint256 size;
        // One copy reads head and size, if there are no accounts between them.
        assembly ("memory-safe") {
            let free := mload(0x40)
            extcodecopy(blob, free, 0x00, 0x60)
            start := add(0x60, shl(5, and(mload(free), 0xff)))
            size := mload(add(free, 0x40))
        }
        if (start != 0x60) size = _wordAt(blob, start - _WORD);
        return _read(blob, start, size);
    }

    /// @notice The whole rulebook.
    function readWhole(address blob) internal view returns (Rulebook memory) {
        uint256 start = _startOf(_wordAt(blob, 0)) + _WORD;
        start += _WORD + _wordAt(blob, start);
        return abi.decode(_read(blob, start, blob.code.length - start), (Rulebook));
    }

    /// @notice Key of a workflow: keccak256 of id, name and owner as the Keystone forwarder packs them; zero for no workflow.
    function keyOf(Workflow memory workflow) internal pure returns (bytes32) {
        if (workflow.id == 0) return 0;
        return keccak256(abi.encodePacked(workflow.id, workflow.name, workflow.owner));
    }

    /// @dev What {read} reads.
    function _head(
        Rulebook memory rulebook,
        mapping(bytes32 attesterHash => bool) storage suspended
    ) private view returns (bytes memory) {
        uint256 grace = uint256(rulebook.grace) << 16;
        AttesterGroup[] memory groups = rulebook.attesterGroups;
        if (groups.length != 1 || groups[0].above != 0) return abi.encode(_noAccounts(rulebook));
        bytes[] memory attesters = groups[0].attesters;
        bytes memory accounts;
        uint256 count = 0;
        for (uint256 i = 0; i < attesters.length; ++i) {
            bytes memory attester = attesters[i];
            if (attester.length != _ACCOUNT_SIZE) return abi.encode(_noAccounts(rulebook));
            if (suspended[keccak256(attester)]) continue;
            accounts = abi.encodePacked(accounts, uint256(uint160(bytes20(attester))));
            ++count;
        }
        return abi.encodePacked(grace | (uint256(groups[0].threshold) << 8) | count, accounts);
    }

    /// @dev The head of a rulebook for which no list of accounts says it all.
    function _noAccounts(Rulebook memory rulebook) private pure returns (uint256) {
        return (uint256(rulebook.grace) << 16) | (_NO_THRESHOLD << 8);
    }

    function _termsOf(Rulebook memory rulebook) private pure returns (RulebookTerms memory) {
        return
            RulebookTerms({
                grace: rulebook.grace,
                challengePeriod: rulebook.challengePeriod,
                arbiterDeadline: rulebook.arbiterDeadline,
                arbiterDefault: rulebook.arbiterDefault,
                bond: rulebook.bond,
                retentionBps: rulebook.retentionBps,
                lookBack: rulebook.lookBack,
                arbiter: rulebook.arbiter,
                attesters: address(0),
                threshold: _NO_THRESHOLD,
                accounts: 0
            });
    }

    /// @dev Whether an attester is a P-256 key whose verifier has the code of OpenZeppelin's, which does what {ConditionsLib} does.
    function _isP256(bytes memory attester) private view returns (bool) {
        return
            attester.length == _ACCOUNT_SIZE + ConditionsLib.P256_SIZE &&
            address(bytes20(attester)).codehash == keccak256(type(ERC7913P256Verifier).runtimeCode);
    }

    /// @dev Where the accounts end that a head announces.
    function _startOf(uint256 head) private pure returns (uint256) {
        return _WORD * (1 + uint256(uint8(head)));
    }

    function _wordAt(address blob, uint256 start) private view returns (uint256 word) {
        assembly ("memory-safe") {
            extcodecopy(blob, 0x00, start, 0x20)
            word := mload(0x00)
        }
    }

    /// @dev Assembly, because Solidity copies only whole code, and a part of it byte by byte.
    function _read(address blob, uint256 start, uint256 size) private view returns (bytes memory data) {
        data = new bytes(size);
        assembly ("memory-safe") {
            extcodecopy(blob, add(data, 0x20), start, size)
        }
    }
}
