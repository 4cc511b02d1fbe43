// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";

/// @title WebAuthnOriginVerifier
/// @notice ERC-7913 verifier of passkeys that were made for one web page. A signature is the ABI-encoded {WebAuthn-WebAuthnAuth}; a
/// key has 129 bytes:
///
/// | bytes | |
/// |---|---|
/// | 32 + 32 | x and y of the public key |
/// | 32 | sha256 of the relying party's id, as in authenticator data |
/// | 32 | keccak256 of `","origin":"` ‖ origin ‖ `","crossOrigin":false`, as in client data |
/// | 1 | number of bytes of the origin |
/// @dev OpenZeppelin's verifier leaves relying party and origin to the authenticator and the browser. Here a signature counts only if
/// both say that the patient saw the page for which the key was made, and not in another page's frame; user verification included.
contract WebAuthnOriginVerifier is IERC7913SignatureVerifier {
    uint256 private constant _KEY_SIZE = 129;
    bytes4 private constant _INVALID = 0xffffffff;

    // As browsers have to write client data (WebAuthn Level 2, section 5.8.1.1): type first, then challenge, then origin.
    uint256 private constant _TYPE_INDEX = 1;
    uint256 private constant _CHALLENGE_INDEX = 23;
    /// @dev Behind `"challenge":"` and 43 characters of base64url.
    uint256 private constant _ORIGIN_INDEX = 79;
    /// @dev Of `","origin":"` and `","crossOrigin":false`.
    uint256 private constant _AROUND_ORIGIN = 33;

    /// @inheritdoc IERC7913SignatureVerifier
    function verify(bytes calldata key, bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (bool decoded, WebAuthn.WebAuthnAuth calldata auth) = WebAuthn.tryDecodeAuth(signature);
        if (!decoded || key.length != _KEY_SIZE || !_isOf(key, auth)) return _INVALID;
        return
            WebAuthn.verify(abi.encodePacked(hash), auth, bytes32(key[:32]), bytes32(key[32:64]))
                ? IERC7913SignatureVerifier.verify.selector
                : _INVALID;
    }

    /// @dev Whether authenticator data and client data are of the relying party and the origin of a key.
    function _isOf(bytes calldata key, WebAuthn.WebAuthnAuth calldata auth) private pure returns (bool) {
        bytes calldata json = bytes(auth.clientDataJSON);
        bytes calldata data = auth.authenticatorData;
        uint256 end = _ORIGIN_INDEX + _AROUND_ORIGIN + uint8(key[128]);
        return
            auth.typeIndex == _TYPE_INDEX &&
            auth.challengeIndex == _CHALLENGE_INDEX &&
            data.length >= 32 &&
            json.length >= end &&
            bytes32(data[:32]) == bytes32(key[64:96]) &&
            keccak256(json[_ORIGIN_INDEX:end]) == bytes32(key[96:128]);
    }
}
