// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC7913P256Verifier} from "@openzeppelin/contracts/utils/cryptography/verifiers/ERC7913P256Verifier.sol";
import {Rulebook} from "../../../contracts/interfaces/IRulebooks.sol";
import {RulebookBlobLib, RulebookTerms} from "../../../contracts/rulebooks/RulebookBlobLib.sol";
import {PlainRulebooks} from "../support/PlainRulebooks.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice Writes blobs, and knows who is suspended.
contract RulebookBlobHarness {
    mapping(bytes32 attesterHash => bool) private _suspended;

    function suspend(bytes memory attester) external {
        _suspended[keccak256(attester)] = true;
    }

    function write(Rulebook calldata rulebook) external returns (address) {
        return RulebookBlobLib.write(rulebook, _suspended);
    }
}

/// @notice {RulebookBlobLib} reads what the rulebook says.
contract RulebookBlobLibTest is Properties {
    uint256 private constant _NO_LIST = 255;

    /// @dev A rulebook that was laid down.
    /// @param blob Where all of it is.
    /// @param attesters Where its attesters are.
    struct Written {
        Rulebook rulebook;
        bool[][] suspended;
        address blob;
        address attesters;
    }

    /// @dev A copy of OpenZeppelin's verifier: keys are known by its code, not by where it is.
    address private _p256Verifier;
    RulebookBlobHarness private _harness;

    function setUp() external {
        _p256Verifier = address(new ERC7913P256Verifier());
        _harness = new RulebookBlobHarness();
    }

    /// @notice Of a simple rulebook, who is suspended is missing from its accounts. A general one has no accounts there.
    function testFuzz_readIsTheRulebook(uint256 seed) external {
        Written memory written = _write(seed);
        (uint256 grace, uint256 threshold, address[] memory attesters) = RulebookBlobLib.read(written.attesters);
        // Whatever is allocated next must not lie on what was read.
        bytes memory next = abi.encode(written.rulebook);
        vm.assertEq(keccak256(next), keccak256(abi.encode(written.rulebook)), "memory behind the attesters");
        vm.assertEq(grace, uint256(written.rulebook.grace), "grace");
        vm.assertEq(threshold, _thresholdOf(written.rulebook), "threshold");
        address[] memory expected = PlainRulebooks.accountsOf(written.rulebook, written.suspended);
        vm.assertEq(abi.encode(attesters), abi.encode(expected), "accounts");
    }

    function testFuzz_readWorkflowIsItsHash(uint256 seed) external {
        Written memory written = _write(seed);
        Rulebook memory rulebook = written.rulebook;
        (bytes32 key, uint256 grace) = RulebookBlobLib.readWorkflow(written.attesters);
        vm.assertEq(grace, uint256(rulebook.grace), "grace");
        bytes memory packed = new bytes(62);
        for (uint256 i = 0; i < 32; ++i) packed[i] = rulebook.workflow.id[i];
        for (uint256 i = 0; i < 10; ++i) packed[32 + i] = rulebook.workflow.name[i];
        for (uint256 i = 0; i < 20; ++i) packed[42 + i] = bytes20(rulebook.workflow.owner)[i];
        vm.assertEq(key, rulebook.workflow.id == 0 ? bytes32(0) : keccak256(packed), "key");
        if (rulebook.workflow.id != 0) vm.assertEq(RulebookBlobLib.keyOf(rulebook.workflow), key, "keyOf");
    }

    /// @notice All conditions, attester by attester. Who is suspended leaves a length of zero; a P-256 key stands without a
    /// verifier that is a copy of OpenZeppelin's, and with any other.
    function testFuzz_readConditionsIsEveryAttester(uint256 seed) external {
        Written memory written = _write(seed);
        bytes memory expected = PlainRulebooks.packConditions(written.rulebook, written.suspended, _p256Verifier);
        vm.assertEq(RulebookBlobLib.readConditions(written.attesters), expected, "readConditions");
    }

    /// @notice Suspended or not, presented or not, the rulebook stays what it was published as.
    function testFuzz_readWholeIsTheRulebook(uint256 seed) external {
        Written memory written = _write(seed);
        vm.assertEq(abi.encode(RulebookBlobLib.readWhole(written.blob)), abi.encode(written.rulebook), "readWhole");
    }

    function testFuzz_readTermsIsTheRulebook(uint256 seed) external {
        Written memory written = _write(seed);
        Rulebook memory rulebook = written.rulebook;
        RulebookTerms memory terms = RulebookBlobLib.readTerms(written.blob);
        bytes memory next = abi.encode(rulebook);
        vm.assertEq(keccak256(next), keccak256(abi.encode(rulebook)), "memory behind the terms");
        vm.assertEq(terms.grace, uint256(rulebook.grace), "grace");
        vm.assertEq(terms.challengePeriod, uint256(rulebook.challengePeriod), "challengePeriod");
        vm.assertEq(terms.arbiterDeadline, uint256(rulebook.arbiterDeadline), "arbiterDeadline");
        vm.assertEq(terms.arbiterDefault, uint256(rulebook.arbiterDefault), "arbiterDefault");
        vm.assertEq(terms.bond, uint256(rulebook.bond), "bond");
        vm.assertEq(terms.retentionBps, uint256(rulebook.retentionBps), "retentionBps");
        vm.assertEq(terms.lookBack, uint256(rulebook.lookBack), "lookBack");
        vm.assertEq(terms.arbiter, rulebook.arbiter, "arbiter");
    }

    /// @notice Settling at once sees a presented rulebook as one by which nobody attests: no threshold that signatures fit, no account,
    /// no workflow, no condition.
    function testFuzz_presentedRulebookNamesNobody(uint256 seed) external {
        Written memory written = _writeWith(seed, true);
        (uint256 grace, uint256 threshold, address[] memory attesters) = RulebookBlobLib.read(written.blob);
        vm.assertEq(grace, uint256(written.rulebook.grace), "grace");
        vm.assertEq(threshold, _NO_LIST, "threshold");
        vm.assertEq(attesters.length, 0, "accounts");
        (bytes32 workflow, uint256 again) = RulebookBlobLib.readWorkflow(written.blob);
        vm.assertEq(workflow, bytes32(0), "workflow");
        vm.assertEq(again, grace, "grace beside the workflow");
        vm.assertEq(RulebookBlobLib.readConditions(written.blob).length, 0, "conditions");
    }

    /// @notice Where one list of accounts says who attests to what is presented, it stands before the terms too.
    function testFuzz_readAccountsIsTheListApart(uint256 seed) external {
        Written memory written = _writeWith(seed, true);
        RulebookTerms memory terms = RulebookBlobLib.readTerms(written.blob);
        vm.assertTrue(terms.attesters != address(0), "attesters lie apart");
        address[] memory accounts = RulebookBlobLib.readAccounts(written.blob, terms.accounts);
        bytes memory next = abi.encode(written.rulebook);
        vm.assertEq(keccak256(next), keccak256(abi.encode(written.rulebook)), "memory behind the accounts");
        vm.assertEq(terms.threshold, _thresholdOf(written.rulebook), "threshold");
        address[] memory expected = PlainRulebooks.accountsOf(written.rulebook, written.suspended);
        vm.assertEq(abi.encode(accounts), abi.encode(expected), "accounts");
    }

    /// @notice What settles at once names its attesters in one place only.
    function testFuzz_plainRulebookHasNothingApart(uint256 seed) external {
        RulebookTerms memory terms = RulebookBlobLib.readTerms(_writeWith(seed, false).blob);
        vm.assertEq(terms.attesters, address(0), "attesters");
        vm.assertEq(terms.threshold, _NO_LIST, "threshold");
        vm.assertEq(terms.accounts, 0, "accounts");
    }

    /// @notice Who calls a blob gets nothing, and nothing happens.
    function testFuzz_blobStopsAtOnce(uint256 seed, bytes calldata data) external {
        Written memory written = _write(seed);
        _checkStops(written.blob, data);
        _checkStops(written.attesters, data);
    }

    function _checkStops(address blob, bytes calldata data) private {
        vm.assertEq(uint256(uint8(blob.code[0])), 0, "begins with STOP");
        (bool ok, bytes memory returned) = blob.call(data);
        vm.assertTrue(ok && returned.length == 0, "stops");
    }

    function _thresholdOf(Rulebook memory rulebook) private pure returns (uint256) {
        return PlainRulebooks.isSimple(rulebook) ? uint256(rulebook.attesterGroups[0].threshold) : _NO_LIST;
    }

    /// @dev Any rulebook, whether its attestations have to be presented or not.
    function _write(uint256 seed) private returns (Written memory) {
        return _writeWith(seed, seed % 2 == 0);
    }

    function _writeWith(uint256 seed, bool presented) private returns (Written memory written) {
        Random memory random = RandomLib.from(seed);
        Rulebook memory rulebook = PlainRulebooks.newRulebook(random, _p256Verifier);
        if (presented || random.oneIn(2)) PlainRulebooks.addTerms(rulebook, random, presented);
        bool[][] memory suspended = new bool[][](rulebook.attesterGroups.length);
        bool any = random.oneIn(2);
        for (uint256 i = 0; i < suspended.length; ++i) {
            bytes[] memory attesters = rulebook.attesterGroups[i].attesters;
            suspended[i] = new bool[](attesters.length);
            for (uint256 j = 0; j < attesters.length; ++j) {
                // Roles sign nothing, so that none of them can be suspended.
                suspended[i][j] = any && attesters[j].length != 1 && random.oneIn(3);
                if (suspended[i][j]) _harness.suspend(attesters[j]);
            }
        }
        address blob = _harness.write(rulebook);
        address attestersAt = presented ? RulebookBlobLib.readTerms(blob).attesters : blob;
        return Written({rulebook: rulebook, suspended: suspended, blob: blob, attesters: attestersAt});
    }
}
