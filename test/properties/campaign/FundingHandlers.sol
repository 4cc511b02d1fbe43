// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimBatch, Mandate} from "../../../contracts/interfaces/ClaimTypes.sol";
import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {IMandates} from "../../../contracts/interfaces/IMandates.sol";
import {IPools} from "../../../contracts/interfaces/IPools.sol";
import {IRulebooks} from "../../../contracts/interfaces/IRulebooks.sol";
import {IStopClock} from "../../../contracts/interfaces/IStopClock.sol";
import {Group} from "../../../contracts/libraries/GroupLib.sol";
import {TestStablecoin} from "../../../contracts/mocks/TestStablecoin.sol";
import {ManifestProofs} from "../support/ManifestProofs.sol";
import {Random, RandomLib} from "../support/Random.sol";
import {Campaign, Reasons} from "./Campaign.sol";
import {GhostBatch} from "./Ghost.sol";

/// @title FundingHandlers
/// @notice Claim batches of all shapes, funded by their payers, by signature, and by an operator.
abstract contract FundingHandlers is Campaign {
    /// @dev A batch before it is funded.
    struct Draft {
        ClaimBatch terms;
        Group[] groups;
        bytes[] amounts;
        bytes32 detailsRoot;
        uint256 lines;
    }

    uint256 private constant _PERIOD = 10 days;

    bytes32 private constant _BATCH_TYPEHASH = keccak256(
        "ClaimBatch(address payer,address token,uint96 total,bytes32 groupsHash,bytes32 manifestRoot,bytes32 rulebook,uint40 eventBy,uint64 salt)"
    );
    bytes32 private constant _ORDER_TYPEHASH = keccak256(
        "FundingOrder(ClaimBatch batch,uint256 deadline)ClaimBatch(address payer,address token,uint96 total,bytes32 groupsHash,bytes32 manifestRoot,bytes32 rulebook,uint40 eventBy,uint64 salt)"
    );

    /// @dev Of each payer and token, the mandate that its operator uses.
    mapping(address payer => mapping(address token => Mandate)) private _mandateOf;
    mapping(bytes32 mandate => mapping(uint256 period => uint256)) private _spent;

    function fund(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        Draft memory draft = _draft(random);
        Reasons memory reasons = _prepare(random, draft);
        bytes memory data = abi.encodeCall(IClaimEscrow.fund, (draft.terms, draft.groups));
        (bool ok, bytes memory returned) = callEscrow(draft.terms.payer, data);
        _funded(ok, returned, reasons, draft);
    }

    function fundBySignature(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        Draft memory draft = _draft(random);
        Reasons memory reasons = _prepare(random, draft);
        uint256 deadline = clock + random.below(1 days);
        bytes32 order = keccak256(
            abi.encode(_ORDER_TYPEHASH, keccak256(abi.encode(_BATCH_TYPEHASH, draft.terms)), deadline)
        );
        bytes memory signature = sign(keyOf[draft.terms.payer], digestOf(order));
        bytes memory data = abi.encodeCall(
            IClaimEscrow.fundWithSignature,
            (draft.terms, draft.groups, deadline, signature)
        );
        (bool ok, bytes memory returned) = callEscrow(STRANGER, data);
        _funded(ok, returned, reasons, draft);
    }

    function fundUnderMandate(uint256 seed) external counted {
        Random memory random = RandomLib.from(seed);
        Draft memory draft = _draft(random);
        Reasons memory reasons = _prepare(random, draft);
        Mandate storage mandate = _mandateFor(draft.terms.payer, draft.terms.token);
        bytes32 id = keccak256(abi.encode(mandate));
        uint256 period = (clock - mandate.start) / _PERIOD;
        uint256 spent = _spent[id][period] + draft.terms.total;
        refusedIf(reasons, spent > mandate.cap, IMandates.MandateCapExceeded.selector);
        bytes memory data = abi.encodeCall(IMandates.fund, (draft.terms, draft.groups, mandate));
        (bool ok, bytes memory returned) = callAs(OPERATOR, address(mandates), data);
        _funded(ok, returned, reasons, draft);
        _spent[id][period] = spent;
    }

    function _draft(Random memory random) private view returns (Draft memory draft) {
        draft.detailsRoot = bytes32(random.next());
        ClaimBatch memory terms = draft.terms;
        TestStablecoin token = anyToken(random);
        _addGroups(random, draft, token.decimals());
        bytes32[] memory leaves = new bytes32[](draft.groups.length);
        for (uint256 g = 0; g < leaves.length; ++g) leaves[g] = leafOf(g, draft.detailsRoot, draft.amounts[g]);
        bytes32 linesRoot = ManifestProofs.rootOf(leaves);
        terms.payer = _anyFunder(random);
        terms.token = address(token);
        terms.groupsHash = keccak256(abi.encodePacked(draft.groups));
        terms.manifestRoot = keccak256(abi.encode(linesRoot, draft.detailsRoot));
        terms.rulebook = anyRulebook(random);
        terms.eventBy = uint40(clock + random.edgy(0, random.oneIn(8) ? 366 days : 30 days));
        terms.salt = uint64(batches.length);
    }

    /// @dev A payer in good standing, if a few tries find one.
    function _anyFunder(Random memory random) private view returns (address payer) {
        payer = anyPayer(random);
        for (uint256 i = 0; i < 2 && !inStanding[payer]; ++i) payer = anyPayer(random);
    }

    /// @dev A rulebook that is not suspended, if a few tries find one.
    function anyRulebook(Random memory random) internal view virtual returns (bytes32 rulebook) {
        rulebook = rules[random.below(rules.length)];
        for (uint256 i = 0; i < 2 && suspended[rulebook]; ++i) rulebook = rules[random.below(rules.length)];
    }

    /// @dev Groups of payees that ascend, with the amounts of their lines.
    function _addGroups(Random memory random, Draft memory draft, uint256 decimals) private view {
        uint256 count = LARGE ? random.between(1, 5) : random.edgy(1, random.oneIn(4) ? ACCOUNTS : 4);
        (draft.groups, draft.amounts) = (new Group[](count), new bytes[](count));
        uint256 added = 0;
        for (uint256 i = 0; added < count; ++i) {
            if (random.below(ACCOUNTS - i) >= count - added) continue;
            uint256 lines = LARGE ? _manyLines(random, 500 - draft.lines) : random.edgy(1, 6);
            uint256 subtotal;
            (draft.amounts[added], subtotal) = _newAmounts(random, lines, decimals);
            draft.groups[added++] = Group.wrap((uint256(uint160(accounts[i])) << 96) | (lines << 86) | subtotal);
            draft.terms.total += uint96(subtotal);
            draft.lines += lines;
        }
    }

    /// @dev Mostly so many that the groups begin and end near where one word of the bitmap ends and the next begins.
    function _manyLines(Random memory random, uint256 room) private pure returns (uint256 lines) {
        uint256 kind = random.below(4);
        if (kind == 0) lines = random.between(1, 12);
        else if (kind == 1) lines = random.between(250, 260);
        else lines = random.between(1, 180);
        // Each of the groups after this one needs a line as well.
        return lines < room - 4 ? lines : 1;
    }

    /// @dev Amounts as different as they come, packed as narrowly as they fit or with bytes to spare.
    function _newAmounts(
        Random memory random,
        uint256 count,
        uint256 decimals
    ) private pure returns (bytes memory data, uint256 sum) {
        uint256 most = random.oneIn(16) ? 2 ** 75 : 1_000 * 10 ** decimals;
        if (random.oneIn(16)) most = 2;
        uint256[] memory amounts = new uint256[](count);
        uint256 width = random.oneIn(3) ? 11 : 1;
        for (uint256 i = 0; i < count; ++i) {
            amounts[i] = random.edgy(1, most);
            sum += amounts[i];
            while (amounts[i] >> (8 * width) != 0) ++width;
        }
        data = new bytes(count * width + 32);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = amounts[i] << (256 - 8 * width);
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), mul(i, width)), word)
            }
        }
        assembly ("memory-safe") {
            mstore(data, mul(count, width))
        }
    }

    /// @dev Tops the pool up, most of the time, and says why funding should be refused.
    function _prepare(Random memory random, Draft memory draft) private returns (Reasons memory reasons) {
        ClaimBatch memory terms = draft.terms;
        uint256 pool = free[terms.token][terms.payer];
        if (pool < terms.total && !random.oneIn(16)) topUp(terms.payer, terms.token, terms.total - pool);
        refusedIf(reasons, isPaused(), IStopClock.PausedUntil.selector);
        refusedIf(reasons, suspended[terms.rulebook], IRulebooks.RulebookIsSuspended.selector);
        refusedIf(reasons, free[terms.token][terms.payer] < terms.total, IPools.FreeBalanceTooSmall.selector);
        refusedIf(reasons, !inStanding[terms.payer], IClaimEscrow.PayerNotInStanding.selector);
    }

    function _funded(bool ok, bytes memory returned, Reasons memory reasons, Draft memory draft) private {
        succeededRightly(ok, returned, reasons, "fund");
        openBatches.push(batches.length);
        touched.push(batches.length);
        GhostBatch storage batch = batches.push();
        batch.id = abi.decode(returned, (bytes32));
        batch.terms = draft.terms;
        batch.groups = draft.groups;
        batch.amounts = draft.amounts;
        batch.detailsRoot = draft.detailsRoot;
        batch.stoppedAtFunding = stopped[draft.terms.rulebook];
        batch.open = draft.terms.total;
        batch.states = new bytes(draft.lines);
        batch.groupPaid = new uint256[](draft.groups.length);
        batch.groupFreed = new uint256[](draft.groups.length);
        batch.groupHeld = new uint256[](draft.groups.length);
        pots[draft.terms.token].open += draft.terms.total;
        free[draft.terms.token][draft.terms.payer] -= draft.terms.total;
    }

    function _mandateFor(address payer, address token) private returns (Mandate storage mandate) {
        mandate = _mandateOf[payer][token];
        if (mandate.payer != address(0)) return mandate;
        mandate.payer = payer;
        mandate.operator = OPERATOR;
        mandate.token = token;
        mandate.cap = uint96((LARGE ? 1_000_000 : 40_000) * 10 ** TestStablecoin(token).decimals());
        mandate.period = uint40(_PERIOD);
        mandate.start = uint40(clock);
        mandate.end = type(uint40).max;
        mandate.rulebooks = rules;
        mandate.payees = accounts;
        vm.prank(payer);
        mandates.giveMandate(mandate);
    }
}
