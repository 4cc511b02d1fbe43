// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Group} from "../libraries/GroupLib.sol";

/// @notice Terms of a claim batch: a payer's funded promise to pay the lines of one or more payees.
/// @dev Hashed under EIP-712 into the batch id and never stored. Whoever acts on a batch hands its terms in again.
/// @param payer Account whose pool funds the batch and to which all that is not paid returns.
/// @param token ERC-20 token of every amount in the batch.
/// @param total Sum of the groups' subtotals, in base units of `token`.
/// @param groupsHash keccak256 of the groups, each a 32-byte word (see {Group}), in order.
/// @param manifestRoot keccak256 of two Merkle roots: over the line amounts of each group (see {GroupLines}), and over the off-chain
/// detail of each line, which the chain never reads. Where patients sign, the second is joined with a third (see {IAttesterConditions}).
/// @param rulebook Id of the rulebook that says who attests and until when.
/// @param eventBy Last moment, in unix seconds, at which the care may happen.
/// @param salt Makes batches with otherwise equal terms distinct.
struct ClaimBatch {
    address payer;
    address token;
    uint96 total;
    bytes32 groupsHash;
    bytes32 manifestRoot;
    bytes32 rulebook;
    uint40 eventBy;
    uint64 salt;
}

/// @notice A signed statement of what happened with the lines of one claim batch.
/// @dev EIP-712 type: `Attestation(bytes32 batchId,bytes results,uint40 observedAt,uint40 validUntil,bytes32 evidence)`.
/// @param observedAt When the attesters looked, in unix seconds. May not lie in the future.
/// @param validUntil Last moment, in unix seconds, at which this attestation may settle.
/// @param evidence Salted commitment to what the attesters saw.
/// @param results Results per group and line, packed (see {ResultsLib}).
/// @param signatures One of three forms. Where the rulebook has one list of accounts and no other condition: 65-byte secp256k1
/// signatures (r, s, v), exactly as many as its threshold, in ascending order of signer. Under any rulebook: packed signatures of
/// any kind of key (see {IAttesterConditions}). Nothing, if the rulebook's workflow reported the attestation.
struct Attestation {
    uint40 observedAt;
    uint40 validUntil;
    bytes32 evidence;
    bytes results;
    bytes signatures;
}

/// @notice The line amounts of one group, opened against the batch's `manifestRoot`.
/// @dev The leaf at the group's place in the tree (see {ManifestTree}) is keccak256(group as uint256 ‖ salt ‖ amounts). It cannot
/// be mistaken for an inner node, whose preimage is 64 bytes long: a leaf's is longer.
/// @param group Index of the group in the batch's groups.
/// @param salt Keeps low-entropy amounts from being guessed from the root.
/// @param amounts Amount of each line in base units, in line order, big endian, each in the same number of bytes (1 to 11).
struct GroupLines {
    uint256 group;
    bytes32 salt;
    bytes amounts;
}

/// @notice The line amounts of those groups of a batch whose lines settle one by one.
/// @param groups Opened groups, in ascending order of group. A group that is not opened although it would have to be stays open;
/// groups of one line never have to be.
/// @param proof Hashes that lead from `groups` to the batch's `manifestRoot` (see {ManifestTree}), the root over details last.
struct OpenedLines {
    GroupLines[] groups;
    bytes32[] proof;
}

/// @notice All that a settlement of one claim batch needs.
struct Settlement {
    ClaimBatch batch;
    Group[] groups;
    Attestation attestation;
    OpenedLines opened;
}

/// @notice What was presented of a claim batch and has not settled yet, as its events say: {IPresentations-ResultsPresented} and
/// {IPresentations-LinesPresented}, less the lines disputed since.
/// @param firstLine Lowest line of the batch that it holds, which names it within its batch.
/// @param results As attested.
/// @param lines Which lines of the batch it holds, 256 lines a word, the first in the lowest bit. Nothing: all lines of the groups of which
/// `results` say one final thing, as long as the batch had no other closed ones and none of these was disputed.
/// @param outcomes Per group of the batch, what its payee will be paid (base units, shifted left by 96 bits) and what will go back to
/// the payer (base units). Nothing where `lines` are nothing: the subtotals.
struct Presentation {
    uint256 firstLine;
    bytes results;
    uint256[] lines;
    uint256[] outcomes;
}

/// @notice One line of a claim batch, with its amount.
/// @param group Index of its group in the batch.
/// @param line Index of the line in the group.
/// @param opened Amounts of the group's lines. Not read when the group has one line.
/// @param proof Hashes that lead from `opened` to the batch's `manifestRoot`. Not read when the group has one line.
struct LineOpening {
    uint256 group;
    uint256 line;
    GroupLines opened;
    bytes32[] proof;
}

/// @notice What the chain knows of a dispute.
/// @param amount Of the line, in base units; zero: the line is not disputed.
/// @param byPayer Whether the payer disputes it, else its payee does.
/// @param attested Whether a result of the line is attested.
/// @param attestedAmount What the payee is paid by that result, in base units.
/// @param resolveBy Last moment for the arbiter, in unix seconds. Later the default holds.
struct DisputeStatus {
    uint96 amount;
    bool byPayer;
    bool attested;
    uint96 attestedAmount;
    uint40 resolveBy;
}

/// @notice What is retained of the payments of one settlement, as its events say: {IRetentions-PaymentsRetained}, less what was recouped
/// since.
/// @param firstLine Lowest line of the presentation that was settled, which names the retention within its batch.
/// @param amounts Words of payee (160 bits) and what is retained of its payment (96 bits, base units).
struct Retention {
    uint256 firstLine;
    uint256[] amounts;
}

/// @notice A payee's leave to refund out of its credits, now and later.
/// @dev EIP-712 type: `RefundOrder(bytes32 batchId,address payee,uint256 upTo,uint256 deadline)`. It needs no nonce, since `upTo` counts
/// all refunds of the batch.
/// @param payee Account that received money from the batch.
/// @param upTo What its refunds of the batch may come to, in base units, whichever way they are made.
/// @param deadline Last moment at which the order is good, in unix seconds.
struct RefundOrder {
    address payee;
    uint256 upTo;
    uint256 deadline;
}

/// @notice What the chain knows of a claim batch.
/// @param funded Whether the batch was ever funded.
/// @param paidInFull Whether one settlement paid all of its lines.
/// @param open Amount of its open lines, in base units. The rest was paid or freed, as its events say.
/// @param stoppedAtFunding Reading of the stop clock (seconds) when the batch was funded.
struct ClaimBatchStatus {
    bool funded;
    bool paidInFull;
    uint96 open;
    uint40 stoppedAtFunding;
}

/// @notice What a payer lets an operator (its PBM or TPA) fund from its pool.
/// @dev Hashed into the mandate id; the operator hands it in with every batch it funds.
/// @param payer Account whose pool the operator may use.
/// @param operator Account that may fund under this mandate.
/// @param token The one token that may be spent.
/// @param cap Most that may be funded in one period, in base units of `token`.
/// @param period Length of a period in seconds. The first starts at `start`.
/// @param start First moment of the mandate, in unix seconds.
/// @param end First moment at which the mandate no longer holds, in unix seconds.
/// @param payeeKinds Bit set of organization kinds that may be paid (see {IOrganizationRegistry}).
/// @param rulebooks Rulebooks that may govern the batches.
/// @param payees Accounts that may be paid whatever their kind, in strictly ascending order.
/// @param salt Makes mandates with otherwise equal terms distinct.
struct Mandate {
    address payer;
    address operator;
    address token;
    uint96 cap;
    uint40 period;
    uint40 start;
    uint40 end;
    uint16 payeeKinds;
    bytes32[] rulebooks;
    address[] payees;
    bytes32 salt;
}
