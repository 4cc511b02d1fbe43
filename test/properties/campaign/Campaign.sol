// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, GroupLines, OpenedLines} from "../../../contracts/interfaces/ClaimTypes.sol";
import {Rulebook} from "../../../contracts/interfaces/IRulebooks.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Random} from "../support/Random.sol";
import {GhostBatch} from "./Ghost.sol";
import {GhostCases, RulebookSays} from "./GhostCases.sol";

/// @notice Why the system should refuse a call, as the ghost sees it. A call should succeed if there is no reason.
struct Reasons {
    bytes4[12] list;
    uint256 count;
}

/// @title Campaign
/// @notice What the handlers share: the people, and how they call.
/// @dev A handler that finds nothing to do, or is rightly refused, ends in `vm.assume(false)`: forge takes all of it back, does not
/// count the call, and shows it as a discard. So the calls that count are those that moved something.
abstract contract Campaign is GhostCases {
    uint256 internal constant ACCOUNTS = 12;
    uint256 internal constant PAYER = 1;
    uint256 internal constant SPONSOR = 16;
    address internal constant STRANGER = address(0x57a);

    /// @dev How many calls counted in this run.
    uint256 internal calls;

    /// @dev Whether batches are of hundreds of lines, so that closed lines cross words of the bitmap.
    bool internal immutable LARGE;
    address internal immutable SUSPENDER = vm.addr(uint256(keccak256("suspender")));
    address internal immutable OPERATOR = vm.addr(uint256(keccak256("operator")));
    address internal immutable ARBITER = vm.addr(uint256(keccak256("arbiter")));

    /// @dev Counts the handler, if it does not end in a discard.
    modifier counted() {
        delete touched;
        _;
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
        _addPlainRulebooks();
        _addPresentedRulebooks();
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

    /// @dev EIP-712 digest under the escrow's domain.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Carepact ClaimEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
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

    /// @dev A batch with open lines whose attestations settle at once, one that can be settled now, if a few tries find one.
    function anySettleable(Random memory random) internal view returns (uint256 index) {
        return _anyAttestable(random, false);
    }

    /// @dev A batch with open lines whose attestations are presented, one of which that can be done now, if a few tries find one.
    function anyPresentable(Random memory random) internal view returns (uint256 index) {
        return _anyAttestable(random, true);
    }

    /// @dev Deposits for somebody, if nothing is paused.
    function topUp(address account, address token, uint256 amount) internal {
        if (isPaused()) return;
        TestStablecoin(token).mint(account, amount);
        vm.prank(account);
        escrow.deposit(account, token, amount);
        free[token][account] += amount;
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

    /// @dev Those under which attestations settle at once: without an arbiter, and with one for results that never come.
    function _addPlainRulebooks() private {
        _addRulebook("pharmacy switches", 3, 2, _rulebook(3 days, SUSPENDER));
        _addRulebook("laboratory networks", 3, 2, _rulebook(20 days, SUSPENDER));
        _addRulebook("one gateway", 1, 1, _rulebook(5 days, address(0)));
        _addRulebook("for the payer", 3, 2, _arbitrated(9 days, SUSPENDER, 0));
        // Its arbiter is a payee now and then.
        Rulebook memory rulebook = _arbitrated(9 days, address(0), 1);
        (rulebook.arbiter, rulebook.bond) = (accounts[3], 7);
        _addRulebook("for the payee", 1, 1, rulebook);
    }

    /// @dev Those under which attestations are presented: for a challenge period, for a retention, and for both with a bond.
    function _addPresentedRulebooks() private {
        Rulebook memory rulebook = _arbitrated(6 days, SUSPENDER, 1);
        rulebook.challengePeriod = 2 days;
        _addRulebook("challenged", 3, 2, rulebook);
        rulebook = _arbitrated(4 days, address(0), 0);
        (rulebook.retentionBps, rulebook.lookBack) = (1_000, 6 days);
        _addRulebook("retained", 1, 1, rulebook);
        rulebook = _arbitrated(7 days, SUSPENDER, 0);
        (rulebook.challengePeriod, rulebook.bond) = (1 days, 5e6);
        (rulebook.retentionBps, rulebook.lookBack) = (3_333, 4 days);
        _addRulebook("challenged and retained", 3, 2, rulebook);
    }

    function _rulebook(uint256 graceSeconds, address suspender) private pure returns (Rulebook memory rulebook) {
        (rulebook.grace, rulebook.suspender) = (uint32(graceSeconds), suspender);
    }

    function _arbitrated(
        uint256 graceSeconds,
        address suspender,
        uint256 side
    ) private view returns (Rulebook memory rulebook) {
        rulebook = _rulebook(graceSeconds, suspender);
        (rulebook.arbiter, rulebook.arbiterDeadline, rulebook.arbiterDefault) = (ARBITER, 2 days, uint8(side));
    }

    function _addRulebook(string memory name, uint256 count, uint256 needed, Rulebook memory rulebook) private {
        uint256[] memory keys = keysOf(name, count);
        bytes32 id = publish(keys, needed, rulebook);
        rules.push(id);
        if (rulebook.suspender != address(0)) suspendable.push(id);
        (attesterKeys[id], threshold[id], grace[id]) = (keys, needed, rulebook.grace);
        says[id] = RulebookSays({
            challengePeriod: rulebook.challengePeriod,
            arbiter: rulebook.arbiter,
            arbiterDeadline: rulebook.arbiterDeadline,
            forPayee: rulebook.arbiterDefault == 1,
            bond: rulebook.bond,
            retentionBps: rulebook.retentionBps,
            lookBack: rulebook.lookBack
        });
    }

    function _anyAttestable(Random memory random, bool presented) private view returns (uint256 index) {
        bool found = false;
        for (uint256 i = 0; i < 9; ++i) {
            uint256 tried = anyOpenBatch(random);
            GhostBatch storage batch = batches[tried];
            if (isPresented(batch.terms.rulebook) != presented) continue;
            (index, found) = (tried, true);
            if (!isStoppedFor(batch) && clock <= attestByOf(batch)) return index;
        }
        vm.assume(found);
    }
}
