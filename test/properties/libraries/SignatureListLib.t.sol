// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimEscrow} from "../../../contracts/interfaces/IClaimEscrow.sol";
import {SignatureList, SignatureListLib} from "../../../contracts/rulebooks/SignatureListLib.sol";
import {Properties} from "../support/Properties.sol";
import {Random, RandomLib} from "../support/Random.sol";

/// @notice A packed signature, spelled out.
struct Packed {
    uint256 attester;
    uint256 place;
    bytes signature;
}

/// @notice Hands calldata to the library.
contract SignatureListHarness {
    /// @notice Reads a list from `from` on, to its end.
    function readAll(bytes calldata data, uint256 from, uint256 most) external pure returns (Packed[] memory all) {
        SignatureList memory list = SignatureListLib.open(data[from:], bytes32(most));
        all = new Packed[](list.left);
        for (uint256 i = 0; list.left != 0; ++i) {
            assert(list.index == i && list.left == all.length - i && list.digest == bytes32(most));
            (uint256 attester, uint256 place) = (list.key >> 16, list.key & 0xffff);
            assert(list.isNext(attester, place));
            assert(!list.isNext(attester ^ 1, place) && !list.isNext(attester, place ^ 1));
            all[i] = Packed(attester, place, list.signature());
            list.advance();
        }
        assert(!list.isNext(0, 0));
    }

    /// @notice A part of fixed size, one of counted items, and the rest.
    function split(
        bytes calldata data,
        uint256 fixedSize,
        uint256 itemSize
    ) external pure returns (bytes memory first, bytes memory counted, bytes memory last) {
        SignatureList memory list;
        list.index = 7;
        (bytes calldata taken, bytes calldata rest) = list.take(data, fixedSize);
        first = taken;
        (taken, rest) = list.takeCounted(rest, itemSize);
        (counted, last) = (taken, rest);
    }
}

/// @notice {SignatureListLib} reads what was packed, and nothing from behind its end.
contract SignatureListLibTest is Properties {
    SignatureListHarness private _harness = new SignatureListHarness();

    /// @notice Every signature comes back, whatever stands before the list or behind it.
    function testFuzz_readsWhatWasPacked(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        Packed[] memory all = _newList(random);
        bytes memory before = _newBytes(random, random.below(40));
        bytes memory data = bytes.concat(before, _pack(all), _newBytes(random, random.below(40)));
        Packed[] memory read = _harness.readAll(data, before.length, random.next());
        vm.assertEq(abi.encode(read), abi.encode(all), "read(pack(list))");
    }

    /// @notice A list that is cut off is refused at the first signature that is not whole, and by that error.
    function testFuzz_refusesACutList(uint256 seed) external view {
        Random memory random = RandomLib.from(seed);
        Packed[] memory all = _newList(random);
        vm.assume(all.length != 0);
        bytes memory whole = _pack(all);
        bytes memory cut = new bytes(random.between(1, whole.length - 1));
        for (uint256 i = 0; i < cut.length; ++i) cut[i] = whole[i];
        uint256 end = 1;
        uint256 index = 0;
        while (end + 5 + all[index].signature.length <= cut.length) end += 5 + all[index++].signature.length;
        try _harness.readAll(cut, 0, 0) {
            vm.assertTrue(false, "a list that was cut off");
        } catch (bytes memory reason) {
            vm.assertEq(reason, abi.encodeWithSelector(IClaimEscrow.SignatureInvalid.selector, index), "error");
        }
    }

    /// @notice Bytes at random are a list, or are refused by the one error.
    function testFuzz_anyBytesAreAListOrRefused(bytes calldata data) external view {
        if (data.length == 0) return;
        try _harness.readAll(data, 0, 0) returns (Packed[] memory read) {
            bytes memory packed = _pack(read);
            vm.assertLe(packed.length, data.length, "more than there is");
            vm.assertEq(packed, data[:packed.length], "pack(read(data))");
        } catch (bytes memory reason) {
            vm.assertTrue(bytes4(reason) == IClaimEscrow.SignatureInvalid.selector, "error");
        }
    }

    /// @notice Parts of an opening are slices, or the signature is refused.
    function testFuzz_partsAreSlices(bytes calldata data, uint256 fixedSize, uint256 itemSize) external view {
        fixedSize = bound(fixedSize, 0, 40);
        itemSize = bound(itemSize, 1, 40);
        bool whole = data.length > fixedSize;
        uint256 start = fixedSize + 1;
        uint256 end = whole ? start + uint8(data[fixedSize]) * itemSize : 0;
        whole = whole && end <= data.length;
        try _harness.split(data, fixedSize, itemSize) returns (
            bytes memory first,
            bytes memory counted,
            bytes memory last
        ) {
            vm.assertTrue(whole, "more than there is");
            vm.assertEq(first, data[:fixedSize], "take");
            vm.assertEq(counted, data[start:end], "takeCounted");
            vm.assertEq(last, data[end:], "rest");
        } catch (bytes memory reason) {
            vm.assertFalse(whole, "refused what is whole");
            vm.assertEq(reason, abi.encodeWithSelector(IClaimEscrow.SignatureInvalid.selector, 7), "error");
        }
    }

    function _newList(Random memory random) private pure returns (Packed[] memory all) {
        all = new Packed[](random.edgy(0, 8));
        for (uint256 i = 0; i < all.length; ++i) {
            all[i].attester = random.edgy(0, type(uint8).max);
            all[i].place = random.edgy(0, type(uint16).max);
            all[i].signature = _newBytes(random, random.edgy(0, 300));
        }
    }

    function _pack(Packed[] memory all) private pure returns (bytes memory data) {
        data = abi.encodePacked(uint8(all.length));
        for (uint256 i = 0; i < all.length; ++i) {
            bytes memory signature = all[i].signature;
            data = bytes.concat(data, bytes1(uint8(all[i].attester)), bytes2(uint16(all[i].place)));
            data = bytes.concat(data, bytes2(uint16(signature.length)), signature);
        }
    }

    function _newBytes(Random memory random, uint256 size) private pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i = 0; i < size; ++i) data[i] = bytes1(uint8(random.next()));
    }
}
