export { accountSigner, contractSigner, type TypedDataSigner } from "./account";
export { type Authorization, type AuthorizationOptions } from "./authorization";
export { p256Signer, type P256Key } from "./p256";
export {
  createPasskey,
  passkeySigner,
  type CredentialsLike,
  type Passkey,
  type PasskeyOptions,
  type PasskeySignerOptions,
} from "./passkey";
export { digestOf, type PatientSigner, type TypedMessage } from "./types";
export { webCryptoSigner, type KeyPairLike, type WebCryptoSignerOptions } from "./webCrypto";
