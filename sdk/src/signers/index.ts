export { accountSigner, contractSigner, type TypedDataSigner } from "./account";
export { type Authorization, type AuthorizationOptions } from "./authorization";
export { digestOf, type PatientSigner, type TypedMessage } from "./types";
