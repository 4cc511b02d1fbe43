// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, GroupLines, OpenedLines} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Random} from "../support/Random.sol";
import {Ghost, GhostBatch} from "./Ghost.sol";

/// @notice Why the system should refuse a call, as the ghost sees it. A call should succeed if there is no reason.
struct Reasons {
    bytes4[12] list;
    uint256 count;
}

/// @title Campaign
/// @notice What the handlers share: the people, how they call, and how often each handler did what it is for.
/// @dev A handler that finds nothing to do, or is rightly refused, ends in `vm.assume(false)`: forge takes all of it back, does not
/// count the call, and shows it as a discard. So the calls that count are those that moved something.
abstract contract Campaign is Ghost {
    uint256 internal constant ACCOUNTS = 12;
    uint256 internal constant PAYER = 1;
    uint256 internal constant SPONSOR = 16;
    address internal constant STRANGER = address(0x57a);

    /// @notice How often the handler did what it is for in this run.
    mapping(bytes4 handler => uint256) public successes;
    /// @notice How many calls counted in this run.
    uint256 public calls;

    /// @dev Whether batches are of hundreds of lines, so that closed lines cross words of the bitmap.
    bool internal immutable LARGE;
    address internal immutable SUSPENDER = vm.addr(uint256(keccak256("suspender")));
    address internal immutable OPERATOR = vm.addr(uint256(keccak256("operator")));

    /// @dev Counts the handler, if it does not end in a discard.
    modifier counted() {
        delete touched;
        _;
        ++successes[msg.sig];
        ++calls;
    }

    constructor(bool large) {
        LARGE = large;
        advance(1_800_000_000);
        deploySystem();
        tokens.push(newToken(6));
        tokens.push(newToken(18));
        uint256[] memory keys = keysOf("accounts", ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            accounts.push(vm.addr(keys[i]));
            keyOf[accounts[i]] = keys[i];
        }
        _addPayer(accounts[1], PAYER);
        _addPayer(accounts[5], PAYER);
        _addPayer(accounts[9], SPONSOR);
        _addRulebook("pharmacy switches", 3, 2, 3 days, SUSPENDER);
        _addRulebook("laboratory networks", 3, 2, 20 days, SUSPENDER);
        _addRulebook("one gateway", 1, 1, 5 days, address(0));
        for (uint256 i = 0; i < accounts.length; ++i) {
            for (uint256 t = 0; t < tokens.length; ++t) {
                vm.prank(accounts[i]);
                tokens[t].approve(address(escrow), type(uint256).max);
            }
        }
    }

    /// @dev Says that the call should be refused with this error, if `condition` holds.
    function refusedIf(Reasons memory self, bool condition, bytes4 err) internal pure {
        if (condition) self.list[self.count++] = err;
    }

    /// @dev Holds what happened against the reasons there were. Returns only if the call succeeded, and should have.
    function succeededRightly(
        bool ok,
        bytes memory returned,
        Reasons memory reasons,
        string memory verb
    ) internal pure {
        if (ok) {
            vm.assertEq(reasons.count, 0, string.concat(verb, ": should have been refused"));
            return;
        }
        bytes4 err = bytes4(returned);
        bool right = false;
        for (uint256 i = 0; i < reasons.count; ++i) right = right || reasons.list[i] == err;
        if (!right) bubble(returned);
        vm.assume(false);
    }

    /// @dev The call has to fail with this error.
    function refused(bool ok, bytes memory returned, bytes4 err, string memory what) internal pure {
        vm.assertFalse(ok, string.concat(what, ": should have been refused"));
        if (bytes4(returned) != err) bubble(returned);
    }

    function bubble(bytes memory reason) internal pure {
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    function callAs(
        address caller,
        address target,
        bytes memory data
    ) internal returns (bool ok, bytes memory returned) {
        vm.prank(caller);
        return target.call(data);
    }

    function callEscrow(address caller, bytes memory data) internal returns (bool ok, bytes memory returned) {
        return callAs(caller, address(escrow), data);
    }

    function anyAccount(Random memory random) internal view returns (address) {
        return accounts[random.below(accounts.length)];
    }

    function anyPayer(Random memory random) internal view returns (address) {
        return payers[random.below(payers.length)];
    }

    function anyToken(Random memory random) internal view returns (TestStablecoin) {
        return tokens[random.below(tokens.length)];
    }

    /// @dev An account and token for which `books` holds something; discards the call if a few tries find none.
    function anyRich(
        Random memory random,
        mapping(address token => mapping(address account => uint256)) storage books
    ) internal view returns (address account, address token) {
        for (uint256 i = 0; i < 8; ++i) {
            (account, token) = (anyAccount(random), address(anyToken(random)));
            if (books[token][account] != 0) return (account, token);
        }
        vm.assume(false);
    }

    /// @dev A batch with open lines.
    function anyOpenBatch(Random memory random) internal view returns (uint256 index) {
        vm.assume(openBatches.length != 0);
        return openBatches[random.below(openBatches.length)];
    }

    /// @dev A batch with open lines that can be settled now, if a few tries find one.
    function anySettleable(Random memory random) internal view returns (uint256 index) {
        for (uint256 i = 0; i < 6; ++i) {
            index = anyOpenBatch(random);
            GhostBatch storage batch = batches[index];
            if (!isSuspendedFor(batch) && !isPausedFor(batch) && clock <= attestByOf(batch)) return index;
        }
    }

    /// @dev Merkle leaves of all groups' line amounts.
    function leavesOf(GhostBatch storage batch) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](batch.groups.length);
        for (uint256 g = 0; g < leaves.length; ++g) {
            leaves[g] = leafOf(g, batch.detailsRoot, batch.amounts[g]);
        }
    }

    function leafOf(uint256 group, bytes32 detailsRoot, bytes memory amounts) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(group, saltOf(detailsRoot, group), amounts));
    }

    function saltOf(bytes32 detailsRoot, uint256 group) internal pure returns (bytes32) {
        return keccak256(abi.encode(detailsRoot, group));
    }

    /// @dev The line amounts of these groups, with their proof.
    function open(GhostBatch storage batch, bool[] memory which) internal view returns (OpenedLines memory opened) {
        uint256 count = 0;
        for (uint256 g = 0; g < which.length; ++g) if (which[g]) ++count;
        opened.groups = new GroupLines[](count);
        if (count == 0) return opened;
        count = 0;
        for (uint256 g = 0; g < which.length; ++g) if (which[g]) opened.groups[count++] = linesOf(batch, g);
        opened.proof = ManifestProofs.prove(leavesOf(batch), which, batch.detailsRoot);
    }

    function linesOf(GhostBatch storage batch, uint256 group) internal view returns (GroupLines memory) {
        return GroupLines(group, saltOf(batch.detailsRoot, group), batch.amounts[group]);
    }

    /// @dev Signatures of as many of the rulebook's attesters as it asks for, all but a random few of them.
    function attest(
        Random memory random,
        bytes32 rulebook,
        bytes32 batchId,
        Attestation memory attestation
    ) internal view returns (bytes memory signatures) {
        bytes32 digest = escrow.attestationDigestOf(batchId, attestation);
        uint256[] memory keys = attesterKeys[rulebook];
        uint256 surplus = keys.length - threshold[rulebook];
        for (uint256 i = 0; i < keys.length; ++i) {
            if (surplus != 0 && random.below(keys.length - i) < surplus) --surplus;
            else signatures = bytes.concat(signatures, sign(keys[i], digest));
        }
    }

    /// @dev All words of {Group} as the escrow's functions take them.
    function groupsOf(GhostBatch storage batch) internal view returns (Group[] memory) {
        return batch.groups;
    }

    function _addPayer(address account, uint256 kinds) private {
        payers.push(account);
        inStanding[account] = true;
        register(account, kinds);
    }

    function _addRulebook(
        string memory name,
        uint256 count,
        uint256 needed,
        uint256 graceSeconds,
        address suspender
    ) private {
        uint256[] memory keys = keysOf(name, count);
        bytes32 id = publish(keys, needed, graceSeconds, suspender);
        rules.push(id);
        (attesterKeys[id], threshold[id], grace[id]) = (keys, needed, graceSeconds);
    }
}
