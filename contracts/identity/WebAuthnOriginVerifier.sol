// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

/// @title WebAuthnOriginVerifier
/// @notice ERC-7913 verifier of passkeys that were made for one web page. A key is x ‖ y ‖ sha256(relying party id) ‖
/// keccak256(origin), 128 bytes; a signature the ABI-encoded {WebAuthn-WebAuthnAuth}.
/// @dev OpenZeppelin's verifier leaves relying party and origin to the authenticator and the browser. Here a signature counts only if
/// both say that the patient saw the page for which the key was made, user verification included, and not another page in a frame.
contract WebAuthnOriginVerifier is IERC7913SignatureVerifier {
    uint256 private constant _KEY_SIZE = 128;
    bytes4 private constant _INVALID = 0xffffffff;

    // As browsers have to write client data (WebAuthn Level 2, section 5.8.1.1): type first, then challenge, then origin.
    uint256 private constant _TYPE_INDEX = 1;
    uint256 private constant _CHALLENGE_INDEX = 23;
    /// @dev Behind `"challenge":"`, 43 characters of base64url and `","origin":"`.
    uint256 private constant _ORIGIN_INDEX = 91;
    bytes private constant _BEFORE_ORIGIN = '","origin":"';
    bytes private constant _BEHIND_ORIGIN = '","crossOrigin":false';

    /// @inheritdoc IERC7913SignatureVerifier
    function verify(bytes calldata key, bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (bool decoded, WebAuthn.WebAuthnAuth calldata auth) = WebAuthn.tryDecodeAuth(signature);
        if (!decoded || key.length != _KEY_SIZE) return _INVALID;
        if (auth.authenticatorData.length < 32 || bytes32(auth.authenticatorData[:32]) != bytes32(key[64:96])) {
            return _INVALID;
        }
        if (!_isFrom(auth, bytes32(key[96:]))) return _INVALID;
        return
            WebAuthn.verify(abi.encodePacked(hash), auth, bytes32(key[:32]), bytes32(key[32:64]))
                ? IERC7913SignatureVerifier.verify.selector
                : _INVALID;
    }

    /// @dev Whether the client data are laid out as they have to be, and name this origin.
    function _isFrom(WebAuthn.WebAuthnAuth calldata auth, bytes32 originHash) private pure returns (bool) {
        bytes calldata json = bytes(auth.clientDataJSON);
        uint256 length = json.length;
        if (auth.typeIndex != _TYPE_INDEX || auth.challengeIndex != _CHALLENGE_INDEX || length <= _ORIGIN_INDEX) {
            return false;
        }
        uint256 end = _ORIGIN_INDEX;
        while (end < length && json[end] != '"') ++end;
        uint256 behind = end + _BEHIND_ORIGIN.length;
        return
            behind < length &&
            keccak256(json[_ORIGIN_INDEX - _BEFORE_ORIGIN.length:_ORIGIN_INDEX]) == keccak256(_BEFORE_ORIGIN) &&
            keccak256(json[end:behind]) == keccak256(_BEHIND_ORIGIN) &&
            keccak256(json[_ORIGIN_INDEX:end]) == originHash;
    }
}
